"""Digits and clothes: what the shipped networks read of the shipped images, and that the pictures count the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gocnn import demos
from gocnn.demos import digits
from gocnn.images import datasets, models


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("digits")


@pytest.fixture(scope="module")
def shown(folder: Path) -> demos.Shown:
    """The demo without the whole sets, as right after an installation."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOCNN_CACHE", str(folder / "nothing"))
        return demos.make("digits", folder)


@pytest.mark.parametrize("task, least", [("digits", 0.99), ("fashion", 0.88)])
def test_what_the_networks_read(shown: demos.Shown, task: str, least: float) -> None:
    conv, dense = (shown.numbers[task][name] for name in digits.PAIRS[task])
    assert conv["tested"] == dense["tested"] == 500
    assert conv["accuracy"] == conv["shipped"] >= least
    assert dense["accuracy"] >= least - 0.03


@pytest.mark.parametrize("task", digits.PAIRS)
def test_both_networks_are_of_one_size(shown: demos.Shown, task: str) -> None:
    conv, dense = (shown.numbers[task][name]["parameters"] for name in digits.PAIRS[task])
    assert abs(conv - dense) < 0.01 * conv


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        ({}, "answers are all right"),
        ({(0, 1): 1}, "answers are right but for one"),
        ({(0, 1): 1, (2, 1): 1}, "mistakes are all different"),
        ({(0, 1): 1, (2, 1): 3}, "most frequent mistake is “c” for “b”, 3 times"),
    ],
)
def test_the_usual_mistake_in_words(errors: dict[tuple[int, int], int], words: str) -> None:
    wrong = np.zeros((3, 3), int)
    for place, count in errors.items():
        wrong[place] = count
    assert digits.usual_mistake(wrong, "abc") == words


def test_confusion_counts_every_image_once() -> None:
    labels, said = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0])
    assert digits.confusion(labels, said, 3).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_answers_are_probabilities_whatever_the_batch() -> None:
    model = models.load("digits").model
    images, _ = datasets.shipped("digits")
    found = models.probabilities(model, images[:30])
    assert found.shape == (30, 10) and np.allclose(found.sum(1), 1, atol=1e-5)
    assert np.allclose(models.probabilities(model, images[:30], batch=7), found, atol=1e-6)


def test_the_pictures(folder: Path, shown: demos.Shown) -> None:
    assert [exhibit.file for exhibit in shown.exhibits] == [
        "digits-examples.png", "digits-confusion.png", "digits-clothes-examples.png", "digits-clothes-confusion.png",
    ]  # fmt: skip
    for exhibit in shown.exhibits:
        assert (folder / exhibit.file).read_bytes().startswith(b"\x89PNG")
