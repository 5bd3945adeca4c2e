"""Ladders, compiled: whether a chain with few liberties can be taken by atari after atari.

The attacker plays only on liberties of the prey, of which it has two at most; the defender extends, or takes stones in
atari that help to surround the prey. That is the reading of every beginner's book, and what a network that looks some
rows far cannot see of a ladder across the board.

Moves are tried in a room of `gocnn.go.trial`, and taken back.
"""

from __future__ import annotations

import numpy as np

from gocnn.go.core import EMPTY
from gocnn.go.trial import (
    BESIDE,
    CAPTURED,
    CHAIN,
    CHOICES,
    COLOUR,
    COUNT,
    DEPTH,
    EXTENDED,
    EXTENDED_OTHER,
    INFO,
    KO,
    LIBERTY,
    MOVES,
    OTHER,
    SEARCHES,
    SEEN,
    TAKEN_BEFORE,
    WIDTH,
    enter,
    follow,
    play,
    take_back,
)
from gocnn.jit import njit

NODES = 2000  # positions that one ladder may take; after a longer search the chain is said to get away

_UNDECIDED, _FAILED, _DONE = -1, 0, 1  # what the player to move reaches


@njit(cache=True, nogil=True)
def can_capture(room, cell):
    """Whether the opponent of the stone on `cell`, who is to move, takes its chain in a ladder."""
    return _succeeds(room, cell, np.int64(-room[COLOUR, cell]))


@njit(cache=True, nogil=True)
def can_escape(room, cell):
    """Whether the chain of the stone on `cell`, whose player is to move, gets away from an atari.

    True for a chain with more liberties than one.
    """
    return _succeeds(room, cell, np.int64(room[COLOUR, cell]))


@njit(cache=True, nogil=True)
def runs_in_vain(state, room, cell, colour):
    """Whether a legal move on `cell` extends a chain out of atari that is then taken in a ladder all the same.

    A move that captures is never one.
    """
    enter(state, room)
    return (
        _in_atari_beside(room, cell, colour)
        and not _in_atari_beside(room, cell, -colour)
        and play(room, np.int64(0), cell, colour)
        and _succeeds(room, cell, -colour)
    )


@njit(cache=True, nogil=True)
def _succeeds(room, prey, to_move):
    """Whether the player to move reaches what he wants: to save his chain on the cell `prey`, or to take the other's.

    He has reached it as soon as one of his moves leaves the other one without success.
    """
    depth, left = np.int64(0), NODES
    room[LIBERTY, depth] = room[OTHER, depth] = 0
    verdict = _list_moves(room, depth, prey, to_move)
    while True:
        while verdict != _UNDECIDED:
            if depth == 0:
                return verdict == _DONE
            depth -= 1
            take_back(room, depth)
            to_move = -to_move
            verdict = _DONE if verdict == _FAILED else _UNDECIDED
        if depth == DEPTH or left == 0:
            defends = (room[COLOUR, prey] == to_move) == (depth % 2 == 0)
            while depth:
                depth -= 1
                take_back(room, depth)
            return defends
        if room[COUNT, depth] == 0:
            verdict = _FAILED
            continue
        room[COUNT, depth] -= 1
        move = np.int64(room[MOVES, depth * CHOICES + room[COUNT, depth]])
        if play(room, depth, move, to_move):
            left -= 1
            _note_liberties(room, depth, move, room[COLOUR, prey] == to_move)
            depth += 1
            to_move = -to_move
            verdict = _list_moves(room, depth, prey, to_move)


@njit(cache=True, nogil=True)
def _note_liberties(room, depth, move, is_prey):
    """Note the liberties that the prey has after a move at a depth, by its own side or the other, where they are known.

    A move that captures makes others. What is noted here need not be followed anew.
    """
    one = two = 0
    if room[INFO, CAPTURED] == room[TAKEN_BEFORE, depth]:
        if not is_prey:
            one = room[LIBERTY, depth] + room[OTHER, depth] - move
        elif move == room[LIBERTY, depth]:
            one, two = room[EXTENDED, depth], room[EXTENDED_OTHER, depth]
    room[LIBERTY, depth + 1], room[OTHER, depth + 1] = one, two


@njit(cache=True, nogil=True)
def _list_moves(room, depth, prey, to_move):
    """The verdict for the player to move, or _UNDECIDED with the moves to be tried."""
    moves, count = room[MOVES, depth * CHOICES : (depth + 1) * CHOICES], 0
    one, two = np.int64(room[LIBERTY, depth]), np.int64(room[OTHER, depth])
    liberties = 2 if two else 1
    if not one:
        liberties, one, two, _ = follow(room, prey, 3)
        room[LIBERTY, depth], room[OTHER, depth] = one, two
    if room[COLOUR, prey] == to_move:
        if liberties > 1:
            return _DONE
        extended, first, second, stones = _liberties_at(room, one, np.int64(0), to_move)
        room[EXTENDED, depth], room[EXTENDED_OTHER, depth] = first, second
        if extended == 3:
            return _DONE
        if extended == 2:
            moves[0], count = one, 1
        count = _add_captures(room, stones, -to_move, moves, count)
    else:
        if liberties == 1:
            return _FAILED if one == room[INFO, KO] else _DONE
        if liberties == 3:
            return _FAILED
        # No liberty is blocked while the prey gets away by the other at once; the narrower way is left to it first.
        after_one = _liberties_at(room, two, one, -to_move)[0]
        after_two = _liberties_at(room, one, two, -to_move)[0]
        if after_one < after_two:
            one, two, after_one, after_two = two, one, after_two, after_one
        if after_one < 3:
            moves[0], count = one, 1
        if after_two < 3:
            moves[count] = two
            count += 1
    room[COUNT, depth] = count
    return _UNDECIDED if count else _FAILED


@njit(cache=True, nogil=True)
def _add_captures(room, stones, other, moves, count):
    """Add captures of `other` stones beside the chain found last to `count` moves; returns their new count."""
    width = room[INFO, WIDTH]
    room[INFO, SEARCHES] += 1
    search = room[INFO, SEARCHES]
    found = 0
    for i in range(stones):
        cell = room[CHAIN, i]
        for n in (cell - width, cell - 1, cell + 1, cell + width):
            if room[COLOUR, n] == other and room[SEEN, n] != search:
                room[SEEN, n] = search
                room[BESIDE, found] = n
                found += 1
    for i in range(found):
        liberties, last, _, _ = follow(room, np.int64(room[BESIDE, i]), 2)
        known = liberties > 1
        for k in range(count):
            known |= moves[k] == last
        if not known and count < CHOICES:
            moves[count] = last
            count += 1
    return count


@njit(cache=True, nogil=True)
def _liberties_at(room, cell, taken, mine):
    """What `follow` finds, to the third liberty, of the chain that a stone of colour `mine` on `cell` would be in.

    Nothing is captured for it, and the other side has a stone on the empty cell `taken`, if it is not 0.
    """
    room[COLOUR, cell] = mine
    if taken:
        room[COLOUR, taken] = -mine
    found = follow(room, cell, 3)
    room[COLOUR, cell] = EMPTY
    if taken:
        room[COLOUR, taken] = EMPTY
    return found


@njit(cache=True, nogil=True)
def _in_atari_beside(room, cell, colour):
    """Whether an empty cell is the last liberty of a chain of a colour."""
    width = room[INFO, WIDTH]
    for n in (cell - width, cell - 1, cell + 1, cell + width):
        if room[COLOUR, n] == colour and follow(room, n, 2)[0] == 1:
            return True
    return False
