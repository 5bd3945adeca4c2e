"""Replaying whole games in compiled code: to check a record, or to reach one of its positions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gocnn.go import core
from gocnn.jit import njit

_NO_HISTORY = np.empty(0, np.uint64)
_REASONS = {core.OCCUPIED: "occupied", core.SUICIDE: "suicide", core.KO_BAN: "ko"}


class Moves(NamedTuple):
    """The moves of a game, and the stones that are set up between them.

    A point is ``row * size + col``, the pass ``size * size``.
    """

    points: np.ndarray  # int16 [n]
    colours: np.ndarray  # int8 [n]
    setup_at: np.ndarray  # int16 [k], rising: placed before this move, counted from 0
    setup_points: np.ndarray  # int16 [k]
    setup_colours: np.ndarray  # int8 [k], EMPTY takes a stone off


@njit(cache=True, nogil=True)
def part_of(moves, first, end, first_setup, end_setup):
    """The moves and the set-up between these indices, of one game among many, say."""
    setup = slice(first_setup, end_setup)
    return Moves(
        moves.points[first:end],
        moves.colours[first:end],
        moves.setup_at[setup],
        moves.setup_points[setup],
        moves.setup_colours[setup],
    )


@njit(cache=True, nogil=True)
def play_all(state, points, colours):
    """Play moves that are known to be legal."""
    for i in range(points.size):
        core.play(state, points[i], colours[i])


# Fields of the moves are taken out once: numba counts references at each access, which costs more than the work.


@njit(cache=True, nogil=True)
def _place(state, setup_at, setup_points, setup_colours, number, placed):
    """Place the set-up before move `number`, of which `placed` stones come before; returns how many do now."""
    first = placed
    while placed < setup_at.size and setup_at[placed] == number:
        placed += 1
    if placed > first:
        core.setup(state, setup_points[first:placed], setup_colours[first:placed])
    return placed


@njit(cache=True, nogil=True)
def play_record(state, moves):
    """Play `Moves` that are known to be legal, with their set-up.

    Set-up before a move that is not among them is left out, but for that before the first.
    """
    points, colours, setup_at, setup_points, setup_colours = moves
    placed = 0
    for i in range(points.size + 1):
        if placed < setup_at.size:
            placed = _place(state, setup_at, setup_points, setup_colours, i, placed)
        if i < points.size:
            core.play(state, points[i], colours[i])


@njit(cache=True, nogil=True)
def _first_illegal(state, moves, suicide, history):
    points, colours, setup_at, setup_points, setup_colours = moves
    placed = 0
    for i in range(points.size):
        if placed < setup_at.size:
            placed = _place(state, setup_at, setup_points, setup_colours, i, placed)
        verdict = core.legality(state, points[i], colours[i], core.SIMPLE, suicide, history)
        if verdict != core.LEGAL:
            return i, verdict
        core.play(state, points[i], colours[i])
    return points.size, core.LEGAL


def check(size: int, moves: Moves, *, suicide: bool = False) -> tuple[int, str | None]:
    """Check a game's moves under simple ko.

    Every point must be on the board or the pass: this is not checked. Returns the number of moves that are legal from
    the start, and why the next one is not ("occupied", "suicide" or "ko"; None if all are legal).
    """
    legal, verdict = _first_illegal(core.new_state(size), moves, suicide, _NO_HISTORY)
    return int(legal), _REASONS.get(verdict)
