"""The commands `gocnn gtp`, `gocnn play` and `gocnn match`.

Everything heavy is imported inside the functions, so that `--help` and the engine's first answer
come at once.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from engine.player import PolicyPlayer
    from engine.policy import LazyPolicy

Function = TypeVar("Function", bound=Callable[..., Any])

KO_RULES = ("simple", "positional", "situational")


def player_options(command: Function) -> Function:
    """The options of every command that has the network play."""
    options: tuple[Callable[[Function], Function], ...] = (
        click.option(
            "--model",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Checkpoint to play with (default: the network that comes with gocnn).",
        ),
        click.option(
            "--temperature",
            type=click.FloatRange(min=0),
            default=0.0,
            show_default=True,
            help="0 plays the most probable move, 1 draws moves by their probability.",
        ),
        click.option(
            "--random-moves",
            type=click.IntRange(min=0),
            default=0,
            show_default=True,
            metavar="N",
            help="Draw the first N moves of a game by their probability, whatever the temperature.",
        ),
        click.option("--seed", type=int, help="Make the draws repeatable."),
        click.option(
            "--resign-behind",
            type=click.FloatRange(min=0),
            metavar="POINTS",
            help="Resign when behind by this much even at the best count (default: never).",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def make_player(
    model: Path | None,
    temperature: float,
    random_moves: int,
    seed: int | None,
    resign_behind: float | None,
) -> tuple[PolicyPlayer, LazyPolicy]:
    """A player and its policy, which isn't loaded yet."""
    from engine.player import PolicyPlayer, Style
    from engine.policy import LazyPolicy, load_network

    policy = LazyPolicy(lambda: load_network(model))
    style = Style(
        temperature=temperature,
        random_moves=random_moves,
        resign_behind=resign_behind,
        seed=seed,
    )
    return PolicyPlayer(policy, style), policy


@click.command(
    epilog="""\b
Examples:
  gocnn gtp
  gocnn gtp --model runs/big/last.safetensors --random-moves 8
  gogui -program "gocnn gtp"
  printf 'boardsize 9\\ngenmove b\\nshowboard\\n' | gocnn gtp
"""
)
@player_options
@click.option(
    "--ko",
    type=click.Choice(KO_RULES),
    default="positional",
    show_default=True,
    help="The rule against repetition.",
)
@click.option("--verbose", is_flag=True, help="Write commands, answers and errors to stderr.")
@click.option(
    "--log",
    "log_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write them to a file.",
)
def gtp(ko: str, verbose: bool, log_file: Path | None, **options: Any) -> None:
    """Speak the Go Text Protocol on stdin and stdout.

    This is the line to enter as an engine in Sabaki, GoGui, Lizzie and other clients. The network
    is loaded when a game begins, not before, so that the client has its first answers at once.
    """
    from engine.protocol import GtpEngine, reserved_stdout
    from engine.session import Session
    from gocnn import __version__

    _log_to(verbose, log_file)
    player, policy = make_player(**options)
    session = Session(player, ko=ko, on_new_game=policy.start_loading)
    engine = GtpEngine(session, name="gocnn", version=__version__, vertex=session.vertex)
    stdin = click.get_binary_stream("stdin")
    with reserved_stdout() as stdout, contextlib.suppress(KeyboardInterrupt):
        engine.run(stdin, stdout)


def _log_to(verbose: bool, log_file: Path | None) -> None:
    """Send the protocol's log to stderr, to a file, to both or nowhere."""
    handlers: list[logging.Handler] = [logging.StreamHandler()] if verbose else []
    if log_file is not None:
        try:
            handlers.append(logging.FileHandler(log_file, encoding="utf-8"))
        except OSError as error:
            raise click.ClickException(f"{log_file}: {error.strerror}") from None
    logger = logging.getLogger("engine")
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
