"""The networks layer by layer: their tables, and a picture of how the view grows from layer to layer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from gocnn import policy, weights
from gocnn.demos import Say, Shown, hang, positions
from gocnn.go.drawing import WOOD, draw_board
from gocnn.images import datasets, pictures, samples
from gocnn.images.lecture import LectureNet
from gocnn.images.squeezenet import INPUT_SHAPE, SqueezeNet
from gocnn.visualize import drawing
from gocnn.visualize.layer_table import Row, layer_table, table_text
from gocnn.visualize.receptive import receptive_fields

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DIGIT = 2  # the class whose first shipped image is shown
PHOTOGRAPH = "chelsea"


@dataclass(frozen=True)
class _View:
    """A network and what is drawn of it: layers whose fields are nested, and the place of the last one's map."""

    title: str
    model: nn.Module
    shape: tuple[int, int, int]
    rows: tuple[str, ...]  # of the table; all that have parameters or change the shape if none are named
    layers: tuple[str, ...]  # of the picture


def views() -> dict[str, _View]:
    go = policy.load(weights.default())
    blocks = [f"blocks.{n}" for n in range(go.config.blocks)]
    fires = [f"fire{n}" for n in range(2, 10)]
    squeezenet = ["conv1", "pool1", *fires[:2], "pool3", *fires[2:4], "pool5", *fires[4:], "conv10", "average"]
    return {
        "lecture": _View(
            "the lecture's network", LectureNet(), (1, 28, 28), (),
            ("conv1.conv", "conv1.pool", "conv2.conv", "conv2.pool"),
        ),
        "go": _View(
            "the Go network", go, (go.config.input_planes, 19, 19), ("stem", *blocks, "norm", "head", "value"),
            ("stem", *blocks),
        ),
        "squeezenet": _View(
            "SqueezeNet 1.1", SqueezeNet(), INPUT_SHAPE, tuple(squeezenet),
            ("conv1", "pool1", "fire3", "pool3", "fire5", "pool5", "fire7", "fire9"),
        ),
    }  # fmt: skip


def make(out: Path, say: Say) -> Shown:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 5.5), layout="constrained")
    numbers = {}
    for (name, view), axes in zip(views().items(), figure.subplots(1, 3)):
        rows = layer_table(view.model, view.shape, view.rows)
        say(f"{view.title}\n{table_text(rows)}\n")
        numbers[name] = [_as_json(row) for row in rows]
        _background(axes, name)
        _nest(axes, view)
    caption = (
        "What one place near the middle of a layer's map sees, from the first layer (dark) to the last (yellow). In "
        f"the lecture's network it is {_field(numbers, 'lecture', 'conv1.conv')} pixels of the digit, and in the end "
        f"{_field(numbers, 'lecture', 'conv2.pool')}. The Go network begins with {_field(numbers, 'go', 'stem')} "
        f"points, every block adds four, and in the end it is {_field(numbers, 'go', 'norm')}, far over the "
        "board's edge; no layer pools. SqueezeNet pools three times, so that its view grows ever faster, to "
        f"{_field(numbers, 'squeezenet', 'fire9')} pixels."
    )
    return Shown((hang(figure, out / "shapes.png", caption),), numbers)


def _field(numbers: dict[str, list[list[Any]]], network: str, layer: str) -> str:
    sizes = {row[0]: row[-1] for row in numbers[network]}
    return "×".join(map(str, sizes[layer]))


def _as_json(row: Row) -> list[Any]:
    """Layer, output in the lecture's order (rows, columns, channels), parameters, those of a filter, and field."""
    shape = row.shape and [*row.shape[1:], row.shape[0]]
    return [row.layer, shape, row.parameters, row.per_filter, row.field and list(row.field)]


def _background(axes: Axes, name: str) -> None:
    from matplotlib.colors import to_rgb

    if name == "lecture":
        images, labels = datasets.shipped("digits")
        drawing.show(axes, 255 - images[int(np.argmax(labels == DIGIT))])
        drawing.frame(axes, (0, 0, 28, 28), colour="0.7", width=0.8)
    elif name == "go":
        drawing.show(axes, np.full((19, 19, 3), to_rgb(WOOD)))
        draw_board(axes, positions.position(positions.FIGHT).stones)
    else:
        drawing.show(axes, pictures.crop(samples.photograph(PHOTOGRAPH)))


def _nest(axes: Axes, view: _View) -> None:
    """The field of each layer's place whose field is nearest to the middle of the image."""
    from matplotlib import colormaps

    fields = receptive_fields(view.model, view.shape)
    for row, layer in enumerate(view.layers):
        field = fields[layer]
        middle = ((side - size) / 2 for side, size in zip(view.shape[1:], field.size))
        place = [round((wanted - start) / step) for wanted, start, step in zip(middle, field.start, field.step)]
        shade = colormaps["plasma"](row / (len(view.layers) - 0.5))
        label = f"{layer}: {field.size[0]}×{field.size[1]}"
        drawing.frame(axes, field.box(place[0], place[1]), colour=shade, width=2, label=label)
    side = view.shape[1]
    edge = max(0.0, (max(fields[layer].size[0] for layer in view.layers) - side) / 2 + 0.5)
    axes.set(xlim=(-1 - edge, side + edge), ylim=(side + edge, -1 - edge), aspect="equal")
    axes.set_axis_off()
    axes.set_title(view.title, fontsize=10)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=2, fontsize=8, frameon=False)
