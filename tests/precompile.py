"""Compile what the tests call, in two processes at once: `make test` does so first.

numba keeps what it has compiled, but processes that need a function at the same time each make it. In a fresh clone
both of pytest's workers would compile nearly everything.

    python -m tests.precompile
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def play() -> None:
    """Search, and count, with the network that ships."""
    from engine.policy import LazyPolicy
    from engine.search import Limits
    from engine.search_player import SearchPlayer
    from gocnn.evaluator import Evaluator

    network = Evaluator.load()
    SearchPlayer(LazyPolicy(lambda: network), limits=Limits(visits=20)).warm_up(network)


def learn() -> None:
    """Train a network on the sample games: one step, of moves, winners and owners."""
    from click.testing import CliRunner

    import train
    from sgf_data.commands import data

    with tempfile.TemporaryDirectory() as folder:
        store = f"{folder}/games.arrow"
        for command, words in (
            (data, ["build", str(ROOT / "sgf_data/samples"), "-o", store, "--jobs", "1"]),
            (data, ["owners", store, "--jobs", "1"]),
            (train.main, ["--data", store, "-o", f"{folder}/run", "--preset", "b2c32", "--planes", "ladders", "--value",
                          "--owners", f"{folder}/games.owners.arrow", "--batch", "16", "--positions", "32",
                          "--precision", "fp32", "--device", "cpu", "--validate-positions", "16"]),
        ):  # fmt: skip
            result = CliRunner().invoke(command, words)
            if result.exit_code:
                sys.exit(result.output or repr(result.exception))


def main() -> None:
    halves = {"play": play, "learn": learn}
    if sys.argv[1:]:
        halves[sys.argv[1]]()
        return
    processes = [subprocess.Popen([sys.executable, "-m", "tests.precompile", half], cwd=ROOT) for half in halves]
    sys.exit(max(process.wait() for process in processes))


if __name__ == "__main__":
    main()
