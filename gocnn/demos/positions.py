"""Go positions for the demos, and boards drawn with heat on them. The network's planes are the image that it sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from gocnn.demos.evidence import probabilities
from gocnn.go.board import Board
from gocnn.go.coords import gtp_to_point
from gocnn.go.drawing import WOOD, draw_board
from gocnn.go.planes import PLANE_SETS, of_board
from gocnn.visualize import drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OPENING = "Q16 D4 D16 Q4 C6 F3"  # Black to move, after an approach to a corner and its answer
FIGHT = "Q16 D4 D16 Q4 K10 K11 L11 L10 M10 J10"  # a crosscut; K10 is in atari, and so is L10


def position(moves: str, size: int = 19) -> Board:
    """The board after moves in GTP's letters, Black first, the colours in turn. Raises ValueError for a wrong one."""
    board = Board(size)
    for move in moves.split():
        board.play(board.to_move, gtp_to_point(move, size))
    return board


def board_of(stones: np.ndarray) -> Board:
    """The position of int8 [N, N] stones, without its history."""
    board = Board(len(stones))
    points = np.flatnonzero(stones)
    board.setup(points.tolist(), stones.ravel()[points].tolist())
    return board


def planes(model: nn.Module, board: Board, to_move: int | None = None) -> np.ndarray:
    """int8 [P, N, N]: what a policy network sees of the board."""
    config: Any = model.config
    return of_board(board, PLANE_SETS[config.planes], to_move)


def move_probabilities(model: nn.Module, boards: Sequence[Board], to_move: int | None = None) -> np.ndarray:
    """float32 [B, N*N + 1]: a Go network's probability of each point, and of the pass, on boards of one size."""
    seen = np.stack([planes(model, board, to_move) for board in boards])
    return probabilities(model, seen.astype(np.float32))


def own_games(model: nn.Module, games: int, moves: int, *, every: int, seed: int) -> np.ndarray:
    """Positions of games that the network plays against itself: int8 [moves // every * games, P, 19, 19].

    Each move is drawn by the network's own probabilities among the legal points; every `every`-th position of each game
    is kept, so that number i is of game i % games.
    """
    random = np.random.default_rng(seed)
    boards = [Board(19) for _ in range(games)]
    kept = []
    for number in range(1, moves + 1):
        seen = np.stack([planes(model, board) for board in boards])
        if number % every == 0:
            kept.append(seen)
        priors = probabilities(model, seen.astype(np.float32))[:, :-1].astype(np.float64)
        for board, prior in zip(boards, priors):
            legal = prior * board.legal_mask(board.to_move)[: prior.size]
            point = random.choice(prior.size, p=legal / legal.sum()) if legal.any() else board.pass_point
            board.play(board.to_move, int(point))
    return np.concatenate(kept)


def draw_heat(axes: Axes, stones: np.ndarray, heat: np.ndarray, *, title: str = "", last: int | None = None) -> None:
    """A board, int8 [N, N], with a value on every point, float [N, N]: red above zero, blue below."""
    draw_board(axes, stones, last=last)
    tint(axes, heat, float(np.abs(heat).max()) or 1.0)
    _bare(axes, title)


def tint(axes: Axes, heat: np.ndarray, limit: float) -> None:
    """Lay a value on every point of a drawn board, float [N, N], from -limit to +limit; zero is transparent."""
    opaque = np.minimum(1, np.abs(heat) / limit * 1.5)
    axes.imshow(heat, cmap=drawing.DIVERGING, vmin=-limit, vmax=limit, alpha=opaque, zorder=2.5)
    size = len(heat)
    axes.set(xlim=(-0.7, size - 0.3), ylim=(size - 0.3, -0.7))


def mark(axes: Axes, point: int) -> None:
    """A green ring around a point of 19x19."""
    from matplotlib.patches import Circle

    ring = Circle((point % 19, point // 19), 0.5, fill=False, edgecolor="#00a040", linewidth=2, zorder=5)
    axes.add_patch(ring)


def planes_without(model: nn.Module, board: Board, point: int) -> np.ndarray:
    """int8 [P, N, N]: what a policy network would see if one stone, and the move that put it there, had never been.

    Liberties and all that follows from the stones are counted anew; the other moves of the game stay known.
    """
    seen = planes(model, board)
    stones = board.stones.copy()
    stones.ravel()[point] = 0
    changed = planes(model, board_of(stones), board.to_move)
    config: Any = model.config
    for index, name in enumerate(PLANE_SETS[config.planes].planes):
        if name == "last move" or name.endswith("moves ago"):
            changed[index] = seen[index]
            changed[index].ravel()[point] = 0
    return changed


def draw_on_stones(axes: Axes, stones: np.ndarray, labels: dict[int, str], heat: dict[int, float]) -> None:
    """A board with words on its stones; `heat`, 0 to 1, is how red the ring around the stone on a point is."""
    from matplotlib.patches import Circle

    draw_board(axes, stones)
    size = len(stones)
    for point, text in labels.items():
        place, ring = (point % size, point // size), heat.get(point, 0.0)
        style = {"fill": False, "edgecolor": "red", "linewidth": 3, "zorder": 3.5}
        axes.add_patch(Circle(place, 0.46, alpha=min(1.0, ring), **style))
        colour = "white" if stones.ravel()[point] == 1 else "black"
        axes.text(*place, text, color=colour, fontsize=6.5 if len(text) < 4 else 5, ha="center", va="center", zorder=4)


def draw_patch(axes: Axes, patch: np.ndarray, *, title: str = "") -> None:
    """The stones in a part of the planes, float [P, h, w], NaN beyond the board: Black is the player to move.

    A red dot marks the middle.
    """
    from matplotlib.collections import LineCollection
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Circle

    there = np.pad(~np.isnan(patch[0]), 1, constant_values=True)  # beyond the patch the board goes on
    height, width = patch.shape[1:]
    axes.imshow(np.where(there[1:-1, 1:-1, None], to_rgb(WOOD), 1.0), interpolation="nearest", zorder=0)
    lines = []
    for row, col in np.argwhere(there[1:-1, 1:-1]).tolist():
        for down, across in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            if there[row + 1 + down, col + 1 + across]:
                lines.append([(col, row), (col + across / 2, row + down / 2)])
        if patch[0, row, col] or patch[1, row, col]:
            face = "black" if patch[0, row, col] else "white"
            axes.add_patch(Circle((col, row), 0.45, facecolor=face, edgecolor="black", linewidth=0.5, zorder=3))
    axes.add_collection(LineCollection(lines, colors="black", linewidths=0.5, zorder=1))
    axes.add_patch(Circle(((width - 1) / 2, (height - 1) / 2), 0.16, color="tab:red", zorder=4))
    axes.set(xlim=(-0.6, width - 0.4), ylim=(height - 0.4, -0.6), aspect="equal")
    _bare(axes, title)


def _bare(axes: Axes, title: str) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    if title:
        axes.set_title(title, fontsize=9)
