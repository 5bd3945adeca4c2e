"""Shifted digits: equivariance is exact, and the numbers that the pictures are about hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gocnn import demos
from gocnn.demos import shift
from gocnn.images import datasets, models


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shift")


@pytest.fixture(scope="module")
def shown(folder: Path) -> demos.Shown:
    return demos.make("shift", folder)


def inputs(count: int) -> np.ndarray:
    return datasets.shipped("digits")[0][:count, None].astype(np.float32) / 255


@pytest.mark.parametrize("down, right", [(0, 0), (2, 0), (0, -3), (-5, 4), (27, -27)])
def test_a_shift_moves_each_pixel_and_brings_in_paper(down: int, right: int) -> None:
    image = np.arange(1, 785).reshape(28, 28)
    moved = shift.shifted(image, down, right)
    for row, column in np.ndindex(28, 28):
        inside = 0 <= row - down < 28 and 0 <= column - right < 28
        assert moved[row, column] == (image[row - down, column - right] if inside else 0)


@pytest.mark.parametrize(
    "layer, stride, down, right",
    [("conv1.conv", 1, 1, 3), ("conv1.conv", 1, 5, 0), ("conv1", 2, 2, 4), ("conv2.conv", 2, 4, 2), ("conv2", 4, 4, 4)],
)
def test_maps_shift_with_the_image_exactly(layer: str, stride: int, down: int, right: int) -> None:
    torch.manual_seed(0)
    for model in (models.load("digits-plain").model, models.build("lecture")):
        assert shift.equivariance(model, layer, inputs(20), down, right, stride) < 1e-12


def test_a_shift_by_less_than_the_stride_is_another_map() -> None:
    assert shift.equivariance(models.load("digits-plain").model, "conv1", inputs(20), 0, 1, 2) > 0.1


@pytest.mark.parametrize(
    "layer, pixels", [("conv1.conv", 3 * 3), ("conv1", 4 * 4), ("conv2.conv", 8 * 8), ("conv2", 10 * 10)]
)
def test_a_unit_depends_on_its_receptive_field_only(layer: str, pixels: int) -> None:
    assert shift.seen_pixels(models.load("digits-plain").model, layer) == pixels


def test_a_neuron_depends_on_the_whole_picture() -> None:
    assert shift.seen_pixels(models.load("digits-dense-plain").model, "hidden1") == 28 * 28


def test_unlikeness_is_none_without_a_shift_and_grows_with_it() -> None:
    model, labels = models.load("digits-plain").model, datasets.shipped("digits")[1][:60]
    found = [shift.unlikeness(model, "conv2", inputs(60), labels, pixels) for pixels in (0, 1, 2, 4)]
    assert found[0] == 0 and found == sorted(found)


def test_subsampling_keeps_one_pixel_of_four() -> None:
    image = np.arange(16).reshape(4, 4)
    assert shift.subsampled(image).tolist() == [[0, 0, 2, 2], [0, 0, 2, 2], [8, 8, 10, 10], [8, 8, 10, 10]]


@pytest.mark.slow
def test_the_pictures(folder: Path, shown: demos.Shown) -> None:
    assert [exhibit.file for exhibit in shown.exhibits] == [
        "shift-accuracy.png", "shift-examples.png", "shift-maps.png", "shift-layers.png", "shift-subsampled.png",
    ]  # fmt: skip
    for exhibit in shown.exhibits:
        assert (folder / exhibit.file).read_bytes().startswith(b"\x89PNG")


def means(shown: demos.Shown, name: str) -> np.ndarray:
    return np.mean(list(shown.numbers["accuracy"][name].values()), axis=0)


@pytest.mark.slow
def test_convolution_is_the_better_at_shifts_and_so_is_training_on_them(shown: demos.Shown) -> None:
    conv, dense = means(shown, "digits-plain"), means(shown, "digits-dense-plain")
    assert (conv[1:] > dense[1:]).all() and conv[3] > dense[3] + 0.2
    assert conv[6] < 0.5, "but the fully-connected part behind it goes by places"
    assert (means(shown, "digits")[2:] > conv[2:] + 0.03).all()
    assert (means(shown, "digits-dense")[2:] > dense[2:] + 0.1).all()


@pytest.mark.slow
def test_pooling_forgives_a_pixel(shown: demos.Shown) -> None:
    one = shown.numbers["unlikeness"]["digits-plain"]["1"]
    assert one["conv1"] < one["conv1.activation"] and one["conv2"] < one["conv2.activation"]


@pytest.mark.slow
def test_subsampled_digits_are_read_still(shown: demos.Shown) -> None:
    assert all(coarse > 0.9 for _, coarse in shown.numbers["subsampled"].values())
