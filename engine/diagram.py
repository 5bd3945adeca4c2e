"""The board as plain text, with coordinates."""

from __future__ import annotations

from gocnn.go import BLACK, WHITE, Board
from gocnn.go.coords import COLUMNS
from gocnn.go.handicap import fixed_handicap, max_fixed_handicap

SYMBOLS = {BLACK: "X", WHITE: "O"}


def star_points(size: int) -> set[int]:
    """The points with a dot on a printed board: those of the fixed handicap."""
    most = max_fixed_handicap(size)
    return set(fixed_handicap(size, most)) if most else set()


def last_move(board: Board) -> int | None:
    """The point of the last move on the board; None after a pass or a set-up."""
    moves = board.moves
    return moves[-1][1] if moves and moves[-1][1] != board.pass_point else None


def diagram(board: Board) -> str:
    """Rows from the top: X black, O white, + a star point; brackets mark the last move."""
    size, stars, last = board.size, star_points(board.size), last_move(board)
    stones = board.stones
    letters = "   " + " ".join(COLUMNS[:size])
    lines = [letters]
    for row in range(size):
        line = f"{size - row:2d}"
        for col in range(size):
            point = row * size + col
            gap = " "
            if last is not None and row == last // size:
                gap = {last: "(", last + 1: ")"}.get(point, " ")
            line += gap + SYMBOLS.get(int(stones[row, col]), "+" if point in stars else ".")
        end = ")" if last == row * size + size - 1 else " "
        lines.append(f"{line}{end}{size - row:<2d}".rstrip())
    lines.append(letters)
    return "\n".join(lines)
