"""Deep Dream with SqueezeNet: what can be dreamt of by name, in the colours of photographs."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from torch import nn

from gocnn.images import making, pictures, squeezenet
from gocnn.visualize import layers as of_layers
from gocnn.visualize.dream import Moment, Recipe, Target, dream, guide

LAYERS = ("fire7", "fire8")  # eyes, and heads around them
GUIDE_SIDE = 320  # pixels: the longer side of a guide, as it is shown to the network
THINNEST = 16  # times as long as wide a guide may be; what is beyond is cut off

# Zooming in: between two frames the picture grows by so much, and is dreamt on for so many steps.
GROWTH, ZOOM_STEPS = 1.04, 3


def recipe(**settings: Any) -> Recipe:
    """A `Recipe` in the colours of photographs and within what a picture can show, with other `settings` if wanted.

    Raises ValueError as `Recipe` does.
    """
    return Recipe(**{"mix": making.NATURAL, **making.BOUNDS, **settings})


def targets(
    model: nn.Module, layers: Sequence[str] = (), classes: Sequence[str] = (), shown: np.ndarray | None = None
) -> list[Target]:
    """What to dream of.

    `layers` are names, "fire8", or names with channels, "fire8:3" or "fire8:3,17"; blocks are taken ahead of their
    ReLU. `classes` are ImageNet's, by their names here. `shown`, uint8 [H, W, 3], is a picture that guides all layers
    without channels. Without layers and classes these are `LAYERS`.

    Raises LayerError for an unknown layer, ValueError for an unknown class, a channel that is no number, or a picture
    that would guide nothing.
    """
    names = squeezenet.class_names()
    found = []
    for given in layers or (() if classes else LAYERS):
        layer, colon, numbers = given.partition(":")
        of_layers.get(model, layer)
        ahead = squeezenet.before_relu(layer)
        if colon:
            if not all(number.strip().isdecimal() for number in numbers.split(",")):
                raise ValueError(f"{given}: channels must be numbers, as in {layer}:3 or {layer}:3,17")
            found.append(Target(ahead, channels=tuple(map(int, numbers.split(",")))))
        else:
            features = None if shown is None else guide(model, making.as_input(_small(shown)), ahead)
            found.append(Target(ahead, guide=features))
    by_lower = {name.lower(): place for place, name in enumerate(names)}
    for name in classes:
        if name.lower() not in by_lower:
            near = difflib.get_close_matches(name.lower(), list(by_lower), n=5, cutoff=0.5)
            said = f"the nearest are {', '.join(names[by_lower[one]] for one in near)}" if near else "none is near"
            raise ValueError(f"ImageNet has no class {name!r}; {said}")
        found.append(Target(squeezenet.before_relu("conv10"), channels=(by_lower[name.lower()],)))
    if shown is not None and all(target.guide is None for target in found):
        raise ValueError("a picture guides whole layers: name one without channels beside the channels or classes")
    return found


def _small(picture: np.ndarray) -> np.ndarray:
    """A guide of moderate size, larger where it is long and thin; of one that is very thin, its middle."""
    height, width = (min(side, THINNEST * min(picture.shape[:2])) for side in picture.shape[:2])
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    picture = picture[top : top + height, left : left + width]
    least = math.ceil(making.SHORTEST * max(height, width) / min(height, width))
    size = max(least, min(GUIDE_SIDE, max(height, width)))
    return making.sized(picture, size, size)


def dreaming(model: nn.Module, picture: np.ndarray, wanted: Sequence[Target], how: Recipe) -> Iterator[Moment]:
    """`dream` into a picture, uint8 [H, W, 3]; `drawn` makes pictures of its moments. Raises as `dream` does."""
    return dream(model, making.as_input(picture), wanted, how)


def drawn(moment: Moment) -> np.ndarray:
    """uint8 [H, W, 3]: the picture at a moment, in its full size."""
    return pictures.from_squeezenet(moment.picture()[0].numpy())


def zooming(model: nn.Module, picture: np.ndarray, wanted: Sequence[Target], how: Recipe) -> Iterator[np.ndarray]:
    """Fall into a dream: one picture after another, each the last one's middle enlarged by `GROWTH` and dreamt on."""
    height, width = picture.shape[:2]
    settings = {**vars(how), "octaves": 2, "steps": ZOOM_STEPS}
    number = 0
    while True:
        large = pictures.resize(picture, math.ceil(height * GROWTH), math.ceil(width * GROWTH))
        top, left = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
        picture = large[top : top + height, left : left + width]
        number += 1
        *_, last = dreaming(model, picture, wanted, Recipe(**{**settings, "seed": how.seed + number}))
        picture = drawn(last)
        yield picture
