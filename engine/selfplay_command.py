"""The `gocnn selfplay` command: games of a network with itself, as a store to learn from who wins."""

from __future__ import annotations

import os
import sys

import click

from gocnn.options import FiniteRange, NetworkFile
from sgf_data.values import MOST_KOMI

KEPT_EVERY = 60.0  # seconds from one writing of the games that have ended to the next


@click.command(
    epilog="""\b
Examples:
  gocnn selfplay --games 2000 -o selfplay.arrow
  gocnn data owners selfplay.arrow
  gocnn train --data pro.arrow --value --init runs/pro/network.safetensors \\
      --outcomes selfplay.arrow --owners selfplay.owners.arrow --minutes 60 -o runs/value
"""
)
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False), help="The game store to write, a new one."
)
@click.option("--games", default=1000, show_default=True, type=click.IntRange(1))
@click.option("--model", type=NetworkFile(), metavar="FILE", help="The network.  [default: b8c128, which ships]")
@click.option("--size", default=19, show_default=True, type=click.IntRange(2, 25), help="Side of the board.")
@click.option("--komi", default=7.5, show_default=True, type=FiniteRange(-MOST_KOMI, MOST_KOMI))
@click.option(
    "--opening", default=30, show_default=True, type=click.IntRange(0), help="First moves, drawn at temperature 1."
)
@click.option(
    "--warmest", default=1.0, show_default=True, type=FiniteRange(0),
    help="Each side of a game draws its later moves at a temperature between 0 and this.",
)  # fmt: skip
@click.option("--at-once", default=128, show_default=True, type=click.IntRange(1), help="Games side by side.")
@click.option("--seed", default=0, show_default=True, help="Other games with another number.")
@click.option("--device", default=None, help="cuda, cuda:1, mps or cpu; by default the best there is.")
def selfplay(
    output: str, games: int, model: str | None, size: int, komi: float, opening: int, warmest: float, at_once: int,
    seed: int, device: str | None,
) -> None:  # fmt: skip
    """Let a network play with itself to the very end, and keep the games.

    Professionals give up what is lost, so a network that knows only their games is often sure of the wrong side where
    something large is dead late in a game. From these it learns better, by how they end alone (gocnn train --outcomes).

    One to two seconds a game on one core. The games that have ended are kept every minute, and when Ctrl-C or an error
    ends the rest. Another command with another --seed and another store adds games: --outcomes takes several stores.
    """
    import time

    from rich.console import Console
    from rich.progress import track

    from engine.selfplay import SelfPlay, play
    from gocnn.atomic import AtomicFile, check_writable
    from gocnn.evaluator import Evaluator
    from sgf_data.record import GameRecord
    from sgf_data.store import store_writer, to_batch

    config = SelfPlay(games, at_once, size, komi, opening, warmest, seed=seed)
    console = Console(stderr=True)
    records: list[GameRecord] = []
    stopped, failed = False, ""

    def keep() -> None:
        with store_writer(output) as writer:
            writer.write(to_batch(records))

    try:
        once = AtomicFile(output).is_special  # what a pipe has been given cannot be replaced
        if not once and os.path.exists(output):  # its games took hours, maybe
            raise click.ClickException(
                f"{output} exists: take another name, and another --seed for other games (gocnn train --outcomes "
                "takes several stores)"
            )
        network = Evaluator.load(model, device)
        if not once:
            check_writable(output)
        written = time.monotonic()
        try:
            played = play(network, config)
            for record in track(played, "games", games, console=console, disable=not console.is_terminal):
                record.source = f"selfplay {seed}/{len(records) + 1}"
                records.append(record)
                if not once and time.monotonic() - written > KEPT_EVERY:
                    keep()
                    written = time.monotonic()
        except KeyboardInterrupt:
            stopped = True
        finally:
            keep()
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    except (MemoryError, RuntimeError) as error:  # torch's own are among the latter
        failed = (str(error).strip() or "out of memory").splitlines()[0]
    click.echo(f"{output}: {len(records):,} games" if records else "no game has ended: nothing is written", err=True)
    if failed:
        raise click.ClickException(failed)
    if stopped:
        sys.exit(130)
