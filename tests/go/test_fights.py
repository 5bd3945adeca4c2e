"""Fights read to their end: capturing races, sekis, and what the move decides."""

from __future__ import annotations

import numpy as np
import pytest

from gocnn.go import BLACK, WHITE, Board, core
from gocnn.go.coords import gtp_to_point, point_to_gtp
from gocnn.go.fights import read_fights

# Of each board the upper rows; the last of them goes on to the bottom.

# Black has no eye, White has one; they share D9 and E9. Whatever Black does, he is taken.
EYE_AGAINST_NONE = """
O X X . . O . O X
O X X X X O O O X
O O O O O X X X X
. . . . O X . . .
"""

# Neither has an eye; whoever fills one of the two liberties is taken.
SEKI = """
O X X . O O X . .
O X X . O O X . .
O O X X O X X . .
. . O O X . . . .
. . . O X . . . .
"""

# Each has a liberty of his own, A9 and G9, beside the one that they share: the first move takes the other.
RACE = """
. X X . O O . X .
O X X X O O X X .
O O O O X X X . .
. . . O X . . . .
"""


def whole(text: str) -> Board:
    rows = text.split("\n")[1:-1]
    return Board.from_ascii("\n".join(rows + rows[-1:] * (9 - len(rows))))


def read(text: str, to_move: int, *, turn: int = 0, mirrored: bool = False, swapped: bool = False) -> dict[int, int]:
    """Who gets the points of the upper three rows, by point of the board as written: 0 where they stay neutral.

    All stones there are first thought to live in seki and the liberties left of H to be neutral. The board may be
    turned, mirrored and seen with its colours swapped.
    """

    def there(points: np.ndarray) -> np.ndarray:
        return np.rot90(points[:, ::-1] if mirrored else points, turn)

    stones = there(whole(text).stones) * (-1 if swapped else 1)
    size = len(stones)
    board = Board(size)
    occupied = np.flatnonzero(stones)
    board.setup(occupied.tolist(), stones.ravel()[occupied].tolist())
    names = there(np.arange(size * size).reshape(size, size))
    cells = np.array([core.to_cell(point, size) for point in range(size * size)])
    owner, seki = np.zeros(board.state.colour.size, np.int8), np.zeros(board.state.colour.size, bool)
    owner[cells] = stones.ravel()
    upper = names.ravel() < 3 * size
    neutral = upper & (names.ravel() % size < 7)
    owner[cells[~neutral & (stones.ravel() == 0)]] = -BLACK if swapped else BLACK  # no part of the fight
    seki[cells[upper & (stones.ravel() != 0)]] = True
    before = board.stones
    read_fights(board.state, owner, seki, -to_move if swapped else to_move)
    assert np.array_equal(board.stones, before)
    found = owner[cells[upper]] * (-1 if swapped else 1)
    return dict(zip(names.ravel()[upper].tolist(), found.tolist()))


def held_by(found: dict[int, int], colour: int) -> set[str]:
    return {point_to_gtp(point, 9) for point, owner in found.items() if owner == colour}


@pytest.mark.parametrize("to_move", [BLACK, WHITE])
def test_an_eye_wins_a_race_against_none(to_move: int) -> None:
    found = read(EYE_AGAINST_NONE, to_move)
    assert held_by(found, BLACK) == {"J9", "J8", "F7", "G7", "H7", "J7"}  # what lives outside


@pytest.mark.parametrize("to_move", [BLACK, WHITE])
def test_a_seki_stays_one(to_move: int) -> None:
    found = read(SEKI, to_move)
    assert held_by(found, 0) >= {"D9", "D8"}
    assert held_by(found, BLACK) >= {"B9", "C9", "B8", "C8", "C7", "D7"}
    assert held_by(found, WHITE) >= {"E9", "F9", "E8", "F8", "E7"}


@pytest.mark.parametrize("to_move", [BLACK, WHITE])
def test_the_move_decides_a_race_between_equals(to_move: int) -> None:
    found = read(RACE, to_move)
    assert held_by(found, to_move) >= {"B9", "C9", "D9", "E9", "F9", "C8", "D8", "E8", "F8"}


@pytest.mark.parametrize("text", [EYE_AGAINST_NONE, SEKI, RACE])
@pytest.mark.parametrize("to_move", [BLACK, WHITE])
def test_a_fight_is_the_same_from_every_side(text: str, to_move: int) -> None:
    found = read(text, to_move)
    for turn in range(4):
        for mirrored in (False, True):
            for swapped in (False, True):
                assert read(text, to_move, turn=turn, mirrored=mirrored, swapped=swapped) == found


def test_without_a_seki_nothing_is_read() -> None:
    board = whole(RACE)
    owner = np.ones(board.state.colour.size, np.int8)
    assert not read_fights(board.state, owner, np.zeros(owner.size, bool), BLACK)
    assert owner.all()


def test_a_fight_over_many_points_is_left_as_it_was_judged() -> None:
    board = Board(9)
    for vertex, colour in (("C5", BLACK), ("D5", WHITE)):
        board.play(colour, gtp_to_point(vertex, 9))
    owner = np.zeros(board.state.colour.size, np.int8)
    seki = board.state.colour == BLACK
    assert not read_fights(board.state, owner, seki, BLACK)
    assert not owner.any()
