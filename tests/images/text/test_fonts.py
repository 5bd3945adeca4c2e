"""Fonts: which are legible, in what characters, and which no network is trained on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from gocnn import cache
from gocnn.images import fetch
from gocnn.images.text import fonts
from gocnn.images.text.alphabet import ALPHABET, LOWER, UPPER


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOCNN_CACHE", str(tmp_path / "cache"))


def plain(*names: str) -> list[Path]:
    return [fonts.plain_folder() / f"{name}.ttf" for name in names]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with DejaVu Sans, twice, and Serif, faces of symbols, and a file that is no font."""
    place = tmp_path / "fonts"
    (place / "deep").mkdir(parents=True)
    for path in plain("DejaVuSans", "DejaVuSerif", "cmsy10", "cmex10"):
        shutil.copy(path, place / "deep")
    shutil.copy(plain("DejaVuSans")[0], place / "zz-again.ttf")
    (place / "broken.ttf").write_bytes(b"no font")
    (place / "gone.ttf").symlink_to(place / "nowhere")
    return place


def test_plain_faces_are_found_once_and_symbols_left_out(folder: Path) -> None:
    found = fonts.find([folder])
    assert [(font.family, font.style) for font in found] == [("DejaVu Sans", "Book"), ("DejaVu Serif", "Book")]
    assert all(font.characters == frozenset(ALPHABET) for font in found)


def test_every_character_of_a_face_is_drawn_and_no_two_are_alike(folder: Path) -> None:
    for font in fonts.find([folder]):
        drawn = {bytes(font.at(40).getmask(character)) for character in font.characters}
        assert len(drawn) == len(font.characters) and all(any(ink) for ink in drawn)


def test_a_glyph_that_looks_like_another_character_does_not_count() -> None:
    glyphs = fonts._glyphs(fonts._sized(plain("DejaVuSans")[0]))
    small_caps = glyphs.copy()
    for small, capital in zip(LOWER, UPPER):
        small_caps[ALPHABET.index(small)] = glyphs[ALPHABET.index(capital)]
    empty = glyphs.copy()
    empty[ALPHABET.index("@")] = 0
    assert set(LOWER + UPPER) <= set(fonts.legible(glyphs))
    assert set(UPPER) <= set(fonts.legible(small_caps))
    assert len(set(LOWER) & set(fonts.legible(small_caps))) < 12  # c, o, s, v, w, x and z have but one shape
    assert set(fonts.legible(empty)) == set(fonts.legible(glyphs)) - {"@"}


def test_what_was_seen_is_kept_and_a_spoilt_cache_is_no_harm(folder: Path) -> None:
    found = fonts.find([folder])
    place = cache.folder() / "fonts-seen.json"
    seen = json.loads(place.read_text())
    key = next(key for key in seen["seen"] if "DejaVuSerif" in key)
    seen["seen"][key]["family"] = "Kept"
    place.write_text(json.dumps(seen))
    assert [font.family for font in fonts.find([folder])] == ["DejaVu Sans", "Kept"]
    place.write_text("{")
    assert fonts.find([folder]) == found


def test_families_are_in_one_part_only() -> None:
    def font(family: str) -> fonts.Font:
        return fonts.Font("", family, "", frozenset(ALPHABET))

    families = ["Cabin", "DejaVu Sans", "Gentium", "GentiumAlt", "Lato", "Play", "B612 Mono"]
    parts = fonts.split([font(family) for family in families])
    assert [f.family for f in parts["train"]] == ["DejaVu Sans", "Lato"]
    assert [f.family for f in parts["test"]] == ["Cabin", "Gentium", "GentiumAlt", "Play", "B612 Mono"]


def test_fonts_and_words_are_fetched_from_a_folder_and_found(folder: Path) -> None:
    (folder / "share/dict").mkdir(parents=True)
    (folder / "share/dict/american-english").write_text("stone\nliberty\n")
    place, _ = fetch.fetch(fonts.NAME, folder)
    assert place in fonts.folders()
    assert {font.family for font in fonts.find([place])} == {"DejaVu Sans", "DejaVu Serif"}
    assert (cache.folder() / fonts.WORDS).read_text() == "stone\nliberty\n"


def test_fonts_of_one_file_name_are_all_kept(tmp_path: Path) -> None:
    sans, serif = plain("DejaVuSans", "DejaVuSerif")
    for name, path in {"sans": sans, "serif": serif}.items():
        (tmp_path / "own" / name).mkdir(parents=True)
        shutil.copy(path, tmp_path / "own" / name / "Regular.ttf")
    place, _ = fetch.fetch(fonts.NAME, tmp_path / "own")
    assert sorted(file.name for file in place.iterdir()) == ["Regular.ttf", "serif-Regular.ttf"]
    assert {font.family for font in fonts.find([place])} == {"DejaVu Sans", "DejaVu Serif"}


def test_a_folder_without_fonts_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"")
    with pytest.raises(fetch.FetchError, match="no fonts"):
        fetch.fetch(fonts.NAME, tmp_path)


def test_likeness_is_of_length_one_or_nothing() -> None:
    glyphs = fonts._glyphs(fonts._sized(plain("cmr10")[0]))
    lengths = np.linalg.norm(glyphs, axis=1)
    assert np.all((np.abs(lengths - 1) < 1e-5) | (lengths == 0))
