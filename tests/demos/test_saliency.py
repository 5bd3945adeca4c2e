"""The demo of saliency: where the slopes are, and that guided backpropagation asks little about the class."""

from __future__ import annotations

from pathlib import Path

import pytest

from gocnn import demos

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("saliency")


@pytest.fixture(scope="module")
def shown(folder: Path) -> demos.Shown:
    return demos.make("saliency", folder)


def test_digits_depend_on_their_ink_and_its_neighbourhood(shown: demos.Shown) -> None:
    numbers = shown.numbers["digits"]
    assert numbers["near the ink"]["gradient"] > 1.5 * numbers["of the paper"]
    assert numbers["near the ink"]["guided"] > numbers["near the ink"]["gradient"]


@pytest.mark.parametrize("name", ["duck", "dog", "astronaut"])
def test_photographs_depend_on_the_part_in_the_box(shown: demos.Shown, name: str) -> None:
    numbers = shown.numbers["photographs"][name]
    assert numbers["inside"]["gradient"] > 1.3 * numbers["box"]
    assert numbers["inside"]["guided"] > 2 * numbers["box"]


def test_guided_maps_are_nearly_the_same_for_any_class(shown: demos.Shown) -> None:
    alike = shown.numbers["photographs"]["correlation with espresso"]
    assert alike["guided"] > 0.8 > 0.65 > alike["gradient"]


def test_a_move_depends_on_what_is_near_it(shown: demos.Shown) -> None:
    fight, opening = shown.numbers["go"]["fight"], shown.numbers["go"]["opening"]
    assert fight["move"] == "L9" and fight["within 4 points"] > 0.6  # on less than a quarter of the board
    assert opening["within 4 points"] < fight["within 4 points"]  # in the opening one looks further


def test_the_pictures(folder: Path, shown: demos.Shown) -> None:
    assert [exhibit.file for exhibit in shown.exhibits] == [
        "saliency-digits.png", "saliency-photographs.png", "saliency-go.png",
    ]  # fmt: skip
    assert all((folder / exhibit.file).read_bytes().startswith(b"\x89PNG") for exhibit in shown.exhibits)
