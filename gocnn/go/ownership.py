"""Who owns what, by random playouts: the mean end of many games that two beginners play out.

A beginner answers an atari, else plays any legal move that neither fills his own eye nor puts two
or more of his stones into atari, and passes when there is none (after B. Bruegmann, "Monte Carlo
Go", 1993; the replies after S. Gelly et al., "Modification of UCT with patterns in Monte-Carlo Go",
2006). Living groups survive nearly all of these games and dead ones hardly any, so the mean tells
them apart once the borders are drawn. In the opening it means little.
"""

from __future__ import annotations

import numpy as np

from gocnn.go import EMPTY, Board, core, life, scoring
from gocnn.go.tactics import NOWHERE, self_atari, urgent_reply
from gocnn.jit import njit

PLAYOUTS = 200

#: The mean owner from which on a point counts as settled. On the last positions of counted
#: professional games, no game whose `score_bounds` were both on one side was lost by that side.
SURE = 0.7


def ownership(board: Board, playouts: int = PLAYOUTS, seed: int = 1) -> np.ndarray:
    """float32 [size, size]: the mean owner of each point, +1 surely BLACK's, -1 surely WHITE's.

    The same board, number and seed give the same answer; the board is left as it is.
    """
    total = add_playouts(board.state, board.to_move, playouts, seed)
    return (total / playouts).astype(np.float32)


def score_bounds(owner: np.ndarray, komi: float) -> tuple[float, float]:
    """Black's area score at the worst and at the best, going by `ownership`.

    A point less sure than SURE is counted for White in the first and for Black in the second.
    """
    points = owner.size
    black, white = np.count_nonzero(owner >= SURE), np.count_nonzero(owner <= -SURE)
    return 2.0 * black - points - komi, points - 2.0 * white - komi


@njit(cache=True, nogil=True)
def add_playouts(start: core.State, to_move: int, playouts: int, seed: int) -> np.ndarray:
    """int64 [size, size]: the owner maps of all playouts from a state, added up."""
    np.random.seed(seed)
    size = start.info[core.SIZE]
    state = core.new_state(size)
    total = np.zeros((size, size), np.int64)
    stones = np.empty((size, size), np.int8)
    for _ in range(playouts):
        core.copy_into(state, start)
        _play_out(state, to_move)
        for row in range(size):
            first = core.to_cell(row * size, size)
            for col in range(size):
                stones[row, col] = state.colour[first + col]
        total += scoring.owner_map(stones)
    return total


@njit(cache=True, nogil=True)
def _play_out(state: core.State, colour: int) -> None:
    """Play until both pass, or for three times as many moves as there are points."""
    size = state.info[core.SIZE]
    empty = np.empty(size * size, np.int64)  # the empty cells, in any order
    index = np.empty(state.colour.size, np.int64)  # where in `empty` a cell is
    count = _collect_empty(state, empty, index)
    last = NOWHERE  # the cell of the last move, -1 after a pass
    passed = False
    for _ in range(3 * size * size):
        chosen = NOWHERE
        if last >= 0:
            reply = urgent_reply(state, last, colour)
            if reply >= 0 and _plays(state, reply, colour):
                chosen = reply
        left = count
        while left and chosen < 0:
            # Draw without replacement: cells that won't do are moved behind those not yet tried.
            cell = empty[np.random.randint(left)]
            left -= 1
            _swap(empty, index, cell, empty[left])
            if _plays(state, cell, colour):
                chosen = cell
        if chosen < 0:
            if passed:
                return
            state.info[core.KO] = 0
            passed = True
            last = NOWHERE
        else:
            passed = False
            last = chosen
            if core.play_at(state, chosen, colour):
                count = _collect_empty(state, empty, index)
            else:
                count -= 1
                _swap(empty, index, chosen, empty[count])
        colour = -colour


@njit(cache=True, nogil=True)
def _plays(state: core.State, cell: int, colour: int) -> bool:
    """Whether a beginner would play on an empty cell at all."""
    width = state.info[core.SIZE] + 1
    liberties = 0
    for direction in range(4):
        liberties += state.colour[core.neighbour(cell, direction, width)] == EMPTY
    if liberties >= 2:
        return True  # neither an eye nor forbidden, and no self-atari
    if life.is_eye(state, cell, colour):
        return False
    if core.is_suicide(state, cell, colour, width) or core.retakes_ko(state, cell, colour, width):
        return False
    return self_atari(state, cell, colour) < 2


@njit(cache=True, nogil=True)
def _collect_empty(state: core.State, empty: np.ndarray, index: np.ndarray) -> int:
    """Write the empty cells to the front of `empty`; returns how many there are."""
    size = state.info[core.SIZE]
    count = 0
    for cell in range(core.to_cell(0, size), core.to_cell(size * size - 1, size) + 1):
        if state.colour[cell] == EMPTY:
            empty[count] = cell
            index[cell] = count
            count += 1
    return count


@njit(cache=True, nogil=True, inline="always")
def _swap(empty: np.ndarray, index: np.ndarray, a: int, b: int) -> None:
    """Let two cells change places in the list of empty cells."""
    i, j = index[a], index[b]
    empty[i], empty[j] = b, a
    index[a], index[b] = j, i
