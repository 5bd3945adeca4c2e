"""Matches: colours, openings, what is kept on disk, and taking a match up again."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from click.testing import Result as Ran
from rich.console import Console
from sgfmill import sgf

from engine.match import Match, MatchError, Plan
from engine.match_command import match as match_command
from engine.referee import Terms
from engine.scoreboard import print_summary
from tests.engine.support import stub

ROOT = Path(__file__).parents[2]
TERMS = Terms(size=5, komi=0.5, max_moves=60, timeout=20.0)


def plan(**changes: object) -> Plan:
    settings: dict[str, object] = {"a": stub("--moves", "c3"), "b": stub(), "terms": TERMS}
    return Plan(**{**settings, **changes})  # type: ignore[arg-type]


def play(held: Match, games: int, jobs: int = 1) -> list[int]:
    return [result.number for result in held.play(games, jobs)]


def test_colours_change_after_every_game() -> None:
    assert [plan().black_in(number) for number in range(1, 5)] == ["A", "B", "A", "B"]
    assert [plan(swap=False).black_in(number) for number in range(1, 5)] == ["A"] * 4


def test_the_games_of_a_pair_share_their_opening() -> None:
    openings = [plan(opening_moves=4).opening_of(number) for number in range(1, 5)]
    assert openings[0] == openings[1] != openings[2] == openings[3]
    other_seed = plan(opening_moves=4, seed=2).opening_of(1)
    assert other_seed != openings[0]
    fixed = [plan(opening_moves=4, swap=False).opening_of(number) for number in (1, 2)]
    assert fixed[0] != fixed[1]


def test_results_and_games_are_kept(tmp_path: Path) -> None:
    held = Match(plan(opening_moves=2), tmp_path / "deep" / "match")
    assert play(held, 4) == [1, 2, 3, 4]
    directory = held.directory
    assert sorted(path.name for path in directory.iterdir()) == [
        "0001.sgf",
        "0002.sgf",
        "0003.sgf",
        "0004.sgf",
        "match.json",
        "results.jsonl",
    ]
    rows = [json.loads(line) for line in (directory / "results.jsonl").read_text().splitlines()]
    # Black wins each by the stubs' word, so A and B win in turn.
    assert [row["winner"] for row in rows] == ["A", "B", "A", "B"]
    assert [row["black"] for row in rows] == ["A", "B", "A", "B"]
    record = sgf.Sgf_game.from_bytes((directory / "0002.sgf").read_bytes())
    assert record.get_winner() == "b"
    assert record.get_player_name("b").startswith("B: ")
    assert record.get_komi() == 0.5
    assert len(record.get_main_sequence()) == rows[1]["moves"] + 1


def test_results_count_once_and_equal_games_are_noticed(tmp_path: Path) -> None:
    held = Match(plan(), tmp_path)
    assert play(held, 4) == [1, 2, 3, 4]
    assert len({result.played for result in held.results}) == 2  # one game for each colour
    path = tmp_path / "results.jsonl"
    path.write_bytes(path.read_bytes() * 2)
    assert [result.number for result in Match(plan(), tmp_path).results] == [1, 2, 3, 4]
    shown = io.StringIO()
    print_summary(held, Console(file=shown, width=200))
    assert "Only 2 of 4 games are different" in shown.getvalue()
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        del row["played"]  # as older versions wrote them
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert len(Match(plan(), tmp_path).results) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="needs fcntl")
def test_two_do_not_play_one_match(tmp_path: Path) -> None:
    games = Match(plan(), tmp_path).play(4)
    next(games)
    with pytest.raises(MatchError, match="is being played by another process"):
        next(Match(plan(), tmp_path).play(4))
    games.close()
    assert play(Match(plan(), tmp_path), 5)


def test_what_another_process_has_played_meanwhile_is_not_played_again(tmp_path: Path) -> None:
    early = Match(plan(), tmp_path)
    play(Match(plan(), tmp_path), 2)
    assert early.remaining(3) == [1, 2, 3]
    assert play(early, 3) == [3] and len(early.results) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="needs fcntl")
def test_a_file_system_without_locks_is_played_on_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def no_locks(*arguments: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    assert play(Match(plan(), tmp_path), 2) == [1, 2]


def test_a_match_is_taken_up_where_it_ended(tmp_path: Path) -> None:
    first = Match(plan(), tmp_path)
    stopped = first.play(300)
    next(stopped), next(stopped)
    stopped.close()  # type: ignore[attr-defined]
    played = len(first.results)  # more than two, if others ended meanwhile
    again = Match(plan(), tmp_path)
    assert 2 <= played < 300 and again.remaining(played + 3) == [played + 1, played + 2, played + 3]
    assert play(again, played + 3, jobs=3) and again.remaining(played + 3) == []
    assert play(Match(plan(), tmp_path), played + 3) == []
    assert play(Match(plan(), tmp_path), played + 4) == [played + 4]


def test_games_that_ended_while_nobody_looked_are_kept(tmp_path: Path) -> None:
    held = Match(plan(), tmp_path)
    games = held.play(40, jobs=2)
    next(games)
    time.sleep(2)  # a game takes milliseconds
    games.close()  # type: ignore[attr-defined]
    kept = Match(plan(), tmp_path).results
    assert len(kept) == len(held.results) > 2
    assert all(result.winner for result in kept), "none was lost by leaving"


def test_a_line_cut_off_by_a_crash_is_played_again(tmp_path: Path) -> None:
    play(Match(plan(), tmp_path), 3)
    results = tmp_path / "results.jsonl"
    results.write_bytes(results.read_bytes()[:-20])
    cut_off = results.read_bytes()
    again = Match(plan(), tmp_path)
    assert again.remaining(3) == [3] and results.read_bytes() == cut_off, "somebody may be writing there"
    assert play(again, 3) == [3]
    assert len(Match(plan(), tmp_path).results) == 3


def test_a_broken_line_is_an_error(tmp_path: Path) -> None:
    play(Match(plan(), tmp_path), 2)
    results = tmp_path / "results.jsonl"
    results.write_bytes(b"{}\n" + results.read_bytes())
    with pytest.raises(MatchError, match=r"results\.jsonl, line 1"):
        Match(plan(), tmp_path)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"a": "other"}, "a is "),
        ({"seed": 7}, "seed is 1 there, 7 here"),
        ({"terms": Terms(size=7, komi=0.5, max_moves=60)}, "size is 5 there, 7 here"),
    ],
)
def test_another_plan_is_refused(tmp_path: Path, changes: dict[str, object], named: str) -> None:
    play(Match(plan(), tmp_path), 1)
    with pytest.raises(MatchError, match=named):
        Match(plan(**changes), tmp_path)


def test_patience_is_no_other_plan(tmp_path: Path) -> None:
    play(Match(plan(), tmp_path), 1)
    patient = Terms(size=5, komi=0.5, max_moves=60, timeout=99.0)
    assert Match(plan(terms=patient), tmp_path).remaining(2) == [2]


def test_what_is_no_match_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "match.json").write_text("[1, 2")
    with pytest.raises(MatchError, match="is not a match"):
        Match(plan(), tmp_path)


@pytest.mark.parametrize("name", ["0001.sgf", "10000.SGF", "results.jsonl"])
def test_games_and_results_that_belong_to_no_match_are_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.sgf").write_text("(;GM[1])")
    (tmp_path / "2024").mkdir()
    Match(plan(), tmp_path)
    (tmp_path / name).write_text("mine")
    with pytest.raises(MatchError, match=f"holds {name} and no match"):
        Match(plan(), tmp_path)
    assert (tmp_path / name).read_text() == "mine"


def test_crashes_and_stalls_do_not_end_the_match(tmp_path: Path) -> None:
    crashing = stub("--on", "genmove", "--after", "1", "--then", "crash", "--moves", "c3")
    held = Match(plan(a=crashing), tmp_path)
    assert sorted(play(held, 4, jobs=2)) == [1, 2, 3, 4]
    assert {result.winner for result in held.results} == {"B"}
    assert {result.settled for result in held.results} == {"forfeit"}


# --- the command ---


def run(*arguments: str) -> Ran:
    return CliRunner().invoke(match_command, list(arguments))


def test_the_command_reports(tmp_path: Path) -> None:
    ran = run(
        "--black", stub("--moves", "c3"), "--white", stub("--score", "W+9"), "--games", "4",
        "--size", "5", "--arbiter", stub("--score", "B+2"), "-o", str(tmp_path), "--jobs", "2",
    )  # fmt: skip
    assert ran.exit_code == 0, ran.output
    assert "50.0 %" in ran.output and "15.0 – 85.0 %" in ran.output
    assert "Settled by: arbiter 4" in ran.output
    assert "The engines disagreed on the score of 4 games: 1, 2, 3, 4" in ran.output
    assert "game 1: A wins, B+2 (arbiter)" in ran.output


def test_the_command_names_forfeits(tmp_path: Path) -> None:
    ran = run(
        "--black", stub(), "--white", stub("--then", "crash"), "--games", "2", "--size", "5",
        "-o", str(tmp_path),
    )  # fmt: skip
    assert ran.exit_code == 0
    assert "B forfeited 2 games: 1, 2" in ran.output


def test_an_engine_that_does_not_start_is_one_line(tmp_path: Path) -> None:
    target = tmp_path / "m"
    ran = run("--black", "no-such-program", "--white", stub(), "-o", str(target))
    assert ran.exit_code == 1
    assert "Error: an engine does not answer: cannot start 'no-such-program'" in ran.output
    assert not target.exists()


def test_a_directory_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "match.json").mkdir()
    for directory in (tmp_path, tmp_path / ("x" * 300)):
        ran = run("--black", stub(), "--white", stub(), "-o", str(directory), "--games", "1")
        assert ran.exit_code == 1 and ran.output.startswith("Error: [Errno"), ran.output
    ran = run("--black", stub(), "--white", stub(), "-o", str(tmp_path / "m"), "--timeout", "inf")
    assert ran.exit_code == 2 and "inf is not a finite number" in ran.output


def test_another_match_in_the_directory_is_one_line(tmp_path: Path) -> None:
    arguments = ["--black", stub(), "--white", stub(), "-o", str(tmp_path), "--games", "1"]
    assert run(*arguments, "--size", "5").exit_code == 0
    ran = run(*arguments, "--size", "7")
    assert ran.exit_code == 1
    assert "holds another match: size is 5 there, 7 here" in ran.output


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_keeps_what_is_done(tmp_path: Path) -> None:
    slow = stub("--wait", "0.1", "--moves", "a1,b1,c1,d1")
    # A shell starts background jobs with SIGINT ignored, and Python would leave it so.
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from gocnn.cli import main; main()"
    )
    command = [
        sys.executable, "-c", program, "match", "--black", slow, "--white", stub(),
        "--size", "5", "--games", "40", "-o", str(tmp_path),
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    results = tmp_path / "results.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (results.exists() and results.stat().st_size):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "95 % Wilson interval" in out
    done = len(results.read_text().splitlines())
    assert 1 <= done < 40
    assert f"{done:5d}" in out
