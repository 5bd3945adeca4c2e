"""One game between two GTP engines, with a board of the referee's own.

Whatever an engine does wrong (ends, stalls, answers nonsense, plays where it may not, refuses what
it must accept) loses it that game and nothing more: the next game starts a fresh process.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from engine.client import EngineFailure, FailedCommand, GtpClient
from engine.game import Game, format_score, number_text, parse_score
from gocnn.go import BLACK, WHITE, IllegalMove, core
from gocnn.go.coords import gtp_to_point, point_to_gtp
from gocnn.go.tactics import self_atari

GTP_NAMES = {BLACK: "black", WHITE: "white"}
LETTERS = {BLACK: "B", WHITE: "W"}

#: How many times as long the first move of a process may take: there is much to load then, and perhaps to compile.
FIRST_MOVE = 5


@dataclass(frozen=True)
class Terms:
    """What the referee watches; the engines are told size and komi. `timeout` is seconds for each answer."""

    size: int = 19
    komi: float = 7.5
    ko: str = "positional"
    max_moves: int = 1000
    timeout: float = 60.0


@dataclass(frozen=True)
class Outcome:
    """How a game ended, and the `seconds` that it took.

    `winner` is BLACK, WHITE or 0 for a draw; `result` is as in SGF (``B+3.5``, ``W+R``, ``B+F`` for
    a forfeit, ``0``). `settled` says by what: "agreement" of the engines' scores, "arbiter",
    "tromp-taylor" (the referee's count of all stones as they stand), "resignation" or "forfeit".
    `scores` holds what each was heard to say of the score; `note` what a reader should know.
    """

    winner: int
    result: str
    settled: str
    game: Game
    scores: dict[str, str] = field(default_factory=dict)
    note: str = ""
    seconds: float = 0.0


class Forfeit(Exception):
    """`colour` has lost the game by what the text says."""

    def __init__(self, colour: int, reason: str) -> None:
        super().__init__(reason)
        self.colour = colour


class Seat:
    """A place at the board: a command, and the process that runs it while there is one."""

    def __init__(self, label: str, command: str, timeout: float) -> None:
        """`label` names the seat in results: "A", "B" or "arbiter"."""
        self.label = label
        self.command = command
        self.timeout = timeout
        self._client: GtpClient | None = None
        self._has_moved = False  # the process there is now
        self._closed = False

    def send(self, command: str) -> str:
        """Send a command, to a fresh process if the last one failed.

        Raises FailedCommand for a refusal and EngineFailure if the engine is lost.
        """
        if self._client is None:
            self._client = GtpClient(self.command, timeout=self.timeout)
            self._has_moved = False
        if self._closed:  # looked at last, so that a process started meanwhile ends, too
            self._client.kill()
        moves = command.startswith("genmove")
        timeout = self.timeout * (FIRST_MOVE if moves and not self._has_moved else 1)
        self._has_moved |= moves
        try:
            return self._client.send(command, timeout).strip()
        except EngineFailure:
            self._client = None
            raise

    def refresh(self) -> None:
        """Let go of a process that has ended since its last answer, which has nothing to do with the game to come."""
        if self._client is not None:
            with contextlib.suppress(FailedCommand, EngineFailure):
                self.send("name")

    def close(self) -> None:
        """End the process, if one runs, for good."""
        self._closed = True
        if self._client is not None:
            self._client.close()
            self._client = None

    def kill(self) -> None:
        """As `close`, but at once and from any thread: a `send` under way then fails."""
        self._closed = True
        client = self._client
        if client is not None:
            client.kill()


def play_game(
    black: Seat,
    white: Seat,
    terms: Terms,
    opening: Sequence[int] = (),
    arbiter: Seat | None = None,
) -> Outcome:
    """Play one game to its end and say how it ended.

    `opening` holds points that are played first, from Black on. The game is over after two passes
    or `terms.max_moves` moves; then both engines are asked for the score. Where they differ the
    arbiter, who is shown the whole game, decides; without one, or if it can't, a Tromp-Taylor count
    of the board as it stands.
    """
    begin = time.monotonic()
    seats = {BLACK: black, WHITE: white}
    game = Game(terms.size, terms.komi, ko=terms.ko)
    try:
        for colour, seat in seats.items():
            seat.refresh()
            for command in _opening_commands(terms):
                _tell(seat, colour, command)
        for point in opening:
            _play_for_both(game, point, seats)
        resigned = _play_on(game, seats, terms.max_moves)
    except Forfeit as forfeit:
        winner = -forfeit.colour
        note = f"{GTP_NAMES[forfeit.colour]} ({seats[forfeit.colour].label}): {forfeit}"
        outcome = Outcome(winner, f"{LETTERS[winner]}+F", "forfeit", game, note=note)
    else:
        if resigned:
            outcome = Outcome(-resigned, f"{LETTERS[-resigned]}+R", "resignation", game)
        else:
            outcome = _score(game, seats, terms, arbiter)
    return replace(outcome, seconds=time.monotonic() - begin)


def _opening_commands(terms: Terms) -> list[str]:
    return [f"boardsize {terms.size}", "clear_board", f"komi {number_text(terms.komi)}"]


def _tell(seat: Seat, colour: int, command: str) -> str:
    """Send a command that the engine must carry out; raises Forfeit if it doesn't."""
    try:
        return seat.send(command)
    except FailedCommand as refusal:
        raise Forfeit(colour, f"refused {command!r}: {refusal}") from None
    except EngineFailure as failure:
        raise Forfeit(colour, str(failure)) from None


def _play_for_both(game: Game, point: int, seats: dict[int, Seat]) -> None:
    """Play a move of the referee's choice."""
    colour = game.board.to_move
    game.board.play(colour, point)
    for side, seat in seats.items():
        _tell(seat, side, f"play {GTP_NAMES[colour]} {point_to_gtp(point, game.board.size)}")


def _play_on(game: Game, seats: dict[int, Seat], max_moves: int) -> int:
    """Let the engines move in turn; returns the colour that resigned, or 0.

    Raises Forfeit.
    """
    board = game.board
    while not game.is_over and len(board.moves) < max_moves:
        colour = board.to_move
        answer = _tell(seats[colour], colour, f"genmove {GTP_NAMES[colour]}")
        if answer.lower() == "resign":
            return colour
        try:
            point = gtp_to_point(answer, board.size)
            board.play(colour, point)
        except IllegalMove as error:
            raise Forfeit(colour, f"played {answer}: {error}") from None
        except ValueError:
            raise Forfeit(colour, f"answered genmove with {answer!r}") from None
        _tell(seats[-colour], -colour, f"play {GTP_NAMES[colour]} {point_to_gtp(point, board.size)}")
    return 0


def _score(game: Game, seats: dict[int, Seat], terms: Terms, arbiter: Seat | None) -> Outcome:
    """Ask both engines, then if need be the arbiter, and else count."""
    answers = {seat.label: _ask_score(seat) for seat in seats.values()}
    values = [parse_score(answer) for answer in answers.values()]
    notes = [] if game.is_over else [f"stopped after {len(game.board.moves)} moves"]
    score, settled = values[0], "agreement"
    if score is None or score != values[1]:
        heard = ", ".join(f"{label}: {answer}" for label, answer in answers.items())
        notes.append(f"the engines disagree on the score ({heard})")
        score = None
        if arbiter is not None:
            answers[arbiter.label] = _ask_arbiter(arbiter, game, terms)
            score, settled = parse_score(answers[arbiter.label]), "arbiter"
            if score is None:
                notes.append(f"the arbiter could not settle it ({answers[arbiter.label]})")
    if score is None:
        score, settled = game.board.area_score(game.komi), "tromp-taylor"
        notes.append("counted by the referee with all stones as they stand")
    winner = (score > 0) - (score < 0)
    return Outcome(winner, format_score(score), settled, game, answers, "; ".join(notes))


def _ask_score(seat: Seat) -> str:
    """An engine's final_score, or in words why there is none; nobody loses a game by that."""
    try:
        return seat.send("final_score")
    except (FailedCommand, EngineFailure) as error:
        return f"none, {error}"


def _ask_arbiter(arbiter: Seat, game: Game, terms: Terms) -> str:
    """Show the game to the arbiter and ask for its score."""
    moves = [f"play {GTP_NAMES[colour]} {point_to_gtp(point, terms.size)}" for colour, point in game.board.moves]
    arbiter.refresh()
    try:
        for command in _opening_commands(terms) + moves:
            arbiter.send(command)
    except (FailedCommand, EngineFailure) as error:
        return f"none, {error}"
    return _ask_score(arbiter)


def random_opening(terms: Terms, moves: int, seed: str) -> list[int]:
    """Points for the first moves of a game, drawn from the third line inwards; none in atari.

    The same seed gives the same opening. There are fewer if the board has no more room.
    """
    draw = random.Random(seed)
    board = Game(terms.size, ko=terms.ko).board
    edge = 2 if terms.size >= 7 else 0
    inner = range(edge, terms.size - edge)
    points = [row * terms.size + col for row in inner for col in inner]
    draw.shuffle(points)
    opening: list[int] = []
    for point in points:
        if len(opening) == moves:
            break
        colour = board.to_move
        cell = core.to_cell(point, terms.size)
        if board.is_legal(colour, point) and not self_atari(board.state, cell, colour):
            board.play(colour, point)
            opening.append(point)
    return opening
