"""Eyes by shape, and unconditional life against its definition and against an attacker."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocnn.go import BLACK, EMPTY, WHITE, Board
from tests.go.support import flood


def marks(board: Board, colour: int) -> str:
    """The pass-alive points of a colour as rows of # and ."""
    return "\n".join("".join("#" if alive else "." for alive in row) for row in board.pass_alive(colour))


NONE = ".....\n.....\n.....\n.....\n....."


def test_two_eyes() -> None:
    board = Board.from_ascii("""
        . X . X O
        X X X X O
        O O O O O
        . . . . .
        . . . . .
    """)
    assert marks(board, BLACK) == "####.\n####.\n.....\n.....\n....."
    assert marks(board, WHITE) == NONE


def test_one_big_eye() -> None:
    board = Board.from_ascii("""
        . . . . X
        X X X X X
        O O O O O
        . . . . .
        O . O O .
    """)
    assert marks(board, BLACK) == NONE


def test_an_eye_with_a_dead_stone_in_it() -> None:
    """A region is vital if its empty points are liberties, whatever the opponent has in it."""
    board = Board.from_ascii("""
        . O . X .
        X X X X X
        O O O O O
        . . . . .
        . . . . .
    """)
    assert marks(board, BLACK) == "#####\n#####\n.....\n.....\n....."


def test_suicide_can_empty_an_eye() -> None:
    """White's two stones in the lower eye die by suicide, and White then leaves one point empty."""
    text = """
        X X X
        X X .
        O . X
    """
    assert Board.from_ascii(text).pass_alive(BLACK).all()
    assert not Board.from_ascii(text, suicide=True).pass_alive(BLACK).any()


def test_an_open_side_is_no_eye() -> None:
    board = Board.from_ascii("""
        . X . . .
        X X . . .
        . X . . .
        X X X . .
        . . . . .
    """)
    assert marks(board, BLACK) == "##...\n##...\n##...\n###..\n....."
    board.setup([0], [BLACK])
    assert marks(board, BLACK) == NONE


def test_chains_that_share_their_eyes() -> None:
    board = Board.from_ascii("""
        X . X O
        . X X O
        X X O O
        O O O .
    """)
    assert marks(board, BLACK) == "###.\n###.\n##..\n...."
    assert marks(board, WHITE) == "....\n....\n....\n...."


def test_a_false_eye_is_no_eye() -> None:
    board = Board.from_ascii("""
        . X . X O
        X X X O O
        O O O O .
        . . . . .
        . . . . .
    """)
    assert marks(board, BLACK) == NONE


def test_seki_is_not_unconditional() -> None:
    board = Board.from_ascii("""
        X X . O O
        X X X O O
        X X . O O
        X X X O O
        X X . O O
    """)
    assert marks(board, BLACK) == marks(board, WHITE) == NONE


def test_territory_that_is_no_eye() -> None:
    """A region held by alive chains is territory if at most one point has no stone of them beside it.

    White cannot make two eyes there. The corner of the first board has one such point, of the
    second two.
    """
    board = Board.from_ascii("""
        . . X . X .
        . . X X X .
        X X X . . .
        X . X . . .
        X X X . . .
        . . . . . .
    """)
    assert marks(board, BLACK) == "#####.\n#####.\n###...\n###...\n###...\n......"
    board = Board.from_ascii("""
        . . . X . X
        . . . X X X
        X X X X . .
        X . X . . .
        X X X . . .
        . . . . . .
    """)
    assert marks(board, BLACK) == "...###\n...###\n####..\n###...\n###...\n......"


@pytest.mark.parametrize("size", [2, 5, 9])
def test_an_empty_board_is_nobodys(size: int) -> None:
    for colour in (BLACK, WHITE):
        assert not Board(size).pass_alive(colour).any()
    board = Board(size)
    board.play(BLACK, 0)
    assert not board.pass_alive(BLACK).any()


def benson(stones: np.ndarray, colour: int, suicide: bool) -> set[int]:
    """The unconditionally alive stones by Benson's definition, step by step, as slow as it is.

    With suicide, all points of a vital region must be beside the chain, not the empty ones alone.
    """
    flat = stones.ravel()
    points = range(flat.size)
    chains = {frozenset(flood(stones, p)[0]) for p in points if flat[p] == colour}
    mine = (stones == colour).astype(np.int8)
    regions = {frozenset(flood(mine, p)[0]) for p in points if flat[p] != colour}

    def border(chain: frozenset[int]) -> set[int]:
        return flood(stones, min(chain))[1]

    def vital(region: frozenset[int], chain: frozenset[int]) -> bool:
        counted = {p for p in region if suicide or flat[p] == EMPTY}
        return bool(counted) and counted <= border(chain)

    while True:
        kept = {c for c in chains if sum(vital(r, c) for r in regions) >= 2}
        around = {r: {c for c in kept if border(c) & r} == {c for c in chains if border(c) & r} for r in regions}
        left = {r for r in regions if around[r]}
        if kept == chains and left == regions:
            return {p for chain in chains for p in chain}
        chains, regions = kept, left


positions = st.integers(3, 6).flatmap(
    lambda size: st.lists(
        st.sampled_from([BLACK, BLACK, BLACK, EMPTY, EMPTY, WHITE]),
        min_size=size * size,
        max_size=size * size,
    )
)


def position(values: list[int], suicide: bool) -> Board:
    """A board of a square list of values, without the chains that have no liberties."""
    size = int(len(values) ** 0.5)
    board = Board(size, ko="simple", suicide=suicide)
    board.setup(range(len(values)), values)
    while (dead := (board.stones != EMPTY) & (board.liberties() == 0)).any():
        gone = np.flatnonzero(dead.ravel())
        board.setup(gone, [EMPTY] * len(gone))
    return board


@settings(max_examples=200, deadline=None)
@given(positions, st.booleans())
def test_life_as_benson_defines_it(values: list[int], suicide: bool) -> None:
    board = position(values, suicide)
    for colour in (BLACK, WHITE):
        alive = board.pass_alive(colour) & (board.stones == colour)
        assert set(np.flatnonzero(alive.ravel()).tolist()) == benson(board.stones, colour, suicide)


@settings(max_examples=150, deadline=None)
@given(positions, st.booleans(), st.integers(0, 2**32 - 1))
def test_alive_stones_survive_any_attack(values: list[int], suicide: bool, seed: int) -> None:
    """White plays on and on while Black passes: no alive stone is taken, no territory lost."""
    board = position(values, suicide)
    alive = board.pass_alive(BLACK)
    stones = alive & (board.stones == BLACK)
    territory = alive & ~stones
    rng = np.random.default_rng(seed)
    for _ in range(80):
        legal = np.flatnonzero(board.legal_mask(WHITE)[:-1])
        if not legal.size:
            break
        board.play(WHITE, int(rng.choice(legal)))
        assert (board.stones[stones] == BLACK).all()
    assert not (board.pass_alive(WHITE) & territory).any()


SHAPES = [  # a board, the point that is asked about, and whether it is a true eye of Black
    (".X.../XX.../...../...../.....", 0, True),
    (".X.../X..../...../...../.....", 0, True),  # an empty diagonal may still be had
    (".X.../XO.../...../...../.....", 0, False),
    (".O.../XX.../...../...../.....", 0, False),
    ("..X../XX.../...../...../.....", 0, False),  # not surrounded
    (".X.X./.XXX./...../...../.....", 2, True),
    (".X.X./.OXX./...../...../.....", 2, False),
    (".X.X./..X../...../...../.....", 2, True),
    ("...../.XXX./.X.X./.XXX./.....", 12, True),
    ("...../.OXX./.X.X./.XXX./.....", 12, True),  # one diagonal may be lost in the middle
    ("...../.OXO./.X.X./.XXX./.....", 12, False),
    ("...../.OXX./.X.X./.XXO./.....", 12, False),
    ("...../.XXX./.X.O./.XXX./.....", 12, False),
    ("...../.XXX./.XXX./.XXX./.....", 12, False),  # a stone
    ("...../..X../.X.X./..X../.....", 12, True),
]


@pytest.mark.parametrize(("shape", "point", "true"), SHAPES)
def test_eyes_by_shape(shape: str, point: int, true: bool) -> None:
    board = Board.from_ascii(shape.replace("/", "\n"))
    assert board.is_own_eye(BLACK, point) is true
    assert board.is_own_eye(WHITE, point) is False
    swapped = Board.from_ascii(shape.replace("/", "\n").translate(str.maketrans("XO", "OX")))
    assert swapped.is_own_eye(WHITE, point) is true


def test_the_pass_is_no_eye() -> None:
    board = Board(5)
    assert board.is_own_eye(BLACK, board.pass_point) is False
