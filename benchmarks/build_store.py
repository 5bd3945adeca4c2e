"""Building a game store: games a second, and the memory of all processes together at its peak.

    python benchmarks/build_store.py pro-to-2021.tar.xz
    python benchmarks/build_store.py games.zip --jobs 4

The store goes to a temporary directory. Memory is measured on Linux only, ten times a second, as the sum over
this process and its workers of their proportional share (what several processes have in common counts once).
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import click

from sgf_data.build import available_cores, build_store
from sgf_data.sources import find


def memory_of_all() -> int:
    """Bytes that this process and its children take together; 0 where the system does not tell."""
    total = 0
    me = os.getpid()
    try:
        tasks = [Path(f"/proc/{me}/task/{task}/children") for task in os.listdir(f"/proc/{me}/task")]
        children = [pid for task in tasks for pid in task.read_text().split()]
    except OSError:
        return 0
    for pid in [str(me), *children]:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue  # it has just ended
        total += next(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
    return total


class PeakMemory:
    """``with PeakMemory() as memory: ...; memory.peak`` is in bytes."""

    def __enter__(self) -> PeakMemory:
        self.peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            self.peak = max(self.peak, memory_of_all())

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@click.command()
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, type=click.Path(exists=True))
@click.option("--jobs", type=click.IntRange(1), help="Worker processes.  [default: one for each core]")
def main(sources: Sequence[str], jobs: int | None) -> None:
    """Build a store from SOURCEs and print what it took."""
    if hasattr(os, "getloadavg"):  # not on Windows
        print(f"load average before: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as directory, PeakMemory() as memory:
        target = Path(directory) / "games.arrow"
        start = time.perf_counter()
        report = build_store(find(sources), target, jobs=jobs)
        seconds = time.perf_counter() - start
        size = target.stat().st_size if report.kept else 0
    print(f"files                {report.files:>12,}")
    print(f"games read           {report.read:>12,}")
    print(f"games kept           {report.kept:>12,}   {report.moves:,} moves, {size / 1e6:.0f} MB")
    for reason, games in report.left_out.most_common():
        print(f"  {reason.value:<19}{games:>12,}")
    print(f"worker processes     {jobs or available_cores():>12}")
    print(f"seconds              {seconds:>12.1f}")
    print(f"files a second       {report.files / seconds:>12,.0f}")
    print(f"games a second       {report.read / seconds:>12,.0f}")
    if memory.peak:
        print(f"peak memory          {memory.peak / 1e6:>9,.0f} MB   all processes")


if __name__ == "__main__":
    main()
