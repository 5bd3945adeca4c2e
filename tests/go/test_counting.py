"""Counting finished games: dead stones, seki, neutral points, area and territory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gocnn.go import BLACK, WHITE, Board
from gocnn.go.coords import gtp_to_point, point_to_gtp
from gocnn.go.counting import Count, count, settle
from tests.go.support import FINISHED, SEKI

# White's eye is of two points, G9 and G8, which is no more than one eye: neither can take the other, as GNU Go says.
LARGER_EYE = """
O X . X . O . O X
O X X X . O . O X
O O O X X O O O X
O O O O O X X X X
. . . . O X . . .
. . . . O X . . .
. . . . O X . . .
. . . . O X . . .
. . . . O X . . .
"""

# Bent black territory on the left, White's on the right, one neutral point at E1.
OPEN = """
. . . X O . . . .
. . . X O . . . .
. . . X O . . . .
. . . X O . . . .
. . . X O . . . .
. . . X O . O . .
. . . X O . . . .
. . . X O . . . .
. . . X . O . . .
"""

# A game of the engine against GNU Go. White's corner on the right has one eye, and Black's stones around it have two:
# playouts alone take both for a seki. Counted on the board, Black has 17 points more, as GNU Go says.
ONE_EYE = """
O O . . . . . . . . O X X X X O O O O
X O X O . . . . . . O O O X X X O O X
X O O O . O . . . . . . O O X X O X X
X X O . . . . . . O O O O X . X O . .
X O O X . . . . . O X X O X X X O O O
X X X O O O O O . O O X O O X O O O X
. . . X O X O X O . O X X O X O X X X
X . X X O X X X X O X X X X . X X X .
. X X O O X X . X O X X O X X X . . X
. . X O O X X X O O O O O O X . X X O
. X X X X X O X X O O X O X . X O O O
. . . X X X O O O O O X X X X . X O .
. X . X . X O X O O X X X O X . X O .
X . X X X X X X X O O O O O X X O O .
. X O X X O O X X X O O X X X X O . .
X X O O O . . O O X O X X X O X O O .
. X X O . O . . O O O X X X O X X O O
O . X X O . . . . . O O X O O X X X O
. X X O O O . . . . . O O O O O O X X
"""


# Black's corner ends at C7 and C5, with nothing of his between.
GAP_IN_A_WALL = """
. . X O . . . . .
. . X O . O . O .
X . X X O . . . .
X . . . O . . . .
X X X X O . O . .
. . X O O . . . .
. . X O . O . O .
. . X O . . . . .
. . X O . . . . .
"""


def counted(text: str) -> tuple[Board, Count]:
    board = Board.from_ascii(text)
    return board, settle(board)


def test_dead_stones_are_taken_off_and_paid_for() -> None:
    board, found = counted(FINISHED)
    assert {point_to_gtp(point, 9) for point in found.points(found.dead)} == {"B8", "H6", "H5"}
    assert found.area == board.area_score(0, found.points(found.dead)) == 15
    assert found.territory(board.prisoners) == board.territory_score(0, found.points(found.dead))


def test_a_gap_in_a_wall_costs_its_owner_nothing_but_what_is_near_to_it() -> None:
    board, found = counted(GAP_IN_A_WALL)
    assert {point_to_gtp(point, 9) for point in np.flatnonzero(found.owner == 0).tolist()} == {"C6", "D6"}
    assert (found.area, found.territory(board.prisoners)) == (-23, -22)
    board.play(WHITE, gtp_to_point("D6", 9))
    board.play(BLACK, gtp_to_point("C6", 9))
    after = settle(board)
    assert (after.area, after.territory(board.prisoners)) == (-23, -22)


def test_a_neutral_point_is_nobodys_and_is_still_to_be_filled() -> None:
    board, found = counted(OPEN)
    assert found.owner[8, 4] == 0
    assert found.open_points == 1
    assert not found.dead.any()
    assert found.area == (36 - 0) - (44 - 0)
    assert found.territory(board.prisoners) == 27 - (44 - 10)


def test_both_sides_of_a_seki_live_and_their_eyes_are_no_territory() -> None:
    board, found = counted(SEKI)
    assert not found.dead.any()
    # C9 is Black's only eye, G9 White's; the corner stones A9 and J9 belong to groups that live outside.
    assert found.seki[0, 1:4].all() and found.seki[0, 5:8].all()
    assert found.seki[1].tolist() == [False, True, True, True, True, True, True, True, False]
    assert not found.seki[0, [0, 8]].any() and not found.seki[2:].any()
    assert found.owner[0, 4] == 0
    assert found.open_points == 0
    assert found.owner[0, 2] == BLACK and found.owner[0, 6] == WHITE
    assert found.area == (24 + 4 + 5 + 4) - (30 + 5 + 4 + 4)  # row by row from below: 24 and 30 outside, then the seki
    assert found.territory(board.prisoners) == 18 - 24
    owner = found.owner.copy()
    owner[0, 6] = 0  # G9 is nothing to White, since it is part of a seki; without one, it is a point
    assert replace(found, owner=owner).territory(board.prisoners) == 18 - 24
    assert replace(found, owner=owner, seki=np.zeros_like(found.seki)).territory(board.prisoners) == 18 + 1 - 24


def test_who_shares_the_liberties_of_a_seki_and_has_one_eye_is_in_it() -> None:
    board, found = counted(LARGER_EYE)
    assert not found.dead.any()
    assert found.seki[0].tolist() == [False, True, True, True, False, True, True, True, False]
    assert found.seki[:2, 6].all()  # the eye, which is no territory
    assert found.open_points == 0
    assert found.territory(board.prisoners) == 15 - 20


def test_a_seki_that_is_none_is_read_out() -> None:
    board, found = counted(ONE_EYE)
    assert not found.seki.any()
    assert {point_to_gtp(point, 19) for point in found.points(found.dead)} >= {"Q19", "R17", "Q14", "T15"}
    assert found.area == board.area_score(0, found.points(found.dead)) == 17


@pytest.mark.parametrize("colour", [BLACK, WHITE])
def test_prisoners_count_in_territory_only(colour: int) -> None:
    _, found = counted(OPEN)
    taken = {BLACK: 0, WHITE: 0, colour: 3}
    assert found.territory(taken) == found.territory({BLACK: 0, WHITE: 0}) + 3 * colour


def test_a_mean_of_another_mind_turns_a_whole_chain() -> None:
    board = Board.from_ascii(OPEN)
    mean = np.where(np.arange(9) < 4, 1.0, -1.0) * np.ones((9, 1))
    mean[0, 3], mean[1, 3] = -1, -1  # two points of a chain of nine: it still is Black's
    found = count(board, mean)
    assert not found.dead.any()
    mean[:7, 3] = -1  # seven of nine
    assert count(board, mean).dead[:, 3].all()


def test_a_stone_in_atari_in_the_last_ko_is_no_seki() -> None:
    # White's stone on E5 can be taken back: E6 is to be filled by somebody, and nothing here is a seki.
    _, found = counted(
        """
        . . . X O . . . .
        . X . X O . O . .
        . . . X O . . . .
        . . . X . O . . .
        . . X O X O . . .
        . . . X O . . . .
        . . . X O . O . .
        . X . X O . . . .
        . . . X O . . . .
        """
    )
    assert not found.seki.any()


def test_stones_that_two_points_connect_are_no_seki() -> None:
    # Whichever of E7 and E3 Black fills, White connects by the other; both are still to be filled.
    _, found = counted(
        """
        . . . . . . . . .
        O O O O O O O O O
        X X X X . X X X X
        . . . X O X . . .
        . . . X O X . . .
        . . . X O X . . .
        X X X X . X X X X
        O O O O O O O O O
        . . . . . . . . .
        """
    )
    assert not found.seki.any()
    assert not found.dead.any()
    assert found.open_points == 2


def test_stones_of_an_opening_are_no_seki() -> None:
    board = Board(9)
    for colour, point in [(BLACK, 20), (WHITE, 60), (BLACK, 24), (WHITE, 56)]:
        board.play(colour, point)
    found = count(board, np.zeros((9, 9)))
    assert not found.seki.any()
    assert found.open_points == 81 - 4
