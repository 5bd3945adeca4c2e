"""The three panels: noise that is called all ten digits, and what the penalties make of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gocnn import demos
from gocnn.demos import fooled
from gocnn.images import datasets


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fooled")


@pytest.fixture(scope="module")
def shown(folder: Path) -> demos.Shown:
    return demos.make("fooled", folder)


def test_without_a_constraint_noise_is_every_digit(shown: demos.Shown) -> None:
    numbers = shown.numbers["none"]
    assert len(numbers["confidence"]) == 10
    assert min(numbers["confidence"]) >= 0.99
    assert np.mean(numbers["likeness"]) < 0.35


@pytest.mark.parametrize("panel", ["l1", "l2"])
def test_with_a_penalty_there_are_strokes(shown: demos.Shown, panel: str) -> None:
    numbers = shown.numbers[panel]
    assert min(numbers["confidence"]) >= 0.99
    assert np.mean(numbers["likeness"]) > 0.5
    assert numbers["range"][0] >= 0 and numbers["range"][1] <= 1


def test_l1_leaves_most_of_the_paper_empty(shown: demos.Shown) -> None:
    assert shown.numbers["l1"]["empty paper"] > 0.6
    assert shown.numbers["none"]["empty paper"] < 0.05


def test_likeness_is_one_for_a_digit_and_itself_and_low_for_noise() -> None:
    known, labels = datasets.shipped("digits")
    images = known[:20, None].astype(np.float32) / 255
    assert np.allclose(fooled.likeness(images, labels[:20]), 1, atol=1e-5)
    noise = np.random.default_rng(0).random((10, 1, 28, 28), np.float32)
    assert fooled.likeness(noise, range(10)).max() < 0.4
    assert 0.8 < fooled.real_likeness() < 0.95


def test_the_pictures(folder: Path, shown: demos.Shown) -> None:
    assert [exhibit.file for exhibit in shown.exhibits] == ["fooled-none.png", "fooled-l1.png", "fooled-l2.png"]
    for exhibit in shown.exhibits:
        assert (folder / exhibit.file).read_bytes().startswith(b"\x89PNG")
        assert "% at least" in exhibit.caption
