"""The examiner's figures, on answers that are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gocnn import examination, policy
from gocnn.evaluator import Evaluation, Evaluator
from gocnn.go import Board
from gocnn.go.planes import PLANE_SETS, of_board
from gocnn.policy import PolicyConfig

NAN = float("nan")


class Oracle:
    """Says the same of every board."""

    def __init__(self, policy: list[float], winrate: float = 0.5, lead: float = 0.0) -> None:
        self.plane_set = PLANE_SETS["stones"]
        self.says = policy, winrate, lead

    def evaluate_planes(
        self, planes: np.ndarray, komi: np.ndarray, symmetries: int = 1, profiles: np.ndarray | None = None
    ) -> Evaluation:
        policy, winrate, lead = self.says
        known = np.where(np.isnan(komi), NAN, 1)
        return Evaluation(np.tile(policy, (len(planes), 1)), winrate * known, lead - komi, None)


class Rows:
    """Samples on boards of 1×1 that are written down."""

    def __init__(self, stones: list[int], moves: list[int], outcomes: list[list[float]]) -> None:
        self.rows = np.array(stones, np.int8).reshape(-1, 1, 1, 1), np.array(moves), np.array(outcomes, np.float32)

    def __len__(self) -> int:
        return len(self.rows[1])

    def batch(self, first: int, count: int) -> tuple[np.ndarray, ...]:
        return tuple(row[first : first + count] for row in self.rows)


def test_what_is_known_is_counted() -> None:
    outcomes = [[0, 1, 4], [0, 0, NAN], [NAN, 1, NAN], [5, 0, 1]]  # komi, won, lead
    rows = Rows([1, 0, -1, 1], [0, 0, 0, 1], outcomes)
    done: list[int] = []
    verdicts = examination.examine(Oracle([0.75, 0.25], 0.8, 4.0), rows, batch=3, report=done.append)  # type: ignore
    assert done == [3, 4]
    assert verdicts.stones.tolist() == [1, 0, 1, 1]
    metrics = verdicts.metrics()
    assert metrics["top1"] == 0.75 and metrics["top5"] == 1 and metrics["tested"] == 4
    assert metrics["cross_entropy"] == pytest.approx(-(3 * np.log(0.75) + np.log(0.25)) / 4)
    assert metrics["judged"] == 3  # one has no komi
    assert metrics["winner"] == pytest.approx(1 / 3)
    assert metrics["winner_nats"] == pytest.approx(-(np.log(0.8) + 2 * np.log(0.2)) / 3)
    assert metrics["lead_error"] == pytest.approx((0 + 3) / 2)


def test_equals_share_their_places_and_what_is_no_number_is_never_right() -> None:
    rows = Rows([0, 0, 0], [0, 1, 2], [[NAN] * 3] * 3)
    found = examination.examine(Oracle([0.4, 0.4, 0.2]), rows)  # type: ignore[arg-type]
    assert found.place.tolist() == [0, 1, 2]
    assert examination.examine(Oracle([NAN] * 3), rows).metrics()["top1"] == 0  # type: ignore[arg-type]


class Each(Oracle):
    """Says of each board what is written down for it."""

    def __init__(self, winrates: list[float], leads: list[float]) -> None:
        super().__init__([1.0])
        self.winrates, self.leads = np.array(winrates), np.array(leads)

    def evaluate_planes(
        self, planes: np.ndarray, komi: np.ndarray, symmetries: int = 1, profiles: np.ndarray | None = None
    ) -> Evaluation:
        return super().evaluate_planes(planes, komi)._replace(winrate=self.winrates, lead=self.leads)


def test_a_value_that_is_no_number_is_wrong() -> None:
    rows = Rows([0] * 4, [0] * 4, [[0, 1, 3], [0, 0, -3], [0, 1, 3], [0, 0, NAN]])  # komi, won, lead
    broken = examination.examine(Each([0.8, 0.2, NAN, NAN], [3, -3, NAN, NAN]), rows)  # type: ignore[arg-type]
    metrics = broken.metrics()
    assert metrics["judged"] == 4 and metrics["winner"] == 0.5 and np.isnan(metrics["winner_nats"])
    assert broken.lead_error[[0, 1, 2]].tolist() == [0, 0, np.inf] and np.isnan(broken.lead_error[3])
    assert metrics["lead_error"] == np.inf
    assert len(examination.picture(broken).axes) == 3  # what has no chance has no place in the calibration
    silent = examination.examine(Each([NAN] * 4, [NAN] * 4), rows).metrics()  # type: ignore[arg-type]
    assert silent["judged"] == 4 and silent["winner"] == 0


def test_an_even_chance_is_half_right() -> None:
    rows = Rows([0] * 4, [0] * 4, [[0, 0, NAN]] * 3 + [[0, 1, NAN]])
    assert examination.examine(Each([0.5] * 4, [0] * 4), rows).metrics()["winner"] == 0.5  # type: ignore[arg-type]


def test_without_a_value_head_there_is_no_winner() -> None:
    class Policy(Oracle):
        def evaluate_planes(
            self, planes: np.ndarray, komi: np.ndarray, symmetries: int = 1, profiles: np.ndarray | None = None
        ) -> Evaluation:
            return super().evaluate_planes(planes, komi)._replace(winrate=None, lead=None)

    rows = Rows([1], [1], [[0, 1, 4]])
    metrics = examination.examine(Policy([0.1, 0.9]), rows).metrics()  # type: ignore[arg-type]
    assert set(metrics) == {"top1", "top5", "cross_entropy", "tested"}


def verdicts(count: int = 1000) -> examination.Verdicts:
    """An oracle whose chances are true, asked at 0 to 199 stones."""
    rng = np.random.default_rng(1)
    winrate = rng.uniform(size=count)
    return examination.Verdicts(
        stones=np.arange(count) % 200, place=np.arange(count) % 10, nats=np.ones(count),
        won=(rng.uniform(size=count) < winrate).astype(float), judged=np.ones(count, bool), winrate=winrate,
        lead_error=np.full(count, NAN),
    )  # fmt: skip


def test_phases_take_every_position_once() -> None:
    found = verdicts().phases()
    assert [stones for stones, _ in found] == [range(n, n + 40) for n in range(0, 200, 40)]
    assert all(part.stones.min() == stones.start and part.stones.max() == stones.stop - 1 for stones, part in found)
    assert sum(len(part.place) for _, part in found) == 1000


def test_true_chances_are_calibrated() -> None:
    chance, won, count = verdicts(20_000).calibration()
    assert count.sum() == 20_000
    assert np.abs(chance - won).max() < 0.05
    assert np.all(np.diff(chance) > 0)


def test_a_picture_shows_as_many_panels_as_there_are_figures() -> None:
    assert len(examination.picture(verdicts()).axes) == 3
    silent = verdicts()
    silent.judged[:] = False
    assert len(examination.picture(silent).axes) == 1


@torch.inference_mode()
def test_symmetries_are_averaged_and_turned_back() -> None:
    judge = Evaluator(policy.build(PolicyConfig(blocks=1, channels=16, value=True), seed=3), torch.device("cpu"))
    board = Board(5)
    for point in (7, 3, 12, 20):
        board.play(board.to_move, point)

    class Turned:
        """The same position and move, seen from each side."""

        def __len__(self) -> int:
            return 8

        def batch(self, first: int, count: int) -> tuple[np.ndarray, ...]:
            from gocnn.go.symmetry import point_maps

            planes = np.stack([of_board(board, judge.plane_set, symmetry=turn) for turn in range(8)])
            moves = point_maps(5)[:, 8].astype(np.int64)
            return planes, moves, np.tile(np.array([2.5, 1, NAN], np.float32), (8, 1))

    plain = examination.examine(judge, Turned())
    mean = examination.examine(judge, Turned(), symmetries=8)
    assert np.ptp(plain.nats) > 1e-3, "a network that is not symmetric itself"
    assert np.ptp(mean.nats) < 1e-5 and np.ptp(mean.winrate) < 1e-5
    assert np.exp(-mean.nats[0]) == pytest.approx(np.exp(-plain.nats).mean(), rel=1e-4)
