"""The game behind the GTP commands: what all of them work on, and how a move is found.

The commands are in `game_commands`, `rules_commands`, `time_commands`, `analysis_commands`, `gogui_commands` and
`gogui_views`. Every one of them either does all of what it says or raises GtpError and leaves the game as it was.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.cleanup import capturing_move
from engine.clock import Clock
from engine.game import DEFAULT_KOMI, Game
from engine.player import RESIGN, PolicyPlayer
from engine.policy import PolicyError
from engine.protocol import GtpError
from engine.rules import STANDARD, Needed, Rules
from engine.search_terms import Limits, Report
from gocnn.go import Board
from gocnn.go.coords import gtp_to_point, point_to_gtp, points_to_gtp
from gocnn.go.counting import Count, settle
from sgf_data.values import MOST_KOMI

if TYPE_CHECKING:
    from engine.search import Search
    from gocnn.evaluator import Evaluator


log = logging.getLogger(__name__)


class Session:
    """A game, its rules and its clock, the player that moves in it, and the search that analyses it."""

    def __init__(
        self,
        player: PolicyPlayer,
        network: Callable[[], Evaluator],
        *,
        rules: Rules = STANDARD,
        prepare: Callable[[], None] = lambda: None,
        is_preparing: Callable[[], bool] = lambda: False,
    ) -> None:
        """`network` gives the network, or raises PolicyError; an analysis waits while `is_preparing`.

        `prepare` is called where a game is set up, or an analysis begins: what these need may be made ready then.
        """
        self.player = player
        self.clock = Clock()
        self._network = network
        self._search: Search | None = None
        self.prepare = prepare
        self.is_preparing = is_preparing
        # As the client has set them: a record that is loaded brings its own, until the board is cleared.
        self.chosen_komi, self.chosen_rules = DEFAULT_KOMI, rules
        self.begin(Game(ko=rules.ko), rules)

    def begin(self, game: Game, rules: Rules) -> None:
        """Go over to another game."""
        game.board.suicide = rules.suicide
        self.game, self.rules = game, rules
        self.clock.reset()
        self.rest()

    @property
    def board(self) -> Board:
        return self.game.board

    @property
    def search(self) -> Search:
        """The search, which remembers the tree of the position before. Raises GtpError if there is no network."""
        from engine.search import Search

        with policy_errors():
            if self._search is None:
                searcher = self.player.searcher
                self._search = Search(self._network()) if searcher is None else searcher.search
            return self._search

    @property
    def network(self) -> Evaluator:
        """The network. Raises GtpError if there is none."""
        with policy_errors():
            return self._network()

    def vertex(self, text: str) -> int:
        """The point of a vertex on the present board, for GtpEngine. Raises ValueError."""
        return gtp_to_point(text, self.board.size)

    def name(self, point: int) -> str:
        """The vertex of a point of the present board."""
        return point_to_gtp(point, self.board.size)

    def names(self, points: Iterable[int]) -> str:
        """Some vertices, as GTP lists them."""
        return points_to_gtp(points, self.board.size)

    def board_for(self, colour: int | None) -> Board:
        """A copy of the board with `colour` to move (None: as it is)."""
        board = self.board.copy()
        if colour is not None:
            board.to_move = colour
        return board

    def use_rules(self, rules: Rules) -> None:
        """Go on by other rules. What was played stays, also where they would not have allowed it."""
        board = self.board.copy()
        moves = board.moves
        while board.moves:
            board.undo()
        board.ko, board.suicide = rules.ko, True
        board.setup((), ())  # what superko compares depends on the rules
        for colour, point in moves:
            board.play(colour, point, by_record=True)
        board.suicide = rules.suicide
        board.to_move = self.board.to_move
        self.rules = self.chosen_rules = rules
        self.game.board = board

    @property
    def komi(self) -> float:
        """What White gets: komi, and points for handicap stones."""
        return self.game.komi + self.rules.compensation(self.game.handicap)

    @property
    def needed(self) -> Needed:
        """What Black needs to win by the rules in use."""
        return self.needed_on(self.board)

    def needed_on(self, board: Board) -> Needed:
        """The same on another board of the game; no more than a network can compute with."""
        return self.rules.needed(board, max(-MOST_KOMI, min(MOST_KOMI, self.komi)))

    def count(self) -> Count:
        """The position counted as if the game were over."""
        return settle(self.board)

    def score(self) -> float:
        """The score by the rules in use, from Black's side."""
        board, by_territory = self.board, self.rules.by_territory
        if not self.rules.friendly_pass:
            return board.territory_score(self.komi) if by_territory else board.area_score(self.komi)
        count = self.count()
        return (count.territory(board.prisoners) if by_territory else count.area) - self.komi

    def run_search(self, colour: int | None, *, limits: Limits | None = None, **how: Any) -> Report:
        """What the search finds with `colour` to move (None: as it is); `how` as in `Search.run`."""
        board = self.board_for(colour)
        with policy_errors():
            return self.search.run(board, self.needed_on(board), limits or Limits(), **how)

    def think(self, colour: int, stop: Callable[[], bool], clean_up: bool = False, **how: Any) -> int:
        """The move that the player chooses, or RESIGN; nothing is played. Raises GtpError.

        The player does not pass before the opponent's dead stones are taken off, if the rules or `clean_up` want that,
        but where stones count as they stand he passes, too, when his opponent has passed and the game is won so.
        `how`: the reports on the way, as in `PolicyPlayer.choose`.
        """
        self.player.report = None  # of another position
        passed = (-colour, self.board.pass_point) in self.board.moves[-1:]
        if passed and not (clean_up or self.rules.friendly_pass) and self.score() * colour > 0:
            return self.board.pass_point
        needed = self.needed_on(self.board_for(colour))
        with policy_errors():
            move = self.player.choose(self.board, colour, needed, seconds=self._seconds(colour), stop=stop, **how)
        if move == self.board.pass_point and (clean_up or not self.rules.friendly_pass):
            count = self.count()
            dead = count.points(count.dead & (count.stones == -colour))
            capture = capturing_move(self.board, colour, dead)
            return move if capture is None else capture
        return move

    def think_aloud(
        self, colour: int, stop: Callable[[], bool], report: Callable[[Report], None] | None, every: float,
        bans: np.ndarray | None = None,
    ) -> tuple[int, Report]:  # fmt: skip
        """As `think`, with reports on the way, and the last one beside the move.

        Where moves are banned (`Search.run`), the move is what the search likes best of the rest, whatever the player's
        habits.
        """
        from engine.search_player import SearchPlayer, with_seconds

        if bans is not None:
            limits = self.player.limits if isinstance(self.player, SearchPlayer) else Limits(visits=1)
            limits = with_seconds(limits, self._seconds(colour))
            last = self.run_search(colour, limits=limits, stop=stop, report=report, every=every, bans=bans)
            if not last.moves:
                raise GtpError("no move is allowed")
            return last.moves[0].move, last
        move = self.think(colour, stop, report=report, every=every)
        return move, self.player.report or self.run_search(colour, limits=Limits(visits=1))

    def _seconds(self, colour: int) -> float | None:
        """What the clock gives `colour` for this move; None without a clock."""
        budget = self.clock.budget(colour, self.board.size, int(np.count_nonzero(self.board.stones)))
        return None if budget is None else budget.seconds

    def ponder(self, stop: Callable[[], bool]) -> None:
        """Think on the opponent's time, until `stop` says that it is over, if the player is one that does."""
        played_last = self._played_at == len(self.board.recent)
        if self.player.ponders and played_last and not self.game.is_over:
            with contextlib.suppress(PolicyError):
                self.player.ponder(self.board, self.needed, stop)

    def play(self, colour: int, move: int) -> str:
        """Play a chosen move, and say which it was."""
        if move == RESIGN:
            self.rest()
            return "resign"
        self.board.play(colour, move)
        self._played_at = len(self.board.recent)
        return self.name(move)

    def rest(self) -> None:
        """Do not `ponder` before the next move of ours."""
        self._played_at = -1

    @contextmanager
    def timed(self, colour: int) -> Iterator[None]:
        """The time that `colour` thinks about its move."""
        self.clock.start(colour)
        try:
            yield
        finally:
            self.clock.stop(colour)


@contextmanager
def policy_errors() -> Iterator[None]:
    """What a network can't do is a refusal; it raises ValueError for a board that it can't play on."""
    try:
        yield
    except (PolicyError, ValueError) as error:
        log.debug("refused", exc_info=True)
        raise GtpError(str(error)) from None
