"""The GTP client: against a stub that behaves or doesn't, and against GNU Go."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator

import pytest
from gtp import GoTextBase

from engine.client import (
    EngineCrashed,
    EngineFailure,
    EngineStalled,
    FailedCommand,
    GtpClient,
)
from tests.engine.support import stub


@pytest.fixture
def client() -> Iterator[GtpClient]:
    with GtpClient(stub("--moves", "D4,Q16")) as connected:
        yield connected


def test_it_is_a_client_of_the_gtp_package(client: GtpClient) -> None:
    assert isinstance(client, GoTextBase)
    assert client.boardsize(9) == ""
    assert client.clear_board() == ""
    assert client.genmove("b") == "D4"
    assert client.play("w", "C3") == ""


def test_answers_of_several_lines_keep_their_shape(client: GtpClient) -> None:
    assert client.send("echo one") == "one"
    assert client.send(r"echo \n  A B\n 2 . .") == "  A B\n 2 . ."
    assert client.send("anything") == ""


def test_a_refusal_is_an_exception_and_the_engine_goes_on() -> None:
    with GtpClient(stub("--on", "play", "--then", "refuse")) as client:
        with pytest.raises(FailedCommand, match=r"^illegal move$"):
            client.send("play b D4")
        assert client.send("name") == ""


def test_a_crash_is_reported_with_status_and_last_words() -> None:
    with GtpClient(stub("--then", "crash")) as client:
        with pytest.raises(EngineCrashed, match=r"status 3.*genmove b.*no more memory"):
            client.send("genmove b")
        with pytest.raises(EngineCrashed):
            client.send("name")


def test_a_stall_is_found_in_time_and_ends_the_engine() -> None:
    begin = time.monotonic()
    with GtpClient(stub("--then", "stall"), timeout=30) as client:
        assert client.send("name") == ""
        with pytest.raises(EngineStalled, match=r"0\.3 s"):
            client.send("genmove b", timeout=0.3)
        with pytest.raises(EngineFailure):
            client.send("name")
    assert time.monotonic() - begin < 10


def test_a_flood_is_a_stall() -> None:
    with (
        GtpClient(stub("--then", "flood"), timeout=0.5) as client,
        pytest.raises(EngineStalled),
    ):
        client.send("genmove b")


def test_what_is_not_gtp_is_a_failure() -> None:
    with (
        GtpClient(stub("--then", "garbage")) as client,
        pytest.raises(EngineFailure, match=r"not GTP.*hello there"),
    ):
        client.send("genmove b")


@pytest.mark.parametrize("command", ["no-such-program-anywhere", "", "'unbalanced"])
def test_what_cannot_be_started(command: str) -> None:
    with pytest.raises(EngineCrashed, match="cannot start"):
        GtpClient(command)


def test_a_program_that_ends_at_once() -> None:
    with GtpClient(f"{sys.executable} -c pass") as client, pytest.raises(EngineCrashed):
        client.send("name")


def test_much_on_stderr_does_not_block() -> None:
    program = (
        "import sys\n"
        "for line in sys.stdin:\n"
        "    print('chatter ' * 50000, file=sys.stderr)\n"
        "    print('= fine\\n', flush=True)\n"
    )
    with GtpClient(f'{sys.executable} -c "{program}"', timeout=20) as client:
        for _ in range(5):
            assert client.send("name") == "fine"


def test_empty_lines_before_an_answer_are_skipped() -> None:
    program = "import sys; sys.stdin.readline(); print('\\n\\n=7 late\\r\\n\\r\\n', flush=True)"
    with GtpClient(f'{sys.executable} -c "{program}"') as client:
        assert client.send("name") == "late"


def test_close_and_kill_may_be_repeated(client: GtpClient) -> None:
    client.close()
    client.close()
    client.kill()
    with pytest.raises(EngineCrashed):
        client.send("name")


@pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX")
def test_kill_takes_the_engines_children_too() -> None:
    # The shell stands for a wrapper script around the engine.
    with GtpClient("sh -c 'sleep 600 & echo \"= $!\"; echo; wait'") as client:
        child = int(client.send("name"))
        os.kill(child, 0)
        client.kill()
        deadline = time.monotonic() + 10
        while _alive(child) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not _alive(child)


@pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX")
def test_kill_takes_the_children_of_an_engine_that_has_ended() -> None:
    with GtpClient("sh -c 'sleep 600 >/dev/null & read name; echo \"= $!\"; echo; read name; exit 3'") as client:
        child = int(client.send("name"))
        with pytest.raises(EngineCrashed, match="status 3"):
            client.send("name")
        deadline = time.monotonic() + 10
        while _alive(child) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not _alive(child)


def test_an_answer_may_be_waited_for_as_long_as_one_likes(client: GtpClient) -> None:
    assert client.send("name", timeout=1e12) == ""


def _alive(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as stat:
            return stat.read().split()[2] != "Z"
    except OSError:
        return False


@pytest.mark.gnugo
def test_gnu_go(gnugo: str) -> None:
    with GtpClient(gnugo) as client:
        assert client.send("name") == "GNU Go"
        client.boardsize(9)
        client.clear_board()
        assert client.play("b", "E5") == ""
        assert client.genmove("w") not in ("", "PASS", "resign")
        assert "BLACK (X) has captured 0 stones" in client.showboard()
        assert client.estimate_score()[0] in "BW"
        with pytest.raises(FailedCommand, match="illegal move"):
            client.play("w", "E5")
