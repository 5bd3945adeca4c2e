"""The game behind the GTP commands, and the commands that set it up, play and count it.

They are those of GTP version 2 draft 2, sections 6.3 and 6.4, with GNU Go's and KataGo's small additions. Other modules
have more: `rules_commands` (rules, handicap, KGS), `time_commands`, `analysis_commands`, `gogui_commands` and
`gogui_views`.

Every command either does all of what it says or raises GtpError and leaves the game as it was.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.cleanup import capturing_move
from engine.clock import Clock
from engine.diagram import diagram
from engine.game import DEFAULT_KOMI, NAMES, Game, as_text, format_score
from engine.player import RESIGN, PolicyPlayer
from engine.policy import PolicyError
from engine.protocol import SYNTAX_ERROR, Colour, GtpError, Reply, Vertex
from engine.rules import STANDARD, Rules, rules_of_record
from engine.search_terms import Limits, Report
from engine.sgf import MAX_BYTES, game_to_sgf, read_record, replay
from gocnn.go import BLACK, WHITE, Board, IllegalMove
from gocnn.go.coords import gtp_to_point, point_to_gtp
from gocnn.go.counting import Count, settle
from sgf_data.values import MOST_KOMI

if TYPE_CHECKING:
    from engine.search import Search
    from gocnn.evaluator import Evaluator


log = logging.getLogger(__name__)


class Session:
    """The state of a session, and its commands on the game; a handler for `engine.protocol.GtpEngine`."""

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
        self._set_komi, self._set_rules = DEFAULT_KOMI, rules  # which a record's take the place of while it is there
        self._new_game(Game(ko=rules.ko), rules)

    # What the other modules of commands use.

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
        return " ".join(self.name(point) for point in points)

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
            board.play(colour, point, told=True)
        board.suicide = rules.suicide
        board.to_move = self.board.to_move
        self.rules = self._set_rules = rules
        self.game.board = board

    @property
    def komi(self) -> float:
        """What White gets: komi, and points for handicap stones."""
        return self.game.komi + self.rules.compensation(self.game.handicap)

    @property
    def needed(self) -> float:
        """What Black must be ahead by in area to win by the rules in use: what players and networks go by."""
        return self.needed_on(self.board)

    def needed_on(self, board: Board) -> float:
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
        found = self.count()
        return (found.territory(board.prisoners) if by_territory else found.area) - self.komi

    def run_search(self, colour: int | None, *, limits: Limits | None = None, **how: Any) -> Report:
        """What the search finds with `colour` to move (None: as it is); `how` as in `Search.run`."""
        board = self.board_for(colour)
        with policy_errors():
            return self.search.run(
                board, self.needed_on(board), limits or Limits(), territory=self.rules.by_territory, **how
            )

    def think(self, colour: int, stop: Callable[[], bool], clean_up: bool = False, **how: Any) -> int:
        """The move that the player chooses, or RESIGN; nothing is played. Raises GtpError.

        The player does not pass before the opponent's dead stones are taken off, if the rules or `clean_up` want that,
        but where stones count as they stand he passes, too, when his opponent has passed and the game is won so.
        `how`: the reports on the way, as in `PolicyPlayer.choose`.
        """
        self.player.found = None  # by its last search, which was of another position
        passed = (-colour, self.board.pass_point) in self.board.moves[-1:]
        if passed and not (clean_up or self.rules.friendly_pass) and self.score() * colour > 0:
            return self.board.pass_point
        needed = self.needed_on(self.board_for(colour))
        how |= {"territory": self.rules.by_territory, "seconds": self._seconds(colour), "stop": stop}
        with policy_errors():
            move = self.player.choose(self.board, colour, needed, **how)
        if move == self.board.pass_point and (clean_up or not self.rules.friendly_pass):
            found = self.count()
            dead = found.points(found.dead & (found.stones == -colour))
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
            how = {"stop": stop, "report": report, "every": every, "bans": bans}
            found = self.run_search(colour, limits=limits, **how)
            if not found.moves:
                raise GtpError("no move is allowed")
            return found.moves[0].move, found
        move = self.think(colour, stop, report=report, every=every)
        return move, self.player.found or self.run_search(colour, limits=Limits(visits=1))

    def _seconds(self, colour: int) -> float | None:
        """What the clock gives `colour` for this move; None without a clock."""
        budget = self.clock.budget(colour, self.board.size, int(np.count_nonzero(self.board.stones)))
        return None if budget is None else budget.seconds

    def ponder(self, stop: Callable[[], bool]) -> None:
        """Think on the opponent's time, until `stop` says that it is over, if the player is one that does."""
        played_last = self._played_at == len(self.board.recent)
        if self.player.ponders and played_last and not self.game.is_over:
            with contextlib.suppress(PolicyError):
                self.player.ponder(self.board, self.needed, stop, territory=self.rules.by_territory)

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

    # Commands.

    def cmd_boardsize(self, width: int, height: int = 0) -> None:
        """Change the size of the board, which is empty then. Two numbers must be the same."""
        if height not in (0, width):
            raise GtpError("unacceptable size")
        try:
            game = Game(width, self._set_komi, ko=self._set_rules.ko)
        except ValueError:
            raise GtpError("unacceptable size") from None
        self._new_game(game, self._set_rules)
        self.prepare()

    def cmd_rectangular_boardsize(self, width: int, height: int) -> None:
        """As boardsize, where the board is a square after all; others are refused."""
        self.cmd_boardsize(width, height)

    def cmd_clear_board(self) -> None:
        """Begin a game on a board of the same size; komi and rules are those that were set, not a record's."""
        self.cmd_boardsize(self.board.size)

    def _new_game(self, game: Game, rules: Rules) -> None:
        game.board.suicide = rules.suicide
        self.game, self.rules = game, rules
        self.clock.reset()
        self.rest()

    def cmd_komi(self, komi: float) -> None:
        """Change komi; any is accepted."""
        self.game.komi = self._set_komi = komi

    def cmd_get_komi(self) -> str:
        """Komi as it was set, or as the record that was loaded has it."""
        return as_text(self.game.komi)

    def cmd_play(self, colour: Colour, vertex: Vertex) -> None:
        """Play a move of either colour, whoever's turn it is."""
        try:
            self.board.play(colour, vertex)
        except IllegalMove:
            raise GtpError("illegal move") from None

    def cmd_genmove(self, reply: Reply, colour: Colour) -> str:
        """Choose a move, play it, and say which."""
        with self.timed(colour):
            return self.play(colour, self.think(colour, lambda: reply.interrupted))

    @contextmanager
    def timed(self, colour: int) -> Iterator[None]:
        """The time that `colour` thinks about its move."""
        self.clock.start(colour)
        try:
            yield
        finally:
            self.clock.stop(colour)

    def cmd_reg_genmove(self, reply: Reply, colour: Colour) -> str:
        """Choose a move and say which, without playing it."""
        move = self.think(colour, lambda: reply.interrupted)
        return "resign" if move == RESIGN else self.name(move)

    def cmd_kgs__genmove_cleanup(self, reply: Reply, colour: Colour) -> str:
        """As genmove, but take the opponent's dead stones off the board before passing."""
        with self.timed(colour):
            return self.play(colour, self.think(colour, lambda: reply.interrupted, clean_up=True))

    def cmd_undo(self) -> None:
        """Take back the last move; set-up and handicap stones stay."""
        self.cmd_gg__undo(1)

    def cmd_gg__undo(self, moves: int = 1) -> None:
        """Take back some moves, or none at all if there are not so many."""
        if not 0 <= moves <= len(self.board.recent):
            raise GtpError("cannot undo")
        for _ in range(moves):
            self.board.undo()

    def cmd_showboard(self) -> str:
        """The board, who is to move, and the prisoners."""
        board = self.board
        taken = board.prisoners
        return (
            f"\n{diagram(board)}\n"
            f"{NAMES[board.to_move]} to move, komi {as_text(self.game.komi)}, "
            f"captured by Black {taken[BLACK]}, by White {taken[WHITE]}"
        )

    def cmd_final_score(self) -> str:
        """The score by the rules in use; stones that look dead are taken off, where the players agree on them."""
        return format_score(self.score())

    def cmd_final_status_list(self, status: str) -> str:
        """The chains that are alive, seki or dead, each on a line."""
        found = self.count()
        stones = found.stones != 0
        if not self.rules.friendly_pass:  # as they are counted
            found = replace(found, dead=np.zeros_like(stones), seki=np.zeros_like(stones))
        wanted = {"dead": found.dead, "seki": found.seki & ~found.dead, "alive": stones & ~found.dead & ~found.seki}
        if status not in wanted:
            raise GtpError(SYNTAX_ERROR)
        left = found.points(wanted[status])
        lines = []
        while left:
            chain = self.board.chain(left[0])
            lines.append(self.names(chain))
            left = [point for point in left if point not in chain]
        return "\n".join(lines)

    def cmd_loadsgf(self, *words: str) -> None:
        """Load a file's main line, up to the position before a move number if one is given, and take up its rules.

        Komi and rules that it does not name are those that were set, whatever was loaded before.
        A file name with single spaces in it is understood, though GTP has no way to write one; so is one in double
        quotes, as GoGui sends it.
        """
        if not words:
            raise GtpError(SYNTAX_ERROR)
        try:
            path, before_move = _file_and_move(words)
            if not path.is_file() or path.stat().st_size > MAX_BYTES:
                raise ValueError("not a game record")
            record = read_record(path.read_bytes())
            rules = rules_of_record(record.rules, self._set_rules)
            game = replay(record, komi=self._set_komi, before_move=before_move, ko=rules.ko, suicide=rules.suicide)
        except (OSError, ValueError) as error:
            log.info("%s: %s", " ".join(words), error)
            raise GtpError("cannot load file") from None
        self._new_game(game, rules_of_record(record.rules, self._set_rules, game.handicap))
        self.prepare()

    def cmd_printsgf(self) -> str:
        """The game as SGF."""
        return "\n" + game_to_sgf(self.game, rules=self.rules).decode("utf-8")

    def cmd_cputime(self) -> str:
        """The processor time used so far, in seconds."""
        return f"{time.process_time():.3f}"

    def cmd_stop(self) -> None:
        """Think no more until the next move is asked for; an analysis has ended when this is read."""
        self.rest()


@contextmanager
def policy_errors() -> Iterator[None]:
    """What a network can't do is a refusal; it raises ValueError for a board that it can't play on."""
    try:
        yield
    except (PolicyError, ValueError) as error:
        log.debug("refused", exc_info=True)
        raise GtpError(str(error)) from None


def _path(words: Sequence[str]) -> Path:
    """A file name, which may be in double quotes."""
    text = " ".join(words)
    return Path(text[1:-1] if len(text) > 2 and text[0] == text[-1] == '"' else text)


def _file_and_move(words: Sequence[str]) -> tuple[Path, int | None]:
    """Split the arguments of loadsgf: the file's name, and the move number if there is one."""
    path = _path(words)
    number = words[-1]
    if len(words) > 1 and number.isascii() and number.isdigit() and not path.exists():
        return _path(words[:-1]), int(number)
    return path, None
