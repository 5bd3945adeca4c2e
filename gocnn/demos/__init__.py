"""The lecture's demonstrations: each is a module with one function, `make`, that computes and draws.

A demo uses the instruments and the networks of the package as any user would; what it draws comes with the numbers
that it is about, so that a test can hold them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

Say = Callable[[str], None]

#: name -> (module below gocnn.demos, what it shows); in the lecture's order.
DEMOS: dict[str, tuple[str, str]] = {
    "convolution": ("convolution", "Two 3×3 filters on a 6×6 image, step by step."),
    "colour": ("colour", "A filter as deep as the picture: three planes of colour."),
    "dense": ("dense", "Convolution as a fully-connected layer with shared and missing weights."),
    "properties": ("properties", "Why convolution suits pictures, and which of its properties Go has."),
    "shapes": ("shapes", "The networks layer by layer: shapes, parameters, receptive fields."),
    "digits": ("digits", "The lecture's network reads digits and clothes, beside a fully-connected one."),
    "shift": ("shift", "What happens to each network when the digits are shifted."),
    "filters": ("filters", "What first-layer filters look like once they are trained."),
    "activations": ("activations", "Feature maps, and the image patches that excite a unit most."),
    "maximize": ("maximize", "Pictures that a filter, a neuron or a digit's output likes best."),
    "fooled": ("fooled", "Digits imagined without a constraint, with L1 and with L2."),
    "saliency": ("saliency", "The pixels that an answer depends on."),
    "occlusion": ("occlusion", "A grey square wanders over the picture: where does the answer fall?"),
    "gradcam": ("gradcam", "Grad-CAM and integrated gradients."),
    "photographs": ("photographs", "What a machine learns: a photograph, its class, and on which pixels it rests."),
}


@dataclass(frozen=True)
class Exhibit:
    """One picture of a demo: the file's name in the output folder, and a caption that says what one sees."""

    file: str
    caption: str


@dataclass(frozen=True)
class Shown:
    """What a demo gave: its pictures, and the numbers it is about (JSON-like, for tests and for the gallery)."""

    exhibits: tuple[Exhibit, ...]
    numbers: dict[str, Any]


def make(name: str, out: Path, say: Say = lambda line: None) -> Shown:
    """Make one demo's pictures in the folder `out`, which must exist; `say` is given lines for the reader.

    Raises KeyError for an unknown name, ValueError or OSError where a network, a data set or the folder is at fault.
    """
    shown: Shown = import_module(f"gocnn.demos.{DEMOS[name][0]}").make(out, say)
    return shown
