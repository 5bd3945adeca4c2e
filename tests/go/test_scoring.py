"""Scores of boards that were counted by hand. GNU Go's counts are in test_oracle_gnugo.py."""

from __future__ import annotations

import pytest

from gocnn.go import BLACK, WHITE, Board


def test_empty_board_and_one_stone() -> None:
    board = Board(5)
    assert board.area_score() == board.territory_score() == 0
    assert board.area_score(6.5) == -6.5
    board.play(BLACK, 12)
    assert board.area_score() == 25
    assert board.territory_score() == 24
    board.play(WHITE, 0)
    assert board.area_score() == board.territory_score() == 0


def test_neutral_points_count_for_neither() -> None:
    board = Board.from_ascii("""
        . X . O .
        X X . O O
        . X . O .
        X X . O O
        . X . O .
    """)
    assert board.area_score() == 0
    assert board.area_score(komi=7.5) == -7.5
    board.play(BLACK, 2)
    assert board.area_score() == 1
    assert board.territory_score() == 0


def test_area_and_territory_by_hand() -> None:
    board = Board.from_ascii("""
        . . X O .
        . X X O .
        X X O O .
        . X O . .
        X . X O .
    """)
    # Black: 8 stones; points: 3 in the corner, 1 on the left, 1 on the lower side.
    # White: 6 stones, and 6 points on the right.
    assert board.area_score() == (8 + 5) - (6 + 6)
    assert board.territory_score() == 5 - 6
    assert board.territory_score(komi=0.5) == -1.5


def test_dead_stones_are_taken_off_and_are_prisoners() -> None:
    board = Board.from_ascii("""
        . . X O .
        O . X O .
        . . X O X
        X X X O .
        X . X O .
    """)
    # As it stands: Black 9 stones and 1 point, White 6 stones; no side is closed.
    assert board.area_score() == (9 + 1) - 6
    dead = [5, 14]  # White's on the left, Black's on the right
    # Without them: Black 8 stones and 7 points, White 5 stones and 5 points, one prisoner each.
    assert board.area_score(dead=dead) == (8 + 7) - (5 + 5)
    assert board.territory_score(dead=dead) == (7 + 1) - (5 + 1)
    assert board.territory_score(6.5, dead[:1]) == (7 + 1) - 6.5
    assert board.stones[1, 0] == WHITE  # counting changes nothing


def test_prisoners_count_in_territory_only() -> None:
    board = Board.from_ascii("""
        . X .
        X O X
        . . .
    """)
    board.play(BLACK, 7)
    assert board.prisoners == {BLACK: 1, WHITE: 0}
    assert board.area_score() == 9
    assert board.territory_score() == 5 + 1


def test_suicide_gives_prisoners() -> None:
    board = Board.from_ascii(". O .\nO O .\n. . .", suicide=True, ko="simple")
    board.play(BLACK, 0)
    assert board.territory_score() == -(6 + 1)


@pytest.mark.parametrize("size", [2, 9, 19, 25])
def test_a_wall_across(size: int) -> None:
    board = Board(size)
    middle = size // 2
    board.setup(range(middle * size, (middle + 1) * size), [BLACK] * size)
    assert board.area_score() == size * size
    assert board.territory_score() == size * (size - 1)
