"""Moves that an analysis must leave out, as clients name them: ``avoid`` these, ``allow`` only those."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LONGEST = int(np.iinfo(np.int16).max)  # moves deep that a ban can hold


class Bans:
    """What each colour must not play, and how many moves deep; depths are at least 1, the position itself."""

    def __init__(self, size: int) -> None:
        """Nothing is banned on a board of `size` x `size` yet."""
        self._depths = np.zeros((2, size * size + 1), np.int16)
        self._allowed: dict[int, tuple[set[int], int]] = {}  # by row: the points, and how deep

    def avoid(self, colour: int, points: Sequence[int], depth: int) -> None:
        """Ban some points (the pass may be one of them); of several depths the largest counts."""
        row, banned = row_of(colour), list(points)
        self._depths[row, banned] = np.maximum(self._depths[row, banned], _bounded(depth))

    def allow(self, colour: int, points: Sequence[int], depth: int) -> None:
        """Ban all other points than these, and than those that have been allowed to this colour before."""
        others, deepest = self._allowed.get(row_of(colour), (set(), 0))
        self._allowed[row_of(colour)] = others.union(points), max(_bounded(depth), deepest)

    def array(self) -> np.ndarray | None:
        """int16 [2, N*N + 1] as `engine.search.Search.run` takes it; None if nothing is banned."""
        depths = self._depths.copy()
        for row, (allowed, depth) in self._allowed.items():
            banned = np.setdiff1d(np.arange(depths.shape[1]), list(allowed))
            depths[row, banned] = np.maximum(depths[row, banned], depth)
        return depths if depths.any() else None


def row_of(colour: int) -> int:
    """The row of a colour's bans: Black's is the first."""
    return (1 - colour) // 2


def _bounded(depth: int) -> int:
    return min(max(depth, 1), LONGEST)
