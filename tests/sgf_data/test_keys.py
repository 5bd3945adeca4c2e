"""Keys: the same for all symmetries of a game, and for nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from gocnn.go.replay import Moves
from gocnn.go.symmetry import SYMMETRIES, point_maps
from sgf_data import keys
from sgf_data.keys import OPENING_MOVES

RNG = np.random.default_rng(1)
NONE = (np.empty(0, np.int16), np.empty(0, np.int16), np.empty(0, np.int8))

Game = tuple[int, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def game_key(size: int, *arrays: np.ndarray) -> int:
    return keys.game_key(size, Moves(*arrays))


def opening_key(size: int, *arrays: np.ndarray) -> int:
    return keys.opening_key(size, Moves(*arrays))


def key_turn(size: int, *arrays: np.ndarray) -> int:
    return keys.key_turn(size, Moves(*arrays))


def random_game(moves: int = 120, size: int = 19, setup: int = 5) -> Game:
    """Nothing that could be played: keys look at the numbers alone."""
    return (
        size,
        RNG.integers(0, size * size + 1, moves).astype(np.int16),
        RNG.choice([1, -1], moves).astype(np.int8),
        np.sort(RNG.integers(0, 3, setup)).astype(np.int16),
        RNG.integers(0, size * size, setup).astype(np.int16),
        RNG.choice([1, 0, -1], setup).astype(np.int8),
    )


def turned(game: Game, symmetry: int) -> Game:
    size, points, colours, at, setup_points, setup_colours = game
    table = point_maps(size)[symmetry]
    return size, table[points], colours, at, table[setup_points], setup_colours


@pytest.mark.parametrize("size", [2, 9, 19, 25])
@pytest.mark.parametrize("symmetry", range(SYMMETRIES))
def test_the_same_under_all_symmetries(size: int, symmetry: int) -> None:
    game = random_game(size=size)
    assert game_key(*turned(game, symmetry)) == game_key(*game)
    assert opening_key(*turned(game, symmetry)) == opening_key(*game)


def test_the_turn_of_a_key_brings_all_images_of_a_game_to_the_same_place() -> None:
    game = random_game(moves=200)
    images = [turned(game, symmetry) for symmetry in range(SYMMETRIES)]
    brought = [turned(image, key_turn(*image)) for image in images]
    assert len({one[1].tobytes() for one in brought}) == 1
    assert len({key_turn(*image) for image in images}) == SYMMETRIES


def test_every_move_colour_and_set_up_stone_counts() -> None:
    game = random_game()
    seen = {game_key(*game)}
    for column in (1, 2, 3, 4, 5):
        for row in range(len(game[column])):
            changed = [np.copy(part) if isinstance(part, np.ndarray) else part for part in game]
            changed[column][row] = changed[column][row] + 1 if column != 2 else -changed[2][row]  # type: ignore[index]
            seen.add(game_key(*changed))  # type: ignore[arg-type]
    assert len(seen) == 1 + 120 + 120 + 15


def test_order_counts_for_moves_but_not_for_set_up() -> None:
    size, points, colours, at, where, what = random_game(setup=0)
    where, what = np.array([3, 60, 200], np.int16), np.array([1, 1, -1], np.int8)
    at = np.zeros(3, np.int16)
    key = game_key(size, points, colours, at, where, what)
    assert game_key(size, points, colours, at, where[::-1].copy(), what[::-1].copy()) == key
    swapped = points.copy()
    swapped[[4, 6]] = (7, 8)
    other = swapped.copy()
    other[[4, 6]] = (8, 7)
    assert game_key(size, swapped, colours, *NONE) != game_key(size, other, colours, *NONE)


def test_a_game_and_its_beginning_differ_but_open_alike() -> None:
    game = random_game(setup=0)
    size, points, colours, *setup = game
    for moves in (OPENING_MOVES, OPENING_MOVES + 1, 119):
        part: Game = (size, points[:moves], colours[:moves], *setup)  # type: ignore[assignment]
        assert game_key(*part) != game_key(*game)
        assert opening_key(*part) == opening_key(*game)
    shorter: Game = (size, points[:49], colours[:49], *setup)  # type: ignore[assignment]
    assert opening_key(*shorter) != opening_key(*game)


def test_set_up_after_the_opening_does_not_count_for_it() -> None:
    size, points, colours, *_ = random_game()
    point, black = np.array([72], np.int16), np.array([1], np.int8)

    def opening(at: int) -> int:
        return opening_key(size, points, colours, np.array([at], np.int16), point, black)

    without = opening_key(size, points, colours, *NONE)
    assert opening(OPENING_MOVES) == opening(100) == without
    assert opening(OPENING_MOVES - 1) != without


def test_board_size_counts() -> None:
    _, _, colours, *_ = random_game(moves=1)
    points = np.array([0], np.int16)
    assert game_key(9, points, colours, *NONE) != game_key(19, points, colours, *NONE)


def test_keys_are_evenly_spread() -> None:
    found = np.array([game_key(*random_game(moves=30, setup=0)) for _ in range(4000)], np.uint64)
    assert len(np.unique(found)) == len(found)
    for shift in (0, 20, 40, 60):
        bins = np.bincount(((found >> np.uint64(shift)) % np.uint64(16)).astype(int), minlength=16)
        assert bins.min() > 180 and bins.max() < 330  # 250 expected, deviation 15
