"""An engine that answers queries about positions, as KataGo's analysis engine does: lines of JSON in and out.

Queries wait until their turn comes, by priority; a line that arrives meanwhile is read between two batches of the
search that is under way, so that a query can be ended, or another one put in, at any time. One position is searched
after the other, and where a game goes on from the one before the tree goes on, too. A search gives way to a query of
higher priority at once, and one that has taken long to those of lower priority now and then, for programs have endless
queries for the position on the screen; then it goes on where it was.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import numpy as np

from engine import query_format
from engine.queries import QueryError, Settings, Task, read_query
from engine.reader import LineReader
from engine.search import Search
from engine.search_terms import Limits, Report
from gocnn.go import Board
from gocnn.profile import Profile

log = logging.getLogger(__name__)

#: The version of KataGo whose queries and answers these are, for programs that ask before they use what is newer.
KATAGO_LEVEL = "1.14.1"

#: A search that has had LONG seconds shares the time with queries of lower priority, in slices of SLICE seconds.
LONG, SLICE = 3.0, 0.5

#: How likely each move of a board is one of some people: float [N*N + 1], 0 for what is illegal.
People = Callable[[Profile, Board], np.ndarray]


@dataclass(eq=False)
class _Job:
    """A task, and how far it has come where it gave way to others."""

    task: Task
    number: int  # as they came
    search: Search | None = None  # that has its tree
    gave_way: int = 0  # the number of the slice, from 1, after which it last did; 0 for never
    seconds: float = 0.0
    descents: int = 0
    report: Report | None = None
    told: float = 0.0  # when its last report was said, or it began, by `time.monotonic`

    @property
    def order(self) -> tuple[int, int]:
        """By priority, then as they came."""
        return -self.task.priority, self.number

    @property
    def limits(self) -> Limits:
        """What is left of the task's."""
        limits = self.task.settings.limits
        if limits.seconds is not None:
            limits = replace(limits, seconds=max(0.0, limits.seconds - self.seconds))
        if limits.descents is not None:
            limits = replace(limits, descents=limits.descents - self.descents)
        return limits


class QueryEngine:
    """Reads queries from a stream and writes what it finds to another; `run` returns when both are done."""

    def __init__(
        self, search: Search, people: People, settings: Settings, *, version: str, wait_at_end: bool = True
    ) -> None:
        """`people` is asked where a query names people whose moves to foretell.

        At the end of input all that waits is still answered, or with `wait_at_end` False left alone.
        """
        self.search = search
        self.settings = settings
        self._people = people
        self._version = version
        self._wait_at_end = wait_at_end
        self._waiting: list[_Job] = []
        self._last: _Job | None = None  # the one of them that was searched last and gave way
        self._slices = 0  # so far, that ended so
        self._spare: Search | None = None  # for others while the tree of the first is kept
        self._taken = 0  # tasks so far
        self._current: Task | None = None
        self._ended = False  # the current task is to end
        self._forget = False  # the next search is to begin with an empty tree
        self._input_ended = False

    def run(self, stdin: BinaryIO, stdout: BinaryIO) -> None:
        """Answer until the end of input. `stdin` as for `engine.reader.LineReader`."""
        self._reader = LineReader(stdin)
        self._lines = iter(self._reader)
        self._stdout = stdout
        while True:
            self._read(wait=not self._waiting)
            if self._waiting:
                job = self._next()
                self._waiting.remove(job)
                self._answer(job)
            elif self._input_ended:
                return

    def _next(self) -> _Job:
        """The job whose turn it is: the first, but after one that gave way the one that has waited longest."""
        firsts = self._firsts()
        others = [job for job in firsts if job is not self._last]
        if self._last in self._waiting and others:
            return min(others, key=lambda job: (job.gave_way, *job.order))
        return firsts[0]

    def _firsts(self) -> list[_Job]:
        """The first job of each priority, the highest first: those behind it wait until it is done."""
        firsts: dict[int, _Job] = {}
        for job in sorted(self._waiting, key=lambda job: job.order):
            firsts.setdefault(job.task.priority, job)
        return list(firsts.values())

    # Input.

    def _read(self, *, wait: bool) -> None:
        """Read the lines that are there; with `wait`, go on until one of them asks for a search."""
        while not self._input_ended and (self._reader.waiting or (wait and not self._waiting)):
            line = next(self._lines, None)
            if line is None:
                self._input_ended = True
                if not self._wait_at_end:
                    self._waiting.clear()
                    self._ended = True
            elif line.data.strip():
                self._take_in(line.data)

    def _take_in(self, line: bytes) -> None:
        try:
            fields = json.loads(line)
        except ValueError as error:  # no UTF-8 among them
            self._say({"error": f"Could not parse input as json: {error}"})
            return
        except RecursionError:
            self._say({"error": "Could not parse input as json: it is nested too deeply"})
            return
        query = fields.get("id") if isinstance(fields, dict) else None
        if not isinstance(query, str):
            self._say({"error": "Request must be a json object with a string in its field id"})
            return
        try:
            if "action" in fields:
                self._act(fields)
                return
            asked = read_query(fields, self.settings)
        except QueryError as error:
            self._say({"error": str(error), "id": query} | ({"field": error.field} if error.field else {}))
            return
        for name in asked.unused:
            self._say({"warning": "Unexpected or unused field", "field": name, "id": query})
        for task in asked.tasks:
            self._waiting.append(_Job(task, self._taken))
            self._taken += 1

    def _act(self, fields: dict[str, Any]) -> None:
        """Do what is not a search, and send the request back with what was asked for. Raises QueryError."""
        more: dict[str, Any] = {}
        match fields["action"]:
            case "query_version":
                more = {"version": KATAGO_LEVEL, "git_hash": "<omitted>", "engine": self._version}
            case "query_models":
                more = {"models": [{"name": "gocnn", "internalName": self._version, "usesHumanSLProfile": False}]}
            case "clear_cache":
                self._forget = True  # before the next search: the tree of one that runs is not taken from it
            case "terminate":
                query = fields.get("terminateId")
                if not isinstance(query, str):
                    raise QueryError("must be a string", "terminateId")
                self._end(fields, query)
            case "terminate_all":
                self._end(fields, None)
            case unknown:
                raise QueryError(f"unknown action: {unknown!r}", "action")
        self._say(fields | more)

    def _end(self, fields: dict[str, Any], query: str | None) -> None:
        """Give up what waits of one query (None: of all), and end the search if it is one of these."""
        turns = fields.get("turnNumbers")
        if turns is not None and not (isinstance(turns, list) and all(type(turn) is int for turn in turns)):
            raise QueryError("must be a list of whole numbers", "turnNumbers")

        def is_meant(task: Task) -> bool:
            return query in (None, task.query) and (turns is None or task.turn in turns)

        given_up = [job for job in self._waiting if is_meant(job.task)]
        for job in sorted(given_up, key=lambda job: job.order):
            self._waiting.remove(job)
            if job.report is None:
                self._say(query_format.given_up(job.task))
            else:
                self._say(query_format.answer(job.task, job.report, during=False, human=self._human(job.task)))
        if self._current is not None and is_meant(self._current):
            self._ended = True

    # Output.

    def _answer(self, job: _Job) -> None:
        """Search a position and say what was found, until it is enough, or is to end, or others have their turn."""
        task = job.task
        self._current, self._ended = task, False
        if self._forget:
            self.search = Search(self.search.evaluator, self.search.config)  # jobs that gave way keep theirs
            self._forget = False
        job.search = search = job.search or self._free_search()
        search.use(task.settings.config)
        began = time.monotonic()
        job.told = job.told or began

        gives_way = False

        def stop() -> bool:
            nonlocal gives_way
            self._read(wait=False)
            gives_way = not self._ended and self._must_give_way(job, time.monotonic() - began)
            return self._ended or gives_way

        try:
            human = self._human(task)

            def tell(report: Report) -> None:
                job.told = time.monotonic()
                self._say(query_format.answer(task, report, during=True, human=human))

            job.report = report = search.run(
                task.board, task.needed, job.limits,
                stop=stop, report=None if task.every is None else tell, every=task.every or math.inf,
                bans=task.bans, owners=task.wants_owners,
            )  # fmt: skip
        except OSError:
            raise
        except Exception as error:
            # A position that cannot be searched, by this network or for a mistake of ours, does not end the others.
            log.warning("a query has failed", exc_info=True)
            self._say({"error": f"{type(error).__name__}: {error}", "id": task.query})
        else:
            job.seconds += time.monotonic() - began
            job.descents += report.descents
            self._last = job if gives_way else None
            if gives_way:
                self._slices += 1
                job.gave_way = self._slices
                self._waiting.append(job)
                if task.every is not None and time.monotonic() - job.told >= task.every:  # each slice counts from 0
                    tell(report)
            else:
                self._say(query_format.answer(task, report, during=False, human=human))
        finally:
            self._current = None

    def _must_give_way(self, job: _Job, taken: float) -> bool:
        """Whether a job that has had so many seconds of this slice gives way to one of another priority that waits."""
        firsts = self._firsts()
        above = [other for other in firsts if other.task.priority > job.task.priority]
        if above:
            return taken >= SLICE or any(other.seconds < LONG for other in above)
        below = any(other.task.priority < job.task.priority for other in firsts)
        return below and taken >= SLICE and job.seconds + taken >= LONG

    def _human(self, task: Task) -> np.ndarray | None:
        """How likely the moves are those of the people that the task names, if it does."""
        return None if task.human is None else self._people(task.human, task.board)

    def _free_search(self) -> Search:
        """One whose tree no job that gave way will go on with."""
        kept = [job.search for job in self._waiting]
        if self.search not in kept:
            self._spare = None  # its memory is not needed now
            return self.search
        if self._spare is None or self._spare in kept:
            self._spare = Search(self.search.evaluator, self.search.config)
        return self._spare

    def _say(self, told: query_format.Answer) -> None:
        self._stdout.write(json.dumps(told, separators=(",", ":")).encode() + b"\n")
        self._stdout.flush()
