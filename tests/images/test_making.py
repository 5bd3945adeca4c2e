"""What the commands that make pictures say, and where."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from gocnn.images import making


def test_with_a_bar_on_the_screen_lines_go_above_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = io.StringIO()
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with Progress(console=Console(file=screen, force_terminal=True, width=60)) as progress:
        progress.add_task("reading", total=2)
        making.say(progress, "[sign].jpg: STOP")
    lines = screen.getvalue().split("\n")
    assert any(line.endswith("[sign].jpg: STOP") for line in lines), "on a line of its own, and no markup"
    assert capsys.readouterr().out == ""


def test_elsewhere_they_go_where_they_belong(capsys: pytest.CaptureFixture[str]) -> None:
    with making.bar() as progress:
        making.say(progress, "caf\udce9.jpg: STOP")
        making.say(progress, "nothing", err=True)
    assert capsys.readouterr() == ("caf�.jpg: STOP\n", "nothing\n")
