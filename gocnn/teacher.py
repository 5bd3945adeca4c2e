"""Learning from another network as well as from records: the probabilities it gives to moves are part of the target.

A record names one move where several are good; a teacher says how good each is (Hinton et al. 2015,
https://arxiv.org/abs/1503.02531). It is asked about another view of the board than the pupil sees, so that even a
network that is its own teacher learns: that a board and its mirror image want the same moves. What all eight views say
together is better than what one does, and that is what it comes to on average.
"""

from __future__ import annotations

import numpy as np

from gocnn.batches import Source
from gocnn.evaluator import Evaluator
from gocnn.go.planes import PlaneSet
from gocnn.go.symmetry import point_maps

VIEWS = 7  # of a board besides the pupil's own


class Taught:
    """A source of positions whose moves are probabilities, in part a teacher's."""

    def __init__(self, source: Source, plane_set: PlaneSet, teacher: Evaluator, share: float) -> None:
        """`source` gives planes of `plane_set`, then moves (`gocnn.targets`), then whatever else.

        `share` (0 to 1) of each target is the teacher's. Raises ValueError for a teacher that looks at planes which
        are not in the set.
        """
        lacking = [plane for plane in teacher.plane_set.planes if plane not in plane_set.planes]
        if lacking:
            raise ValueError(f"the teacher looks at a plane that its pupil does not see: {lacking[0]!r}")
        self.source, self.teacher, self.share = source, teacher, share
        self._seen = [plane_set.planes.index(plane) for plane in teacher.plane_set.planes]

    def __len__(self) -> int:
        return len(self.source)

    def batch(self, first: int, count: int) -> tuple[np.ndarray, ...]:
        """As in `Source`: planes int8 [count, P, N, N], then float32 [count, N*N + 1] in the place of the moves.

        A row sums to 1, or to the teacher's share where the move is not to be learned.
        """
        planes, moves, *others = self.source.batch(first, count)
        targets = np.float32(self.share) * self.opinions(planes, 1 + np.arange(first, first + count) % VIEWS)
        known = np.flatnonzero(moves >= 0)
        targets[known, moves[known]] += np.float32(1 - self.share)
        return planes, targets, *others

    def opinions(self, planes: np.ndarray, views: np.ndarray) -> np.ndarray:
        """The teacher's probabilities, float32 [B, N*N + 1], asked about each board turned by its view (0 to 7).

        `planes` int8 [B, P, N, N] are those of the source; `views` int [B].
        """
        planes = planes[:, self._seen]
        there = point_maps(planes.shape[-1])[views]
        flat = planes.reshape(*planes.shape[:2], -1)
        turned = np.empty_like(flat)
        np.put_along_axis(turned, there[:, None, :-1].astype(np.int64), flat, axis=2)
        komi = np.zeros(len(planes), np.float32)  # moves do not hang on it
        found = self.teacher.evaluate_planes(turned.reshape(planes.shape), komi).policy
        return np.take_along_axis(found, there.astype(np.int64), axis=1)
