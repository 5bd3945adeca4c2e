"""The board as Python sees it: a position with its history, rules and scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from gocnn.go import core, life, replay, scoring
from gocnn.go.core import BLACK, EMPTY, WHITE
from gocnn.go.liberties import chain_liberties

KO_RULES = {"simple": core.SIMPLE, "positional": core.POSITIONAL, "situational": core.SITUATIONAL}
_REASONS = {
    core.OCCUPIED: "occupied",
    core.SUICIDE: "suicide",
    core.KO_BAN: "ko",
    core.SUPERKO: "superko",
}


class IllegalMove(ValueError):
    """A move the rules forbid; `reason` is "occupied", "suicide", "ko", "superko" or "off board"."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"illegal move: {reason}")
        self.reason = reason


class Board:
    """A square Go board of any size from 2 to 25, with the moves that led to its position.

    Colours are BLACK (+1) and WHITE (-1); a point is ``row * size + col``, `pass_point` (``size * size``) is the pass.
    Either colour may play at any time; `to_move` is the other colour of the last one that played, and may be set.

    `ko` is the rule against repetition: "simple", or "positional" or "situational" superko, under which no play may
    repeat an earlier position (with the same side to move). Passes are never forbidden. With `suicide`, a play may
    leave its own chain without liberties, which takes it off.
    """

    def __init__(self, size: int = 19, *, ko: str = "positional", suicide: bool = False) -> None:
        if not 2 <= size <= core.MAX_SIZE:
            raise ValueError(f"board size must be 2 to {core.MAX_SIZE}, not {size}")
        if ko not in KO_RULES:
            raise ValueError(f"ko rule must be one of {', '.join(KO_RULES)}, not {ko!r}")
        self.size = size
        self.ko = ko
        self.suicide = suicide
        self.to_move = BLACK
        self._state = core.new_state(size)
        self._base = core.new_state(size)  # the position before the first of `moves`: undo replays from it
        self._base_to_move = BLACK
        self._points = np.empty(64, np.int16)
        self._colours = np.empty(64, np.int8)
        self._history = np.zeros(65, np.uint64)  # what superko compares, of every position so far
        self._played = 0
        self._begin()

    def _begin(self) -> None:
        """Take the present position as the one that `moves` starts from."""
        core.copy_into(self._base, self._state)
        self._base_to_move = self.to_move
        self._played = 0
        self._history[0] = self._situation(self.to_move)

    @property
    def pass_point(self) -> int:
        return self.size * self.size

    @property
    def state(self) -> core.State:
        """The compiled position, for reading by compiled code (`gocnn.go.core`)."""
        return self._state

    @property
    def recent(self) -> np.ndarray:
        """int16 [n]: the points played since the last set-up, oldest first. A view: do not write to it."""
        return self._points[: self._played]

    @property
    def history(self) -> np.ndarray:
        """uint64 [n + 1]: what superko compares, at the start and after each move. A view: do not write to it."""
        return self._history[: self._played + 1]

    @property
    def moves(self) -> list[tuple[int, int]]:
        """(colour, point) of every move since the last set-up, passes among them."""
        return [(int(c), int(p)) for c, p in zip(self._colours[: self._played], self.recent, strict=True)]

    @property
    def stones(self) -> np.ndarray:
        """int8 [size, size]: BLACK, WHITE or EMPTY, row 0 at the top."""
        width = self.size + 1
        padded = self._state.colour[width : width * (self.size + 1)].reshape(self.size, width)
        return padded[:, 1:].copy()

    @property
    def prisoners(self) -> dict[int, int]:
        """The stones each colour has captured."""
        info = self._state.info
        return {BLACK: int(info[core.PRISONERS_OF_BLACK]), WHITE: int(info[core.PRISONERS_OF_WHITE])}

    @property
    def ko_point(self) -> int | None:
        """The point that simple ko forbids to `to_move`, if the last move took a ko."""
        cell = int(self._state.info[core.KO])
        return core.to_point(cell, self.size) if cell else None

    @property
    def hash(self) -> int:
        """64-bit Zobrist hash of the stones."""
        return int(self._state.key[0])

    def why_illegal(self, colour: int, point: int, *, by_record: bool = False) -> str | None:
        """None if `colour` may play at `point`, else the reason as in `IllegalMove`; `by_record` as in `play`."""
        if not 0 <= point <= self.pass_point:
            return "off board"
        ko = KO_RULES["simple" if by_record else self.ko]
        verdict = core.legality(self._state, point, colour, ko, self.suicide, self._history[: self._played + 1])
        return _REASONS.get(verdict)

    def is_legal(self, colour: int, point: int) -> bool:
        return self.why_illegal(colour, point) is None

    def legal_mask(self, colour: int) -> np.ndarray:
        """bool [size*size + 1] by point: where `colour` may play; the pass, last, is always True."""
        return core.legal_mask(self._state, colour, KO_RULES[self.ko], self.suicide, self._history[: self._played + 1])

    def play(self, colour: int, point: int, *, by_record: bool = False) -> int:
        """Play a move or a pass; returns the number of opposing stones captured.

        A move `by_record`, one that was really played, may repeat a position that is no simple ko. Raises
        IllegalMove, and leaves the board as it was, if the rules forbid it.
        """
        reason = self.why_illegal(colour, point, by_record=by_record)
        if reason:
            raise IllegalMove(reason)
        if not self._played:
            self._base_to_move = self.to_move  # it may have been set since
        # The position left behind counts for superko with the colour that did move in it, which is
        # not `to_move` in a game that White begins or where a colour moves twice.
        self._history[self._played] = self._situation(colour)
        captured = core.play(self._state, point, colour)
        self._remember(colour, point)
        return int(captured)

    def _remember(self, colour: int, point: int) -> None:
        if self._played == len(self._points):
            self._points = np.concatenate((self._points, np.empty_like(self._points)))
            self._colours = np.concatenate((self._colours, np.empty_like(self._colours)))
            self._history = np.concatenate((self._history, np.zeros_like(self._history)))
        self._points[self._played] = point
        self._colours[self._played] = colour
        self._played += 1
        self.to_move = -colour
        self._history[self._played] = self._situation(self.to_move)

    def _situation(self, to_move: int) -> np.uint64:
        """What superko compares, for the present stones."""
        return core.situation_key(self._state.key[0], to_move, KO_RULES[self.ko])

    def undo(self) -> None:
        """Take back the last move or pass. Raises ValueError if there is none since the last set-up."""
        if not self._played:
            raise ValueError("cannot undo")
        self._played -= 1
        core.copy_into(self._state, self._base)
        replay.play_all(self._state, self._points[: self._played], self._colours[: self._played])
        self.to_move = -int(self._colours[self._played - 1]) if self._played else self._base_to_move
        self._history[self._played] = self._situation(self.to_move)

    def setup(self, points: Sequence[int], colours: Sequence[int]) -> None:
        """Put stones on points, or take them off (EMPTY), without the rules of play, as SGF's AB, AW and AE do.

        Captures nothing: a chain may be left without liberties. Moves before it can no longer be undone and no longer
        count for ko. Raises ValueError for a point off the board or an unknown colour; nothing is changed then.
        """
        where, what = np.asarray(points, np.int64), np.asarray(colours, np.int64)
        if where.shape != what.shape or where.ndim != 1:
            raise ValueError("setup needs one colour for each point")
        if where.size and (where.min() < 0 or where.max() >= self.pass_point):
            raise ValueError(f"a set-up point is off the {self.size}x{self.size} board")
        if where.size and not np.isin(what, (BLACK, WHITE, EMPTY)).all():
            raise ValueError("a set-up colour must be BLACK, WHITE or EMPTY")
        core.setup(self._state, where.astype(np.int16), what.astype(np.int8))
        self._begin()

    def copy(self) -> Board:
        """An independent board with the same position, rules and moves."""
        other = Board(self.size, ko=self.ko, suicide=self.suicide)
        core.copy_into(other._state, self._state)
        core.copy_into(other._base, self._base)
        other.to_move, other._base_to_move = self.to_move, self._base_to_move
        other._points, other._colours = self._points.copy(), self._colours.copy()
        other._history, other._played = self._history.copy(), self._played
        return other

    def liberties(self) -> np.ndarray:
        """int16 [size, size]: the liberties of the chain on each point, 0 on empty points."""
        state = self._state
        by_head = np.zeros(state.colour.size, np.int16)
        chain_liberties(state, by_head, np.empty((3, by_head.size), np.int16))
        cells = self._cells()
        stone = (state.colour[cells] == BLACK) | (state.colour[cells] == WHITE)
        return np.where(stone, by_head[np.where(stone, state.head[cells], 0)], 0).astype(np.int16)

    def chain(self, point: int) -> list[int]:
        """The points of the chain on `point`, sorted; empty where no stone stands."""
        state = self._state
        start = core.to_cell(point, self.size)
        if not 0 <= point < self.pass_point or state.colour[start] == EMPTY:
            return []
        cells, cell = [start], int(state.next[start])
        while cell != start:
            cells.append(cell)
            cell = int(state.next[cell])
        return sorted(core.to_point(cell, self.size) for cell in cells)

    def _cells(self) -> np.ndarray:
        return core.to_cell(np.arange(self.pass_point).reshape(self.size, self.size), self.size)

    def is_own_eye(self, colour: int, point: int) -> bool:
        """Whether the empty `point` is a true eye of `colour` by its shape: surrounded, and its diagonals held.

        At most one diagonal may be the opponent's in the middle of the board, none on the edge.
        """
        return bool(point != self.pass_point and life.is_eye(self._state, core.to_cell(point, self.size), colour))

    def pass_alive(self, colour: int) -> np.ndarray:
        """bool [size, size]: the unconditionally alive chains of `colour` and the territory they hold (Benson 1976)."""
        return life.pass_alive(self._state, colour, self.suicide)[self._cells()]

    def area_score(self, komi: float = 0.0, dead: Iterable[int] = ()) -> float:
        """Area score (Tromp-Taylor): Black's stones and territory less White's, less komi.

        Stones on the `dead` points are taken off first.
        """
        return scoring.area(self._without(dead)) - komi

    def territory_score(self, komi: float = 0.0, dead: Iterable[int] = ()) -> float:
        """Territory score: Black's territory and prisoners less White's, less komi.

        Stones on the `dead` points are taken off first and count as prisoners. Points in a seki count as territory
        where one colour alone borders them.
        """
        dead = list(dead)
        taken = self.prisoners
        stones = self.stones.ravel()
        prisoners = taken[BLACK] - taken[WHITE] - sum(int(stones[point]) for point in dead)
        return scoring.territory(self._without(dead)) + prisoners - komi

    def _without(self, dead: Iterable[int]) -> np.ndarray:
        stones = self.stones
        stones.ravel()[list(dead)] = EMPTY
        return stones

    def to_ascii(self) -> str:
        """The stones as rows of text: X black, O white, . empty."""
        symbol = {BLACK: "X", WHITE: "O", EMPTY: "."}
        return "\n".join("".join(symbol[int(c)] for c in row) for row in self.stones)

    @classmethod
    def from_ascii(cls, text: str, **rules: object) -> Board:
        """A board set up from the rows that `to_ascii` writes; spaces and blank lines are ignored.

        Further arguments go to `Board`. Raises ValueError if the rows are not square or hold anything else.
        """
        rows = [line.replace(" ", "") for line in text.strip().splitlines() if line.strip()]
        if any(len(row) != len(rows) for row in rows):
            raise ValueError("the rows do not make a square board")
        colour = {"X": BLACK, "O": WHITE, ".": EMPTY}
        try:
            stones = [colour[char] for row in rows for char in row]
        except KeyError as unknown:
            raise ValueError(f"not a stone or a point: {unknown}") from None
        board = cls(len(rows), **rules)  # type: ignore[arg-type]
        board.setup(range(len(stones)), stones)
        return board

    def __str__(self) -> str:
        return self.to_ascii()
