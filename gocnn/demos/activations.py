"""What the filters of the trained networks find: their maps of a digit and of two Go positions, and the image patches
that excite single units most."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from gocnn import policy, weights
from gocnn.demos import Say, Shown, hang, positions, together
from gocnn.go.board import Board
from gocnn.go.coords import point_to_gtp
from gocnn.images import datasets, models
from gocnn.visualize import drawing
from gocnn.visualize.activations import activations
from gocnn.visualize.patches import TopPatches, top_patches

DIGIT = 7  # the class whose first shipped image is shown
UNITS, PATCHES = 6, 8  # rows and columns of the sheets of patches
GO_LAYERS = ("stem", "blocks.1", "blocks.4")  # whose maps are drawn
GO_LAYER = "blocks.0"  # whose best patches are
GAMES, MOVES, EVERY = 12, 120, 10


def make(out: Path, say: Say) -> Shown:
    images, labels = datasets.shipped("digits")
    network = models.load("digits")
    inputs = torch.from_numpy(images[:, None]).float() / 255
    go = policy.load(weights.default())
    parts = (
        _maps_of_a_digit(out, network.model, inputs[int(np.argmax(labels == DIGIT))]),
        _digit_patches(out, network.model, inputs, labels, say),
        _maps_of_positions(out, go, say),
        _go_patches(out, go, say),
    )
    return together(parts)


def _maps_of_a_digit(out: Path, model: nn.Module, image: torch.Tensor) -> Shown:
    """The digit, the 25 maps of the first layer and the 50 of the second, each layer on one scale."""
    from matplotlib.figure import Figure

    shares = {}
    figure = Figure(figsize=(11, 3.7), layout="constrained")
    left, middle, right = np.asarray(figure.subfigures(1, 3, width_ratios=(2, 5, 8)))
    drawing.show(left.subplots(), image[0].numpy(), title="the digit")
    for part, layer, rows, columns in ((middle, "conv1", 5, 5), (right, "conv2", 5, 10)):
        maps = activations(model, layer, image[None])[0]
        shares[layer] = round(float((maps > 0).mean()), 3)
        part.suptitle(f"{layer}: {len(maps)} maps of {maps.shape[1]}×{maps.shape[2]}", fontsize=9)
        for axes, one in zip(part.subplots(rows, columns).ravel(), maps):
            axes.imshow(one, cmap=drawing.SEQUENTIAL, vmin=0, vmax=maps.max(), interpolation="nearest")
            axes.set_axis_off()
    caption = (
        "A digit and what the two convolutional layers make of it, after ReLU and pooling; each layer on one scale, "
        "black is nothing. In the first layer one still sees the digit, once by its upper edges, once by its slopes: "
        "each filter passes on strokes of one direction. In the second a map says only where a larger part was found: "
        f"{shares['conv2']:.0%} of its values are above zero."
    )
    return Shown((hang(figure, out / "activations-digit.png", caption),), {"above zero": shares})


def _digit_patches(out: Path, model: nn.Module, inputs: torch.Tensor, labels: np.ndarray, say: Say) -> Shown:
    """For several filters of the second layer the digits that excite them most, with the exact receptive field."""
    units = _varied(activations(model, "conv2", inputs).max((2, 3)))
    top = top_patches(model, "conv2", units, inputs.split(100), count=PATCHES)
    figure, cells = drawing.canvas(UNITS, PATCHES, cell=1.25)
    for row, unit in enumerate(units):
        for k, axes in enumerate(cells[row]):
            drawing.show(axes, inputs[top.images[row, k], 0].numpy(), title=f"{top.values[row, k]:.2f}")
            drawing.frame(axes, top.boxes[row, k])
        cells[row, 0].set_ylabel(f"filter {unit}", fontsize=9)
        say(f"conv2 filter {unit}: {_row(top, row, labels)}")
    size = top.boxes[0, 0, 2] - top.boxes[0, 0, 0]
    caption = (
        f"Six filters of the second layer, and the {PATCHES} of {len(inputs)} digits that excite each most. The red "
        f"square is the receptive field, just the {size}×{size} pixels that the activation above the picture depends "
        "on. A row shows one part, as a rule of digits of several classes: a corner, a bend, a small loop."
    )
    numbers = {str(unit): [round(float(v), 2) for v in values] for unit, values in zip(units, top.values)}
    exhibit = hang(figure, out / "activations-patches.png", caption)
    return Shown((exhibit,), {"digit patches": numbers, "field": int(size)})


def _varied(peaks: np.ndarray) -> list[int]:
    """Of [images, filters] peaks: filters that stand out in a few images, those with the highest peak to mean."""
    contrast = (np.sort(peaks, 0)[-PATCHES] - peaks.mean(0)) / (peaks.std(0) + 1e-9) * (peaks.max(0) > 0)
    return sorted(int(unit) for unit in np.argsort(-contrast, kind="stable")[:UNITS])


def _row(top: TopPatches, row: int, labels: np.ndarray) -> str:
    digits = " ".join(str(labels[image]) for image in top.images[row])
    return f"activations {top.values[row, 0]:.2f} to {top.values[row, -1]:.2f}, in the digits {digits}"


def _maps_of_positions(out: Path, model: nn.Module, say: Say) -> Shown:
    """An opening and a fight: the board with the network's move, and a map of each of several layers over the board."""
    boards = [positions.position(played) for played in (positions.OPENING, positions.FIGHT)]
    planes = np.stack([positions.planes(model, board) for board in boards])
    bare = positions.planes(model, Board(19))[None]
    empty = np.stack([board.stones == 0 for board in boards])
    sure = positions.move_probabilities(model, boards)[:, :-1]
    figure, cells = drawing.canvas(2, 1 + len(GO_LAYERS), cell=3.0)
    moves = {}
    for row, (name, board) in enumerate(zip(("opening", "fight"), boards)):
        best = int(sure[row].argmax())
        moves[name] = [point_to_gtp(best, 19), round(float(sure[row, best]), 3)]
        say(f"{name}: Black to move, the network plays {moves[name][0]} ({moves[name][1]:.1%})")
        heat, title = sure[row].reshape(19, 19), f"{name}: {moves[name][0]}, {moves[name][1]:.0%}"
        positions.draw_heat(cells[row, 0], board.stones, heat, title=title, last=int(board.recent[-1]))
    for column, layer in enumerate(GO_LAYERS, 1):
        maps = activations(model, layer, planes) - activations(model, layer, bare)  # [2, K, 19, 19]
        unit = int(np.prod([one[:, free].std(1) for one, free in zip(maps, empty)], axis=0).argmax())
        for row, board in enumerate(boards):
            axes, title = cells[row, column], f"{layer}, filter {unit}"
            positions.draw_heat(axes, board.stones, maps[row, unit], title=title, last=int(board.recent[-1]))
    caption = (
        "The Go network on an opening and on a fight, Black to move. First column: where it would play. Then a filter "
        "each of the first layer, the second block and the fifth, the one with most to say of empty points: its map, "
        "less that of an empty board, red above and blue below. The further in, the wider the view."
    )
    return Shown((hang(figure, out / "activations-go.png", caption),), {"moves": moves})


def _go_patches(out: Path, model: nn.Module, say: Say) -> Shown:
    """For several filters of the Go network, the places in its own games that excite them most, one a game."""
    seen = positions.own_games(model, GAMES, MOVES, every=EVERY, seed=0)
    units = _varied(activations(model, GO_LAYER, seen).max((2, 3)))
    top = top_patches(model, GO_LAYER, units, np.array_split(seen, MOVES // EVERY), count=len(seen))
    figure, cells = drawing.canvas(UNITS, PATCHES, cell=1.4)
    numbers = {}
    for row, unit in enumerate(units):
        # A shape stays on the board for many moves: of each game its strongest hit only.
        first = np.sort(np.unique(top.images[row] % GAMES, return_index=True)[1])[:PATCHES]
        numbers[str(unit)] = [round(float(top.values[row, k]), 2) for k in first]
        for k, axes in zip(first, cells[row]):
            positions.draw_patch(axes, top.patches[row, k], title=f"{top.values[row, k]:.1f}")
        cells[row, 0].set_ylabel(f"filter {unit}", fontsize=9)
    size = top.patches.shape[-1]
    say(f"{GO_LAYER}: {len(seen)} positions of the network's own games, receptive field {size}×{size}")
    caption = (
        f"Six filters of the Go network's first block, and the places in {len(seen)} positions of {GAMES} of its own "
        "games that excite each most, one a game; Black is to move. A patch is the exact receptive field, the "
        f"{size}×{size} points around the red dot, under its activation; white is beyond the board's edge."
    )
    exhibit = hang(figure, out / "activations-go-patches.png", caption)
    return Shown((exhibit,), {"go patches": numbers, "go field": int(size)})
