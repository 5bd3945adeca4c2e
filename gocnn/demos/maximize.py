"""What single units would like to see: filters, neurons and outputs of the network that reads digits, and the stones
that would make the Go network play somewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import nn

from gocnn import policy, weights
from gocnn.demos import Say, Shown, hang, positions, together
from gocnn.go.board import Board
from gocnn.go.coords import gtp_to_point
from gocnn.go.core import BLACK, WHITE
from gocnn.images import models
from gocnn.visualize import drawing
from gocnn.visualize.maximize import Ascent, maximize

TEXTURES = Ascent(steps=150, rate=0.05, start=0.5, noise=0.5, low=0, high=1)
TARGETS = ("K10", "R14", "T10", "T1")  # the centre, a side, its edge, and a corner, where hardly anybody plays
REACH, STONES, BEAM = 2, 7, 8  # how far from the target, how many stones, how many positions go on


def make(out: Path, say: Say) -> Shown:
    digits = models.load("digits").model
    go = policy.load(weights.default())
    parts = (_filters(out, digits), _neurons(out, digits, say), _go(out, go, say))
    return together(parts)


def _filters(out: Path, model: nn.Module) -> Shown:
    """For each filter of both convolutional layers the picture that maximises the sum of its map."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.0), layout="constrained")
    counts = {}
    left, right = np.asarray(figure.subfigures(1, 2, width_ratios=(5, 10)))
    for part, layer, rows, columns in ((left, "conv1", 5, 5), (right, "conv2", 5, 10)):
        # After the ReLU: the sum of a plain convolution's map is linear in the input, and its maximum a blank sheet.
        units = np.arange(rows * columns)
        found = maximize(model, (1, 28, 28), units.tolist(), layer=f"{layer}.activation", ascent=TEXTURES)
        images, silent = found.images, units[found.activations == 0]
        if len(silent):  # noise did not excite them, so there was nothing to climb
            before = maximize(model, (1, 28, 28), silent.tolist(), layer=f"{layer}.conv", ascent=TEXTURES)
            images[silent] = before.images
        part.suptitle(f"{layer}: {rows * columns} filters", fontsize=9)
        for axes, image in zip(part.subplots(rows, columns).ravel(), images):
            drawing.show(axes, np.stack([image[0]] * 3, axis=-1))  # as grey of 0 to 1, not of its own range
        counts[layer] = len(units) - len(silent)
    caption = (
        "The picture that each filter would like best: gradient ascent on the sum of its map, a_k, from noise, with "
        "ink between 0 and 1. Filters of the first layer want a blank sheet, or stripes of one direction; those of the "
        "second, textures. They repeat all over the picture, since a filter looks for the same thing everywhere. "
        "(Of filters that the noise leaves silent, the map before the ReLU is climbed.)"
    )
    return Shown((hang(figure, out / "maximize-filters.png", caption),), {"filters that noise excites": counts})


def _neurons(out: Path, model: nn.Module, say: Say) -> Shown:
    """The same for neurons of the fully-connected layer, and for the ten outputs."""
    neurons = maximize(model, (1, 28, 28), range(20), layer="hidden", ascent=TEXTURES)
    digits = maximize(model, (1, 28, 28), range(10), ascent=TEXTURES)
    images = [image[0] for image in (*neurons.images, *digits.images)]
    titles = [f"neuron {k}: {value:.1f}" for k, value in enumerate(neurons.activations)]
    titles += [f"“{k}”: {value:.1f}" for k, value in enumerate(digits.activations)]
    caption = (
        "What twenty neurons of the fully-connected layer would like best, and in the last row the ten outputs, each "
        "with the value that it reaches. No texture any more: a neuron sees the whole picture, and wants different "
        "things in different places. The noise along the right and the lower edge is the start's, out of sight: "
        "pooling by 2 leaves out the last row and column of 11×11 maps."
    )
    say(f"neurons reach {neurons.activations.min():.1f} to {neurons.activations.max():.1f}")
    figure = drawing.grid(images, columns=10, titles=titles, cell=1.15)
    numbers = {"neurons": _rounded(neurons.activations), "logits": _rounded(digits.activations)}
    return Shown((hang(figure, out / "maximize-neurons.png", caption),), numbers)


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(value), 2) for value in values]


def persuade(model: nn.Module, target: int, size: int = 19) -> tuple[Board, list[float]]:
    """Put stones around a point, so that Black would play there: the board, and the probabilities stone by stone.

    A beam search instead of gradient ascent, so that every step is a position of the game. Each stone is a legal move
    of either colour within `REACH` of the target; after each the `BEAM` positions are kept in which Black's move there
    is likeliest. The first probability is that on the empty board; the search ends with the likeliest position of all.
    """
    row, col = divmod(target, size)
    near = [
        r * size + c
        for r in range(max(row - REACH, 0), min(row + REACH + 1, size))
        for c in range(max(col - REACH, 0), min(col + REACH + 1, size))
        if r * size + c != target
    ]
    empty = Board(size)
    beam = [(empty, [float(positions.move_probabilities(model, [empty], BLACK)[0, target])])]
    best = beam[0]
    for _ in range(STONES):
        tried: dict[bytes, tuple[Board, list[float]]] = {}
        for board, reached in beam:
            for point, colour in ((point, colour) for point in near for colour in (BLACK, WHITE)):
                if board.is_legal(colour, point):
                    other = board.copy()
                    other.play(colour, point)
                    if other.is_legal(BLACK, target):
                        tried[positions.planes(model, other, BLACK).tobytes()] = other, reached
        if not tried:
            break
        chances = positions.move_probabilities(model, [board for board, _ in tried.values()], BLACK)[:, target]
        beam = [(board, [*reached, float(p)]) for (board, reached), p in zip(tried.values(), chances)]
        beam = sorted(beam, key=lambda found: -found[1][-1])[:BEAM]
        best = max(best, *beam, key=lambda found: found[1][-1])
    return best


def _go(out: Path, model: nn.Module, say: Say) -> Shown:
    """For four points: the stones that make the network play there, and what gradient ascent on the planes finds."""
    points = [gtp_to_point(name, 19) for name in TARGETS]
    planes = int(positions.planes(model, Board(19)).shape[0])
    ascent = Ascent(steps=40, rate=0.05, low=0, high=1, noise=0.02)
    dreamt = maximize(model, (planes, 19, 19), points, objective="log probability", ascent=ascent)
    assert dreamt.probabilities is not None  # the units are the network's outputs
    figure, cells = drawing.canvas(2, len(points), cell=3.0)
    numbers = {}
    for column, (name, point) in enumerate(zip(TARGETS, points)):
        board, reached = persuade(model, point)
        stones = len(reached) - 1
        say(f"{name}: {reached[0]:.2%} on the empty board, {reached[-1]:.1%} with {stones} stones")
        there, title = np.eye(361)[point].reshape(19, 19), f"{name}: {reached[0]:.2%} → {reached[-1]:.1%}"
        positions.draw_heat(cells[0, column], board.stones, there, title=title)
        image, sure = dreamt.images[column], float(dreamt.probabilities[column])
        nothing = np.zeros((19, 19), np.int8)
        positions.draw_heat(cells[1, column], nothing, image[0] - image[1], title=f"{name}: {sure:.2%}")
        numbers[name] = {
            "empty": round(reached[0], 5),
            "persuaded": round(reached[-1], 4),
            "stones": stones,
            "gradient ascent": round(sure, 4),
            "points with both colours": int(((image[0] > 0.1) & (image[1] > 0.1)).sum()),
        }
    both = sum(found["points with both colours"] for found in numbers.values())
    caption = (
        f"What makes the Go network play on the red square as Black? Above: {STONES} stones at most, found by search, "
        "legal at every step; the probability on the empty board, and with them. Below: what gradient ascent on the "
        "planes finds, own stones red, the opponent's blue. The network is surer still, of what is no position: on "
        f"{both} points of these four boards stand stones of both colours."
    )
    return Shown((hang(figure, out / "maximize-go.png", caption),), {"go": numbers})
