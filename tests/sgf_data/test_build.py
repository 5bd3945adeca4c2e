"""Building a store: what is kept, what is counted, and what interruptions leave behind."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gocnn.go.coords import point_to_sgf
from gocnn.go.symmetry import SYMMETRIES, point_maps
from sgf_data import build
from sgf_data.build import build_store
from sgf_data.reader import ReadOptions
from sgf_data.record import Reason
from sgf_data.sources import find
from sgf_data.store import StoreError, open_store

ROOT = Path(__file__).parents[2]
ZOO = ROOT / "tests" / "data" / "zoo"


def some_game(seed: int, moves: int = 60, symmetry: int = 0, extra: str = "") -> bytes:
    """Different points on an empty 19x19 board, turned or mirrored."""
    points = np.random.default_rng(seed).permutation(361)[:moves]
    names = [point_to_sgf(int(p), 19) for p in point_maps(19)[symmetry][points]]
    nodes = "".join(f";{'BW'[i % 2]}[{name}]" for i, name in enumerate(names))
    return f"(;GM[1]SZ[19]{extra}{nodes})\n".encode()


def log_rows(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_zoo(tmp_path: Path) -> None:
    """Everything is counted once: read = kept + duplicates + rejected, and the log has the rest."""
    target = tmp_path / "zoo.arrow"
    report = build_store(find([ZOO]), target, jobs=1)
    assert report.read == report.kept + report.duplicates + report.rejected
    assert report.files == len(list(ZOO.iterdir()))
    assert report.kept == len(open_store(target)) >= 20
    assert report.moves == len(open_store(target).moves().points)
    rows = log_rows(tmp_path / "zoo.arrow.rejected.csv")
    assert len(rows) == report.read - report.kept
    counts = {reason.value: games for reason, games in report.left_out.items()}
    for reason in counts:
        assert counts[reason] == sum(row["reason"] == reason for row in rows)
    by_name = {Path(row["path"]).name: row for row in rows}
    assert by_name["on-a-stone.sgf"] == {
        "path": str(ZOO / "on-a-stone.sgf"),
        "game": "1",
        "position": "27",
        "move": "4",
        "reason": "stone on a stone",
        "detail": "occupied at 'ee'",
    }
    assert set(os.listdir(tmp_path)) == {"zoo.arrow", "zoo.arrow.rejected.csv"}


@pytest.mark.parametrize("extra", ["", "KM[7.5]RE[B+R]PB[somebody]"])
def test_duplicates_under_all_symmetries(tmp_path: Path, extra: str) -> None:
    for symmetry in range(SYMMETRIES):
        other = extra if symmetry else ""
        (tmp_path / f"{symmetry}.sgf").write_bytes(some_game(1, symmetry=symmetry, extra=other))
    (tmp_path / "different.sgf").write_bytes(some_game(2))
    target = tmp_path / "x.arrow"
    report = build_store(find([tmp_path]), target, jobs=1)
    assert (report.read, report.kept, report.duplicates) == (9, 2, 7)
    assert open_store(target).record(0).source == f"{tmp_path}/0.sgf#1"
    rows = log_rows(tmp_path / "x.arrow.rejected.csv")
    assert {row["detail"] for row in rows} == {f"same game as {tmp_path}/0.sgf#1"}


def collection(path: Path, games: int = 200) -> Path:
    """An archive with duplicates and broken games in between."""
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(games):
            data = some_game(number // 2 if number % 5 == 0 else number)
            archive.writestr(f"{number}.sgf", data[:-9] if number % 11 == 0 else data)
    return path


def test_the_same_store_whatever_the_number_of_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "CHUNK_BYTES", 5000)
    source = collection(tmp_path / "games.zip")
    seen = set()
    for jobs in (1, 3):
        target = tmp_path / f"{jobs}.arrow"
        report = build_store(find([source, ZOO]), target, jobs=jobs)
        assert report.duplicates > 10 and report.left_out[Reason.TRUNCATED] > 10
        seen.add((target.read_bytes(), (tmp_path / f"{jobs}.arrow.rejected.csv").read_bytes()))
    assert len(seen) == 1


def test_progress_comes_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "CHUNK_BYTES", 5000)
    files = find([collection(tmp_path / "games.zip", 50), ZOO / "many.sgf"])
    calls: list[tuple[int, int]] = []
    build_store(
        files,
        tmp_path / "x.arrow",
        jobs=1,
        progress=lambda done, report: calls.append((done, report.read)),
    )
    assert calls == sorted(calls) and len(calls) > 3
    assert calls[-1][1] == 53
    assert 0.5 < calls[-1][0] / sum(file.size for file in files) <= 1


def test_exclude_by_opening(tmp_path: Path) -> None:
    (tmp_path / "a.sgf").write_bytes(some_game(1, moves=60) + some_game(2))
    build_store(find([tmp_path / "a.sgf"]), tmp_path / "a.arrow", jobs=1)
    (tmp_path / "b.sgf").write_bytes(some_game(1, moves=80, symmetry=3) + some_game(3))
    report = build_store(find([tmp_path / "b.sgf"]), tmp_path / "b.arrow", exclude=[tmp_path / "a.arrow"], jobs=1)
    assert (report.kept, report.left_out[Reason.EXCLUDED]) == (1, 1)
    with pytest.raises(StoreError, match=r"b\.sgf"):
        build_store([], tmp_path / "c.arrow", exclude=[tmp_path / "b.sgf"], jobs=1)


def test_options_reach_the_reader(tmp_path: Path) -> None:
    options = ReadOptions(sizes=frozenset([9]), keep_legal_part=True, allow_suicide=True)
    files = find([ZOO / "on-a-stone.sgf", ZOO / "suicide.sgf", ZOO / "handicap.sgf"])
    report = build_store(files, tmp_path / "x.arrow", options, jobs=1)
    assert report.kept == 2 and report.left_out == {Reason.WRONG_SIZE: 1}


@pytest.mark.parametrize(
    "extra", ["KM[" + "9" * 400 + " 1/2]", r"CA[unicode_escape]PB[\\ud800é]", "PB[+2AA-]CA[utf-7]"]
)
def test_no_value_of_one_game_costs_the_others(tmp_path: Path, extra: str) -> None:
    (tmp_path / "a.sgf").write_bytes(some_game(1, extra=extra))
    (tmp_path / "b.sgf").write_bytes(some_game(2))
    report = build_store(find([tmp_path]), tmp_path / "x.arrow", jobs=1)
    assert report.read == 2 and report.kept + report.duplicates + report.rejected == 2 and report.kept >= 1


def test_a_mistake_of_ours_costs_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = build.read_games

    def read_or_stumble(data: bytes, source: str, options: ReadOptions) -> object:
        if b"stumble" in data:
            raise ZeroDivisionError("on a stone")
        games = read(data, source, options)
        if b"surrogate" in data:
            games[0].black = "\ud800"  # type: ignore[union-attr]
        return games

    monkeypatch.setattr(build, "read_games", read_or_stumble)
    for name, extra in (("a", "C[stumble]"), ("b", ""), ("c", "C[surrogate]"), ("d", "")):
        (tmp_path / f"{name}.sgf").write_bytes(some_game(ord(name), extra=extra))
    report = build_store(find([tmp_path]), tmp_path / "x.arrow", jobs=1)
    assert report.kept == 2 and report.left_out == {Reason.UNREADABLE: 2}
    told = [error.detail for error in report.unreadable]
    assert told[0] == "ZeroDivisionError: on a stone" and told[1].startswith("UnicodeEncodeError: ")


def test_no_game_no_store(tmp_path: Path) -> None:
    target = tmp_path / "x.arrow"
    target.write_bytes(b"old")
    report = build_store(find([ZOO / "junk.sgf", ZOO / "missing"]), target, jobs=1)
    assert report.kept == 0 and report.read == 2
    assert [error.source for error in report.unreadable] == [str(ZOO / "missing")]
    assert target.read_bytes() == b"old"
    assert len(log_rows(tmp_path / "x.arrow.rejected.csv")) == 2


def test_workers_are_light() -> None:
    """Reading games must not load torch or matplotlib: every worker would."""
    code = "import sys, sgf_data.build; print([m for m in ('torch', 'matplotlib') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


# Interruptions


@pytest.fixture
def half_built(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A build on two workers that has written half of its store and waits for a pipe to be filled."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("needs named pipes")
    source = collection(tmp_path / "games.zip", 400)
    os.mkfifo(tmp_path / "pipe.sgf")
    # A shell starts background jobs with SIGINT ignored, and Python would leave it so.
    code = (
        "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from sgf_data import build, commands\nbuild.CHUNK_BYTES = 10_000\ncommands.data()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "build", str(source), str(tmp_path / "pipe.sgf")]
        + ["-o", str(tmp_path / "x.arrow"), "--jobs", "2"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not any(p.stat().st_size > 1000 for p in tmp_path.glob(".x.arrow.*.tmp")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    yield process, tmp_path
    process.kill()
    process.communicate()


def children(pid: int) -> list[int]:
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_ctrl_c_leaves_nothing(half_built: tuple[subprocess.Popen[str], Path]) -> None:
    process, directory = half_built
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines() == [f"Interrupted; {directory}/x.arrow was not written."]
    assert out == ""
    assert set(os.listdir(directory)) == {"games.zip", "pipe.sgf"}


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the workers in /proc")
def test_kill_leaves_no_half_store_and_no_worker(
    half_built: tuple[subprocess.Popen[str], Path],
) -> None:
    process, directory = half_built
    workers = children(process.pid)
    assert len(workers) >= 2
    process.kill()
    process.communicate(timeout=60)
    assert not (directory / "x.arrow").exists()
    assert not (directory / "x.arrow.rejected.csv").exists()
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert list(directory.glob(".x.arrow.*.tmp"))
    build_store(find([directory / "games.zip"]), directory / "x.arrow", jobs=1)
    assert not list(directory.glob(".*.tmp"))
