"""`gocnn data show`: one position of a game record as the picture that a network sees."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sgf_data.record import GameRecord


@click.command(
    epilog="""\b
Examples:
  gocnn data show game.sgf --move 50
  gocnn data show games.arrow --game 7 --move 120 -o planes.png
  gocnn data show game.sgf --move 3 --planes stones
"""
)
@click.argument("source", metavar="GAME", type=click.Path())
@click.option("--game", "number", type=click.IntRange(1), default=1, show_default=True, help="Which game of the file.")
@click.option(
    "--move", type=click.IntRange(1), default=1, show_default=True, help="Show the position before this move."
)
@click.option("--planes", "plane_set", default="full", show_default=True, help="Plane set, such as stones or full.")
@click.option("-o", "--output", default="planes.png", show_default=True, type=click.Path(), help="The picture.")
def show(source: str, number: int, move: int, plane_set: str, output: str) -> None:
    """Draw a position and its input planes, with the move that a network should learn.

    GAME is an SGF file or archive, or a game store.
    """
    from gocnn.go.coords import point_to_gtp
    from gocnn.go.drawing import draw_planes, has_letters
    from gocnn.go.planes import PLANE_SETS, of_board
    from sgf_data.record import position

    if plane_set not in PLANE_SETS:
        raise click.ClickException(f"unknown plane set {plane_set!r}; there are {', '.join(PLANE_SETS)}")
    record = _record(source, number)
    if move > len(record.points):
        raise click.ClickException(f"{source}: game {number} has {len(record.points)} moves, not {move}")
    board = position(record, move - 1)
    colour, target = int(record.colours[move - 1]), int(record.points[move - 1])
    chosen = PLANE_SETS[plane_set]
    who = "Black" if colour > 0 else "White"
    black, white, date = (text if has_letters(text) else "" for text in (record.black, record.white, record.date))
    title = f"{black or 'Black'} – {white or 'White'}, {date}\nmove {move}: {who} "
    try:
        draw_planes(
            output, board.stones, of_board(board, chosen, colour), chosen.planes,
            title=title + point_to_gtp(target, record.size), last=int(board.recent[-1]) if len(board.recent) else None,
            target=target,
        )  # fmt: skip
    except OSError as error:
        raise click.ClickException(f"cannot write {output}: {error.strerror or error}") from error
    click.echo(f"{output}: {len(chosen)} planes before move {move}, {who} {point_to_gtp(target, record.size)}")


def _record(source: str, number: int) -> GameRecord:
    """Game `number` (from 1) of a store or an SGF source. Raises ClickException if it cannot be had."""
    from sgf_data.reader import read_games
    from sgf_data.record import RecordError
    from sgf_data.sources import find, read
    from sgf_data.store import StoreError, open_store

    if Path(source).suffix == ".arrow" or _begins_as_store(source):
        try:
            store = open_store(source)
        except StoreError as error:
            raise click.ClickException(str(error)) from error
        if number > len(store):
            raise click.ClickException(f"{source} holds {len(store):,} games, not {number:,}")
        return store.record(number - 1)
    seen, problem = 0, ""
    for blob in read(find([source])):
        if blob.error:
            problem = problem or f"; cannot read {blob.path}: {blob.error}"
            continue
        for game in read_games(blob.data, blob.path):
            seen += 1
            if seen == number:
                if isinstance(game, RecordError):
                    raise click.ClickException(f"{game.source}: {game.reason.value} {game.detail}".rstrip())
                return game
    raise click.ClickException(f"{source} holds {seen:,} games, not {number:,}{problem}")


def _begins_as_store(source: str) -> bool:
    """Whether a file begins as all Arrow files do; a pipe is not asked, which could be read but once."""
    if not os.path.isfile(source):
        return False
    try:
        with open(source, "rb") as file:
            return file.read(6) == b"ARROW1"
    except OSError:
        return False  # why, is said by the one who reads it as records
