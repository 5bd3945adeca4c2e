"""The commands `gocnn gtp` and `gocnn play`.

Everything heavy is imported inside the functions, so that `--help` and the engine's first answer
come at once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import logging
import sys
from pathlib import Path
from typing import Any

import click

from engine.player_options import KO_RULES, make_player, player_options
from gocnn.options import FiniteRange
from sgf_data.values import MOST_KOMI

#: Lizzie takes `version` for Leela Zero's, reads it as two numbers, and complains of those before 0.15, which have no
#: analysis. So the first word is the version of Leela Zero whose analysis commands are understood; ours follows.
LEELA_ZERO_LEVEL = "0.17"


@click.command(
    epilog="""\b
Examples:
  gocnn gtp
  gocnn gtp --model runs/mine/network.safetensors --random-moves 8
  gogui -program "gocnn gtp"
  printf 'boardsize 9\\ngenmove b\\nshowboard\\n' | gocnn gtp
"""
)
@player_options
@click.option("--ponder", is_flag=True, help="Search on while the opponent thinks.")
@click.option(
    "--rules",
    metavar="NAME",
    help="The rules until the client names others: tromp-taylor, chinese, japanese, aga and so on (default: area "
    "scoring, dead stones by agreement).",
)
@click.option(
    "--ko",
    type=click.Choice(KO_RULES),
    help="The rule against repetition (default: that of the rules, else positional).",
)
@click.option("--verbose", is_flag=True, help="Write commands, answers and errors to stderr.")
@click.option(
    "--log",
    "log_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write them to a file.",
)
def gtp(rules: str | None, ko: str | None, verbose: bool, log_file: Path | None, **options: Any) -> None:
    """Speak the Go Text Protocol on stdin and stdout.

    This is the line to enter as an engine in Sabaki, GoGui, Lizzie and other clients. The network
    is loaded when a game begins, not before, so that the client has its first answers at once.
    """
    from engine.handlers import gtp_engine
    from engine.protocol import run_on_standard_streams
    from engine.rules import STANDARD, read_rules
    from engine.session import Session
    from gocnn import __version__

    _log_to(verbose, log_file)
    player, policy = make_player(**options)
    try:
        named = read_rules(rules) if rules else STANDARD
    except ValueError:
        raise click.UsageError(f"--rules: there are no rules named {rules!r}") from None
    named = dataclasses.replace(named, ko=ko or named.ko)
    session = Session(
        player,
        policy.network,
        rules=named,
        prepare=lambda: policy.start_loading(then=player.warm_up_for_analysis),
        is_preparing=lambda: policy.is_preparing,
    )
    engine = gtp_engine(session, f"{LEELA_ZERO_LEVEL} (gocnn {__version__})")
    run_on_standard_streams(engine.run)


@click.command(
    epilog="""\b
Examples:
  gocnn play
  gocnn play --size 9 --colour white
  gocnn play --handicap 6 --temperature 0.5
  printf 'd4 q16 hint\\nsave game.sgf\\n' | gocnn play
"""
)
@player_options
@click.option(
    "--colour",
    "--color",
    type=click.Choice(["black", "white"], case_sensitive=False),
    default="black",
    show_default=True,
    help="Your colour.",
)
@click.option("--size", type=click.IntRange(2, 25), default=19, show_default=True)
@click.option("--komi", type=FiniteRange(-MOST_KOMI, MOST_KOMI), help="Default: 7.5, or 0.5 with handicap.")
@click.option("--handicap", type=click.IntRange(min=0), default=0, metavar="N", help="Black's stones, 2 to 9.")
def play(colour: str, size: int, komi: float | None, handicap: int, **options: Any) -> None:
    """Play against the network in the terminal.

    Type a point such as D4, or pass, undo, hint, score, save FILE, resign, board, help, quit.
    When stdin is not a terminal the same words are read from it, one or more on a line.
    """
    from rich.console import Console

    from engine.game import Game, usual_komi
    from engine.policy import PolicyError
    from engine.terminal import Terminal, piped_words, typed_words
    from gocnn.go import BLACK, WHITE
    from gocnn.go.handicap import fixed_handicap

    if komi is None:
        komi = usual_komi(handicap)
    game = Game(size, komi)
    if handicap:
        try:
            game.place_handicap(fixed_handicap(size, handicap))
        except ValueError as error:
            raise click.UsageError(f"--handicap: {error}") from None
    player, policy = make_player(**options)
    policy.start_loading()
    human = BLACK if colour.lower() == "black" else WHITE
    terminal = Terminal(game, player, human, Console())
    if sys.stdin.isatty():
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401 - gives the prompt its line editing
        click.echo("You against the network. Type a point such as D4, or help.")
        words = typed_words(terminal)
    else:
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="backslashreplace")  # a stray byte is no word that is known
        words = piped_words(terminal, sys.stdin)
    try:
        terminal.run(words)
    except PolicyError as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        for last in (terminal.keep, click.echo):  # where a connection broke there is nobody to tell
            with contextlib.suppress(OSError):
                last()
        sys.exit(130)


def _log_to(verbose: bool, log_file: Path | None) -> None:
    """Send the protocol's log to stderr, to a file, to both or nowhere."""
    handlers: list[logging.Handler] = [logging.StreamHandler()] if verbose else []
    if log_file is not None:
        try:
            handlers.append(logging.FileHandler(log_file, encoding="utf-8", errors="backslashreplace"))
        except OSError as error:
            raise click.ClickException(f"{log_file}: {error.strerror}") from None
    logger = logging.getLogger("engine")
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
