"""The layer of colour filters: what it keeps and draws, its samples, and that training and loading go end to end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from gocnn import checkpoint
from gocnn.cli import main
from gocnn.images import datasets, photos, samples, sparse


def photographs(count: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (count, 8, 10, 3), np.uint8)
    return {f"{k:02}": np.repeat(np.repeat(small[k], 8, 0), 8, 1) for k in range(count)}


def test_it_has_alexnets_shape() -> None:
    model = sparse.SparseFilters()
    assert model.conv1.conv.weight.shape == (96, 3, 11, 11) and model.conv1.conv.stride == (4, 4)
    assert sum(p.numel() for p in model.parameters()) == 34944
    assert model(torch.randn(2, 3, 227, 227)).shape == (2, 363, 55, 55)


def test_a_patch_is_the_sum_of_the_five_strongest_filters() -> None:
    model = sparse.SparseFilters()
    x = torch.randn(1, 3, 19, 15)
    drawn = model(x)[0]
    assert drawn.shape == (363, 3, 2) and sparse.patches(x).shape == (1, 363, 3, 2)
    assert torch.equal(sparse.patches(x)[0, :, 2, 1], x[0, :, 8:19, 4:15].flatten())
    for row in range(3):
        for column in range(2):
            patch = x[0, :, 4 * row :, 4 * column :][:, :11, :11]
            answers = (model.conv1.conv.weight * patch).sum((1, 2, 3)).relu()
            best = answers.topk(5)
            by_hand = (best.values[:, None] * model.conv1.conv.weight[best.indices].flatten(1)).sum(0)
            assert torch.allclose(drawn[:, row, column], by_hand, atol=1e-6)


def test_strongest_keeps_as_many_as_said() -> None:
    code = torch.rand(4, 20, 3, 3) + 0.1
    kept = sparse.strongest(code, 5)
    assert ((kept > 0).sum(1) == 5).all() and torch.equal(kept[kept > 0], code[kept > 0])
    assert torch.equal(kept.amax(1), code.amax(1))


def test_samples_are_a_pure_function_of_their_numbers() -> None:
    white = [photos.whitened(p) for p in photographs(3).values()]
    source = sparse.Patches(white, seed=1)
    (whole,) = source.batch(0, 100)
    assert whole.shape == (100, 3, 11, 11) and whole.dtype == np.float32 and len(source) == 3000
    for first, count in ((0, 5), (7, 20), (15, 2), (40, 60)):
        assert np.array_equal(source.batch(first, count)[0], whole[first : first + count])
    assert not np.array_equal(sparse.Patches(white, seed=2).batch(0, 100)[0], whole)
    places = {p[:, i : i + 11, j : j + 11].tobytes() for p in white for i in range(54) for j in range(70)}
    assert all(patch.tobytes() in places for patch in whole)


def test_train_stop_and_load_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOCNN_CACHE", str(tmp_path))

    def run(*options: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["images", "train", "photos", "-o", str(tmp_path / "run"), *options])
        return done.exit_code, done.output

    assert run("--epochs", "1") == (1, f"Error: {tmp_path}/photos.safetensors: no such file; `gocnn images fetch photos` fetches photographs\n")  # fmt: skip # noqa: E501
    datasets.keep(photos.NAME, photographs(12))
    assert run("--dense") == (1, "Error: --dense and --plain are for digits and fashion\n")
    code, text = run("--epochs", "0.5")
    assert code == 0 and "network.safetensors: explained" in text
    assert "add --resume" in run("--epochs", "0.5")[1]
    trained = sparse.load(tmp_path / "run" / "network.safetensors")
    sample = torch.from_numpy(sparse.Patches([photos.whitened(p) for p in photographs(12).values()]).batch(0, 1000)[0])
    assert sparse.explained(trained, sample)["explained"] > sparse.explained(sparse.untrained(), sample)["explained"]


def test_other_files_are_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "other.safetensors", sparse.KIND, {}, {"conv1.conv.bias": torch.zeros(96)})
    with pytest.raises(checkpoint.CheckpointError, match="do not fit"):
        sparse.load(tmp_path / "other.safetensors")


def test_the_shipped_filters_redraw_a_photograph_that_they_have_not_seen() -> None:
    white = [photos.whitened(samples.photograph(name)) for name in ("coffee", "astronaut")]
    sample = torch.from_numpy(sparse.Patches(white).batch(0, 2000)[0])
    found = sparse.explained(sparse.load(), sample)
    assert found["explained"] > 0.45 and found["unused"] == 0
