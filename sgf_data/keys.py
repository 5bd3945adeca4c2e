"""Names for games that are the same under all eight symmetries of the board.

A key is a 64-bit hash of the board size, the moves with their colours and the set-up, each hashed
under all eight symmetries; the least of the eight is the key. Two different games get the same key
by chance with probability 2^-64 a pair, less than one in a hundred million for a collection of half
a million games. Komi, result and names play no part: records of one game disagree about them.
"""

from __future__ import annotations

import numpy as np

from gocnn.go.core import GOLDEN, mix64, scramble
from gocnn.go.replay import Moves
from gocnn.go.symmetry import point_maps
from gocnn.jit import njit

OPENING_MOVES = 50  # enough to tell any two games apart, and early enough that records of one game still agree


@njit(cache=True, nogil=True)
def _canonical(maps: np.ndarray, moves: Moves, count: int) -> tuple[np.uint64, int]:
    """The key of so many moves of a game, and the symmetry whose hash it is made of."""
    points, colours, setup_at, setup_points, setup_colours = moves
    least, turn = np.uint64(0xFFFFFFFFFFFFFFFF), 0
    for s in range(maps.shape[0]):
        setup = np.uint64(0)
        for i in range(setup_at.size):
            if setup_at[i] <= count:
                # A sum, as the order in which set-up stones are written down means nothing.
                point, colour = maps[s, setup_points[i]], setup_colours[i]
                stone = np.uint64(setup_at[i] + 1) << np.uint64(32)
                stone |= np.uint64(point) << np.uint64(2) | np.uint64(colour + 1)
                setup += mix64(stone)
        key = scramble(setup + np.uint64(maps.shape[1]) * GOLDEN)
        for i in range(min(count, points.size)):
            move = np.uint64(maps[s, points[i]]) << np.uint64(2) | np.uint64(colours[i] + 1)
            key = mix64(key + move + np.uint64(1))
        if key < least:
            least, turn = key, s
    return scramble(least), turn  # the least of eight is a small number; its bits are evened out again


def game_key(size: int, moves: Moves) -> int:
    """The key of a whole game, 0 to 2**64 - 1."""
    return int(_canonical(point_maps(size), moves, moves.points.size)[0])


def key_turn(size: int, moves: Moves) -> int:
    """The symmetry of `gocnn.go.symmetry` that turns a game to where all games of its key are the same: 0 to 7."""
    return int(_canonical(point_maps(size), moves, moves.points.size)[1])


def opening_key(size: int, moves: Moves) -> int:
    """The key of the first `OPENING_MOVES` moves, or all if fewer, and the set-up before them; 0 to 2**64 - 1."""
    if moves.points.size > OPENING_MOVES:
        early = moves.setup_at < OPENING_MOVES
        moves = moves._replace(
            setup_at=moves.setup_at[early],
            setup_points=moves.setup_points[early],
            setup_colours=moves.setup_colours[early],
        )
    return int(_canonical(point_maps(size), moves, OPENING_MOVES)[0])
