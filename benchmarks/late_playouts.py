"""Who wins, by the network's value head and by random playouts mixed into it, at different times of the game.

    python benchmarks/late_playouts.py pro-2022.arrow
    python benchmarks/late_playouts.py pro-2022.arrow --playouts 8 --games 200

Of each game that has a winner and a komi, some positions are drawn, the one before the last two moves among them.
Prints the log loss of the winner, in nats, of the network alone (share 0), of mixtures, and of playouts alone
(share 1): what `SearchConfig.late` and `late_weight` are chosen by. The engine makes one playout of each position, and
has the mean of many from the many positions that it looks at.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import pairwise

import click
import numpy as np
from rich.console import Console
from rich.progress import track

from engine.playouts import winrate_of
from gocnn.evaluator import Evaluator
from gocnn.go import Board, IllegalMove
from gocnn.go.ownership import ownership
from sgf_data.record import GameRecord
from sgf_data.store import StoreError, open_store

PHASES = (20, 60, 100, 150, 200, 260, 1000)  # moves played
SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0)


def positions(record: GameRecord, count: int, random: np.random.Generator) -> Iterator[tuple[int, Board]]:
    """`count` positions of a game and the one before its last two moves, each with the moves played.

    The board is one that is played on afterwards. Ends at an illegal move.
    """
    moves = len(record.points)
    drawn = {*random.integers(PHASES[0], moves, count).tolist(), moves - 2}
    board = Board(record.size, ko="simple")
    for number, (colour, point) in enumerate(zip(record.colours.tolist(), record.points.tolist())):
        board.to_move = colour
        if number in drawn:
            yield number, board
        try:
            board.play(colour, point)
        except IllegalMove:
            return


def judged(evaluator: Evaluator, board: Board, komi: float, playouts: int) -> tuple[float, float]:
    """The chance of the player to move by the network, and that by playouts."""
    network = evaluator.evaluate([board], komi=komi).winrate
    assert network is not None
    lead = (float(ownership(board, playouts).sum()) - komi) * board.to_move
    return float(network[0]), float(winrate_of(np.array(lead), board.size))


def log_loss(chance: np.ndarray, won: np.ndarray) -> float:
    chance = np.clip(np.where(won, chance, 1 - chance), 1e-4, 1)
    return float(-np.log(chance).mean())


@click.command()
@click.argument("stores", nargs=-1, required=True)
@click.option("--model", type=click.Path(exists=True, dir_okay=False), help="Default: the network that ships.")
@click.option("--games", default=1000, show_default=True, type=click.IntRange(1), help="Games, drawn at random.")
@click.option("--positions", "count", default=6, show_default=True, type=click.IntRange(1), help="Drawn of each game.")
@click.option("--playouts", default=32, show_default=True, type=click.IntRange(1), help="Playouts from each position.")
def main(stores: tuple[str, ...], model: str | None, games: int, count: int, playouts: int) -> None:
    """Judge positions of STORES by the network, by playouts, and by mixtures of both."""
    try:
        store = open_store(stores)
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    evaluator = Evaluator.load(model)
    if not evaluator.has_value:
        raise click.ClickException("this network does not say who wins")
    table, random = store.moves(), np.random.default_rng(1)
    rows = []
    console = Console(stderr=True)
    chosen = random.permutation(len(table.size))[:games].tolist()
    for game in track(chosen, "games", console=console, disable=not sys.stderr.isatty()):
        record = store.record(game)
        winner = record.winner
        usual = record.size == 19 and not record.setup_points.size and record.komi is not None
        if winner is None or not usual or len(record.points) <= PHASES[1]:
            continue
        for number, board in positions(record, count, random):
            network, played = judged(evaluator, board, float(record.komi), playouts)
            rows.append((number, network, played, winner == board.to_move))
    if not rows:
        raise click.ClickException("none of these games is on 19x19 and has a winner and a komi")
    number, network, played, won = np.array(rows).T
    print(f"{len(rows):,} positions, {playouts} playouts each; nats by the share of playouts")
    print("moves played  positions " + "".join(f"{share:>9.1f}" for share in SHARES))
    for first, end in pairwise(PHASES):
        here = (number >= first) & (number < end)
        if here.any():
            mixtures = ((1 - share) * network[here] + share * played[here] for share in SHARES)
            losses = "".join(f"{log_loss(mixture, won[here] > 0):9.4f}" for mixture in mixtures)
            print(f"{first:>5} to {end:<5}{np.count_nonzero(here):>9,} {losses}")


if __name__ == "__main__":
    main()
