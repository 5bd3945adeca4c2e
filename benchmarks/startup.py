"""How long a GUI waits for the engine: from process start to the answer of `name` by `gocnn gtp`.

    python benchmarks/startup.py --runs 7

The first run warms the file and numba caches and is printed apart; the median is over the others.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time

import click


def seconds_to_answer(command: list[str]) -> float:
    """Start the engine, send `name`, and return the seconds until its whole answer is there."""
    begin = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as engine:
        assert engine.stdin is not None and engine.stdout is not None
        engine.stdin.write("name\n")
        engine.stdin.flush()
        answer = engine.stdout.readline()
        seconds = time.perf_counter() - begin
        if not answer.startswith("="):
            raise click.ClickException(f"{' '.join(command)}: no answer to `name`: {answer!r}")
        engine.stdin.write("quit\n")
        engine.stdin.close()
        engine.wait(timeout=30)
    return seconds


@click.command()
@click.option("--runs", default=7, show_default=True, type=click.IntRange(1), help="Warm runs.")
@click.argument("engine", nargs=-1)
def main(runs: int, engine: tuple[str, ...]) -> None:
    """Time ENGINE (default: `gocnn gtp` of this environment) until it answers `name`."""
    command = list(engine) or [sys.executable, "-m", "gocnn", "gtp"]
    if not shutil.which(command[0]):
        raise click.ClickException(f"there is no program {command[0]}")
    first = seconds_to_answer(command)
    warm = [seconds_to_answer(command) for _ in range(runs)]
    print(f"first start         {first:6.2f} s")
    print(f"warm start, median  {statistics.median(warm):6.2f} s   (target: under 3 s)")
    print(f"warm start, range   {min(warm):6.2f} – {max(warm):.2f} s over {runs} runs")


if __name__ == "__main__":
    main()
