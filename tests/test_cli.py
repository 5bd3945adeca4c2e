"""The `gocnn` command: its help is instant, complete, and shows examples."""

from __future__ import annotations

import errno
import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gocnn import __version__, cli
from gocnn.cli import COMMANDS, main

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "numba", "pyarrow", "matplotlib", "rich")


def walk(command: click.Command, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The paths of a command and of all that are below it, such as ("data", "build")."""
    paths = [path]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            paths += walk(below, (*path, name))
    return paths


def modules_after(arguments: list[str]) -> list[str]:
    """Run `gocnn ARGUMENTS` in a fresh interpreter; which heavy modules did that import?"""
    code = (
        "import json, sys\n"
        "from gocnn.cli import main\n"
        "main(sys.argv[1:], prog_name='gocnn', standalone_mode=False)\n"
        f"print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    loaded: list[str] = json.loads(done.stdout.splitlines()[-1])
    return loaded


def test_help_lists_every_command() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name, (_, line) in COMMANDS.items():
        assert f"  {name} " in result.output
        assert line in result.output


def test_a_command_may_be_shortened_while_no_other_begins_so() -> None:
    whole = CliRunner().invoke(main, ["evaluate", "--help"])
    short = CliRunner().invoke(main, ["eval", "--help"])
    assert whole.exit_code == short.exit_code == 0
    assert short.output == whole.output.replace("main evaluate", "main eval")
    two = CliRunner().invoke(main, ["anal", "--help"])
    assert two.exit_code == 2 and "No such command 'anal'" in two.output, "analyze and analysis both begin so"


def test_somebody_elses_train_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("print('not gocnn')")
    command = [sys.executable, "-m", "gocnn", "train", "--help"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "Train a network to predict" in done.stdout and "not gocnn" not in done.stdout


def run_with(work: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the program in a process of its own, with something else in the place of its commands."""
    program = f"import threading, time, gocnn.cli as c\nc.main = lambda **how: {work}\nc.run()"
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env={**os.environ, **environment}, cwd=ROOT, capture_output=True, timeout=40)


def test_output_without_a_code_for_a_character_is_no_error() -> None:
    done = run_with("(print('D4 \\u2192 Q16'), exit(3))", PYTHONIOENCODING="cp1252")
    assert done.returncode == 3 and done.stdout.strip() == b"D4 ? Q16" and not done.stderr


@pytest.mark.parametrize("status", [0, 3])
def test_who_leaves_does_not_wait_for_what_is_done_in_the_background(status: int) -> None:
    done = run_with(f"(threading.Thread(target=time.sleep, args=(60,)).start(), print('done'), exit({status}))")
    assert done.returncode == status and done.stdout.strip() == b"done" and not done.stderr


def test_help_imports_no_command() -> None:
    assert modules_after(["--help"]) == []


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_commands_imports_no_torch(name: str) -> None:
    assert "torch" not in modules_after([name, "--help"])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    module, attribute = COMMANDS[name][0].split(":")
    for path in walk(getattr(importlib.import_module(module), attribute), (name,)):
        result = CliRunner().invoke(main, [*path, "--help"])
        assert result.exit_code == 0, path
        assert "Example" in result.output, path
        assert "gocnn" in result.output, path


def test_version() -> None:
    result = CliRunner().invoke(main, ["--version"])
    assert result.exit_code == 0
    assert __version__ in result.output


def test_somebodys_own_train_py_is_not_taken_for_ours(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("raise SystemExit('not ours')")
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "__init__.py").write_text("raise SystemExit('not ours')")
    for command in ("train", "gtp"):
        called = [sys.executable, "-m", "gocnn", command, "--help"]
        done = subprocess.run(called, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0 and "Usage: gocnn" in done.stdout


def test_unknown_command_is_one_clear_error() -> None:
    result = CliRunner().invoke(main, ["no-such-thing"])
    assert result.exit_code == 2
    assert "no-such-thing" in result.output
    assert "Traceback" not in result.output


@pytest.fixture
def signals() -> Iterator[None]:
    """What a test does to signals is undone."""
    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for name, handler in before.items():
        signal.signal(name, handler)


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGHUP])
def test_what_ends_a_program_is_as_gentle_as_ctrl_c(
    name: signal.Signals, signals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(prog_name: str) -> None:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), name)
        worked.append(prog_name)

    worked: list[str] = []
    monkeypatch.setattr(cli, "main", work)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    cli.run()
    assert worked == ["gocnn"]


def test_nohup_holds(signals: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "main", lambda prog_name: os.kill(os.getpid(), signal.SIGHUP))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    cli.run()


@pytest.mark.parametrize("cause", [BrokenPipeError(errno.EPIPE, "Broken pipe"), OSError(errno.ENOSPC, "No space left")])
def test_a_reader_that_has_gone_is_no_error_to_speak_of(cause: OSError) -> None:
    @click.command()
    def fails() -> None:
        raise click.ClickException(str(cause)) from cause

    group = cli.LazyGroup("group")
    group.get_command = lambda ctx, name: fails  # type: ignore[method-assign]
    result = CliRunner().invoke(group, ["fails"])
    assert result.exit_code == 1
    assert result.output == ("" if isinstance(cause, BrokenPipeError) else f"Error: {cause}\n")
