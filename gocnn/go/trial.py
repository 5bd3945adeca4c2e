"""Moves that are tried and taken back, compiled: what fights are read with.

They are made on one copy of the stones. No chains are kept up to date there: the few that matter are followed from
stone to stone when their liberties are wanted, mostly no farther than to the third.
"""

from __future__ import annotations

import numpy as np

from gocnn.go import core
from gocnn.go.core import EMPTY
from gocnn.jit import njit

DEPTH = 160  # moves that can be on the board at once
CHOICES = 8  # moves that can be noted for each depth

# Rows of the room. They are one array, since compiled code counts references to each that it is handed.
COLOUR = 0  # by cell: the stones, as in `State`
SEEN = 1  # by cell: the number of the last search that came by
CHAIN = 2  # the cells of the chain that was followed last
BESIDE = 3  # cells of opposing stones that touch a chain
TAKEN = 4  # cells of the stones captured by the moves on the board, oldest first
MOVES = 5  # CHOICES for each depth: cells to be tried, the last of them next
COUNT = 6  # by depth: how many they are
_PLAYED, _KO_BEFORE, TAKEN_BEFORE = 7, 8, 9  # by depth: the cell played, and what to restore when it is taken back
LIBERTY, OTHER = 10, 11  # by depth: the liberties of the chain that is hunted, 0 for none or not known
EXTENDED, EXTENDED_OTHER = 12, 13  # by depth: the same once it has been extended there
INFO = 14  # the numbers below
_ROWS = 15

# Columns of the row INFO: width, cell banned by ko (0: none), how many stones are taken, searches so far.
WIDTH, KO, CAPTURED, SEARCHES = 0, 1, 2, 3
_MOST_SEARCHES = 2**30  # then their count begins anew


@njit(cache=True, nogil=True)
def new_room(size):
    """int32 [rows, columns]: what fights on boards of `size` x `size` are read in, one after the other."""
    cells = (size + 1) * (size + 2) + 1
    return np.zeros((_ROWS, max(cells + DEPTH, (DEPTH + 1) * CHOICES)), np.int32)


@njit(cache=True, nogil=True)
def enter(state, room):
    """Begin to read in a position, which stays as it is."""
    room[INFO, WIDTH] = state.info[core.SIZE] + 1
    room[INFO, KO] = state.info[core.KO]
    room[INFO, CAPTURED] = 0
    if room[INFO, SEARCHES] > _MOST_SEARCHES:
        room[INFO, SEARCHES] = 0
        room[SEEN] = 0
    colours = state.colour
    for cell in range(colours.size):
        room[COLOUR, cell] = colours[cell]


@njit(cache=True, nogil=True)
def follow(room, cell, enough):
    """Follow a chain until `enough` liberties are found: (liberties, the first two or 0, stones).

    If it has fewer, all of its stones have been found and are in the row CHAIN.
    """
    width = room[INFO, WIDTH]
    room[INFO, SEARCHES] += 1
    search = room[INFO, SEARCHES]
    mine = room[COLOUR, cell]
    room[CHAIN, 0] = cell
    room[SEEN, cell] = search
    stones, count, one, two = 1, 0, 0, 0
    done = 0
    while done < stones:
        stone = room[CHAIN, done]
        done += 1
        for n in (stone - width, stone - 1, stone + 1, stone + width):
            if room[SEEN, n] == search:
                continue
            room[SEEN, n] = search
            if room[COLOUR, n] == mine:
                room[CHAIN, stones] = n
                stones += 1
            elif room[COLOUR, n] == EMPTY:
                count += 1
                if count == 1:
                    one = n
                elif count == 2:
                    two = n
                if count == enough:
                    return count, one, two, stones
    return count, one, two, stones


@njit(cache=True, nogil=True)
def play(room, depth, cell, colour):
    """Play on `cell`, to be taken back at `depth`; False if the rules forbid it."""
    if room[COLOUR, cell] != EMPTY:
        return False
    width = room[INFO, WIDTH]
    liberties = friends = opponents = 0  # neighbouring cells
    for n in (cell - width, cell - 1, cell + 1, cell + width):
        liberties += room[COLOUR, n] == EMPTY
        friends += room[COLOUR, n] == colour
        opponents += room[COLOUR, n] == -colour
    if opponents and cell == room[INFO, KO]:  # whoever took the ko may fill it
        return False
    room[COLOUR, cell] = colour
    taken_before = room[INFO, CAPTURED]
    taken = taken_before
    if opponents:
        for n in (cell - width, cell - 1, cell + 1, cell + width):
            if room[COLOUR, n] == -colour:
                left, _, _, stones = follow(room, n, 1)
                if left == 0:
                    for i in range(stones):
                        room[TAKEN, taken] = room[CHAIN, i]
                        room[COLOUR, room[CHAIN, i]] = EMPTY
                        taken += 1
    if not liberties and taken == taken_before and not (friends and follow(room, cell, 1)[0]):
        room[COLOUR, cell] = EMPTY
        return False
    room[_PLAYED, depth] = cell
    room[_KO_BEFORE, depth] = room[INFO, KO]
    room[TAKEN_BEFORE, depth] = taken_before
    room[INFO, CAPTURED] = taken
    retakable = taken == taken_before + 1 and not friends and not liberties
    room[INFO, KO] = room[TAKEN, taken_before] if retakable else 0
    return True


@njit(cache=True, nogil=True)
def take_back(room, depth):
    """Take back the move that was played at a depth."""
    cell = room[_PLAYED, depth]
    colour = room[COLOUR, cell]
    room[COLOUR, cell] = EMPTY
    for i in range(room[TAKEN_BEFORE, depth], room[INFO, CAPTURED]):
        room[COLOUR, room[TAKEN, i]] = -colour
    room[INFO, CAPTURED] = room[TAKEN_BEFORE, depth]
    room[INFO, KO] = room[_KO_BEFORE, depth]
