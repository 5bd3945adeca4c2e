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
from gocnn.go.planes import PLANE_SETS
from gocnn.go.symmetry import point_maps
from gocnn.policy import PolicyConfig

VIEWS = 7  # of a board besides the pupil's own


def check_fit(teacher: PolicyConfig, pupil: PolicyConfig, board_size: int) -> None:
    """Raise ValueError, with the reason, if a network cannot teach another one on boards of that size."""
    if teacher.kind == "dense" and teacher.board_size != board_size:
        raise ValueError(
            f"it plays on {teacher.board_size}x{teacher.board_size} boards only, and cannot teach on others"
        )
    if not set(PLANE_SETS[teacher.planes].planes) <= set(PLANE_SETS[pupil.planes].planes):
        raise ValueError(
            f"it looks at planes ({teacher.planes!r}) that the network to learn from it lacks ({pupil.planes!r})"
        )


class Taught:
    """A source of positions whose moves are probabilities, in part a teacher's."""

    def __init__(self, source: Source, pupil: PolicyConfig, teacher: Evaluator, share: float) -> None:
        """`source` gives planes as the pupil sees them, then moves (`gocnn.targets`), then whatever else.

        `share` (0 to 1) of each target is the teacher's. A teacher that can be told who plays is told so if the pupil
        is, whose profiles are the last of what the source gives. The teacher must have passed `check_fit`.
        """
        self.source, self.teacher, self.share = source, teacher, share
        planes = PLANE_SETS[pupil.planes].planes
        self._seen = [planes.index(plane) for plane in teacher.plane_set.planes]
        self._is_told = pupil.profiles and teacher.has_profiles

    def __len__(self) -> int:
        return len(self.source)

    def batch(self, first: int, count: int) -> tuple[np.ndarray, ...]:
        """As in `Source`: planes int8 [count, P, N, N], then float32 [count, N*N + 1] in the place of the moves.

        A row sums to 1; where the move is not to be learned it is all zeros.
        """
        planes, moves, *others = self.source.batch(first, count)
        rows = np.flatnonzero(moves >= 0)
        targets = np.zeros((count, planes.shape[-1] ** 2 + 1), np.float32)
        if len(rows):
            profiles = others[-1][rows] if self._is_told else None
            opinions = self.opinions(planes[rows], 1 + (first + rows) % VIEWS, profiles)
            targets[rows] = np.float32(self.share) * opinions
            targets[rows, moves[rows]] += np.float32(1 - self.share)
        return planes, targets, *others

    def opinions(self, planes: np.ndarray, views: np.ndarray, profiles: np.ndarray | None = None) -> np.ndarray:
        """The teacher's probabilities, float32 [B, N*N + 1], asked about each board turned by its view (0 to 7).

        `planes` int8 [B, P, N, N] are those of the source; `views` int [B]; `profiles` int64 [B, 2]. Raises ValueError
        for a teacher whose answers are no numbers.
        """
        planes = planes[:, self._seen]
        there = point_maps(planes.shape[-1])[views].astype(np.int64)
        flat = planes.reshape(*planes.shape[:2], -1)
        turned = np.empty_like(flat)
        np.put_along_axis(turned, there[:, None, :-1], flat, axis=2)
        needed = np.zeros(len(planes), np.float32)  # moves do not hang on it
        found = self.teacher.evaluate_planes(turned.reshape(planes.shape), needed, profiles=profiles).policy
        if not np.isfinite(found).all():
            raise ValueError("the teacher's answers are no numbers: its weights are broken")
        return np.take_along_axis(found, there, axis=1)
