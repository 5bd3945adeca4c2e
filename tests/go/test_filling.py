"""Points that their owner has to fill once the neutral ones are filled are no territory."""

from __future__ import annotations

import numpy as np
import pytest

from gocnn.go import BLACK, WHITE, Board
from gocnn.go.coords import gtp_to_point, point_to_gtp
from gocnn.go.core import to_cell
from gocnn.go.counting import Count, settle
from gocnn.go.filling import must_fill

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

# White's stones on D6 and E6 are dead, and Black takes them rather than fill C5.
DEAD_STONES_BESIDE = """
. X . . . . X O .
. . X . . . X O .
X X X . . X X O .
. . X O O X O O .
. X . X X . O . .
. . X O O O O . .
. X X O . . . O .
. . X O . O . . .
. . X O . . . . .
"""

# Owners are given, so that rules of the filling can be seen one by one. Black's corner stone has one point, B5.
CORNER = """
X . O . .
. O O . .
O . . . .
. . . . .
. . . . .
"""

# Once B5 is filled, the corner, C5 and what lives at A3 hang together: D5 need not be filled for C5.
JOINED = """
X . X . O
O X O O O
. X O . .
O O . . .
. . . . .
"""

DEAD_CORNER = """
O X . O .
. O O O .
. . . . .
. . . . .
. . . . .
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


def filled_with(text: str, owners: dict[str, int], *, in_seki: str = "") -> set[str]:
    """What has to be filled where the owners of some points are given; the others are White's, and stones their own."""
    board = Board.from_ascii(text)
    state = board.state
    by_point = np.where(board.stones.ravel() == 0, WHITE, board.stones.ravel())
    owner, seki = np.zeros(state.colour.size, np.int8), np.zeros(state.colour.size, bool)
    for point, colour in enumerate(by_point.tolist()):
        owner[to_cell(point, board.size)] = owners.get(point_to_gtp(point, board.size), colour)
    for vertex in in_seki.split():
        seki[to_cell(gtp_to_point(vertex, board.size), board.size)] = True
    found = must_fill(state, owner, seki)
    return {point_to_gtp(point, board.size) for point in range(25) if found[to_cell(point, board.size)]}


def test_a_chain_with_one_point_fills_it() -> None:
    assert filled_with(CORNER, {"B5": BLACK, "A4": 0}) == {"B5"}


def test_a_chain_that_lives_in_seki_does_not() -> None:
    assert filled_with(CORNER, {"B5": BLACK, "A4": 0}, in_seki="A5") == set()


def test_where_a_border_is_open_nothing_is_filled_yet() -> None:
    assert filled_with(CORNER, {"B5": BLACK, "A4": WHITE}) == set()


def test_beside_dead_stones_nothing_is_filled() -> None:
    assert filled_with(DEAD_CORNER, {"A5": BLACK, "A4": 0, "C5": BLACK}) == set()
    assert filled_with(DEAD_CORNER, {"A5": BLACK, "A4": 0, "C5": 0}) == set()
    assert filled_with(DEAD_CORNER.replace("O X .", ". X .", 1), {"A5": 0, "A4": 0, "C5": BLACK}) == {"C5"}


def test_what_is_filled_connects() -> None:
    owners = {"B5": BLACK, "D5": BLACK, "A3": BLACK}
    assert filled_with(JOINED, owners) == {"B5"}
    assert filled_with(JOINED, {**owners, "A3": 0}) == {"B5", "D5"}  # then they have D5 alone between them
