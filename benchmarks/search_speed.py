"""Visits a second of the search beside evaluations a second of its network alone, in one run.

    python benchmarks/search_speed.py
    python benchmarks/search_speed.py --model runs/mine/network.safetensors --batch 8 --threads 1
    python benchmarks/search_speed.py --no-playouts

The positions are those after 40, 80 ... moves, each of another sample game; in the later ones random playouts take
part. Beside the search the network alone evaluates batches of the same size whose planes are ready. Both rates are
printed by the clock and by processor time, which other work on the machine disturbs less.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import replace

import click
import numpy as np

from gocnn.go import Board
from samples import sample_games


def positions(count: int) -> list[Board]:
    """Boards of as many sample games, after 40, 80 ... 240 moves and from 40 on again; none at its end."""
    boards, games = [], sample_games(1000)
    for number in range(count):
        moves = 40 * (1 + number % 6)
        record = next(game for game in games if len(game.points) > moves + 20)
        games.remove(record)
        board = Board(19)
        for colour, point in itertools.islice(zip(record.colours.tolist(), record.points.tolist()), moves):
            board.play(colour, point)
        boards.append(board)
    return boards


class Rate:
    """Counts something against the clock on the wall and the processor's."""

    def __init__(self) -> None:
        self.count, self.wall, self.cpu = 0, 0.0, 0.0

    def measure(self, work: Callable[[], int]) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        self.count += work()
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu

    def __str__(self) -> str:
        return f"{self.count / self.wall:8.0f} /s {self.count / self.cpu:8.0f} /s of processor time"


@click.command()
@click.option("--model", type=click.Path(exists=True, dir_okay=False), help="Default: the network that ships.")
@click.option("--visits", default=400, show_default=True, type=click.IntRange(2))
@click.option("--batch", default=16, show_default=True, type=click.IntRange(1))
@click.option("--threads", default=2, show_default=True, type=click.IntRange(1))
@click.option("--positions", "most", default=6, show_default=True, type=click.IntRange(1, 12))
@click.option("--playouts/--no-playouts", default=True, help="Mix them in late in the game, as the engine does.")
def main(model: str | None, visits: int, batch: int, threads: int, most: int, playouts: bool) -> None:
    """Search some positions with so many visits each, and ask the network alone about as many."""
    import torch

    from engine.rules import Needed
    from engine.search import Limits, Search, SearchConfig
    from gocnn import policy, weights
    from gocnn.evaluator import Evaluator
    from gocnn.go.planes import of_board

    torch.set_num_threads(threads)
    network = policy.load(model or weights.default())
    if not network.config.value:
        # A head that says nothing yet costs what a trained one does; without one there were playouts at every leaf.
        bare = network
        network = policy.build(replace(bare.config, value=True), seed=1)
        policy.take_weights(network, bare)
    evaluator = Evaluator(network)
    boards = positions(most)
    planes = np.stack([of_board(boards[i % len(boards)], evaluator.plane_set) for i in range(batch)])
    komi = np.full(batch, 7.5, np.float32)

    def raw() -> int:
        for _ in range(-(-visits // batch)):
            evaluator.evaluate_planes(planes, komi)
        return -(-visits // batch) * batch

    def search(board: Board) -> Callable[[], int]:
        searcher = Search(evaluator, SearchConfig(batch=batch))
        return lambda: searcher.run(board, Needed(7.5), Limits(visits=visits), mix_playouts=playouts).visits

    for board in boards:  # compiles, or loads what is compiled, playouts too, as the engine does before its first move
        Search(evaluator).run(board, Needed(7.5), Limits(visits=40))
    alone, searched = Rate(), Rate()
    for board in boards:  # by turns, so that other work on the machine hits both
        alone.measure(raw)
        searched.measure(search(board))
    config = network.config
    print(
        f"{config.blocks} blocks x {config.channels}, {evaluator.dtype}, {threads} threads, batches of {batch}, "
        f"{len(boards)} positions x {visits} visits"
    )
    print(f"network alone {alone}")
    print(f"in the search {searched}")
    by_clock = searched.count / searched.wall / (alone.count / alone.wall)
    by_cpu = searched.count / searched.cpu / (alone.count / alone.cpu)
    print(f"the search runs at {by_clock:.0%} of the network's speed, {by_cpu:.0%} by processor time (goal: 80 %)")


if __name__ == "__main__":
    main()
