"""SqueezeNet end to end: as it ships it names the pictures, and rounding its weights to float16 has changed nothing."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from gocnn.images import datasets, models, pictures
from gocnn.images.commands import images

SAMPLES = Path(str(resources.files("gocnn.images").joinpath("samples")))


def shares(network: models.Network, picture: np.ndarray) -> torch.Tensor:
    with torch.inference_mode():
        return network.model(torch.from_numpy(network.prepare(picture)[0])[None]).softmax(1)[0]


@pytest.mark.parametrize(
    ("sample", "right"),
    [
        ("chelsea", {"Egyptian Mau", "tabby cat", "tiger cat"}),
        ("coffee", {"espresso"}),
        ("dog", {"German Shepherd Dog"}),
    ],
)
def test_the_command_names_what_is_on_the_picture(sample: str, right: set[str]) -> None:
    result = CliRunner().invoke(images, ["classify", "squeezenet", str(SAMPLES / f"{sample}.jpg"), "--top", "1"])
    assert result.exit_code == 0
    first, answer = result.output.splitlines()
    assert "the shorter side is 256; cropped to the 227×227" in first
    assert any(answer.strip().startswith(name) for name in right)


def test_the_cat_is_all_cat() -> None:
    network = models.load("squeezenet")
    best = shares(network, pictures.read(SAMPLES / "chelsea.jpg")).topk(3)
    assert {network.classes[i] for i in best.indices} == {"Egyptian Mau", "tabby cat", "tiger cat"}
    assert best.values.sum() > 0.95


def test_it_is_of_the_published_size() -> None:
    network = models.load("squeezenet")
    assert sum(weight.numel() for weight in network.model.parameters()) == 1_235_496
    assert len(network.classes) == 1000 and not network.model.training
    assert all(weight.dtype == torch.float32 for weight in network.model.parameters())


def test_a_picture_comes_back_from_its_input() -> None:
    network = models.load("squeezenet")
    picture = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    assert np.array_equal(network.restore(network.prepare(picture)[0]), picture[14:241, 14:241])


@pytest.mark.skipif(not datasets.path("squeezenet").exists(), reason="`gocnn images fetch squeezenet` fetches it")
def test_float16_says_what_float32_says() -> None:
    shipped, whole = models.load("squeezenet"), models.load(datasets.path("squeezenet"))
    for file in sorted(SAMPLES.glob("*.jpg")):
        picture = pictures.read(file)
        ours, theirs = shares(shipped, picture), shares(whole, picture)
        assert torch.equal(ours.topk(5).indices, theirs.topk(5).indices), file
        assert (ours - theirs).abs().max() <= 0.0015
