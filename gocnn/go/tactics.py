"""Atari, compiled: the few lines of tactics that playouts and the player need."""

from __future__ import annotations

from typing import Any

import numpy as np

from gocnn.go import EMPTY, core
from gocnn.jit import njit

NOWHERE: Any = np.int64(-1)  # no cell; to numba a plain -1 is a type of its own, to compile for once more


@njit(cache=True, nogil=True)
def liberties_to_two(state: core.State, head: int, ignored: int) -> tuple[int, int]:
    """Count a chain's liberties as far as two, leaving out the cell `ignored` (or NOWHERE).

    Returns the count (0, 1, or 2 for two and more) and the liberty if there is one alone, else any number.
    """
    # A cell is beside four stones at most, so that more pairs of stone and liberty than this are two liberties.
    if state.libs[head] > (4 if ignored < 0 else 8):
        return 2, -1
    width = state.info[core.SIZE] + 1
    found = -1
    cell = head
    while True:
        for direction in range(4):
            n = core.neighbour(cell, direction, width)
            if state.colour[n] == EMPTY and n != ignored and n != found:
                if found >= 0:
                    return 2, found
                found = n
        cell = state.next[cell]
        if cell == head:
            return (0 if found < 0 else 1), found


@njit(cache=True, nogil=True)
def self_atari(state: core.State, cell: int, colour: int) -> int:
    """The stones that a legal move on `cell` puts into atari, itself counted; 0 if none.

    A move that captures is never counted as one.
    """
    width = state.info[core.SIZE] + 1
    liberty = -1
    stones = 1
    joined = (-1, -1, -1)
    for direction in range(4):
        n = core.neighbour(cell, direction, width)
        other = state.colour[n]
        if other == -colour and core.captures_at(state, cell, state.head[n], width):
            return 0
        reached = -1
        if other == EMPTY:
            reached = n
        elif other == colour and state.head[n] not in joined:
            count, reached = liberties_to_two(state, state.head[n], cell)
            if count == 2:
                return 0
            stones += state.length[state.head[n]]
            joined = (joined[1], joined[2], int(state.head[n]))
        if reached >= 0:
            if liberty >= 0 and liberty != reached:
                return 0
            liberty = reached
    return stones


@njit(cache=True, nogil=True)
def urgent_reply(state: core.State, last: int, colour: int) -> int:
    """Where `colour` answers an atari after the opponent's move on the cell `last`, or NOWHERE.

    Takes the stone just played if it stands in atari, or if it put an own chain into atari, a larger chain that helps
    to surround that one, or any that does if the stone was thrown in: to take a single stone on a chain's own last
    liberty leaves it in atari. Else extends.
    """
    width = state.info[core.SIZE] + 1
    reply, most = -1, 0
    taken = NOWHERE
    if state.colour[last] == -colour:
        count, liberty = liberties_to_two(state, state.head[last], NOWHERE)
        if count == 1:
            taken = np.int64(state.head[last])
            reply, most = liberty, state.length[taken]
    for direction in range(4):
        n = core.neighbour(last, direction, width)
        if state.colour[n] != colour:
            continue
        count, liberty = liberties_to_two(state, state.head[n], NOWHERE)
        if count == 1:
            captor, stones = _largest_in_atari_beside(state, state.head[n], taken, width)
            if stones > most or (stones > 0 and most == 1 and liberty == reply):
                reply, most = captor, stones
            elif most == 0 and reply < 0:
                reply = liberty
    return reply


@njit(cache=True, nogil=True)
def _largest_in_atari_beside(state: core.State, head: int, but: int, width: int) -> tuple[int, int]:
    """The last liberty and the stones of the largest opposing chain in atari that touches a chain; (-1, 0) if none.

    The chain with the head `but` (or NOWHERE) is left out.
    """
    colour = state.colour[head]
    found, most = -1, 0
    cell = head
    while True:
        for direction in range(4):
            n = core.neighbour(cell, direction, width)
            if state.colour[n] == -colour and state.head[n] != but and state.length[state.head[n]] > most:
                count, liberty = liberties_to_two(state, state.head[n], NOWHERE)
                if count == 1:
                    found, most = liberty, state.length[state.head[n]]
        cell = state.next[cell]
        if cell == head:
            return found, most
