"""True liberties, compiled: which chains an empty cell is a liberty of, and how many each chain has."""

from __future__ import annotations

from gocnn.go.core import EMPTY, SIZE
from gocnn.jit import njit


@njit(cache=True, nogil=True)
def chains_beside(colours, heads, cell, width):
    """The heads of the chains beside an empty cell, each once; `colours` and `heads` are a state's.

    Cell 0, a border, stands in for "no chain", so that there are few branches for the processor to guess wrong.
    """
    # A stone (+1, -1) is odd, and neither EMPTY (0) nor BORDER (2) is.
    up = heads[cell - width] if colours[cell - width] & 1 else 0
    left = heads[cell - 1] if colours[cell - 1] & 1 else 0
    right = heads[cell + 1] if colours[cell + 1] & 1 else 0
    down = heads[cell + width] if colours[cell + width] & 1 else 0
    left = 0 if left == up else left
    right = 0 if right == up or right == left else right
    down = 0 if down == up or down == left or down == right else down
    return up, left, right, down


@njit(cache=True, nogil=True)
def chain_liberties(state, count, where):
    """Find the true liberties of every chain on the board.

    Fills `count` (int16 [cells]) with their number and `where` (int16 [3, cells]) with the cells of the first two of
    them, 0 where there are fewer; its last row is scratch. Both are valid at heads.
    """
    colours, heads = state.colour, state.head  # taken out once: numba counts references at each access
    size = state.info[SIZE]
    width = size + 1
    count[:] = 0
    where[:2] = 0
    for cell in range(width + 1, width * (size + 1)):
        if colours[cell] != EMPTY:
            continue
        for head in chains_beside(colours, heads, cell, width):
            where[min(count[head], 2), head] = cell
            count[head] += 1
