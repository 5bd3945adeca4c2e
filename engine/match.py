"""A match: many games between two engines, kept on disk so that it can be taken up again.

A match is a directory. `match.json` says what is played, `results.jsonl` has one line for each
finished game, and each game is an SGF file beside them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import queue
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from engine.referee import Outcome, Seat, Terms, play_game, random_opening
from engine.sgf import game_to_sgf
from engine.statistics import wilson_interval
from gocnn.atomic import write_atomically
from gocnn.go import BLACK, WHITE


@dataclass(frozen=True)
class Plan:
    """What is played, as far as it decides the games.

    `a` and `b` are the engines' commands. A is Black in the first game; with `swap` the colours
    change after every game, and the two games of a pair share their opening of `opening_moves`
    random moves, which depend on `seed` and the pair alone.
    """

    a: str
    b: str
    terms: Terms
    swap: bool = True
    opening_moves: int = 0
    seed: int = 1
    arbiter: str | None = None

    def black_in(self, number: int) -> str:
        """Who is Black in game `number`, counted from 1: "A" or "B"."""
        return "B" if self.swap and number % 2 == 0 else "A"

    def opening_of(self, number: int) -> list[int]:
        """The points that are played first in game `number`."""
        pair = (number + 1) // 2 if self.swap else number
        return random_opening(self.terms, self.opening_moves, f"{self.seed}/{pair}")


@dataclass(frozen=True)
class Result:
    """One finished game, as a line of results.jsonl has it.

    `black` is "A" or "B"; `winner` is "A", "B" or "" for a draw. The rest is as in Outcome.
    """

    number: int
    black: str
    winner: str
    result: str
    settled: str
    moves: int
    seconds: float
    scores: dict[str, str]
    note: str
    sgf: str
    played: str = ""  # a hash of the game's moves; "" in results of versions that had none

    @property
    def disputed(self) -> bool:
        """Whether the engines did not agree on the score."""
        return self.settled in ("arbiter", "tromp-taylor")


@dataclass(frozen=True)
class Tally:
    """A's wins and draws in a number of games."""

    games: int
    wins: int
    draws: int

    @classmethod
    def of(cls, results: Sequence[Result]) -> Tally:
        """Count results from A's side."""
        return cls(
            len(results),
            sum(result.winner == "A" for result in results),
            sum(result.winner == "" for result in results),
        )

    @property
    def points(self) -> float:
        """Wins, and half a point for a draw."""
        return self.wins + self.draws / 2

    @property
    def rate(self) -> float:
        """A's share of the points; nan without games."""
        return self.points / self.games if self.games else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval around it."""
        return wilson_interval(self.points, self.games)

    def __str__(self) -> str:
        if not self.games:
            return "no games"
        low, high = self.interval
        return f"{100 * self.rate:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


class MatchError(Exception):
    """The directory can't be used for this match; the text says why."""


class Match:
    """A plan, the directory it is kept in, and the results so far."""

    def __init__(self, plan: Plan, directory: Path) -> None:
        """Plan a match, or take up the one in the directory; nothing is written yet.

        Raises MatchError if that is a match by another plan, or no match, OSError if it can't be read.
        """
        self.plan = plan
        self.directory = directory
        self._plan_file = directory / "match.json"
        self._results_file = directory / "results.jsonl"
        if self._plan_file.exists():
            self._check_plan()
        else:
            self._check_that_nothing_is_lost()
        self.results = self._read_results()

    def _described(self) -> dict[str, object]:
        """The plan as match.json has it."""
        fields = dataclasses.asdict(self.plan)
        fields.update(fields.pop("terms"))
        del fields["timeout"]  # patience doesn't make it another match
        return fields

    def _check_plan(self) -> None:
        try:
            theirs = dict(json.loads(self._plan_file.read_bytes()))
        except (ValueError, TypeError):
            raise MatchError(f"{self._plan_file} is not a match") from None
        for name, value in self._described().items():
            if theirs.get(name) != value:
                raise MatchError(
                    f"{self.directory} holds another match: {name} is {theirs.get(name)!r} there, {value!r} here"
                )

    def _check_that_nothing_is_lost(self) -> None:
        """Raises MatchError where there are results or games of something else, which ours would take the place of."""
        for path in sorted(self.directory.glob("*")):
            if path == self._results_file or (path.suffix.lower() == ".sgf" and path.stem.isdigit()):
                raise MatchError(f"{self.directory} holds {path.name} and no match: take another directory")

    def _read_results(self) -> list[Result]:
        """The finished games, each once; a last line that was cut off by a crash is passed over."""
        path = self._results_file
        if not path.exists():
            return []
        *whole, _ = path.read_bytes().split(b"\n")
        results: dict[int, Result] = {}
        for number, line in enumerate(whole, 1):
            try:
                result = Result(**json.loads(line))
                results.setdefault(result.number, result)
            except (ValueError, TypeError):
                raise MatchError(f"{path}, line {number}: not a result") from None
        return list(results.values())

    def _cut_off_half_a_line(self) -> None:
        """Have the file of results end with a whole line: what follows would else become part of it."""
        with self._results_file.open("rb+") as file:
            data = file.read()
            file.truncate(data.rfind(b"\n") + 1)

    def remaining(self, games: int) -> list[int]:
        """The numbers of the first `games` games that aren't finished."""
        done = {result.number for result in self.results}
        return [number for number in range(1, games + 1) if number not in done]

    def play(self, games: int, jobs: int = 1) -> Iterator[Result]:
        """Play what remains of the first `games` games, `jobs` at a time; yields each as it ends.

        A result is on disk before it is yielded. Closing the iterator, or an exception such as
        KeyboardInterrupt where it waits, ends the engines at once; games under way are lost.
        Raises EngineFailure or FailedCommand if an engine doesn't answer at all, OSError if the
        directory can't be written, MatchError if somebody plays in it already.
        """
        numbers: deque[int] = deque()
        left = len(self.remaining(games))
        finished: queue.Queue[tuple[int, Outcome] | BaseException] = queue.Queue()
        tables = [_Table(self.plan) for _ in range(min(jobs, left))]
        threads = [threading.Thread(target=table.play_all, args=(numbers, finished), daemon=True) for table in tables]
        occupied = None
        try:
            for table in tables[:1]:
                table.check_engines()
            self._write_plan()
            self._results_file.touch()
            occupied = _occupy(self._results_file)
            self._cut_off_half_a_line()
            self.results = self._read_results()  # another process may have added to them until now
            numbers.extend(self.remaining(games))
            left = len(numbers)
            for thread in threads:
                thread.start()
            while left:
                ended = finished.get()
                if isinstance(ended, BaseException):
                    raise ended
                left -= 1
                yield self._record(*ended)
        finally:
            numbers.clear()
            try:
                while left and not finished.empty():  # games that ended unseen; by leaving, others are lost
                    ended = finished.get()
                    if not isinstance(ended, BaseException):
                        left -= 1
                        self._record(*ended)
            finally:
                for table in tables:
                    table.leave(at_once=left > 0)
                for thread in threads:
                    if thread.is_alive():
                        thread.join()
                if occupied is not None:
                    occupied.close()

    def _write_plan(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        write_atomically(self._plan_file, json.dumps(self._described(), indent=2).encode() + b"\n")

    def _record(self, number: int, outcome: Outcome) -> Result:
        """Write the game's SGF, then its line."""
        black = self.plan.black_in(number)
        white = "B" if black == "A" else "A"
        commands = {"A": self.plan.a, "B": self.plan.b}
        sgf = f"{number:04d}.sgf"
        record = game_to_sgf(
            outcome.game,
            black=f"{black}: {commands[black]}",
            white=f"{white}: {commands[white]}",
            result=outcome.result,
            comment=f"{outcome.settled}. {outcome.note}".strip(),
        )
        write_atomically(self.directory / sgf, record)
        result = Result(
            number=number,
            black=black,
            winner={BLACK: black, WHITE: white, 0: ""}[outcome.winner],
            result=outcome.result,
            settled=outcome.settled,
            moves=len(outcome.game.board.moves),
            seconds=round(outcome.seconds, 2),
            scores=outcome.scores,
            note=outcome.note,
            sgf=sgf,
            played=hashlib.sha256(repr(outcome.game.board.moves).encode()).hexdigest()[:16],
        )
        with self._results_file.open("ab") as stream:
            stream.write(json.dumps(dataclasses.asdict(result)).encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        self.results.append(result)
        return result


def _occupy(results: Path) -> IO[bytes] | None:
    """Keep others from adding to a file of results, until the one that is returned is closed or we die.

    Where the system has no such locks, None. Raises MatchError if somebody does already.
    """
    try:
        import fcntl
    except ImportError:
        return None
    file = results.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise MatchError(f"{results.parent}: this match is being played by another process") from None
    except OSError:  # a file system without locks
        file.close()
        return None
    return file


class _Table:
    """Where one game at a time is played: its own processes of both engines and the arbiter."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        timeout = plan.terms.timeout
        self.seats = {"A": Seat("A", plan.a, timeout), "B": Seat("B", plan.b, timeout)}
        self.arbiter = Seat("arbiter", plan.arbiter, timeout) if plan.arbiter else None

    def check_engines(self) -> None:
        """Start all engines once. Raises EngineFailure, or FailedCommand, if one doesn't answer."""
        for seat in (*self.seats.values(), self.arbiter):
            if seat is not None:
                seat.send("protocol_version")

    def play_all(self, numbers: deque[int], finished: queue.Queue[tuple[int, Outcome] | BaseException]) -> None:
        """Play the games whose numbers are left, one after the other; for a thread."""
        try:
            while numbers:
                try:
                    number = numbers.popleft()
                except IndexError:  # another table took the last
                    return
                black = self.plan.black_in(number)
                outcome = play_game(
                    self.seats[black],
                    self.seats["B" if black == "A" else "A"],
                    self.plan.terms,
                    self.plan.opening_of(number),
                    self.arbiter,
                )
                finished.put((number, outcome))
        except BaseException as error:  # a mistake of ours: it belongs to the caller of Match.play
            finished.put(error)

    def leave(self, at_once: bool) -> None:
        """End the engines."""
        for seat in (*self.seats.values(), self.arbiter):
            if seat is not None:
                if at_once:
                    seat.kill()
                else:
                    seat.close()
