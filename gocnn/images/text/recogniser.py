"""Reading a word: a convolutional network that slides over it and names a character, or none, at every step (CTC)."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn

from gocnn import checkpoint, weights
from gocnn.conv import Conv3x3
from gocnn.images.text.alphabet import CLASSES

KIND = "text-recogniser"  # of checkpoint
HEIGHT = 32
NARROWING = 0.7  # of a crop's width on its way into the network: letters are taller than wide
STRIDE = 4  # columns of the network's input to a place in its last layers,
STEPS = 2  # and the steps of CTC that each place answers for, lest doubled narrow letters run out of steps
WIDEST = 40 * HEIGHT  # columns of a crop; what is wider is narrowed further
REACH = 52  # columns to the right of its own on which a place depends: of a receptive field of 107, in whole places


class Line(nn.Module):
    """Two convolutions along a line, added to their input: float [B, C, 1, W] to the same shape."""

    def __init__(self, channels: int, kernel: int = 5) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, (1, kernel), padding=(0, kernel // 2), bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, (1, kernel), padding=(0, kernel // 2), bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.activation(self.norm1(self.conv1(x)))
        return self.activation(x + self.norm2(self.conv2(y)))


def _stage(conv: nn.Conv2d, pool: tuple[int, int] | None = None) -> list[nn.Module]:
    """A convolution, batch norm, ReLU and max pooling."""
    return [conv, nn.BatchNorm2d(conv.out_channels), nn.ReLU()] + ([nn.MaxPool2d(pool)] if pool else [])


class Recogniser(nn.Module):
    """Grey words to the logits of characters: float [B, 1, 32, W] -> [B, T, 95], T = 2 * ceil(W / 4).

    Class 0 is CTC's blank, k + 1 the character k of ALPHABET. Any width will do.
    """

    def __init__(self, widths: tuple[int, int, int, int, int] = (24, 40, 80, 112, 176), lines: int = 2) -> None:
        super().__init__()
        a, b, c, d, e = widths
        self.widths, self.lines = widths, lines
        stem = nn.Conv2d(1, a, 5, stride=2, padding=2, bias=False)
        self.stem = nn.Sequential(*_stage(stem))  # [B, a, 16, W / 2]
        self.blocks = nn.Sequential(
            *_stage(Conv3x3(a, b), pool=(2, 2)),  # [B, b, 8, W / 4]
            *_stage(Conv3x3(b, c), pool=(2, 1)),  # [B, c, 4, W / 4]
            *_stage(Conv3x3(c, d)),
            *_stage(Conv3x3(d, d)),
            *_stage(nn.Conv2d(d, e, (4, 3), padding=(0, 1), bias=False)),  # [B, e, 1, W / 4]
            *(Line(e) for _ in range(lines)),
        )
        self.head = nn.Conv2d(e, STEPS * CLASSES, 1)

    def forward(self, x: Tensor) -> Tensor:
        missing = -x.shape[3] % STRIDE
        x = nn.functional.pad(x, (0, missing)) if missing else x
        x = self.head(self.blocks(self.stem(x)))  # [B, 2 * 95, 1, W / 4]
        batch, _, _, places = x.shape
        return x.reshape(batch, STEPS, CLASSES, places).permute(0, 3, 1, 2).reshape(batch, STEPS * places, CLASSES)


def steps(width: int) -> int:
    """How many steps the network makes of an input of so many columns."""
    return STEPS * -(-width // STRIDE)


def as_grey(crop: np.ndarray) -> np.ndarray:
    """A crop uint8 [H, W], or [H, W, C] with 1, 3 or 4 channels, as grey uint8 [H, W].

    Raises ValueError for another type or shape.
    """
    from PIL import Image

    if crop.dtype != np.uint8 or crop.ndim not in (2, 3) or 0 in crop.shape:
        raise ValueError(f"no picture of a word: {crop.dtype} {crop.shape}")
    if crop.ndim == 2 or crop.shape[2] == 1:
        return crop.reshape(crop.shape[:2])
    if crop.shape[2] not in (3, 4):
        raise ValueError(f"no picture of a word: {crop.dtype} {crop.shape}")
    return np.asarray(Image.fromarray(np.ascontiguousarray(crop[..., :3])).convert("L"))


def narrowed(grey: np.ndarray, widest: int = WIDEST, by: float = NARROWING) -> np.ndarray:
    """A grey crop uint8 [H, W] in the size that the network wants: [32, W']."""
    from PIL import Image

    height, width = grey.shape
    width = max(8, round(by * min(width * HEIGHT / height, widest)))
    return np.asarray(Image.fromarray(grey).resize((width, HEIGHT), Image.Resampling.BILINEAR))


def standardised(grey: np.ndarray) -> np.ndarray:
    """Brightness uint8 [32, W] as float32 with mean 0 and deviation 1; a flat picture becomes 0."""
    values = grey.astype(np.float32)
    return (values - values.mean()) / max(float(values.std()), 4.0)


def padded(inputs: Sequence[np.ndarray], beyond: int = 0) -> np.ndarray:
    """Inputs [32, W] of any widths as one batch float32 [B, 1, 32, W'], with 0 to the right.

    W' is the W of the widest and `beyond`, up to whole places.
    """
    width = max(values.shape[1] for values in inputs) + beyond
    batch = np.zeros((len(inputs), 1, HEIGHT, -(-width // STRIDE) * STRIDE), np.float32)
    for row, values in zip(batch, inputs):
        row[0, :, : values.shape[1]] = values
    return batch


def save(path: str | os.PathLike[str], model: Recogniser, card: dict) -> None:
    """Write a recogniser in float16 with what is known of its making. Raises OSError."""
    meta = {"widths": list(model.widths), "lines": model.lines, "card": card}
    checkpoint.save(path, KIND, meta, checkpoint.in_half(model))


def load(path: str | os.PathLike[str] | None = None) -> Recogniser:
    """The recogniser of a file, or the one that ships, in eval mode on the CPU.

    Raises CheckpointError if there is no such file or it holds something else.
    """
    path = path or weights.shipped("text-recogniser.safetensors")
    saved = checkpoint.load(path, KIND)
    with checkpoint.building(path):
        model = Recogniser(tuple(saved.meta["widths"]), saved.meta["lines"])
        model.load_state_dict(saved.in_full())
    return model.eval()
