"""What a game record is once it has been read, and what is said of one that could not be."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from gocnn.go import Board
from gocnn.go.replay import Moves


class Reason(str, Enum):
    """Why a record was left out. The values are what users read in summaries and logs."""

    NOT_SGF = "not SGF / unbalanced"
    TRUNCATED = "truncated"
    NOT_GO = "not Go"
    WRONG_SIZE = "wrong size"
    NO_MOVES = "no moves"
    BAD_SETUP = "illegal set-up"
    ILLEGAL = "illegal move"
    OCCUPIED = "stone on a stone"
    UNREADABLE = "unreadable"
    EXCLUDED = "in an excluded store"
    DUPLICATE = "duplicate"


def _no_points() -> np.ndarray:
    return np.empty(0, np.int16)


def _no_colours() -> np.ndarray:
    return np.empty(0, np.int8)


@dataclass(eq=False)
class GameRecord:
    """The main line of one game, and what its record says about it.

    Points are ``row * size + col`` with row 0 at the top; a pass is ``size * size``. Colours are +1
    for black and -1 for white, as the record has them: they need not alternate.
    """

    size: int
    points: np.ndarray  # int16 [n] moves
    colours: np.ndarray  # int8 [n]
    setup_at: np.ndarray = field(default_factory=_no_points)  # int16 [k] placed before this move; rising
    setup_points: np.ndarray = field(default_factory=_no_points)  # int16 [k]
    setup_colours: np.ndarray = field(default_factory=_no_colours)  # int8 [k], 0 empties the point
    first_player: int = 0  # from PL; 0 where the record does not say
    komi: float | None = None
    handicap: int = 0
    result: str | None = None  # "B+2.5", "W+R", "B+T", "W+F", "B+", "0", "Void"; other text as given
    black: str = ""
    white: str = ""
    black_rank: str = ""  # "9p", "3d", "12k"; other text as given
    white_rank: str = ""
    date: str = ""  # as given
    year: int | None = None
    event: str = ""
    rules: str = ""
    source: str = ""  # "archive.zip!inner/name.sgf#1": path, path in it, number of the game in the file

    @property
    def moves(self) -> Moves:
        """The moves, with what is set up between them."""
        return Moves(self.points, self.colours, self.setup_at, self.setup_points, self.setup_colours)

    @property
    def winner(self) -> int | None:
        """+1 or -1 for the colour that won, 0 for a draw, None where the result names neither."""
        if not self.result:
            return None
        return {"B+": 1, "W+": -1, "0": 0}.get(self.result[:2])


def position(record: GameRecord, moves: int) -> Board:
    """The board after so many moves of a game, with what is placed before the next one; suicide is a move.

    Raises ValueError for a move that simple ko forbids.
    """
    board = Board(record.size, ko="simple", suicide=True)
    for number in range(moves + 1):
        placed = record.setup_at == number
        if placed.any():
            board.setup(record.setup_points[placed].tolist(), record.setup_colours[placed].tolist())
        if number < moves:
            board.play(int(record.colours[number]), int(record.points[number]))
    return board


@dataclass(frozen=True)
class RecordError:
    """One record that was left out, or one file that could not be read."""

    reason: Reason
    source: str  # path, or "archive!path"
    game: int = 0  # number of the game in its file, from 1; 0 for the file as a whole
    position: int | None = None  # byte in the file where the trouble is, from 0
    move: int | None = None  # number of the move, from 1
    detail: str = ""
