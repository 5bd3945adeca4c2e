"""Batches of a search's leaves on their way to the network and back, one batch in each lane.

Where several threads look at a batch together, all wait for the slowest of them, and then for the tree to be walked. So
each thread is a lane of its own: while the tree takes in what one has said and gathers its next leaves, the others are
still at work. Answers are taken in the order in which batches were sent, so that the same search makes the same tree.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import NamedTuple

from engine.descent import Batch, new_batch
from engine.search_terms import Answer
from gocnn.compiled.threads import start


class Flight(NamedTuple):
    """Leaves that are being looked at."""

    batch: Batch
    leaves: int
    begin: float  # of `time.monotonic`, when they were gathered
    answer: Callable[[], Answer]  # waits for it; raises what looking at them raised


def new_lanes(count: int, batch: int, size: int, plane_count: int) -> Lanes:
    """`count` lanes, or fewer, in which at most `batch` leaves are under way together."""
    count = min(count, batch)
    return Lanes([new_batch(size, batch // count, plane_count) for _ in range(count)])


class Lanes:
    """As many batches as can be under way at once, and those that are."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        self.count = len(batches)
        self.room = len(batches[0].node)  # the leaves that each can take
        self.flights: deque[Flight] = deque()  # the oldest first
        self._free = list(batches)

    @property
    def next(self) -> Batch | None:
        """The batch to fill next; None if all are under way."""
        return self._free[-1] if self._free else None

    @property
    def waiting(self) -> int:
        """The leaves that are under way."""
        return sum(flight.leaves for flight in self.flights)

    @contextmanager
    def open(self, give_up: Callable[[Flight], None]) -> Iterator[None]:
        """The context to send in: each lane uses one core, and an error gives up what is under way."""
        from gocnn.device import one_thread

        with one_thread() if self.count > 1 else nullcontext():
            try:
                yield
            except BaseException:
                for flight in self.flights:
                    give_up(flight)
                raise

    def send(self, leaves: int, begin: float, look: Callable[[Batch, int], Answer]) -> None:
        """Have so many leaves of the `next` batch looked at: in a thread, or in a single lane when it lands."""
        batch = self._free.pop()
        work = partial(look, batch, leaves)
        self.flights.append(Flight(batch, leaves, begin, start(work).result if self.count > 1 else work))

    def land(self) -> tuple[Flight, Answer, float]:
        """The oldest flight, which is over, with its answer, and the seconds that each leaf took.

        What looking at it raises leaves it where it is.
        """
        flight = self.flights[0]
        answer = flight.answer()
        self.flights.popleft()
        self._free.append(flight.batch)
        return flight, answer, (time.monotonic() - flight.begin) / flight.leaves
