"""The count by random playouts: life and death in plain cases, and the scores of real games."""

from __future__ import annotations

import numpy as np
import pytest

from engine.game import Game, parse_score
from gocnn.go import Board
from gocnn.go.ownership import SURE, ownership, score_bounds
from tests.engine.support import load_game
from tests.go.support import FINISHED, SAMPLES, split_collection


def test_the_count_changes_nothing_and_repeats_itself() -> None:
    board = Board.from_ascii(FINISHED)
    before = board.to_ascii()
    first = ownership(board, 50, seed=3)
    assert board.to_ascii() == before
    assert np.array_equal(first, ownership(board, 50, seed=3))
    assert not np.array_equal(first, ownership(board, 50, seed=4))
    assert first.shape == (9, 9) and first.dtype == np.float32
    assert np.abs(first).max() <= 1


def test_an_empty_board_is_nobodys() -> None:
    assert abs(ownership(Board(9), 400).mean()) < 0.15


def test_sure_points_bound_the_score() -> None:
    owner = np.array([[1.0, SURE, 0.3], [-SURE, -1.0, -1.0], [0.0, 0.0, 0.5]], dtype=np.float32)
    # Two points are surely Black's, three surely White's, four nobody's yet.
    assert score_bounds(owner, 0.0) == (2 - 7, 6 - 3)
    assert score_bounds(owner, 6.5) == (-5 - 6.5, 3 - 6.5)


def test_bounds_hold_the_score_of_a_finished_game() -> None:
    board = Board.from_ascii(FINISHED)
    worst, best = score_bounds(ownership(board), 7.5)
    assert worst <= 7.5 <= best


@pytest.mark.skipif(not SAMPLES.exists(), reason="the sample games are not there")
def test_the_scores_of_the_sample_games() -> None:
    """GNU Go has counted its own games; its dead stones and ours may differ now and then."""
    agreed = games = 0
    for text in split_collection(SAMPLES.read_bytes()):
        result = parse_score(text.split(b"RE[")[1].split(b"]")[0].decode())
        game: Game = load_game(text, komi=7.5)
        if result is None:
            continue
        games += 1
        agreed += game.score() == result
        if games == 40:
            break
    assert agreed >= 0.9 * games, f"{agreed} of {games}"
