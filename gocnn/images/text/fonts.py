"""Free fonts: found in the folders where systems keep them, looked at glyph by glyph, and split into train and test.

A face is of use if its letters look like letters. Each glyph is held beside those of a few plain faces that come with
matplotlib: a character counts if it is among the characters that its glyph is most like. Symbols, dingbats, scripts
other than Latin and the wilder display faces fall out, and a face without small letters is used for capitals only.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageFont

from gocnn.atomic import write_atomically
from gocnn.images import datasets
from gocnn.images.text.alphabet import ALPHABET, DIGITS, LOWER, PUNCTUATION, UPPER

SUFFIXES = (".ttf", ".otf", ".ttc")
CAP_HEIGHT = 16  # pixels of a capital H on the canvas on which glyphs are compared
CANVAS = (32, 40)  # its height and width; the baseline is at 24
BASELINE = 24
NEAREST = 5  # a glyph counts if its character is among the five that it is most like
RULES = 1  # changes with the rules below, so that verdicts of earlier ones are not taken from the cache

#: Families that no network is trained on. None is a relative of a family outside this list; DejaVu, Liberation, Noto and
#: their kin, which are drawn after each other, are all trained on.
TEST_FAMILIES = (
    "b612", "cabin", "comfortaa", "crackdown", "dosis", "dustismo", "ebgaramond", "eb garamond", "gillius", "gentium",
    "inconsolata", "junkyard", "jura", "key ridge", "larkspur", "lobster", "lowdown", "mononoki", "ocr", "play", "prociono",
    "quicksand", "sans tuffy", "tuffy", "vollkorn", "yanone",
)  # fmt: skip


@dataclass(frozen=True)
class Font:
    """A face: where it is, what it is called, and the characters that it draws legibly."""

    path: str
    index: int  # of the face in its file
    family: str
    style: str
    characters: frozenset[str]

    def at(self, size: int) -> ImageFont.FreeTypeFont:
        """The face at `size` pixels an em."""
        return _opened(self.path, self.index, size)

    def supports(self, text: str) -> bool:
        return self.characters.issuperset(text)


@lru_cache(maxsize=2048)
def _opened(path: str, index: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, index=index, layout_engine=ImageFont.Layout.BASIC)


def folders() -> list[Path]:
    """The folders in which this system, this user and matplotlib keep fonts, and that of fetched ones; those there."""
    import matplotlib

    home = Path.home()
    places = [
        Path(matplotlib.get_data_path()) / "fonts" / "ttf", datasets.cache() / "fonts",
        Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), home / ".fonts", home / ".local/share/fonts",
    ]  # fmt: skip
    if sys.platform == "darwin":
        places += [Path("/Library/Fonts"), Path("/System/Library/Fonts"), home / "Library/Fonts"]
    if sys.platform == "win32":
        places.append(Path(os.environ.get("WINDIR", r"C:\Windows")) / "Fonts")
    return [place for place in places if place.is_dir()]


def plain_folder() -> Path:
    """The folder of the faces that come with matplotlib, DejaVu among them."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"


def files(places: Iterable[Path]) -> list[Path]:
    """The font files in folders and their subfolders, sorted."""
    return sorted(path for place in places for path in place.rglob("*") if path.suffix.lower() in SUFFIXES)


def _glyphs(face: ImageFont.FreeTypeFont) -> np.ndarray:
    """The glyphs of ALPHABET as pictures, float32 [94, pixels] of length 1 each (0 if empty), in the place and size that
    they have beside a capital H of `CAP_HEIGHT`."""
    sheet = np.zeros((len(ALPHABET), *CANVAS), np.float32)
    for place, character in enumerate(ALPHABET):
        canvas = Image.new("L", CANVAS[::-1])
        mask, (x, y) = face.getmask2(character, mode="L", anchor="ls")
        width, height = mask.size
        if width and height and width <= CANVAS[1]:
            glyph = Image.frombytes("L", mask.size, bytes(mask))
            canvas.paste(glyph, ((CANVAS[1] - width) // 2, BASELINE + y))
            sheet[place] = np.asarray(canvas, np.float32)
    for axis in (1, 2):  # strokes of different weight and slant overlap once they are blurred
        for _ in range(2):
            sheet = sheet + 0.5 * (np.roll(sheet, 1, axis) + np.roll(sheet, -1, axis))
    flat = sheet.reshape(len(ALPHABET), -1)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)


def _sized(path: Path, index: int) -> ImageFont.FreeTypeFont:
    """The face with capitals of `CAP_HEIGHT`. Raises OSError if it has no H of any size."""
    _, top, _, _ = ImageFont.truetype(str(path), 100, index=index, layout_engine=ImageFont.Layout.BASIC).getbbox("H", anchor="ls")
    if not 20 <= -top <= 200:
        raise OSError(f"{path}: has no capital H")
    return ImageFont.truetype(str(path), round(100 * CAP_HEIGHT / -top), index=index, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=1)
def _plain() -> np.ndarray:
    """The glyphs that others are compared with, [faces, 94, pixels]."""
    names = sorted(plain_folder().glob("DejaVuSans*.ttf")) + sorted(plain_folder().glob("DejaVuSerif*.ttf"))
    return np.stack([_glyphs(_sized(path, 0)) for path in names if "Display" not in path.name])


def legible(glyphs: np.ndarray) -> str:
    """The characters that glyphs [94, pixels] draw so that they can be told, by their likeness to plain faces."""
    likeness = np.einsum("ap,fbp->fab", glyphs, _plain()).max(0)  # of glyph a to character b in any face
    own = np.diagonal(likeness)
    rank = (likeness > own[:, None]).sum(1)
    return "".join(c for c, place, like in zip(ALPHABET, rank, own) if place < NEAREST and like > 0.5)


def find(places: Iterable[Path] | None = None) -> list[Font]:
    """The legible faces in folders (`folders` by default), one of each look, in the order of their files."""
    found, looks = [], set()
    for path in files(folders() if places is None else places):
        try:
            face = _sized(path, 0)
            glyphs = _glyphs(face)
        except (OSError, ValueError):
            continue
        look = hashlib.sha256((glyphs * 255).astype(np.uint8).tobytes()).hexdigest()
        characters = legible(glyphs)
        if look in looks or len(set(UPPER) & set(characters)) < 24 or len(set(DIGITS) & set(characters)) < 9:
            continue
        looks.add(look)
        family, style = face.getname()
        found.append(Font(str(path), 0, family or path.stem, style or "", frozenset(characters)))
    return found


def split(fonts: Sequence[Font]) -> dict[str, list[Font]]:
    """Fonts by part, "train" and "test"."""
    parts: dict[str, list[Font]] = {"train": [], "test": []}
    for font in fonts:
        parts["test" if font.family.lower().startswith(TEST_FAMILIES) else "train"].append(font)
    return parts
