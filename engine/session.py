"""The game behind the GTP commands (GTP version 2 draft 2, sections 6.3 and 6.4).

Every command either does all of what it says or raises GtpError and leaves the game as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from engine.diagram import diagram
from engine.game import Game, format_score
from engine.player import RESIGN, PolicyPlayer
from engine.policy import PolicyError
from engine.protocol import SYNTAX_ERROR, Colour, GtpError, Vertex
from engine.sgf import MAX_BYTES, game_to_sgf, load_game
from gocnn.go import BLACK, IllegalMove
from gocnn.go.coords import gtp_to_point, point_to_gtp
from gocnn.go.handicap import fixed_handicap, free_handicap


class Session:
    """The commands that need a game; a handler for `engine.protocol.GtpEngine`."""

    def __init__(
        self,
        player: PolicyPlayer,
        *,
        ko: str = "positional",
        on_new_game: Callable[[], None] = lambda: None,
    ) -> None:
        """`ko` is a rule of Board. `on_new_game` is called when a controller sets up a game."""
        self.player = player
        self.game = Game(ko=ko)
        self._on_new_game = on_new_game

    def vertex(self, text: str) -> int:
        """The point of a vertex on the present board, for GtpEngine. Raises ValueError."""
        return gtp_to_point(text, self.game.board.size)

    def _start(self, size: int) -> None:
        """An empty board; raises ValueError if there is no such size."""
        self.game = Game(size, self.game.komi, ko=self.game.board.ko)
        self._on_new_game()

    def cmd_boardsize(self, size: int) -> None:
        """Change the size of the board, which is empty then."""
        try:
            self._start(size)
        except ValueError:
            raise GtpError("unacceptable size") from None

    def cmd_clear_board(self) -> None:
        """Begin a game on a board of the same size; komi stays."""
        self._start(self.game.board.size)

    def cmd_komi(self, komi: float) -> None:
        """Change komi; any is accepted."""
        self.game.komi = komi

    def cmd_play(self, colour: Colour, vertex: Vertex) -> None:
        """Play a move of either colour, whoever's turn it is."""
        try:
            self.game.board.play(colour, vertex)
        except IllegalMove:
            raise GtpError("illegal move") from None

    def cmd_genmove(self, colour: Colour) -> str:
        """Choose a move, play it, and say which."""
        move = self._choose(colour)
        if move == RESIGN:
            return "resign"
        self.game.board.play(colour, move)
        return point_to_gtp(move, self.game.board.size)

    def cmd_reg_genmove(self, colour: Colour) -> str:
        """Choose a move and say which, without playing it."""
        move = self._choose(colour)
        return "resign" if move == RESIGN else point_to_gtp(move, self.game.board.size)

    def _choose(self, colour: int) -> int:
        try:
            return self.player.choose(self.game.board, colour, self.game.komi)
        except PolicyError as error:
            raise GtpError(str(error)) from None

    def cmd_undo(self) -> None:
        """Take back the last move; set-up and handicap stones stay."""
        try:
            self.game.board.undo()
        except ValueError:
            raise GtpError("cannot undo") from None

    def cmd_showboard(self) -> str:
        """The board, who is to move, and the prisoners."""
        board = self.game.board
        taken = board.prisoners
        return (
            f"\n{diagram(board)}\n"
            f"{'Black' if board.to_move == BLACK else 'White'} to move, komi {self.game.komi:g}, "
            f"captured by Black {taken[BLACK]}, by White {taken[-BLACK]}"
        )

    def cmd_final_score(self) -> str:
        """The area score, stones that look dead taken off."""
        return format_score(self.game.score())

    def cmd_time_settings(self, main_time: int, byo_yomi_time: int, byo_yomi_stones: int) -> None:
        """Accepted: the policy's moves take milliseconds."""
        if min(main_time, byo_yomi_time, byo_yomi_stones) < 0:
            raise GtpError(SYNTAX_ERROR)

    def cmd_time_left(self, colour: Colour, time: int, stones: int) -> None:
        """Accepted, as time_settings."""

    def cmd_fixed_handicap(self, stones: int) -> str:
        """Place handicap stones on the points the specification names."""
        return self._place_handicap(stones, fixed_handicap)

    def cmd_place_free_handicap(self, stones: int) -> str:
        """Place handicap stones where the engine likes; fewer if the board has no more stars."""
        return self._place_handicap(stones, free_handicap)

    def _place_handicap(self, stones: int, points_for: Callable[[int, int], list[int]]) -> str:
        size = self.game.board.size
        self._require_empty_board()
        try:
            points = points_for(size, stones)
        except ValueError:
            raise GtpError("invalid number of stones") from None
        self.game.place_handicap(points)
        return " ".join(point_to_gtp(point, size) for point in points)

    def cmd_set_free_handicap(self, *vertices: str) -> None:
        """Place handicap stones where the controller says."""
        size = self.game.board.size
        self._require_empty_board()
        try:
            points = [gtp_to_point(vertex, size) for vertex in vertices]
        except ValueError:
            points = []
        fits = 2 <= len(points) < size * size and len(set(points)) == len(points)
        if not fits or size * size in points:
            raise GtpError("bad vertex list")
        self.game.place_handicap(points)

    def _require_empty_board(self) -> None:
        if not self.game.is_empty:
            raise GtpError("board not empty")

    def cmd_loadsgf(self, *words: str) -> None:
        """Load a file's main line, up to the position before a move number if one is given.

        A file name with single spaces in it is understood, though GTP has no way to write one.
        """
        if not words:
            raise GtpError(SYNTAX_ERROR)
        try:
            path, before_move = _file_and_move(words)
            if not path.is_file() or path.stat().st_size > MAX_BYTES:
                raise ValueError("not a game record")
            game = load_game(
                path.read_bytes(),
                komi=self.game.komi,
                before_move=before_move,
                ko=self.game.board.ko,
            )
        except (OSError, ValueError):
            raise GtpError("cannot load file") from None
        self.game = game
        self._on_new_game()

    def cmd_printsgf(self) -> str:
        """The game as SGF."""
        return "\n" + game_to_sgf(self.game).decode("utf-8")


def _file_and_move(words: Sequence[str]) -> tuple[Path, int | None]:
    """Split the arguments of loadsgf: the file's name, and the move number if there is one."""
    path = Path(" ".join(words))
    number = words[-1]
    if len(words) > 1 and number.isascii() and number.isdigit() and not path.exists():
        return Path(" ".join(words[:-1])), int(number)
    return path, None
