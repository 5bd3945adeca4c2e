"""Ladders, compiled: whether a chain with few liberties can be taken by atari after atari.

The attacker plays only on liberties of the prey, of which it has two at most; the defender extends, or takes stones in
atari that help to surround the prey. That is the reading of every beginner's book, and what a network that looks some
rows far cannot see of a ladder across the board.

Moves are tried on one copy of the stones and taken back. No chains are kept up to date there: the few that matter are
followed from stone to stone when their liberties are wanted, mostly no farther than to the third.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from gocnn.go import core
from gocnn.go.core import EMPTY

DEPTH = 160  # moves of both that a ladder may take, some beyond the longest on 25x25
CHOICES = 8  # moves that are tried in one position
NODES = 2000  # positions that one ladder may take; after a longer search the chain is said to get away

_UNDECIDED, _FAILED, _DONE = -1, 0, 1  # what the player to move reaches

# Rows of the room. They are one array, since compiled code counts references to each that it is handed.
_COLOUR = 0  # by cell: the stones, as in `State`
_SEEN = 1  # by cell: the number of the last search that came by
_CHAIN = 2  # the cells of the chain that was followed last
_BESIDE = 3  # cells of opposing stones that touch a chain
_TAKEN = 4  # cells of the stones captured by the moves on the board, oldest first
_MOVES = 5  # CHOICES for each depth: cells to be tried, the last of them next
_COUNT = 6  # by depth: how many they are
_PLAYED, _KO_BEFORE, _TAKEN_BEFORE = 7, 8, 9  # by depth: the cell played, and what to restore when it is taken back
_INFO = 10  # the numbers below
_ROWS = 11

# Columns of the row _INFO: width, cell banned by ko (0: none), how many stones are taken, searches so far.
_WIDTH, _KO, _CAPTURED, _SEARCHES = 0, 1, 2, 3
_MOST_SEARCHES = 2**30  # then their count begins anew


@njit(cache=True, nogil=True)
def new_room(size):
    """int32 [rows, columns]: what ladders on boards of `size` x `size` are read in, one after the other."""
    cells = (size + 1) * (size + 2) + 1
    return np.zeros((_ROWS, max(cells + DEPTH, (DEPTH + 1) * CHOICES)), np.int32)


@njit(cache=True, nogil=True)
def enter(state, room):
    """Begin to read in a position, which stays as it is."""
    room[_INFO, _WIDTH] = state.info[core.SIZE] + 1
    room[_INFO, _KO] = state.info[core.KO]
    room[_INFO, _CAPTURED] = 0
    if room[_INFO, _SEARCHES] > _MOST_SEARCHES:
        room[_INFO, _SEARCHES] = 0
        room[_SEEN] = 0
    colours = state.colour
    for cell in range(colours.size):
        room[_COLOUR, cell] = colours[cell]


@njit(cache=True, nogil=True)
def can_capture(room, cell):
    """Whether the opponent of the stone on `cell`, who is to move, takes its chain in a ladder."""
    return _succeeds(room, cell, np.int64(-room[_COLOUR, cell]))


@njit(cache=True, nogil=True)
def can_escape(room, cell):
    """Whether the chain of the stone on `cell`, whose player is to move, gets away from an atari.

    True for a chain with more liberties than one.
    """
    return _succeeds(room, cell, np.int64(room[_COLOUR, cell]))


@njit(cache=True, nogil=True)
def runs_in_vain(state, room, cell, colour):
    """Whether a legal move on `cell` extends a chain out of atari that is then taken in a ladder all the same.

    A move that captures is never one.
    """
    enter(state, room)
    return (
        _in_atari_beside(room, cell, colour)
        and not _in_atari_beside(room, cell, -colour)
        and _play(room, np.int64(0), cell, colour)
        and _succeeds(room, cell, -colour)
    )


@njit(cache=True, nogil=True)
def _succeeds(room, prey, to_move):
    """Whether the player to move reaches what he wants: to save his chain on the cell `prey`, or to take the other's.

    He has reached it as soon as one of his moves leaves the other one without success.
    """
    depth, left = np.int64(0), NODES
    verdict = _list_moves(room, depth, prey, to_move)
    while True:
        while verdict != _UNDECIDED:
            if depth == 0:
                return verdict == _DONE
            depth -= 1
            _take_back(room, depth)
            to_move = -to_move
            verdict = _DONE if verdict == _FAILED else _UNDECIDED
        if depth == DEPTH or left == 0:
            defends = (room[_COLOUR, prey] == to_move) == (depth % 2 == 0)
            while depth:
                depth -= 1
                _take_back(room, depth)
            return defends
        if room[_COUNT, depth] == 0:
            verdict = _FAILED
            continue
        room[_COUNT, depth] -= 1
        if _play(room, depth, np.int64(room[_MOVES, depth * CHOICES + room[_COUNT, depth]]), to_move):
            left -= 1
            depth += 1
            to_move = -to_move
            verdict = _list_moves(room, depth, prey, to_move)


@njit(cache=True, nogil=True)
def _list_moves(room, depth, prey, to_move):
    """The verdict for the player to move, or _UNDECIDED with the moves to be tried."""
    moves, count = room[_MOVES, depth * CHOICES : (depth + 1) * CHOICES], 0
    liberties, one, two, _ = _liberties(room, prey)
    if room[_COLOUR, prey] == to_move:
        if liberties > 1:
            return _DONE
        extended, stones = _liberties_at(room, one, np.int64(0), to_move)
        if extended == 3:
            return _DONE
        if extended == 2:
            moves[0], count = one, 1
        count = _add_captures(room, stones, -to_move, moves, count)
    else:
        if liberties == 1:
            return _FAILED if one == room[_INFO, _KO] else _DONE
        if liberties == 3:
            return _FAILED
        # No liberty is blocked while the prey gets away by the other at once; the narrower way is left to it first.
        after_one, _ = _liberties_at(room, two, one, -to_move)
        after_two, _ = _liberties_at(room, one, two, -to_move)
        if after_one < after_two:
            one, two, after_one, after_two = two, one, after_two, after_one
        if after_one < 3:
            moves[0], count = one, 1
        if after_two < 3:
            moves[count] = two
            count += 1
    room[_COUNT, depth] = count
    return _UNDECIDED if count else _FAILED


@njit(cache=True, nogil=True)
def _add_captures(room, stones, other, moves, count):
    """Add captures of `other` stones beside the chain found last to `count` moves; returns their new count."""
    width = room[_INFO, _WIDTH]
    room[_INFO, _SEARCHES] += 1
    search = room[_INFO, _SEARCHES]
    found = 0
    for i in range(stones):
        cell = room[_CHAIN, i]
        for n in (cell - width, cell - 1, cell + 1, cell + width):
            if room[_COLOUR, n] == other and room[_SEEN, n] != search:
                room[_SEEN, n] = search
                room[_BESIDE, found] = n
                found += 1
    for i in range(found):
        liberties, last, _, _ = _liberties(room, np.int64(room[_BESIDE, i]))
        known = liberties > 1
        for k in range(count):
            known |= moves[k] == last
        if not known and count < CHOICES:
            moves[count] = last
            count += 1
    return count


@njit(cache=True, nogil=True)
def _liberties(room, cell):
    """Follow a chain to its third liberty: (liberties, the first two or 0, stones).

    If it has fewer than three, all of its stones have been found and are in the row _CHAIN.
    """
    width = room[_INFO, _WIDTH]
    room[_INFO, _SEARCHES] += 1
    search = room[_INFO, _SEARCHES]
    mine = room[_COLOUR, cell]
    room[_CHAIN, 0] = cell
    room[_SEEN, cell] = search
    stones, count, one, two = 1, 0, 0, 0
    done = 0
    while done < stones:
        stone = room[_CHAIN, done]
        done += 1
        for n in (stone - width, stone - 1, stone + 1, stone + width):
            if room[_SEEN, n] == search:
                continue
            room[_SEEN, n] = search
            if room[_COLOUR, n] == mine:
                room[_CHAIN, stones] = n
                stones += 1
            elif room[_COLOUR, n] == EMPTY:
                count += 1
                if count == 1:
                    one = n
                elif count == 2:
                    two = n
                else:
                    return 3, one, two, stones
    return count, one, two, stones


@njit(cache=True, nogil=True)
def _liberties_at(room, cell, taken, mine):
    """The liberties, three at most, and stones of the chain that a stone of colour `mine` on an empty cell would be in.

    Nothing is captured for it, and the other side has a stone on the empty cell `taken`, if it is not 0.
    """
    room[_COLOUR, cell] = mine
    if taken:
        room[_COLOUR, taken] = -mine
    liberties, _, _, stones = _liberties(room, cell)
    room[_COLOUR, cell] = EMPTY
    if taken:
        room[_COLOUR, taken] = EMPTY
    return liberties, stones


@njit(cache=True, nogil=True)
def _in_atari_beside(room, cell, colour):
    """Whether an empty cell is the last liberty of a chain of a colour."""
    width = room[_INFO, _WIDTH]
    for n in (cell - width, cell - 1, cell + 1, cell + width):
        if room[_COLOUR, n] == colour and _liberties(room, n)[0] == 1:
            return True
    return False


@njit(cache=True, nogil=True)
def _play(room, depth, cell, colour):
    """Play on `cell`, to be taken back at `depth`; False if the rules forbid it."""
    if room[_COLOUR, cell] != EMPTY:
        return False
    width = room[_INFO, _WIDTH]
    liberties = friends = opponents = 0  # neighbouring cells
    for n in (cell - width, cell - 1, cell + 1, cell + width):
        liberties += room[_COLOUR, n] == EMPTY
        friends += room[_COLOUR, n] == colour
        opponents += room[_COLOUR, n] == -colour
    if opponents and cell == room[_INFO, _KO]:  # whoever took the ko may fill it
        return False
    room[_COLOUR, cell] = colour
    taken_before = room[_INFO, _CAPTURED]
    taken = taken_before
    if opponents:
        for n in (cell - width, cell - 1, cell + 1, cell + width):
            if room[_COLOUR, n] == -colour:
                left, _, _, stones = _liberties(room, n)
                if left == 0:
                    for i in range(stones):
                        room[_TAKEN, taken] = room[_CHAIN, i]
                        room[_COLOUR, room[_CHAIN, i]] = EMPTY
                        taken += 1
    if not liberties and taken == taken_before and not (friends and _liberties(room, cell)[0]):
        room[_COLOUR, cell] = EMPTY
        return False
    room[_PLAYED, depth] = cell
    room[_KO_BEFORE, depth] = room[_INFO, _KO]
    room[_TAKEN_BEFORE, depth] = taken_before
    room[_INFO, _CAPTURED] = taken
    retakable = taken == taken_before + 1 and not friends and not liberties
    room[_INFO, _KO] = room[_TAKEN, taken_before] if retakable else 0
    return True


@njit(cache=True, nogil=True)
def _take_back(room, depth):
    """Take back the move that was played at a depth."""
    cell = room[_PLAYED, depth]
    colour = room[_COLOUR, cell]
    room[_COLOUR, cell] = EMPTY
    for i in range(room[_TAKEN_BEFORE, depth], room[_INFO, _CAPTURED]):
        room[_COLOUR, room[_TAKEN, i]] = -colour
    room[_INFO, _CAPTURED] = room[_TAKEN_BEFORE, depth]
    room[_INFO, _KO] = room[_KO_BEFORE, depth]
