"""Positions and their planes as pictures. matplotlib is imported only when something is drawn."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gocnn.go.coords import COLUMNS
from gocnn.go.core import BLACK, EMPTY
from gocnn.go.handicap import fixed_handicap, max_fixed_handicap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WOOD = "#e3b778"


def has_letters(text: str) -> bool:
    """Whether matplotlib's own font can write a text."""
    from matplotlib.font_manager import findfont, get_font

    return all(map(get_font(findfont("DejaVu Sans")).get_char_index, map(ord, text)))


def draw_board(axes: Axes, stones: np.ndarray, *, last: int | None = None, target: int | None = None) -> None:
    """Draw a position, int8 [size, size], with coordinates; mark the point of the `last` move and of a `target`."""
    size = stones.shape[0]
    axes.set_facecolor(WOOD)
    axes.set(xlim=(-0.7, size - 0.3), ylim=(size - 0.3, -0.7), aspect="equal")
    axes.set_xticks(range(size), COLUMNS[:size], fontsize=7)
    axes.set_yticks(range(size), [str(n) for n in range(size, 0, -1)], fontsize=7)
    axes.tick_params(length=0)
    axes.hlines(range(size), 0, size - 1, color="black", linewidth=0.5, zorder=1)
    axes.vlines(range(size), 0, size - 1, color="black", linewidth=0.5, zorder=1)
    stars = fixed_handicap(size, max_fixed_handicap(size)) if max_fixed_handicap(size) else []
    _discs(axes, stars, size, 0.1, color="black", zorder=2)
    for colour, face in ((BLACK, "black"), (-BLACK, "white")):
        points = np.flatnonzero(stones == colour).tolist()
        _discs(axes, points, size, 0.46, facecolor=face, edgecolor="black", linewidth=0.5, zorder=3)
    if last is not None and last < size * size:
        contrast = "white" if stones.ravel()[last] == BLACK else "black"
        _discs(axes, [last], size, 0.2, fill=False, edgecolor=contrast, linewidth=1.2, zorder=4)
    if target is not None and target < size * size:
        _discs(axes, [target], size, 0.3, color="tab:red", zorder=4)


def _discs(axes: Axes, points: Sequence[int], size: int, radius: float, **style: Any) -> None:
    from matplotlib.patches import Circle

    for point in points:
        axes.add_patch(Circle((point % size, point // size), radius, **style))


def draw_planes(
    path: str | os.PathLike[str],
    stones: np.ndarray,
    planes: np.ndarray,
    names: Sequence[str],
    *,
    title: str,
    last: int | None = None,
    target: int | None = None,
) -> None:
    """Write a PNG: the position beside every plane that a network sees of it.

    `stones` is int8 [size, size], `planes` int8 [P, size, size] with values -1 to 1 and `names` their P names. `last`
    is the point of the last move, `target` that of the move to be learned. Raises OSError.
    """
    from matplotlib.figure import Figure

    columns = min(5, max(1, len(names)))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(6.5 + 2.1 * columns, max(6.2, 2.3 * rows)), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(6, 2.1 * columns))  # type: ignore[misc]
    left.suptitle(title, parse_math=False)
    draw_board(left.subplots(), stones, last=last, target=target)
    grid = right.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, plane, name in zip(grid, planes, names, strict=False):
        axes.set_axis_on()
        axes.imshow(plane, cmap="RdGy", vmin=-1.2, vmax=1.2)
        axes.set_title(name, fontsize=7, wrap=True)
        axes.set_xticks([])
        axes.set_yticks([])
        if not np.any(plane != EMPTY):
            axes.text(0.5, 0.5, "empty", ha="center", va="center", fontsize=7, transform=axes.transAxes)
    figure.savefig(path, dpi=110, format="png")
