"""Levels for people, from 20k to 9d: the network played down, or searched with, by a few numbers a level.

A weak player here does not play good moves with random ones among them. He draws his move from those that come to his
mind: the network's most probable moves up to a share `top_p`, their probabilities flattened by `temperature`, without
those that he overlooks. He overlooks a move with the chance `blindness`; close to the last moves he looks better. What
he draws and overlooks depends on the position and the seed alone, so that a game can be repeated. From 2d upward he
looks everywhere and reads ahead, with so many visits of the search.

The names are rungs of a ladder and no promise of a rank on any server; benchmarks/levels.py measures the distances.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from engine.player import PolicyPlayer, Style
from engine.policy import LazyPolicy, Policy
from engine.search_terms import Limits
from gocnn.go import Board

#: What the weakest level has of each; they fall by equal steps to nothing at RAW, the network's first choice without a
#: search.
TEMPERATURE = 1.2
BLINDNESS = 0.5
TOP_P = (0.98, 0.5)  # at the weakest level, and at RAW

RAW = "1d"
NETWORK = "b6c64"  # of those that ship: the levels were measured with it

#: Visits of the levels that search, from one rank above RAW to 9d: each time about 1.6 times as many.
VISITS = (40, 64, 100, 160, 250, 400, 640, 1000)

#: Points (the larger of the distances by rows and by columns) from the last two moves that are close, and what of the
#: blindness is left there.
CLOSE = 4
CLOSE_BLINDNESS = 0.3


@dataclass(frozen=True)
class Level:
    """How a level plays: see the module. `visits` 1 is no search; the other numbers count there only."""

    name: str
    temperature: float
    top_p: float
    blindness: float
    visits: int

    @property
    def searches(self) -> bool:
        return self.visits > 1


def _levels() -> dict[str, Level]:
    names = [f"{kyu}k" for kyu in range(20, 0, -1)] + [f"{dan}d" for dan in range(1, 10)]
    raw = names.index(RAW)
    found: dict[str, Level] = {}
    for step, name in enumerate(names[: raw + 1]):
        weak = 1 - step / raw
        top_p = TOP_P[1] + (TOP_P[0] - TOP_P[1]) * weak
        found[name] = Level(name, TEMPERATURE * weak, top_p, BLINDNESS * weak, 1)
    for name, visits in zip(names[raw + 1 :], VISITS, strict=True):
        found[name] = Level(name, 0.0, TOP_P[1], 0.0, visits)
    return found


#: All levels by name, the weakest first.
LEVELS = _levels()


def read_level(name: str) -> Level:
    """The level of a name such as ``12k`` or ``3D``. Raises ValueError for another name."""
    found = LEVELS.get(name.strip().lower())
    if found is None:
        names = list(LEVELS)
        raise ValueError(f"there is no level {name!r}; the levels are {names[0]} to 1k and 1d to {names[-1]}")
    return found


def level_player(
    name: str, policy: LazyPolicy, style: Style, searcher: Callable[[Limits, Style], PolicyPlayer]
) -> PolicyPlayer:
    """A player of the level of that name; `searcher` makes those that search.

    Raises ValueError if there is no such level.
    """
    level = read_level(name)
    if not level.searches:
        return LevelPlayer(policy, level, style)
    return searcher(Limits(visits=level.visits), replace(style, temperature=0.0, random_moves=0))


class LevelPlayer(PolicyPlayer):
    """Plays a level that does not search: the moves come to mind in another order, and the rest is as ever."""

    def __init__(self, policy: Policy, level: Level, style: Style | None = None) -> None:
        """Of the style only `resign_behind`, `seed` and `symmetries` count; without a seed no two games are alike."""
        super().__init__(policy, style)
        self.level = level
        self._seed = int(self._random.integers(2**32)) if self.style.seed is None else self.style.seed

    def in_order(self, priors: np.ndarray, board: Board) -> Iterator[int]:
        """What comes to mind, drawn one after the other; then all other points by falling probability."""
        draw = np.random.default_rng([self._seed, board.hash, board.to_move + 1, len(board.recent)])
        legal = board.legal_mask(board.to_move)[:-1]
        shares = np.where(legal, priors[:-1], 0.0).astype(np.float64)
        shares /= max(float(shares.sum()), 1e-12)
        order = np.argsort(-shares, kind="stable")
        before = np.cumsum(shares[order]) - shares[order]
        candidates = order[before < self.level.top_p]
        seen = candidates[self._sees(board, candidates, draw.random(shares.size))]
        if self.level.temperature > 0:
            logits = np.log(np.maximum(shares[seen], 1e-30)) / self.level.temperature
            seen = seen[np.argsort(-(logits + draw.gumbel(size=shares.size)[seen]), kind="stable")]
        yield from map(int, seen)
        yield from (int(point) for point in order if point not in seen)

    def _sees(self, board: Board, points: np.ndarray, chances: np.ndarray) -> np.ndarray:
        """bool for each of some points. `chances` float64 [size*size], 0 to 1, are the draws of all points."""
        blindness = np.full(points.size, self.level.blindness)
        for last in board.recent[-2:]:
            if last != board.pass_point:
                row, col = divmod(int(last), board.size)
                away = np.maximum(np.abs(points // board.size - row), np.abs(points % board.size - col))
                blindness[away <= CLOSE] = self.level.blindness * CLOSE_BLINDNESS
        return np.asarray(chances[points] >= blindness)
