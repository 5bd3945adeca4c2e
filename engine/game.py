"""A game in progress: what the GTP session, the terminal and the referee keep about it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gocnn.go import BLACK, EMPTY, WHITE, Board
from gocnn.go.counting import settle
from gocnn.go.handicap import handicap_of

DEFAULT_KOMI = 7.5
NAMES = {BLACK: "Black", WHITE: "White"}


class Game:
    """A board with its komi and handicap, and the position that its moves start from.

    `board` may be played on directly; place stones through `setup` and `place_handicap`.
    """

    def __init__(self, size: int = 19, komi: float = DEFAULT_KOMI, *, ko: str = "positional") -> None:
        """An empty board. Raises ValueError for a size or a ko rule that Board doesn't know."""
        self.board = Board(size, ko=ko)
        self.komi = komi
        self._handicap = 0  # as it was placed or stated
        self.start = self.board.stones  # int8 [size, size], before the first of board.moves

    def setup(self, points: Sequence[int], colours: Sequence[int]) -> None:
        """Put stones on the board, or take them off, by no rule; moves before that can't be taken back.

        Raises ValueError for a point off the board.
        """
        self.board.setup(points, colours)
        self.start = self.board.stones
        self._handicap = 0  # one that was placed or stated counts no more

    def place_handicap(self, points: Sequence[int]) -> None:
        """Put Black's handicap stones on the board; White is to move."""
        self.board.to_move = WHITE
        self.setup(points, [BLACK] * len(points))
        self._handicap = len(points)

    @property
    def handicap(self) -> int:
        """Black's handicap stones: the number that was placed or stated.

        Else the stones that are set up, if all are Black's, with those that Black played before White's first move.
        """
        board = self.board
        return self._handicap or handicap_of(self.start[self.start != EMPTY].tolist(), board.moves, board.size)

    @handicap.setter
    def handicap(self, stones: int) -> None:
        self._handicap = stones

    @property
    def is_empty(self) -> bool:
        """Whether no stone is on the board."""
        return not np.any(self.board.stones != EMPTY)

    @property
    def is_over(self) -> bool:
        """Whether the last two moves were passes."""
        return self.board.recent[-2:].tolist() == [self.board.pass_point] * 2

    def score(self) -> float:
        """Black's area less White's and less komi, once the stones that look dead are taken off.

        Which are dead is judged by random playouts (`gocnn.go.counting`).
        """
        return settle(self.board).area - self.komi


def usual_komi(handicap: int) -> float:
    """What White gets where nobody says: no more than half a point with handicap stones."""
    return 0.5 if handicap else DEFAULT_KOMI


def number_text(value: float) -> str:
    """A number of points or of anything else in full: ``7.5``, ``12``."""
    return f"{value + 0.0:.15g}"  # -0 is 0


def format_score(score: float) -> str:
    """A score from Black's side as GTP and SGF write it: ``B+3.5``, ``W+12``, ``0`` for a draw."""
    if score == 0:
        return "0"
    return f"{'B' if score > 0 else 'W'}+{number_text(abs(score))}"


def parse_score(text: str) -> float | None:
    """Black's score from a final score as engines write it: ``B+3.5``, ``W+12.0``, ``0``, ``Draw`` or ``Jigo``.

    None for what names no number, such as ``B+R``.
    """
    text = text.strip().upper()
    if text in ("0", "DRAW", "JIGO"):
        return 0.0
    side = {"B+": 1, "W+": -1}.get(text[:2])
    try:
        points = abs(float(text[2:]))
    except ValueError:
        return None
    return side * points if side and math.isfinite(points) else None
