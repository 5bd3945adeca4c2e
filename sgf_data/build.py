"""Build a game store from SGF collections, on all cores.

The main process reads files and archives and hands the bytes out in chunks; worker processes turn
each chunk into rows of a store; the main process takes the results back in order, drops duplicates
and writes. What is kept does not depend on the number of workers: of the records of one game, the
first in the order of the sources.
"""

from __future__ import annotations

import csv
import io
import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from gocnn.atomic import AtomicFile
from sgf_data import sources
from sgf_data.reader import ReadOptions, read_games
from sgf_data.record import GameRecord, Reason, RecordError
from sgf_data.store import open_store, store_writer, to_batch

CHUNK_BYTES = 1 << 20  # some 700 games: half a second of work, a few megabytes of memory
MOST_WORKERS = 61  # processes that Windows can wait for
LOG_COLUMNS = ("path", "game", "position", "move", "reason", "detail")


@dataclass
class BuildReport:
    """What became of every record: read = kept + duplicates + rejected, the latter two being what was left out."""

    read: int = 0
    kept: int = 0
    moves: int = 0  # in the games kept
    left_out: Counter[Reason] = field(default_factory=Counter)
    files: int = 0  # SGF files seen, in archives or not
    unreadable: list[RecordError] = field(default_factory=list)  # files and archives, or the rest of one

    @property
    def duplicates(self) -> int:
        """Games that had been read before, turned and mirrored ones included."""
        return self.left_out[Reason.DUPLICATE]

    @property
    def rejected(self) -> int:
        """Records that were left out for another reason."""
        return self.left_out.total() - self.duplicates


@dataclass
class _Result:
    batch: pa.RecordBatch
    errors: list[RecordError]
    files: int
    consumed: int


Progress = Callable[[int, BuildReport], None]  # bytes of the files on disk done with, and the counts so far


def build_store(
    files: Iterable[sources.SourceFile],
    target: str | os.PathLike[str],
    options: ReadOptions | None = None,
    *,
    log: str | os.PathLike[str] | None = None,
    exclude: Iterable[str | os.PathLike[str]] = (),
    jobs: int | None = None,
    progress: Progress | None = None,
) -> BuildReport:
    """Read `files` (see `sources.find`) into a store at `target`, and list what was left out.

    The log (default: `target` with ".rejected.csv" after it) has the columns of `LOG_COLUMNS`.
    Games whose opening is also in one of the stores `exclude` are left out. `jobs` worker processes
    are used, one a core by default; 1 works in this process. Without a single game to keep no store
    is written, and an old one is left as it is.

    Raises StoreError for an `exclude` that is no store and OSError if `target` or `log` cannot be
    written. Whatever ends the build early, KeyboardInterrupt or kill included, the names of store
    and log are left as they were.
    """
    excluded: set[int] = set()
    for path in exclude:
        excluded.update(open_store(path).table["opening_key"].to_pylist())
    target = Path(target)
    report = BuildReport()
    first_seen: dict[int, str] = {}
    with (
        _log_to(Path(log) if log else target.with_name(target.name + ".rejected.csv")) as reject,
        store_writer(target) as writer,
    ):
        done = 0
        for result in _read_all(files, options or ReadOptions(), jobs or available_cores()):
            batch, repeated = _drop_known(result.batch, first_seen, excluded)
            errors = result.errors + repeated
            writer.write(batch)
            reject(errors)
            report.files += result.files
            report.read += batch.num_rows + len(errors)
            report.kept += batch.num_rows
            report.moves += len(batch["points"].flatten())
            report.left_out.update(error.reason for error in errors)
            report.unreadable += [e for e in errors if e.reason is Reason.UNREADABLE]
            done += result.consumed
            if progress:
                progress(done, report)
    return report


def available_cores() -> int:
    """The number of cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _drop_known(
    batch: pa.RecordBatch, first_seen: dict[int, str], excluded: set[int]
) -> tuple[pa.RecordBatch, list[RecordError]]:
    """The rows that are new, noted in `first_seen` (key -> source); errors for the others."""
    errors = []
    new = np.ones(batch.num_rows, bool)
    rows = zip(*(batch[name].to_pylist() for name in ("game_key", "opening_key", "source")))
    for row, (game, opening, source) in enumerate(rows):
        path, _, number = source.rpartition("#")
        if opening in excluded:
            errors.append(RecordError(Reason.EXCLUDED, path, int(number)))
        elif game in first_seen:
            detail = f"same game as {first_seen[game]}"
            errors.append(RecordError(Reason.DUPLICATE, path, int(number), detail=detail))
        else:
            first_seen[game] = source
            continue
        new[row] = False
    return (batch.filter(pa.array(new)) if errors else batch), errors


# The work


def _read_all(files: Iterable[sources.SourceFile], options: ReadOptions, jobs: int) -> Iterator[_Result]:
    """The results of all chunks, in order."""
    chunks = _chunks(sources.read(files))
    if jobs == 1:
        for chunk in chunks:
            yield _read_chunk(chunk, options)
        return
    # "spawn", because forking a process that has threads (pyarrow's) is not safe.
    executor = ProcessPoolExecutor(min(jobs, MOST_WORKERS), multiprocessing.get_context("spawn"), _start_worker)
    try:
        waiting: deque[Future[_Result]] = deque()
        for chunk in chunks:
            with _interrupts_blocked():
                waiting.append(executor.submit(_read_chunk, chunk, options))
            if len(waiting) > 2 * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        executor.shutdown(cancel_futures=True)


def _chunks(blobs: Iterable[sources.Blob]) -> Iterator[list[sources.Blob]]:
    chunk: list[sources.Blob] = []
    size = 0
    for blob in blobs:
        chunk.append(blob)
        size += len(blob.data)
        if size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _read_chunk(chunk: list[sources.Blob], options: ReadOptions) -> _Result:
    records: list[GameRecord] = []
    errors: list[RecordError] = []
    for blob in chunk:
        if blob.error:
            errors.append(RecordError(Reason.UNREADABLE, blob.path, detail=blob.error))
            continue
        try:
            games = read_games(blob.data, blob.path, options)
        except Exception as error:  # a mistake of ours must not cost the other files
            errors.append(_mistake(blob.path, error))
            continue
        for game in games:
            if isinstance(game, GameRecord):
                records.append(game)
            else:
                errors.append(game)
    try:
        batch = to_batch(records)
    except Exception:  # one of them, which is then found and left out
        batch = to_batch([record for record in records if _is_storable(record, errors)])
    return _Result(batch, errors, len(chunk), sum(blob.consumed for blob in chunk))


def _is_storable(record: GameRecord, errors: list[RecordError]) -> bool:
    """Whether a record can be stored; if not, `errors` says why."""
    try:
        to_batch([record])
    except Exception as error:
        errors.append(_mistake(record.source, error))
        return False
    return True


def _mistake(path: str, error: Exception) -> RecordError:
    return RecordError(Reason.UNREADABLE, path, detail=f"{type(error).__name__}: {error}"[:200])


def _start_worker() -> None:
    """Leave Ctrl-C to the main process, and end when that has died, be it by kill -9."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Hold Ctrl-C back for a moment. Processes started meanwhile are never disturbed by it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _log_to(path: Path) -> Iterator[Callable[[Iterable[RecordError]], None]]:
    """A function that appends to the list of what was left out."""
    with AtomicFile(path) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        rows = csv.writer(text)
        rows.writerow(LOG_COLUMNS)

        def write(errors: Iterable[RecordError]) -> None:
            for e in errors:
                rows.writerow((e.source, e.game, e.position, e.move, e.reason.value, e.detail))

        yield write
        text.detach()  # flushes; AtomicFile closes the file
