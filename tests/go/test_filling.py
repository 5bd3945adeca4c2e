"""Points that their owner has to fill once the neutral ones are filled are no territory."""

from __future__ import annotations

import pytest

from gocnn.go import BLACK, WHITE, Board
from gocnn.go.coords import gtp_to_point, point_to_gtp
from gocnn.go.counting import Count, count, settle

# With White on F5, Black's two stones have C5 for their last liberty.
IN_ATARI_IN_THE_END = """
. . X O . . . . .
. . X O . . . . .
. . X O . . . . .
. . X O O O O . .
. X . X X . O . .
. . X O O O O . .
. . X O . . . . .
. . X O . . . . .
. . X O . . . . .
"""

# Black connects at D6, which is as good as F5 to him and worth nothing.
CONNECTED_BY_A_NEUTRAL_POINT = IN_ATARI_IN_THE_END.replace(". . X O O O O . .\n. X", ". . X . O O O . .\n. X")

# White's two stones on D7 and E7 are dead, and taken before they cut anything off.
DEAD_STONES_BESIDE = """
. . X X X X O . .
. X . . . X O . .
. X . O O X O . .
. . X X X X O . .
. X . X X . O . .
. . X O O O O . .
. . X O . . . . .
. . X O . . . . .
. . X O . . . . .
"""

# C5 and E5 both hold Black's stones together: with C5 filled those on D5 are still in atari.
ONE_AFTER_THE_OTHER = """
. . X O . . . . .
. . X O . . . . .
. . X O O O . . .
. . X O X O O . .
. X . X . X . O .
. . X O X O O . .
. . X O O O . . .
. . X O . . . . .
. . X O . . . . .
"""


def filled(board: Board, found: Count) -> set[str]:
    return {point_to_gtp(point, board.size) for point in found.to_fill.ravel().nonzero()[0].tolist()}


def swapped(text: str) -> str:
    return text.translate(str.maketrans("XO", "OX"))


@pytest.mark.parametrize("colour", [BLACK, WHITE])
def test_the_last_liberty_is_filled_and_no_territory(colour: int) -> None:
    board = Board.from_ascii(IN_ATARI_IN_THE_END if colour == BLACK else swapped(IN_ATARI_IN_THE_END))
    found = settle(board)
    assert filled(board, found) == {"C5"}
    assert found.open_points == 1
    assert found.territory(board.prisoners) == colour * (17 - 36)
    assert found.area == colour * (17 + 11 + 1 - 36 - 15)  # whoever fills it, the point is his by area
    board.play(-colour, gtp_to_point("F5", 9))
    board.play(colour, gtp_to_point("C5", 9))
    after = settle(board)
    assert filled(board, after) == set()
    assert after.territory(board.prisoners) == found.territory(board.prisoners)


@pytest.mark.parametrize("text", [CONNECTED_BY_A_NEUTRAL_POINT, DEAD_STONES_BESIDE])
def test_what_can_be_connected_or_takes_stones_needs_no_filling(text: str) -> None:
    board = Board.from_ascii(text)
    assert filled(board, settle(board)) == set()


def test_a_chain_that_was_connected_may_have_to_be_connected_again() -> None:
    board = Board.from_ascii(ONE_AFTER_THE_OTHER)
    found = count(board, board.stones)  # all stones alive
    assert filled(board, found) == {"C5", "E5"}
