"""The detector: a convolutional network that says of each place of a picture whether a word is there and how it lies.

An encoder of residual blocks sees the picture in steps of 2, 4, 8, 16 and 32 pixels; on the way back the coarse maps,
which know what is text, are added to the fine ones, which know where its edges are (Lin et al., "Feature pyramid
networks", arXiv 1612.03144).
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

from gocnn import checkpoint, weights
from gocnn.conv import ResidualBlock
from gocnn.images.text.regions import STRIDE, Region, regions_of

KIND = "text-detector"  # of checkpoint
SHIPPED = "text-detector.safetensors"
COARSEST = 32  # pixels: the inputs' sides are filled up to multiples of it
WIDTHS = (16, 32, 64, 96, 128)  # channels at 2, 4, 8, 16 and 32 pixels
NECK = 48  # channels on the way back
MAPS = 5  # core, and two directions of two numbers


class Step(nn.Module):
    """Half the size: a 3×3 convolution in steps of 2, normalised, and `blocks` residual blocks.

    float [B, inputs, H, W] -> [B, outputs, H / 2, W / 2].
    """

    def __init__(self, inputs: int, outputs: int, blocks: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.activation = nn.ReLU()
        self.blocks = nn.Sequential(*(ResidualBlock(outputs) for _ in range(blocks)))

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(self.activation(self.norm(self.conv(x))))


class Detector(nn.Module):
    """Pictures float [B, 3, H, W], 0 to 1, sides multiples of 32 -> maps [B, 5, H / 2, W / 2].

    The first map is the logit of a word's core, the others are its directions (`regions.Maps`), about -1 to 1.
    """

    def __init__(self) -> None:
        super().__init__()
        counts = (0, 1, 1, 2, 1)
        self.steps = nn.ModuleList(
            Step(inputs, outputs, blocks) for inputs, outputs, blocks in zip((3, *WIDTHS), WIDTHS, counts)
        )
        self.laterals = nn.ModuleList(nn.Conv2d(width, NECK, 1, bias=False) for width in WIDTHS[1:])
        self.norms = nn.ModuleList(nn.BatchNorm2d(NECK) for _ in WIDTHS[1:])
        self.smooth = nn.Sequential(
            nn.Conv2d(NECK, NECK, 3, padding=1, bias=False), nn.BatchNorm2d(NECK), nn.ReLU(),
        )  # fmt: skip
        # Each cell of 4 pixels speaks for its four cells of 2.
        self.head = nn.Sequential(nn.Conv2d(NECK, MAPS * 4, 3, padding=1), nn.PixelShuffle(2))
        nn.init.constant_(self.head[0].bias[:4], -2.0)  # type: ignore[index]  # most of a picture is no text

    def forward(self, x: Tensor) -> Tensor:
        x = (x - 0.45) / 0.25
        seen = []
        for step in self.steps:
            x = step(x)
            seen.append(x)
        y: Tensor | None = None
        for lateral, norm, here in zip(reversed(self.laterals), reversed(self.norms), reversed(seen[1:])):
            level = norm(lateral(here))
            y = torch.relu(level if y is None else level + interpolate(y, scale_factor=2.0, mode="nearest"))
        return self.head(self.smooth(y))


def look(model: nn.Module, image: np.ndarray) -> np.ndarray:
    """A detector's maps of a picture: uint8 [H, W, 3] -> float32 [5, h, w], the first as a probability, 0 to 1.

    h and w are half of H and W, rounded up. The model is used on the device where it is.
    """
    device = next((weight.device for weight in model.parameters()), None)
    height, width = image.shape[:2]
    inputs = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float()[None] / 255
    inputs = pad(inputs, (0, -width % COARSEST, 0, -height % COARSEST), mode="replicate")
    with torch.inference_mode():
        said = model(inputs.to(device, memory_format=torch.channels_last))[0].float()
        logits, directions = said.split((1, MAPS - 1))
        maps = torch.cat([logits.sigmoid(), directions])
    return np.ascontiguousarray(maps[:, : -(-height // STRIDE), : -(-width // STRIDE)].cpu().numpy())


def detect(model: nn.Module, image: np.ndarray) -> list[Region]:
    """The words in a picture uint8 [H, W, 3], the surest first."""
    maps = look(model, image)
    return regions_of(maps[0], maps[1:])


def save(path: str | os.PathLike[str], model: nn.Module, card: dict[str, Any]) -> None:
    """Write a detector in half precision with what is known of its making. Raises OSError."""
    checkpoint.save(path, KIND, {"card": card}, checkpoint.in_half(model))


def load(path: str | os.PathLike[str] | None = None) -> Detector:
    """The detector that ships, or the one in a file that `save` wrote, in eval mode. Raises CheckpointError."""
    return checkpoint.restored(Detector(), path or weights.shipped(SHIPPED), KIND)
