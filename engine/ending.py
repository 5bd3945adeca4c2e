"""What random playouts say of a position near the end of its game: whether it is won, lost, or settled."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from gocnn.go import BLACK, Board
from gocnn.go.counting import count
from gocnn.go.ownership import PLAYOUTS, SURE, ownership, score_bounds

COUNTING = 0.4  # the share of occupied points from which on the end is near enough to count the board
GLANCE = 64  # playouts for that count; the decision to answer a pass is worth PLAYOUTS
SETTLED = 0.8  # the network's owner from which on a point is settled, if the playouts say so too
DOUBT = 0.05  # the share of points that playouts may be unsure of where all is settled


class Ending:
    """A position near its end, seen by its player to move; playouts are made when something first depends on them."""

    def __init__(self, board: Board, komi: float, territory: bool) -> None:
        """`komi` and `territory` are as in `engine.search.Search.run`."""
        self.board, self.colour = board, board.to_move
        self.answers_pass = bool(board.moves) and board.moves[-1] == (-self.colour, board.pass_point)
        self.komi = needed_to_end(komi, self.colour, territory) if self.answers_pass else komi
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
        worst, best = score_bounds(self.owner, self.komi)
        return (worst, best) if self.colour == BLACK else (-best, -worst)

    @property
    def is_won(self) -> bool:
        """Whether passing wins, as things stand."""
        return self.bounds[0] > 0 and _is_won_as_it_stands(self.board, self.colour, self.komi)

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
        return (count(self.board, owner).area - self.komi) * self.colour > 0

    def is_sure_of(self, point: int) -> bool:
        """Whether the end is near and the playouts give the point to one side for sure."""
        return self.is_near and bool(abs(self.owner.flat[point]) >= SURE)

    def settled(self, owner: np.ndarray, known: bool) -> np.ndarray:
        """bool [N*N]: the points that playouts, and the network (`owner`, if `known`), give to one side for sure."""
        mine = self.owner.ravel() * self.colour
        sure = np.abs(mine) >= SURE
        return sure & (np.abs(owner.ravel()) >= SETTLED) & (mine * owner.ravel() > 0) if known else sure


def needed_to_end(needed: float, colour: int, territory: bool) -> float:
    """What Black must be ahead by in area (`Rules.needed`), if `colour` ends the game now by a second pass."""
    return needed - colour / 2 if territory else needed


def _is_won_as_it_stands(board: Board, colour: int, komi: float) -> bool:
    """Whether `colour` wins by passing: if the game is counted now, and if the opponent gets all that is unclear."""
    after = board.copy()
    after.to_move = -colour
    owner = ownership(after, PLAYOUTS)
    worst, best = score_bounds(owner, komi)
    found = count(after, owner)
    return (worst if colour == BLACK else -best) > 0 and board.area_score(komi, found.points(found.dead)) * colour > 0
