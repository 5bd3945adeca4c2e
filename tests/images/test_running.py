"""One run of an image network: its file, its card, and what a resumed run must have the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from gocnn import checkpoint, training
from gocnn.images import running
from gocnn.images.recipes import Pictures


def train(out: Path, **more: Any) -> training.Metrics:
    """Four steps of a linear network on random pictures."""
    rng = np.random.default_rng(0)
    source = Pictures(rng.integers(0, 256, (32, 4, 4), np.uint8), rng.integers(0, 3, 32))
    settings = training.TrainingConfig(samples=32, batch=8, optimizer="adamw", precision="fp32")
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))

    def save(path: Path, model: nn.Module, card: dict[str, Any]) -> None:
        checkpoint.save(path, "linear", {"card": card}, model.state_dict())

    return running.train(out, model, settings, source, lambda model: {"norm": float(model[1].weight.norm())}, save,
                         identity={"network": "linear"}, device="cpu", **more)  # fmt: skip


def test_the_card_says_what_is_known_of_a_run(tmp_path: Path) -> None:
    metrics = train(tmp_path / "run" / "inner")
    saved = checkpoint.load(tmp_path / "run" / "inner" / "network.safetensors", "linear")
    card = saved.meta["card"]
    assert card["training"] == {"network": "linear"} and card["samples"] == 32 and card["seconds"] > 0
    assert card["metrics"] == metrics == {"norm": pytest.approx(float(saved.tensors["1.weight"].norm()))}
    with pytest.raises(ValueError, match="--resume"):
        train(tmp_path / "run" / "inner")


def test_a_run_is_resumed_only_from_the_weights_that_it_began_with(tmp_path: Path) -> None:
    (tmp_path / "begin").write_bytes(b"weights")
    train(tmp_path / "run", init=tmp_path / "begin")
    train(tmp_path / "run", init=tmp_path / "begin", resume=True)
    with pytest.raises(checkpoint.CheckpointError, match="init was begin"):
        train(tmp_path / "run", resume=True)


def test_a_run_whose_identity_has_an_init_of_none_can_be_resumed(tmp_path: Path) -> None:
    """Those of earlier versions have it."""
    train(tmp_path / "run")
    path = tmp_path / "run" / "checkpoint.safetensors"
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["gocnn"])
        tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 - not a dict
    header["meta"]["identity"]["init"] = None
    save_file(tensors, path, {"gocnn": json.dumps(header)})
    train(tmp_path / "run", resume=True)
