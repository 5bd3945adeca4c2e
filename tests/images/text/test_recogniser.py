"""The recogniser: any width, its inputs, and its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gocnn import checkpoint
from gocnn.images.text import recogniser
from gocnn.images.text.alphabet import CLASSES
from gocnn.visualize import receptive


@pytest.fixture(scope="module")
def model() -> recogniser.Recogniser:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return recogniser.Recogniser((8, 16, 16, 24, 32), lines=1).eval()


@pytest.mark.parametrize("width", [1, 3, 4, 5, 31, 100, 1000])
def test_a_word_of_any_width_gets_two_steps_every_four_columns(model: recogniser.Recogniser, width: int) -> None:
    logits = model(torch.zeros(2, 1, 32, width))
    assert logits.shape == (2, recogniser.steps(width), CLASSES) == (2, 2 * ((width + 3) // 4), 95)


def test_a_place_sees_its_neighbourhood_only(model: recogniser.Recogniser) -> None:
    image = torch.zeros(1, 1, 32, 400)
    other = image.clone()
    other[..., 300:] = 1
    same = torch.isclose(model(image), model(other)).all(2)[0]
    assert same[: 2 * 50].all() and not same[2 * 75 :].all()


def test_the_reach_is_that_of_the_receptive_field() -> None:
    field = receptive.receptive_fields(recogniser.Recogniser(), (1, recogniser.HEIGHT, 64))["head"]
    beyond = field.start[1] + field.size[1] - recogniser.STRIDE
    assert field.step[1] == recogniser.STRIDE and recogniser.REACH - recogniser.STRIDE < beyond <= recogniser.REACH


def test_brightness_and_contrast_make_no_difference() -> None:
    grey = np.random.default_rng(0).integers(40, 200, (32, 80), np.uint8)
    faint = (grey // 2 + 60).astype(np.uint8)
    assert np.allclose(recogniser.standardised(grey), recogniser.standardised(faint), atol=0.05)
    assert np.all(recogniser.standardised(np.full((32, 9), 77, np.uint8)) == 0)


def test_saved_and_loaded_it_says_the_same(model: recogniser.Recogniser, tmp_path: Path) -> None:
    place = tmp_path / "r.safetensors"
    recogniser.save(place, model, {"note": "untrained"})
    again = recogniser.load(place)
    x = torch.randn(1, 1, 32, 60, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(model(x), again(x), atol=0.02)  # halves of float
    checkpoint.save(place, "policy", {}, {"a": torch.zeros(1)})
    with pytest.raises(checkpoint.CheckpointError, match="policy"):
        recogniser.load(place)
    checkpoint.save(place, recogniser.KIND, {"widths": [1, 2], "lines": 0}, {})
    with pytest.raises(checkpoint.CheckpointError, match="do not fit"):
        recogniser.load(place)


def test_the_shipped_file_is_small() -> None:
    place = Path(recogniser.__file__).parents[2] / "weights" / "text-recogniser.safetensors"
    assert place.stat().st_size < 3_000_000
