"""The command `gocnn match`. What is heavy is imported inside, so that `--help` comes at once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from engine.player_options import KO_RULES
from gocnn.options import FiniteRange
from sgf_data.values import MOST_KOMI


@click.command(
    epilog="""\b
Examples:
  gocnn match --black "gocnn gtp" --white "gnugo --mode gtp --level 1 --chinese-rules --positional-superko" --games 20
  gocnn match --black "gocnn gtp" --white "gocnn gtp --model old.safetensors" \\
      --games 100 --opening-moves 4 --jobs 2 -o matches/new-old \\
      --arbiter "gnugo --mode gtp --chinese-rules --positional-superko"
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
@click.option("--komi", type=FiniteRange(-MOST_KOMI, MOST_KOMI), default=7.5, show_default=True)
@click.option(
    "--ko",
    type=click.Choice(KO_RULES),
    default="positional",
    show_default=True,
    help="The rule against repetition that the referee enforces; engines must know it by options of their own.",
)
@click.option(
    "--max-moves",
    type=click.IntRange(min=1),
    metavar="N",
    help="Stop a game and count it after N moves (default: three times the points of the board).",
)
@click.option(
    "--timeout",
    type=FiniteRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="An engine that takes longer for one answer has stalled; for the first move of a process, which may have much "
    "to load and to compile, it has five times as long.",
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
    from engine.referee import Terms
    from engine.scoreboard import play_with_progress, print_summary

    terms = Terms(size, komi, ko, max_moves or 3 * size * size, timeout)
    directory = output or Path("matches") / time.strftime("%Y%m%d-%H%M%S")
    try:
        held = Match(Plan(black, white, terms, **plan_options), directory)
    except (MatchError, OSError) as error:
        raise click.ClickException(str(error)) from None
    interrupted = False
    try:
        play_with_progress(held, games, jobs, Console(stderr=True))
    except (EngineFailure, FailedCommand) as error:
        raise click.ClickException(f"an engine does not answer: {error}") from None
    except (MatchError, OSError) as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        interrupted = True
        held = Match(held.plan, directory)  # what is on disk, wherever the signal struck
    print_summary(held, Console())
    if interrupted:
        raise click.exceptions.Exit(130)
