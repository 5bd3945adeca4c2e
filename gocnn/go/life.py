"""Eyes and unconditional life."""

from __future__ import annotations

import numpy as np

from gocnn.go import core
from gocnn.jit import njit


@njit(cache=True, nogil=True)
def is_eye(state, cell, colour):
    """Whether an empty cell is a true eye of `colour` by its shape alone (see `Board.is_own_eye`)."""
    width = state.info[core.SIZE] + 1
    if state.colour[cell] != core.EMPTY:
        return False
    edge = False
    for direction in range(4):
        other = state.colour[core.neighbour(cell, direction, width)]
        if other == core.BORDER:
            edge = True
        elif other != colour:
            return False
    hostile = 0
    for diagonal in (cell - width - 1, cell - width + 1, cell + width - 1, cell + width + 1):
        hostile += state.colour[diagonal] == -colour
    return hostile == 0 if edge else hostile <= 1


@njit(cache=True, nogil=True)
def pass_alive(state, colour, suicide):
    """bool by cell: the chains of `colour` that live even if it always passes, and the regions they enclose.

    Benson's algorithm (D. B. Benson, "Life in the game of Go", 1976): a region is a maximal connected
    set of points not of `colour`; it is vital to a chain if all its empty points are liberties of
    that chain. Chains with fewer than two vital regions, and regions that touch such chains, are
    struck out until nothing changes. A region held by the chains that remain is territory if the
    opponent cannot make two eyes in it.

    Benson has no suicide. Where the rules allow it (`suicide`), the opponent can empty his own points
    of a region and then stay away from a chain, so all the region's points must be beside the chain.
    """
    size = state.info[core.SIZE]
    width = size + 1
    cells = state.colour.size
    first, last = width + 1, width * (size + 1)

    regions, starts, queue = _regions(state, colour)
    alive = np.zeros(cells, np.bool_)  # by head
    for cell in range(first, last):
        alive[cell] = state.colour[cell] == colour and state.head[cell] == cell
    intact = np.ones(regions + 1, np.bool_)
    vital = np.zeros(cells, np.int32)  # by head: the intact regions that are vital to it
    touched = np.zeros(cells, np.int32)  # by head: points that make the region vital, beside it
    seen = np.zeros(cells, np.int32)

    changed = True
    while changed:
        changed = False
        vital[:] = 0
        for r in range(1, regions + 1):
            if not intact[r]:
                continue
            wanted = 0
            for i in range(starts[r], starts[r + 1]):
                cell = queue[i]
                counts = suicide or state.colour[cell] == core.EMPTY
                wanted += counts
                for direction in range(4):
                    n = core.neighbour(cell, direction, width)
                    if state.colour[n] != colour:
                        continue
                    head = state.head[n]
                    if not alive[head]:
                        intact[r] = False
                    # A chain may touch one point of the region twice: count the point once.
                    if counts and seen[head] != cell:
                        seen[head] = cell
                        touched[head] += 1
            for i in range(starts[r], starts[r + 1]):
                for direction in range(4):
                    n = core.neighbour(queue[i], direction, width)
                    if state.colour[n] == colour:
                        head = state.head[n]
                        # Resetting `touched` here makes each chain count once for each region.
                        if intact[r] and wanted and touched[head] == wanted:
                            vital[head] += 1
                        touched[head] = 0
                        seen[head] = 0
            changed |= not intact[r]
        for cell in range(first, last):
            if alive[cell] and vital[cell] < 2:
                alive[cell] = False
                changed = True

    result = np.zeros(cells, np.bool_)
    for cell in range(first, last):
        if state.colour[cell] == colour:
            result[cell] = alive[state.head[cell]]
    for r in range(1, regions + 1):
        if intact[r] and _is_territory(state, queue[starts[r] : starts[r + 1]], colour, width):
            for i in range(starts[r], starts[r + 1]):
                result[queue[i]] = True
    return result


@njit(cache=True, nogil=True)
def _regions(state, colour):
    """The maximal connected sets of points not of `colour`, numbered from 1: how many there are, and their cells.

    Those of region r are queue[starts[r] : starts[r + 1]]. Returns regions, `starts` int32 and `queue` int32.
    """
    size = state.info[core.SIZE]
    width = size + 1
    cells = state.colour.size
    seen = np.zeros(cells, np.bool_)
    queue = np.empty(cells, np.int32)
    starts = np.zeros(cells + 1, np.int32)
    regions = 0
    filled = 0
    for start in range(width + 1, width * (size + 1)):
        if seen[start] or state.colour[start] == colour or state.colour[start] == core.BORDER:
            continue
        regions += 1
        starts[regions] = filled
        seen[start] = True
        queue[filled] = start
        filled += 1
        done = starts[regions]
        while done < filled:
            for direction in range(4):
                n = core.neighbour(queue[done], direction, width)
                other = state.colour[n]
                if not seen[n] and other != colour and other != core.BORDER:
                    seen[n] = True
                    queue[filled] = n
                    filled += 1
            done += 1
    starts[regions + 1] = filled
    return regions, starts, queue


@njit(cache=True, nogil=True)
def _is_territory(state, region, colour, width):
    """Whether the opponent can never live inside a region whose border is all alive.

    True if at most one of its points has no border stone beside it: two eyes need two such points that are apart. A
    region that touches no stone at all (an empty board) is nobody's.
    """
    inner = 0
    for cell in region:
        beside = False
        for direction in range(4):
            beside |= state.colour[core.neighbour(cell, direction, width)] == colour
        inner += not beside
    return inner <= 1 and inner < region.size
