"""The eight symmetries of the square board, as tables of points.

Symmetry ``s`` (0 to 7) transposes the board if ``s & 4``, then mirrors it left to right if ``s & 1`` and top to bottom
if ``s & 2``.
"""

from __future__ import annotations

from functools import cache

import numpy as np

SYMMETRIES = 8


@cache
def point_maps(size: int) -> np.ndarray:
    """int16 [8, size*size + 1]: where each symmetry takes each point; the pass stays. Do not write to it."""
    grid = np.arange(size * size).reshape(size, size)
    maps = np.empty((SYMMETRIES, size * size + 1), np.int16)
    for s in range(SYMMETRIES):
        # image[q] is the point that lands on q; its inverse permutation is the map wanted.
        image = grid.T if s & 4 else grid
        image = image[:, ::-1] if s & 1 else image
        image = image[::-1] if s & 2 else image
        maps[s, image.ravel()] = grid.ravel()
    maps[:, -1] = size * size
    maps.setflags(write=False)
    return maps
