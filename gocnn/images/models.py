"""The image networks by name: each with its classes, and how a picture becomes its input and back."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from gocnn import checkpoint, weights
from gocnn.images import datasets, pictures, squeezenet
from gocnn.images.lecture import DenseNet, LectureNet

KIND = "image"  # of checkpoint

#: name -> what it is; those that ship are in gocnn/weights.
MODELS: dict[str, str] = {
    "digits": "the lecture's network, trained on MNIST",
    "digits-dense": "a fully-connected network of its size, trained on MNIST",
    "digits-plain": "the lecture's network, trained on MNIST as it is, without augmentation",
    "digits-dense-plain": "the fully-connected network, trained on MNIST as it is, without augmentation",
    "fashion": "the lecture's network, trained on Fashion-MNIST",
    "fashion-dense": "a fully-connected network of its size, trained on Fashion-MNIST",
    "squeezenet": "SqueezeNet 1.1 for photographs, trained by its authors on ImageNet",
}

Prepare = Callable[[np.ndarray], tuple[np.ndarray, list[str]]]
Restore = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Network:
    """A network and all that is needed to ask it about a picture.

    `prepare` makes its input of a picture: uint8 [H, W, 3] -> float32 [C, H', W'], and what was done to it in words.
    `restore` makes a picture of an input: uint8 [H', W'] or [H', W', 3].
    """

    name: str
    model: nn.Module  # in eval mode, on the CPU
    classes: tuple[str, ...]
    prepare: Prepare
    restore: Restore
    card: dict[str, Any]


_NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "lecture": LectureNet, "dense": DenseNet, "squeezenet": squeezenet.SqueezeNet,
}  # fmt: skip


def build(network: str) -> nn.Module:
    """A network with fresh random weights; `network` is "lecture", "dense" or "squeezenet"."""
    return _NETWORKS[network]()


def _task(task: str) -> tuple[tuple[str, ...], Prepare, Restore]:
    """The classes of a task, how a picture becomes an input, and how an input becomes a picture. Raises KeyError."""
    if task == "photographs":
        return squeezenet.class_names(), pictures.for_squeezenet, pictures.from_squeezenet
    prepare: dict[str, Prepare] = {"digits": pictures.for_digits, "fashion": pictures.for_clothes}
    return datasets.CLASSES[task], prepare[task], _from_ink


def save(path: str | os.PathLike[str], network: str, task: str, model: nn.Module, card: dict[str, Any]) -> None:
    """Write a network of `build` with its task ("digits", "fashion", "photographs") and what is known of its making.

    Raises OSError.
    """
    checkpoint.save(path, KIND, {"network": network, "task": task, "card": card}, model.state_dict())


def load(name: str | os.PathLike[str]) -> Network:
    """A network by its name in `MODELS`, or from a file that `save` wrote.

    Raises CheckpointError if there is no such file or name, or it holds no image network.
    """
    path = weights.shipped(f"{name}.safetensors") if name in MODELS else Path(name)
    if name not in MODELS and not path.suffix:
        raise checkpoint.CheckpointError(f"no network {str(name)!r}; there are {', '.join(MODELS)}, or give a file")
    saved = checkpoint.load(path, KIND)
    with checkpoint.building(path):
        classes, prepare, restore = _task(saved.meta["task"])
        model = build(saved.meta["network"])
        model.load_state_dict(saved.in_full())
        return Network(str(name), model.eval(), classes, prepare, restore, saved.meta["card"])


def probabilities(model: nn.Module, images: np.ndarray, batch: int = 500) -> np.ndarray:
    """The probabilities that a network of digits or clothes gives: images uint8 [N, 28, 28] -> float32 [N, classes]."""
    with torch.inference_mode():
        parts = torch.from_numpy(images[:, None]).split(batch)
        return torch.cat([model(part.float() / 255).softmax(1) for part in parts]).numpy()


def _from_ink(inputs: np.ndarray) -> np.ndarray:
    return np.clip(np.round(255 * inputs[0]), 0, 255).astype(np.uint8)
