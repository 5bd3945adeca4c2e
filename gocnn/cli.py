"""The `gocnn` command: a table of sub-commands, each imported only when it is called.

Engines are started by GUIs that wait for the first answer, and `--help` should be instant, so of other packages this
module imports click alone. Sub-commands are named here as strings, since many live in `sgf_data`, `engine` and `train`,
which `gocnn` itself does not import.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import os
import signal
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from gocnn import __version__

#: name -> ("module:attribute" of a click command, the line that `gocnn --help` shows)
COMMANDS: dict[str, tuple[str, str]] = {
    "play": ("engine.commands:play", "Play against the network in the terminal."),
    "gtp": ("engine.commands:gtp", "Speak GTP on stdin and stdout, for Sabaki, GoGui and others."),
    "match": ("engine.match_command:match", "Referee a match between two GTP engines."),
    "analyze": ("engine.analyze_command:analyze", "Evaluate every move of a game record, and list the mistakes."),
    "analysis": ("engine.query_command:analysis", "Answer KataGo's analysis queries in JSON, for KaTrain and others."),
    "selfplay": ("engine.selfplay_command:selfplay", "Let a network play with itself, to learn from who wins."),
    "data": ("sgf_data.commands:data", "Build and inspect game stores from SGF collections."),
    "train": ("train:main", "Train a policy network on game stores."),
    "evaluate": ("sgf_data.evaluate_command:evaluate", "Test a network on the positions of a game store."),
    "average": ("gocnn.average_command:average", "Take the mean of networks that were trained on from the same one."),
    "images": ("gocnn.images.commands:images", "Classify digits, clothes and photographs; train and test on them."),
    "dehaze": ("gocnn.images.dehaze.command:dehaze", "Take the haze off photographs."),
    "read": ("gocnn.images.text.command:read", "Find the words in photographs and read them."),
    "dream": ("gocnn.images.dream_command:dream", "Deep Dream: the network exaggerates what it sees in a photograph."),
    "style": ("gocnn.images.style_command:style", "Deep Style: paint a photograph as another picture is painted."),
    "demo": ("gocnn.demos.commands:demo", "Make the lecture's pictures, and a gallery of them."),
}


class LazyGroup(click.Group):
    """A click group that knows its commands by name and imports one only when it is used."""

    def __init__(self, *args: Any, table: dict[str, tuple[str, str]] | None = None, **kwargs: Any) -> None:
        """Take what click.Group takes, and `table`: name -> ("module:attribute", short help)."""
        super().__init__(*args, **kwargs)
        self.table = table or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the table's order, which is the order a newcomer meets them in."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command of this name, or the only one that begins so; None if there is none."""
        names = [cmd_name] if cmd_name in self.table else [name for name in self.table if name.startswith(cmd_name)]
        if len(names) != 1:
            return None
        module, attribute = self.table[names[0]][0].split(":")
        command: click.Command = getattr(_imported(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a reader of its output that has gone (``| head``) ends it without a word, as click does."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            if isinstance(error.__cause__, BrokenPipeError):
                raise error.__cause__ from None
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table; click's own would import all of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.table.items()])


def _imported(name: str) -> ModuleType:
    """A module of the project's; `train` by its place, since a project of the user's may have one of that name, too."""
    place = Path(__file__).parents[1] / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, place) if place.exists() else None
    if name in sys.modules or spec is None or spec.loader is None:
        return importlib.import_module(name)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EPILOG = """\b
Examples:
  gocnn play --size 9
  gocnn data build my-games.zip -o games.arrow
  gocnn train --data games.arrow --preset b6c64 --minutes 20 -o runs/mine
  gocnn COMMAND --help

As much of a command's name as tells it from the others will do: gocnn eval.
"""


@click.command(
    cls=LazyGroup,
    table=COMMANDS,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="gocnn")
def main() -> None:
    """Go with a convolutional network: play it, train it on your own games, look inside it."""


def run() -> None:
    """The program `gocnn`: `main`, which SIGTERM ends as Ctrl-C does, so that neither loses what is done.

    So does SIGHUP, when a terminal is closed or a connection breaks, unless it is ignored, as under nohup.

    Characters that the output has no code for (Windows, in a pipe) are written as question marks, and who leaves does
    not wait for a network that is still being loaded.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        main(prog_name="gocnn")
    except SystemExit as ended:
        if all(thread is threading.main_thread() or thread.daemon for thread in threading.enumerate()):
            raise
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(ended.code if isinstance(ended.code, int) else int(ended.code is not None))
