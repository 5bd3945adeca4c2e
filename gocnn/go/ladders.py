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
    found = np.empty(3, np.int16)
    rescued = False
    for direction in range(4):
        n = core.neighbour(cell, direction, width)
        if state.colour[n] == -colour and core.captures_at(state, cell, state.head[n], width):
            return False
        rescued |= state.colour[n] == colour and _liberties(state, n, found) == 1
    if not rescued:
        return False
    after = _position(room, 0)
    core.copy_into(after, state)
    core.play(after, core.to_point(cell, state.info[core.SIZE]), colour)
    return _reached(room, cell, True)


@njit(cache=True, nogil=True)
def can_capture(state, room, cell):
    """Whether the opponent of the stone on `cell`, who is to move, takes its chain in a ladder."""
    core.copy_into(_position(room, 0), state)
    return _reached(room, cell, True)


@njit(cache=True, nogil=True)
def can_escape(state, room, cell):
    """Whether the chain of the stone on `cell`, whose player is to move, gets away from an atari.

    True for a chain with more liberties than one.
    """
    core.copy_into(_position(room, 0), state)
    return _reached(room, cell, False)


@njit(cache=True, nogil=True)
def _reached(room, prey, attacking):
    """Whether the player to move at depth 0 reaches what he wants: to take the chain on `prey`, or to save it.

    A player has reached it as soon as one of his moves leaves the other one without success. The attacker moves at even
    depths if he begins (`attacking`), else at odd ones.
    """
    room.left[0] = NODES
    depth = 0
    verdict = _enter(room, depth, prey, attacking)
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
            verdict = _enter(room, depth, prey, not attacker_moves)


@njit(cache=True, nogil=True)
def _enter(room, depth, prey, attacker_moves):
    """The verdict for the player to move at `depth`, or UNDECIDED with the moves to be tried."""
    state = _position(room, depth)
    found = np.empty(3, np.int16)
    count = _liberties(state, prey, found)
    room.tried[depth] = 0
    room.choices[depth] = 0
    if attacker_moves:
        if count == 1:
            return DONE if _is_legal(state, found[0], -state.colour[prey]) else FAILED
        if count == 3:
            return FAILED
        # The roomier way out is blocked first.
        first = 0 if _roominess(state, found[0]) >= _roominess(state, found[1]) else 1
        room.moves[depth, 0], room.moves[depth, 1] = found[first], found[1 - first]
        room.choices[depth] = 2
        return UNDECIDED
    if count > 1:
        return DONE
    _list_captures(state, prey, found[0], room.moves[depth], room.choices[depth : depth + 1])
    room.moves[depth, room.choices[depth]] = found[0]
    room.choices[depth] += 1
    return UNDECIDED


@njit(cache=True, nogil=True)
def _list_captures(state, prey, liberty, moves, count):
    """Put the last liberties of chains in atari around the prey into `moves`, but for the prey's own `liberty`."""
    width = state.info[core.SIZE] + 1
    colour = state.colour[prey]
    found = np.empty(3, np.int16)
    stone = prey
    while True:
        for direction in range(4):
            n = core.neighbour(stone, direction, width)
            if state.colour[n] == -colour and _liberties(state, n, found) == 1 and found[0] != liberty:
                known = False
                for i in range(count[0]):
                    known |= moves[i] == found[0]
                if not known and count[0] < CHOICES - 1:
                    moves[count[0]] = found[0]
                    count[0] += 1
        stone = state.next[stone]
        if stone == prey:
            return


@njit(cache=True, nogil=True)
def _liberties(state, cell, found):
    """Count a chain's liberties as far as three, and put them into `found` (int16 [3])."""
    width = state.info[core.SIZE] + 1
    head = state.head[cell]
    count = 0
    stone = head
    while True:
        for direction in range(4):
            n = core.neighbour(stone, direction, width)
            if state.colour[n] == EMPTY and (count < 1 or found[0] != n) and (count < 2 or found[1] != n):
                found[count] = n
                count += 1
                if count == 3:
                    return 3
        stone = state.next[stone]
        if stone == head:
            return count


@njit(cache=True, nogil=True)
def _is_legal(state, cell, colour):
    point = core.to_point(cell, state.info[core.SIZE])
    return core.legality(state, point, colour, SIMPLE, False, np.empty(0, np.uint64)) == LEGAL


@njit(cache=True, nogil=True)
def _try(room, depth, cell, colour):
    """Play on `cell` in a copy one deeper; False if the rules forbid it or there is no more room."""
    if depth >= DEPTH or room.left[0] <= 0:
        return False
    state, after = _position(room, depth), _position(room, depth + 1)
    if not _is_legal(state, cell, colour):
        return False
    room.left[0] -= 1
    core.copy_into(after, state)
    core.play(after, core.to_point(cell, state.info[core.SIZE]), colour)
    return True


@njit(cache=True, nogil=True)
def _roominess(state, cell):
    """The empty neighbours of a cell: how many liberties an extension there gains."""
    width = state.info[core.SIZE] + 1
    count = 0
    for direction in range(4):
        count += state.colour[core.neighbour(cell, direction, width)] == EMPTY
    return count
