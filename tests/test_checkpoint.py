"""Checkpoints: what is written is read back, nothing is run, and anything else is refused with a sentence."""

from __future__ import annotations

import pickle

import pytest
import safetensors.torch
import torch

from gocnn import checkpoint, policy
from gocnn.checkpoint import CheckpointError


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "net.safetensors"
    config = policy.preset("b2c32")
    model = policy.build(config, seed=1)
    policy.save(path, config, model, {"data": "none"})
    return path, model


def test_a_signature_tells_the_file_and_not_where_it_lies(saved, tmp_path):
    path, _ = saved
    copy = tmp_path / "elsewhere" / path.name
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())
    name, digest = checkpoint.signature(path).split(" ")
    assert checkpoint.signature(copy) == f"{name} {digest}" and name == "net.safetensors" and len(digest) == 12
    copy.write_bytes(path.read_bytes() + b" ")
    assert checkpoint.signature(copy).startswith(f"{name} ")
    assert checkpoint.signature(copy) != checkpoint.signature(path)


def test_a_network_comes_back_with_the_same_weights_and_answers(saved):
    path, model = saved
    again = policy.load(path)
    planes = torch.rand(2, 20, 9, 9)
    assert again.config == model.config
    assert torch.equal(model.eval()(planes), again(planes))


def test_only_the_finished_file_is_left(saved):
    path, _ = saved
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_failed_write_leaves_the_old_file(saved, monkeypatch):
    path, model = saved
    before = path.read_bytes()

    def full_disk(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="no space"):
        policy.save(path, model.config, model, {})
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("length", [0, 3, 8, 100, 5000])
def test_a_cut_off_file_is_refused_by_name(saved, length):
    path, _ = saved
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(CheckpointError, match=r"net\.safetensors: not a checkpoint, or a damaged one"):
        policy.load(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="no such file"):
        policy.load(tmp_path / "absent")


class _Evil:
    def __reduce__(self):
        return exec, ("raise SystemExit('code was run')",)


def test_a_pickle_is_refused_and_not_run(tmp_path):
    path = tmp_path / "evil.pt"
    path.write_bytes(pickle.dumps(_Evil()))
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        policy.load(path)
    torch.save({"a": torch.ones(1)}, path)
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        policy.load(path)


def test_anothers_safetensors_is_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    safetensors.torch.save_file({"a": torch.ones(1)}, path)
    with pytest.raises(CheckpointError, match="not one of gocnn's"):
        policy.load(path)


def test_another_kind_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    checkpoint.save(path, "training", {}, {"a": torch.ones(1)})
    with pytest.raises(CheckpointError, match="holds a 'training' checkpoint, not 'policy'"):
        policy.load(path)


def test_weights_that_do_not_fit_are_refused(saved):
    path, model = saved
    checkpoint.save(path, "policy", {"config": policy.preset("b4c48").to_dict(), "card": {}}, model.state_dict())
    with pytest.raises(CheckpointError, match="do not fit"):
        policy.load(path)


def test_a_newer_format_is_refused(saved, monkeypatch):
    path, model = saved
    monkeypatch.setattr(checkpoint, "FORMAT_VERSION", 2)
    policy.save(path, model.config, model, {})
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match="written in format 2"):
        policy.load(path)
