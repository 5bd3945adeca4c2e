"""What first layers learn: edges and colours where there was noise, and none of it lost in the drawing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gocnn import checkpoint, demos
from gocnn.demos import filters as demo
from gocnn.images import sparse
from gocnn.visualize import tuning
from gocnn.visualize.filters import filters


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("filters")


@pytest.fixture(scope="module")
def shown(folder: Path) -> demos.Shown:
    return demos.make("filters", folder)


def test_most_filters_became_edges_and_some_blobs_of_colour() -> None:
    before, after = (demo.kinds(filters(net, "conv1", scale="own")) for net in (sparse.untrained(), sparse.load()))
    assert before == {"edges": 0, "grey edges": 0, "coloured edges": 0, "blobs of colour": 0}
    assert after["edges"] > 80 and after["grey edges"] > 50
    assert after["coloured edges"] > 15 and after["blobs of colour"] > 3


def test_the_trained_filters_are_smooth_and_of_one_direction() -> None:
    before, after = (filters(net, "conv1", scale="own") - 0.5 for net in (sparse.untrained(), sparse.load()))
    assert np.median(tuning.directedness(after)) > 0.9 and np.median(tuning.directedness(before)) < 0.1
    assert np.median(tuning.roughness(after)) < 0.3 and tuning.roughness(before).min() > 0.8


def test_a_filter_is_grey_or_coloured_and_seldom_between() -> None:
    """As in AlexNet, whose two streams parted them. Noise is all between."""
    colour = tuning.colourfulness(filters(sparse.load(), "conv1", scale="own") - 0.5)
    assert ((colour < 0.1) | (colour > 0.9)).mean() > 0.85


def test_redrawn_is_the_mean_of_overlapping_patches() -> None:
    class Same(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return sparse.patches(x)

    white = np.random.default_rng(0).normal(size=(3, 30, 41)).astype(np.float32)
    drawn, share = demo.redrawn(Same(), white)
    assert np.allclose(drawn, white[:, :27, :39], atol=1e-6) and share == pytest.approx(1)


def test_sheet_leaves_a_white_pixel_between() -> None:
    pictures = np.arange(5.0)[:, None, None, None] * np.ones((1, 2, 3, 1)) / 10
    laid = demo.sheet(pictures, 3)[..., 0]
    assert laid.shape == (5, 11)
    assert laid[:, [3, 7]].min() == 1 and laid[2].min() == 1 and laid[3:, 8:].min() == 1
    assert (laid[3:, 4:7] == 0.4).all()


@pytest.mark.slow
def test_filters_of_a_file_are_shown_and_it_is_named(tmp_path: Path) -> None:
    file = tmp_path / "own.safetensors"
    checkpoint.save(file, sparse.KIND, {}, checkpoint.in_half(sparse.untrained(seed=1)))
    said: list[str] = []
    shown = demos.make("filters", tmp_path, said.append, model=file)
    assert shown.numbers["colour"]["trained"]["edges"] == 0
    assert str(file) in shown.exhibits[0].caption and f"trained: {file}" in said
    with pytest.raises(checkpoint.CheckpointError, match="no such file"):
        demos.make("filters", tmp_path, model=tmp_path / "none.safetensors")


@pytest.mark.slow
def test_the_numbers(shown: demos.Shown) -> None:
    assert shown.numbers["redrawn"] > 0.65
    assert shown.numbers["squeezenet"]["edges"] > 40
    assert shown.numbers["go"]["inner"] > 0.7  # 9 of 25 points


@pytest.mark.slow
def test_the_pictures(folder: Path, shown: demos.Shown) -> None:
    files = [exhibit.file for exhibit in shown.exhibits]
    assert files == ["filters-colour.png", "filters-photograph.png", "filters-small.png", "filters-go.png"]
    for file in files:
        assert (folder / file).read_bytes().startswith(b"\x89PNG")
