"""Visits a second of our search beside Leela Zero's, on networks of one size, in one run by turns.

    apt-get install leela-zero
    python benchmarks/search_peers.py
    python benchmarks/search_peers.py --blocks 6 --channels 64 --threads 2 --descents 400 --rounds 3

Leela Zero runs on a network of random numbers in its plain text format; ours has a trained policy or, for other sizes
than the network that ships, random numbers too. Besides the rates by the clock there are those by processor time, which
other work on the machine disturbs less.
"""

from __future__ import annotations

import gocnn  # noqa: F401  # isort: skip  # before torch: it says how torch's threads wait

import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import click
import numpy as np

LEELAZ = "/usr/games/leelaz"
INPUT_PLANES, POLICY_PLANES, HIDDEN = 18, 2, 256  # of Leela Zero's networks
POINTS = 361


def write_leela_network(path: Path, blocks: int, channels: int, seed: int = 1) -> None:
    """A network of random numbers in Leela Zero's text format, version 1.

    One line for each array: a convolution's weights [outputs, inputs, k, k] and biases, then its batch normalisation's
    means and variances; the fully-connected layers of the heads have weights and biases.
    """
    random = np.random.default_rng(seed)
    lines = ["1"]

    def put(array: np.ndarray) -> None:
        lines.append(" ".join(f"{value:.5g}" for value in array.ravel()))

    def convolution(inputs: int, outputs: int, kernel: int) -> None:
        put(random.normal(0, np.sqrt(2 / (inputs * kernel * kernel)), (outputs, inputs, kernel, kernel)))
        put(np.zeros(outputs))
        put(np.zeros(outputs))
        put(np.ones(outputs))

    def dense(inputs: int, outputs: int) -> None:
        put(random.normal(0, np.sqrt(1 / inputs), (outputs, inputs)))
        put(np.zeros(outputs))

    convolution(INPUT_PLANES, channels, 3)
    for _ in range(2 * blocks):
        convolution(channels, channels, 3)
    convolution(channels, POLICY_PLANES, 1)
    dense(POLICY_PLANES * POINTS, POINTS + 1)
    convolution(channels, 1, 1)
    dense(POINTS, HIDDEN)
    dense(HIDDEN, 1)
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


class Leela:
    """A Leela Zero that answers genmove with a fixed number of playouts, and what that took."""

    def __init__(self, program: str, network: Path, threads: int, playouts: int) -> None:
        command = [program, "--gtp", "--cpu-only", "--noponder", "-w", str(network), "-t", str(threads)]
        command += ["-p", str(playouts), "-v", "1000000", "-r", "0", "-s", "1"]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log)
        self._ask("name")  # answered when the network is loaded
        self._moves: list[tuple[str, str]] = []
        self.search("b")

    def _ask(self, command: str) -> str:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(command.encode() + b"\n")
        self._process.stdin.flush()
        lines = []
        while line := self._process.stdout.readline():
            if not line.strip():
                break
            lines.append(line.decode())
        return "".join(lines)

    def search(self, colour: str) -> tuple[int, float, float]:
        """Play a move; returns playouts, seconds and processor seconds. The tree of the last move is thrown away."""
        self._ask("clear_board")
        for player, vertex in self._moves:
            self._ask(f"play {player} {vertex}")
        wall, cpu = time.perf_counter(), self._cpu()
        answer = self._ask(f"genmove {colour}")
        elapsed = time.perf_counter() - wall, self._cpu() - cpu
        self._moves.append((colour, answer.split()[-1]))
        self._log.seek(0)
        told = re.findall(rb"(\d+) visits, \d+ nodes, (\d+) playouts", self._log.read())
        return int(told[-1][1]), *elapsed

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        self._ask("quit")
        self._process.wait(10)
        self._log.close()


@click.command()
@click.option("--leelaz", default=LEELAZ, show_default=True, help="Leela Zero's program.")
@click.option("--blocks", default=6, show_default=True, type=click.IntRange(1))
@click.option("--channels", default=64, show_default=True, type=click.IntRange(16))
@click.option("--threads", default=2, show_default=True, type=click.IntRange(1))
@click.option("--batch", default=16, show_default=True, type=click.IntRange(1))
@click.option("--descents", default=400, show_default=True, type=click.IntRange(10))
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1))
def main(leelaz: str, blocks: int, channels: int, threads: int, batch: int, descents: int, rounds: int) -> None:
    """Let both choose moves by turns, each with --descents new descents (Leela Zero's playouts)."""
    if shutil.which(leelaz) is None:
        raise click.ClickException(f"{leelaz} is not installed (apt-get install leela-zero)")
    import torch

    from engine.rules import Needed
    from engine.search import Limits, Search, SearchConfig
    from gocnn import policy, weights
    from gocnn.evaluator import Evaluator
    from gocnn.go import Board

    torch.set_num_threads(threads)
    model = policy.load(weights.default())
    trained = (model.config.blocks, model.config.channels) == (blocks, channels)
    if not trained:
        model = policy.build(policy.PolicyConfig(blocks=blocks, channels=channels, value=True), seed=1)
    evaluator = Evaluator(model)
    search = Search(evaluator, SearchConfig(batch=batch))
    board = Board(19)
    search.run(board, Needed(7.5), Limits(descents=40))
    totals = {"ours": np.zeros(3), "Leela Zero": np.zeros(3)}
    with tempfile.TemporaryDirectory() as directory:
        network = Path(directory) / "random.txt"
        write_leela_network(network, blocks, channels)
        leela = Leela(leelaz, network, threads, descents)
        for number in range(rounds):
            totals["Leela Zero"] += leela.search("wb"[number % 2])
            wall, cpu = time.perf_counter(), time.process_time()
            found = search.run(board, Needed(7.5), Limits(descents=descents))
            totals["ours"] += found.descents, time.perf_counter() - wall, time.process_time() - cpu
            board.play(board.to_move, found.moves[0].move)
            search.forget()
        leela.close()
    print(f"{blocks} blocks x {channels}, {threads} threads, {rounds} moves x {descents} descents, {evaluator.dtype}")
    print(f"our policy is {'trained' if trained else 'random'}; our batches are of {batch}")
    for name, (count, wall, cpu) in totals.items():
        print(f"{name:12}{count / wall:8.0f} visits/s {count / cpu:8.0f} visits/s of processor time")
    by_wall, by_cpu = (
        totals["ours"][0] / totals["ours"][i] / (totals["Leela Zero"][0] / totals["Leela Zero"][i]) for i in (1, 2)
    )
    print(f"ours: {by_wall:.1f} times Leela Zero's, {by_cpu:.1f} by processor time (goal: 3)")


if __name__ == "__main__":
    main()
