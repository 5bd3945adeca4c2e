"""Who is playing: read, found in records, learned, and asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import train
from engine.policy import PolicyError, load_network
from gocnn import policy, training
from gocnn.device import Process
from gocnn.evaluator import Evaluator
from gocnn.examination import examine
from gocnn.go import BLACK, WHITE, Board
from gocnn.go.coords import gtp_to_point
from gocnn.go.planes import PLANE_SETS
from gocnn.policy import PolicyConfig
from gocnn.profile import ERAS, HIDDEN, RANKS, UNKNOWN, Profile, eras, ranks
from gocnn.targets import informed, policy_and_value_loss
from sgf_data.dataset import Positions, Selection
from sgf_data.evaluate_command import evaluate
from sgf_data.store import MoveTable, open_store, store_writer, to_batch
from tests.sgf_data.test_dataset import random_game

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("text", "rank", "era"),
    [
        ("2d", "2d", 0), ("12K", "12k", 0), ("9p", "pro", 0), ("pro", "pro", 0), ("1935", "unknown", 1930),
        ("pro 1850", "pro", 1800), ("1650 9p", "pro", 100), ("unknown", "unknown", 0), ("2031", "unknown", 2020),
    ],
)  # fmt: skip
def test_a_player_is_a_rank_a_year_or_both(text: str, rank: str, era: int) -> None:
    found = Profile.read(text)
    assert (RANKS[found.rank], ERAS[found.era]) == (rank, era)


@pytest.mark.parametrize("text", ["", "strong", "2d 3d", "1930 1940", "31k", "10d", "2d 1930 x"])
def test_other_words_are_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="no player is known as"):
        Profile.read(text)


@given(st.integers(0, len(RANKS) - 1), st.integers(0, len(ERAS) - 1))
def test_a_profile_reads_what_it_writes(rank: int, era: int) -> None:
    profile = Profile(rank, era)
    assert Profile.read(str(profile)) == profile


def test_ranks_and_eras_by_number() -> None:
    assert [RANKS[n] for n in ranks(["9p", "1p", "5d", "30k", "", "Meijin", "unknown"])] == [
        "pro", "pro", "5d", "30k", "unknown", "unknown", "unknown",
    ]  # fmt: skip
    assert [ERAS[n] for n in eras(np.array([0, 1690, 1700, 1899, 1900, 1999, 2026]))] == [
        0, 100, 1700, 1800, 1900, 1990, 2020,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> MoveTable:
    """Games of 2-dans as Black against professionals, half of them of 1936 and half of 2016; one says nothing."""
    games = [random_game(seed, black_rank="2d", white_rank="7p", year=1936 if seed % 2 else 2016) for seed in range(20)]
    path = tmp_path_factory.mktemp("store") / "games.arrow"
    with store_writer(path) as writer:
        writer.write(to_batch([*games, random_game(20)]))
    return open_store(path).moves()


def test_a_position_has_the_profile_of_the_player_to_move(table: MoveTable) -> None:
    source = Positions(table, PLANE_SETS["full"], Selection(9), shuffle=False, augment=False, profiles=True)
    _, _, told = source.batch(0, len(source))
    first = int(table.offsets[1])
    colours = table.colours[:first]
    rank = np.where(colours == BLACK, RANKS.index("2d"), np.where(colours == WHITE, RANKS.index("pro"), -1))
    assert (told[:first, 0] == rank).all() and (told[:first, 1] == ERAS.index(2010)).all()
    assert (told[-1] == 0).all()


def test_some_profiles_are_hidden_from_a_network_that_learns(table: MoveTable) -> None:
    source = Positions(table, PLANE_SETS["full"], Selection(9), profiles=True, seed=4)
    _, _, told = source.batch(0, 8000)
    full = Positions(table, PLANE_SETS["full"], Selection(9), shuffle=False, augment=False, profiles=True)
    known = np.count_nonzero(full.batch(0, len(full))[2][:, 0]) / len(full)
    for part in (0, 1):
        assert np.mean(told[:, part] > 0) == pytest.approx(known * (1 - 1 / HIDDEN), abs=0.02)
    both = np.mean((told > 0).all(1))
    assert both == pytest.approx(known * (1 - 1 / HIDDEN) ** 2, abs=0.02)
    assert (source.batch(100, 50)[2] == told[100:150]).all()


def taught(*, value: bool = False, channels: int = 16) -> policy.ConvPolicy:
    """A network whose profiles are not all alike."""
    model = policy.build(PolicyConfig(blocks=1, channels=channels, value=value, profiles=True), seed=1)
    assert isinstance(model, policy.ConvPolicy)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        for table in (model.profiles.rank, model.profiles.era):
            torch.nn.init.normal_(table.weight)
    return model.eval()


@pytest.mark.parametrize("value", [False, True])
def test_compiled_and_torch_trunks_are_told_the_same(value: bool) -> None:
    model = taught(value=value)
    fast, slow = Evaluator(model, CPU, torch.float32), Evaluator(model, CPU, torch.float32)
    assert fast._trunk is not None
    slow._trunk = None
    board = Board(9)
    board.play(BLACK, 40)
    planes = np.stack([fast._planes([board], 0)[0]] * 3)
    told = np.array([[0, 0], [RANKS.index("2d"), 3], [RANKS.index("pro"), 0]])
    here, there = (judge.evaluate_planes(planes, np.zeros(3, np.float32), 2, told) for judge in (fast, slow))
    np.testing.assert_allclose(here.policy, there.policy, atol=1e-5)
    assert np.abs(here.policy[0] - here.policy[1]).max() > 1e-3
    alone = Evaluator(model, CPU, torch.float32, profile=Profile(RANKS.index("2d"), 3))
    np.testing.assert_allclose(alone.policy([board], 2)[0], here.policy[1], atol=1e-6)
    np.testing.assert_allclose(fast.policy([board], 2)[0], here.policy[0], atol=1e-6)


def test_a_network_without_profiles_refuses_them(tmp_path: Path) -> None:
    plain = policy.build(PolicyConfig(blocks=1, channels=16), seed=1)
    with pytest.raises(ValueError, match="cannot play like 2d"):
        Evaluator(plain, CPU, profile=Profile.read("2d"))
    policy.save(tmp_path / "plain.safetensors", plain.config, plain, {})
    with pytest.raises(PolicyError, match="not taught who plays"):
        load_network(tmp_path / "plain.safetensors", Profile.read("2d"))
    with pytest.raises(ValueError, match="convolutional"):
        PolicyConfig(kind="dense", profiles=True)


def test_the_network_that_ships_for_people_is_taken_when_one_is_asked_for() -> None:
    board = Board(19)
    for vertex in ("Q16", "D4", "Q3", "D17", "R14"):
        board.play(board.to_move, gtp_to_point(vertex, 19))
    novice, master = (Evaluator.load(device="cpu", profile=Profile.read(who)) for who in ("1d", "pro 2020"))
    said = [judge.policy([board])[0] for judge in (novice, master)]
    assert all(judge.has_profiles and judge.has_value for judge in (novice, master))
    assert 0.02 < np.abs(said[0] - said[1]).sum() < 1
    assert not Evaluator.load(device="cpu").has_profiles


def test_a_plain_network_becomes_one_with_profiles_that_change_nothing() -> None:
    plain = policy.build(PolicyConfig(blocks=1, channels=8), seed=1).eval()
    model = policy.build(PolicyConfig(blocks=1, channels=8, profiles=True), seed=2).eval()
    policy.take_weights(model, plain)
    planes = torch.zeros(1, plain.config.input_planes, 9, 9)
    torch.testing.assert_close(model(planes, torch.tensor([[3, 4]])), plain(planes))


class TwoManners:
    """Empty boards on which 1-dans play at point 20 and professionals at 60."""

    def __len__(self) -> int:
        return 64

    def batch(self, first: int, count: int) -> tuple[np.ndarray, ...]:
        pro = (np.arange(first, first + count) // 2) % 2 == 1
        planes = np.zeros((count, len(PLANE_SETS["full"]), 9, 9), np.int8)
        planes[:, [name.startswith("ones") for name in PLANE_SETS["full"].planes]] = 1
        told = np.stack([np.where(pro, RANKS.index("pro"), RANKS.index("1d")), np.zeros(count)], 1).astype(np.int64)
        outcomes = np.full((count, 3), np.nan, np.float32)
        return planes, np.where(pro, 60, 20), outcomes, told


def test_a_network_learns_who_plays_how(tmp_path: Path) -> None:
    model = policy.build(PolicyConfig(blocks=1, channels=16, value=True, profiles=True), seed=0)
    config = training.TrainingConfig(samples=32 * 60, batch=32, ema=0.5, precision="fp32", validate_minutes=60)
    run = training.Run(tmp_path, model, config, Process(0, 1, CPU), loss=informed(policy_and_value_loss(1.0, 0.5)))

    def right(model: torch.nn.Module) -> dict[str, float]:
        judge = Evaluator(model, CPU, torch.float32)  # type: ignore[arg-type]
        return examine(judge, TwoManners(), profiles=True).metrics()

    assert run.train(TwoManners(), right)["top1"] > 0.95
    for name, point in (("1d", 20), ("pro", 60)):
        judge = Evaluator(run.ema.module, CPU, torch.float32, profile=Profile.read(name))
        assert judge.policy([Board(9)])[0].argmax() == point
    unknown = Evaluator(run.ema.module, CPU, torch.float32, profile=UNKNOWN).policy([Board(9)])[0]
    assert set(np.argsort(unknown)[-2:]) == {20, 60}


def test_from_a_store_to_a_network_that_plays_like_somebody(tmp_path: Path) -> None:
    store = tmp_path / "games.arrow"
    games = [random_game(seed, black_rank="2d", white_rank="7p", year=1936) for seed in range(60)]
    with store_writer(store) as writer:
        writer.write(to_batch(games))
    runner = CliRunner()
    words = ["--data", str(store), "--size", "9", "--preset", "b2c32", "--profiles", "--positions", "256"]
    done = runner.invoke(train.main, [*words, "-o", str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    network = str(tmp_path / "run" / "network.safetensors")
    for options, said in (([], "told who plays"), (["--profile", "pro 1936"], "told that pro 1930 plays")):
        done = runner.invoke(evaluate, [network, "--val", str(store), "--size", "9", *options])
        assert done.exit_code == 0 and said in done.output, done.output
    done = runner.invoke(evaluate, [network, "--val", str(store), "--size", "9", "--profile", "strong"])
    assert done.exit_code == 1 and "no player is known as 'strong'" in done.output
    assert load_network(Path(network), Profile.read("2d")).policy([Board(9)]).shape == (1, 82)
