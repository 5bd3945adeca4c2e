"""The image patches that a unit likes best, over a whole data set.

A unit of a feature map sees a part of the image only, its receptive field. Running the data set through the network and
keeping the strongest activations shows, without any theory, what the unit has come to look for (Girshick et al. 2014,
section 3.1, https://arxiv.org/abs/1311.2524).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gocnn.visualize.activations import as_array
from gocnn.visualize.layers import LayerError, batch_for, recording
from gocnn.visualize.receptive import Field, receptive_fields


@dataclass(frozen=True)
class TopPatches:
    """The n strongest activations of each of K units, strongest first.

    values: float [K, n]. images: int64 [K, n], the image's number, counted from 0 over all batches. places: int64
    [K, n, 2], row and column in the feature map (0, 0 for a neuron). boxes: int64 [K, n, 4], the receptive field there
    in pixels of the image as top, left, bottom, right, the last two exclusive; where the layers pad, it can reach over
    the image's edge. patches: float [K, n, C, h, w], what the field holds, NaN where it is beyond the edge.
    """

    values: np.ndarray
    images: np.ndarray
    places: np.ndarray
    boxes: np.ndarray
    patches: np.ndarray


@dataclass(frozen=True)
class _Hit:
    value: float
    image: int
    place: tuple[int, int]
    patch: np.ndarray


def top_patches(
    model: nn.Module, layer: str, units: Sequence[int], batches: Iterable[Any], *, count: int = 9, per_image: int = 1,
    overlap: float = 0.3,
) -> TopPatches:  # fmt: skip
    """Find where in a data set each of `units` of a layer is excited most.

    `batches` gives images [B, C, H, W], all of one size (arrays, tensors, or tuples that begin with them, as a data
    loader gives); it is gone through once, and only the best patches are kept. A unit is a channel of an output
    [B, K, H', W'], or a neuron of one [B, K], which sees the whole image. Of one image at most `per_image` patches
    count, and none that overlaps a stronger one by more than `overlap` (intersection over union), so that one object is
    not shown many times. NaN is no activation, and of equal values the earlier wins. If there are fewer than `count`
    patches, n is what the unit with fewest has.

    Raises LayerError for an unknown layer, one whose output has another shape, or one whose receptive field cannot be
    told; ValueError for a unit that is not there, images of different sizes, or no image.
    """
    if count < 1 or per_image < 1 or len(units) < 1:
        raise ValueError("at least one unit is needed, and a count and a per_image of 1 or more")
    best: list[list[_Hit]] = [[] for _ in units]
    seen, shape, field = 0, None, None
    for item in batches:
        batch = batch_for(model, item[0] if isinstance(item, (tuple, list)) else item)
        with torch.no_grad(), recording(model, layer) as record:
            model(batch)
            maps = _maps(record.output, layer, units)
        if shape is None or field is None:
            shape, field = batch.shape[1:], _field(model, layer, batch, record.output)
        elif shape != batch.shape[1:]:
            raise ValueError(f"images of {list(batch.shape[1:])} after others of {list(shape)}")
        images = as_array(batch)
        for hits, of_unit in zip(best, maps.transpose(1, 0, 2, 3)):
            _take(hits, of_unit, images, seen, field, count, per_image, overlap)
        seen += len(batch)
    if shape is None or field is None:
        raise ValueError("no images to look at")
    n = min(map(len, best))
    kept = [hits[:n] for hits in best]
    return TopPatches(
        np.array([[hit.value for hit in hits] for hits in kept]),
        np.array([[hit.image for hit in hits] for hits in kept]),
        np.array([[hit.place for hit in hits] for hits in kept]),
        np.array([[field.box(*hit.place) for hit in hits] for hits in kept]),
        np.array([[hit.patch for hit in hits] for hits in kept]),
    )


def _maps(output: Tensor, layer: str, units: Sequence[int]) -> np.ndarray:
    """[B, units, H', W'] of a layer's output; a neuron's value is a map of one place."""
    if output.ndim not in (2, 4):
        raise LayerError(f"layer {layer!r} gives {list(output.shape)}, not [B, K, H, W] or [B, K]")
    wrong = [unit for unit in units if not 0 <= unit < output.shape[1]]
    if wrong:
        raise ValueError(f"no unit {wrong[0]} in layer {layer!r}; it has units 0 to {output.shape[1] - 1}")
    chosen = as_array(output[:, list(units)])
    return chosen if chosen.ndim == 4 else chosen[:, :, None, None]


def _field(model: nn.Module, layer: str, batch: Tensor, output: Tensor) -> Field:
    height, width = batch.shape[2:]
    if output.ndim == 2:
        return Field((height, width), (height, width), (0, 0))
    fields = receptive_fields(model, tuple(batch.shape[1:]))
    if layer not in fields:
        raise LayerError(f"the receptive field of layer {layer!r} cannot be told; take another layer")
    return fields[layer]


def _take(
    hits: list[_Hit], maps: np.ndarray, images: np.ndarray, seen: int, field: Field, count: int, per_image: int,
    overlap: float,
) -> None:  # fmt: skip
    """Enter one unit's best places in a batch, its maps [B, H', W'], into its list of hits, which stays sorted."""
    maps = np.where(np.isnan(maps), -np.inf, maps)
    peaks = maps.max((1, 2))
    found = []
    for index in np.argsort(-peaks, kind="stable")[:count]:
        if len(hits) == count and peaks[index] <= hits[-1].value:
            break
        for row, col in _apart(maps[index], field, per_image, overlap):
            patch = _cut(images[index], field.box(row, col))
            found.append(_Hit(float(maps[index, row, col]), seen + int(index), (row, col), patch))
    hits[:] = sorted([*hits, *found], key=lambda hit: (-hit.value, hit.image))[:count]


def _apart(one: np.ndarray, field: Field, most: int, overlap: float) -> list[tuple[int, int]]:
    """The strongest places of one map, `most` of them at most, none overlapping a stronger one's field too much."""
    one = one.copy()
    rows, cols = np.indices(one.shape)
    area = field.size[0] * field.size[1]
    chosen: list[tuple[int, int]] = []
    while len(chosen) < most and np.isfinite(one).any():
        row, col = map(int, np.unravel_index(one.argmax(), one.shape))
        chosen.append((row, col))
        common = np.maximum(field.size[0] - abs(rows - row) * field.step[0], 0) * np.maximum(
            field.size[1] - abs(cols - col) * field.step[1], 0
        )
        one[common / (2 * area - common) > overlap] = -np.inf
        one[row, col] = -np.inf
    return chosen


def _cut(image: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """[C, h, w]: the box out of an image [C, H, W], NaN beyond its edges."""
    top, left, bottom, right = box
    patch = np.full((image.shape[0], bottom - top, right - left), np.nan, image.dtype)
    inner = image[:, max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    down, across = max(-top, 0), max(-left, 0)
    patch[:, down : down + inner.shape[1], across : across + inner.shape[2]] = inner
    return patch
