"""Taking dead stones off the board, where the rules or the server want that before a game is counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gocnn.go import EMPTY, Board, core
from gocnn.go.tactics import self_atari


def capturing_move(board: Board, colour: int, dead: Sequence[int]) -> int | None:
    """A move of `colour` that captures one of the `dead` stones or takes a liberty of it; None if there is none.

    The chain with the fewest liberties goes first. Moves that put own stones into atari, or fill an own eye, are left
    out unless they capture.
    """
    stones = board.stones.ravel()
    liberties = board.liberties().ravel()
    for point in sorted(dead, key=lambda p: int(liberties[p])):
        captures = liberties[point] == 1
        for beside in _neighbours(board, board.chain(point)):
            if stones[beside] != EMPTY or not board.is_legal(colour, beside):
                continue
            cell = core.to_cell(beside, board.size)
            safe = not board.is_own_eye(colour, beside) and not self_atari(board.state, cell, colour)
            if captures or safe:
                return beside
    return None


def _neighbours(board: Board, chain: Sequence[int]) -> list[int]:
    """The points beside those of a chain, sorted."""
    size = board.size
    near = np.zeros((size + 2, size + 2), bool)
    rows, cols = np.divmod(np.asarray(chain), size)
    for row, col in ((0, 1), (2, 1), (1, 0), (1, 2)):
        near[rows + row, cols + col] = True
    return [int(point) for point in np.flatnonzero(near[1:-1, 1:-1])]
