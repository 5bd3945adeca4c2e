"""Whatever arrives, there is an answer, the engine lives, and a refusal changes nothing."""

from __future__ import annotations

import io
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.protocol import GtpEngine, parse_request
from tests.engine.support import make_engine

RESPONSE = re.compile(rb"[=?][0-9]*( [^\n]*)?\n([^\n]+\n)*\n")

WORDS = "b w black WHITE pass D4 d4 a1 t19 z99 i5 0 1 2 5 9 13 25 26 -1 1.5 nan 1e9 resign # x"


def position(engine: GtpEngine) -> tuple[object, ...]:
    """Everything a command could change."""
    game = engine.session.game  # type: ignore[attr-defined]
    board = game.board
    return (
        board.to_ascii(),
        board.size,
        board.moves,
        board.to_move,
        board.prisoners,
        board.ko_point,
        game.komi,
        game.handicap,
        game.start.tobytes(),
    )


def check(engine: GtpEngine, line: bytes) -> None:
    before = position(engine)
    response = engine.answer(line)
    if parse_request(line) is None:
        assert response is None
    else:
        assert response is not None and RESPONSE.fullmatch(response), response
        assert b"internal error" not in response
    if response is None or response.startswith(b"?"):
        assert position(engine) == before


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(st.binary(max_size=60), max_size=8))
def test_random_bytes(lines: list[bytes]) -> None:
    engine = make_engine()
    for line in lines:
        check(engine, line)


COMMANDS = sorted(set(make_engine().commands) - {"quit"})


@st.composite
def commands(draw: st.DrawFn) -> bytes:
    """A known command, mostly with an id and words that could be arguments, often too many."""
    number = draw(st.sampled_from(["", "1 ", "007 "]))
    words = draw(st.lists(st.sampled_from(WORDS.split()), max_size=4))
    line = number + " ".join([draw(st.sampled_from(COMMANDS)), *words])
    return line.encode() + draw(st.sampled_from([b"", b"\r", b" \t", b"\xff", b"\x00"]))


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(commands(), min_size=1, max_size=25))
def test_random_commands(lines: list[bytes]) -> None:
    engine = make_engine()
    engine.answer(b"boardsize 5")
    for line in lines:
        check(engine, line)


@settings(max_examples=100, deadline=None)
@given(stream=st.binary(max_size=400))
def test_random_streams(stream: bytes) -> None:
    """Through the loop: one answer for each line that wants one, up to the end of input."""
    engine = make_engine()
    out = io.BytesIO()
    engine.run(io.BytesIO(stream), out)
    wanted = sum(parse_request(line) is not None for line in stream.split(b"\n"))
    answers = [found.group() for found in RESPONSE.finditer(out.getvalue())]
    assert b"".join(answers) == out.getvalue()
    assert len(answers) == wanted or engine.closing


def test_a_huge_line() -> None:
    engine = make_engine()
    out = io.BytesIO()
    engine.run(io.BytesIO(b"7 play b " + b"D" * 5_000_000 + b"\nname\n"), out)
    assert out.getvalue() == b"?7 syntax error\n\n= gocnn\n\n"
