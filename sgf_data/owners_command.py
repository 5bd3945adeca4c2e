"""The `gocnn data owners` command: find out who owned what at the end of a store's counted games."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

import click


@click.command(
    epilog="""\b
Examples:
  gocnn data owners games.arrow
  gocnn data owners pro.arrow --from-year 1990 -o owners.arrow
"""
)
@click.argument("store", type=click.Path())
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    help="The owners file to write.  [default: the store's name with .owners.arrow]",
)
@click.option("--from-year", type=int, default=0, help="Only games from this year on.")
@click.option("--jobs", type=click.IntRange(1), help="Threads.  [default: one for each core]")
def owners(store: str, output: str | None, from_year: int, jobs: int | None) -> None:
    """Find out who owned each point at the end of the counted games of a STORE.

    Dead stones are found by random playouts; a game is believed where the count is the recorded one, by area or by
    territory. Networks learn from it: gocnn train --value --owners FILE.

    Takes a tenth of a second a game. What is done is kept every minute and by Ctrl-C, and the same command goes
    on from there.
    """
    import time
    from pathlib import Path

    from rich.console import Console
    from rich.progress import track

    from gocnn.atomic import check_writable
    from sgf_data import owners as file
    from sgf_data.build import available_cores
    from sgf_data.store import StoreError, open_store

    found: dict[int, file.Owner] = {}
    try:
        table = open_store(store).moves()
        path = output or str(Path(store).with_suffix(".owners.arrow"))
        if Path(path).exists():
            found = file.read(path).by_key()
        check_writable(path)
        games = file.counted(table)
        games = games[table.year[games] >= from_year]
        todo = [game for game in games.tolist() if int(table.game_key[game]) not in found]

        def shown(work: Iterable[tuple[int, file.Owner]]) -> Iterator[tuple[int, file.Owner]]:
            console = Console(stderr=True)
            return iter(track(work, "games", total=len(todo), console=console, disable=not console.is_terminal))

        try:
            written = time.monotonic()
            for game, owner in shown(file.judge_all(table, todo, jobs or available_cores())):
                found[int(table.game_key[game])] = owner
                if time.monotonic() - written > 60:
                    file.write(path, found)
                    written = time.monotonic()
        except KeyboardInterrupt:
            file.write(path, found)
            click.echo(f"stopped; {path} keeps what is done: the same command goes on from there", err=True)
            sys.exit(130)
        file.write(path, found)
    except (StoreError, OSError) as error:
        raise click.ClickException(str(error)) from error
    believed = sum(owner is not None for owner in found.values())
    click.echo(f"{path}: {len(found):,} counted games, the owners of {believed:,} believed")
