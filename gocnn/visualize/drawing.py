"""Arrays to pictures: every picture here is a PNG with a caption, drawn with matplotlib on white.

The instruments return arrays and know nothing of drawing; this module knows nothing of networks.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from gocnn.atomic import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DIVERGING = "RdBu_r"  # signed values, 0 white
RIGHT, WRONG = "#1a7f37", "#c62828"  # of words under a picture
SEQUENTIAL = "inferno"  # values from 0 up
CAPTION_WIDTH = 13  # characters to an inch, at the caption's size
CAPTION_LEAST = 4.0  # inches, under a picture that is narrower
GAP = 0.12  # inches, around the picture and above its caption


def canvas(rows: int = 1, columns: int = 1, *, cell: float = 2.2, wide: float = 1.0) -> tuple[Figure, np.ndarray]:
    """A figure and its axes, an object array [rows, columns]; a cell is `cell` inches high and `wide` times as wide."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(columns * cell * wide, 4.0), rows * cell + 0.6), layout="constrained")
    return figure, np.asarray(figure.subplots(rows, columns, squeeze=False))


def show(axes: Axes, image: np.ndarray, *, title: str = "", colours: str = "gray", limit: float | None = None) -> None:
    """Draw one picture without ticks.

    `image` is [H, W] or [H, W, 1] (drawn with the colour map `colours`; from -limit to +limit if a limit is given, else
    over its own range) or [H, W, 3] (float 0 to 1, or uint8).
    """
    flat = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
    low, high = (None, None) if limit is None else (-limit, limit)
    axes.imshow(flat, cmap=colours, interpolation="nearest", vmin=low, vmax=high)
    axes.set_xticks([])
    axes.set_yticks([])
    if title:
        axes.set_title(title, fontsize=9)


def numbers(
    axes: Axes, values: np.ndarray, *, title: str = "", colours: str = DIVERGING, limit: float | None = None,
    size: float = 10, shown: np.ndarray | None = None,
) -> None:  # fmt: skip
    """Draw a table of numbers, float [H, W], as squares tinted by their value, from -limit to +limit.

    `size` is that of the letters. Where `shown`, bool [H, W], is false, a square is empty.
    """
    height, width = values.shape
    visible = np.ones(values.shape, bool) if shown is None else shown
    peak = limit or float(np.abs(values).max()) or 1.0
    tint = np.where(visible, values, 0) / (1.6 * peak)  # pale, so that black letters can be read on it
    axes.imshow(tint, cmap=colours, vmin=-1, vmax=1, interpolation="nearest")
    axes.hlines(np.arange(height + 1) - 0.5, -0.5, width - 0.5, color="0.6", linewidth=0.8)
    axes.vlines(np.arange(width + 1) - 0.5, -0.5, height - 0.5, color="0.6", linewidth=0.8)
    for row, col in np.argwhere(visible).tolist():
        text = format(float(values[row, col]), "g").replace("-", "−")
        axes.text(col, row, text, ha="center", va="center", fontsize=size)
    axes.set(xlim=(-0.55, width - 0.45), ylim=(height - 0.45, -0.55), xticks=[], yticks=[])
    axes.set_axis_off()
    if title:
        axes.set_title(title, fontsize=9)


def frame(axes: Axes, box: Sequence[int], *, colour: Any = "red", width: float = 1.3, label: str = "") -> None:
    """Outline a box of pixels: top, left, bottom, right, the last two beyond it; `label` is for a legend."""
    from matplotlib.patches import Rectangle

    top, left, bottom, right = box
    style = {"fill": False, "edgecolor": colour, "linewidth": width, "label": label}
    axes.add_patch(Rectangle((left - 0.5, top - 0.5), right - left, bottom - top, zorder=4, **style))


def below(axes: Axes, lines: Sequence[tuple[str, bool]]) -> None:
    """Write lines under a picture, green if they are right and red if not."""
    for place, (text, right) in enumerate(lines):
        axes.annotate(
            text, (0.5, 0), (0, -3 - 11 * place), xycoords="axes fraction", textcoords="offset points", ha="center",
            va="top", fontsize=7.5, color=RIGHT if right else WRONG,
        )  # fmt: skip


def overlay(image: np.ndarray, heat: np.ndarray, *, strength: float = 0.5) -> np.ndarray:
    """float [H, W, 3], 0 to 1: a grey or colour picture (float 0 to 1, or uint8) under a heat map [H, W], 0 to 1."""
    from matplotlib import colormaps

    base = image.astype(np.float64) / (255 if image.dtype == np.uint8 else 1)
    if base.ndim == 2 or base.shape[2] == 1:
        base = np.repeat(base.reshape(*base.shape[:2], 1), 3, axis=2)
    tint = colormaps["jet"](np.clip(heat, 0, 1))[..., :3]
    return np.asarray((1 - strength) * base + strength * tint)


def grid(
    images: Sequence[np.ndarray], *, columns: int, titles: Sequence[str] = (), colours: str = "gray",
    limit: float | None = None, cell: float = 1.6,
) -> Figure:  # fmt: skip
    """A figure of equal cells, filled row by row; `titles` go above the pictures."""
    rows = -(-len(images) // columns)
    figure, axes = canvas(rows, columns, cell=cell)
    for index, place in enumerate(axes.ravel()):
        if index < len(images):
            title = titles[index] if index < len(titles) else ""
            show(place, images[index], title=title, colours=colours, limit=limit)
        else:
            place.axis("off")
    return figure


def png(figure: Figure, caption: str, *, dpi: int = 110) -> bytes:
    """The figure as a PNG file's bytes, with the caption close under what is drawn; empty margins are cut off."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.transforms import Bbox

    figure.set_dpi(dpi)
    renderer = FigureCanvasAgg(figure).get_renderer()
    layout = figure.get_layout_engine()
    if layout is not None:
        layout.execute(figure)
        figure.set_layout_engine("none")  # the caption is not to move what is there
    drawn = figure.get_tightbbox(renderer)  # in inches, as all that follows
    lines = _balanced(caption, int(CAPTION_WIDTH * max(drawn.width, CAPTION_LEAST)))
    width, height = figure.get_size_inches()
    middle, below = (drawn.x0 + drawn.x1) / 2 / width, (drawn.y0 - GAP) / height
    text = figure.text(middle, below, "\n".join(lines), ha="center", va="top", fontsize=9)
    words = text.get_window_extent(renderer).transformed(figure.dpi_scale_trans.inverted())
    data = BytesIO()
    figure.savefig(data, format="png", dpi=dpi, bbox_inches=Bbox.union([drawn, words]).padded(GAP))
    return data.getvalue()


def _balanced(text: str, width: int) -> list[str]:
    """As few lines of at most `width` characters as will do, and those of much the same length."""
    lines = textwrap.wrap(text, width)
    for narrower in range(width - 1, max(map(len, text.split()), default=width) - 1, -1):
        shorter = textwrap.wrap(text, narrower)
        if len(shorter) > len(lines):
            break
        lines = shorter
    return lines


def save(figure: Figure, path: str | os.PathLike[str], caption: str, *, dpi: int = 110) -> None:
    """Write the figure with its caption as a PNG file. Raises OSError."""
    write_atomically(path, png(figure, caption, dpi=dpi))


def save_animation(frames: Sequence[np.ndarray], path: str | os.PathLike[str], *, seconds: float = 0.5) -> None:
    """Write uint8 frames [H, W, 3] of one size as a looping GIF, each shown for `seconds`. Raises OSError."""
    from PIL import Image

    pictures = [Image.fromarray(frame) for frame in frames]
    data = BytesIO()
    pictures[0].save(data, "GIF", save_all=True, append_images=pictures[1:], duration=int(1000 * seconds), loop=0)
    write_atomically(path, data.getvalue())


def pixels(figure: Figure, *, dpi: int = 110) -> np.ndarray:
    """uint8 [H, W, 3]: the figure as an image, for animations."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(dpi)
    surface = FigureCanvasAgg(figure)
    surface.draw()
    return np.asarray(surface.buffer_rgba())[..., :3].copy()
