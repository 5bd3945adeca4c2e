"""Hazy samples that are the same whenever they are drawn, the split, and training from end to end."""

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from gocnn import checkpoint
from gocnn.cli import main
from gocnn.images import datasets, photos, samples
from gocnn.images.dehaze import haze, network, recipe


def photographs(count: int, side: int = 80) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [np.kron(rng.integers(0, 256, (8, 10, 3), np.uint8), np.ones((side // 8, side // 8, 1), np.uint8))
            for _ in range(count)]  # fmt: skip


def test_a_sample_depends_on_its_number_alone() -> None:
    source = recipe.Hazes(photographs(3), seed=5, side=64)
    whole = source.batch(10, 6)
    for part, again in zip(whole, source.batch(13, 2)):
        np.testing.assert_array_equal(part[3:5], again)
    other = recipe.Hazes(photographs(3), seed=6, side=64).batch(10, 6)
    assert not np.array_equal(whole[0], other[0])


def test_samples_are_haze_over_clean_pictures() -> None:
    seen, clean, through, airlight = recipe.Hazes(photographs(3), side=64).batch(0, 40)
    assert seen.shape == clean.shape == (40, 3, 64, 64) and through.shape == (40, 1, 64, 64)
    assert airlight.shape == (40, 3) and seen.dtype == clean.dtype == through.dtype == airlight.dtype == np.float32
    for part in (seen, clean, through):
        assert part.min() >= 0 and part.max() <= 1
    hazed = np.stack([haze.hazy(c.transpose(1, 2, 0), t[0], a) for c, t, a in zip(clean, through, airlight)])
    assert np.abs(seen.transpose(0, 2, 3, 1) - hazed).mean() < 0.01  # noise and rounding
    assert (through.min((1, 2, 3)) == 1).any() and (through.min((1, 2, 3)) < 0.3).any()


def test_recoloured_pictures_stay_pictures() -> None:
    picture = samples.photograph("chelsea")[:50, :60] / np.float32(255)
    found = [recipe.recoloured(np.random.default_rng(seed), picture) for seed in range(20)]
    assert all(p.shape == picture.shape and p.min() >= 0 and p.max() <= 1 for p in found)
    assert any(np.array_equal(p, picture) for p in found) and not all(np.array_equal(p, picture) for p in found)


def test_samples_that_ship_are_held_out_however_they_are_scaled() -> None:
    ours = samples.photograph("dog")
    learn, held = recipe.split([*photographs(3), ours[: len(ours) // 2 * 2 : 2, ::2], *photographs(2)])
    assert len(held) == 3 and len(learn) == 3  # numbers 0 and 5, and the dog
    assert any(p.shape == ours[: len(ours) // 2 * 2 : 2, ::2].shape for p in held)


def test_the_loss_is_least_for_the_truth() -> None:
    class Told(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> network.Answer:
            return self.answer

    tensors = [torch.from_numpy(part) for part in recipe.Hazes(photographs(3), side=64).batch(0, 6)]
    model = Told()
    model.answer = network.Answer(tensors[2], tensors[3], torch.zeros_like(tensors[0]))
    right = float(recipe.loss(model, *tensors))
    model.answer = network.Answer((tensors[2] * 1.3).clamp(max=1), tensors[3], torch.zeros_like(tensors[0]))
    assert right < 0.06 and float(recipe.loss(model, *tensors)) > right + 0.02


def test_training_goes_from_photographs_to_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOCNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(recipe, "SIDE", 32)
    monkeypatch.setattr(recipe, "WATCHED", 3)
    begin = network.untrained(5).state_dict()
    checkpoint.save(tmp_path / "begin.safetensors", network.KIND, {}, begin)
    words = ["images", "train", "dehaze", "--minutes", "0.02", "--init", str(tmp_path / "begin.safetensors")]
    words += ["-o", str(tmp_path / "run")]
    missing = CliRunner().invoke(main, words)
    assert missing.exit_code == 1 and "gocnn images fetch photos" in missing.output
    datasets.keep(photos.NAME, {f"{k:02}": p for k, p in enumerate(photographs(7))})
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0 and "psnr" in result.output, result.output
    after = network.load(tmp_path / "run" / "network.safetensors").state_dict()
    moved, apart = (max(float((after[name] - other[name]).abs().max()) for name in after)
                    for other in (begin, network.untrained(0).state_dict()))  # fmt: skip
    assert moved < 0.1 < apart
    again = CliRunner().invoke(main, words)
    assert again.exit_code == 1 and "--resume" in again.output
