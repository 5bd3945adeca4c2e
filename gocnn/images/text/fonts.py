"""Free fonts: found in the folders where systems keep them, looked at glyph by glyph, and split into train and test.

A face is of use if its letters look like letters. Each glyph is held beside those of a few plain faces that come with
matplotlib: a character counts if it is among the characters that its glyph is most like. Symbols, dingbats, scripts
other than Latin and the wilder display faces fall out, and a face without small letters is used for capitals only.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import ImageFont

from gocnn import cache
from gocnn.atomic import write_atomically
from gocnn.images import datasets
from gocnn.images.text.alphabet import ALPHABET, DIGITS, LOWER, UPPER

SUFFIXES = (".ttf", ".otf")
NAME = "fonts"  # of the folder in the cache
#: Debian's packages of free fonts that hold a legible face or more, and a list of English words.
PACKAGES = (*(f"fonts-{name}" for name in (
    "adf-accanthis", "adf-gillius", "adf-universalis", "aenigma", "anonymous-pro", "averia-sans-gwf",
    "averia-serif-gwf", "b612", "bebas-neue", "beteckna", "cabin", "cantarell", "comfortaa", "croscore",
    "crosextra-caladea", "crosextra-carlito", "dejavu-core", "dejavu-extra", "dosis", "dustin", "ebgaramond",
    "fanwood", "firacode", "freefont-ttf", "hack", "inconsolata", "junicode", "jura", "lato", "league-spartan",
    "liberation2", "linuxlibertine", "mononoki", "noto-core", "ocr-a", "oldstandard", "open-sans", "opendyslexic",
    "play", "prociono", "quicksand", "roboto-unhinted", "sil-gentium", "stix", "tuffy", "urw-base35", "vollkorn",
    "yanone-kaffeesatz",
)), "wamerican")  # fmt: skip
WORDS = "words.txt"  # in the cache,
WORD_LIST = "share/dict/american-english"  # and in its package
CAP_HEIGHT = 16  # pixels of a capital H on the canvas on which glyphs are compared
CANVAS = (32, 40)  # its height and width; the baseline is at 24
BASELINE = 24
NEAREST = 6  # a glyph counts if its character is among the six that it is most like,
ALIKE = 0.5  # and if the cosine of the two is above this
RULES = 2  # changes with the rules below, so that verdicts of earlier ones are not taken from the cache

#: How the names of the families begin that no network is trained on. None is a relative of one outside this list:
#: DejaVu, Liberation, Noto, Nimbus and their kin, which are drawn after each other, are all trained on.
TEST_FAMILIES = (
    "b612", "cabin", "comfortaa", "dosis", "dustismo", "eb garamond", "gentium", "gillius", "inconsolata", "irritate",
    "jura", "larkspur", "mononoki", "ocra", "play", "prociono", "quicksand", "registry", "thwart", "tuffy", "vollkorn",
    "wargames", "yanone",
)  # fmt: skip


@dataclass(frozen=True)
class Font:
    """A face: where it is, what it is called, and the characters that it draws legibly."""

    path: str
    family: str
    style: str
    characters: frozenset[str]

    def at(self, size: int) -> ImageFont.FreeTypeFont:
        """The face at `size` pixels an em."""
        return _opened(self.path, size)

    def supports(self, text: str) -> bool:
        return self.characters.issuperset(text)


@lru_cache(maxsize=2048)
def _opened(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def folders() -> list[Path]:
    """The folders in which this system, this user and matplotlib keep fonts, and that of fetched ones; those there."""
    home = Path.home()
    places = [
        plain_folder(), cache.folder() / NAME,
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


def collect(found: Mapping[str, bytes]) -> tuple[dict[str, bytes], bytes | None]:
    """The font files among some files, by the names to keep them under, and the list of words if it is there.

    A font whose file name is taken is called by its path. Raises DataError if there is no font among them.
    """
    faces: dict[str, bytes] = {}
    for name in sorted(found):
        if name.lower().endswith(SUFFIXES):
            file = name.rsplit("/", 1)[-1]
            faces[file if file not in faces else name.removeprefix("./").replace("/", "-")] = found[name]
    if not faces:
        raise datasets.DataError("no fonts (.ttf, .otf) are there")
    return faces, next((data for name, data in found.items() if name.endswith(WORD_LIST)), None)


def save(faces: Mapping[str, bytes], words: bytes | None) -> Path:
    """Put what `collect` found into the cache; returns the folder. Raises OSError."""
    folder = cache.folder() / NAME
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in faces.items():
        write_atomically(folder / name, data)
    if words is not None:
        write_atomically(cache.folder() / WORDS, words)
    return folder


def files(places: Iterable[Path]) -> list[Path]:
    """The font files in folders and their subfolders, sorted."""
    return sorted(path for place in places for path in place.rglob("*") if path.suffix.lower() in SUFFIXES)


def _glyphs(face: ImageFont.FreeTypeFont) -> np.ndarray:
    """The glyphs of ALPHABET as pictures, float32 [94, pixels] of length 1 each, 0 if there is none.

    Each is in the place and size that it has beside a capital H of `CAP_HEIGHT`.
    """
    sheet = np.zeros((len(ALPHABET), *CANVAS), np.float32)
    for place, character in enumerate(ALPHABET):
        mask, (_, y) = face.getmask2(character, mode="L", anchor="ls")
        width, height = mask.size
        x, y = (CANVAS[1] - width) // 2, BASELINE + y
        if width and height and x >= 0 and y >= 0 and y + height <= CANVAS[0]:
            ink = np.frombuffer(bytes(mask), np.uint8).reshape(height, width)
            sheet[place, y : y + height, x : x + width] = ink
    small = sheet.reshape(len(ALPHABET), CANVAS[0] // 2, 2, CANVAS[1] // 2, 2).mean((2, 4))
    for axis in (1, 2):  # strokes of different weight and slant overlap once they are blurred
        small = small + 0.7 * (np.roll(small, 1, axis) + np.roll(small, -1, axis))
    flat = small.reshape(len(ALPHABET), -1)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)


def _sized(path: Path) -> ImageFont.FreeTypeFont:
    """The face with capitals of `CAP_HEIGHT`. Raises OSError if it is no font or has no capital H."""
    layout = ImageFont.Layout.BASIC
    _, top, _, bottom = ImageFont.truetype(str(path), 100, layout_engine=layout).getbbox("H", anchor="ls")
    if not 20 <= -top <= 200 or bottom > 25:
        raise OSError(f"{path}: has no capital H")
    return ImageFont.truetype(str(path), round(100 * CAP_HEIGHT / -top), layout_engine=layout)


@lru_cache(maxsize=1)
def _plain() -> np.ndarray:
    """The glyphs that others are compared with, [faces, 94, pixels]."""
    names = sorted(plain_folder().glob("DejaVuSans*.ttf")) + sorted(plain_folder().glob("DejaVuSerif*.ttf"))
    return np.stack([_glyphs(_sized(path)) for path in names if "Display" not in path.name])


def legible(glyphs: np.ndarray) -> str:
    """The characters that glyphs [94, pixels] draw so that they can be told, by their likeness to plain faces."""
    likeness = np.max(glyphs @ _plain().transpose(0, 2, 1), axis=0)  # of glyph a to character b in any face
    own = np.diagonal(likeness)
    rank = (likeness > own[:, None]).sum(1)
    return "".join(c for c, place, like in zip(ALPHABET, rank, own) if place < NEAREST and like > ALIKE)


def look_at(path: Path) -> dict[str, str] | None:
    """What is to be known of a font file, as `find` keeps it; None if its face is of no use."""
    try:
        face = _sized(path)
        glyphs = _glyphs(face)
    except (OSError, ValueError):
        return None
    characters = legible(glyphs)
    capitals, digits, small = (len(set(kind) & set(characters)) for kind in (UPPER, DIGITS, LOWER))
    if capitals < 23 or (digits < 5 and small < 22):
        return None
    family, style = face.getname()
    look = hashlib.sha256((glyphs * 31).astype(np.uint8).tobytes()).hexdigest()[:16]
    return {"family": family or path.stem, "style": style or "", "characters": characters, "look": look}


def find(places: Iterable[Path] | None = None) -> list[Font]:
    """The legible faces in folders (`folders` by default), one of each look, in the order of their files.

    Looking at a thousand files takes some seconds; what was seen is kept in the cache.
    """
    place = cache.folder() / "fonts-seen.json"
    try:
        kept = json.loads(place.read_text())
        known = kept["seen"] if kept["rules"] == RULES else {}
    except (OSError, ValueError, KeyError, TypeError):
        known = {}
    found: list[Font] = []
    looks = set()
    seen = dict(known)
    for path in files(folders() if places is None else places):
        try:
            key = f"{path} {path.stat().st_size}"
        except OSError:  # a link to nowhere
            continue
        if key not in seen:
            seen[key] = look_at(path)
        entry = seen[key]
        if entry and entry["look"] not in looks:
            looks.add(entry["look"])
            found.append(Font(str(path), entry["family"], entry["style"], frozenset(entry["characters"])))
    if len(seen) > len(known):
        with contextlib.suppress(OSError):  # a cache that cannot be written is done without
            place.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(place, json.dumps({"rules": RULES, "seen": seen}).encode())
    return found


def split(fonts: Sequence[Font]) -> dict[str, list[Font]]:
    """Fonts by part, "train" and "test"."""
    parts: dict[str, list[Font]] = {"train": [], "test": []}
    for font in fonts:
        parts["test" if font.family.lower().startswith(TEST_FAMILIES) else "train"].append(font)
    return parts
