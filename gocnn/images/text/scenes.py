"""Scenes with text: signs, words straight on photographs and pages, each with the exact corners of every word.

`Scenes` draws whole pictures, to find words in. `draw_crops` draws just enough of one around a few words to cut them
out, to learn reading from.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from gocnn.images.text import quads, rendering
from gocnn.images.text.alphabet import ALPHABET
from gocnn.images.text.fonts import Font
from gocnn.images.text.rendering import chance
from gocnn.images.text.words import Vocabulary, vocabulary

SMALLEST, LARGEST = 10, 120  # pixels, of a word's height in a scene of 512 pixels
HELD_OUT = 8  # one photograph in so many is for tests
#: Of a crop, in heights of the word: how far outside the word a side may lie, and a corner beside that. Inwards hardly
#: at all, for a full stop that is cut off cannot be learned from.
MARGINS, OFF = (-0.03, 0.22), 0.03


@dataclass(frozen=True)
class Word:
    """A word in a picture: `text` without spaces, and `quad` float32 [4, 2], its corners (x, y) in pixels.

    The corners go clockwise from the text's own top left. They hold all ink of the word, close to its left and right;
    in height they reach at least from the baseline to the top of a capital H.
    """

    text: str
    quad: np.ndarray


@dataclass(frozen=True)
class Scene:
    """A picture, uint8 [H, W, 3], and the words in it."""

    image: np.ndarray
    words: tuple[Word, ...]


class Chooser:
    """Faces by family: those of plain faces are much likelier than those whose letters look less like letters."""

    def __init__(self, fonts: Sequence[Font]) -> None:
        """Raises ValueError if there are no fonts."""
        if not fonts:
            raise ValueError("no fonts to draw with")
        families: dict[str, list[Font]] = {}
        for font in fonts:
            families.setdefault(font.family, []).append(font)
        self.families = [families[name] for name in sorted(families)]
        legible = [np.mean([len(font.characters) for font in members]) for members in self.families]
        many = np.array([len(members) for members in self.families])
        weights = (np.array(legible) / len(ALPHABET)) ** 6 * (1 + 0.05 * many)
        self._ends = np.cumsum(weights) / weights.sum()

    def font(self, rng: np.random.Generator) -> Font:
        members = self.families[int(np.searchsorted(self._ends, rng.random(), side="right"))]
        return members[int(rng.integers(len(members)))]


class Scenes:
    """An endless row of scenes; number i is a pure function of the fonts, photographs and words, the seed and i."""

    def __init__(
        self, fonts: Sequence[Font], photographs: Sequence[np.ndarray], *, size: tuple[int, int] = (512, 512),
        seed: int = 0, words: Vocabulary | None = None,
    ) -> None:  # fmt: skip
        """Take photographs uint8 [H, W, 3]; `size` is (height, width). Raises ValueError if there are no fonts."""
        self.photographs, self.size, self.seed = photographs, size, seed
        self._chooser, self._words = Chooser(fonts), words or vocabulary()

    def scene(self, index: int) -> Scene:
        rng = np.random.default_rng((self.seed, index))
        photograph = self.photographs[int(rng.integers(len(self.photographs)))]
        image = rendering.backdrop(rng, photograph, *self.size)
        taken = np.zeros((self.size[0] // 4 + 1, self.size[1] // 4 + 1), bool)
        kind = rng.random()
        words: list[Word] = []
        if kind < 0.15:
            words = self._page(rng, image)
        else:
            for _ in range(int(rng.integers(1, 5)) if kind < 0.5 else int(rng.integers(4, 16))):
                words += self._sign(rng, image, taken)
        finest = min((quads.sides(word.quad)[1] for word in words), default=30.0)
        return Scene(rendering.camera(rng, image, finest), tuple(words))

    def _sign(self, rng: np.random.Generator, image: np.ndarray, taken: np.ndarray) -> list[Word]:
        """Put a few lines of text somewhere free in a picture; nothing if no place is found."""
        unit = min(self.size) / 512
        font = self._chooser.font(rng)
        tall = float(np.clip(math.exp(rng.normal(3.3, 0.6)), SMALLEST, LARGEST)) * unit
        rows = int(rng.choice((1, 1, 1, 2, 2, 3, 4, 5)))
        lines = [[self._words.word(rng, font) for _ in range(int(rng.choice((1, 1, 2, 2, 3, 4))))] for _ in range(rows)]
        panel = rendering.typeset(rng, font, max(10, round(1.35 * tall)), lines, outlined=chance(rng, 0.12))
        height, width = panel.ink.shape
        stretch = 1.0 if chance(rng, 0.6) else rng.uniform(0.75, 1.35)
        corners = rendering.pose(rng, width * stretch, height)
        span = np.ptp(corners, axis=0)
        room = np.array(self.size[::-1]) - span - 2
        if np.any(room < 0):
            corners *= float(np.min((np.array(self.size[::-1]) - 4) / span))
            room = np.array(self.size[::-1]) - np.ptp(corners, axis=0) - 2
        for _ in range(8):
            target = corners - corners.min(0) + 1 + rng.random(2) * np.maximum(room, 0)
            low, high = (target.min(0) / 4).astype(int), (target.max(0) / 4).astype(int) + 1
            window = taken[low[1] : high[1], low[0] : high[0]]
            if not window.any():
                break
        else:
            return []
        ours = placed(panel, target)
        if min(quads.sides(word.quad)[1] for word in ours) < 0.8 * SMALLEST * unit:
            return []
        window[:] = True
        put(rng, image, panel, target, plate=chance(rng, 0.55))
        return ours

    def _page(self, rng: np.random.Generator, image: np.ndarray) -> list[Word]:
        """Put a page of text over most of a picture."""
        font = self._chooser.font(rng)
        share = rng.uniform(0.75, 1.0)
        tall = min(self.size) / 512 * math.exp(rng.uniform(math.log(11), math.log(30)))
        size = max(10, round(1.35 * tall))
        leading = rng.uniform(1.15, 1.7)
        width, height = share * self.size[1] - 3 * size, share * self.size[0] - 3 * size
        face = font.at(size)
        lines: list[list[str]] = []
        for _ in range(max(1, int(height / (leading * size)))):
            room = width * (1.0 if chance(rng, 0.8) else rng.uniform(0.2, 1.0))
            line: list[str] = []
            while not line or room > 0:
                line.append(self._words.word(rng, font))
                room -= face.getlength(line[-1]) + 0.4 * size
            lines.append(line[:-1] if len(line) > 1 else line)
            if chance(rng, 0.08) and len(lines[-1]) > 2:
                lines[-1] = lines[-1][: len(lines[-1]) // 2]
        panel = rendering.typeset(rng, font, size, lines, spaced=False, leading=leading, margin=rng.uniform(0.3, 1.5))
        corners = rendering.pose(rng, panel.ink.shape[1], panel.ink.shape[0], strength=0.35)
        room2 = np.array(self.size[::-1]) - 2
        corners *= min(1.0, float(np.min(room2 / np.ptp(corners, axis=0))))
        target = corners - corners.min(0) + 1 + rng.random(2) * np.maximum(room2 - np.ptp(corners, axis=0), 0)
        put(rng, image, panel, target, plate=True, paper=chance(rng, 0.8))
        return [word for word in placed(panel, target) if quads.sides(word.quad)[1] > 0.6 * SMALLEST]


def placed(panel: rendering.Panel, target: np.ndarray) -> list[Word]:
    """The words of a panel whose corners lie at `target` [4, 2] in the picture."""
    height, width = panel.ink.shape
    there = quads.homography(rendering.corners_of(width, height), target)
    found = []
    for text, (left, top, right, bottom) in panel.words:
        box = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)
        found.append(Word(text, rendering.mapped(box, there)))
    return found


def put(
    rng: np.random.Generator, image: np.ndarray, panel: rendering.Panel, target: np.ndarray, *, plate: bool,
    paper: bool = False,
) -> None:  # fmt: skip
    """Paint a panel for the place where its corners will lie, and lay it there, into `image`."""
    low = np.maximum(target.min(0).astype(int), 0)
    high = np.maximum(target.max(0).astype(int), low + 1)
    part = image[low[1] : high[1], low[0] : high[0]]
    part = part[:: max(1, part.shape[0] // 24), :: max(1, part.shape[1] // 24)].reshape(-1, 3).astype(np.float32)
    rendering.lay(image, rendering.paint(rng, panel, part, plate=plate, paper=paper), target)


def draw_crops(
    rng: np.random.Generator, chooser: Chooser, photographs: Sequence[np.ndarray], words: Vocabulary
) -> list[tuple[str, np.ndarray]]:
    """A few words as a detector would cut them out: texts and grey crops uint8 [32, W].

    The sides lie as far outside the word's as `MARGINS` has it, and each corner somewhat off (`OFF`).
    """
    font = chooser.font(rng)
    kind = rng.random()
    rows, columns = 1, 1
    if kind > 0.65:
        rows, columns = int(rng.integers(2, 4)), 2
    elif kind > 0.35:
        columns = int(rng.integers(2, 5))
    lines = [[words.word(rng, font) for _ in range(columns)] for _ in range(rows)]
    tall = float(np.clip(math.exp(rng.normal(3.15, 0.4)), SMALLEST, 48))
    panel = rendering.typeset(rng, font, max(10, round(1.35 * tall)), lines, outlined=chance(rng, 0.12))
    height, width = panel.ink.shape
    stretch = 1.0 if chance(rng, 0.6) else rng.uniform(0.75, 1.35)
    corners = rendering.pose(rng, width * stretch, height)
    target = corners - corners.min(0) + 2 + rng.random(2) * 4
    size = np.ceil(target.max(0)).astype(int) + 3
    photograph = photographs[int(rng.integers(len(photographs)))]
    image = rendering.backdrop(rng, photograph, int(size[1]), int(size[0]))
    put(rng, image, panel, target, plate=chance(rng, 0.55), paper=chance(rng, 0.1))
    placed_words = placed(panel, target)
    grey = np.asarray(Image.fromarray(image).convert("L"))
    image = rendering.camera(rng, grey, min(quads.sides(word.quad)[1] for word in placed_words))
    crops = []
    for word in placed_words:
        wide, tall = quads.sides(word.quad)
        outward = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
        along = (word.quad[1] - word.quad[0]) / max(wide, 1e-6)
        down = (word.quad[3] - word.quad[0]) / max(tall, 1e-6)
        common, own = rng.uniform(*MARGINS, (2, 2)), rng.uniform(-OFF, OFF, (4, 2))
        by = tall * (np.where(outward < 0, common[0], common[1]) * outward + own)
        quad = word.quad + by[:, :1] * along + by[:, 1:] * down
        crops.append((word.text, quads.rectify(image, quad)))
    return crops


def split(part: str) -> tuple[list[Font], list[np.ndarray]]:
    """The fonts and photographs of a part, "train" or "test"; no family and no photograph is in both.

    Raises DataError if no photographs have been fetched, or too few, or if there are no fonts; ValueError for another
    part.
    """
    from gocnn.images import datasets, photos
    from gocnn.images.text import fonts

    if part not in ("train", "test"):
        raise ValueError(f"no part {part!r}: train or test")
    photographs = photos.load()
    chosen = [p for k, p in enumerate(photographs) if (k % HELD_OUT == HELD_OUT // 2) == (part == "test")]
    if not chosen:
        raise datasets.DataError(f"{len(photographs)} photographs are too few: one in {HELD_OUT} is held out")
    faces = fonts.split(fonts.find())[part]
    if not faces:
        raise datasets.DataError(f"no fonts to {part} with are there; `gocnn images fetch {fonts.NAME}` fetches some")
    return faces, chosen


def digest(fonts: Sequence[Font], photographs: Sequence[np.ndarray]) -> str:
    """Which fonts and photographs these are, in a few letters."""
    found = hashlib.sha256("\n".join(f"{font.family} {font.style}" for font in fonts).encode())
    for photograph in photographs:
        found.update(photograph.tobytes())
    return found.hexdigest()[:16]
