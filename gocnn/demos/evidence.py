"""What the demos of saliency, occlusion and Grad-CAM share: photographs, what a network says, and where a map is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from gocnn.images import samples
from gocnn.images.models import Network
from gocnn.visualize.maximize import blurred

Box = tuple[int, int, int, int]  # top, left, bottom, right in pixels of the network's input, the last two exclusive

#: A part of each picture that one may expect, or not expect, an answer to rest on; drawn by hand.
PARTS: dict[str, tuple[str, Box]] = {
    "duck": ("its head", (38, 140, 95, 198)),
    "dog": ("its head", (0, 178, 92, 227)),
    "coffee": ("the cup", (0, 30, 145, 188)),
    "cow": ("the cow in front", (82, 18, 216, 227)),
    "astronaut": ("the ring of her suit", (56, 38, 137, 142)),
}


def read(network: Network, name: str) -> np.ndarray:
    """A sample picture as the network's input: float32 [3, 227, 227]."""
    return network.prepare(samples.photograph(name))[0]


def probabilities(model: nn.Module, inputs: np.ndarray) -> np.ndarray:
    """float32 [B, classes]: the softmax of what a network gives for inputs float [B, C, H, W]."""
    with torch.inference_mode():
        return np.asarray(model(torch.from_numpy(inputs)).softmax(1).numpy())


def says(network: Network, probabilities: np.ndarray) -> str:
    """The likeliest class of [classes] with its probability, in words."""
    best = int(probabilities.argmax())
    return f"{network.classes[best]}, {probabilities[best]:.0%}"


def within(heat: np.ndarray, box: Sequence[int]) -> float:
    """Which share of a map [H, W], its negative values left out, lies in a box."""
    top, left, bottom, right = box
    positive = np.clip(heat, 0, None)
    return float(positive[top:bottom, left:right].sum() / max(positive.sum(), 1e-30))


def area(box: Sequence[int], height: int, width: int) -> float:
    """Which share of the picture the box is: what `within` would be for a map without preferences."""
    top, left, bottom, right = box
    return (bottom - top) * (right - left) / (height * width)


def heat(values: np.ndarray, *, sigma: float = 0.0, percentile: float = 100.0) -> np.ndarray:
    """A map [H, W] for drawing, 0 to 1: negative values cut, blurred by `sigma` pixels, that percentile drawn as 1."""
    positive = np.clip(values, 0, None)
    soft = softened(positive, sigma) if sigma else positive
    return np.asarray(np.clip(soft / max(float(np.percentile(soft, percentile)), 1e-30), 0, 1))


def softened(values: np.ndarray, sigma: float) -> np.ndarray:
    """A map [H, W] under a Gaussian of `sigma` pixels."""
    return np.asarray(blurred(torch.as_tensor(values, dtype=torch.float32)[None, None], sigma)[0, 0].numpy())
