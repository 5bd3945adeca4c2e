"""SqueezeNet 1.1, a network for photographs, built from the conv core; its weights were learned on ImageNet.

Fire modules squeeze their input with few 1x1 filters and expand it with many 1x1 and 3x3 ones, which gives AlexNet's
accuracy with a fiftieth of its weights (Iandola et al. 2016, https://arxiv.org/abs/1602.07360; version 1.1 is from the
authors' repository). 1,235,496 weights; trained by its authors, not here.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from importlib import resources
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gocnn.conv import ConvBlock

INPUT_SHAPE = (3, 227, 227)  # blue, green, red, less their means: see gocnn.images.pictures.for_squeezenet


class Fire(nn.Module):
    """float [B, inputs, H, W] -> [B, 2 * expand, H, W]: `squeeze` 1x1 filters, then `expand` 1x1 and `expand` 3x3."""

    def __init__(self, inputs: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = ConvBlock(inputs, squeeze, 1)
        self.expand1 = ConvBlock(squeeze, expand, 1)
        self.expand3 = ConvBlock(squeeze, expand, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze(x)
        return torch.cat((self.expand1(x), self.expand3(x)), 1)


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, 2, ceil_mode=True)


class SqueezeNet(nn.Sequential):
    """Photographs float [B, 3, H, W] -> logits [B, 1000], with H = W = 227 as it was trained; layers as in the paper.

    The logits come out of a ReLU, so none is below 0.
    """

    def __init__(self, classes: int = 1000) -> None:
        layers: dict[str, nn.Module] = {  # on 227x227:
            "conv1": ConvBlock(3, 64, 3, stride=2, padding="valid"),  # [B, 64, 113, 113]
            "pool1": _pool(),
            "fire2": Fire(64, 16, 64),  # [B, 128, 56, 56]
            "fire3": Fire(128, 16, 64),
            "pool3": _pool(),
            "fire4": Fire(128, 32, 128),  # [B, 256, 28, 28]
            "fire5": Fire(256, 32, 128),
            "pool5": _pool(),
            "fire6": Fire(256, 48, 192),  # [B, 384, 14, 14]
            "fire7": Fire(384, 48, 192),
            "fire8": Fire(384, 64, 256),  # [B, 512, 14, 14]
            "fire9": Fire(512, 64, 256),
            "conv10": ConvBlock(512, classes, 1),  # [B, 1000, 14, 14]
            "average": nn.AdaptiveAvgPool2d(1),
            "flatten": nn.Flatten(),
        }
        super().__init__(OrderedDict(layers))


def tensors_from_arrays(arrays: Any) -> dict[str, Tensor]:
    """A state dict for `SqueezeNet` from the published arrays.

    `arrays` maps "conv1", "fire2/squeeze1x1", "fire2/expand3x3" and so on to [kernel, bias], kernels float32 in the
    order height, width, inputs, outputs. Raises ValueError if a layer is missing or of another shape.
    """
    tensors = {}
    for name, expected in SqueezeNet().state_dict().items():
        layer, kind = name.removesuffix(".weight").removesuffix(".bias"), name.rsplit(".", 1)[1]
        published = layer.removesuffix(".conv")
        for ours, theirs in ((".squeeze", "/squeeze1x1"), (".expand1", "/expand1x1"), (".expand3", "/expand3x3")):
            published = published.replace(ours, theirs)
        try:
            kernel, bias = arrays[published]
            array = np.asarray(kernel, np.float32).transpose(3, 2, 0, 1) if kind == "weight" else np.asarray(bias)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"SqueezeNet's weights: layer {published} is missing or damaged") from error
        tensors[name] = torch.from_numpy(np.ascontiguousarray(array, np.float32))
        if tensors[name].shape != expected.shape:
            raise ValueError(f"SqueezeNet's weights: {published} is {array.shape}, not {tuple(expected.shape)}")
    return tensors


def before_relu(layer: str) -> tuple[str, ...]:
    """The layers that together, channel after channel, give a block's output ahead of its ReLU; others as they are."""
    if re.fullmatch(r"fire\d", layer):
        return (f"{layer}.expand1.conv", f"{layer}.expand3.conv")
    return (f"{layer}.conv",) if layer in ("conv1", "conv10") else (layer,)


def class_names() -> tuple[str, ...]:
    """ImageNet's thousand classes, one short English name each, no two the same."""
    text = resources.files("gocnn.images").joinpath("imagenet-classes.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))
