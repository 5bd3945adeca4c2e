"""A search whose network can be asked by several threads at a time."""

from __future__ import annotations

import os
import threading
import time

import numpy as np
import pytest
import torch

from engine import tree as trees
from engine.rules import EVEN, Needed
from engine.search import Limits, Report, Search, SearchConfig
from gocnn.evaluator import Evaluation
from gocnn.go import Board
from tests.engine.test_search import check_sums, counts
from tests.engine.toys import Toy, by_area


class Lanes(Toy):
    """A toy for several threads: it counts how many are with it at once, and takes its time by chance."""

    def __init__(self, lanes: int, *, longest: float = 0.0, has_value: bool = True) -> None:
        super().__init__(by_area, has_value=has_value)
        self.lanes = lanes
        self.longest = longest
        self.inside, self.most = 0, 0
        self.torch_threads: set[int] = set()
        self._chance = np.random.default_rng()
        self._lock = threading.Lock()

    def evaluate_planes(self, planes: np.ndarray, needed: np.ndarray) -> Evaluation:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.torch_threads.add(torch.get_num_threads())
            pause = self._chance.uniform(0, self.longest)
        time.sleep(pause)
        with self._lock:
            self.inside -= 1
            return super().evaluate_planes(planes, needed)


@pytest.mark.parametrize("lanes", [1, 2, 5])
@pytest.mark.parametrize("late", [False, True])
def test_the_tree_is_the_same_whichever_thread_is_the_faster(lanes: int, late: bool) -> None:
    board = Board(7)
    for point in range(0, 48, 3):
        board.play(board.to_move, point)

    def run() -> Report:
        search = Search(Lanes(lanes, longest=0.004), SearchConfig(late=0.1 if late else 1.0))
        found = search.run(board, Needed(0.5), Limits(visits=150))
        check_sums(search)
        return found

    first = run()
    assert first.visits == 150
    assert counts(first) == counts(run()) == counts(run())


@pytest.mark.parametrize(("lanes", "batch"), [(2, 16), (3, 16), (4, 3), (2, 1)])
def test_lanes_share_a_batch_and_limits_are_kept(lanes: int, batch: int) -> None:
    for limits in (Limits(visits=301), Limits(descents=300)):
        toy = Lanes(lanes)
        found = Search(toy, SearchConfig(batch=batch)).run(Board(9), EVEN, limits)
        assert (found.visits, found.descents) == (301, 300)
        assert sum(toy.batches) == 301
        assert max(toy.batches) == batch // min(lanes, batch)


def test_all_lanes_are_used_at_once_each_with_one_core() -> None:
    before = torch.get_num_threads()
    toy = Lanes(2, longest=0.01)
    try:
        torch.set_num_threads(2)
        Search(toy).run(Board(9), EVEN, Limits(visits=100))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert toy.most == min(2, os.cpu_count() or 1)
    assert toy.torch_threads == {1, 2}, "two for the position itself, before the lanes are open"


def test_an_error_in_one_lane_leaves_the_tree_whole() -> None:
    toy = Lanes(3, longest=0.002)
    search = Search(toy)
    search.run(Board(5), EVEN, Limits(visits=60))
    works, calls = toy.evaluate_planes, []

    def breaks(planes: np.ndarray, komi: np.ndarray) -> Evaluation:
        calls.append(1)
        if len(calls) == 5:
            raise RuntimeError("no")
        return works(planes, komi)

    toy.evaluate_planes = breaks  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="no"):
        search.run(Board(5), EVEN, Limits(visits=200))
    check_sums(search)
    assert search.run(Board(5), EVEN, Limits(visits=200)).visits == 200
    check_sums(search)


@pytest.mark.parametrize("has_value", [False, True])
def test_a_search_that_is_stopped_leaves_nothing_under_way(has_value: bool) -> None:
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 20

    toy = Lanes(2, longest=0.002, has_value=has_value)
    search = Search(toy)
    found = search.run(Board(7), Needed(0.5), Limits(), stop=stop)
    assert toy.inside == 0 and sum(toy.batches) == found.visits == found.descents + 1
    check_sums(search)


def test_finished_games_count_beside_leaves_that_are_under_way() -> None:
    """Of two points all but the moves that end the game are soon known, so that no lane has anything to look at."""
    board = Board(2)
    for point in (0, 1, 2):
        board.play(1, point)
    search = Search(Lanes(2))
    found = search.run(board, Needed(0.5), Limits(descents=500))
    assert found.descents == 500
    check_sums(search)
    assert (search._tree.links[:, trees.STATE] == trees.TERMINAL).any()
