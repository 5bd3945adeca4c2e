"""Elo ratings from the games of many players: the model of Bradley and Terry, fitted by its likelihood.

R. A. Bradley and M. E. Terry, "Rank analysis of incomplete block designs", Biometrika 39, 1952: the chance of i to beat
j is sigmoid(r_i - r_j). Ratings here are in Elo, of which 400 make ten to one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.statistics import Z95

ELO = 400 / math.log(10)

#: Games that every pair that met is taken to have drawn besides; they keep a rating finite where one won all.
DRAWN = 1.0


@dataclass(frozen=True)
class Rating:
    """A player's rating in Elo, with half the width of its 95 % interval, both against the anchor."""

    player: str
    elo: float
    margin: float
    games: int


def rate(points: Mapping[tuple[str, str], tuple[float, int]], anchor: str, *, drawn: float = DRAWN) -> list[Rating]:
    """Ratings from results, in the order in which the players are first named.

    `points` maps a pair (a, b) to a's points (a win 1, a draw 1/2) and the number of games. The anchor has 0. Raises
    ValueError if not all players are connected with the anchor by games.
    """
    players = list(dict.fromkeys(name for pair in points for name in pair))
    if anchor not in players:
        raise ValueError(f"{anchor} has no games")
    index = {name: number for number, name in enumerate(players)}
    met = [(index[a], index[b], won + drawn / 2, games + drawn) for (a, b), (won, games) in points.items() if games]
    _check_connected(players, met, index[anchor])
    free = [number for number in range(len(players)) if number != index[anchor]]
    ratings = np.zeros(len(players))
    for _ in range(100):  # Newton's steps; the likelihood is concave
        gradient, information = _derivatives(ratings, met)
        step = np.linalg.solve(information[np.ix_(free, free)], gradient[free])
        ratings[free] += step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-9:
            break
    _, information = _derivatives(ratings, met)
    variance = np.zeros(len(players))
    variance[free] = np.diag(np.linalg.inv(information[np.ix_(free, free)]))
    played = {name: sum(games for pair, (_, games) in points.items() if name in pair) for name in players}
    return [
        Rating(name, ELO * float(ratings[i]), Z95 * ELO * math.sqrt(float(variance[i])), played[name])
        for i, name in enumerate(players)
    ]


def _derivatives(ratings: np.ndarray, met: Sequence[tuple[int, int, float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """The gradient of the log-likelihood, and its negative second derivatives (Fisher's information)."""
    gradient = np.zeros(len(ratings))
    information = np.zeros((len(ratings), len(ratings)))
    for a, b, won, games in met:
        expected = 1 / (1 + math.exp(ratings[b] - ratings[a]))
        gradient[a] += won - games * expected
        gradient[b] -= won - games * expected
        weight = games * expected * (1 - expected)
        information[[a, b], [a, b]] += weight
        information[[a, b], [b, a]] -= weight
    return gradient, information


def _check_connected(players: Sequence[str], met: Sequence[tuple[int, int, float, float]], anchor: int) -> None:
    reached, grew = {anchor}, True
    while grew:
        more = {x for a, b, *_ in met for x in (a, b) if a in reached or b in reached} - reached
        reached |= more
        grew = bool(more)
    alone = [name for number, name in enumerate(players) if number not in reached]
    if alone:
        raise ValueError(f"no games connect {', '.join(alone)} with {players[anchor]}")
