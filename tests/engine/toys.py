"""Networks whose answers are known, for the search's tests."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from gocnn.evaluator import Evaluation
from gocnn.go.planes import PLANE_SETS
from gocnn.go.scoring import owner_map

FINISHED = """
. . X X O O . . .
. O X . X O O . .
. . X X X O . . .
. X . . X O . O .
. . X . X O O O .
. . X X X X O . .
. . X . . X O . .
X . X X . X O O .
. X . . X X O . .
"""


class Toy:
    """Owners by a function of the stones, a policy that is even or as given; remembers how it was asked."""

    plane_set = PLANE_SETS["full"]
    lanes = 1

    def __init__(
        self,
        owner: Callable[[np.ndarray], np.ndarray] | None = None,
        *,
        favourites: dict[int, float] | None = None,
        doubt: float = 3.0,
        has_value: bool = True,
        seconds: float = 0.0,
    ) -> None:
        """`owner` maps int8 [N, N] stones, +1 the player's, to owners. `favourites`: point to probability.

        `seconds` is how long each position takes.
        """
        self.owner = owner or (lambda stones: np.zeros(stones.shape))
        self.favourites = favourites or {}
        self.doubt = doubt
        self.has_value = has_value
        self.seconds = seconds
        self.batches: list[int] = []

    def evaluate_planes(self, planes: np.ndarray, needed: np.ndarray) -> Evaluation:
        count, _, size, _ = planes.shape
        self.batches.append(count)
        time.sleep(self.seconds * count)
        policy = np.ones((count, size * size + 1), np.float32)
        policy /= policy.shape[1]
        for point, probability in self.favourites.items():
            policy *= 1 - probability
            policy[:, point] += probability
        if not self.has_value:
            return Evaluation(policy, None, None, None)
        owner = np.stack([self.owner(seen[0] - seen[1]).ravel() for seen in planes]).astype(np.float32)
        lead = (owner.sum(1) - needed).astype(np.float32)
        return Evaluation(policy, (1 / (1 + np.exp(-lead / self.doubt))).astype(np.float32), lead, owner)


def by_area(stones: np.ndarray) -> np.ndarray:
    """Each point is whose it would be if the game ended here and no stone was dead."""
    return owner_map(np.ascontiguousarray(stones))


def by_stones(stones: np.ndarray) -> np.ndarray:
    """Each point is whose stone stands on it."""
    return stones.astype(np.float64)


def payoffs(values: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A bandit: a stone on a point is worth that point's value, float [N, N]."""
    return lambda stones: stones * values
