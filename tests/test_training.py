"""The training loop and the commands around it: it learns, resumes, and says what is wrong."""

from __future__ import annotations

import csv
import os
import re
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import matplotlib.image
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from engine.selfplay_command import selfplay
from gocnn import checkpoint, training
from gocnn.batches import Mixture, Prefetcher
from gocnn.device import Process, memory_format, named_device, precision
from sgf_data.commands import data
from sgf_data.evaluate_command import evaluate
from sgf_data.store import open_store
from tests.training_support import ROOT, build_store, train_words

CPU = Process(0, 1, torch.device("cpu"))
SHIPPED = str(ROOT / "gocnn" / "weights" / "policy-b6c64.safetensors")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_store(tmp_path_factory.mktemp("games"))


class Stripes:
    """A task a small network learns at once: which of four rows of an image is lit."""

    def __len__(self) -> int:
        return 512

    def batch(self, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(first)
        targets = rng.integers(0, 4, count)
        images = rng.normal(0, 0.3, (count, 1, 4, 4)).astype(np.float32)
        images[np.arange(count), 0, targets] += 1
        return images, targets


def small_network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(128, 4))


def config(**changes: object) -> training.TrainingConfig:
    return training.TrainingConfig(**{"samples": 6400, "batch": 32, "lr": 0.01, "precision": "fp32", **changes})


def stopped_after(run: training.Run, samples: int) -> training.Run:
    """The same run, asked to stop as by `kill` once it has seen so many samples."""
    step = run.step

    def step_and_stop(*batch: torch.Tensor) -> torch.Tensor:
        loss = step(*batch)
        if run.samples == samples:
            os.kill(os.getpid(), signal.SIGTERM)
        return loss

    run.step = step_and_stop  # type: ignore[method-assign]
    return run


def test_it_learns_and_writes_what_it_promises(tmp_path):
    run = training.Run(tmp_path, small_network(), config(), CPU)
    metrics = run.train(Stripes(), lambda model: training.classify(model, Stripes(), CPU.device))
    assert metrics["top1"] > 0.95
    assert metrics["tested"] == 512
    assert run.samples == 6400
    assert {p.name for p in tmp_path.iterdir()} == {"checkpoint.safetensors", "log.csv", "curves.png"}
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert float(rows[-1]["top1"]) == metrics["top1"]
    assert rows[-1]["samples"] == "6400"
    assert rows[-1]["tested"] == "512"


def test_a_test_that_is_broken_off_costs_no_training(tmp_path):
    run = training.Run(tmp_path, small_network(), config(validate_minutes=0.0, checkpoint_minutes=100.0), CPU)

    def validate(model: nn.Module) -> training.Metrics:
        if run.progress.step == 7:
            raise KeyboardInterrupt
        return {}

    with pytest.raises(KeyboardInterrupt):
        run.train(Stripes(), validate)
    saved = checkpoint.load(tmp_path / "checkpoint.safetensors", "training")
    assert saved.meta["progress"]["step"] == 7


def test_classify_counts_right_answers(tmp_path):
    class Oracle(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 100 * x.mean((1, 3))

    metrics = training.classify(Oracle(), Stripes(), CPU.device, count=100, batch=32)
    assert metrics == {"top1": 1.0, "top5": 1.0, "cross_entropy": pytest.approx(0, abs=1e-3), "tested": 100}


@pytest.mark.parametrize("broken", [slice(None), slice(0, 1), slice(3, 4)])
def test_what_is_no_number_is_no_right_answer(broken):
    class Broken(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            logits = torch.zeros(len(x), 4)
            logits[:, broken] = float("nan")
            return logits

    metrics = training.classify(Broken(), Stripes(), CPU.device, count=100)
    assert metrics["top1"] == metrics["top5"] == 0


def test_a_run_with_other_settings_is_not_resumed(tmp_path):
    run = training.Run(tmp_path, small_network(), config(samples=64), CPU)
    run.train(Stripes(), lambda model: {})
    other = training.Run(tmp_path, small_network(), config(samples=64, lr=0.02), CPU)
    with pytest.raises(checkpoint.CheckpointError, match=r"lr was 0.01, now 0.02"):
        other.resume()
    rarer = config(samples=64, checkpoint_minutes=60, validate_minutes=60)  # which change nothing that is learned
    training.Run(tmp_path, small_network(), rarer, CPU).resume()


def test_while_the_rate_holds_the_end_may_be_moved(tmp_path):
    """What the last share of a run has seen and done does not depend on when its end was set."""
    (tmp_path / "straight").mkdir()
    (tmp_path / "moved").mkdir()
    straight = training.Run(tmp_path / "straight", small_network(), config(samples=1280, decay=0.25, warmup=0), CPU)
    straight.train(Stripes(), lambda model: {})

    endless = training.Run(tmp_path / "moved", small_network(), config(samples=6400, decay=0.1, warmup=0), CPU)
    with pytest.raises(training.Interrupted):
        stopped_after(endless, 960).train(Stripes(), lambda model: {})
    moved = training.Run(tmp_path / "moved", small_network(), config(samples=1280, decay=0.25, warmup=0), CPU)
    moved.resume()
    moved.train(Stripes(), lambda model: {})

    for name, tensor in straight.model.state_dict().items():
        torch.testing.assert_close(moved.model.state_dict()[name], tensor, rtol=0, atol=0)


def test_a_run_that_dies_in_its_last_test_has_its_row_when_it_is_resumed(tmp_path):
    def die(model):
        raise RuntimeError("the power is out")

    run = training.Run(tmp_path, small_network(), config(samples=640, validate_minutes=100), CPU)
    with pytest.raises(RuntimeError, match="power"):
        run.train(Stripes(), die)
    again = training.Run(tmp_path, small_network(), config(samples=640, validate_minutes=100), CPU)
    again.resume()
    assert again.share_done == 1
    assert again.train(Stripes(), lambda model: {"top1": 0.5}) == {"top1": 0.5}
    assert (tmp_path / "log.csv").read_text().splitlines()[-1].endswith("0.5")
    once_more = training.Run(tmp_path, small_network(), config(samples=640, validate_minutes=100), CPU)
    once_more.resume()
    assert once_more.train(Stripes(), die) == {"top1": 0.5}, "what the log says of the last test"


def steps_of_tests(folder: Path, settings: training.TrainingConfig, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """After which steps a run is tested, whose steps take a minute each, and its tests twenty; the first is no time."""
    now, tested = 0.0, []

    def slowly(model: nn.Module) -> training.Metrics:
        nonlocal now
        tested.append(run.progress.step)
        now += 20 * 60
        return {}

    class Minutely(training.Run):
        def step(self, *batch: torch.Tensor) -> torch.Tensor:
            nonlocal now
            now += 60
            return super().step(*batch)

    monkeypatch.setattr(training, "time", SimpleNamespace(monotonic=lambda: now))
    run = Minutely(folder, small_network(), settings, CPU)
    run.train(Stripes(), slowly)
    return tested


def test_slow_tests_leave_time_to_learn_between_them(tmp_path, monkeypatch):
    settings = config(samples=40 * 32, validate_minutes=10, checkpoint_minutes=100)
    assert steps_of_tests(tmp_path, settings, monkeypatch) == [11, 21, 31, 40]


def test_tests_are_no_time_of_training(tmp_path, monkeypatch):
    settings = config(samples=None, minutes=30, validate_minutes=10, checkpoint_minutes=100)
    assert steps_of_tests(tmp_path, settings, monkeypatch) == [11, 21, 31]
    with (tmp_path / "log.csv").open() as file:
        assert [float(row["seconds"]) for row in csv.DictReader(file)] == [600, 1200, 1800]


def test_the_first_step_of_a_process_is_no_time_of_training(tmp_path, monkeypatch):
    """Compiling takes as long as many steps, and would leave no steps for the rates to rise in."""
    now = 0.0

    class Compiling(training.Run):
        compiled = False

        def step(self, *batch: torch.Tensor) -> torch.Tensor:
            nonlocal now
            now += 1 if self.compiled else 60
            self.compiled = True
            return super().step(*batch)

    monkeypatch.setattr(training, "time", SimpleNamespace(monotonic=lambda: now))
    settings = config(samples=None, minutes=0.5)
    begun = Compiling(tmp_path, small_network(), settings, CPU)
    with pytest.raises(training.Interrupted):
        stopped_after(begun, 11 * 32).train(Stripes(), lambda model: {})
    assert begun.progress.seconds == 10
    again = Compiling(tmp_path, small_network(), settings, CPU)
    again.resume()
    again.train(Stripes(), lambda model: {})
    assert (again.progress.step, again.progress.seconds) == (1 + 10 + 1 + 20, 30)


def test_a_run_that_dies_in_its_first_minutes_is_resumed(tmp_path):
    class Dying(training.Run):
        last = 0

        def step(self, *batch: torch.Tensor) -> torch.Tensor:
            if self.progress.step == self.last:
                raise RuntimeError("the power is out")
            return super().step(*batch)

    run = Dying(tmp_path, small_network(), config(checkpoint_minutes=100), CPU)
    for run.last, kept in ((0, False), (2, True)):
        run.begin(False)  # what fails at the first step, for want of memory say, leaves the folder to another attempt
        with pytest.raises(RuntimeError, match="power"):
            run.train(Stripes(), lambda model: {})
        assert run.checkpoint_path.exists() == kept
    run.begin(True)
    assert run.progress.step == 1


@pytest.mark.skipif(sys.platform != "linux", reason="has no folder that nobody can write to")
def test_a_folder_that_cannot_be_written_to_is_told_before_the_first_step():
    run = training.Run(Path("/proc"), small_network(), config(), CPU)
    with pytest.raises(OSError, match=r"'/proc/checkpoint\.safetensors'$"):
        run.begin(False)


def test_a_log_that_cannot_be_written_stops_no_run(tmp_path, capsys):
    run = training.Run(tmp_path, small_network(), config(samples=64), CPU)
    (tmp_path / "curves.png").mkdir()  # nothing can be written in its place
    assert run.train(Stripes(), lambda model: {"top1": 0.5}) == {"top1": 0.5}
    assert "log and curves are not written" in capsys.readouterr().err
    assert run.checkpoint_path.exists()


@pytest.mark.parametrize("row", ["1,32", "1", "1,32,0.5,0.01,1.4,0.5,0.5"])
def test_a_row_of_another_length_stops_no_run(tmp_path, row):
    run = training.Run(tmp_path, small_network(), config(samples=64), CPU)
    with pytest.raises(training.Interrupted):
        stopped_after(run, 32).train(Stripes(), lambda model: {})
    (tmp_path / "log.csv").write_text(f"step,samples,seconds,lr,loss,top1\n{row}\n")
    run.resume()
    assert run.train(Stripes(), lambda model: {"top1": 0.25}) == {"top1": 0.25}
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["step"], row["top1"]) for row in rows] == [("1", "0.5" if "0.5" in row else ""), ("2", "0.25")]
    assert (tmp_path / "curves.png").exists()


def test_a_log_that_is_no_log_is_named(tmp_path):
    (tmp_path / "log.csv").write_text("date;what\n1;2\n")
    run = training.Run(tmp_path, small_network(), config(samples=64), CPU)
    with pytest.raises(ValueError, match=r"log\.csv: not the log of a run"):
        run.train(Stripes(), lambda model: {})


def test_once_the_rate_falls_the_end_stays(tmp_path):
    run = training.Run(tmp_path, small_network(), config(samples=1280, decay=0.5, warmup=0), CPU)
    with pytest.raises(training.Interrupted):
        stopped_after(run, 960).train(Stripes(), lambda model: {})
    other = training.Run(tmp_path, small_network(), config(samples=6400, decay=0.5, warmup=0), CPU)
    with pytest.raises(checkpoint.CheckpointError, match="samples was 1280, now 6400"):
        other.resume()


@pytest.mark.parametrize(
    "wrong", [{"minutes": None, "samples": None}, {"minutes": 1}, {"batch": 0}, {"samples": 0}, {"decay": 0}]
)
def test_a_budget_is_needed_and_must_make_sense(wrong):
    with pytest.raises(ValueError, match=r"budget|batch|decay"):
        config(**wrong)


def test_an_error_in_the_data_reaches_the_one_who_trains():
    class Broken(Stripes):
        def batch(self, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
            raise RuntimeError("bad sector")

    with Prefetcher(Broken(), 0, 8, 8, CPU.device) as batches, pytest.raises(RuntimeError, match="bad sector"):
        batches.next()


def test_processes_draw_without_overlap():
    class Numbers(Stripes):
        def batch(self, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
            return np.zeros((count, 1)), np.arange(first, first + count)

    seen: list[int] = []
    for rank in range(2):
        with Prefetcher(Numbers(), rank * 8, 8, 16, CPU.device) as batches:
            for _ in range(4):
                seen += batches.next()[1].tolist()
    assert sorted(seen) == list(range(64))


def test_the_log_has_what_was_learned_from_beside_what_was_held_out(store, tmp_path):
    from click.testing import CliRunner

    import train

    out = tmp_path / "run"
    result = CliRunner().invoke(train.main, train_words(store, out, "--value", "--positions", "320"))
    assert result.exit_code == 0, result.output
    with (out / "log.csv").open() as file:
        last = list(csv.DictReader(file))[-1]
    for name in ("top1", "top5", "cross_entropy", "winner", "winner_nats"):
        assert float(last[name]) >= 0
        assert float(last[f"learned_{name}"]) >= 0
    assert last["cross_entropy"] != last["learned_cross_entropy"]
    assert "learned" not in result.output  # the table is for the picture, the line for the eye
    height, width = matplotlib.image.imread(out / "curves.png").shape[:2]
    assert width > 3 * height  # three panels


def test_a_loss_that_is_no_number_ends_the_run_and_spares_its_checkpoint(tmp_path):
    calls = 0

    def loss(model: nn.Module, images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return training.cross_entropy(model, images, targets) * (float("nan") if calls > 6 else 1)

    run = training.Run(tmp_path, small_network(), config(checkpoint_minutes=0), CPU, loss=loss)
    with pytest.raises(ValueError, match="the loss is nan after 7 steps: try lower learning rates"):
        run.train(Stripes(), lambda model: {})
    saved = checkpoint.load(run.checkpoint_path, "training")
    assert saved.meta["progress"]["step"] == 6
    assert all(tensor.isfinite().all() for tensor in saved.tensors.values())


def test_weights_that_are_no_numbers_end_the_run_and_spare_its_checkpoint(tmp_path):
    """The loss is that before the step, so that it does not tell yet."""

    class Burst(training.Run):
        def step(self, *batch: torch.Tensor) -> torch.Tensor:
            if self.progress.step == 9:
                self.optimizers[0].param_groups[0]["peak_lr"] = float("inf")
            return super().step(*batch)

    run = Burst(tmp_path, small_network(), config(samples=320, checkpoint_minutes=0), CPU)
    with pytest.raises(ValueError, match="the largest weight is nan after 10 steps: try lower learning rates"):
        run.train(Stripes(), lambda model: {})
    saved = checkpoint.load(run.checkpoint_path, "training")
    assert saved.meta["progress"]["step"] == 9
    assert all(tensor.isfinite().all() for tensor in saved.tensors.values())


@pytest.mark.parametrize(
    "damage",
    [{"progress": {"steps": 1}}, {"progress": None}, {"config": None}, {"config": {}}, {"identity": 3}, {"world": ()}],
)
def test_a_damaged_checkpoint_is_named(tmp_path, damage):
    run = training.Run(tmp_path, small_network(), config(samples=64), CPU)
    run.save()
    saved = checkpoint.load(run.checkpoint_path, "training")
    checkpoint.save(run.checkpoint_path, "training", saved.meta | damage, saved.tensors)
    with pytest.raises(checkpoint.CheckpointError, match=r"checkpoint\.safetensors: "):
        run.resume()
    checkpoint.save(run.checkpoint_path, "training", {}, saved.tensors)
    with pytest.raises(checkpoint.CheckpointError, match=r"checkpoint\.safetensors: "):
        run.resume()
    checkpoint.save(run.checkpoint_path, "training", saved.meta, saved.tensors | {"optimizer0.99.x": torch.ones(1)})
    with pytest.raises(checkpoint.CheckpointError, match=r"checkpoint\.safetensors: "):
        run.resume()


def test_a_validation_that_fails_costs_no_step(tmp_path):
    def fails(model: nn.Module) -> dict[str, float]:
        raise OSError("no space left")

    run = training.Run(tmp_path, small_network(), config(samples=320), CPU)
    with pytest.raises(OSError, match="no space left"):
        run.train(Stripes(), fails)
    again = training.Run(tmp_path, small_network(), config(samples=320), CPU)
    again.resume()
    assert again.samples == 320


def test_owners_of_other_games_are_no_help(store, tmp_path):
    from click.testing import CliRunner

    import train
    from sgf_data import owners

    owners.write(tmp_path / "other.owners.arrow", {1: np.ones(361, np.int8)})
    words = train_words(store, tmp_path / "run", "--positions", "16", "--value")
    done = CliRunner().invoke(train.main, [*words, "--owners", str(tmp_path / "other.owners.arrow")])
    assert done.exit_code == 2 and "other.owners.arrow: none of the games" in done.output


class Counting:
    """Samples that are their own numbers, from `start` on."""

    def __init__(self, start: int, length: int) -> None:
        self.start, self.length = start, length

    def __len__(self) -> int:
        return self.length

    def batch(self, first: int, count: int) -> tuple[np.ndarray, ...]:
        numbers = self.start + np.arange(first, first + count)
        return numbers, -numbers


@given(share=st.floats(0.01, 0.99), sizes=st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_a_mixture_misses_no_sample_and_has_its_share_however_it_is_batched(share, sizes):
    mixture = Mixture(Counting(0, 100), Counting(10**6, 100), share)
    drawn, first = [], 0
    for size in sizes:
        inputs, targets = mixture.batch(first, size)
        assert len(inputs) == size and np.array_equal(inputs, -targets)
        drawn += inputs.tolist()
        first += size
    ours = sorted(number for number in drawn if number < 10**6)
    others = sorted(number - 10**6 for number in drawn if number >= 10**6)
    assert ours == list(range(len(ours))) and others == list(range(len(others)))
    assert abs(len(others) - share * first) <= 1
    assert len(mixture) >= 100


def test_how_other_games_ended_is_learned_beside(store, tmp_path):
    from click.testing import CliRunner

    import train

    ends, owned = str(tmp_path / "ends.arrow"), str(tmp_path / "ends.owners.arrow")
    assert CliRunner().invoke(selfplay, ["--games", "3", "--opening", "400", "-o", ends]).exit_code == 0
    assert CliRunner().invoke(data, ["owners", ends]).exit_code == 0
    out = tmp_path / "run"
    words = train_words(store, out, "--value", "--outcomes", ends, "--outcomes-share", "0.5", "--owners", owned)
    begun = CliRunner().invoke(train.main, [*words, "--positions", "64"])
    assert begun.exit_code == 0 and "how 3 others ended" in begun.output, begun.output
    alone = CliRunner().invoke(train.main, train_words(store, out, "--outcomes", ends))
    assert alone.exit_code == 2 and "--outcomes needs --value" in alone.output
    weighed = CliRunner().invoke(train.main, train_words(store, out, "--value", "--owned-weight", "3"))
    assert weighed.exit_code == 2 and "--owned-weight needs --owners" in weighed.output


def test_bfloat16_is_for_processors_that_compute_in_it(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    for has in (True, False):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda has=has: has)
        assert precision("auto", torch.device("cpu")) == (torch.bfloat16 if has else torch.float32)


def test_memory_is_laid_out_as_the_device_likes_it():
    assert memory_format(torch.device("cpu")) == torch.channels_last
    assert memory_format(torch.device("mps")) == torch.contiguous_format


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "mps" if not torch.backends.mps.is_available() else "vulkan"])
def test_a_device_that_does_not_exist_is_named(name):
    with pytest.raises(ValueError, match=f"no device '{name}' here"):
        named_device(name)


def test_a_blended_network_is_tested_as_it_is_saved(store, tmp_path):
    from click.testing import CliRunner

    import train

    begun = train_words(store, tmp_path / "first", "--positions", "160")
    assert CliRunner().invoke(train.main, begun).exit_code == 0
    first = str(tmp_path / "first" / "network.safetensors")
    options = train_words(store, tmp_path / "next", "--init", first, "--blend", "0.5", "--positions", "160")
    at = options.index("--preset")
    del options[at : at + 2]
    for more in ([], ["--resume", "--blend", "0"]):
        result = CliRunner().invoke(train.main, options + more)
        assert result.exit_code == 0, result.output
        path = tmp_path / "next" / "network.safetensors"
        card = checkpoint.load(path, "policy").meta["card"]
        printed = CliRunner().invoke(
            train.main,
            ["--data", str(store), "-o", str(tmp_path / f"test{len(more)}"), "--init", str(path), "--lr", "1e-9",
             "--muon-lr", "1e-9", "--positions", "16", "--batch", "16", "--validate-positions", "64",
             "--precision", "fp32", "--seed", "4", "--device", "cpu"],
        )  # fmt: skip
        assert printed.exit_code == 0, printed.output
        again = checkpoint.load(tmp_path / f"test{len(more)}" / "network.safetensors", "policy").meta["card"]
        assert card["metrics"]["cross_entropy"] == pytest.approx(again["metrics"]["cross_entropy"], abs=0.05)
    unblended = checkpoint.load(first, "policy").meta["card"]["metrics"]
    assert card["metrics"]["cross_entropy"] == pytest.approx(unblended["cross_entropy"], abs=1e-5)
    assert card["training"]["init"] == checkpoint.signature(first)
    without = train_words(store, tmp_path / "next", "--positions", "160", "--resume")
    assert "init was" in CliRunner().invoke(train.main, without).output


def test_a_run_that_learns_who_won_is_not_resumed_with_other_results(tmp_path):
    from click.testing import CliRunner

    import train

    games = (ROOT / "sgf_data" / "samples" / "games.sgf").read_bytes()
    stores = []
    for name, text in (("right", games), ("other", games.replace(b"RE[B+", b"RE[W+"))):
        (tmp_path / f"{name}.sgf").write_bytes(text)
        stores.append(tmp_path / f"{name}.arrow")
        assert CliRunner().invoke(data, ["build", str(tmp_path / f"{name}.sgf"), "-o", str(stores[-1])]).exit_code == 0
    for more, refused in (([], False), (["--value"], True)):
        out = tmp_path / f"run{len(more)}"
        begun = train_words(stores[0], out, "--positions", "160", *more)
        assert CliRunner().invoke(train.main, begun).exit_code == 0
        other = train_words(stores[1], out, "--positions", "160", *more, "--resume")
        assert ("labels was" in CliRunner().invoke(train.main, other).output) == refused


def test_a_run_is_not_resumed_with_other_games_however_many(store, tmp_path):
    from click.testing import CliRunner

    import train

    games = (ROOT / "sgf_data" / "samples" / "games.sgf").read_bytes()
    first, second = games.index(b"(;"), games.index(b"(;", games.index(b"(;") + 1)
    stores = []
    for name, text in (("one", games), ("two", games[second:] + games[first:second])):  # the same, in another order
        (tmp_path / f"{name}.sgf").write_bytes(text)
        stores.append(tmp_path / f"{name}.arrow")
        assert CliRunner().invoke(data, ["build", str(tmp_path / f"{name}.sgf"), "-o", str(stores[-1])]).exit_code == 0
    begun = train_words(stores[0], tmp_path / "run", "--positions", "160")
    assert CliRunner().invoke(train.main, begun).exit_code == 0
    other = train_words(stores[1], tmp_path / "run", "--positions", "160", "--resume")
    assert "data was" in CliRunner().invoke(train.main, other).output
    refused = CliRunner().invoke(train.main, [*begun[:-2], "--minutes", "nan"])
    assert refused.exit_code == 2 and "nan is not a finite number" in refused.output


def test_games_without_a_counted_result_are_tested_all_the_same(tmp_path):
    from click.testing import CliRunner

    games = re.sub(rb"RE\[[^]]*\]", b"RE[B+R]", (ROOT / "sgf_data" / "samples" / "games.sgf").read_bytes())
    (tmp_path / "games.sgf").write_bytes(games)
    out = str(tmp_path / "games.arrow")
    assert CliRunner().invoke(data, ["build", str(tmp_path / "games.sgf"), "-o", out]).exit_code == 0
    done = CliRunner().invoke(evaluate, ["--val", out, "--count", "64"])
    assert done.exit_code == 0 and "winner right in" in done.output and "lead wrong" not in done.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "a budget is needed: either --minutes or --positions"),
        (("--positions", "10", "--preset", "b1"), "there is no network 'b1'"),
        *(
            (("--positions", "10", "--init", SHIPPED, "--preset", other), "--init is b6c64: --preset may add blocks")
            for other in ("b7c32", "b4c64", "dense")
        ),
        (("--positions", "10", "--init", SHIPPED, "--stem", "7"), "leave --stem"),
        (("--positions", "10", "--size", "13"), "games.arrow: no 13x13 games"),
        (("--positions", "10", "--device", "gpu"), "no device 'gpu' here"),
        (("--positions", "10", "--validate-positions", "0"), "0 is not in the range x>=1"),
        (("--positions", "10", "--years", "2020-1990"), "ends before it begins"),
        (("--positions", "10", "--ema", "1"), "1.0 is not in the range 0<=x<1"),
        *(
            (("--positions", "10", option, wrong), message)
            for option in (
                "--ema",
                "--lr",
                "--muon-lr",
                "--weight-decay",
                "--value-weight",
                "--lead-weight",
                "--owner-weight",
            )
            for wrong, message in (("-1", "-1.0 is not in the range"), ("nan", "nan is not a finite number"))
        ),
    ],
)
def test_mistakes_get_one_clear_line(store, tmp_path, options, message):
    from click.testing import CliRunner

    import train

    result = CliRunner().invoke(train.main, ["--data", str(store), "-o", str(tmp_path / "x"), *options])
    assert result.exit_code in (1, 2)
    assert message in result.output
    assert "Traceback" not in result.output


def test_a_single_game_cannot_be_learned_from_and_tested_on(tmp_path):
    from click.testing import CliRunner

    import train

    games = (ROOT / "sgf_data" / "samples" / "games.sgf").read_bytes()
    (tmp_path / "one.sgf").write_bytes(games[games.index(b"(;") : games.index(b"(;", games.index(b"(;") + 1)])
    out = str(tmp_path / "one.arrow")
    assert CliRunner().invoke(data, ["build", str(tmp_path / "one.sgf"), "-o", out]).exit_code == 0
    words = ["--data", out, "-o", str(tmp_path / "x"), "--positions", "10"]
    assert "a single game is too little" in CliRunner().invoke(train.main, words).output


def test_evaluate_tests_every_position_once(store, tmp_path):
    from click.testing import CliRunner

    from gocnn import policy

    config = policy.preset("b2c32")
    policy.save(tmp_path / "net.safetensors", config, policy.build(config, seed=1), {})
    arguments = [str(tmp_path / "net.safetensors"), "--val", str(store), "--device", "cpu"]
    result = CliRunner().invoke(evaluate, arguments)
    assert result.exit_code == 0, result.output
    positions = int(re.match(r"([\d,]+) positions", result.output).group(1).replace(",", ""))
    assert positions == open_store(store).moves().offsets[-1]
    assert 5.5 < float(re.search(r"cross-entropy ([\d.]+) nats", result.output).group(1)) < 6.5
    part = CliRunner().invoke(evaluate, [*arguments, "--count", "100"])
    assert part.output.startswith("100 positions")
    assert "no 19x19 games" in CliRunner().invoke(evaluate, [*arguments, "--years", "1800-1810"]).output
    nothing = CliRunner().invoke(evaluate, [*arguments, "--exclude", str(store)])
    assert nothing.exit_code == 1
    assert "no 19x19 games" in nothing.output
    network, _, path, *rest = arguments
    assert CliRunner().invoke(evaluate, [network, path, *rest]).output == result.output
    for words in ([], [network]):
        nowhere = CliRunner().invoke(evaluate, words)
        assert nowhere.exit_code == 2 and "Name a game store to test on" in nowhere.output
    picture = tmp_path / "accuracy.png"
    arguments += ["--count", "64", "--symmetries", "8", "--plot", str(picture)]
    drawn = CliRunner().invoke(evaluate, arguments)
    assert drawn.exit_code == 0, drawn.output
    assert "the mean of 8 symmetries" in drawn.output
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_evaluate_finds_the_games_that_a_run_held_out(store, tmp_path):
    from click.testing import CliRunner

    import train

    run = CliRunner().invoke(train.main, train_words(store, tmp_path / "run", "--positions", "16"))
    assert run.exit_code == 0, run.output
    tested = re.search(r"testing on 64 of ([\d,]+)\.", run.output)
    words = [str(tmp_path / "run" / "network.safetensors"), "--val", str(store), "--held-out", "--device", "cpu"]
    result = CliRunner().invoke(evaluate, words)
    assert tested and result.output.startswith(f"{tested[1]} positions of 3 games, "), result.output


def test_a_store_that_is_none_is_named(tmp_path):
    from click.testing import CliRunner

    import train

    path = tmp_path / "not.arrow"
    path.write_bytes(b"hello")
    result = CliRunner().invoke(train.main, ["--data", str(path), "-o", str(tmp_path / "x"), "--positions", "10"])
    assert result.exit_code == 1
    assert "not.arrow" in result.output


def test_what_can_be_done_about_an_error_is_said_and_no_more():
    import train

    with pytest.raises(RuntimeError) as found:
        torch.empty(1 << 55)
    assert "smaller --batch" in train._remedy(found.value)
    assert "smaller --batch" in train._remedy(MemoryError())
    assert train._remedy(RuntimeError("a mistake of ours")) is None


def test_large_gradients_are_clipped(tmp_path):
    def steep(model: nn.Module, *batch: torch.Tensor) -> torch.Tensor:
        return 1e4 * training.cross_entropy(model, *batch)

    run = training.Run(tmp_path, small_network(), config(), CPU, loss=steep)
    norms: list[float] = []
    step = run.optimizers[0].step

    def noted() -> None:
        norms.append(float(torch.stack([p.grad.norm() for p in run.model.parameters()]).norm()))
        step()

    run.optimizers[0].step = noted
    run.step(*map(torch.from_numpy, Stripes().batch(0, 32)))
    assert norms == [pytest.approx(1, rel=1e-3)]


def test_what_is_tested_is_the_average(tmp_path):
    run = training.Run(tmp_path, small_network(), config(samples=64), CPU)
    tested: list[nn.Module] = []
    run.train(Stripes(), lambda model: tested.append(model) or {})
    assert tested == [run.ema.module]
