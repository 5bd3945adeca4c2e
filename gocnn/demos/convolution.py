"""The lecture's worked example: two 3×3 filters slide over a 6×6 image; all numbers come out of the conv core."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from gocnn.conv import ConvBlock
from gocnn.demos import Say, Shown, hang, hang_moving
from gocnn.visualize import drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ROWS = ("100001", "010010", "001100", "100010", "010010", "001010")
IMAGE = np.array([[int(pixel) for pixel in row] for row in _ROWS])
FILTERS = np.array([[[1, -1, -1], [-1, 1, -1], [-1, -1, 1]], [[-1, 1, -1], [-1, 1, -1], [-1, 1, -1]]])
LIMIT = 3  # the most that a filter of nine weights can give on this image
GREY = "RdGy"  # for pixels: 0 white, 1 grey
SECONDS = 0.8  # a frame of the animation


def block(stride: int = 1) -> ConvBlock:
    """The conv core with the lecture's filters, and 2×2 max pooling."""
    made = ConvBlock(1, len(FILTERS), 3, stride=stride, padding="valid", pool=2, bias=False)
    with torch.no_grad():
        made.conv.weight.copy_(torch.from_numpy(FILTERS[:, None]))
    return made.eval()


def compute() -> dict[str, np.ndarray]:
    """What the conv core makes of the image: a float [2, H, W] of the two filters' maps under each name."""
    image = torch.from_numpy(IMAGE[None, None]).float()
    with torch.no_grad():
        maps = block().conv(image)
        found = {"stride 1": maps, "stride 2": block(stride=2).conv(image), "max pooling": block().pool(maps)}
    return {name: tensor[0].numpy() for name, tensor in found.items()}


def make(out: Path, say: Say) -> Shown:
    found = compute()
    for name, maps in found.items():
        for number, one in enumerate(maps.astype(int).tolist(), 1):
            say(f"filter {number}, {name}: {one}")
    still = _picture(found["stride 1"], found["stride 2"], found["max pooling"])
    caption = (
        "A 6×6 image and two 3×3 filters. A filter is laid on every place of the image, and its nine weights times the "
        "nine pixels under it are added up: 3 (the most that can be) says that its pattern is there, the falling "
        "diagonal for filter 1, twice; the upright stroke for filter 2, once. With a stride of 2 it is laid on every "
        "other place only. Max pooling keeps the largest of each 2×2: a 3 is still a 3, but one knows less of where."
    )
    exhibits = [hang(still, out / "convolution.png", caption)]
    steps = _frames(found["stride 1"], found["max pooling"])
    moving = "Both filters slide over the image with stride 1, place by place, and then max pooling over their maps."
    exhibits.append(hang_moving(steps, out / "convolution-steps.gif", moving, seconds=SECONDS))
    return Shown(tuple(exhibits), {name: maps.astype(int).tolist() for name, maps in found.items()})


def _picture(maps: np.ndarray, strided: np.ndarray, pooled: np.ndarray) -> Figure:
    """The image on the left; a row for each filter with its map, the map after pooling, and that with stride 2."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 6), layout="constrained")
    left, right = np.asarray(figure.subfigures(1, 2, width_ratios=(3.2, 7.8)))
    axes = left.subplots()
    drawing.numbers(axes, IMAGE, title="image, 6×6", colours=GREY, limit=1, size=13)
    for row, cells in enumerate(right.subplots(2, 4, width_ratios=(3, 4, 2.6, 2.6))):
        tables = (FILTERS[row], maps[row], pooled[row], strided[row])
        titles = (f"filter {row + 1}, 3×3", "stride 1: 4×4", "then max pooling: 2×2", "stride 2: 2×2")
        for place, table, title, limit in zip(cells, tables, titles, (1, LIMIT, LIMIT, LIMIT)):
            drawing.numbers(place, table, title=title, limit=limit, size=12)
    return figure


def _frames(maps: np.ndarray, pooled: np.ndarray) -> list[np.ndarray]:
    """Every place of both filters, then every window of max pooling; the last picture stays for a while."""
    figures = [
        _step(number, weights, one, *divmod(place, one.shape[1]))
        for number, (weights, one) in enumerate(zip(FILTERS, maps), 1)
        for place in range(one.size)
    ]
    figures += [_pooling_step(maps, pooled, *divmod(place, pooled.shape[2])) for place in range(pooled[0].size)]
    frames = [drawing.pixels(figure, dpi=80) for figure in figures]
    return [*frames, frames[-1], frames[-1]]


def _step(number: int, weights: np.ndarray, one: np.ndarray, row: int, col: int) -> Figure:
    figure, cells = _strip()
    window = IMAGE[row : row + 3, col : col + 3]
    drawing.numbers(cells[0], IMAGE, title="image", colours=GREY, limit=1, size=11)
    drawing.frame(cells[0], (row, col, row + 3, col + 3), width=2.5)
    drawing.numbers(cells[1], weights, title=f"filter {number}", limit=1, size=14)
    drawing.numbers(cells[2], weights * window, title="pixels × weights", limit=1, size=14)
    title = f"added up: {one[row, col]:g}".replace("-", "−")
    drawing.numbers(cells[3], one, title=title, limit=LIMIT, shown=_done(one.shape, row, col), size=12)
    drawing.frame(cells[3], (row, col, row + 1, col + 1), width=2.5)
    return figure


def _pooling_step(maps: np.ndarray, pooled: np.ndarray, row: int, col: int) -> Figure:
    figure, cells = _strip()
    for number, (one, small) in enumerate(zip(maps, pooled)):
        before, after = cells[2 * number], cells[2 * number + 1]
        drawing.numbers(before, one, title=f"map of filter {number + 1}", limit=LIMIT, size=12)
        drawing.frame(before, (2 * row, 2 * col, 2 * row + 2, 2 * col + 2), width=2.5)
        shown = _done(small.shape, row, col)
        drawing.numbers(after, small, title="the largest of four", limit=LIMIT, shown=shown, size=14)
        drawing.frame(after, (row, col, row + 1, col + 1), width=2.5)
    return figure


def _strip() -> tuple[Figure, np.ndarray]:
    """Four squares in a row; without a layout to be computed, since there are many frames."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 2.7))
    cells = np.asarray(figure.subplots(1, 4, subplot_kw={"xticks": [], "yticks": []}))
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.02, top=0.9, wspace=0.08)
    return figure, cells


def _done(shape: tuple[int, ...], row: int, col: int) -> np.ndarray:
    """bool [H, W]: the places up to this one."""
    return np.arange(shape[0] * shape[1]).reshape(shape) <= row * shape[1] + col
