"""The demo of Grad-CAM and integrated gradients: classes are found where they are, and shares add up."""

from __future__ import annotations

from pathlib import Path

import pytest

from gocnn import demos

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gradcam")


@pytest.fixture(scope="module")
def shown(folder: Path) -> demos.Shown:
    return demos.make("gradcam", folder)


def test_each_class_is_found_in_its_own_quarter(shown: demos.Shown) -> None:
    assert all(share > 0.4 for share in shown.numbers["collage"].values())
    assert shown.numbers["collage"]["duck"] > 0.5 and shown.numbers["collage"]["coffee"] > 0.5


def test_the_spoon_is_in_the_spoon_and_the_espresso_in_the_cup(shown: demos.Shown) -> None:
    peaks = {name: about["peak"] for name, about in shown.numbers["rivals"]["coffee"].items()}
    row, column = peaks["wooden spoon"]
    assert 140 < row < 195 and 128 < column < 182
    row, column = peaks["espresso"]
    assert 40 < row < 115 and 40 < column < 175


def test_shares_add_up(shown: demos.Shown) -> None:
    for about in shown.numbers["digits"].values():
        assert about["answer"][0] > about["answer"][1]
        for before, share, after in zip(about["blank"], about["shares"], about["answer"]):
            assert before + share == pytest.approx(after, abs=about["gap"] + 0.002)
        assert about["gap"] < 0.2
    assert shown.numbers["go"]["gap"] < 0.5


def test_a_capture_is_for_the_stone_that_it_takes(shown: demos.Shown) -> None:
    assert shown.numbers["go"]["L9"]["strongest"] == "L10"
    assert shown.numbers["go"]["K9"]["strongest"] == "K10"  # the stone that it would save


def test_the_pictures(folder: Path, shown: demos.Shown) -> None:
    assert [exhibit.file for exhibit in shown.exhibits] == [
        "gradcam-collage.png", "gradcam-photographs.png", "gradcam-digits.png", "gradcam-go.png",
    ]  # fmt: skip
    assert all((folder / exhibit.file).read_bytes().startswith(b"\x89PNG") for exhibit in shown.exhibits)
