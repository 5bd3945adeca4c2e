"""Ladders, compiled: whether a chain with few liberties can be taken by atari after atari.

The attacker plays only on liberties of the prey, of which it has two at most; the defender extends, or takes stones in
atari that help to surround the prey. That is the reading of every beginner's book, and what a network that looks some
rows far cannot see of a ladder across the board.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from gocnn.go import core
from gocnn.go.core import EMPTY, LEGAL, SIMPLE, State

DEPTH = 160  # moves of both that a ladder may take, some beyond the longest on 25x25
CHOICES = 8  # moves that are tried in one position
NODES = 2000  # positions that one ladder may take; a longer search says that it fails

UNDECIDED, FAILED, DONE = -1, 0, 1  # what the player to move reaches


class Room(NamedTuple):
    """Positions to read in, one for each move deep; fields as in `State`, with a first axis for the depth."""

    colour: np.ndarray
    head: np.ndarray
    next: np.ndarray
    libs: np.ndarray
    length: np.ndarray
    info: np.ndarray
    key: np.ndarray
    moves: np.ndarray  # int16 [DEPTH + 2, CHOICES]: the cells to be tried
    choices: np.ndarray  # int64 [DEPTH + 2]: how many they are
    tried: np.ndarray  # int64 [DEPTH + 2]: and how many of them have been
    left: np.ndarray  # int64 [1]: positions that may still be looked at
    no_history: np.ndarray  # uint64 [0]: superko is not asked


@njit(cache=True, nogil=True)
def new_room(size):
    """Room to read ladders on boards of `size` x `size`."""
    cells = (size + 1) * (size + 2) + 1
    return Room(
        np.empty((DEPTH + 2, cells), np.int8),
        np.empty((DEPTH + 2, cells), np.int16),
        np.empty((DEPTH + 2, cells), np.int16),
        np.empty((DEPTH + 2, cells), np.int16),
        np.empty((DEPTH + 2, cells), np.int16),
        np.empty((DEPTH + 2, 4), np.int64),
        np.empty((DEPTH + 2, 1), np.uint64),
        np.empty((DEPTH + 2, CHOICES), np.int16),
        np.empty(DEPTH + 2, np.int64),
        np.empty(DEPTH + 2, np.int64),
        np.empty(1, np.int64),
        np.empty(0, np.uint64),
    )


@njit(cache=True, nogil=True)
def _position(room, depth):
    return State(
        room.colour[depth], room.head[depth], room.next[depth], room.libs[depth], room.length[depth],
        room.info[depth], room.key[depth],
    )  # fmt: skip


@njit(cache=True, nogil=True)
def runs_in_vain(state, room, cell, colour):
    """Whether a legal move on `cell` extends a chain out of atari that is then taken in a ladder all the same.

    A move that captures is never one.
    """
    width = state.info[core.SIZE] + 1
    rescued = False
    for direction in range(4):
        n = core.neighbour(cell, direction, width)
        if state.colour[n] == -colour and core.captures_at(state, cell, state.head[n], width):
            return False
        rescued |= state.colour[n] == colour and liberties_to_three(state, n)[0] == 1
    if not rescued:
        return False
    after = _position(room, 1)
    core.copy_into(after, state)
    core.play(after, core.to_point(cell, state.info[core.SIZE]), colour)
    return _reached(after, room, cell, True)


@njit(cache=True, nogil=True)
def can_capture(state, room, cell):
    """Whether the opponent of the stone on `cell`, who is to move, takes its chain in a ladder."""
    return _reached(state, room, cell, True)


@njit(cache=True, nogil=True)
def can_escape(state, room, cell):
    """Whether the chain of the stone on `cell`, whose player is to move, gets away from an atari.

    True for a chain with more liberties than one.
    """
    return _reached(state, room, cell, False)


@njit(cache=True, nogil=True)
def _reached(start, room, prey, attacking):
    """Whether the player to move reaches what he wants from a position: to take the chain on `prey`, or to save it.

    A player has reached it as soon as one of his moves leaves the other one without success. The attacker moves at even
    depths if he begins (`attacking`), else at odd ones.
    """
    verdict = _enter(start, room, 0, prey, attacking)
    if verdict != UNDECIDED:  # as it mostly is: nothing is copied
        return verdict == DONE
    room.left[0] = NODES
    depth = 0
    core.copy_into(_position(room, 0), start)
    while True:
        while verdict != UNDECIDED:
            if depth == 0:
                return verdict == DONE
            depth -= 1
            verdict = DONE if verdict == FAILED else UNDECIDED
        if room.tried[depth] == room.choices[depth]:
            verdict = FAILED
            continue
        cell = room.moves[depth, room.tried[depth]]
        room.tried[depth] += 1
        attacker_moves = attacking == (depth % 2 == 0)
        colour = _position(room, depth).colour[prey]
        if _try(room, depth, cell, -colour if attacker_moves else colour):
            depth += 1
            verdict = _enter(_position(room, depth), room, depth, prey, not attacker_moves)


@njit(cache=True, nogil=True, inline="always")
def _enter(state, room, depth, prey, attacker_moves):
    """The verdict for the player to move in a state at `depth`, or UNDECIDED with the moves to be tried."""
    count, one, two, _ = liberties_to_three(state, prey)
    room.tried[depth] = 0
    room.choices[depth] = 0
    if attacker_moves:
        if count == 1:
            return DONE if _is_legal(state, room.no_history, one, -state.colour[prey]) else FAILED
        if count == 3:
            return FAILED
        # The roomier way out is blocked first, and neither while the prey gets away by the other one at once.
        if _roominess(state, one) < _roominess(state, two):
            one, two = two, one
        for blocked, other in ((one, two), (two, one)):
            if not _is_safe_at(state, prey, other, blocked):
                room.moves[depth, room.choices[depth]] = blocked
                room.choices[depth] += 1
        return UNDECIDED if room.choices[depth] else FAILED
    if count > 1 or _is_safe_at(state, prey, one, -1):
        return DONE
    _list_captures(state, prey, one, room.moves[depth], room.choices[depth : depth + 1])
    room.moves[depth, room.choices[depth]] = one
    room.choices[depth] += 1
    return UNDECIDED


@njit(cache=True, nogil=True)
def _list_captures(state, prey, liberty, moves, choices):
    """Add to the moves, and their count, the last liberties of chains in atari around the prey, but its `liberty`."""
    width = state.info[core.SIZE] + 1
    colour = state.colour[prey]
    stone = prey
    while True:
        for direction in range(4):
            n = core.neighbour(stone, direction, width)
            if state.colour[n] == -colour:
                count, last, _, _ = liberties_to_three(state, n)
                known = count > 1 or last == liberty
                for i in range(choices[0]):
                    known |= moves[i] == last
                if not known and choices[0] < CHOICES - 1:
                    moves[choices[0]] = last
                    choices[0] += 1
        stone = state.next[stone]
        if stone == prey:
            return


@njit(cache=True, nogil=True)
def liberties_to_three(state, cell):
    """A chain's liberties, as far as three: (count, first, second, third), -1 where there is none."""
    width = state.info[core.SIZE] + 1
    one = two = -1
    stone = cell
    while True:
        for direction in range(4):
            n = core.neighbour(stone, direction, width)
            if state.colour[n] != EMPTY or n == one or n == two:
                continue
            if one < 0:
                one = n
            elif two < 0:
                two = n
            else:
                return 3, one, two, n
        stone = state.next[stone]
        if stone == cell:
            return (one >= 0) + (two >= 0), one, two, -1


@njit(cache=True, nogil=True)
def _is_legal(state, no_history, cell, colour):
    point = core.to_point(cell, state.info[core.SIZE])
    return core.legality(state, point, colour, SIMPLE, False, no_history) == LEGAL


@njit(cache=True, nogil=True, inline="always")
def _try(room, depth, cell, colour):
    """Play on `cell` in a copy one deeper; False if the rules forbid it or there is no more room."""
    if depth >= DEPTH or room.left[0] <= 0:
        return False
    state, after = _position(room, depth), _position(room, depth + 1)
    if not _is_legal(state, room.no_history, cell, colour):
        return False
    room.left[0] -= 1
    core.copy_into(after, state)
    core.play(after, core.to_point(cell, state.info[core.SIZE]), colour)
    return True


@njit(cache=True, nogil=True, inline="always")
def _roominess(state, cell):
    """The empty neighbours of a cell: how many liberties an extension there gains."""
    width = state.info[core.SIZE] + 1
    count = 0
    for direction in range(4):
        count += state.colour[core.neighbour(cell, direction, width)] == EMPTY
    return count


@njit(cache=True, nogil=True)
def _is_safe_at(state, prey, cell, taken):
    """Whether a chain, extended to its liberty `cell`, surely has three without the cell `taken` (-1: none)."""
    width = state.info[core.SIZE] + 1
    colour = state.colour[prey]
    one = two = -1  # liberties found so far
    for direction in range(4):
        n = core.neighbour(cell, direction, width)
        beyond = (n, -1, -1)
        if state.colour[n] == colour and state.head[n] != state.head[prey]:
            beyond = liberties_to_three(state, n)[1:]
        elif state.colour[n] != EMPTY:
            continue
        for liberty in beyond:
            if liberty in (-1, cell, taken, one, two):
                continue
            if two >= 0:
                return True
            one, two = (liberty, two) if one < 0 else (one, liberty)
    return False
