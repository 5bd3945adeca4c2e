"""`gocnn data build` and `gocnn data info` as a user meets them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sgf_data import summary
from sgf_data.commands import data
from sgf_data.store import open_store

ROOT = Path(__file__).parents[2]
ZOO = ROOT / "tests" / "data" / "zoo"

GAMES = """
(;SZ[19]KM[6.5]RE[B+R]BR[9p]WR[3p]DT[1835-07-27];B[pd];W[dp];B[dd])
(;SZ[19]KM[6.5]RE[W+2.5]BR[9p]WR[Honinbo]DT[2020];B[pd];W[dp];B[qq])
(;SZ[9]KM[7]RE[Jigo]BR[5k]DT[2021-01-01];B[ee];W[cc])
"""


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(data, [str(arg) for arg in args])


@pytest.fixture
def store(tmp_path: Path) -> Path:
    (tmp_path / "games.sgf").write_text(GAMES)
    result = run("build", tmp_path / "games.sgf", "-o", tmp_path / "games.arrow", "--jobs", "1")
    assert result.exit_code == 0, result.output
    return tmp_path / "games.arrow"


def test_build_says_what_it_did(tmp_path: Path) -> None:
    target = tmp_path / "zoo.arrow"
    result = run("build", ZOO, "-o", target, "--jobs", "1")
    assert result.exit_code == 0
    kept, moves = len(open_store(target)), len(open_store(target).moves().points)
    assert f"{target}: {kept:,} games, {moves:,} moves" in result.output
    counts = next(line for line in result.output.splitlines() if " read = " in line)
    read, kept_too, duplicates, rejected = (int(w) for w in counts.split() if w.isdigit())
    assert read == kept_too + duplicates + rejected and kept_too == kept
    assert "stone on a stone" in result.output and "truncated" in result.output


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="standard output has no name here")
def test_a_store_on_standard_output_is_nothing_but_a_store(tmp_path: Path) -> None:
    words = ["build", str(ZOO), "-o", "/dev/stdout", "--log", str(tmp_path / "log.csv"), "--jobs", "1"]
    program = "import sys; from sgf_data.commands import data; data(sys.argv[1:])"
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, check=True, cwd=ROOT)
    (tmp_path / "zoo.arrow").write_bytes(done.stdout)
    assert done.stdout.endswith(b"ARROW1") and len(open_store(tmp_path / "zoo.arrow")) > 3
    assert b" read = " in done.stderr and b"stone on a stone" in done.stderr


def test_exit_status_tells_what_could_not_be_read(tmp_path: Path) -> None:
    target = tmp_path / "x.arrow"
    result = run("build", tmp_path / "none.zip", ZOO / "many.sgf", "-o", target, "--jobs", "1")
    assert result.exit_code == 1
    message = f"Error: cannot read {tmp_path}/none.zip: No such file or directory"
    assert result.stderr.splitlines() == [message]
    assert len(open_store(target)) == 3  # the rest has gone on


def test_nothing_to_keep(tmp_path: Path) -> None:
    target = tmp_path / "x.arrow"
    result = run("build", ZOO / "empty.sgf", "-o", target, "--jobs", "1")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [f"Error: no game to keep; {target} was not written."]
    assert not target.exists()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["-o", "{tmp}/no/x.arrow"], "Error: cannot write {tmp}/no"),
        (["-o", "{tmp}/x.arrow", "--log", "{tmp}/no/log.csv"], "Error: cannot write {tmp}/no"),
        (["-o", "{tmp}/x.arrow", "--exclude", "{zoo}/ko.sgf"], "Error: {zoo}/ko.sgf: not a game"),
    ],
)
def test_errors_are_one_line(tmp_path: Path, args: list[str], message: str) -> None:
    filled = [arg.format(tmp=tmp_path, zoo=ZOO) for arg in args]
    result = run("build", ZOO / "many.sgf", "--jobs", "1", *filled)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith(message.format(tmp=tmp_path, zoo=ZOO))
    assert os.listdir(tmp_path) == []


def test_a_record_is_not_overwritten(tmp_path: Path) -> None:
    games = [tmp_path / f"{name}.sgf" for name in "abc"]
    for game in games:
        game.write_bytes(b"(;GM[1]SZ[9];B[aa];W[bb])")
    for options, words in (
        (["-o", *map(str, games)], "a.sgf is one of the records"),
        ([*map(str, games), "-o", str(tmp_path / "s.arrow"), "--log", str(games[0])], "a.sgf is one of the records"),
        ([str(tmp_path), "-o", str(tmp_path / "s.arrow"), "--log", str(tmp_path / "s.arrow")], "both the store and"),
    ):
        # The first is what a shell makes of `-o *.sgf`, its folder named once more.
        result = CliRunner().invoke(data, ["build", *options, str(tmp_path)])
        assert result.exit_code == 2 and words in result.output
    assert all(game.read_bytes().startswith(b"(;GM") for game in games)


def test_ranks_are_no_markup(tmp_path: Path) -> None:
    (tmp_path / "a.sgf").write_bytes(b"(;GM[1]SZ[9]BR[[/\\]]WR[3k];B[aa];W[bb])")
    out = str(tmp_path / "s.arrow")
    assert CliRunner().invoke(data, ["build", str(tmp_path), "-o", out]).exit_code == 0
    result = CliRunner().invoke(data, ["info", out])
    assert result.exit_code == 0 and "[/]" in result.output


def test_build_options(tmp_path: Path) -> None:
    target, log = tmp_path / "x.arrow", tmp_path / "log.csv"
    names = ("suicide.sgf", "on-a-stone.sgf", "size-21.sgf", "handicap.sgf")
    sources = [ZOO / name for name in names]
    options = ["--size", "9", "--size", "21", "--keep-legal-part", "--allow-suicide", "--jobs", "1"]
    result = run("build", *sources, "-o", target, "--log", log, *options)
    assert result.exit_code == 0
    assert open_store(target).table["size"].to_pylist() == [9, 9, 21]
    assert "wrong size" in log.read_text()


def test_build_in_a_process_of_its_own_with_workers(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gocnn", "data", "build", str(ZOO)]
    options = ["-o", str(tmp_path / "x.arrow"), "--jobs", "2"]
    result = subprocess.run(command + options, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert sorted(os.listdir(tmp_path)) == ["x.arrow", "x.arrow.rejected.csv"]


def test_info(store: Path) -> None:
    result = run("info", store, store)
    assert result.exit_code == 0
    assert f"{store}, {store}: 6 games, 16 moves" in result.output
    for text in ("19×19", "1800-1899", "2020-2029", "9p", "5k", "draw", "black by resignation"):
        assert text in result.output, text


def test_info_draws_a_picture(store: Path, tmp_path: Path) -> None:
    result = run("info", store, "--plot", tmp_path / "games.png")
    assert result.exit_code == 0
    assert (tmp_path / "games.png").read_bytes().startswith(b"\x89PNG")
    for name in ("no/games.png", "games.xyz"):
        result = run("info", store, "--plot", tmp_path / name)
        assert result.exit_code == 1
        assert result.stderr.startswith(f"Error: cannot draw {tmp_path / name}: ")


def test_info_names_the_file_that_is_no_store(store: Path) -> None:
    result = run("info", store, ZOO / "ko.sgf")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {ZOO / 'ko.sgf'}: not a game store")


@pytest.mark.parametrize("command", [[], ["build"], ["info"]])
def test_help_ends_with_examples(command: list[str]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    tail = result.output[result.output.index("Examples:") :].splitlines()
    assert len(tail) > 1 and all(line.startswith("    gocnn data ") for line in tail[1:])


def test_summary_adds_up(store: Path) -> None:
    found = summary.summarise(open_store(store))
    assert found.games == 3 and found.moves == 8
    for counter in (found.sizes, found.handicaps, found.komis, found.years, found.results):
        assert sum(counter.values()) == 3
    assert sum(found.ranks.values()) == 6
    assert summary.by_decade(found.years) == [("1800-1899", 1), ("2020-2029", 2)]
    ranks = ["", "1k", "9p", "3p", "Honinbo", "7d", "12k"]
    assert sorted(ranks, key=summary.rank_order)[:5] == ["9p", "3p", "7d", "1k", "12k"]
