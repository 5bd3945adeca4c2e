"""Lines of input, read on a thread of their own, so that a command that runs can see that more has come."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

#: Bytes of one line that are looked at; a longer line without a comment in it is a syntax error.
MAX_LINE = 1 << 20

_CHUNK = 1 << 16

#: Lines that may wait to be read; a controller that sends more has to wait itself.
_WAITING = 10_000


@dataclass(frozen=True)
class Line:
    """One line as it came, without its newline; `number` counts from 1.

    `whole` says whether that is all of it that counts: it may be cut off after MAX_LINE bytes, or in its comment.
    """

    data: bytes
    whole: bool
    number: int


class LineReader:
    """The lines of a stream, in order, by iteration; one that the end of input cuts off counts as a line."""

    def __init__(self, stream: BinaryIO) -> None:
        """Begin to read.

        The stream should be unbuffered (or in memory): the thread may wait inside of it when the program ends, and
        Python cannot close a buffered stream that somebody waits in.
        """
        self._lines: queue.Queue[Line | None] = queue.Queue(_WAITING)
        self._interrupted = 0
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Line]:
        while (line := self._lines.get()) is not None:
            yield line

    @property
    def waiting(self) -> bool:
        """Whether another line, of whatever content, or the end of input has come."""
        return not self._lines.empty()

    def interrupted(self, number: int) -> bool:
        """Whether the comment ``# interrupt`` has come since line `number`, for whose command it is then meant."""
        return self._interrupted > number

    def wait_for_end(self) -> None:
        """Wait until all input has come; for input that needs no answer to go on."""
        self._thread.join()

    def _read(self, stream: BinaryIO) -> None:
        with contextlib.suppress(OSError, ValueError):  # a terminal that went away; a stream closed at exit
            for number, (data, whole) in enumerate(_split(stream), 1):
                if data.split() == [b"#", b"interrupt"]:
                    self._interrupted = number
                self._lines.put(Line(data, whole, number))
        self._lines.put(None)


def _split(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """(data, whole) of each line, as in Line, as soon as its newline has come."""
    read = getattr(stream, "read1", stream.read)  # what is there, without waiting for a full chunk
    line, cut = bytearray(), False
    while chunk := read(_CHUNK):
        *ends, tail = chunk.split(b"\n")
        for end in ends:
            cut |= len(line) + len(end) > MAX_LINE
            line += end[: MAX_LINE - len(line)]
            yield bytes(line), not cut or b"#" in line
            line, cut = bytearray(), False
        cut |= len(line) + len(tail) > MAX_LINE
        line += tail[: MAX_LINE - len(line)]
    if line:
        yield bytes(line), not cut or b"#" in line
