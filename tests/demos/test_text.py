"""Signs laid into photographs are found and read, and a word is read in steps."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from gocnn import demos


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("text")


@pytest.fixture(scope="module")
def shown(folder: Path) -> demos.Shown:
    return demos.make("text", folder)


@pytest.mark.slow
def test_nearly_all_words_are_found_and_read(shown: demos.Shown) -> None:
    found = shown.numbers["found"]
    there = sum(len(about["there"]) for about in found.values())
    assert sum(about["right"] for about in found.values()) >= 0.75 * there
    assert sum(len(about["read"]) for about in found.values()) <= 1.2 * there


@pytest.mark.slow
def test_double_letters_are_told_from_one(shown: demos.Shown) -> None:
    read = shown.numbers["read"]
    assert read["lift-off"]["text"].endswith("ff") and "pp" in read["Cappuccino"]["text"]
    assert all(about["steps"] >= 2 * len(word) for word, about in read.items())


@pytest.mark.slow
def test_its_pictures_are_there(shown: demos.Shown, folder: Path) -> None:
    for exhibit in shown.exhibits:
        with Image.open(folder / exhibit.file) as picture:
            assert min(picture.size) > 300
        assert exhibit.caption
