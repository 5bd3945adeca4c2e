"""GTP commands that set up a game, play it, count it and keep its record.

They are those of GTP version 2 draft 2, sections 6.3 and 6.4, with GNU Go's and KataGo's small additions.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from engine.diagram import diagram
from engine.game import NAMES, Game, format_score, number_text
from engine.player import RESIGN
from engine.protocol import SYNTAX_ERROR, Colour, GtpError, Reply, Vertex
from engine.rules import rules_of_record
from engine.session import Session
from engine.sgf import game_to_sgf, read_file, read_record, replay
from gocnn.go import BLACK, WHITE, IllegalMove
from gocnn.go.coords import gtp_to_point
from gocnn.go.handicap import fixed_handicap, free_handicap

log = logging.getLogger(__name__)


class GameCommands:
    """A handler for `engine.protocol.GtpEngine`."""

    def __init__(self, session: Session) -> None:
        self.session = session

    # The board.

    def cmd_boardsize(self, width: int, height: int = 0) -> None:
        """Change the size of the board, which is empty then. Two numbers must be the same."""
        if height not in (0, width):
            raise GtpError("unacceptable size")
        try:
            game = Game(width, self.session.chosen_komi, ko=self.session.chosen_rules.ko)
        except ValueError:
            raise GtpError("unacceptable size") from None
        self.session.begin(game, self.session.chosen_rules)
        self.session.prepare()

    def cmd_rectangular_boardsize(self, width: int, height: int) -> None:
        """As boardsize, where the board is a square after all; others are refused."""
        self.cmd_boardsize(width, height)

    def cmd_clear_board(self) -> None:
        """Begin a game on a board of the same size; komi and rules are those that were set, not a record's."""
        self.cmd_boardsize(self.session.board.size)

    def cmd_komi(self, komi: float) -> None:
        """Change komi; any is accepted."""
        self.session.game.komi = self.session.chosen_komi = komi

    def cmd_get_komi(self) -> str:
        """Komi as it was set, or as the record that was loaded has it."""
        return number_text(self.session.game.komi)

    # Handicap.

    def cmd_fixed_handicap(self, stones: int) -> str:
        """Place handicap stones on the points the specification names."""
        return self._place_handicap(stones, fixed_handicap)

    def cmd_place_free_handicap(self, stones: int) -> str:
        """Place handicap stones where the engine likes: on the stars, then far from the others."""
        return self._place_handicap(stones, free_handicap)

    def _place_handicap(self, stones: int, points_for: Callable[[int, int], list[int]]) -> str:
        self._require_empty_board()
        try:
            points = points_for(self.session.board.size, stones)
        except ValueError:
            raise GtpError("invalid number of stones") from None
        self.session.game.place_handicap(points)
        return self.session.names(points)

    def cmd_set_free_handicap(self, *vertices: str) -> None:
        """Place handicap stones where the controller says."""
        size = self.session.board.size
        self._require_empty_board()
        try:
            points = [gtp_to_point(vertex, size) for vertex in vertices]
        except ValueError:
            points = []
        fits = 2 <= len(points) < size * size and len(set(points)) == len(points)
        if not fits or size * size in points:
            raise GtpError("bad vertex list")
        self.session.game.place_handicap(points)

    def _require_empty_board(self) -> None:
        if not self.session.game.is_empty:
            raise GtpError("board not empty")

    # Moves.

    def cmd_play(self, colour: Colour, vertex: Vertex) -> None:
        """Play a move of either colour, whoever's turn it is."""
        try:
            self.session.board.play(colour, vertex)
        except IllegalMove:
            raise GtpError("illegal move") from None

    def cmd_genmove(self, reply: Reply, colour: Colour) -> str:
        """Choose a move, play it, and say which."""
        with self.session.timed(colour):
            return self.session.play(colour, self.session.think(colour, lambda: reply.interrupted))

    def cmd_reg_genmove(self, reply: Reply, colour: Colour) -> str:
        """Choose a move and say which, without playing it."""
        move = self.session.think(colour, lambda: reply.interrupted)
        return "resign" if move == RESIGN else self.session.name(move)

    def cmd_kgs__genmove_cleanup(self, reply: Reply, colour: Colour) -> str:
        """As genmove, but take the opponent's dead stones off the board before passing."""
        with self.session.timed(colour):
            return self.session.play(colour, self.session.think(colour, lambda: reply.interrupted, clean_up=True))

    def cmd_undo(self) -> None:
        """Take back the last move; set-up and handicap stones stay."""
        self.cmd_gg__undo(1)

    def cmd_gg__undo(self, moves: int = 1) -> None:
        """Take back some moves, or none at all if there are not so many."""
        if not 0 <= moves <= len(self.session.board.recent):
            raise GtpError("cannot undo")
        for _ in range(moves):
            self.session.board.undo()

    def cmd_showboard(self) -> str:
        """The board, who is to move, and the prisoners."""
        board = self.session.board
        taken = board.prisoners
        return (
            f"\n{diagram(board)}\n"
            f"{NAMES[board.to_move]} to move, komi {number_text(self.session.game.komi)}, "
            f"captured by Black {taken[BLACK]}, by White {taken[WHITE]}"
        )

    # Counting.

    def cmd_final_score(self) -> str:
        """The score by the rules in use; stones that look dead are taken off, where the players agree on them."""
        return format_score(self.session.score())

    def cmd_final_status_list(self, status: str) -> str:
        """The chains that are alive, seki or dead, each on a line."""
        count = self.session.count()
        stones, dead, seki = count.stones != 0, count.dead, count.seki
        if not self.session.rules.friendly_pass:  # as they are counted
            dead = seki = np.zeros_like(stones)
        wanted = {"dead": dead, "seki": seki & ~dead, "alive": stones & ~dead & ~seki}
        if status not in wanted:
            raise GtpError(SYNTAX_ERROR)
        left = count.points(wanted[status])
        lines = []
        while left:
            chain = self.session.board.chain(left[0])
            lines.append(self.session.names(chain))
            left = [point for point in left if point not in chain]
        return "\n".join(lines)

    # Records, and the rest.

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
            record = read_record(read_file(path))
            rules, komi = rules_of_record(record.rules, self.session.chosen_rules), self.session.chosen_komi
            game = replay(record, komi=komi, before_move=before_move, ko=rules.ko, suicide=rules.suicide)
        except (OSError, ValueError) as error:
            log.info("%s: %s", " ".join(words), error)
            raise GtpError("cannot load file") from None
        self.session.begin(game, rules_of_record(record.rules, self.session.chosen_rules, game.handicap))
        self.session.prepare()

    def cmd_printsgf(self) -> str:
        """The game as SGF."""
        return "\n" + game_to_sgf(self.session.game, rules=self.session.rules).decode("utf-8")

    def cmd_cputime(self) -> str:
        """The processor time used so far, in seconds."""
        return f"{time.process_time():.3f}"

    def cmd_stop(self) -> None:
        """Think no more until the next move is asked for; an analysis has ended when this is read."""
        self.session.rest()


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
