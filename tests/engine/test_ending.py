"""What the count says near the end of a game, to either player."""

from __future__ import annotations

import pytest

from engine.ending import Ending
from engine.rules import Needed
from gocnn.go import BLACK, WHITE, Board
from tests.go.support import FINISHED


def ending(rows: str, colour: int, needed: float) -> Ending:
    board = Board.from_ascii(rows)
    board.to_move = colour
    return Ending(board, Needed(needed))


@pytest.mark.parametrize(
    ("colour", "needed", "won"),
    [(BLACK, -40.5, True), (BLACK, 40.5, False), (WHITE, -40.5, False), (WHITE, 40.5, True)],
)
def test_a_game_looks_won_to_its_winner(colour: int, needed: float, won: bool) -> None:
    assert ending(FINISHED, colour, needed).looks_won == won


@pytest.mark.parametrize("colour", [BLACK, WHITE])
def test_the_bounds_are_the_players_own(colour: int) -> None:
    """Not all is settled here, but who gets forty points is ahead at the worst, and his opponent behind at the best."""
    rows = ". X O . .\n" * 4 + "X X O . .\n"
    worst, best = ending(rows, colour, 7.5).bounds
    assert worst < best
    assert ending(rows, colour, -40.5 * colour).bounds[0] > 0
    assert ending(rows, colour, 40.5 * colour).bounds[1] < 0
