"""The protocol loop by itself: reading lines, typed arguments, writing answers."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time

import pytest

from engine import reader
from engine.protocol import (
    Colour,
    GtpEngine,
    GtpError,
    Request,
    Vertex,
    format_response,
    parse_request,
    read_colour,
    read_float,
    read_int,
)
from gocnn.go import BLACK, WHITE


class Handler:
    """Commands of every kind of argument."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def cmd_nothing(self) -> None:
        self.seen.append("nothing")

    def cmd_typed(self, colour: Colour, vertex: Vertex, count: int, share: float = 0.5) -> str:
        self.seen.append((colour, vertex, count, share))
        return f"{colour} {vertex} {count} {share}"

    def cmd_many(self, first: str, *rest: int) -> str:
        return f"{first} {sum(rest)}"

    def cmd_refuse(self) -> None:
        raise GtpError("cannot do that")

    def cmd_break(self) -> None:
        raise RuntimeError("a mistake\nof ours")

    def cmd_lines(self) -> str:
        return "\none\n\n  two\n\n"


def engine(handler: Handler | None = None) -> GtpEngine:
    def vertex(text: str) -> int:
        if text not in ("a1", "pass"):
            raise ValueError(text)
        return 7

    return GtpEngine(handler or Handler(), name="test", version="1.2", vertex=vertex)


def ask(line: bytes) -> str:
    response = engine().answer(line)
    return "" if response is None else response.decode()


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        (b"name", Request("", "name", [])),
        (b"  12  play   b D4 \r\n", Request("12", "play", ["b", "D4"])),
        (b"play\tb\td4\n", Request("", "play", ["b", "d4"])),
        (b"na\x00m\x07e\x7f # a comment", Request("", "name", [])),
        (b"007 name#name", Request("007", "name", [])),
        (b"-1 name", Request("", "-1", ["name"])),
        (b"1a name", Request("", "1a", ["name"])),
        (b"12", Request("12", "", [])),
        (b"\xc2\xb2 name", Request("", "²", ["name"])),
        (b"echo \xff\xfe", Request("", "echo", ["\udcff\udcfe"])),
        (b"echo a\xc2\xa0b", Request("", "echo", ["a\xa0b"])),
        (b"# all comment", None),
        (b" \t \r\n", None),
        (b"\x01\x02", None),
        (b"", None),
    ],
)
def test_parse_request(line: bytes, request_: Request | None) -> None:
    assert parse_request(line) == request_


def test_format_response() -> None:
    assert format_response("", "") == b"=\n\n"
    assert format_response("3", "") == b"=3\n\n"
    assert format_response("3", "D4") == b"=3 D4\n\n"
    assert format_response("", "syntax error", success=False) == b"? syntax error\n\n"
    assert format_response("", "\na\n\n\nb\n") == b"= \na\nb\n\n"
    assert format_response("", "\udcff") == b"= \\udcff\n\n"


def test_numbers_are_those_of_gtp_and_not_of_python() -> None:
    assert [read_int(text) for text in ("0", "+12", "-3", "007")] == [0, 12, -3, 7]
    for text in ("", "1_0", "1.0", "٣", "0x10", "9" * 5000, "1 "):
        with pytest.raises(ValueError):
            read_int(text)
    assert [read_float(text) for text in ("6.5", "-.5", "7", "1e2", "5.")] == [6.5, -0.5, 7, 100, 5]
    for text in ("", "nan", "inf", "-Infinity", "1e999", "1_0", "6,5", "."):
        with pytest.raises(ValueError):
            read_float(text)


def test_colours() -> None:
    assert [read_colour(text) for text in ("b", "BLACK", "W", "White")] == [BLACK] * 2 + [WHITE] * 2
    with pytest.raises(ValueError):
        read_colour("green")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"1 nothing", "=1\n\n"),
        (b"nothing more", "? syntax error\n\n"),
        (b"typed b a1 3", "= 1 7 3 0.5\n\n"),
        (b"typed W PASS 3", "? invalid color or coordinate\n\n"),
        (b"typed w pass 3 .25", "= -1 7 3 0.25\n\n"),
        (b"typed w pass x", "? syntax error\n\n"),
        (b"typed x pass 3", "? invalid color or coordinate\n\n"),
        (b"typed w pass", "? syntax error\n\n"),
        (b"typed w pass 3 1 1", "? syntax error\n\n"),
        (b"many", "? syntax error\n\n"),
        (b"many a", "= a 0\n\n"),
        (b"many a 1 2 3", "= a 6\n\n"),
        (b"many a 1 x", "? syntax error\n\n"),
        (b"9 refuse", "?9 cannot do that\n\n"),
        (b"break", "? internal error: RuntimeError: a mistake of ours\n\n"),
        (b"lines", "= \none\n  two\n\n"),
        (b"4 Name", "?4 unknown command\n\n"),
        (b"5", "?5 syntax error\n\n"),
        (b"__class__", "? unknown command\n\n"),
        (b"protocol_version", "= 2\n\n"),
        (b"name", "= test\n\n"),
        (b"version", "= 1.2\n\n"),
        (b"known_command typed", "= true\n\n"),
        (b"known_command typo", "= false\n\n"),
        (b"known_command", "? syntax error\n\n"),
        (b" # nothing", ""),
    ],
)
def test_answers(line: bytes, answer: str) -> None:
    assert ask(line) == answer


def test_list_commands_lists_each_on_a_line() -> None:
    commands = ask(b"list_commands").removeprefix("= ").split()
    assert commands == sorted(commands)
    assert {"quit", "typed", "name", "list_commands", "known_command"} <= set(commands)


def run(text: bytes, handler: Handler | None = None) -> str:
    out = io.BytesIO()
    engine(handler).run(io.BytesIO(text), out)
    return out.getvalue().decode()


def test_several_commands_at_once_and_a_half_line_at_the_end() -> None:
    assert run(b"1 name\n\n#x\n2 nothing\r\n3 name") == "=1 test\n\n=2\n\n=3 test\n\n"


def test_quit_is_answered_and_ends_it() -> None:
    assert run(b"1 quit\n2 name\n") == "=1\n\n"


def test_no_input_no_output() -> None:
    assert run(b"") == ""


def test_a_line_too_long_is_refused_by_its_id_and_the_next_one_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader, "MAX_LINE", 64)
    handler = Handler()
    text = b"1 many " + b"x" * 1000 + b" 1\n2 name\n" + b" " * 64 + b"nothing\n3 name # " + b"y" * 999
    assert run(text, handler) == "?1 syntax error\n\n=2 test\n\n? syntax error\n\n=3 test\n\n"
    assert handler.seen == []


def test_a_reader_that_goes_away_ends_the_loop() -> None:
    class Closed(io.BytesIO):
        writes = 0

        def write(self, data: object) -> int:
            self.writes += 1
            raise BrokenPipeError

    closed = Closed()
    engine().run(io.BytesIO(b"name\nname\nname\n"), closed)
    assert closed.writes == 1


def test_tracebacks_go_to_the_log_only(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", logger="engine"):
        ask(b"break")
    assert "internal error in break" in caplog.text
    assert "Traceback" in caplog.text


def test_an_error_while_idle_does_not_end_it(caplog: pytest.LogCaptureFixture) -> None:
    class Restless:
        calls = 0

        def idle(self, stop: object) -> None:
            self.calls += 1
            raise RuntimeError("restless")

    restless = Restless()
    out = io.BytesIO()
    engine = GtpEngine(restless, name="n", version="v", idle=restless.idle)
    reading, writing = os.pipe()

    def type_slowly() -> None:
        with open(writing, "wb", buffering=0) as pipe:
            for line in (b"name\n", b"version\n"):
                pipe.write(line)
                deadline = time.monotonic() + 20
                calls = restless.calls
                while restless.calls == calls and time.monotonic() < deadline:
                    time.sleep(0.01)

    typist = threading.Thread(target=type_slowly)
    typist.start()
    with open(reading, "rb", buffering=0) as stdin:
        engine.run(stdin, out)
    typist.join()
    assert out.getvalue() == b"= n\n\n= v\n\n"
    assert restless.calls >= 2 and "restless" in caplog.text


def test_nothing_but_gtp_on_stdout() -> None:
    """Prints and writes to file descriptor 1 inside a command end up on stderr."""
    program = """
import os, sys
from engine.protocol import GtpEngine, reserved_stdout

class Chatty:
    def cmd_chat(self) -> str:
        print("from print")
        os.write(1, b"from a library\\n")
        os.system("echo from a child")
        return "done"

with reserved_stdout() as stdout:
    GtpEngine(Chatty(), name="n", version="v").run(sys.stdin.buffer, stdout)
print("stdout is back")
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        input="chat\n",
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert done.stdout == "= done\n\nstdout is back\n"
    for source in ("print", "a library", "a child"):
        assert f"from {source}" in done.stderr
