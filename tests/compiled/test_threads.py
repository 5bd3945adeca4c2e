"""Work shared out among threads."""

from __future__ import annotations

import os
import signal

import pytest

from gocnn.compiled.threads import share


def parts(first: int, last: int) -> list[int]:
    return list(range(first, last))


def test_parts_come_back_in_order_and_leave_nothing_out() -> None:
    assert share(parts, 7, 3) == [[0, 1], [2, 3], [4, 5, 6]]
    assert share(parts, 2, 8) == [[0], [1]]
    assert share(parts, 0, 4) == [[]]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no process has copies here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_forked_process_has_threads_of_its_own() -> None:
    """A fork takes none of them along: work left to the parent's would wait for ever."""
    share(parts, 4, 2)
    child = os.fork()
    if not child:
        signal.alarm(20)
        os._exit(share(parts, 4, 2) != [[0, 1], [2, 3]])
    assert os.waitpid(child, 0)[1] == 0
    assert share(parts, 4, 2) == [[0, 1], [2, 3]]
