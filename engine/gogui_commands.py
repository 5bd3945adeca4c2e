"""GoGui's own GTP commands: set-up, sequences of moves, and its interface for the rules of a game.

What GoGui shows on its board is in `gogui_views`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.game import NAMES, format_score
from engine.protocol import INVALID_MOVE, SYNTAX_ERROR, Colour, GtpError, read_colour
from engine.session import Session
from gocnn.go import BLACK, EMPTY, WHITE, IllegalMove


class GoguiCommands:
    """A handler for `engine.protocol.GtpEngine`."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def cmd_gogui__title(self) -> str:
        """What the window's title says."""
        return "gocnn"

    def cmd_gogui__interrupt(self) -> None:
        """Says by being there that the comment ``# interrupt`` ends a command that runs."""

    def cmd_gogui__play_sequence(self, *words: str) -> None:
        """Play moves, each a colour and a vertex; all of them, or none if one is illegal."""
        board = self.session.board.copy()
        try:
            for colour, point in self._pairs(words):
                board.play(colour, point)
        except IllegalMove:
            raise GtpError("illegal move") from None
        self.session.game.board = board

    def cmd_gogui__setup(self, *words: str) -> None:
        """Put stones on the board (b, w) or take them off (e), each with its vertex, by no rule of play."""
        pairs = list(self._pairs(words, empty=True))
        points, colours = [point for _, point in pairs], [colour for colour, _ in pairs]
        board = self.session.board.copy()
        if board.pass_point in points:
            raise GtpError(INVALID_MOVE)
        board.setup(points, colours)
        stones, liberties = board.stones, board.liberties()
        if ((stones != EMPTY) & (liberties == 0)).any():
            raise GtpError("stones without liberties")
        self.session.game.setup(points, colours)

    def cmd_gogui__setup_player(self, colour: Colour) -> None:
        """Say who is to move."""
        self.session.board.to_move = colour

    def _pairs(self, words: Sequence[str], empty: bool = False) -> Iterator[tuple[int, int]]:
        """(colour, point) of each pair of words; e for EMPTY is a colour if `empty`. Raises GtpError."""
        if len(words) % 2:
            raise GtpError(SYNTAX_ERROR)
        for colour, vertex in zip(words[::2], words[1::2]):
            try:
                none = empty and colour.lower() in ("e", "empty")
                yield EMPTY if none else read_colour(colour), self.session.vertex(vertex)
            except ValueError:
                raise GtpError(INVALID_MOVE) from None

    # The rules, for a GoGui that plays other games too.

    def cmd_gogui__rules_game_id(self) -> str:
        """Which game this is."""
        return "Go"

    def cmd_gogui__rules_board_size(self) -> str:
        """The size of the board."""
        return str(self.session.board.size)

    def cmd_gogui__rules_board(self) -> str:
        """The board, row by row from the top: X black, O white, . empty."""
        return "\n".join(" ".join(row) for row in self.session.board.to_ascii().splitlines())

    def cmd_gogui__rules_side_to_move(self) -> str:
        """Who is to move."""
        return "black" if self.session.board.to_move == BLACK else "white"

    def cmd_gogui__rules_legal_moves(self) -> str:
        """Where that player may move, pass included; nowhere once the game is over."""
        if self.session.game.is_over:
            return ""
        legal = self.session.board.legal_mask(self.session.board.to_move)
        return self.session.names(int(point) for point in legal.nonzero()[0])

    def cmd_gogui__rules_captured_count(self) -> str:
        """The prisoners that Black and White have taken."""
        taken = self.session.board.prisoners
        return f"{taken[BLACK]} {taken[WHITE]}"

    def cmd_gogui__rules_final_result(self) -> str:
        """The result in words."""
        if not self.session.game.is_over:
            return "unknown"
        score = self.session.score()
        if score == 0:
            return "draw"
        return f"{NAMES[BLACK if score > 0 else WHITE]} wins: {format_score(score)}"
