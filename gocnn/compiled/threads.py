"""Work shared out among as many threads as torch uses, for compiled code that lets go of Python's lock."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TypeVar

T = TypeVar("T")


def share(work: Callable[[int, int], T], count: int, threads: int) -> list[T]:
    """Call ``work(first, last)`` on parts of ``range(count)``, one part a thread; what it returned, in order.

    The parts depend on the two numbers alone, so that sums come out the same each time.
    """
    threads = max(1, min(threads, count))
    ends = [count * n // threads for n in range(threads + 1)]
    waiting = [_pool().submit(work, ends[n], ends[n + 1]) for n in range(1, threads)]
    return [work(0, ends[1]), *(part.result() for part in waiting)]


def start(work: Callable[[], T]) -> Future[T]:
    """Have one of these threads do some work, if one is free, or when one will be."""
    return _pool().submit(work)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), "compiled")  # its own default is 32 at most


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not come along
