"""From the quads of words to the maps that a detector learns, and from its maps back to quads.

The maps have half the picture's resolution. One says where words are, by their cores: each quad shrunk from all sides,
so that words that nearly touch stay apart (Wang et al., "PSENet", arXiv 1903.12473; Liao et al., "DB", arXiv
1911.08947). Four more say how a word lies: the unit vectors along its lines, to the right as one reads, and down its
sides. A connected core and its two directions make a parallelogram, and that is grown by what the core was shrunk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gocnn.images.text import quads
from gocnn.jit import njit

STRIDE = 2  # pixels of the picture a cell of the maps
SHRINK = 0.2  # of a quad's thickness is taken off each side
FINEST = 8.0  # pixels: a word less high is neither learned nor held to be background
GAP_WEIGHT = 3.0  # of the cells close around a core, some of which lie between it and the next word
MEAN_CORE = 800.0  # cells: smaller cores weigh more
FINER = 4  # times finer than the maps quads are drawn, for the share of each cell
THRESHOLD = 0.5  # a cell is core from this probability on
SURE = 0.75  # mean probability of a core, below which it is not taken for a word
SMALLEST = 3  # cells
RIM = 0.1  # a cell beside a core is its rim from this probability on: partly inside


@dataclass(frozen=True)
class Maps:
    """What a detector should say of a picture of H × W pixels; h, w are half of it.

    `core` float32 [h, w] is the share of each cell inside a core, 0 to 1; `directions` float32 [4, h, w] are (x, y)
    along and (x, y) down, each of length 1 in a core and 0 elsewhere; `weight` float32 [h, w] is how much a cell
    counts: cells of small words and those close around a word more, those of words that are too small to read 0.
    """

    core: np.ndarray
    directions: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True)
class Region:
    """A place where a word was found: its quad, float32 [4, 2], and the mean probability of its core, 0 to 1."""

    quad: np.ndarray
    score: float


def thickness(quad: np.ndarray) -> float:
    """How thick a quad is: its area over its longer side; of a rectangle the shorter side."""
    return max(quads.area(quad), 0.0) / max(*quads.sides(quad), 1e-6)


def shrunk(quad: np.ndarray) -> np.ndarray:
    """The core of a quad."""
    return quads.offset(quad, -SHRINK * thickness(quad))


def grown(core: np.ndarray) -> np.ndarray:
    """The quad whose core this is: the inverse of `shrunk`, exactly so for parallelograms."""
    return quads.offset(core, SHRINK / (1 - 2 * SHRINK) * thickness(core))


def directions_of(quad: np.ndarray) -> np.ndarray:
    """The unit vectors along a quad's top and bottom and down its sides: float32 [4], (x, y) twice."""
    along = quad[1] - quad[0] + quad[2] - quad[3]
    down = quad[3] - quad[0] + quad[2] - quad[1]
    vectors = np.stack([along, down])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-6), np.float32).ravel()


def maps_of(words: Sequence[np.ndarray], height: int, width: int) -> Maps:
    """The maps of a picture's quads; `height` and `width` must be even."""
    shape = (height // STRIDE, width // STRIDE)
    core, weight = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    directions = np.zeros((4, *shape), np.float32)
    legible = [quad for quad in words if quads.sides(quad)[1] >= FINEST]
    for quad in legible:
        for here, share in _drawn(quads.offset(quad, SHRINK * thickness(quad)), shape):
            weight[here][share >= 0.5] = GAP_WEIGHT
    for quad in legible:
        for here, share in _drawn(shrunk(quad), shape):
            inside = share >= 0.5
            core[here] = np.maximum(core[here], share)
            directions[(slice(None), *here)][:, inside] = directions_of(quad)[:, None]
            weight[here][inside] = np.clip((MEAN_CORE / max(float(share.sum()), 1.0)) ** 0.5, 1, 6)
    for quad in words:
        if quads.sides(quad)[1] < FINEST:
            for here, share in _drawn(quad, shape):
                weight[here][share >= 0.5] = 0
    return Maps(core, directions, weight)


def _drawn(quad: np.ndarray, shape: tuple[int, int]) -> Iterator[tuple[tuple[slice, slice], np.ndarray]]:
    """The part of maps [h, w] in which a quad lies, and the share of each of its cells; nothing if it is outside."""
    from PIL import Image, ImageDraw

    low = np.clip(np.floor(quad.min(0) / STRIDE).astype(int), 0, shape[::-1])
    high = np.clip(np.ceil(quad.max(0) / STRIDE).astype(int), 0, shape[::-1])
    if np.any(high <= low):
        return
    canvas = Image.new("L", (int(high[0] - low[0]) * FINER, int(high[1] - low[1]) * FINER))
    inner = quads.offset(quad, -0.5 * STRIDE / FINER)  # since Pillow fills the pixels on the edges too
    corners = (inner / STRIDE - low) * FINER - 0.5
    ImageDraw.Draw(canvas).polygon([(float(x), float(y)) for x, y in corners], fill=255)
    share = np.asarray(canvas.reduce(FINER), np.float32) / 255
    yield np.s_[low[1] : high[1], low[0] : high[0]], share


def regions_of(probability: np.ndarray, directions: np.ndarray) -> list[Region]:
    """The words in a detector's maps: float [h, w], 0 to 1, and float [4, h, w] -> regions, the surest first."""
    probability = np.asarray(probability, np.float32)
    labels, count = components(probability >= THRESHOLD)
    if not count:
        return []
    labels = _with_rims(labels, probability)
    rows, columns = np.nonzero(labels)
    owner = labels[rows, columns] - 1
    order = np.argsort(owner, kind="stable")
    rows, columns = rows[order], columns[order]
    ends = np.cumsum(np.bincount(owner, minlength=count))
    values = probability[rows, columns].astype(np.float64)
    vectors = directions[:, rows, columns].T.astype(np.float64)  # [N, 4]
    centres = np.stack([columns, rows], 1) + 0.5
    found = []
    for first, last in zip([0, *ends], ends):
        here = values[first:last]
        sure = here >= THRESHOLD
        score = float(here[sure].mean())
        if sure.sum() < SMALLEST or score < SURE:
            continue
        towards = (vectors[first:last] * here[:, None])[sure].sum(0)
        core = _fitted(centres[first:last], here, sure, towards)
        found.append(Region(grown(STRIDE * core), score))
    return sorted(found, key=lambda region: -region.score)


def _with_rims(labels: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Labels with each part grown by the cells at its sides that are of more than `RIM` probability."""
    padded = np.pad(labels, 1)
    beside = np.maximum.reduce([padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]])
    return np.where((labels == 0) & (probability >= RIM), beside, labels)


def _fitted(centres: np.ndarray, values: np.ndarray, sure: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """The quad of a core, in cells: float32 [4, 2].

    `centres` [N, 2] of its cells, their probabilities [N], which of them are core and not rim, and the direction along
    and down, float [4]. Its sides have the two directions; of a long one, top and bottom follow the cells, so that it
    may taper. Its area is the sum of the probabilities and its middle theirs, which the cells' corners alone miss.
    Where the two directions are nearly one it is the smallest rectangle around the cells.
    """
    basis = vectors.reshape(2, 2)
    basis = basis / np.maximum(np.linalg.norm(basis, axis=1, keepdims=True), 1e-9)
    if np.linalg.det(basis) < 0.3:
        cells = centres[sure] - 0.5
        quad = quads.smallest_rectangle(np.concatenate([cells + by for by in ((0, 0), (1, 0), (1, 1), (0, 1))]))
    else:
        along, down = (centres[sure] @ np.linalg.inv(basis)).T
        weight = values[sure] / values[sure].sum()
        middle = weight @ along
        spread = weight @ (along - middle) ** 2
        height = weight @ down
        tilt = taper = 0.0
        if spread > 4 * (weight @ (down - height) ** 2) and spread > 4:
            tilt = float(weight @ ((along - middle) * (down - height)) / spread)
            away = np.abs(down - height - tilt * (along - middle))
            taper = float(weight @ ((along - middle) * away) / spread / max(weight @ away, 1e-6))
        ends = np.array([along.min() - 0.5, along.max() + 0.5])
        taper = float(np.clip(taper, -0.8 / np.ptp(ends), 0.8 / np.ptp(ends)))
        level = height + tilt * (ends - middle)  # of the middle line, left and right
        scale = 1 + taper * (ends - middle)
        aside = (down - height - tilt * (along - middle)) / (1 + taper * (along - middle))
        top, bottom = level + scale * (aside.min() - 0.5), level + scale * (aside.max() + 0.5)
        quad = np.array([[ends[0], top[0]], [ends[1], top[1]], [ends[1], bottom[1]], [ends[0], bottom[0]]]) @ basis
    length, width = quads.sides(quad)
    lacking = float(values.sum()) - max(quads.area(quad), 0.0)
    by = (np.sqrt(max((length + width) ** 2 + 4 * lacking, 0.0)) - length - width) / 4
    quad = quads.offset(quad, float(np.clip(by, -1.0, 0.5)))
    return quad + np.clip(values @ centres / values.sum() - quads.centroid(quad), -0.5, 0.5).astype(np.float32)


@njit(cache=True, nogil=True)
def components(mask):
    """The connected parts of a mask: bool [H, W] -> labels int32 [H, W], from 1 on, 0 outside, and their number.

    Cells are neighbours if they share a side.
    """
    height, width = mask.shape
    labels = np.zeros((height, width), np.int32)
    waiting = np.empty(height * width, np.int64)
    count = 0
    for start in range(height * width):
        if not mask[start // width, start % width] or labels[start // width, start % width]:
            continue
        count += 1
        labels[start // width, start % width] = count
        waiting[0] = start
        held = 1
        while held:
            held -= 1
            row, column = waiting[held] // width, waiting[held] % width
            for step in range(4):
                r = row + (step == 0) - (step == 1)
                c = column + (step == 2) - (step == 3)
                if 0 <= r < height and 0 <= c < width and mask[r, c] and not labels[r, c]:
                    labels[r, c] = count
                    waiting[held] = r * width + c
                    held += 1
    return labels, count
