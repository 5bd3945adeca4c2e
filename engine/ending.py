"""What random playouts say of a position near the end of its game: whether it is won, lost, or settled."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from engine.rules import Needed
from gocnn.go import BLACK, Board
from gocnn.go.counting import count
from gocnn.go.ownership import PLAYOUTS, SURE, ownership, score_bounds

COUNTING = 0.4  # the share of occupied points from which on the end is near enough to count the board
GLANCE = 64  # playouts for that count; the decision to answer a pass is worth PLAYOUTS
SETTLED = 0.8  # the network's owner from which on a point is settled, if the playouts say so too
DOUBT = 0.05  # the share of points that playouts may be unsure of where all is settled


class Ending:
    """A position near its end, seen by its player to move; playouts are made when something first depends on them."""

    def __init__(self, board: Board, needed: Needed) -> None:
        self.board, self.colour = board, board.to_move
        self.answers_pass = bool(board.moves) and board.moves[-1] == (-self.colour, board.pass_point)
        self.needed = (needed.if_ended_by(self.colour) if self.answers_pass else needed).lead
        #: Whether it is worth counting the board. A player who would rather pass than move may find so, too.
        self.is_near = self.answers_pass or bool(np.count_nonzero(board.stones) >= COUNTING * board.pass_point)

    @cached_property
    def owner(self) -> np.ndarray:
        """float32 [N, N], -1 White's to 1 Black's: what takes longer than all else here."""
        return ownership(self.board, PLAYOUTS if self.answers_pass else GLANCE)

    @cached_property
    def bounds(self) -> tuple[float, float]:
        """The points that the player is ahead by at the worst and at the best; infinite while the end is not near."""
        if not self.is_near:
            return -np.inf, np.inf
        worst, best = score_bounds(self.owner, self.needed)
        return (worst, best) if self.colour == BLACK else (-best, -worst)

    @property
    def is_won_by_passing(self) -> bool:
        """Whether to pass, too, wins the game: if it is counted now, and if the opponent gets all that is unclear."""
        if not self.answers_pass or self.bounds[0] <= 0:
            return False
        after = self.board.copy()
        after.to_move = -self.colour
        owner = ownership(after, PLAYOUTS)
        worst, best = score_bounds(owner, self.needed)
        found = count(after, owner)
        area = self.board.area_score(self.needed, found.points(found.dead))
        return (worst if self.colour == BLACK else -best) > 0 and area * self.colour > 0

    def is_lost_by(self, points: float | None) -> bool:
        """Whether the player is behind by more than so many points even at the best; None is never."""
        return points is not None and self.bounds[1] < -points

    @property
    def is_settled(self) -> bool:
        """Whether hardly a point is in doubt: a playout a position is too rough to compare the last moves by."""
        worst, best = self.bounds
        return best - worst <= 2 * DOUBT * self.board.pass_point

    @property
    def looks_won(self) -> bool:
        """Whether the game would be won if it were counted now."""
        owner = self.owner if self.is_near else ownership(self.board, PLAYOUTS)
        return (count(self.board, owner).area - self.needed) * self.colour > 0

    def is_sure_of(self, point: int) -> bool:
        """Whether the end is near and the playouts give the point to one side for sure."""
        return self.is_near and bool(abs(self.owner.flat[point]) >= SURE)

    def settled(self, seen: np.ndarray | None) -> np.ndarray:
        """bool [N*N]: the points that playouts give to one side for sure, and the network, too.

        `seen` float32 [N, N] are its owners from the player's view; None if it has none.
        """
        mine = self.owner.ravel() * self.colour
        sure = np.abs(mine) >= SURE
        return sure if seen is None else sure & (np.abs(seen.ravel()) >= SETTLED) & (mine * seen.ravel() > 0)
