"""Atari and self-atari: against what the board says after playing, and by example."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gocnn.go import BLACK, EMPTY, WHITE, Board, core
from gocnn.go.coords import gtp_to_point, point_to_gtp
from gocnn.go.tactics import liberties_to_two, self_atari, urgent_reply


def cell(board: Board, vertex: str) -> int:
    return int(core.to_cell(gtp_to_point(vertex, board.size), board.size))


@st.composite
def positions(draw: st.DrawFn) -> Board:
    """A board of size 4 to 6 after random legal moves, suicides of one stone excepted."""
    board = Board(draw(st.integers(4, 6)), ko="simple")
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    for _ in range(draw(st.integers(0, 40))):
        legal = np.flatnonzero(board.legal_mask(board.to_move)[:-1])
        if legal.size:
            board.play(board.to_move, int(rng.choice(legal)))
    return board


@settings(max_examples=100, deadline=None)
@given(board=positions())
def test_self_atari_is_what_the_board_says_after_the_move(board: Board) -> None:
    for colour in (BLACK, WHITE):
        for point in np.flatnonzero(board.legal_mask(colour)[:-1]):
            after = board.copy()
            captured = after.play(colour, int(point))
            chain = after.chain(int(point))
            one_liberty = after.liberties().ravel()[point] == 1
            expected = len(chain) if one_liberty and not captured else 0
            where = core.to_cell(int(point), board.size)
            assert self_atari(board.state, where, colour) == expected, f"{board}\n{point}"


@settings(max_examples=100, deadline=None)
@given(board=positions())
def test_liberties_to_two(board: Board) -> None:
    counts = board.liberties().ravel()
    for point in np.flatnonzero(board.stones.ravel() != EMPTY):
        head = int(board.state.head[core.to_cell(int(point), board.size)])
        count, liberty = liberties_to_two(board.state, head, -1)
        assert count == min(2, counts[point])
        if count == 1:
            assert board.state.colour[liberty] == EMPTY
            assert liberties_to_two(board.state, head, liberty) == (0, -1)
        for empty in np.flatnonzero(board.stones.ravel() == EMPTY):
            away = min(abs(empty // board.size - p // board.size) + abs(empty % board.size - p % board.size)
                       for p in board.chain(int(point)))  # fmt: skip
            without, _ = liberties_to_two(board.state, head, core.to_cell(int(empty), board.size))
            assert without == min(2, counts[point] - (away == 1))


def reply(rows: str, last: str, colour: int) -> str | None:
    board = Board.from_ascii(rows)
    found = urgent_reply(board.state, cell(board, last), colour)
    return None if found < 0 else point_to_gtp(int(core.to_point(found, board.size)), board.size)


def test_a_stone_played_into_atari_is_taken() -> None:
    rows = """
    O X . .
    . . . .
    . . . .
    . . . .
    """
    assert reply(rows, "A4", BLACK) == "A3"
    assert reply(rows, "B4", WHITE) == "A3"


def test_a_stone_put_into_atari_extends() -> None:
    rows = """
    . X . .
    X O . .
    . X . .
    . . . .
    """
    assert reply(rows, "B2", WHITE) == "C3"


def test_taking_a_stone_around_it_comes_before_extending() -> None:
    rows = """
    . . . . .
    . O . . .
    . X O X .
    . O X . .
    . . . . .
    """
    assert reply(rows, "D3", WHITE) == "A3"


def test_no_atari_no_reply() -> None:
    rows = """
    . X . .
    . O . .
    . . . .
    . . . .
    """
    assert reply(rows, "B4", WHITE) is None


def test_a_stone_thrown_into_the_last_eye_is_not_taken_where_another_capture_saves_the_chain() -> None:
    # Taking the stone on A7 leaves White's chain in atari, to be taken there; taking the one on D6 connects it.
    rows = """
    X . O O X X .
    O O O X O . .
    X X X . O . .
    . . X . O . .
    . . . . . . .
    . . . . . . .
    . . . . . . .
    """
    assert Board.from_ascii(rows).liberties()[1, 0] == 1
    assert reply(rows, "A7", WHITE) == "D5"
    assert reply(rows.replace("X X X .", "X X X X"), "A7", WHITE) == "B7", "where there is no other"


def test_of_two_captures_that_save_a_chain_the_larger_comes_first() -> None:
    # White's stone on E7 is in atari, but who takes it there is taken himself; A7 takes three and lives.
    rows = """
    . O X X O . O
    O O X X X X O
    X X O O O O O
    X X O . . . .
    . X O . . . .
    . X O . . . .
    . X O . . . .
    """
    assert reply(rows, "E7", BLACK) == "A7"
