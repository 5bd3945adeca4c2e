"""Taking dead stones off the board, where the rules or the server want that before a game is counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gocnn.go import EMPTY, Board, core
from gocnn.go.counting import settle
from gocnn.go.tactics import self_atari


def capturing_move(board: Board, colour: int, dead: Sequence[int]) -> int | None:
    """A move of `colour` that captures one of the `dead` stones or takes a liberty of it; None if there is none.

    The chain with the fewest liberties goes first. Moves that fill an own eye are left out unless they capture, and so
    are those that put own stones into atari, as inside the last eye of a group, unless nothing else is left and the
    chain is dead after them too.
    """
    stones = board.stones.ravel()
    liberties = board.liberties().ravel()
    bold: list[tuple[int, list[int]]] = []  # with the chain that each attacks
    for point in sorted(dead, key=lambda p: int(liberties[p])):
        chain = board.chain(point)
        for beside in _neighbours(board, chain):
            if stones[beside] != EMPTY or not board.is_legal(colour, beside):
                continue
            if liberties[point] == 1:
                return beside
            if board.is_own_eye(colour, beside):
                continue
            if not self_atari(board.state, core.to_cell(beside, board.size), colour):
                return beside
            if (beside, chain) not in bold:
                bold.append((beside, chain))
    return next((move for move, chain in bold if _stays_dead(board, colour, move, chain)), None)


def _stays_dead(board: Board, colour: int, move: int, chain: Sequence[int]) -> bool:
    """Whether all of another chain still counts as dead after a move."""
    after = board.copy()
    after.play(colour, move)
    return bool(settle(after).dead.ravel()[list(chain)].all())


def _neighbours(board: Board, chain: Sequence[int]) -> list[int]:
    """The points beside those of a chain, sorted."""
    size = board.size
    near = np.zeros((size + 2, size + 2), bool)
    rows, cols = np.divmod(np.asarray(chain), size)
    for row, col in ((0, 1), (2, 1), (1, 0), (1, 2)):
        near[rows + row, cols + col] = True
    return [int(point) for point in np.flatnonzero(near[1:-1, 1:-1])]
