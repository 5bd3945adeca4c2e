"""Training in processes of its own: killed, interrupted, without a compiler, and several of them as one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

import train
from gocnn import checkpoint
from tests.training_support import POSITIONS, ROOT, build_store, train_words


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_store(tmp_path_factory.mktemp("games"))


def in_a_process(*words: str) -> list[str]:
    return [sys.executable, str(ROOT / "train.py"), *words]


def network_of(folder: Path) -> dict[str, torch.Tensor]:
    return checkpoint.load(folder / "network.safetensors", "policy").tensors


@pytest.mark.slow
def test_a_run_killed_at_any_moment_ends_with_the_weights_of_an_uninterrupted_one(store: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    threads = str(torch.get_num_threads())  # sums in other parts would be other sums
    process = subprocess.Popen(
        in_a_process(*train_words(store, killed)), cwd=ROOT, stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": threads},
    )  # fmt: skip
    while not (killed / "checkpoint.safetensors").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    steps = checkpoint.load(killed / "checkpoint.safetensors", "training").meta["progress"]["step"]
    assert 0 < steps < POSITIONS // 16
    for words in (train_words(store, whole), train_words(store, killed, "--resume")):
        done = CliRunner().invoke(train.main, words)
        assert done.exit_code == 0, done.output
    one, two = network_of(whole), network_of(killed)
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def test_a_run_whose_terminal_is_closed_is_saved(store: Path, tmp_path: Path) -> None:
    run, (terminal, inside) = tmp_path / "run", os.openpty()
    words = train_words(store, run, "--positions", "10000000", "--checkpoint-minutes", "100")
    process = subprocess.Popen(
        [sys.executable, "-m", "gocnn", "train", *words],
        cwd=ROOT, stdin=inside, stdout=inside, stderr=inside, start_new_session=True,
    )  # fmt: skip
    os.close(inside)
    said = b""
    while b"Learning from" not in said:
        said += os.read(terminal, 1 << 16)
    give_up = time.monotonic() + 60
    while not (run / "checkpoint.safetensors").exists() and time.monotonic() < give_up:
        time.sleep(0.1)  # it is written after the first step
    time.sleep(1)
    os.close(terminal)
    process.send_signal(signal.SIGHUP)
    process.wait(60)
    assert checkpoint.load(run / "network.safetensors", "policy").meta["card"]["samples"] > 0
    assert checkpoint.load(run / "checkpoint.safetensors", "training").meta["progress"]["step"] > 1


@pytest.mark.slow
def test_ctrl_c_saves_and_a_folder_in_use_is_not_overwritten(store: Path, tmp_path: Path) -> None:
    words = train_words(store, tmp_path / "run", "--positions", "10000000", "--checkpoint-minutes", "100")
    process = subprocess.Popen(in_a_process(*words), cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    for line in process.stderr:
        if "Learning from" in line:
            break
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "add --resume to go on" in told
    assert (tmp_path / "run" / "checkpoint.safetensors").exists()
    card = checkpoint.load(tmp_path / "run" / "network.safetensors", "policy").meta["card"]
    assert card["samples"] > 0, "what has been learned can be played with"
    again = CliRunner().invoke(train.main, words)
    assert again.exit_code == 1 and "holds a run already: add --resume" in again.output


def test_what_cannot_be_compiled_is_one_line(store: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        in_a_process(*train_words(store, tmp_path / "run", "--compile", "--positions", "64")),
        cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "CXX": str(tmp_path / "no-compiler"), "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache")},
    )  # fmt: skip
    assert done.returncode == 1 and "leave --compile out: InvalidCxxCompiler" in done.stderr
    assert "Traceback" not in done.stderr


#: Trains a network without batch norm, whose gradients are means over samples, on samples that depend on nothing but
#: their number.
PROGRAM = """
import sys
from pathlib import Path

import gocnn
import numpy as np
import torch
from torch import nn

from gocnn import training
from gocnn.device import processes


class Numbered:
    def __len__(self):
        return 512

    def batch(self, first, count):
        each = [np.random.default_rng(number).normal(0, 1, (1, 4, 4)) for number in range(first, first + count)]
        return np.stack(each).astype(np.float32), np.arange(first, first + count) % 4


torch.manual_seed(0)
network = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(128, 4))
with processes("cpu") as here:
    config = training.TrainingConfig(samples=320, batch=32 // here.world, lr=0.01, precision="fp32")
    run = training.Run(Path(sys.argv[1]), network, config, here)
    run.train(Numbered(), lambda model: {})
"""

#: Threads that outlive the processes' group abort Python on its way out, now and then.
THREADS = """
threads = [file.read_text() for file in Path("/proc/self/task").glob("*/comm")]
assert not any("gloo" in name for name in threads), threads
"""

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def run(command: list[str], env: dict[str, str]) -> str:
    """What a program that must succeed prints; else the test fails with what it says of its errors."""
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_of_both_their_samples(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM + THREADS)
    weights = []
    for name, launch in (("one", [sys.executable]), ("two", TORCHRUN)):
        folder = tmp_path / name
        folder.mkdir()
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        run([*launch, str(program), str(folder)], env=environment)
        saved = checkpoint.load(folder / "checkpoint.safetensors", "training")
        assert saved.meta["progress"]["step"] == 10
        weights.append({name: tensor for name, tensor in saved.tensors.items() if name.startswith("model.")})
    for name, tensor in weights[0].items():
        torch.testing.assert_close(weights[1][name], tensor, rtol=1e-4, atol=1e-5)


#: Goes on from the folder of its rank, and says why it does not.
RESUMING = (
    PROGRAM.split("with processes")[0]
    + """
with processes("cpu") as here:
    config = training.TrainingConfig(samples=320, batch=32 // here.world, lr=0.01, precision="fp32")
    run = training.Run(Path(sys.argv[1 + here.rank]), network, config, here)
    try:
        run.begin(True)
    except training.checkpoint.CheckpointError as error:
        said = str(error)
    else:
        said = f"goes on from {run.progress.step}"
    # By one call: what two processes print in pieces comes out mixed.
    sys.stdout.write(said + "\\n")
"""
)


@pytest.mark.slow
def test_processes_go_on_from_one_checkpoint_or_none(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    later, earlier = tmp_path / "later", tmp_path / "earlier"
    later.mkdir()
    run([*TORCHRUN, str(program), str(later)], env=environment)
    earlier.mkdir()
    saved = checkpoint.load(later / "checkpoint.safetensors", "training")
    meta = {**saved.meta, "progress": {**saved.meta["progress"], "step": 5}}
    checkpoint.save(earlier / "checkpoint.safetensors", "training", meta, saved.tensors)
    program.write_text(RESUMING)
    for second, refusals in ((later, 0), (earlier, 1)):
        words = [*TORCHRUN, str(program), str(later), str(second)]
        said = run(words, env=environment)
        assert said.count("all need the same checkpoint") == refusals, said
        assert said.count("goes on from 10") == 2 - refusals


@pytest.mark.slow
def test_the_recipe_runs_in_two_processes(store: Path, tmp_path: Path) -> None:
    words = train_words(store, tmp_path / "run", "--positions", "160")
    command = [*TORCHRUN, str(ROOT / "train.py"), *words]
    run(command, env={**os.environ, "OMP_NUM_THREADS": "1"})
    card = checkpoint.load(tmp_path / "run" / "network.safetensors", "policy").meta["card"]
    assert card["samples"] == 160
    assert 0 < card["metrics"]["cross_entropy"] < 6.5
