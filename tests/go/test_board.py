"""The rules of play by example: captures, suicide, ko and superko, undo and set-up."""

from __future__ import annotations

import numpy as np
import pytest

from gocnn.go import BLACK, EMPTY, WHITE, Board, IllegalMove

RULES = ("simple", "positional", "situational")


def at(board: Board, row: int, column: int) -> int:
    """The point of a row and column."""
    return row * board.size + column


def refuses(board: Board, colour: int, point: int, reason: str) -> None:
    """Assert that a move is illegal for this reason, and that trying it changes nothing."""
    before = snapshot(board)
    assert board.why_illegal(colour, point) == reason
    assert not board.is_legal(colour, point)
    with pytest.raises(IllegalMove) as caught:
        board.play(colour, point)
    assert caught.value.reason == reason
    assert snapshot(board) == before


def snapshot(board: Board) -> tuple[object, ...]:
    """Everything a board says of itself."""
    return (
        board.stones.tobytes(),
        board.liberties().tobytes(),
        board.hash,
        board.prisoners,
        board.ko_point,
        board.moves,
        board.to_move,
        board.legal_mask(BLACK).tobytes(),
        board.legal_mask(WHITE).tobytes(),
    )


# --- captures ---


def test_single_capture() -> None:
    board = Board.from_ascii("""
        . X .
        X O X
        . . .
    """)
    assert board.play(BLACK, at(board, 2, 1)) == 1
    assert board.to_ascii() == ".X.\nX.X\n.X."
    assert board.prisoners == {BLACK: 1, WHITE: 0}


def test_one_stone_takes_several_chains() -> None:
    board = Board.from_ascii("""
        . X . X .
        X O . O X
        . X O X .
        . X O X .
        . . X . .
    """)
    assert board.play(BLACK, at(board, 1, 2)) == 4
    assert board.to_ascii() == ".X.X.\nX.X.X\n.X.X.\n.X.X.\n..X.."


def test_chain_in_the_corner() -> None:
    board = Board.from_ascii("""
        O O X .
        O X . .
        . . . .
        . . . .
    """)
    assert board.play(BLACK, at(board, 2, 0)) == 3
    assert board.prisoners[BLACK] == 3


def test_a_capture_is_not_suicide() -> None:
    board = Board.from_ascii("""
        . X O .
        X X O .
        O O O .
        . . . .
    """)
    assert board.play(WHITE, 0) == 3


def test_snapback() -> None:
    board = Board.from_ascii("""
        X O . . O X
        X O O O O X
        X X X X X X
        . . . . . .
        . . . . . .
        . . . . . .
    """)
    assert board.play(BLACK, at(board, 0, 2)) == 0
    assert board.play(WHITE, at(board, 0, 3)) == 1
    assert board.ko_point is None
    assert board.play(BLACK, at(board, 0, 2)) == 7
    assert board.prisoners == {BLACK: 7, WHITE: 1}


# --- suicide ---

SURROUNDED = """
    . O . O
    O O . O
    . . O .
    . . . .
"""


def test_suicide_of_one_stone() -> None:
    board = Board.from_ascii(SURROUNDED)
    refuses(board, BLACK, 0, "suicide")
    assert board.is_legal(WHITE, 0)
    board = Board.from_ascii(SURROUNDED, suicide=True, ko="simple")
    assert board.play(BLACK, 0) == 0
    assert board.stones[0, 0] == EMPTY
    assert board.prisoners == {BLACK: 0, WHITE: 1}


@pytest.mark.parametrize("ko", ["positional", "situational"])
def test_suicide_of_one_stone_and_superko(ko: str) -> None:
    board = Board.from_ascii(SURROUNDED, suicide=True, ko=ko)
    if ko == "positional":
        refuses(board, BLACK, 0, "superko")
    else:  # like a pass, it leaves the same stones with the other side to move
        board.play(BLACK, 0)
        board.play(WHITE, board.pass_point)
        refuses(board, BLACK, 0, "superko")


def test_suicide_of_many_stones() -> None:
    text = """
        X . O . .
        X O O . .
        O . . . .
        . . . . .
        . . . . .
    """
    refuses(Board.from_ascii(text), BLACK, 1, "suicide")
    board = Board.from_ascii(text, suicide=True)
    assert board.play(BLACK, 1) == 0
    assert board.to_ascii() == "..O..\n.OO..\nO....\n.....\n....."
    assert board.prisoners == {BLACK: 0, WHITE: 3}
    board.undo()
    assert board.prisoners == {BLACK: 0, WHITE: 0}
    assert board.stones[0, 0] == BLACK


# --- ko ---

KO = """
    . X O . .
    X O . O .
    . X O . .
    . . . . .
    . . . . .
"""


@pytest.mark.parametrize("rule", RULES)
def test_ko_is_forbidden_and_released(rule: str) -> None:
    board = Board.from_ascii(KO, ko=rule)
    taken, taker = at(board, 1, 1), at(board, 1, 2)
    assert board.play(BLACK, taker) == 1
    assert board.ko_point == taken
    refuses(board, WHITE, taken, "ko")
    assert not board.legal_mask(WHITE)[taken]
    assert board.legal_mask(BLACK)[taken]  # who took the ko may fill it
    board.play(WHITE, at(board, 4, 4))
    assert board.ko_point is None
    board.play(BLACK, at(board, 4, 0))
    assert board.play(WHITE, taken) == 1
    refuses(board, BLACK, taker, "ko")


def test_passes_release_a_simple_ko_but_not_positional_superko() -> None:
    for rule, reason in (("simple", None), ("positional", "superko"), ("situational", None)):
        board = Board.from_ascii(KO, ko=rule)
        board.play(BLACK, at(board, 1, 2))
        board.play(WHITE, board.pass_point)
        board.play(BLACK, board.pass_point)
        # White's play leaves the stones of the beginning with Black to move, as they were then.
        expected = "superko" if rule == "situational" else reason
        assert board.why_illegal(WHITE, at(board, 1, 1)) == expected


def test_taking_two_stones_is_no_ko() -> None:
    board = Board.from_ascii("""
        . X O . .
        X O . O .
        X O X O .
        . X . . .
        . . . . .
    """)
    assert board.play(BLACK, at(board, 1, 2)) == 2
    assert board.ko_point is None


def test_sending_two_returning_one() -> None:
    """White sends two stones, Black takes them, White takes one back: the first position again.

    Black is to move then, while White was at first: a repetition for the positional rule only. The
    situational one sees it when Black passes and White sends two stones again.
    """
    text = """
        O . O . X .
        O O X X X .
        . . . . . .
        . . . . . .
        . . . . . .
        . . . . . .
    """
    for rule in RULES:
        board = Board.from_ascii(text, ko=rule)
        first = board.stones
        assert board.play(WHITE, 3) == 0
        assert board.play(BLACK, 1) == 2
        assert board.ko_point is None
        if rule == "positional":
            refuses(board, WHITE, 2, "superko")
            continue
        assert board.play(WHITE, 2) == 1
        assert np.array_equal(board.stones, first)
        board.play(BLACK, board.pass_point)
        if rule == "situational":
            refuses(board, WHITE, 3, "superko")
        else:
            assert board.play(WHITE, 3) == 0


@pytest.mark.parametrize("first", [BLACK, WHITE])
def test_triple_ko(first: int) -> None:
    """Three kos make a cycle of six captures, which only superko ends, whoever began."""
    one_takes, other_takes = "XO.O", "X.XO"
    rows = []
    for middle in (one_takes, other_takes, one_takes):
        rows += [".XO." + "." * 7, middle + "." * 7, ".XO." + "." * 7, "." * 11]
    text = "\n".join(rows[:11])
    if first == WHITE:
        text = text.translate(str.maketrans("XO", "OX"))
    cycle = [(1, 1, 2), (-1, 5, 1), (1, 9, 2), (-1, 1, 1), (1, 5, 2)]
    for rule in RULES:
        board = Board.from_ascii(text, ko=rule)
        start = board.stones
        for side, row, column in cycle:
            assert board.play(side * first, at(board, row, column)) == 1
        last = at(board, 9, 1)
        if rule == "simple":
            assert board.play(-first, last) == 1
            assert np.array_equal(board.stones, start)
        else:
            refuses(board, -first, last, "superko")


# --- the rest of the interface ---


def test_reasons() -> None:
    board = Board.from_ascii(SURROUNDED)
    refuses(board, BLACK, 1, "occupied")
    refuses(board, WHITE, 1, "occupied")
    refuses(board, BLACK, -1, "off board")
    refuses(board, BLACK, 17, "off board")
    assert str(IllegalMove("ko")) == "illegal move: ko"
    assert isinstance(IllegalMove("ko"), ValueError)


def test_passes_and_turns() -> None:
    board = Board(5)
    assert board.to_move == BLACK
    assert board.play(WHITE, 7) == 0
    assert board.to_move == BLACK
    assert board.play(BLACK, board.pass_point) == 0
    assert board.to_move == WHITE
    assert board.play(WHITE, 8) == 0
    assert board.moves == [(WHITE, 7), (BLACK, 25), (WHITE, 8)]
    assert not board.stones.ravel()[[0, 24]].any()


def test_undo() -> None:
    board = Board.from_ascii(KO)
    with pytest.raises(ValueError, match="cannot undo"):
        board.undo()
    states = [snapshot(board)]
    for colour, point in ((BLACK, 7), (WHITE, 25), (BLACK, 6), (WHITE, 24)):
        board.play(colour, point)
        states.append(snapshot(board))
    for state in reversed(states):
        assert snapshot(board) == state
        if board.moves:
            board.undo()
    with pytest.raises(ValueError, match="cannot undo"):
        board.undo()


def test_undo_gives_back_the_side_to_move() -> None:
    board = Board(5)
    board.setup([12], [BLACK])
    board.to_move = WHITE
    board.play(WHITE, 0)
    board.undo()
    assert board.to_move == WHITE


def test_setup() -> None:
    board = Board(5)
    board.play(BLACK, 12)
    board.play(WHITE, 13)
    board.setup([0, 1, 12], [BLACK, WHITE, EMPTY])
    assert board.to_ascii() == "XO...\n.....\n...O.\n.....\n....."
    assert board.moves == []
    with pytest.raises(ValueError, match="cannot undo"):
        board.undo()
    before = snapshot(board)
    for points, colours in (([25], [BLACK]), ([-1], [BLACK]), ([3], [2]), ([3, 4], [BLACK])):
        with pytest.raises(ValueError):
            board.setup(points, colours)
        assert snapshot(board) == before


def test_setup_captures_nothing() -> None:
    board = Board.from_ascii("""
        . X .
        X O X
        . X .
    """)
    assert board.stones[1, 1] == WHITE
    assert board.liberties()[1, 1] == 0
    assert board.prisoners == {BLACK: 0, WHITE: 0}
    board.play(BLACK, 0)
    assert board.stones[1, 1] == WHITE  # it is not beside the play


def test_setup_forgets_ko() -> None:
    board = Board.from_ascii(KO, ko="simple")
    board.play(BLACK, 7)
    assert board.ko_point == 6
    board.setup([24], [WHITE])
    assert board.ko_point is None
    assert board.is_legal(WHITE, 6)


def test_liberties_and_chains() -> None:
    board = Board.from_ascii("""
        X X . .
        . X O .
        . . O .
        . . . .
    """)
    expected = [[3, 3, 0, 0], [0, 3, 5, 0], [0, 0, 5, 0], [0, 0, 0, 0]]
    assert board.liberties().tolist() == expected
    assert board.liberties().dtype == np.int16
    assert board.chain(0) == board.chain(5) == [0, 1, 5]
    assert board.chain(10) == [6, 10]
    assert board.chain(2) == []


def test_copy_is_independent() -> None:
    board = Board.from_ascii(KO, ko="situational", suicide=True)
    board.play(BLACK, 7)
    other = board.copy()
    assert snapshot(other) == snapshot(board)
    assert (other.ko, other.suicide) == ("situational", True)
    before = snapshot(board)
    other.play(WHITE, 24)
    other.undo()
    other.undo()
    assert snapshot(board) == before
    assert other.to_ascii() == Board.from_ascii(KO).to_ascii()


def test_stones_are_a_copy() -> None:
    board = Board(3)
    board.stones[0, 0] = WHITE
    assert not board.stones.any()


def test_ascii_round_trip_and_errors() -> None:
    board = Board.from_ascii(KO)
    assert Board.from_ascii(board.to_ascii()).to_ascii() == board.to_ascii()
    for text in ("..\n...", "XX\nX?", ".", ""):
        with pytest.raises(ValueError):
            Board.from_ascii(text)


@pytest.mark.parametrize("size", [-1, 0, 1, 26, 100])
def test_sizes_out_of_range(size: int) -> None:
    with pytest.raises(ValueError, match="size"):
        Board(size)


def test_unknown_ko_rule() -> None:
    with pytest.raises(ValueError, match="ko"):
        Board(9, ko="super")


@pytest.mark.parametrize("size", range(2, 26))
def test_every_size(size: int) -> None:
    """A capture in each corner, and along the whole edge, looks the same on every size."""
    board = Board(size)
    assert board.pass_point == size * size
    assert board.stones.shape == (size, size)
    assert board.legal_mask(BLACK).shape == (size * size + 1,)
    assert board.legal_mask(BLACK).all()
    assert board.hash == 0 or not board.stones.any()
    last = size - 1
    for row, beside in ((0, 1), (last, last - 1)):
        for column, next_to in ((0, 1), (last, last - 1)):
            board = Board(size)
            board.play(BLACK, at(board, row, column))
            board.play(WHITE, at(board, beside, column))
            board.play(BLACK, board.pass_point)
            assert board.play(WHITE, at(board, row, next_to)) == 1
            assert board.stones[row, column] == EMPTY
            assert board.why_illegal(BLACK, at(board, row, column)) == "suicide"
    board = Board(size)
    board.setup(range(size), [BLACK] * size)
    board.setup(range(size, 2 * size - 1), [WHITE] * (size - 1))
    assert board.liberties()[0, 0] == 1
    assert board.play(WHITE, 2 * size - 1) == size
    assert not board.stones[0].any()
