"""The lecture's demonstrations: each is a module with one function, `make`, that computes and draws.

A demo uses the instruments and the networks of the package as any user would; what it draws comes with the numbers
that it is about, so that a test can hold them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gocnn.visualize import drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Say = Callable[[str], None]


@dataclass(frozen=True)
class Demo:
    """What a demo is about: a line for lists, and the question that it answers."""

    line: str
    question: str


#: name, which is that of its module here -> what it is about; in the lecture's order.
DEMOS: dict[str, Demo] = {
    "convolution": Demo(
        "Two 3×3 filters on a 6×6 image, step by step.", "How does a filter find the same small pattern everywhere?"
    ),
    "colour": Demo("A filter as deep as the picture: three planes of colour.", "What is a filter on a colour image?"),
    "dense": Demo(
        "Convolution as a fully-connected layer with shared and missing weights.",
        "Is a convolution another kind of layer than a fully-connected one?",
    ),
    "properties": Demo(
        "Why convolution suits pictures, and which of its properties Go has.",
        "AlphaGo does not use max pooling: how to explain this?",
    ),
    "shapes": Demo(
        "The networks layer by layer: shapes, parameters, receptive fields.",
        "How many parameters has each filter, and how much of the image does it see?",
    ),
    "digits": Demo(
        "The lecture's network reads digits and clothes, beside a fully-connected one.",
        "What does a convolutional network gain over a fully-connected one of its size?",
    ),
    "shift": Demo(
        "What happens to each network when the digits are shifted.",
        "The same pattern, a few pixels further: is it the same to the network?",
    ),
    "filters": Demo("What first-layer filters look like once they are trained.", "What does the first layer learn?"),
    "activations": Demo(
        "Feature maps, and the image patches that excite a unit most.", "Which images make a given unit fire?"
    ),
    "maximize": Demo(
        "Pictures that a filter, a neuron or a digit's output likes best.",
        "What would a unit like to see, if it could draw it itself?",
    ),
    "fooled": Demo("Digits imagined without a constraint, with L1 and with L2.", "Can you tell which digit this is?"),
    "saliency": Demo("The pixels that an answer depends on.", "Which pixels matter for the answer?"),
    "occlusion": Demo(
        "A grey square wanders over the picture: where does the answer fall?",
        "What if a part of the picture were hidden?",
    ),
    "gradcam": Demo("Grad-CAM and integrated gradients.", "Where in the picture does a class come from?"),
    "photographs": Demo(
        "A photograph, its class, and the pixels that the answer rests on.", "What does the machine learn?"
    ),
    "dream": Demo("Deep Dream: a network exaggerates what it sees.", "What does a network see in a night sky?"),
    "style": Demo(
        "Deep Style: a photograph painted as another picture is.", "Can content and style of a picture be told apart?"
    ),
    "dehaze": Demo("Haze laid over photographs, and taken off again.", "What would be seen if the air were clear?"),
    "text": Demo("Signs in photographs, found and read.", "Where are words in a picture, and what do they say?"),
}


@dataclass(frozen=True)
class Exhibit:
    """One picture of a demo: the file's name in the output folder, and a caption that says what one sees."""

    file: str
    caption: str


def hang(figure: Figure, path: Path, caption: str) -> Exhibit:
    """Write a figure and its caption as the PNG file `path`, an exhibit of its folder. Raises OSError."""
    drawing.save(figure, path, caption)
    return Exhibit(path.name, caption)


def hang_moving(frames: Sequence[np.ndarray], path: Path, caption: str, *, seconds: float) -> Exhibit:
    """Write uint8 frames [H, W, 3], each shown for `seconds`, as the GIF file `path`. Raises OSError."""
    drawing.save_animation(frames, path, seconds=seconds)
    return Exhibit(path.name, caption)


@dataclass(frozen=True)
class Shown:
    """What a demo gave: its pictures, and the numbers it is about (JSON-like, for tests and for the gallery)."""

    exhibits: tuple[Exhibit, ...]
    numbers: dict[str, Any]


def together(parts: Sequence[Shown], names: Sequence[str] = ()) -> Shown:
    """A demo of several parts: all their pictures, and each one's numbers under its name, or without names in one dict.

    Raises ValueError for numbers of one key in two parts.
    """
    exhibits = tuple(exhibit for part in parts for exhibit in part.exhibits)
    if names:
        return Shown(exhibits, {name: part.numbers for name, part in zip(names, parts, strict=True)})
    numbers = {key: number for part in parts for key, number in part.numbers.items()}
    if len(numbers) < sum(len(part.numbers) for part in parts):
        raise ValueError("two parts of a demo have numbers of one name")
    return Shown(exhibits, numbers)


def make(name: str, out: Path, say: Say = lambda line: None, **settings: Any) -> Shown:
    """Make one demo's pictures in the folder `out`, which must exist; `say` is given lines for the reader.

    `settings` are those that the demo's own `make` takes. Raises KeyError for an unknown name, ValueError or OSError
    where a network, a data set or the folder is at fault.
    """
    if name not in DEMOS:
        raise KeyError(name)
    shown: Shown = import_module(f"gocnn.demos.{name}").make(out, say, **settings)
    return shown
