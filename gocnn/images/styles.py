"""Deep Style with SqueezeNet or VGG: which layers have the content and the style, and the colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from gocnn.images import colours, making, models, paintings, pictures, vgg
from gocnn.visualize.style import Moment, Recipe, averaged, paint

COLOURS = ("style", "brightness", "matched")
POOLINGS = ("average", "max")
COARSEST = 128  # pixels of the longer side: no smaller picture is painted first


@dataclass(frozen=True)
class Painter:
    """A network with the layers that content and style are taken from, and the weight of style that suits them."""

    model: nn.Module
    content: tuple[str, ...]
    style: tuple[str, ...]
    beta: float


def painter(network: str, pooling: str = "average") -> Painter:
    """By its name, "squeezenet" or "vgg16", or from a file of torchvision's VGG; `pooling` is "average" or "max".

    Raises CheckpointError for a network that has not been fetched, ValueError for a file that holds none or for another
    pooling.
    """
    _demand(pooling, "pooling", POOLINGS)
    if network == "squeezenet":
        model: nn.Module = models.load("squeezenet").model
        found = Painter(model, ("fire5.expand1.conv", "fire5.expand3.conv"),
                        ("conv1", "fire2", "fire3", "fire4", "fire6"), 20.0)  # fmt: skip
    else:
        model = vgg.load(None if network == vgg.NAME else network)
        found = Painter(model, ("relu4_2",), tuple(f"relu{block}_1" for block in range(1, 6)), 8.0)
    return found if pooling == "max" else Painter(averaged(model), found.content, found.style, found.beta)


def recipe(who: Painter, longer: int, steps: int = 100, **settings: Any) -> Recipe:
    """How a picture with a longer side of `longer` pixels is painted: in sizes from `COARSEST` or more, each about 1.7
    times the last, with `steps` in the smallest and fewer in every larger one. `settings` are others of `Recipe`.
    """
    count = 1
    while longer / 1.7**count >= COARSEST and count < 6:
        count += 1
    sizes = tuple(1.7**-k for k in reversed(range(count)))
    counts = tuple(max(1, round(steps * 0.65**k)) for k in range(count))
    defaults: dict[str, Any] = {
        "content": dict.fromkeys(who.content, 1.0), "style": dict.fromkeys(who.style, 1.0), "beta": who.beta,
        "variation": 1e-3, "sizes": sizes, "steps": counts, **making.BOUNDS,
    }  # fmt: skip
    return Recipe(**{**defaults, **settings})


def weights(given: str) -> dict[str, float]:
    """Layers with their weights: "conv1,fire2:0.5" is conv1 with 1 and fire2 with 0.5. Raises ValueError."""
    found = {}
    for part in given.split(","):
        layer, colon, number = part.strip().partition(":")
        if not layer:
            raise ValueError(f"{given!r}: a layer has no name")
        try:
            found[layer] = float(number) if colon else 1.0
        except ValueError:
            raise ValueError(f"{part.strip()}: a weight must be a number, as in {layer}:0.5") from None
    return found


def picture(given: str) -> np.ndarray:
    """A painting by its name in `paintings.PAINTINGS`, or a picture file: uint8 [H, W, 3].

    Raises DataError for a painting that has not been fetched, PictureError for a file that is no picture.
    """
    if given in paintings.PAINTINGS and not Path(given).exists():
        return paintings.load(given)
    try:
        return pictures.read(given)
    except pictures.PictureError as error:
        if Path(given).suffix or Path(given).exists():
            raise
        raise pictures.PictureError(f"{error}, nor a painting; there are {', '.join(paintings.PAINTINGS)}") from None


def painting(
    who: Painter, content: np.ndarray, styles: Sequence[tuple[np.ndarray, float]], how: Recipe, colour: str = "style"
) -> Iterator[Moment]:
    """`paint` what is on `content` in the style of pictures, uint8 [H, W, 3], each with its share.

    `colour` is one of `COLOURS`: the style's; the content's, and only brightness is painted; or the style's are brought
    to the content's first. `drawn` makes pictures of the moments. Raises as `paint` does, and ValueError for another
    colour.
    """
    _demand(colour, "colour", COLOURS)
    seen, given = content, [style for style, _ in styles]
    if colour == "brightness":
        seen, given = colours.grey(content), [colours.grey(style, content) for style in given]
    elif colour == "matched":
        given = [colours.matched(style, content) for style in given]
    inputs = [(making.as_input(style), share) for style, (_, share) in zip(given, styles)]
    return paint(who.model, making.as_input(seen), inputs, how)


def drawn(moment: Moment, content: np.ndarray, colour: str = "style") -> np.ndarray:
    """uint8 [H, W, 3]: the picture at a moment, in its full size. Raises ValueError for a colour not in `COLOURS`."""
    _demand(colour, "colour", COLOURS)
    painted = pictures.from_squeezenet(moment.picture()[0].numpy())
    return colours.recoloured(painted, content) if colour == "brightness" else painted


def _demand(given: str, kind: str, known: Sequence[str]) -> None:
    """Raise ValueError for what is not known."""
    if given not in known:
        raise ValueError(f"unknown {kind} {given!r}; there are {', '.join(known)}")
