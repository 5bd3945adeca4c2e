"""Learning from another network: what a teacher adds to the moves of the records."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from gocnn import checkpoint, policy
from gocnn.evaluator import Evaluator
from gocnn.go import Board
from gocnn.go.planes import PLANE_SETS, of_board
from gocnn.policy import PolicyConfig
from gocnn.teacher import VIEWS, Taught, check_fit
from tests.training_support import build_store, train_words

PASS = 81
CPU = torch.device("cpu")


class Moves:
    """Six boards of some stones, the move that was played on each, and a number to tell them apart."""

    played = (3, 80, PASS, -100, 40, -100)

    def __init__(self, planes: str = "full") -> None:
        self.boards = [Board(9) for _ in self.played]
        for board, seed in zip(self.boards, range(6)):
            for point in np.random.default_rng(seed).permutation(81)[:8].tolist():
                board.play(board.to_move, point)
        self.pupil = PolicyConfig(planes=planes)

    def __len__(self) -> int:
        return len(self.played)

    def batch(self, first: int, count: int) -> tuple[np.ndarray, ...]:
        chosen = [number % len(self) for number in range(first, first + count)]
        planes = np.stack([of_board(self.boards[number], PLANE_SETS[self.pupil.planes]) for number in chosen])
        return planes, np.array([self.played[number] for number in chosen]), np.array(chosen)


def teacher(planes: str = "full") -> Evaluator:
    return Evaluator(policy.build(PolicyConfig(blocks=1, channels=16, planes=planes), 3), CPU, torch.float32)


def test_the_target_is_the_move_and_what_the_teacher_says_of_another_view() -> None:
    source, judge = Moves(), teacher()
    planes, targets, numbers = Taught(source, source.pupil, judge, 0.25).batch(2, 9)
    assert np.array_equal(planes, source.batch(2, 9)[0])
    for row, number in enumerate(numbers.tolist()):
        view = 1 + (2 + row) % VIEWS
        if source.played[number] < 0:
            assert not targets[row].any()  # a game of which only the end is learned
            continue
        expected = 0.25 * judge.evaluate([source.boards[number]], symmetry=view).policy[0]
        expected[source.played[number]] += 0.75
        assert targets[row] == pytest.approx(expected, abs=1e-6)
        assert targets[row].sum() == pytest.approx(1, abs=1e-5)


def test_all_views_but_the_pupils_own_have_their_turn() -> None:
    source, judge = Moves(), teacher()
    planes = np.repeat(source.batch(0, 1)[0], VIEWS, axis=0)
    asked = Taught(source, source.pupil, judge, 1.0).opinions(planes, 1 + np.arange(VIEWS) % VIEWS)
    own = judge.evaluate([source.boards[0]]).policy[0]
    differ = [float(np.abs(row - own).max()) for row in asked]
    assert min(differ) > 1e-5  # a network of random weights sees no board like its mirror image
    assert len({row.tobytes() for row in asked}) == VIEWS


def test_a_teacher_may_see_less_than_its_pupil_but_not_more() -> None:
    source, less = Moves("ladders"), teacher("history")
    check_fit(less.model.config, source.pupil, 9)
    targets = Taught(source, source.pupil, less, 1.0).batch(0, 1)[1]
    assert targets[0] == pytest.approx(less.evaluate([source.boards[0]], symmetry=1).policy[0], abs=1e-6)
    with pytest.raises(ValueError, match=r"planes \('ladders'\) .* lacks \('history'\)"):
        check_fit(PolicyConfig(planes="ladders"), PolicyConfig(planes="history"), 9)
    with pytest.raises(ValueError, match="on 13x13 boards only"):
        check_fit(PolicyConfig(kind="dense", board_size=13), PolicyConfig(), 9)


def test_a_teacher_is_told_who_plays_if_its_pupil_is() -> None:
    config = PolicyConfig(blocks=1, channels=16, profiles=True)
    model = policy.build(config, 3)
    torch.nn.init.normal_(model.profiles.rank.weight)  # type: ignore[union-attr, arg-type]
    judge, source = Evaluator(model, CPU, torch.float32), Moves()

    class Known(Moves):
        def batch(self, first: int, count: int) -> tuple[np.ndarray, ...]:
            return *super().batch(first, count), np.full((count, 2), 2)

    told = Taught(Known(), config, judge, 1.0).batch(0, 1)[1]
    boards = source.batch(0, 1)[0]
    for profiles in (np.full((1, 2), 2), None):
        asked = Taught(source, source.pupil, judge, 1.0).opinions(boards, np.array([1]), profiles)
        assert np.allclose(told, asked, atol=1e-6) == (profiles is not None)


def test_a_broken_teacher_is_named() -> None:
    model = policy.build(PolicyConfig(blocks=1, channels=16), 3)
    with torch.no_grad():
        model.head.points.weight.fill_(float("nan"))  # type: ignore[union-attr]
    source = Moves()
    with pytest.raises(ValueError, match="weights are broken"):
        Taught(source, source.pupil, Evaluator(model, CPU, torch.float32), 0.5).batch(0, 4)


def test_a_pupil_comes_nearer_to_its_teacher_than_one_that_has_none(tmp_path: Path) -> None:
    import train

    store = build_store(tmp_path)
    wise = tmp_path / "teacher.safetensors"
    config = PolicyConfig(blocks=1, channels=16)
    policy.save(wise, config, policy.build(config, 9), {})
    runs = {"alone": (), "taught": ("--teacher", str(wise), "--teacher-share", "1")}
    for name, words in runs.items():
        done = CliRunner().invoke(train.main, train_words(store, tmp_path / name, "--lr", "0.01", *words))
        assert done.exit_code == 0, done.output

    board = Board(19)
    says = Evaluator.load(wise).policy([board])[0]
    nats = {}
    for name in runs:
        pupil = Evaluator.load(tmp_path / name / "network.safetensors").policy([board])[0]
        nats[name] = float((says * np.log(says / pupil)).sum())
    assert nats["taught"] < nats["alone"] / 2

    card = checkpoint.load(tmp_path / "taught" / "network.safetensors").meta["card"]["training"]
    assert (card["teacher"], card["teacher_share"]) == (checkpoint.signature(wise), 1.0)
    other = train_words(store, tmp_path / "taught", "--lr", "0.01", "--teacher", str(wise), "--resume")
    refused = CliRunner().invoke(train.main, other)
    assert refused.exit_code == 1 and "teacher_share was 1.0, now 0.5" in refused.output
    less = train_words(store, tmp_path / "less", "--planes", "history", "--teacher", str(wise))
    refused = CliRunner().invoke(train.main, less)
    assert refused.exit_code == 1 and f"Error: {wise}: it looks at planes" in refused.output
    assert not (tmp_path / "less").exists()
    alone = CliRunner().invoke(train.main, train_words(store, tmp_path / "less", "--teacher-share", "0.9"))
    assert alone.exit_code == 2 and "--teacher-share needs --teacher" in alone.output
