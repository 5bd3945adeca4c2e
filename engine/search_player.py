"""A player that searches: the move that a tree search likes best, and the sense to stop and to give up.

At the end of a game nearly every move is worth the same, and a search cannot tell which of them are pointless. What
both the network and random playouts (`gocnn.go.ownership`) are sure of is therefore left alone unless the search gains
by playing there, against a pass; elsewhere it plays on as long as that costs nothing. So it passes when nothing is left
to gain, or in answer to a pass when the game is won as it stands.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.ending import Ending
from engine.player import RESIGN, PolicyPlayer, Style, drawn_order, rehearse
from engine.policy import LazyPolicy, PolicyError
from engine.rules import EVEN, Needed
from engine.search import Limits, MoveReport, Report, Search, SearchConfig
from gocnn.go import BLACK, WHITE, Board
from gocnn.go.planes import PlaneSet

if TYPE_CHECKING:
    from gocnn.evaluator import Evaluation

#: Near the end a move on a settled point must be better than a pass by GAIN in win rate or by POINT points of the
#: lead; one elsewhere must not be worse by as much.
GAIN, POINT = 0.02, 0.7

#: The pass that these moves are measured by is searched with PASS_VISITS visits, in at most PASS_SHARE of the time.
PASS_VISITS, PASS_SHARE = 16, 0.1


@dataclass(frozen=True)
class Resignation:
    """When to give up: the win rate is below `winrate` at `turns` own turns in a row.

    A turn above twice that breaks the row; one in between does not count. Games with fewer stones than `stones` times
    the points of the board go on, and so do those that random playouts do not count as lost.
    """

    winrate: float = 0.04
    turns: int = 3
    stones: float = 0.2


@dataclass(frozen=True)
class StandIn:
    """A network that knows nothing, to rehearse with beside one that is at work: torch's threads are not for both."""

    plane_set: PlaneSet
    has_value: bool
    lanes: int = 1

    def policy(self, boards: Sequence[Board], symmetries: int = 1) -> np.ndarray:
        """As in Policy: all moves alike."""
        moves = boards[0].pass_point + 1
        return np.full((len(boards), moves), 1 / moves, np.float32)

    def evaluate_planes(self, planes: np.ndarray, needed: np.ndarray) -> Evaluation:
        """As in `engine.search_terms.Network`: nobody is ahead."""
        from gocnn.evaluator import Evaluation

        count, size = len(planes), planes.shape[-1]
        policy = self.policy([Board(size)] * count)
        if not self.has_value:
            return Evaluation(policy, None, None, None)
        owner = np.zeros((count, size * size), np.float32)
        return Evaluation(policy, np.full(count, 0.5, np.float32), -needed.astype(np.float32), owner)


class SearchPlayer(PolicyPlayer):
    """Plays what a search finds; with one visit, as a PolicyPlayer."""

    def __init__(
        self,
        policy: LazyPolicy,
        style: Style | None = None,
        *,
        limits: Limits,
        config: SearchConfig | None = None,
        resignation: Resignation | None = None,
        ponders: bool = False,
    ) -> None:
        """`limits` for every move. `resignation` None: never by win rate.

        `ponders` says that the caller should let it `ponder` while the opponent thinks.
        """
        super().__init__(policy, style)
        self.limits = limits
        self.config = config or SearchConfig(seed=self.style.seed)
        self.resignation = resignation
        self.ponders = ponders
        self._network = policy.network
        self._search: Search | None = None
        self._lost_turns: dict[int, tuple[list[int], int]] = {}  # of each colour: the moves played then, turns

    @property
    def searcher(self) -> SearchPlayer:
        return self

    @property
    def search(self) -> Search:
        """The search, with the tree of the last position. Waits for the network; raises PolicyError without one."""
        if self._search is None:
            self._search = Search(self._network(), self.config)
        return self._search

    def warm_up(self, network: Any) -> None:
        """As PolicyPlayer's, whom it asks when there is no time, and by small searches.

        These have hardly any memory, so that the tree is made smaller, too, and are late from the first move on.
        """
        super().warm_up(network)
        rehearse(
            SearchPlayer(
                LazyPolicy(lambda: network), self.style, limits=Limits(visits=12),
                config=replace(self.config, nodes=16, late=0.0), resignation=self.resignation,
            )
        )  # fmt: skip

    def warm_up_for_analysis(self, network: Any) -> None:
        """Nothing: an analysis needs what this player does."""

    def choose(
        self,
        board: Board,
        colour: int,
        needed: Needed = EVEN,
        *,
        seconds: float | None = None,
        stop: Callable[[], bool] | None = None,
        report: Callable[[Report], None] | None = None,
        every: float = 0.5,
    ) -> int:
        """The move that `colour` plays here: a legal point, the pass, or RESIGN; the board is left as it is.

        `seconds` cut the player's limits short; the rest is as in `Search.run`, whose report is in `report` afterwards.
        Raises PolicyError if there is no network, or none for this board.
        """
        began = time.monotonic()
        self.report = None
        limits = with_seconds(self.limits, seconds)
        if limits.visits is not None and limits.visits <= 1:
            return super().choose(board, colour, needed)
        board = board.copy()
        board.to_move = colour
        ending = Ending(board, needed)
        if ending.is_won_by_passing:
            return board.pass_point
        if ending.is_lost_by(self.style.resign_behind):
            return RESIGN
        avoid = _worthless(board) + [board.pass_point] * ending.is_near  # then a pass is measured by itself
        passing = Limits(descents=PASS_VISITS)
        if limits.seconds is not None:
            left = max(0.0, limits.seconds - (time.monotonic() - began))
            passing = replace(passing, seconds=PASS_SHARE * left)
            limits = replace(limits, seconds=left - PASS_SHARE * left * ending.is_near)
        try:
            found = self.report = self.search.run(
                board, needed, limits, stop=stop, report=report, every=every, avoid=avoid,
                mix_playouts=not ending.is_settled,
            )  # fmt: skip
            if self._gives_up(board, found, ending):
                return RESIGN
            if not found.moves:
                return board.pass_point
            if not found.moves[0].visits:  # no time at all
                return super().choose(board, colour, needed)
            return self._pick(board, needed, found, ending, passing)
        except ValueError as error:
            raise PolicyError(str(error)) from None

    def ponder(self, board: Board, needed: Needed, stop: Callable[[], bool]) -> None:
        """Search the opponent's position until `stop` says so, or the memory is full; the next search profits."""
        self.search.run(board, needed, Limits(), stop=stop, owners=False)

    def _pick(self, board: Board, needed: Needed, found: Report, ending: Ending, limits: Limits) -> int:
        """The best move that is not pointless; the pass, which is searched within `limits`, if there is none.

        Long before the board is full the pass is no choice but where the search likes it best, and all is settled.
        """
        moves = [move for move in self._in_order_of_choice(found, len(board.recent)) if move.move != board.pass_point]
        if not ending.is_near and found.moves[0].move != board.pass_point:
            return moves[0].move
        settled = ending.settled(found.owner if self.search.evaluator.has_value else None)
        if not ending.is_near:
            others = [move.move for move in (*moves, *found.untried) if move.move != board.pass_point]
            return next((move for move in others if not settled[move]), board.pass_point)
        only, mix = [board.pass_point], not ending.is_settled
        passing = self.search.run(board, needed, limits, only=only, mix_playouts=mix).moves[0]
        for move in moves:
            if not move.visits:
                continue
            better, ahead = move.winrate - passing.winrate, move.lead - passing.lead
            if better > GAIN or ahead > POINT or (not settled[move.move] and better > -GAIN and ahead > -POINT):
                return move.move
        return board.pass_point

    def _in_order_of_choice(self, found: Report, played: int) -> list[MoveReport]:
        """The moves, best first, or drawn by their visits where the style wants chance."""
        temperature = self.style.temperature_of(played)
        if temperature <= 0:
            return list(found.moves)
        visits = np.array([max(move.visits, 1e-3) for move in found.moves])
        return [found.moves[index] for index in drawn_order(visits, temperature, self._random)]

    def _gives_up(self, board: Board, found: Report, ending: Ending) -> bool:
        """Count this turn, and say whether it is the last of a row of lost ones."""
        if self.resignation is None:
            return False
        rule, played = self.resignation, board.recent.tolist()
        before, turns = self._lost_turns.get(board.to_move, ([], 0))
        if played[: len(before)] != before or found.winrate > 2 * rule.winrate:  # another game, or another hope
            turns = 0
        if found.winrate < rule.winrate and (turns == 0 or len(played) > len(before)):
            turns += 1
        self._lost_turns[board.to_move] = (played, turns)
        few = np.count_nonzero(board.stones) < rule.stones * board.pass_point
        return turns >= rule.turns and not few and not ending.looks_won


def _worthless(board: Board) -> list[int]:
    """Empty points that nobody needs: own eyes, and what belongs to one side whatever happens."""
    dead_ends = (board.pass_alive(BLACK) | board.pass_alive(WHITE)).ravel() & (board.stones.ravel() == 0)
    points = np.flatnonzero(board.stones.ravel() == 0)
    return [int(point) for point in points if dead_ends[point] or board.is_own_eye(board.to_move, int(point))]


def with_seconds(limits: Limits, seconds: float | None) -> Limits:
    """Limits that end after some seconds of the clock's at the latest, of which none are wasted."""
    if seconds is None:
        return limits
    return replace(limits, seconds=seconds if limits.seconds is None else min(seconds, limits.seconds), saves=True)
