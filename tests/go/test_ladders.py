"""Ladders: by example, and against GNU Go's reading of them."""

from __future__ import annotations

import numpy as np
import pytest

from gocnn.go import BLACK, EMPTY, WHITE, Board, core, ladders, trial
from gocnn.go.coords import gtp_to_point, point_to_gtp
from tests.go.support import GnuGo, gnugo_path

START = """
. . . . . . . . . . . . .
. . . . . . . . . . . . .
. . . X X . . . . . . . .
. . X O . . . . . . . . .
. . . X . . . . . . . . .
. . . . . . . . . . . . .
. . . . . . . . . . . . .
. . . . . . . . . . . . .
. . . . . . . . . . . . .
. . . . . . . . . . . . .
. . . . . . . . . . . . .
. . . . . . . . . . . . .
. . . . . . . . . . . . .
"""


def position(rows: str, **stones: str) -> Board:
    """A board, with more stones such as ``white="K5 D4"``."""
    board = Board.from_ascii(rows)
    for colour, vertices in ((BLACK, stones.get("black", "")), (WHITE, stones.get("white", ""))):
        points = [gtp_to_point(vertex, board.size) for vertex in vertices.split()]
        board.setup(points, [colour] * len(points))
    return board


def reads(board: Board, vertex: str) -> tuple[bool, bool]:
    """Whether a chain is captured if the opponent moves first, and gets away if its player does."""
    room = trial.new_room(board.size)
    cell = core.to_cell(gtp_to_point(vertex, board.size), board.size)
    before = board.state.colour.copy()
    trial.enter(board.state, room)
    answer = bool(ladders.can_capture(room, cell)), bool(ladders.can_escape(room, cell))
    assert np.array_equal(board.state.colour, before), "reading leaves the board alone"
    return answer


def test_a_ladder_runs_to_the_edge() -> None:
    assert reads(position(START), "D10") == (True, False)


@pytest.mark.parametrize("breaker", ["E9", "F8", "H6", "K4", "L3", "M2"])
def test_a_stone_in_its_way_breaks_it(breaker: str) -> None:
    assert reads(position(START, white=breaker), "D10")[1]


@pytest.mark.parametrize("beside", ["D6", "C4", "M8", "G12", "A1"])
def test_a_stone_beside_it_does_not(beside: str) -> None:
    assert not reads(position(START, white=beside), "D10")[1]


def test_the_attackers_own_stone_in_the_way_helps() -> None:
    assert not reads(position(START, white="M2", black="J5"), "D10")[1]


def test_an_atari_on_the_way_breaks_it() -> None:
    # Two Black stones with one liberty lie where the ladder runs: White takes them.
    board = position(START, black="J4 K4", white="H4 J3 K3 L4 K5")
    assert reads(board, "D10")[1]


def test_stones_in_atari_around_the_prey_save_it() -> None:
    rows = """
    . . . . . . .
    . . X X . . .
    O X O . X . .
    . . X X . . .
    . . . . . . .
    . . . . . . .
    . . . . . . .
    """
    assert reads(Board.from_ascii(rows), "C5") == (True, False)
    assert reads(position(rows, white="B4"), "C5") == (True, True), "White takes the stone on B5"


def test_a_chain_with_three_liberties_is_in_no_ladder() -> None:
    board = position(START.replace("X X", ". X").replace("X O", ". O"))
    assert reads(board, "D10") == (False, True)


def test_a_move_that_the_rules_forbid_captures_nothing() -> None:
    two_eyes = """
    . O . O X
    O O O O X
    X X X X .
    . . . . .
    . . . . .
    """
    assert reads(Board.from_ascii(two_eyes), "A4") == (False, True)
    assert reads(position(two_eyes, black="C5"), "A4")[0], "one eye is filled"


def test_a_long_ladder_on_a_large_board() -> None:
    board = Board(25)
    board.setup([gtp_to_point(v, 25) for v in ("D23", "E23", "C22", "D21")], [BLACK] * 4)
    board.setup([gtp_to_point("D22", 25)], [WHITE])
    assert reads(board, "D22") == (True, False)


@pytest.mark.parametrize("nodes", range(8))
def test_a_ladder_too_long_to_be_read_takes_nothing(monkeypatch: pytest.MonkeyPatch, nodes: int) -> None:
    succeeds = ladders._succeeds.py_func  # compiled code keeps the number that it was made with
    for stones, to_move in (("", WHITE), ("E10", BLACK)):
        board = position(START, white=stones)
        room = trial.new_room(board.size)
        cell = core.to_cell(gtp_to_point("D10", board.size), board.size)
        trial.enter(board.state, room)
        before = room[0].copy()
        assert succeeds(room, cell, to_move) == (to_move == BLACK)
        monkeypatch.setattr(ladders, "NODES", nodes)
        assert succeeds(room, cell, to_move) == (to_move == WHITE)
        assert (room[0] == before).all(), "all moves are taken back"
        monkeypatch.undo()


@pytest.mark.gnugo
@pytest.mark.skipif(gnugo_path() is None, reason="GNU Go is not installed (apt install gnugo)")
def test_gnu_go_reads_the_same() -> None:
    """Chains with two liberties in random games; GNU Go knows more tricks, so a few verdicts may differ."""
    rng = np.random.default_rng(5)
    same = []
    with GnuGo() as other:
        for _ in range(60):
            board = Board(9, ko="simple")
            other.ask("boardsize 9", "clear_board")
            for _ in range(int(rng.integers(15, 45))):
                colour, legal = board.to_move, np.flatnonzero(board.legal_mask(board.to_move)[:-1])
                point = int(rng.choice(legal))
                board.play(colour, point)
                other.ask(f"play {'b' if colour == BLACK else 'w'} {point_to_gtp(point, 9)}")
            stones = np.flatnonzero(board.stones != EMPTY).tolist()
            for point in {int(board.state.head[core.to_cell(p, 9)]): p for p in stones}.values():
                if board.liberties().ravel()[point] == 2:
                    vertex = point_to_gtp(point, 9)
                    verdict = other.ask(f"ladder_attack {vertex}")[0].split()[0] != "0"
                    same.append(reads(board, vertex)[0] == verdict)
    assert len(same) > 100
    assert np.mean(same) > 0.95


def in_vain(board: Board, vertex: str, colour: int) -> bool:
    cell = core.to_cell(gtp_to_point(vertex, board.size), board.size)
    return bool(ladders.runs_in_vain(board.state, trial.new_room(board.size), cell, colour))


def test_running_out_of_a_ladder_is_in_vain_unless_it_is_broken() -> None:
    assert in_vain(position(START), "E10", WHITE)
    assert not in_vain(position(START, white="K4"), "E10", WHITE)
    assert not in_vain(position(START), "E9", WHITE), "no stone is saved there"
    assert not in_vain(position(START), "E10", BLACK)
