"""Counting a finished position: area and territory, both on the stones that are left when dead ones are gone."""

from __future__ import annotations

import numpy as np

from gocnn.go.core import EMPTY
from gocnn.jit import njit


@njit(cache=True, nogil=True)
def owner_map(stones):
    """int8 [size, size]: who owns each point by Tromp-Taylor reach.

    `stones` is int8 [size, size]. A stone owns its point; an empty point is BLACK's (WHITE's) if every stone that its
    empty region touches is, and 0 if both or neither reach it.
    """
    size = stones.shape[0]
    owner = stones.copy()
    flat, colours = owner.ravel(), stones.ravel()
    seen = np.zeros(size * size, np.bool_)
    queue = np.empty(size * size, np.int64)
    for start in range(size * size):
        if seen[start] or colours[start] != EMPTY:
            continue
        seen[start] = True
        queue[0] = start
        filled, done = 1, 0
        black = white = False
        while done < filled:
            row, col = divmod(queue[done], size)
            done += 1
            for step in range(4):
                r = row + (step == 0) - (step == 1)
                c = col + (step == 2) - (step == 3)
                if r < 0 or r >= size or c < 0 or c >= size:
                    continue
                n = r * size + c
                black |= colours[n] > 0
                white |= colours[n] < 0
                if colours[n] == EMPTY and not seen[n]:
                    seen[n] = True
                    queue[filled] = n
                    filled += 1
        for i in range(filled):
            flat[queue[i]] = black - white if black != white else 0
    return owner


def area(stones: np.ndarray) -> int:
    """Black's stones and territory less White's, on int8 [size, size] (Tromp-Taylor rules)."""
    return int(owner_map(stones).sum(dtype=np.int64))


def territory(stones: np.ndarray) -> int:
    """Black's territory less White's on int8 [size, size]: empty points that one colour alone reaches."""
    return int(owner_map(stones)[stones == EMPTY].sum(dtype=np.int64))
