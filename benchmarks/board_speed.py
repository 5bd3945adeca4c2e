"""Moves a second on one core, replaying real games: the compiled board beside sgfmill's.

    python benchmarks/board_speed.py games.arrow
    python benchmarks/board_speed.py collection.sgf archive.tar.xz --games 2000

Without a source: the sample games. Each way replays the same games (sgfmill's board the first fifty of them), so often
that it takes a while, and the best of a few rounds is printed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import click
from sgfmill import boards

from gocnn.go import Board, core, replay
from samples import SAMPLES
from sgf_data import reader, sources
from sgf_data.record import GameRecord
from sgf_data.store import StoreError, open_store

LETTERS = {1: "b", -1: "w"}


def games_of(paths: Sequence[str]) -> Iterator[GameRecord]:
    """The games of stores, then those of SGF files and archives."""
    stores = [path for path in paths if path.endswith(".arrow")]
    if stores:
        store = open_store(stores)
        yield from (store.record(index) for index in range(len(store)))
    if others := [path for path in paths if path not in stores]:
        for blob in sources.read(sources.find(others)):
            yield from (game for game in reader.read_games(blob.data, blob.path) if isinstance(game, GameRecord))


def compiled(games: Sequence[GameRecord]) -> None:
    """Replay in compiled code, as training does to reach a position."""
    for game in games:
        state = core.new_state(game.size)
        replay.play_record(state, game.moves)


def checked(games: Sequence[GameRecord]) -> None:
    """The same with the legality of every move, as records are checked."""
    for game in games:
        replay.check(game.size, game.moves)


def from_python(games: Sequence[GameRecord]) -> None:
    """`Board.play` called from Python for every move."""
    for game in games:
        board = Board(game.size, ko="simple")  # by which records are checked; many were played so
        board.setup(game.setup_points, game.setup_colours)
        for colour, point in zip(game.colours.tolist(), game.points.tolist()):
            board.play(colour, point)


def with_sgfmill(games: Sequence[GameRecord]) -> None:
    """`sgfmill.boards.Board.play` for every move; it has no legality beyond occupied points."""
    for game in games:
        board, size = boards.Board(game.size), game.size
        for point, colour in zip(game.setup_points.tolist(), game.setup_colours.tolist()):
            board.board[size - 1 - point // size][point % size] = LETTERS[colour]
        for colour, point in zip(game.colours.tolist(), game.points.tolist()):
            if point < size * size:
                board.play(size - 1 - point // size, point % size, LETTERS[colour])


def rate(replayed: Callable[[Sequence[GameRecord]], None], games: Sequence[GameRecord]) -> float:
    """Moves a second: the best of five rounds of at least half a second or one pass each."""
    moves = sum(len(game.points) for game in games)
    replayed(games[:1])  # compiles, or loads what is compiled
    best = 0.0
    for _ in range(5):
        passes, begin = 0, time.perf_counter()
        while passes == 0 or time.perf_counter() - begin < 0.5:
            replayed(games)
            passes += 1
        best = max(best, passes * moves / (time.perf_counter() - begin))
    return best


@click.command()
@click.option("--games", "most", default=500, show_default=True, type=click.IntRange(1))
@click.argument("source", nargs=-1)
def main(most: int, source: tuple[str, ...]) -> None:
    """Replay up to --games games of SOURCE (stores, SGF files, directories or archives).

    Games with set-up stones after their first move are left out: sgfmill's board has no such thing.
    """
    try:
        games = [game for game in islice(games_of(source or [str(SAMPLES)]), most) if not game.setup_at.any()]
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    if not games:
        raise click.ClickException("no games to replay")
    print(f"{len(games)} games, {sum(len(game.points) for game in games):,} moves, one core")
    slow = rate(with_sgfmill, games[:50])
    for name, ours in (
        ("compiled replay", compiled),
        ("the same, every move checked", checked),
        ("Board.play from Python", from_python),
    ):
        fast = rate(ours, games)
        print(f"{name:32}{fast / 1e6:8.2f} million moves/s {fast / slow:8.1f} × sgfmill")
    print(f"{'sgfmill.boards.Board.play':32}{slow / 1e6:8.2f} million moves/s")
    print("target: 5 million moves/s for the compiled replay")


if __name__ == "__main__":
    main()
