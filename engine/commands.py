"""The commands `gocnn gtp`, `gocnn play` and `gocnn match`.

Everything heavy is imported inside the functions, so that `--help` and the engine's first answer
come at once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from engine.player import PolicyPlayer, Style
    from engine.policy import LazyPolicy, Policy
    from engine.search_player import SearchPlayer

Function = TypeVar("Function", bound=Callable[..., Any])

KO_RULES = ("simple", "positional", "situational")

#: Lizzie takes `version` for Leela Zero's, reads it as two numbers, and complains of those before 0.15, which have no
#: analysis. So the first word is the version of Leela Zero whose analysis commands are understood; ours follows.
LEELA_ZERO_LEVEL = "0.17"


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
        click.option(
            "--level",
            metavar="LEVEL",
            help="Play as a person would, from 20k (weakest) to 1k and 1d to 9d; --temperature and --random-moves "
            "then count for nothing (default: play as well as the other options allow).",
        ),
        click.option(
            "--profile",
            metavar="WHO",
            help="Play as these people do, such as 2d, pro, 1930 or 'pro 1930': with a network that was trained with "
            "--profiles.",
        ),
        click.option(
            "--visits",
            type=click.IntRange(min=1),
            metavar="N",
            help="Search each move with N visits, those kept from the last move counted (default: 1, no search).",
        ),
        click.option("--playouts", type=click.IntRange(min=1), metavar="N", help="Search with N new playouts a move."),
        click.option(
            "--seconds",
            "--time",
            type=click.FloatRange(min=0, min_open=True),
            metavar="S",
            help="Search S seconds a move. Of several limits the first one counts.",
        ),
        click.option("--ponder", is_flag=True, help="Search on while the opponent thinks."),
        click.option(
            "--resign",
            type=click.FloatRange(0, 1),
            default=0.04,
            show_default=True,
            metavar="RATE",
            help="With a search: resign when the win rate is below this three moves in a row; 0 is never.",
        ),
        click.option("--threads", type=click.IntRange(min=1), metavar="N", help="CPU threads (default: all cores)."),
        click.option("--batch", type=click.IntRange(min=1), metavar="N", help="Positions that are evaluated together."),
        click.option(
            "--root-symmetries",
            type=click.IntRange(1, 8),
            default=8,
            show_default=True,
            metavar="N",
            help="Turns of the board over which the answer to the position itself is averaged, searched or not.",
        ),
        click.option(
            "--noise",
            type=click.FloatRange(0, 1),
            default=0.0,
            show_default=True,
            help="Share of random numbers in the first move's probabilities, so that searches differ.",
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
    level: str | None,
    profile: str | None,
    **search: Any,
) -> tuple[PolicyPlayer, LazyPolicy]:
    """A player and its policy, which isn't loaded yet. Raises UsageError for a level or a profile that there isn't.

    `search` are the options of a search.
    """
    from engine.player import PolicyPlayer, Style
    from engine.policy import LazyPolicy, load_ready_network
    from gocnn.profile import UNKNOWN, Profile

    try:
        plays_as = Profile.read(profile) if profile else UNKNOWN
    except ValueError as error:
        raise click.UsageError(f"--profile: {error}") from None

    def load() -> Policy:
        network = load_ready_network(model, plays_as)
        player.warm_up(network)
        return network

    policy = LazyPolicy(load)
    style = Style(
        temperature=temperature,
        random_moves=random_moves,
        resign_behind=resign_behind,
        seed=seed,
        symmetries=search["root_symmetries"],
    )
    if level is not None:
        from engine.levels import level_player

        try:
            player = level_player(level, policy, style)
        except ValueError as error:
            raise click.UsageError(f"--level: {error}") from None
    else:
        player = _searching_player(policy, style, **search) or PolicyPlayer(policy, style)
    return player, policy


def _searching_player(
    policy: LazyPolicy,
    style: Style,
    visits: int | None,
    playouts: int | None,
    seconds: float | None,
    ponder: bool,
    resign: float,
    threads: int | None,
    batch: int | None,
    root_symmetries: int,
    noise: float,
) -> SearchPlayer | None:
    """A player that searches, if the options limit a search to more than one visit."""
    if playouts is None and seconds is None and (visits is None or visits == 1):
        return None
    from engine.search import Limits, SearchConfig
    from engine.search_player import Resignation, SearchPlayer

    config = SearchConfig(root_symmetries=root_symmetries, noise=noise, threads=threads, seed=style.seed or 0)
    return SearchPlayer(
        policy,
        style,
        limits=Limits(visits, playouts, seconds),
        config=replace(config, batch=batch or config.batch),
        resignation=Resignation(winrate=resign) if resign > 0 else None,
        ponders=ponder,
    )


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
    from engine.protocol import reserved_stdout
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
        player, policy.network, rules=named, on_new_game=policy.start_loading, is_loading=lambda: policy.is_loading
    )
    engine = gtp_engine(session, f"{LEELA_ZERO_LEVEL} (gocnn {__version__})")
    stdin = open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)  # noqa: SIM115 - not ours to close
    with reserved_stdout() as stdout, contextlib.suppress(KeyboardInterrupt):
        engine.run(stdin, stdout)
    # Clients allow an engine few seconds to end; on a busy machine, torch and LLVM take longer to leave in order.
    logging.shutdown()
    os._exit(0)


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
@click.option("--komi", type=float, help="Default: 7.5, or 0.5 with handicap.")
@click.option("--handicap", type=click.IntRange(min=0), default=0, metavar="N", help="Black's stones, 2 to 9.")
def play(colour: str, size: int, komi: float | None, handicap: int, **options: Any) -> None:
    """Play against the network in the terminal.

    Type a point such as D4, or pass, undo, hint, score, save FILE, resign, board, help, quit.
    When stdin is not a terminal the same words are read from it, one or more on a line.
    """
    from rich.console import Console

    from engine.game import DEFAULT_KOMI, Game
    from engine.policy import PolicyError
    from engine.terminal import Terminal, piped_words, typed_words
    from gocnn.go import BLACK, WHITE
    from gocnn.go.handicap import fixed_handicap

    if komi is None:
        komi = 0.5 if handicap else DEFAULT_KOMI
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
        words = piped_words(terminal, sys.stdin)
    try:
        terminal.run(words)
    except PolicyError as error:
        raise click.ClickException(str(error)) from None


@click.command(
    epilog="""\b
Examples:
  gocnn match --black "gocnn gtp" --white "gnugo --mode gtp --level 1 --chinese-rules" --games 20
  gocnn match --black "gocnn gtp" --white "gocnn gtp --model old.safetensors" \\
      --games 100 --opening-moves 4 --jobs 2 -o matches/new-old \\
      --arbiter "gnugo --mode gtp --chinese-rules"
"""
)
@click.option("--black", required=True, metavar="CMD", help="Engine A: Black in the first game.")
@click.option("--white", required=True, metavar="CMD", help="Engine B: White in the first game.")
@click.option("--games", type=click.IntRange(min=1), default=10, show_default=True, metavar="N")
@click.option(
    "--swap/--no-swap",
    default=True,
    show_default=True,
    help="Change colours after every game; without it A is always Black.",
)
@click.option("--size", type=click.IntRange(2, 25), default=19, show_default=True)
@click.option("--komi", type=float, default=7.5, show_default=True)
@click.option(
    "--ko",
    type=click.Choice(KO_RULES),
    default="positional",
    show_default=True,
    help="The rule against repetition that the referee enforces.",
)
@click.option(
    "--max-moves",
    type=click.IntRange(min=1),
    metavar="N",
    help="Stop a game and count it after N moves (default: three times the points of the board).",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="An engine that takes longer for one answer has stalled.",
)
@click.option(
    "--opening-moves",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="Begin every pair of games with N random moves of its own.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="For the random openings.")
@click.option("--arbiter", metavar="CMD", help="Engine to ask for the score when the players disagree.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Games played at the same time.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where results and games go (default: a new directory below matches).",
)
def match(
    black: str,
    white: str,
    games: int,
    max_moves: int | None,
    timeout: float,
    jobs: int,
    output: Path | None,
    size: int,
    komi: float,
    ko: str,
    **plan_options: Any,
) -> None:
    """Referee a match between two GTP engines.

    Engine A is the one given by --black, B the other; they change colours after every game. An
    engine that crashes, stalls or plays an illegal move loses that game, and the match goes on.

    Where the two don't agree on the score, the arbiter decides; without one the referee counts the
    stones as they stand, dead ones too (Tromp-Taylor), and the report says so.

    DIR keeps everything that is finished: Ctrl-C ends the match, and the same command with the same
    DIR takes it up again, or adds games if --games is larger.
    """
    from rich.console import Console

    from engine.client import EngineFailure, FailedCommand
    from engine.match import Match, MatchError, Plan
    from engine.referee import Rules
    from engine.scoreboard import play_with_progress, print_summary

    rules = Rules(size, komi, ko, max_moves or 3 * size * size, timeout)
    directory = output or Path("matches") / time.strftime("%Y%m%d-%H%M%S")
    try:
        held = Match(Plan(black, white, rules, **plan_options), directory)
    except MatchError as error:
        raise click.ClickException(str(error)) from None
    interrupted = False
    try:
        play_with_progress(held, games, jobs, Console(stderr=True))
    except (EngineFailure, FailedCommand) as error:
        raise click.ClickException(f"an engine does not answer: {error}") from None
    except OSError as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        interrupted = True
        held = Match(held.plan, directory)  # what is on disk, wherever the signal struck
    print_summary(held, Console())
    if interrupted:
        raise click.exceptions.Exit(130)


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
