"""Small fights of a finished game: which points are part of one, and whether it comes out as it was judged.

Random playouts by beginners judge nearly all of a finished board well, but not who lives where two sides share their
last liberties: they fill the wrong liberty and take a seki for death, or death for a seki. Such a fight is read to its
end (`gocnn.go.reading`).
"""

from __future__ import annotations

import numpy as np

from gocnn.go import core
from gocnn.go.core import BLACK, BORDER, EMPTY, WHITE
from gocnn.go.liberties import chain_liberties, chains_beside
from gocnn.go.reading import read_fight
from gocnn.go.trial import enter, new_room
from gocnn.jit import njit

MOST_POINTS = 10  # empty points of a fight that is read
FEW = 3  # so many liberties has a chain at most that may be caught in a fight beside it


@njit(cache=True, nogil=True)
def read_fights(state, owner, seki, to_move):
    """Read the fights that `seki` (bool by cell) takes part in; returns whether any comes out otherwise than judged.

    `owner` (int8 by cell) is who is thought to hold each point, 0 neutral; it is put right where a fight with `to_move`
    first ends otherwise, by GAIN points of `gocnn.go.reading` at the least.
    """
    room = new_room(state.info[core.SIZE])
    done = np.zeros(state.colour.size, np.bool_)
    changed = False
    for start in range(state.colour.size):
        if not seki[start] or done[start]:
            continue
        fight, points = _fight_at(state, owner, seki, start, done)
        if points <= MOST_POINTS:
            enter(state, room)
            changed |= read_fight(room, fight, owner, to_move, state.key[0])
    return changed


@njit(cache=True, nogil=True)
def _fight_at(state, owner, seki, start, done):
    """The cells that may change hands in the fight around a cell, and how many are empty; marks as `done` what it saw.

    They are the neutral points and eyes of the groups in seki that hang together by them, the other liberties of chains
    with few that are beside these, and of opposing ones beside those that are thought to be dead, and the stones of all
    chains whose every liberty is among them.
    """
    cells, width = state.colour.size, state.info[core.SIZE] + 1
    queue = np.empty(cells, np.int64)
    queue[0] = start
    done[start] = True
    filled, at = 1, 0
    is_open = np.zeros(cells, np.bool_)
    while at < filled:
        cell = queue[at]
        at += 1
        is_open[cell] = state.colour[cell] == EMPTY
        for direction in range(4):
            n = core.neighbour(cell, direction, width)
            if state.colour[n] != BORDER and not done[n] and (seki[n] or owner[n] == 0):
                done[n] = True
                queue[filled] = n
                filled += 1

    liberties = np.zeros(cells, np.int16)
    chain_liberties(state, liberties, np.zeros((3, cells), np.int16))
    is_near = np.zeros(cells, np.bool_)  # by head
    for i in range(filled):
        if is_open[queue[i]]:
            for head in chains_beside(state.colour, state.head, queue[i], width):
                is_near[head] |= head != 0 and liberties[head] <= FEW
    is_lost = np.zeros(cells, np.bool_)  # by head: thought to be dead, beside those
    for cell in range(width + 1, width * width):
        if state.colour[cell] & 1 and is_near[state.head[cell]]:
            for direction in range(4):
                n = core.neighbour(cell, direction, width)
                if state.colour[n] == -state.colour[cell] == -owner[n]:
                    is_lost[state.head[n]] |= liberties[state.head[n]] <= FEW
    for cell in range(width + 1, width * width):
        if state.colour[cell] == EMPTY and not is_open[cell]:
            for head in chains_beside(state.colour, state.head, cell, width):
                is_open[cell] |= is_near[head] or is_lost[head]
    inside = np.zeros(cells, np.int16)  # by head: its liberties that are open
    points = 0
    for cell in range(width + 1, width * width):
        if is_open[cell]:
            points += 1
            for head in chains_beside(state.colour, state.head, cell, width):
                inside[head] += 1
    is_part = is_open.copy()
    for cell in range(width + 1, width * width):
        if state.colour[cell] == BLACK or state.colour[cell] == WHITE:
            head = state.head[cell]
            is_part[cell] = liberties[head] > 0 and inside[head] == liberties[head]
    return np.flatnonzero(is_part), points
