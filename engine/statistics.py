"""What a number of games says about two engines: a win rate and how sure of it one may be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.match import Result

#: The normal quantile of a two-sided 95 % interval.
Z95 = 1.959963984540054


@dataclass(frozen=True)
class Tally:
    """A's wins and draws in a number of games."""

    games: int
    wins: int
    draws: int

    @classmethod
    def of(cls, results: Sequence[Result]) -> Tally:
        """Count results from A's side."""
        return cls(
            len(results),
            sum(result.winner == "A" for result in results),
            sum(result.winner == "" for result in results),
        )

    @property
    def points(self) -> float:
        """Wins, and half a point for a draw."""
        return self.wins + self.draws / 2

    @property
    def rate(self) -> float:
        """A's share of the points; nan without games."""
        return self.points / self.games if self.games else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval around it."""
        return wilson_interval(self.points, self.games)

    def __str__(self) -> str:
        if not self.games:
            return "no games"
        low, high = self.interval
        return f"{100 * self.rate:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


def wilson_interval(successes: float, trials: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a proportion (E. B. Wilson, JASA 22, 1927); 0 to 1 if no trials.

    Unlike the usual one it stays inside 0 to 1 and means something at 0 % and 100 %.
    """
    if not trials:
        return 0.0, 1.0
    rate, z = successes / trials, Z95
    centre = rate + z * z / (2 * trials)
    spread = z * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
