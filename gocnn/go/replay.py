"""Replaying whole games in compiled code: to check a record, or to reach one of its positions."""

from __future__ import annotations

import numpy as np

from gocnn.go import core
from gocnn.jit import njit

_NO_HISTORY = np.empty(0, np.uint64)
_REASONS = {core.OCCUPIED: "occupied", core.SUICIDE: "suicide", core.KO_BAN: "ko"}


@njit(cache=True, nogil=True)
def play_all(state, points, colours):
    """Play moves that are known to be legal."""
    for i in range(points.size):
        core.play(state, points[i], colours[i])


@njit(cache=True, nogil=True)
def play_record(state, points, colours, setup_at, setup_points, setup_colours):
    """Play moves that are known to be legal, with the set-up stones placed before move ``setup_at[i]``.

    `setup_at` is sorted. Set-up before a move that is not among `points` is left out, but for that before the first.
    """
    placed = 0
    for i in range(points.size + 1):
        first = placed
        while placed < setup_at.size and setup_at[placed] == i:
            placed += 1
        if placed > first:
            core.setup(state, setup_points[first:placed], setup_colours[first:placed])
        if i < points.size:
            core.play(state, points[i], colours[i])


@njit(cache=True, nogil=True)
def _first_illegal(state, points, colours, setup_at, setup_points, setup_colours, suicide, history):
    placed = 0
    for i in range(points.size):
        first = placed
        while placed < setup_at.size and setup_at[placed] == i:
            placed += 1
        if placed > first:
            core.setup(state, setup_points[first:placed], setup_colours[first:placed])
        verdict = core.legality(state, points[i], colours[i], core.SIMPLE, suicide, history)
        if verdict != core.LEGAL:
            return i, verdict
        core.play(state, points[i], colours[i])
    return points.size, core.LEGAL


def check(
    size: int,
    points: np.ndarray,
    colours: np.ndarray,
    setup_at: np.ndarray,
    setup_points: np.ndarray,
    setup_colours: np.ndarray,
    *,
    suicide: bool = False,
) -> tuple[int, str | None]:
    """Check a game's moves under simple ko.

    Takes the arrays of a game record: `points` int16 [n] and `colours` int8 [n], and the set-up placed before move
    ``setup_at[i]`` (int16 [k], sorted; `setup_points` int16 [k], `setup_colours` int8 [k]). Every point must be on the
    board or the pass: this is not checked. Returns the number of moves that are legal from the start, and why the next
    one is not ("occupied", "suicide" or "ko"; None if all are legal).
    """
    legal, verdict = _first_illegal(
        core.new_state(size), points, colours, setup_at, setup_points, setup_colours, suicide, _NO_HISTORY
    )
    return int(legal), _REASONS.get(verdict)
