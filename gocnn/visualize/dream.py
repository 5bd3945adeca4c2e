"""Deep Dream: a network exaggerates what it sees in a picture.

Take the activations of a layer, 3.9, -1.5, 2.3 and so on, make the positive more positive and the negative more
negative, and change the picture so: gradient ascent of the picture on half the sum of their squares, whose slope is the
activations themselves (Mordvintsev, Olah & Tyka 2015,
https://research.google/blog/inceptionism-going-deeper-into-neural-networks/). Negative ones exist only ahead of a ReLU,
so name layers whose output is not rectified yet.

What makes the pictures worth looking at (Olah, Mordvintsev & Schubert 2017, https://doi.org/10.23915/distill.00007):
octaves, the picture dreamt small first and its details then carried into ever larger ones, so that there are large and
small things in it; the network seeing it moved, turned and scaled a little in every step, so that what it sees holds
from wherever it is looked at; and gradients smoothed by a Laplacian pyramid, without which high frequencies win.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from gocnn.visualize.inputs import Bound, bounds, resized
from gocnn.visualize.layers import LayerError, batch_for, fine, maps
from gocnn.visualize.maximize import blurred

SMOOTHINGS = ("laplacian", "gaussian", "none")
LEAST = 32  # pixels of the shorter side; a smaller octave is left out
PLACES = 4096  # of a picture that are compared with a guide at once
BANDS = 4  # of the Laplacian pyramid, and what is coarser


@dataclass(frozen=True)
class Target:
    """What is exaggerated: the outputs of `layers`, of maps of one size and put together by their channels.

    Without more, all of them: the positive get more positive, the negative more negative. With `channels` (places among
    the channels put together), these get more positive. With `guide`, float [K, M], the outputs of the same layers at M
    places of another picture (see `guide`): everywhere, what is there gets more like what comes next to it among these.
    `weight` is the share in a dream of several targets.
    """

    layers: tuple[str, ...]
    channels: tuple[int, ...] = ()
    guide: Tensor | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("a target needs a layer")
        if self.channels and self.guide is not None:
            raise ValueError("a target has channels or a guide, not both")


@dataclass(frozen=True)
class Recipe:
    """How the picture climbs.

    octaves: sizes to dream in, each `ratio` times the last; those with a shorter side below `LEAST` are left out.
    steps, rate: in every octave, and how far a step moves the picture, the mean over its values, in their own units.
    jitter, turn, scale: the network sees the picture moved by up to so many pixels each way, cyclically, turned by up
    to so many degrees and scaled by up to such a share; in every step anew, drawn with `seed`.
    smoothing: of the gradient: "laplacian" brings the bands of a Laplacian pyramid to one strength; "gaussian" adds it
    up as it is and blurred over 1 and 2 pixels; "none".
    mix: a matrix [C][C] that every pixel's gradient is multiplied by, such as the covariance of a photograph's colours.
    low, high: bounds of the picture, one number or one a channel.
    tile: the network sees pictures that are longer or wider than this in tiles, which bounds the memory; their borders
    fall elsewhere in every step, jittered over half a tile at least. 0 is never.
    """

    octaves: int = 5
    ratio: float = 1.4
    steps: int = 20
    rate: float = 2.0
    jitter: int = 32
    turn: float = 5.0
    scale: float = 0.05
    smoothing: str = "laplacian"
    mix: tuple[tuple[float, ...], ...] | None = None
    low: Bound = None
    high: Bound = None
    tile: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.smoothing not in SMOOTHINGS:
            raise ValueError(f"unknown smoothing {self.smoothing!r}; there are {', '.join(SMOOTHINGS)}")
        if self.octaves < 1 or self.steps < 1 or self.ratio <= 1 or self.rate <= 0:
            raise ValueError("octaves, steps and rate must be more than nothing, and ratio more than 1")
        if min(self.jitter, self.turn, self.tile) < 0 or not 0 <= self.scale < 1:
            raise ValueError("jitter, turn and tile must not be negative, and scale must be from 0 to below 1")
        if 0 < self.tile < 2 * LEAST:
            raise ValueError(f"tiles must be of {2 * LEAST} pixels or more")


@dataclass(frozen=True)
class Moment:
    """Where a dream is after a step. `objective`: what the step climbed, before it: the mean over the targets' values
    of half their squares, of the channels, or of the product with the guide. `done`: the share of the work, up to 1."""

    octave: int
    step: int
    objective: float
    done: float
    _original: Tensor = field(repr=False)
    _detail: Tensor = field(repr=False)
    _bounds: tuple[Tensor, Tensor] = field(default=(torch.tensor(-math.inf), torch.tensor(math.inf)), repr=False)

    def picture(self) -> Tensor:
        """float [1, C, H, W]: the original with what has been dreamt so far, in its size and within the bounds."""
        return (self._original + resized(self._detail, self._original.shape[2:])).clamp(*self._bounds)


@torch.inference_mode(False)  # in a caller's there are no gradients
def dream(
    model: nn.Module, picture: Tensor, targets: Sequence[Target], recipe: Recipe | None = None
) -> Iterator[Moment]:
    """Dream into `picture`, float [1, C, H, W]: a moment after every step, of which the last has the whole dream.

    The network is left as it was, however the iteration ends; it must take pictures of any size. The same seed gives
    the same dream on the same machine.

    Raises LayerError for an unknown layer, one that did not run, or one whose output is no map, and ValueError for a
    picture below `LEAST`, for channels that are not there, a guide of other channels, or wrong bounds.
    """
    recipe = recipe or Recipe()
    original = fine(batch_for(model, picture))
    height, width = original.shape[2:]
    if len(original) != 1 or min(height, width) < LEAST:
        raise ValueError(f"a dream needs one picture of {LEAST} pixels or more each way, not {list(original.shape)}")
    if not targets:
        raise ValueError("a dream needs a target")
    low, high = bounds(recipe.low, recipe.high, original)
    mix = None if recipe.mix is None else original.new_tensor(recipe.mix)
    random = torch.Generator().manual_seed(recipe.seed)
    sizes = _octaves(height, width, recipe)
    work, all_work = 0, recipe.steps * sum(h * w for h, w in sizes)
    detail = torch.zeros_like(original)
    scales = _scales(model, resized(original, sizes[0]), targets)
    for octave, size in enumerate(sizes):
        base = resized(original, size)
        image = (base + resized(detail, size)).clamp(low, high)
        for step in range(recipe.steps):
            slope, objective = _slope(model, image, targets, scales, recipe, random)
            slope = smoothed(slope, recipe.smoothing)
            if mix is not None:
                slope = torch.einsum("ij,bjhw->bihw", mix, slope)
            image = (image + recipe.rate * slope / slope.abs().mean().clamp_min(1e-12)).clamp(low, high)
            detail, work = image - base, work + size[0] * size[1]
            yield Moment(octave, step, objective, work / all_work, original, detail, (low, high))


def guide(model: nn.Module, picture: Tensor, layers: Sequence[str]) -> Tensor:
    """float [K, M]: what the layers, put together by their channels, give at the M places of a picture [1, C, H, W].

    Raises LayerError as `dream` does.
    """
    with torch.no_grad():
        return _together(maps(model, batch_for(model, picture), layers), layers).flatten(2)[0]


def smoothed(slope: Tensor, smoothing: str) -> Tensor:
    """A gradient [1, C, H, W] under one of `SMOOTHINGS`."""
    if smoothing == "gaussian":
        return slope + blurred(slope, 1.0) + blurred(slope, 2.0)
    if smoothing == "none":
        return slope
    bands: list[Tensor] = []
    rest = slope
    while len(bands) < BANDS and min(rest.shape[2:]) >= 8:
        coarse = functional.avg_pool2d(rest, 2, ceil_mode=True, count_include_pad=False)
        bands.append(rest - _enlarged(coarse, rest))
        rest = coarse
    total = _evened(rest)
    for band in reversed(bands):
        total = _enlarged(total, band) + _evened(band)
    return total


def _enlarged(coarse: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(coarse, size=like.shape[2:], mode="bilinear", align_corners=False)


def _evened(band: Tensor) -> Tensor:
    return band / band.square().mean().sqrt().clamp_min(1e-12)


def _octaves(height: int, width: int, recipe: Recipe) -> list[tuple[int, int]]:
    """The sizes to dream in, the smallest first; the last is that of the picture."""
    scales = [recipe.ratio**-k for k in range(recipe.octaves)]
    sizes = [(round(height * scale), round(width * scale)) for scale in scales]
    return [size for size in reversed(sizes) if min(size) >= LEAST]


def _slope(
    model: nn.Module, image: Tensor, targets: Sequence[Target], scales: list[float], recipe: Recipe,
    random: torch.Generator,
) -> tuple[Tensor, float]:  # fmt: skip
    """The gradient at the picture, of its shape, as the network sees it this time, and the objective."""
    tiled = bool(recipe.tile) and max(image.shape[2:]) > recipe.tile
    reach = max(recipe.jitter, recipe.tile // 2) if tiled else recipe.jitter
    down, across = torch.randint(-reach, reach + 1, (2,), generator=random).tolist()
    angle, factor = ((2 * torch.rand(2, generator=random) - 1) * torch.tensor([recipe.turn, recipe.scale])).tolist()
    moved = image.roll((down, across), (2, 3))
    slope = torch.zeros_like(moved)
    total = 0.0
    for top, left, bottom, right in _tiles(moved.shape[2], moved.shape[3], recipe.tile if tiled else 0):
        tile = moved[:, :, top:bottom, left:right].detach().requires_grad_()
        with torch.enable_grad():
            seen = _turned(tile, math.radians(angle), 1 + factor)
            features = _features(model, seen, targets)
        pushes = [_push(there.detach(), target) for there, target in zip(features, targets)]
        weighed = [push * target.weight * scale for push, target, scale in zip(pushes, targets, scales)]
        (slope[:, :, top:bottom, left:right],) = torch.autograd.grad(features, tile, weighed)
        share = (bottom - top) * (right - left) / (moved.shape[2] * moved.shape[3])
        total += share * sum(
            _worth(there.detach(), push, target) for there, push, target in zip(features, pushes, targets)
        )
    return slope.roll((-down, -across), (2, 3)), total / len(targets)


def _tiles(height: int, width: int, tile: int) -> list[tuple[int, int, int, int]]:
    """Equal tiles, as near as can be, of at most `tile` pixels each way: top, left, bottom, right. 0 is one tile."""
    rows, columns = (-(-height // tile), -(-width // tile)) if tile else (1, 1)
    downs = [round(height * k / rows) for k in range(rows + 1)]
    acrosses = [round(width * k / columns) for k in range(columns + 1)]
    return [(top, left, bottom, right) for top, bottom in pairwise(downs) for left, right in pairwise(acrosses)]


def _turned(image: Tensor, angle: float, factor: float) -> Tensor:
    """The picture turned about its middle and scaled; beyond its border it is mirrored."""
    if not angle and factor == 1:
        return image
    wide = image.shape[3] / image.shape[2]
    cos, sin = math.cos(angle) / factor, math.sin(angle) / factor
    matrix = image.new_tensor([[[cos, -sin / wide, 0], [sin * wide, cos, 0]]])
    grid = functional.affine_grid(matrix, list(image.shape), align_corners=False)
    return functional.grid_sample(image, grid, padding_mode="reflection", align_corners=False)


def _features(model: nn.Module, image: Tensor, targets: Sequence[Target]) -> list[Tensor]:
    """The outputs of each target's layers on a picture, put together: [1, K, H, W] each."""
    outputs = maps(model, image, [layer for target in targets for layer in target.layers])
    return [_together(outputs, target.layers) for target in targets]


def _push(features: Tensor, target: Target) -> Tensor:
    """Where the target wants the outputs [1, K, H, W] to go, of their shape: the gradient there."""
    channels = features.shape[1]
    if target.guide is not None:
        if len(target.guide) != channels:
            raise ValueError(f"the guide has {len(target.guide)} channels, {'+'.join(target.layers)} has {channels}")
        flat = features.flatten(2)[0]
        # Some places at a time, since guide and picture may have a million pairs of them each.
        nearest = torch.cat([(target.guide.T @ some).argmax(0) for some in flat.split(PLACES, dim=1)])
        return target.guide[:, nearest].view_as(features)
    if target.channels:
        outside = [k for k in target.channels if not 0 <= k < channels]
        if outside:
            raise ValueError(f"no channel {outside[0]} in {'+'.join(target.layers)}, which has {channels}")
        push = torch.zeros_like(features)
        push[:, list(target.channels)] = 1
        return push
    return features


def _worth(features: Tensor, push: Tensor, target: Target) -> float:
    """The objective, whose slope at the outputs is the push, as a mean over the outputs that count."""
    whole = float((features.detach() * push).sum())
    if target.channels:
        return whole / float(push.sum())
    return whole / features.numel() * (0.5 if target.guide is None else 1)


def _scales(model: nn.Module, image: Tensor, targets: Sequence[Target]) -> list[float]:
    """For each target, what brings it to one strength with the others: over the norms of its outputs and its push."""
    with torch.no_grad():
        features = _features(model, image, targets)
        norms = [there.norm() * _push(there, target).norm() for there, target in zip(features, targets)]
    return [1 / max(float(norm), 1e-12) for norm in norms]


def _together(outputs: dict[str, Tensor], layers: Sequence[str]) -> Tensor:
    found = [outputs[layer] for layer in layers]
    if any(one.shape[2:] != found[0].shape[2:] for one in found):
        raise LayerError(f"the maps of {', '.join(layers)} are of several sizes; make them targets of their own")
    return torch.cat(found, 1)
