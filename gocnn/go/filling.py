"""What a player has to fill in his own territory before a game is over.

Neutral points are worth nothing, but they are liberties. Once they are filled, a chain that has a single point of its
own left is in atari, and its owner must connect there: that point was never territory. Players who agree on the end
of a game before they fill the neutral points, as is usual where territory counts, take it into account.
"""

from __future__ import annotations

import numpy as np

from gocnn.go import core
from gocnn.go.core import BORDER, EMPTY
from gocnn.jit import njit


@njit(cache=True, nogil=True)
def must_fill(state, owner, in_seki):
    """bool by cell: empty points that their owner fills in the end.

    `owner` int8 by cell is whose each cell is, dead stones counted as the other side's; `in_seki` bool by cell marks
    what lives in seki. Chains that touch the same neutral point are taken for connected, for their owner can play there
    first. A chain beside dead stones, which it can take, or beside a border that is still open, has nothing to fill.
    """
    size = state.info[core.SIZE]
    width = size + 1
    cells = owner.size
    group = np.full(cells, -1, np.int32)  # by cell of a living chain: any one cell of its group
    for point in range(size * size):
        cell = core.to_cell(point, size)
        if state.colour[cell] == owner[cell] != EMPTY:
            group[cell] = state.head[cell]
    for point in range(size * size):
        cell = core.to_cell(point, size)
        if state.colour[cell] == EMPTY == owner[cell]:
            for colour in (core.BLACK, core.WHITE):
                _join_around(group, owner, cell, colour, width)

    filled = np.zeros(cells, np.bool_)
    while True:
        single = _single_points(state, owner, in_seki, group)
        found = False
        for point in range(size * size):
            cell = core.to_cell(point, size)
            target = single[group[cell]] if group[cell] >= 0 else 0
            if target > 0 and not filled[target]:
                filled[target] = found = True
                group[target] = group[cell]
                _join_around(group, owner, target, owner[cell], width)
        if not found:
            return filled


@njit(cache=True, nogil=True)
def _join_around(group, owner, cell, colour, width):
    """Make one group of the groups of a colour beside a cell."""
    one = -1
    for direction in range(4):
        n = core.neighbour(cell, direction, width)
        if group[n] < 0 or owner[n] != colour:
            continue
        if one < 0:
            one = group[n]
        elif group[n] != one:
            other = group[n]
            for member in range(group.size):
                if group[member] == other:
                    group[member] = one


@njit(cache=True, nogil=True)
def _single_points(state, owner, in_seki, group):
    """int32 by group: the one empty cell of its owner beside it; 0 if it has none, -1 if it has more or needs none."""
    size = state.info[core.SIZE]
    width = size + 1
    single = np.zeros(owner.size, np.int32)
    for point in range(size * size):
        cell = core.to_cell(point, size)
        if group[cell] >= 0:
            if in_seki[cell]:
                single[group[cell]] = -1
            continue
        for direction in range(4):
            n = core.neighbour(cell, direction, width)
            if state.colour[n] == BORDER or group[n] < 0:
                continue
            one = group[n]
            if state.colour[cell] != EMPTY or owner[cell] == -owner[n]:
                single[one] = -1
            elif owner[cell] == owner[n] and single[one] != cell:
                single[one] = cell if single[one] == 0 else -1
    return single
