"""How well words are found and read: precision, recall and F1 of boxes, word accuracy, and both together.

As in the robust reading competitions (Karatzas et al. 2015, https://doi.org/10.1109/ICDAR.2015.7333942): a found box
and a true one match if their intersection is at least half of their union, each with one partner at most. True words
that are too small to read are left out of the count, and so are boxes found on them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gocnn.images.text import quads
from gocnn.images.text.regions import FINEST

AT = 0.5  # intersection over union from which a box is right


@dataclass(frozen=True)
class Count:
    """How many of the `found` are right, of `true` that there are."""

    right: int = 0
    found: int = 0
    true: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.right + other.right, self.found + other.found, self.true + other.true)

    @property
    def precision(self) -> float:
        """The share of the found that are right, 0 to 1; 0 if nothing was found."""
        return self.right / max(self.found, 1)

    @property
    def recall(self) -> float:
        """The share of the true that were found, 0 to 1; 0 if there are none."""
        return self.right / max(self.true, 1)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.right / max(self.found + self.true, 1)


@dataclass(frozen=True)
class Reading:
    """A word that was found, or is there: its quad and its text, "" where nothing was read."""

    quad: np.ndarray
    text: str = ""


def matches(found: Sequence[np.ndarray], true: Sequence[np.ndarray], at: float = AT) -> list[tuple[int, int]]:
    """Pairs (number in `found`, number in `true`) of quads with an IoU of `at` or more, one to one, the best first."""
    overlaps = []
    boxes = [(q.min(0), q.max(0)) for q in true]
    for i, quad in enumerate(found):
        low, high = quad.min(0), quad.max(0)
        for j, (least, most) in enumerate(boxes):
            if np.all(low < most) and np.all(least < high):
                overlap = quads.iou(quad, true[j])
                if overlap >= at:
                    overlaps.append((-overlap, i, j))
    pairs: list[tuple[int, int]] = []
    for _, i, j in sorted(overlaps):
        if all(i != a and j != b for a, b in pairs):
            pairs.append((i, j))
    return pairs


def compare(
    found: Sequence[Reading], true: Sequence[Reading], same: Callable[[str, str], bool] = str.__eq__
) -> tuple[Count, Count]:
    """Words found in a picture held against those there: of boxes alone, and of boxes with the same text.

    `same` says whether a found and a true text are one; by default letter by letter, upper and lower case apart.
    """
    pairs = matches([r.quad for r in found], [r.quad for r in true])
    tiny = {j for j, word in enumerate(true) if quads.sides(word.quad)[1] < FINEST}
    outside = {i for i, j in pairs if j in tiny} | _on_any(found, [true[j].quad for j in tiny], {i for i, _ in pairs})
    counted = [(i, j) for i, j in pairs if j not in tiny]
    totals = len(found) - len(outside), len(true) - len(tiny)
    read = sum(same(found[i].text, true[j].text) for i, j in counted)
    return Count(len(counted), *totals), Count(read, *totals)


def _on_any(found: Sequence[Reading], places: Sequence[np.ndarray], matched: set[int]) -> set[int]:
    """The unmatched of `found` that lie by more than half on one of the places."""
    covered = set()
    for i, reading in enumerate(found):
        size = quads.area(reading.quad)
        if i not in matched and any(quads.area(quads.clipped(reading.quad, q)) > size / 2 for q in places):
            covered.add(i)
    return covered
