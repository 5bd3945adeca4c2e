"""The network that looks at a hazy photograph: how much light comes through where, and the colour of the haze.

A small U-Net (Ronneberger et al. 2015, arXiv 1505.04597) whose lowest level sees the whole picture. It gives what the
scattering model needs, transmission t and airlight A, and a correction r that the model has no place for:
J = (I - A) / t + A + (1 - t) r. Where there is no haze nothing can change.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d, pixel_shuffle, pixel_unshuffle, relu

from gocnn import checkpoint, weights

KIND = "dehaze"  # of checkpoint
SHIPPED = "dehaze.safetensors"
WIDTHS = (24, 40, 64, 64)  # channels at a half, a quarter, an eighth and a sixteenth of the picture's size
MULTIPLE = 16  # pixels; the sides of an input are multiples of it
LEAST = 0.05  # transmission
DARK = 7  # of the windows in which the darkest is looked for, in pixels of half size
SHARES = (0, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98, 1)  # of all places in the picture: how bright these are at most


class Answer(NamedTuple):
    """What the network says of pictures [B, 3, H, W]."""

    through: Tensor  # transmission [B, 1, H, W], LEAST to 1
    airlight: Tensor  # [B, 3], 0 to 1
    correction: Tensor  # [B, 3, H, W]


class Residual(nn.Module):
    """Two 3x3 convolutions added to their input, without normalisation; float [B, C, H, W] to the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(relu(self.conv1(relu(x))))


class Dehazer(nn.Module):
    """Hazy pictures float [B, 3, H, W], 0 to 1, H and W multiples of 16 -> `Answer`; about 420,000 weights."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = WIDTHS
        # Of 2x2 pixels each red, green, blue and the least of them, and the least of these nearby.
        self.stem = nn.Conv2d(17, a, 3, padding=1)
        self.blocks = nn.ModuleDict(
            {
                "at_half": Residual(a),
                "to_quarter": nn.Conv2d(a, b, 3, stride=2, padding=1),
                "at_quarter": nn.Sequential(Residual(b), Residual(b)),
                "to_eighth": nn.Conv2d(b, c, 3, stride=2, padding=1),
                "at_eighth": nn.Sequential(Residual(c), Residual(c)),
                "to_sixteenth": nn.Conv2d(c, d, 3, stride=2, padding=1),
                "at_sixteenth": Residual(d),
                "from_sixteenth": nn.Conv2d(d, c, 1),
                "from_eighth": nn.Conv2d(c, b, 1),
                "at_quarter_again": Residual(b),
                "from_quarter": nn.Conv2d(b, a, 1),
                "at_half_again": Residual(a),
            }
        )
        self.context = nn.Linear(2 * d, d)  # of the whole picture: means and maxima
        self.shades = nn.Linear(4 * len(SHARES), d)
        self.attention = nn.Conv2d(d, 1, 1)  # where the haze is thickest, and its colour can be seen
        self.shade = nn.Linear(d, 3)
        self.heads = nn.Conv2d(a, 16, 3, padding=1)  # t and r of 2x2 pixels
        nn.init.zeros_(self.attention.weight)
        nn.init.zeros_(self.shade.weight)
        nn.init.zeros_(self.shade.bias)
        with torch.no_grad():
            self.heads.weight.mul_(0.1)

    def forward(self, x: Tensor) -> Answer:
        blocks = self.blocks
        with_least = torch.cat((x, x.amin(1, keepdim=True)), 1)
        seen = torch.cat((pixel_unshuffle(with_least, 2), dark_channel(with_least[:, 3:])), 1)  # [B, 17, H/2, W/2]
        half = blocks["at_half"](self.stem(seen * 2 - 1))  # [B, 24, H/2, W/2]
        quarter = blocks["at_quarter"](blocks["to_quarter"](relu(half)))  # [B, 40, H/4, W/4]
        eighth = blocks["at_eighth"](blocks["to_eighth"](relu(quarter)))  # [B, 64, H/8, W/8]
        deep = blocks["to_sixteenth"](relu(eighth))  # [B, 64, H/16, W/16]
        pooled = torch.cat((deep.mean((2, 3)), deep.amax((2, 3))), 1)
        whole = relu(self.context(pooled) + self.shades(brightness(with_least) * 2 - 1))  # [B, 64]
        deep = blocks["at_sixteenth"](deep + whole[:, :, None, None])
        airlight = self._airlight(x, deep, whole)
        eighth = eighth + interpolate(blocks["from_sixteenth"](relu(deep)), scale_factor=2.0, mode="nearest")
        quarter = quarter + interpolate(blocks["from_eighth"](relu(eighth)), scale_factor=2.0, mode="nearest")
        quarter = blocks["at_quarter_again"](quarter)
        half = half + interpolate(blocks["from_quarter"](relu(quarter)), scale_factor=2.0, mode="nearest")
        out = pixel_shuffle(self.heads(relu(blocks["at_half_again"](half))), 2)  # [B, 4, H, W]
        through = LEAST + (1 - LEAST) * torch.sigmoid(out[:, :1] + 0.5)
        return Answer(through, airlight, out[:, 1:])

    def _airlight(self, x: Tensor, deep: Tensor, whole: Tensor) -> Tensor:
        """The colour of the haze [B, 3]: that of the places looked at, moved as the whole picture suggests."""
        looked = self.attention(relu(deep)).flatten(1).softmax(1)  # [B, H/16 * W/16]
        seen = (avg_pool2d(x, MULTIPLE).flatten(2) * looked[:, None]).sum(2)  # [B, 3]
        odds = torch.logit(seen, 0.02) + self.shade(whole)
        return torch.sigmoid(odds)


def dark_channel(least: Tensor) -> Tensor:
    """The darkest nearby at half the size: the least of the colours float [B, 1, H, W] -> [B, 1, H/2, W/2]."""
    dark = max_pool2d(-least, 2)
    dark = max_pool2d(dark, (DARK, 1), 1, (DARK // 2, 0))
    return -max_pool2d(dark, (1, DARK), 1, (0, DARK // 2))


def brightness(x: Tensor) -> Tensor:
    """How bright `SHARES` of the places of 4x4 pixels are at most, in each channel: [B, C, H, W] -> [B, C * 9]."""
    ordered = avg_pool2d(x, 4).flatten(2).sort(2).values
    places = [round(share * (ordered.shape[2] - 1)) for share in SHARES]
    return ordered[:, :, places].flatten(1)


def recovered(pictures: Tensor, answer: Answer) -> Tensor:
    """The pictures without haze, float [B, 3, H, W], not limited to 0..1."""
    t, airlight = answer.through, answer.airlight[:, :, None, None]
    return (pictures - airlight) / t + airlight + (1 - t) * answer.correction


def untrained(seed: int = 0) -> Dehazer:
    """The network as a run of training with that seed finds it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Dehazer().eval()


def save(path: str | os.PathLike[str], model: nn.Module, card: dict[str, Any]) -> None:
    """Write a network in half precision with what is known of its making. Raises OSError."""
    checkpoint.save(path, KIND, {"card": card}, checkpoint.in_half(model))


def load(path: str | os.PathLike[str] | None = None) -> Dehazer:
    """The network that ships, or the one in a file that `save` wrote, in eval mode. Raises CheckpointError."""
    return checkpoint.restored(Dehazer(), path or weights.shipped(SHIPPED), KIND)
