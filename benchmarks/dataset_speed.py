"""Positions a second that one core draws from a game store: replayed, made into planes, turned.

python benchmarks/dataset_speed.py games.arrow
"""

from __future__ import annotations

import statistics
import time

import click

from gocnn.go.planes import PLANE_SETS
from sgf_data.dataset import Positions
from sgf_data.store import StoreError, open_store


def rate(positions: Positions, batch: int, rounds: int) -> float:
    """Median positions a second of CPU time of this thread."""
    positions.batch(0, batch)  # compiles
    speeds = []
    for k in range(rounds):
        began = time.thread_time()
        positions.batch(k * batch, batch)
        speeds.append(batch / (time.thread_time() - began))
    return statistics.median(speeds)


@click.command()
@click.argument("stores", nargs=-1, required=True)
@click.option("--batch", default=256, show_default=True)
@click.option("--rounds", default=200, show_default=True)
def main(stores: tuple[str, ...], batch: int, rounds: int) -> None:
    """Measure how fast positions come out of STORES."""
    try:
        table = open_store(stores).moves()
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    for name, plane_set in PLANE_SETS.items():
        positions = Positions(table, plane_set)
        speed = rate(positions, batch, rounds)
        print(
            f"{name:9} {len(plane_set):3} planes: {speed:,.0f} positions/s a core, {1e6 / speed:.1f} µs each, "
            f"from {len(positions):,} positions"
        )


if __name__ == "__main__":
    main()
