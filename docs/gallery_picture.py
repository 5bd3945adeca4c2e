"""Draw docs/images/gallery.png anew: the lecture's demonstrations on one sheet, from the networks that ship.

python docs/gallery_picture.py
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from gocnn import policy, weights
from gocnn.atomic import write_atomically
from gocnn.demos import evidence, fooled, positions
from gocnn.demos import filters as first_layers
from gocnn.go.board import Board
from gocnn.go.coords import point_to_gtp
from gocnn.images import models, sparse
from gocnn.visualize import drawing
from gocnn.visualize.activations import activations
from gocnn.visualize.filters import filters
from gocnn.visualize.gradcam import enlarged, gradcam

LAYER, BLOCK = "fire9", "blocks.1"  # of SqueezeNet for Grad-CAM, of the Go network for a map
DIGITS = (0, 2, 3, 5, 8)
DPI = 92  # 1,012 pixels across; the file must stay below 400 KB


def sheet() -> Figure:
    figure = Figure(figsize=(11, 6.4), layout="constrained")
    above, below = np.asarray(figure.subfigures(2, 1, height_ratios=(1.12, 1), hspace=0.04))
    left, right = np.asarray(above.subfigures(1, 2, width_ratios=(1.2, 1), wspace=0.03))
    axes = left.subplots()
    drawing.show(axes, first_layers.sheet(filters(sparse.load(), "conv1", scale="own", order="colour"), 12))
    axes.axis("off")
    left.suptitle("what a first layer learns from photographs", fontsize=10)
    _digits(right)
    places = below.subplots(1, 4)
    _photograph(places[:2])
    _board(places[2:])
    return figure


def _digits(part: Any) -> None:
    part.suptitle("digits that a network imagines: unconstrained (above) and with L2", fontsize=10)
    places = part.subplots(2, len(DIGITS))
    for row, panel in zip(places, ("none", "l2")):
        found = fooled.imagine(panel)
        assert found.probabilities is not None
        for axes, digit in zip(row, DIGITS):
            drawing.show(axes, found.images[digit, 0], title=f"{digit}: {found.probabilities[digit]:.1%}")


def _photograph(places: np.ndarray) -> None:
    network = models.load("squeezenet")
    image = evidence.read(network, "dog")[None]
    answers = evidence.probabilities(network.model, image)[0]
    picture = network.restore(image[0])
    found = enlarged(gradcam(network.model, LAYER, image, int(answers.argmax())), *image.shape[2:])[0]
    drawing.show(places[0], picture, title=evidence.says(network, answers))
    drawing.show(places[1], drawing.overlay(picture, evidence.heat(found)), title="where that comes from (Grad-CAM)")


def _board(places: np.ndarray) -> None:
    go = policy.load(weights.default())
    board = positions.position(positions.FIGHT)
    planes = positions.planes(go, board)[None]
    sure = positions.move_probabilities(go, [board])[0, :-1]
    best, last = int(sure.argmax()), int(board.recent[-1])
    title = f"the Go network: {point_to_gtp(best, 19)}, {sure[best]:.0%}"
    positions.draw_heat(places[0], board.stones, sure.reshape(19, 19), title=title, last=last)
    bare = positions.planes(go, Board(19))[None]
    maps = (activations(go, BLOCK, planes) - activations(go, BLOCK, bare))[0]
    unit = int(maps[:, board.stones == 0].std(1).argmax())
    positions.draw_heat(places[1], board.stones, maps[unit], title="what one of its filters finds", last=last)


if __name__ == "__main__":
    images = Path(__file__).parent / "images"
    images.mkdir(exist_ok=True)
    data = BytesIO()
    Image.fromarray(drawing.pixels(sheet(), dpi=DPI)).save(data, "PNG", optimize=True)
    write_atomically(images / "gallery.png", data.getvalue())
