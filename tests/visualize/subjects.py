"""The shipped networks with two inputs each, on which the instruments must agree with captum."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from gocnn import policy, weights
from gocnn.demos import positions
from gocnn.images import datasets, models, pictures

NAMES = ("digits", "go", "squeezenet")
LAYERS = {"digits": "conv2.activation", "go": "blocks.4", "squeezenet": "fire9"}  # for Grad-CAM


@cache
def subject(name: str) -> tuple[nn.Module, Tensor, list[int]]:
    """A shipped network, two images float [2, C, H, W], and what it answers to each."""
    if name == "digits":
        model = models.load("digits").model
        images = torch.from_numpy(datasets.shipped("digits")[0][:2, None]).float() / 255
    elif name == "go":
        model = policy.load(weights.default())
        boards = [positions.position(moves) for moves in (positions.OPENING, positions.FIGHT)]
        images = torch.from_numpy(np.stack([positions.planes(model, board) for board in boards])).float()
    else:
        network = models.load("squeezenet")
        folder = Path(str(resources.files("gocnn.images").joinpath("samples")))
        inputs = [network.prepare(pictures.read(folder / f"{name}.jpg"))[0] for name in ("chelsea", "coffee")]
        model, images = network.model, torch.from_numpy(np.stack(inputs))
    with torch.inference_mode():
        answers = model(images).argmax(1).tolist()
    return model, images, answers


def small(inplace: bool = False) -> nn.Sequential:
    """A grey image [B, 1, 8, 8] to three logits, with all that a careless instrument stumbles over."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace), nn.Dropout(0.5), nn.Flatten(), nn.Linear(4 * 36, 8),
        nn.ReLU(inplace), nn.Linear(8, 3),
    )  # fmt: skip


class Functional(nn.Module):
    """The ReLUs of `small` without a module: a function, a method, and in place."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = small()

    def forward(self, x: Tensor) -> Tensor:
        conv, norm, _, _, flat, hidden, _, output = self.layers
        x = flat(torch.nn.functional.relu(norm(conv(x))))
        x = hidden(x)
        x.relu_()
        return output(x)


def state(model: nn.Module) -> list[object]:
    """All that an instrument must leave as it was."""
    return [
        *((m.training, getattr(m, "inplace", None), len(m._forward_hooks), len(m._forward_pre_hooks),
           len(m._backward_hooks)) for m in model.modules()),
        *((p.requires_grad, p.grad is None, p.tolist()) for p in model.parameters()),
        *(b.tolist() for b in model.buffers()),
    ]  # fmt: skip
