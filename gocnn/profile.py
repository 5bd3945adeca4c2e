"""Who is playing: what a network can be told of the player whose move it is to foretell.

A profile is a rank and an era, either of which may be unknown. A network with profiles adds a learned vector for each
to its first layer's features, and so can be asked to play like a 2-dan, or as it was done in 1930. KataGo's networks of
human play have something like it (https://github.com/lightvector/KataGo/blob/master/docs/Analysis_Engine.md).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

#: Ranks by number, from the weakest; professional grades are one.
RANKS = ("unknown", *(f"{kyu}k" for kyu in range(30, 0, -1)), *(f"{dan}d" for dan in range(1, 10)), "pro")
#: The first year of each era: unknown, all that is old, two centuries, then decades.
ERAS = (0, 100, 1700, 1800, *range(1900, 2030, 10))
#: One training sample in so many hides the rank, and one in so many the era, lest the network need them.
HIDDEN = 8

#: Names of ranks -> their numbers in RANKS.
_NUMBERS = {name: number for number, name in enumerate(RANKS) if number} | {
    f"{grade}p": RANKS.index("pro") for grade in range(1, 10)
}


class Profile(NamedTuple):
    """A player: numbers into `RANKS` and `ERAS`, 0 what is not known."""

    rank: int = 0
    era: int = 0

    @classmethod
    def read(cls, text: str) -> Profile:
        """What is meant by ``2d``, ``pro``, ``9p 1935``, ``1850`` or ``unknown``: a rank, a year, or both in any order.

        Raises ValueError for anything else.
        """
        rank = era = 0
        words = text.lower().split()
        for word in words:
            if re.fullmatch("[0-9]{3,4}", word) and not era:
                era = int(eras(np.array(int(word))))
            elif word in _NUMBERS and not rank:
                rank = _NUMBERS[word]
            elif word != "unknown":
                break
        else:
            if words:
                return cls(rank, era)
        raise ValueError(f"no player is known as {text!r}; give a rank, a year or both: 2d, pro, 1930, 'pro 1930'")

    def __str__(self) -> str:
        """As `read` understands it: ``pro 1930``, ``2d``, ``unknown``."""
        words = [RANKS[self.rank]] * (self.rank > 0) + [str(ERAS[self.era])] * (self.era > 0)
        return " ".join(words) or RANKS[0]


UNKNOWN = Profile()


def ranks(names: Sequence[str]) -> np.ndarray:
    """int64 [n]: the numbers of ranks such as ``3d``, ``12k`` and ``9p`` in `RANKS`; 0 for any other text."""
    return np.array([_NUMBERS.get(name, 0) for name in names], np.int64)


def eras(years: np.ndarray) -> np.ndarray:
    """int64, of the shape of `years`: the numbers of years in `ERAS`; 0, the unknown one, for the year 0."""
    return np.asarray(np.searchsorted(ERAS, years, side="right") - 1, np.int64)
