"""The board for a colour terminal: wood, lines and round stones."""

from __future__ import annotations

from rich.text import Text

from engine.diagram import last_move, star_points
from gocnn.go import BLACK, EMPTY, WHITE, Board
from gocnn.go.coords import COLUMNS

WOOD = "on #dcb35c"
LINE = f"#8f6b2c {WOOD}"
LABEL = f"#5a4012 {WOOD}"
STONE = {BLACK: f"#101010 {WOOD}", WHITE: f"#ffffff {WOOD}"}
MARK = f"bold #c02020 {WOOD}"


def picture(board: Board) -> Text:
    """The board as coloured text, one line a row; red brackets mark the last move."""
    size, stars, last = board.size, star_points(board.size), last_move(board)
    stones = board.stones
    text = Text()
    letters = f"   {' '.join(COLUMNS[:size])}    "
    text.append(f"{letters}\n", LABEL)
    for row in range(size):
        text.append(f"{size - row:2d}", LABEL)
        for col in range(size + 1):
            # The gap before each point, and one after the last, belongs to the line or the mark.
            point = row * size + col
            if col < size and point == last:
                text.append("(", MARK)
            elif col > 0 and point - 1 == last:
                text.append(")", MARK)
            else:
                text.append("─" if 0 < col < size else " ", LINE)
            if col == size:
                break
            colour = int(stones[row, col])
            if colour != EMPTY:
                text.append("●", STONE[colour])
            else:
                text.append("╋" if point in stars else _crossing(row, col, size), LINE)
        text.append(f"{size - row:<3d}\n", LABEL)
    text.append(letters, LABEL)
    return text


def _crossing(row: int, col: int, size: int) -> str:
    """Where two lines meet: a corner, an edge, or the middle of the board."""
    kind = ("┌┬┐", "├┼┤", "└┴┘")[0 if row == 0 else 2 if row == size - 1 else 1]
    return kind[0 if col == 0 else 2 if col == size - 1 else 1]
