"""How long the engine takes for an instant move, from the command to the answer, by the moves played before.

    python benchmarks/move_time.py
    python benchmarks/move_time.py --options "--threads 1 --root-symmetries 1"

Plays sample games into `gocnn gtp` and asks at every fifth move for one of its own (`reg_genmove`). A game before them
is not counted: in it all is loaded, or compiled after an installation. Prints the median, and below how much nine in
ten stay.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections import defaultdict

import click
import numpy as np

from engine.client import GtpClient
from engine.referee import GTP_NAMES
from gocnn.go.coords import point_to_gtp
from samples import sample_games

PHASE = 50  # moves
EVERY = 5


@click.command()
@click.option("--games", default=5, show_default=True, type=click.IntRange(1), help="So many of the sample games.")
@click.option("--options", default="", help="Options of `gocnn gtp`.")
def main(games: int, options: str) -> None:
    """Time instant moves."""
    seconds: dict[int, list[float]] = defaultdict(list)
    command = shlex.join([sys.executable, "-m", "gocnn", "gtp", *shlex.split(options)])
    with GtpClient(command, timeout=600) as client:
        client.send("boardsize 19")
        for number, game in enumerate(sample_games(games + 1)):
            if number == 1:
                seconds.clear()
            client.send("clear_board")
            for played, (colour, point) in enumerate(zip(game.colours.tolist(), game.points.tolist())):
                if played % EVERY == 0:
                    begin = time.perf_counter()
                    client.send(f"reg_genmove {GTP_NAMES[colour]}")
                    seconds[played // PHASE * PHASE].append(time.perf_counter() - begin)
                client.send(f"play {GTP_NAMES[colour]} {point_to_gtp(point, 19)}")
    for first, times in sorted(seconds.items()):
        print(summary(f"moves {first} to {first + PHASE - 1}", times))
    print(summary("all", [one for times in seconds.values() for one in times]))


def summary(what: str, times: list[float]) -> str:
    """A line about some answers."""
    median, most = 1e3 * np.quantile(times, [0.5, 0.9])
    mean = 1e3 * np.mean(times)
    return f"{what:18} {len(times):4} answers, mean {mean:5.1f}, median {median:5.1f}, nine in ten below {most:5.1f} ms"


if __name__ == "__main__":
    main()
