"""What the machine learns: right answers on the right pixels, and wrong ones that can be explained by theirs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gocnn import demos
from gocnn.demos import evidence


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("photographs")


@pytest.fixture(scope="module")
def shown(folder: Path) -> demos.Shown:
    return demos.make("photographs", folder)


@pytest.mark.slow
def test_what_it_says(shown: demos.Shown) -> None:
    best = {name: next(iter(about["says"])) for name, about in shown.numbers.items()}
    assert best == {"chelsea": "Egyptian Mau", "duck": "goose", "coffee": "espresso",
                    "cow": "English Springer Spaniel", "astronaut": "barbell"}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", ["duck", "coffee"])
def test_the_strongest_pixels_carry_the_answer(shown: demos.Shown, name: str) -> None:
    about = shown.numbers[name]
    answer = next(iter(about["says"]))
    assert about["without"][0] != answer and about["without"][1] < 0.2
    assert about["alone"][0] == answer and about["alone"][1] > 0.5


@pytest.mark.slow
def test_the_caption_says_who_remains_what_they_were(shown: demos.Shown) -> None:
    remain = {name for name, about in shown.numbers.items() if about["alone"][0] == next(iter(about["says"]))}
    assert remain == {"duck", "coffee"}
    assert "By these pixels alone the bird and the cup remain what they were" in shown.exhibits[0].caption


@pytest.mark.slow
@pytest.mark.parametrize(("name", "times"), [("duck", 3), ("astronaut", 1.6), ("coffee", 1.1), ("cow", 1.2)])
def test_three_instruments_agree_on_the_part(shown: demos.Shown, name: str, times: float) -> None:
    about = shown.numbers[name]
    assert all(share > times * about["box"] for share in about["inside"].values())


@pytest.mark.slow
def test_the_picture(folder: Path, shown: demos.Shown) -> None:
    (exhibit,) = shown.exhibits
    assert (folder / exhibit.file).read_bytes().startswith(b"\x89PNG")


def test_where_a_map_is() -> None:
    heat = np.zeros((10, 20))
    heat[2:4, 5:7], heat[9, 19], heat[0, 0] = 1, 4, -8
    assert evidence.within(heat, (0, 0, 5, 10)) == 0.5
    assert evidence.area((0, 0, 5, 10), 10, 20) == 0.25
    assert evidence.heat(heat).max() == 1 and evidence.heat(heat).min() == 0
    assert evidence.softened(np.ones((6, 6)), 2.0) == pytest.approx(np.ones((6, 6)), abs=1e-5)
