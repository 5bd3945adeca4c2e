"""Whatever arrives, there is an answer, the engine lives, and a refusal changes nothing."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import gogui_views
from engine.protocol import GtpEngine, parse_request
from tests.engine.support import CentrePolicy, make_engine

RESPONSE = re.compile(rb"[=?][0-9]*( [^\n]*)?\n([^\n]+\n)*\n")

WORDS = (
    "b w black WHITE pass D4 d4 a1 t19 z99 i5 0 1 2 5 9 13 25 26 -1 1.5 nan 1e9 resign # x e empty all true ownership "
    "interval allow avoid d4,e5 maxmoves minmoves rootInfo none absolute byoyomi canadian alive seki dead chinese aga "
    "japanese "
    '{"ko":"SIMPLE"} {"ko":1} {} [] ko SIMPLE suicide "a b" setup.sgf'
)


def position(engine: GtpEngine) -> tuple[object, ...]:
    """Everything a command could change."""
    session = engine.session  # type: ignore[attr-defined]
    game = session.game
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
        session.rules,
        session.clock.control,
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
    words = draw(st.lists(st.sampled_from(WORDS.split()), max_size=5))
    line = number + " ".join([draw(st.sampled_from(COMMANDS)), *words])
    return line.encode() + draw(st.sampled_from([b"", b"\r", b" \t", b"\xff", b"\x00"]))


@pytest.fixture(scope="module", autouse=True)
def short_searches() -> Iterator[None]:
    """GoGui's pictures of the search are for eyes; here a few visits do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gogui_views, "VISITS", 4)
        yield


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_any_words(name: str) -> None:
    """Too few, too many, of the wrong kind, or right: an answer, and nothing changed if it is a refusal."""
    engine = make_engine(CentrePolicy(value=True))

    @settings(max_examples=12, deadline=None, database=None)
    @given(words=st.lists(st.one_of(st.sampled_from(WORDS.split()), st.text(max_size=8)), max_size=6))
    def check_words(words: list[str]) -> None:
        for line in ("boardsize 5", "play b c3", "play w d3"):
            engine.answer(line.encode())
        check(engine, " ".join([name, *words]).encode("utf-8", "surrogatepass").replace(b"\n", b" "))

    check_words()
    check(engine, name.encode())
    check(engine, b"1 " + name.encode() + b" b" * 100)
    check(engine, name.encode() + b" " + b"9" * 5000)


@settings(max_examples=100, deadline=None)
@given(lines=st.lists(commands(), min_size=1, max_size=25))
def test_random_commands(lines: list[bytes]) -> None:
    engine = make_engine(CentrePolicy(value=True))
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
