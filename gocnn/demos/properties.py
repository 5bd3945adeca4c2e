"""The three properties of pictures that convolution and pooling live on, looked for in photographs and in Go.

A small pattern is enough to see something; the same pattern occurs in several places; and a picture made smaller still
shows the same. The first two hold in Go too, and its network uses them. The third does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from gocnn import policy, weights
from gocnn.demos import Say, Shown, hang, positions, together
from gocnn.go.board import Board
from gocnn.go.coords import gtp_to_point, point_to_gtp
from gocnn.go.core import BLACK, WHITE
from gocnn.go.drawing import draw_board
from gocnn.images import models, samples
from gocnn.visualize import drawing
from gocnn.visualize.patches import top_patches

if TYPE_CHECKING:
    from matplotlib.axes import Axes


PHOTOGRAPH, LAYER, UNIT, PATCHES = "chelsea", "fire2", 42, 6
CROSSCUT, CORNERS = "K10 K11 L11 L10 M10 J10", "Q16 D4 D16 Q4"
ANSWER = "L9"  # the network's move after them
ROWS, COLUMNS = range(-4, 5), range(-4, 5)  # lines by which the crosscut is shifted
DRAWN = ((0, 0), (-4, 4), (4, -4), (4, 4))
SURE = 0.9
GAMES, MOVES, EVERY = 8, 100, 20
DRAWN_PHOTOGRAPH, DRAWN_POSITION = "dog", 26
CORNER = {WHITE: "E19 E18 E17 A17 B17 C17 D17", BLACK: "A18 B18 C18 D18 D19"}  # around three points of eye space


@dataclass(frozen=True)
class Corner:
    """One of several corners that are the same to 2×2 max pooling: a name, and the black stone that it has more."""

    title: str
    stone: str | None


CORNERS_ALIKE = (
    Corner("two eyes: alive", "B19"),
    Corner("one eye: dead", "A19"),
    Corner("whoever plays B19 first", None),
)


def make(out: Path, say: Say) -> Shown:
    go, photographs = policy.load(weights.default()), models.load("squeezenet")
    parts = (_patterns(out, go, photographs, say), _subsampling(out, go, photographs, say), _pooling(out, say))
    say(
        "AlphaGo does not use max pooling: how to explain this? Go has small patterns, and they occur anywhere, so\n"
        "convolution fits. But a board with lines left out, or pooled, is another position with another answer, and\n"
        "the answer is a point of the full board: a network for Go keeps every point from first layer to last."
    )
    return together(parts)


def crosscut(down: int, right: int) -> tuple[Board, int]:
    """Four corner stones and the crosscut, shifted by some lines; and the network's answer to it, shifted likewise."""
    shifted = [_moved(move, down, right) for move in (*CROSSCUT.split(), ANSWER)]
    return positions.position(f"{CORNERS} {' '.join(shifted[:-1])}"), gtp_to_point(shifted[-1], 19)


def _moved(move: str, down: int, right: int) -> str:
    return point_to_gtp(gtp_to_point(move, 19) + 19 * down + right, 19)


def _patterns(out: Path, go: nn.Module, photographs: models.Network, say: Say) -> Shown:
    """What one filter finds all over a photograph; and the crosscut in several places of the board."""
    from matplotlib.figure import Figure

    inputs, _ = photographs.prepare(samples.photograph(PHOTOGRAPH))
    top = top_patches(photographs.model, LAYER, [UNIT], [inputs[None]], count=PATCHES, per_image=PATCHES, overlap=0.0)
    shifts = [(down, right) for down in ROWS for right in COLUMNS]
    asked = [crosscut(down, right) for down, right in shifts]
    heat = positions.move_probabilities(go, [board for board, _ in asked])[:, :-1]
    right_answers = int(sum(one.argmax() == wanted for one, (_, wanted) in zip(heat, asked)))
    sure = float(np.mean([one[wanted] for one, (_, wanted) in zip(heat, asked)]))
    say(
        f"the crosscut in {len(shifts)} places: the network plays the same move in {right_answers} of them, "
        f"with a probability of {sure:.0%} on average"
    )
    figure = Figure(figsize=(12, 6.6), layout="constrained")
    left, middle, right = np.asarray(figure.subfigures(1, 3, width_ratios=(5, 1.05, 6)))
    picture, cells = left.subplots(), middle.subplots(PATCHES, 1)
    shown = photographs.restore(inputs)
    drawing.show(picture, shown, title=f"filter {UNIT} of {LAYER} fires at six places of a photograph")
    for axes, box in zip(cells, top.boxes[0]):
        drawing.frame(picture, box, width=2)
        inside = np.clip(box, 0, len(shown))
        drawing.show(axes, shown[inside[0] : inside[2], inside[1] : inside[3]])
    for axes, shift in zip(right.subplots(2, 2).ravel(), DRAWN):
        index = shifts.index(shift)
        board, best = asked[index][0], int(heat[index].argmax())
        title = f"{point_to_gtp(best, 19)}, {heat[index, best]:.0%}"
        positions.draw_heat(axes, board.stones, heat[index].reshape(19, 19), title=title, last=int(board.recent[-1]))
    caption = (
        "Two properties that photographs and Go share. A pattern is small: the filter sees no more than the squares, "
        f"{top.patches.shape[-2]}×{top.patches.shape[-1]} pixels of the cat; the crosscut is six stones. And it occurs "
        "in several places, where the same weights find it: bright, nearly level lines, be they whiskers or fur; on "
        "the right the crosscut, shifted over the board, red what the Go network would play. In "
        f"{right_answers} of {len(shifts)} places it is the same move, the capture."
    )
    numbers = {"crosscuts": {"places": len(shifts), "same move": right_answers, "mean probability": round(sure, 3)}}
    return Shown((hang(figure, out / "properties-patterns.png", caption),), numbers)


def _subsampling(out: Path, go: nn.Module, photographs: models.Network, say: Say) -> Shown:
    """Every other line left out: of photographs, and of positions of the Go network's own games."""
    said: dict[str, list[tuple[str, float]]] = {}
    for name in samples.NAMES:
        inputs = torch.from_numpy(photographs.prepare(samples.photograph(name))[0])[None]
        said[name] = [_first(photographs, one) for one in (inputs, inputs[..., ::2, ::2])]
    sure = [name for name, (full, _) in said.items() if full[1] >= SURE]
    kept = [name for name in sure if said[name][0][0] == said[name][1][0]]
    say(f"SqueezeNet is {SURE:.0%} sure of {len(sure)} of {len(said)} photographs;")
    say(f"with every other row and column left out, {len(kept)} of those are the same to it:")
    for name, (full, small) in said.items():
        say(f"  {name}: {full[0]} {full[1]:.0%}, then {small[0]} {small[1]:.0%}")

    stones = own_stones(positions.own_games(go, GAMES, MOVES, every=EVERY, seed=0))
    boards = [[positions.board_of(one) for one in of_size] for of_size in (stones, stones[:, ::2, ::2])]
    heat = [positions.move_probabilities(go, of_size, BLACK)[:, :-1] for of_size in boards]
    best = [[divmod(int(one.argmax()), board.size) for one, board in zip(*pair)] for pair in zip(heat, boards)]
    found = {
        "positions": len(stones),
        "best move's point is left": sum(row % 2 == col % 2 == 0 for row, col in best[0]),
        "same best move": sum((2 * row, 2 * col) == full for (row, col), full in zip(best[1], best[0])),
        "stones": sum(int((board.stones != 0).sum()) for board in boards[0]),
        "stones left": sum(int((board.stones != 0).sum()) for board in boards[1]),
        "with as many liberties": sum(map(_same_liberties, *boards)),
    }
    say(f"{found['positions']} positions of the Go network's own games, every other line left out:")
    for line in list(found)[1:]:
        say(f"  {line}: {found[line]}")

    figure, ((dog, small_dog), (full, small)) = drawing.canvas(2, 2, cell=4.2, wide=0.95)
    picture = photographs.restore(photographs.prepare(samples.photograph(DRAWN_PHOTOGRAPH))[0])
    for axes, one, answer in zip((dog, small_dog), (picture, picture[::2, ::2]), said[DRAWN_PHOTOGRAPH]):
        drawing.show(axes, one, title=f"{one.shape[0]}×{one.shape[1]} pixels: {answer[0]}, {answer[1]:.0%}")
    for axes, board, one in zip((full, small), (of_size[DRAWN_POSITION] for of_size in boards), heat):
        size, values = board.size, one[DRAWN_POSITION]
        title = f"{size}×{size} lines: {point_to_gtp(int(values.argmax()), size)}, {values.max():.0%}"
        positions.draw_heat(axes, board.stones, values.reshape(size, size), title=title)
    gone = found["positions"] - found["best move's point is left"]
    caption = (
        "The third property: every other row and column is left out. The dog is still a dog, to us and to SqueezeNet. "
        "The Go position (Black to move, red where the network would play) is another one: of the stones that are left "
        f"{found['with as many liberties'] / found['stones left']:.0%} have as many liberties as before, counted up to "
        f"four, and the answer is elsewhere. The best move stays in {found['same best move']} of {found['positions']} "
        f"positions; in {gone} its very point is gone."
    )
    numbers = {"photographs": {"sure": sure, "kept": kept}, "positions": found}
    return Shown((hang(figure, out / "properties-subsampling.png", caption),), numbers)


def _first(network: models.Network, inputs: torch.Tensor) -> tuple[str, float]:
    with torch.no_grad():
        sure = network.model(inputs).softmax(1)[0]
    return network.classes[int(sure.argmax())], float(sure.max())


def own_stones(planes: np.ndarray) -> np.ndarray:
    """int8 [B, N, N]: the stones in planes [B, P, N, N], +1 of the player to move."""
    return planes[:, 0] - planes[:, 1]


def _same_liberties(full: Board, small: Board) -> int:
    """How many stones have as many liberties on the board of every other line as they had; 4 stands for more."""
    before, after = np.minimum(full.liberties()[::2, ::2], 4), np.minimum(small.liberties(), 4)
    return int(((small.stones != 0) & (before == after)).sum())


def pooled(stones: np.ndarray) -> np.ndarray:
    """float [2, N // 2, N // 2]: the planes of Black's and White's stones after 2×2 max pooling."""
    planes = np.stack([stones == BLACK, stones == WHITE]).astype(np.float32)
    return np.asarray(nn.functional.max_pool2d(torch.from_numpy(planes), 2).numpy())


def corner(extra: str | None) -> Board:
    """The walls of `CORNER` and one more black stone."""
    board = Board(19)
    for colour, points in CORNER.items():
        for point in points.split():
            board.setup([gtp_to_point(point, 19)], [colour])
    if extra:
        board.setup([gtp_to_point(extra, 19)], [BLACK])
    return board


def lives(board: Board) -> bool:
    """Whether Black's corner lives even if he never plays there again (Benson's algorithm)."""
    return bool(board.pass_alive(BLACK).ravel()[gtp_to_point("A18", 19)])


def _pooling(out: Path, say: Say) -> Shown:
    """Three corners, of which one lives, one is dead and one is open, and that max pooling cannot tell apart."""
    boards = [corner(one.stone) for one in CORNERS_ALIKE]
    planes = [pooled(board.stones) for board in boards]
    same = all(np.array_equal(one, planes[0]) for one in planes)
    alive = [lives(board) for board in boards]
    say(f"three corners, the same after 2×2 max pooling: {same}; alive as they stand: {alive}")
    figure, (cells,) = drawing.canvas(1, 4, cell=3.2)
    for axes, board, one in zip(cells, boards, CORNERS_ALIKE):
        draw_board(axes, board.stones)
        _blocks(axes)
        axes.set_title(one.title, fontsize=10)
        axes.set(xlim=(-0.6, 5.6), ylim=(5.6, -0.6))
    _draw_pooled(cells[3], planes[0])
    cells[3].set_title("all three after 2×2 max pooling", fontsize=10)
    caption = (
        "Why no max pooling: three corners that differ by one black stone within a 2×2 block (dashed). With two eyes "
        "Black lives for good; with one he is dead; and in the third it hangs on who plays B19 first. Max pooling says "
        "of each block only whether there is a black and a white stone in it: to it the three are one."
    )
    numbers = {"corners": {"same when pooled": same, "alive": alive}}
    return Shown((hang(figure, out / "properties-pooling.png", caption),), numbers)


def _blocks(axes: Axes) -> None:
    for edge in (1.5, 3.5):
        axes.axhline(edge, color="tab:red", linestyle="--", linewidth=1.2, zorder=2)
        axes.axvline(edge, color="tab:red", linestyle="--", linewidth=1.2, zorder=2)


def _draw_pooled(axes: Axes, planes: np.ndarray) -> None:
    """The nine blocks of the corner: a black and a white disc where a stone of that colour is anywhere in it."""
    from matplotlib.patches import Circle

    drawing.numbers(axes, np.zeros((3, 3)), shown=np.zeros((3, 3), bool))
    for row in range(3):
        for col in range(3):
            for plane, (face, aside) in enumerate((("black", -0.2), ("white", 0.2))):
                if planes[plane, row, col]:
                    disc = Circle((col + aside, row), 0.17, facecolor=face, edgecolor="black", linewidth=0.8)
                    axes.add_patch(disc)
