"""The Go Text Protocol, version 2 draft 2: from bytes on a pipe to typed calls, and back.

http://www.lysator.liu.se/~gunnar/gtp/gtp2-spec-draft2/gtp2-spec.html

A handler is any object with methods named `cmd_...`. The method `cmd_play(self, colour: Colour,
vertex: Vertex)` makes the command `play` known and says how its arguments are read: by the
annotations, with defaults for what may be left out and `*rest` for what may be repeated. Two
underscores stand for a hyphen: `cmd_gg__undo` is `gg-undo`. It returns the text of the answer (None
for none), or raises GtpError with the text of the refusal. One that answers while it works, or
wants to know when to stop, takes a `Reply` before its arguments.

Whatever comes in, `GtpEngine` answers and goes on. A handler's part of that promise is to change
nothing before it raises.
"""

from __future__ import annotations

import contextlib
import errno
import inspect
import logging
import math
import os
import re
import select
import sys
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, NewType, NoReturn

from engine.reader import LineReader
from gocnn.go.core import BLACK, WHITE

log = logging.getLogger(__name__)

#: A command's argument that is a colour (BLACK or WHITE), or a point or pass of the board in use.
Colour = NewType("Colour", int)
Vertex = NewType("Vertex", int)

SYNTAX_ERROR = "syntax error"
INVALID_MOVE = "invalid color or coordinate"

# Section 3.1: all control characters but tab and newline go; the line is already cut at newlines.
_CONTROL = bytes(c for c in (*range(32), 127) if c != ord("\t"))
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


class GtpError(Exception):
    """A command is refused; the text follows the question mark of the answer."""


@dataclass(frozen=True)
class Request:
    """One command as it came: its id as written ("" for none), its name, its arguments."""

    id: str
    name: str
    arguments: list[str]


def parse_request(line: bytes) -> Request | None:
    """Read one line of input (section 3.1); None if nothing is left of it that wants an answer.

    A line that holds an id alone is a request with an empty name. Bytes that are not UTF-8 survive
    as surrogates, so that a file name can be any the system allows.
    """
    words = [
        word.decode("utf-8", "surrogateescape") for word in line.translate(None, _CONTROL).split(b"#", 1)[0].split()
    ]
    if not words:
        return None
    request_id = words.pop(0) if words[0].isascii() and words[0].isdigit() else ""
    return Request(request_id, words[0] if words else "", words[1:])


def format_response(request_id: str, text: str, success: bool = True) -> bytes:
    """The answer as it goes out (section 2.6): status, id, text, and the empty line that ends it.

    Empty lines within the text would end it early and are left out.
    """
    lines = [line.rstrip() for line in text.split("\n")]
    body = "\n".join(lines[:1] + [line for line in lines[1:] if line])
    gap = " " if text else ""
    return _encoded(f"{'=' if success else '?'}{request_id}{gap}{body}\n\n")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


class Reply:
    """The answer to the command that is being carried out, for a command that speaks before it is done."""

    def __init__(
        self, request_id: str, write: Callable[[bytes], object], reader: LineReader | None = None, number: int = 0,
        gone: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        """`number` is the command's line in `reader`; without a reader, all of the input is known to have come.

        `gone` says whether nobody can read the answer.
        """
        self._id = request_id
        self._gone = gone
        self._write = write
        self._reader = reader
        self._number = number
        self.begun = False
        self._failed = False  # what was written went nowhere

    @property
    def broken(self) -> bool:
        """Whether nobody reads the answers any more."""
        return self._failed or self._gone()

    def begin(self) -> None:
        """Send the first line of the answer at once, if that isn't done; the command can't be refused any more."""
        if not self.begun:
            self.begun = True
            self._send(f"={self._id}\n")

    def say(self, text: str) -> None:
        """Send lines of the answer now; empty ones would end it and are left out."""
        self.begin()
        self._send("".join(f"{line.rstrip()}\n" for line in text.split("\n") if line.strip()))

    @property
    def unwanted(self) -> bool:
        """Whether the controller has sent another line, of whatever content, or has gone: an analysis ends then."""
        return self.broken or self._reader is None or self._reader.waiting

    @property
    def interrupted(self) -> bool:
        """Whether the controller wants this command to end soon (GoGui's ``# interrupt``), or has gone."""
        return self.broken or (self._reader is not None and self._reader.interrupted(self._number))

    def finish(self, text: str, success: bool = True) -> None:
        """Send the rest of the answer, and the empty line that ends it."""
        if not self.begun:
            self._send(format_response(self._id, text, success).decode("utf-8"))
            return
        if success and text:
            self.say(text)
        self._send("\n")

    def _send(self, text: str) -> None:
        log.debug("> %s", text.rstrip("\n"))
        try:
            self._write(_encoded(text))
        except OSError:
            self._failed = True


def read_int(text: str) -> int:
    """A GTP int. Raises ValueError for anything else, such as Python's ``1_000``."""
    if not _INTEGER.fullmatch(text):
        raise ValueError(f"not an integer: {text!r}")
    return int(text)


def read_float(text: str) -> float:
    """A finite GTP float. Raises ValueError for anything else."""
    if not _FLOAT.fullmatch(text) or not math.isfinite(float(text)):
        raise ValueError(f"not a number: {text!r}")
    return float(text)


def read_colour(text: str) -> int:
    """BLACK or WHITE from b, black, w or white in either case. Raises ValueError."""
    colours = {"b": BLACK, "black": BLACK, "w": WHITE, "white": WHITE}
    try:
        return colours[text.lower()]
    except KeyError:
        raise ValueError(f"not a colour: {text!r}") from None


class Command:
    """A handler's method, and how its arguments are read from words."""

    def __init__(self, method: Callable[..., str | None], readers: Mapping[Any, Callable[[str], Any]]) -> None:
        """`readers` maps an annotation to a function of a word that raises ValueError."""
        self.method = method
        hints = typing.get_type_hints(method)
        self.takes_reply = False
        self.required = 0
        self.repeated: tuple[Any, Callable[[str], Any]] | None = None
        self.kinds: list[tuple[Any, Callable[[str], Any]]] = []
        for parameter in inspect.signature(method).parameters.values():
            kind = hints[parameter.name]
            if kind is Reply:
                self.takes_reply = True
            elif parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                self.repeated = (kind, readers[kind])
            else:
                self.kinds.append((kind, readers[kind]))
                self.required += parameter.default is inspect.Parameter.empty

    def __call__(self, reply: Reply, words: Sequence[str]) -> str:
        """Call the method; returns its answer, or the rest of it. Raises GtpError if the words don't fit it."""
        surplus = len(words) - len(self.kinds)
        if len(words) < self.required or (surplus > 0 and self.repeated is None):
            raise GtpError(SYNTAX_ERROR)
        kinds = self.kinds + [self.repeated] * surplus if self.repeated else self.kinds
        arguments = []
        for word, (kind, reader) in zip(words, kinds):
            try:
                arguments.append(reader(word))
            except ValueError:
                move = kind in (Colour, Vertex)
                raise GtpError(INVALID_MOVE if move else SYNTAX_ERROR) from None
        first = (reply,) if self.takes_reply else ()
        return self.method(*first, *arguments) or ""


class GtpEngine:
    """Answers GTP: the administrative commands of section 6.1 itself, others by its handlers."""

    def __init__(
        self,
        *handlers: object,
        name: str,
        version: str,
        vertex: Callable[[str], int] | None = None,
        idle: Callable[[Callable[[], bool]], None] | None = None,
    ) -> None:
        """`vertex` reads a vertex on the board in use; raises ValueError if it is off it.

        `idle` is called where there is nothing to do, with a function that says whether there is again; it must
        return soon after that.
        """
        self.name = name
        self.version = version
        self.idle = idle
        self.closing = False
        readers: dict[Any, Callable[[str], Any]] = {
            str: str,
            int: read_int,
            float: read_float,
            Colour: read_colour,
        }
        if vertex is not None:
            readers[Vertex] = vertex
        self.commands = {
            attribute.removeprefix("cmd_").replace("__", "-"): Command(getattr(handler, attribute), readers)
            for handler in (self, *handlers)
            for attribute in dir(handler)
            if attribute.startswith("cmd_")
        }

    def answer(self, line: bytes) -> bytes | None:
        """The whole response to one line of input, or None for a line that wants none.

        An analysis ends at once, since no other line can come meanwhile.
        """
        request = parse_request(line)
        if request is None:
            return None
        parts: list[bytes] = []
        self._carry_out(request, Reply(request.id, parts.append))
        return b"".join(parts)

    def run(self, stdin: BinaryIO, stdout: BinaryIO) -> None:
        """Answer line by line until `quit`, the end of input, or nobody reads the answers.

        A last line without a newline is a command too. `stdin` as in LineReader.
        """
        self.serve(LineReader(stdin), stdout)

    def serve(self, reader: LineReader, stdout: BinaryIO) -> None:
        """As `run`, with a reader that has begun."""

        def write(data: bytes) -> None:
            stdout.write(data)
            stdout.flush()

        gone = hung_up(stdout)
        for line in reader:
            # A line that was too long to read is refused, by its id, even if nothing else is left of it.
            request = parse_request(line.data) or (None if line.whole else Request("", "", []))
            if request is not None:
                reply = Reply(request.id, write, reader, line.number, gone)
                if line.whole:
                    self._carry_out(request, reply)
                else:
                    reply.finish(SYNTAX_ERROR, success=False)
                if self.closing or reply.broken:
                    return
            if self.idle is not None and not reader.waiting:
                try:
                    self.idle(lambda: reader.waiting)
                except Exception:
                    log.warning("internal error while idle", exc_info=True)

    def _carry_out(self, request: Request, reply: Reply) -> None:
        """Do what is asked and answer it, whatever happens."""
        log.debug("< %s %s %s", request.id, request.name, " ".join(request.arguments))
        try:
            if not request.name:
                raise GtpError(SYNTAX_ERROR)
            if request.name not in self.commands:
                raise GtpError("unknown command")
            reply.finish(self.commands[request.name](reply, request.arguments))
        except GtpError as refusal:
            reply.finish(str(refusal), success=False)
        except Exception as error:
            # The engine outlives its mistakes: the controller is told, the log has the traceback.
            log.debug("internal error in %s", request.name, exc_info=True)
            told = f"internal error: {type(error).__name__}: {' '.join(str(error).split())}"
            reply.finish(told, success=False)

    def cmd_protocol_version(self) -> str:
        """The version of the protocol."""
        return "2"

    def cmd_name(self) -> str:
        """The engine's name."""
        return self.name

    def cmd_version(self) -> str:
        """The engine's version."""
        return self.version

    def cmd_known_command(self, name: str) -> str:
        """Whether the engine knows a command: true or false."""
        return "true" if name in self.commands else "false"

    def cmd_list_commands(self) -> str:
        """The known commands, one a line."""
        return "\n".join(sorted(self.commands))

    def cmd_quit(self) -> None:
        """Answer, then end the session."""
        self.closing = True


def hung_up(stream: BinaryIO) -> Callable[[], bool]:
    """What tells whether nobody reads a pipe any more; where the system can't say (Windows), it is always False."""
    try:
        hangs = select.poll()
        hangs.register(stream.fileno(), 0)  # hang-ups are always reported
    except (AttributeError, OSError):
        return lambda: False
    return lambda: bool(hangs.poll(0))


def run_on_standard_streams(run: Callable[[BinaryIO, BinaryIO], None]) -> NoReturn:
    """Let an engine run on stdin and stdout, and end the process with it.

    Clients allow an engine few seconds to end; on a busy machine, torch and LLVM take longer to leave in order.
    """
    stdin = open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)  # noqa: SIM115 - not ours to close
    with reserved_stdout() as stdout, contextlib.suppress(KeyboardInterrupt):
        run(stdin, stdout)
    logging.shutdown()
    os._exit(0)


@contextlib.contextmanager
def reserved_stdout() -> Iterator[BinaryIO]:
    """Keep the process's standard output for GTP: yields it as a binary stream.

    Inside the block, whatever else writes to file descriptor 1 or to sys.stdout (a library's
    warning, a stray print) ends up on stderr, where it can't break the protocol.
    """
    sys.stdout.flush()
    kept, python_stdout = os.dup(1), sys.stdout
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    try:
        with open(kept, "wb", closefd=False) as stream:
            yield stream
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EINVAL):  # Windows calls a closed pipe an invalid argument
            raise
        # else the reader went away with an answer still in the buffer
    finally:
        sys.stdout = python_stdout
        os.dup2(kept, 1)
        os.close(kept)
