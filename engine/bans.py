"""Moves that an analysis must leave out, as clients name them: ``avoid`` these, ``allow`` only those."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

DEEPEST = int(np.iinfo(np.int16).max)  # moves that a ban can reach


class Bans:
    """What each colour must not play, and how many moves deep; depths are at least 1, the position itself."""

    def __init__(self, size: int) -> None:
        """Nothing is banned on a board of `size` x `size` yet."""
        self._depths = np.zeros((2, size * size + 1), np.int16)
        self._allowed: dict[int, tuple[set[int], int]] = {}  # by row: the points, and how deep

    def avoid(self, colour: int, points: Sequence[int], depth: int) -> None:
        """Ban some points (the pass may be one of them); of several depths the largest counts."""
        self._ban(_row(colour), list(points), depth)

    def allow(self, colour: int, points: Sequence[int], depth: int) -> None:
        """Ban all other points than these, and than those that have been allowed to this colour before."""
        others, deepest = self._allowed.get(_row(colour), (set(), 0))
        self._allowed[_row(colour)] = others.union(points), max(depth, deepest)

    def array(self) -> np.ndarray | None:
        """int16 [2, N*N + 1] as `engine.search.Search.run` takes it; None if nothing is banned."""
        for row, (points, depth) in self._allowed.items():
            self._ban(row, np.setdiff1d(np.arange(self._depths.shape[1]), list(points)), depth)
        return self._depths if self._depths.any() else None

    def _ban(self, row: int, points: list[int] | np.ndarray, depth: int) -> None:
        self._depths[row, points] = np.maximum(self._depths[row, points], min(max(depth, 1), DEEPEST))


def _row(colour: int) -> int:
    return (1 - colour) // 2
