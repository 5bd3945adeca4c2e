"""The input planes, plane by plane, against what the board itself says."""

from __future__ import annotations

import numpy as np
import pytest

from gocnn.go import BLACK, EMPTY, WHITE, Board, core, ladders, trial
from gocnn.go.coords import gtp_to_point
from gocnn.go.planes import PLANE_SETS, RECENT, of_board
from gocnn.go.symmetry import SYMMETRIES, point_maps

FULL, STONES = PLANE_SETS["full"], PLANE_SETS["stones"]


def plane(board: Board, name: str, **how: int) -> np.ndarray:
    return of_board(board, FULL, **how)[FULL.planes.index(name)]


def random_positions(size: int, moves: int, seed: int):
    """The positions of a random game; small boards, so that captures and ko come up."""
    rng = np.random.default_rng(seed)
    board = Board(size, ko="simple")
    for _ in range(moves):
        points = np.flatnonzero(board.legal_mask(board.to_move)[:-1])
        if not points.size:
            return
        board.play(board.to_move, int(rng.choice(points)))
        yield board


def test_the_lectures_example():
    """Black 5-5, White 天元, Black 5-5 in another corner: +1, -1 and 0."""
    board = Board(19)
    board.play(BLACK, gtp_to_point("E5", 19))
    tengen = gtp_to_point("K10", 19)
    image = of_board(board, STONES)
    assert image.shape == (1, 19, 19)
    assert image[0, 14, 4] == 1
    assert np.abs(image).sum() == 1

    board.play(WHITE, tengen)
    image = of_board(board, STONES)
    assert (image[0, 14, 4], image[0, 9, 9]) == (1, -1)
    assert np.abs(image).sum() == 2


def test_the_stones_plane_is_the_board_whoever_is_to_move():
    for board in random_positions(9, 60, seed=1):
        assert (of_board(board, STONES)[0] == board.stones).all()


@pytest.mark.parametrize("size", [5, 9, 19])
def test_stones_and_liberties(size):
    for board in random_positions(size, 80, seed=size):
        liberties = board.liberties()
        for side, whose in ((board.to_move, "own"), (-board.to_move, "opponent's")):
            held = board.stones == side
            assert (plane(board, f"{whose} stones") == held).all()
            for n, name in ((1, "1 liberty"), (2, "2 liberties"), (3, "3 liberties")):
                assert (plane(board, f"{whose} chains with {name}") == (held & (liberties == n))).all()
            assert (plane(board, f"{whose} chains with 4+ liberties") == (held & (liberties >= 4))).all()
        assert plane(board, "ones (the board, against the zero padding)").all()


@pytest.mark.parametrize("size", [5, 7, 9])
def test_captures_and_self_atari_are_what_playing_them_shows(size):
    for seed in range(6):
        for board in random_positions(size, 110, seed=seed):
            one, several = plane(board, "captures one stone"), plane(board, "captures several stones")
            self_atari = plane(board, "self-atari")
            for point in np.flatnonzero(board.legal_mask(board.to_move)[:-1]):
                at = divmod(int(point), size)
                after = board.copy()
                captured = after.play(board.to_move, int(point))
                assert one[at] == (captured == 1)
                assert several[at] == (captured > 1)
                assert self_atari[at] == (after.liberties()[at] == 1)


def test_recent_moves_newest_first_and_passes_leave_a_plane_empty():
    board = Board(9)
    moves = ["C3", "G7", "pass", "D4", "E5", "F6"]
    for vertex in moves:
        board.play(board.to_move, gtp_to_point(vertex, 9))
    image = of_board(board, FULL)
    names = ["last move"] + [f"{n} moves ago" for n in range(2, RECENT + 1)]
    for name, vertex in zip(names, reversed(moves), strict=False):
        marked = np.flatnonzero(image[FULL.planes.index(name)])
        assert marked.tolist() == ([] if vertex == "pass" else [gtp_to_point(vertex, 9)])


def test_ko_is_marked_where_it_may_not_be_retaken():
    board = Board.from_ascii("""
        . X O . .
        X O . O .
        . X O . .
        . . . . .
        . . . . .
    """)
    board.play(BLACK, gtp_to_point("C4", 5))
    assert np.flatnonzero(plane(board, "ko")).tolist() == [gtp_to_point("B4", 5)]
    board.play(WHITE, gtp_to_point("E1", 5))
    assert not plane(board, "ko").any()


def test_every_plane_turns_with_the_board():
    maps = point_maps(7)
    for board in random_positions(7, 90, seed=3):
        upright = of_board(board, FULL).reshape(len(FULL), -1)
        for s in range(SYMMETRIES):
            turned = of_board(board, FULL, symmetry=s).reshape(len(FULL), -1)
            assert (turned[:, maps[s, :-1]] == upright).all()


def test_the_side_to_move_can_be_chosen():
    board = Board(9)
    board.play(BLACK, 40)
    assert plane(board, "own stones", to_move=BLACK)[4, 4] == 1
    assert plane(board, "opponent's stones", to_move=WHITE)[4, 4] == 1


def test_setup_stones_without_liberties_count_as_chains_in_atari():
    board = Board(3)
    board.setup(range(9), [BLACK] + [WHITE] * 3 + [EMPTY] + [WHITE] * 4)
    assert plane(board, "own chains with 1 liberty", to_move=BLACK)[0, 0] == 1


@pytest.mark.parametrize("name", ["history", "liberties", "ladders"])
@pytest.mark.parametrize("size", [5, 9])
def test_smaller_and_larger_sets_have_planes_of_the_full_one(name, size):
    part = PLANE_SETS[name]
    shared = [plane for plane in part.planes if plane in FULL.planes]
    assert len(shared) == min(len(part), len(FULL))
    for board in random_positions(size, 60, seed=3):
        for symmetry in (0, 5):
            some, whole = of_board(board, part, symmetry=symmetry), of_board(board, FULL, symmetry=symmetry)
            for plane_name in shared:
                assert (some[part.planes.index(plane_name)] == whole[FULL.planes.index(plane_name)]).all()


@pytest.mark.parametrize("size", [7, 13])
def test_ladder_planes_are_what_the_reader_says(size):
    chosen = PLANE_SETS["ladders"]
    room = trial.new_room(size)
    marked = 0
    for board in random_positions(size, 120, seed=size):
        image = of_board(board, chosen)
        trial.enter(board.state, room)
        liberties = board.liberties()
        for side, whose in ((board.to_move, "own"), (-board.to_move, "opponent's")):
            shown = image[chosen.planes.index(f"{whose} chains that a ladder takes")]
            for row, col in zip(*np.nonzero(board.stones)):
                cell = core.to_cell(row * size + col, size)
                taken = False
                if board.stones[row, col] == side and liberties[row, col] <= 2:
                    taken = (
                        ladders.can_capture(room, cell)
                        if liberties[row, col] == 2
                        else not ladders.can_escape(room, cell)
                    )
                assert shown[row, col] == (taken if board.stones[row, col] == side else 0)
                marked += taken
    assert marked > 20


def test_a_ladder_and_the_stone_that_breaks_it():
    start = """
    . . . . . . . . .
    . . X X . . . . .
    . X O . . . . . .
    . . X . . . . . .
    . . . . . . . . .
    . . . . . . . . .
    . . . . . . . . .
    . . . . . . . . .
    . . . . . . . . .
    """
    chosen = PLANE_SETS["ladders"]
    board = Board.from_ascii(start)
    stone = divmod(gtp_to_point("C7", 9), 9)
    for to_move, whose in ((BLACK, "opponent's"), (WHITE, "own")):
        number = chosen.planes.index(f"{whose} chains that a ladder takes")
        assert of_board(board, chosen, to_move)[number][stone] == 1
        assert of_board(board, chosen, to_move)[number].sum() == 1
    board.setup([gtp_to_point("F4", 9)], [WHITE])
    assert not of_board(board, chosen, BLACK)[-2:].any()
