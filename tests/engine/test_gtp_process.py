"""`gocnn gtp` as a GUI starts it: a process with pipes."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GTP = [sys.executable, "-m", "gocnn", "gtp"]


def converse(text: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*GTP, *options], input=text, capture_output=True, text=True, cwd=ROOT, timeout=120)


def test_a_session_without_a_network() -> None:
    done = converse("1 name\r\n2 play b d4\n3 showboard\n4 quit")
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.startswith("=1 gocnn\n\n=2\n\n=3 \n   A B C D")
    assert done.stdout.endswith("\n\n=4\n\n")


def test_administrative_answers_do_not_wait_for_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *GTP[1:]],
        input="name\nversion\nlist_commands\ngogui-analyze_commands\nplay b d4\nundo\nkomi 6.5\n",
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    imported = {line.split("|")[-1].strip() for line in done.stderr.splitlines()}
    assert "click" in imported and "torch" not in imported


def test_a_session_with_the_network_that_ships_is_as_quiet() -> None:
    """The command that follows each analysis ends it."""
    lines = (
        "boardsize 9", "genmove b", "lz-analyze w 5", "", "lz-genmove_analyze w 5", "kata-analyze b 5 ownership true",
        "final_score", "",
    )  # fmt: skip
    done = converse("\n".join(lines), "--threads", "1")
    assert done.returncode == 0
    assert done.stderr == ""
    answers = done.stdout.split("\n\n")
    assert len(answers) == 7 and all(answer.startswith("=") for answer in answers[:-1])
    assert "play " in answers[3]


def test_a_missing_network_is_an_answer(tmp_path: Path) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"not a network")
    done = converse("genmove b\nshowboard\n", "--model", str(broken))
    first, board = done.stdout.split("\n\n")[:2]
    assert first.startswith("? ") and "broken.safetensors" in first
    assert board.startswith("=") and "X" not in board
    assert "Traceback" not in done.stderr


def test_log_file_and_verbose(tmp_path: Path) -> None:
    log = tmp_path / "gtp.log"
    done = converse("1 name\n2 foo\n", "--log", str(log), "--verbose")
    assert done.stdout == "=1 gocnn\n\n?2 unknown command\n\n"
    for text in (log.read_text(), done.stderr):
        assert "2 foo" in text and "unknown command" in text


def test_a_log_file_that_cannot_be_written(tmp_path: Path) -> None:
    done = converse("name\n", "--log", str(tmp_path / "no" / "gtp.log"))
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ") and "gtp.log" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_reader_goes_away() -> None:
    process = subprocess.Popen(GTP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    assert process.stdin and process.stdout and process.stderr
    process.stdout.close()
    process.stdin.write(b"name\n" * 5)
    process.stdin.close()
    assert process.wait(timeout=60) == 0
    errors = process.stderr.read()
    process.stderr.close()
    assert b"Traceback" not in errors, os.fsdecode(errors)


@pytest.mark.skipif(not hasattr(select, "poll"), reason="the system does not tell")
def test_a_move_is_given_up_when_nobody_can_read_it_any_more() -> None:
    limit = ["--visits", "1000000"]  # hours
    process = subprocess.Popen([*GTP, *limit], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdin and process.stdout
    process.stdin.write(b"boardsize 9\nname\n")
    process.stdin.flush()
    assert [process.stdout.readline() for _ in range(4)] == [b"=\n", b"\n", b"= gocnn\n", b"\n"]
    process.stdin.write(b"genmove b\n")
    process.stdin.close()  # which alone ends nothing: a file may be all that is played
    process.stdout.close()
    assert process.wait(timeout=120) == 0
