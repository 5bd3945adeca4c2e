"""One game between two engines: how it is refereed, whatever the engines do."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator

import pytest

from engine.game import format_score, parse_score
from engine.referee import Outcome, Seat, Terms, play_game, random_opening
from gocnn.go import BLACK, WHITE
from gocnn.go.coords import gtp_to_point, point_to_gtp
from tests.engine.support import stub

TERMS = Terms(size=5, komi=0.5, max_moves=60, timeout=20.0)


class Table:
    """Seats for stubs, cleared away after the test."""

    def __init__(self) -> None:
        self.seats: list[Seat] = []

    def seat(self, label: str, *options: str) -> Seat:
        seat = Seat(label, stub(*options), TERMS.timeout)
        self.seats.append(seat)
        return seat

    def play(self, black: Seat, white: Seat, terms: Terms = TERMS, **more: object) -> Outcome:
        return play_game(black, white, terms, **more)  # type: ignore[arg-type]


@pytest.fixture
def table() -> Iterator[Table]:
    table = Table()
    yield table
    for seat in table.seats:
        seat.kill()


def test_two_passes_and_agreement(table: Table) -> None:
    outcome = table.play(table.seat("A", "--moves", "c3,b2"), table.seat("B", "--moves", "D4"))
    assert (outcome.winner, outcome.result, outcome.settled) == (BLACK, "B+1.5", "agreement")
    assert outcome.scores == {"A": "B+1.5", "B": "B+1.5"}
    moves = [(colour, point_to_gtp(point, 5)) for colour, point in outcome.game.board.moves]
    assert moves == [
        (BLACK, "C3"),
        (WHITE, "D4"),
        (BLACK, "B2"),
        (WHITE, "pass"),
        (BLACK, "pass"),
    ]


@pytest.mark.parametrize("word", ["resign", "RESIGN"])
def test_resignation(table: Table, word: str) -> None:
    outcome = table.play(table.seat("A", "--moves", "c3"), table.seat("B", "--moves", word))
    assert (outcome.winner, outcome.result, outcome.settled) == (BLACK, "B+R", "resignation")


@pytest.mark.parametrize(
    ("white", "reason"),
    [
        (["--moves", "c3"], "played c3: illegal move: occupied"),
        (["--moves", "z9"], "answered genmove with 'z9'"),
        (["--moves", "I don't know"], "answered genmove with"),
        (["--then", "crash"], "status 3"),
        (["--then", "garbage"], "not GTP"),
        (["--then", "refuse"], "refused 'genmove white': illegal move"),
        (["--on", "play", "--then", "refuse"], "refused 'play black C3'"),
        (["--on", "komi", "--then", "refuse"], "refused 'komi 0.5'"),
        (["--on", "boardsize", "--then", "crash"], "status 3"),
    ],
)
def test_what_loses_the_game(table: Table, white: list[str], reason: str) -> None:
    outcome = table.play(table.seat("A", "--moves", "c3,b2"), table.seat("B", *white))
    assert (outcome.winner, outcome.result, outcome.settled) == (BLACK, "B+F", "forfeit")
    assert outcome.note.startswith("white (B): ")
    assert reason in outcome.note


def test_a_stall_loses(table: Table) -> None:
    stalling = table.seat("A", "--then", "stall")
    stalling.timeout = 0.5
    outcome = table.play(stalling, table.seat("B"))
    assert (outcome.winner, outcome.result) == (WHITE, "W+F")
    assert "no answer to 'genmove black' in 2.5 s" in outcome.note, "the first move of a process has five times as long"


def test_only_the_first_move_of_a_process_may_be_slow(table: Table) -> None:
    a, b = table.seat("A", "--wait", "0.8", "--moves", "c3,b2,d4"), table.seat("B", "--moves", "a1,a2")
    a.timeout = 0.4
    outcome = table.play(a, b)
    assert outcome.result == "W+F" and "no answer to 'genmove black' in 0.4 s" in outcome.note
    assert len(outcome.game.board.moves) == 2


def test_a_program_that_does_not_start_loses(table: Table) -> None:
    outcome = table.play(Seat("A", "no-such-program", 5.0), table.seat("B"))
    assert (outcome.winner, outcome.settled) == (WHITE, "forfeit")
    assert "cannot start" in outcome.note


def test_the_next_game_has_a_fresh_process(table: Table) -> None:
    a, b = table.seat("A", "--after", "1", "--then", "crash", "--moves", "c3"), table.seat("B")
    for _ in range(2):  # each process manages one move and no more
        outcome = table.play(a, b)
        assert outcome.result == "W+F" and "status 3" in outcome.note
        assert len(outcome.game.board.moves) == 2
    assert a.send("name") == ""


def test_a_process_that_ends_between_two_games_loses_none(table: Table) -> None:
    a = table.seat("A", "--on", "final_score", "--then", "leave")
    b = table.seat("B", "--score", "W+3.5")
    arbiter = table.seat("arbiter", "--score", "W+0.5", "--on", "final_score", "--then", "leave")
    for _ in range(3):
        outcome = table.play(a, b, arbiter=arbiter)
        assert (outcome.result, outcome.settled) == ("W+0.5", "arbiter"), outcome.note


def test_disagreement_goes_to_the_arbiter(table: Table) -> None:
    a, b = table.seat("A", "--score", "B+1.5"), table.seat("B", "--score", "W+3.5")
    arbiter = table.seat("arbiter", "--score", "W+0.5")
    outcome = table.play(a, b, arbiter=arbiter)
    assert (outcome.winner, outcome.result, outcome.settled) == (WHITE, "W+0.5", "arbiter")
    assert outcome.scores == {"A": "B+1.5", "B": "W+3.5", "arbiter": "W+0.5"}
    assert "A: B+1.5, B: W+3.5" in outcome.note


@pytest.mark.parametrize("arbiter", [None, ["--score", "?"], ["--on", "final_score", "--then", "crash"]])
def test_without_one_the_referee_counts(table: Table, arbiter: list[str] | None) -> None:
    a = table.seat("A", "--moves", "c3", "--score", "B+1.5")
    b = table.seat("B", "--on", "final_score", "--then", "refuse")
    outcome = table.play(a, b, arbiter=table.seat("arbiter", *arbiter) if arbiter else None)
    assert (outcome.result, outcome.settled) == ("B+24.5", "tromp-taylor")
    assert "counted by the referee" in outcome.note


def test_a_draw(table: Table) -> None:
    scores = ["--score", "0"]
    outcome = table.play(table.seat("A", *scores), table.seat("B", *scores))
    assert (outcome.winner, outcome.result, outcome.settled) == (0, "0", "agreement")


def test_a_game_that_does_not_end_is_stopped(table: Table) -> None:
    terms = Terms(size=5, komi=0.5, max_moves=3, timeout=20.0)
    a, b = table.seat("A", "--moves", "a1,a2,a3"), table.seat("B", "--moves", "e1,e2,e3")
    outcome = table.play(a, b, terms)
    assert len(outcome.game.board.moves) == 3
    assert "stopped after 3 moves" in outcome.note


def test_both_engines_hear_the_opening(table: Table) -> None:
    opening = [gtp_to_point(vertex, 5) for vertex in ("c3", "d4", "b2")]
    refusing = table.seat("B", "--on", "play", "--after", "3", "--then", "refuse")
    outcome = table.play(table.seat("A"), refusing, opening=opening)
    # The fourth `play` that B hears is A's first own move; White moves after three stones.
    assert [point for _, point in outcome.game.board.moves[:3]] == opening
    assert outcome.game.board.moves[3] == (WHITE, 25)
    assert "refused 'play black pass'" in outcome.note


def test_random_openings_repeat_by_seed_and_stay_inside() -> None:
    terms = Terms(size=9)
    opening = random_opening(terms, 8, "1/1")
    assert opening == random_opening(terms, 8, "1/1")
    assert opening != random_opening(terms, 8, "1/2")
    assert len(set(opening)) == 8
    for point in opening:
        row, col = divmod(point, 9)
        assert 2 <= row <= 6 and 2 <= col <= 6
    assert len(random_opening(Terms(size=3), 30, "1")) < 9


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("B+3.5", 3.5),
        ("w+12", -12),
        (" W+0.5 \n", -0.5),
        ("0", 0),
        ("Draw", 0),
        ("B+R", None),
        ("W+nan", None),
        ("B+inf", None),
        ("", None),
        ("Black is ahead", None),
        ("?", None),
    ],
)
def test_parse_score(text: str, score: float | None) -> None:
    assert parse_score(text) == score


def test_format_score() -> None:
    assert [format_score(s) for s in (3.5, -12.0, 0.0)] == ["B+3.5", "W+12", "0"]


@pytest.mark.gnugo
def test_two_gnu_gos(gnugo: str) -> None:
    terms = Terms(size=7, komi=7.5, max_moves=150, timeout=60.0)
    a, b = Seat("A", gnugo, 60.0), Seat("B", gnugo, 60.0)
    try:
        outcome = play_game(a, b, terms, random_opening(terms, 2, "1"))
    finally:
        a.close()
        b.close()
    assert outcome.settled == "agreement"
    assert outcome.game.is_over


@pytest.mark.gnugo
def test_a_whole_game_against_gnu_go(gnugo: str) -> None:
    """Both play to the end by their own rules, and agree on the score."""
    terms = Terms(size=9, komi=7.5, max_moves=200, timeout=120.0)
    engine = Seat("gocnn", shlex.join([sys.executable, "-m", "gocnn", "gtp", "--threads", "1"]), 120.0)
    other = Seat("GNU Go", gnugo, 60.0)
    try:
        outcome = play_game(engine, other, terms, random_opening(terms, 2, "3"))
    finally:
        engine.close()
        other.close()
    assert outcome.settled == "agreement", outcome.note
    assert outcome.game.is_over


def test_the_arbiter_is_shown_the_whole_game(table: Table) -> None:
    heard: list[str] = []

    class Listener(Seat):
        def send(self, command: str) -> str:
            heard.append(command)
            return "W+0.5"

    black = table.seat("A", "--moves", "c3", "--score", "B+1.5")
    white = table.seat("B", "--moves", "d4", "--score", "W+3.5")
    outcome = table.play(black, white, arbiter=Listener("arbiter", "none", 1.0))
    assert (outcome.result, outcome.settled) == ("W+0.5", "arbiter")
    shown = ["boardsize 5", "clear_board", "komi 0.5", "play black C3", "play white D4", "play black pass"]
    assert heard == [*shown, "play white pass", "final_score"]
