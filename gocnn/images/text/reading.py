"""Reading a picture: words are found at several scales, cut out upright, read, and put in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from gocnn.images import pictures
from gocnn.images.text import detector, fonts, quads, rendering
from gocnn.images.text.regions import Region

if TYPE_CHECKING:
    from PIL.Image import Image

LONGEST = 1600  # pixels: larger pictures are looked at in this size
SHORTEST = 320  # pixels: the longer side of smaller ones is brought to this
LARGE = 90.0  # pixels: words higher than this are taken from a picture of half the size,
SMALL = 24.0  # and words up to this high never
LETTER = 0.4  # of a word's height: a letter is higher
#: A word is read in cuts with each of these margins: shares of its thickness, at its ends, and above and below it.
MARGINS = (0.1, 0.1), (0.2, 0.2), (0.0, 0.0), (0.15, 0.15)
LEANING = 1.5  # times as high as wide: a word that may have been written up or down
BOX, INK = (230, 30, 80), (150, 0, 40)
PALE = 0.25  # of its contrast keeps the picture that words are set on
DRAWN = 700, 2400  # pixels: the longer side of a picture with words set on it is brought between these


@dataclass(frozen=True)
class Found:
    """A word in a picture.

    `text` as it was read; `quad` float32 [4, 2], its corners (x, y) in pixels, clockwise from the text's own top left;
    `score`, how sure the detector is that there is a word, and `confidence`, how sure the recogniser is of its
    characters, both 0 to 1.
    """

    text: str
    quad: np.ndarray
    score: float
    confidence: float

    @property
    def sure(self) -> float:
        """How sure both are together, 0 to 1."""
        return self.score * self.confidence


#: Words, each as several cuts uint8 [32, W, 3], to their texts and confidences.
Reader = Callable[[Sequence[Sequence[np.ndarray]]], Sequence[tuple[str, float]]]


def find(model: nn.Module, image: np.ndarray, *, longest: int = LONGEST) -> list[Region]:
    """The words in a picture of any size, uint8 [H, W, 3], the surest first.

    A picture whose longer side is more than `longest` is looked at in that size, and every picture in half of its size
    too, and half of that, as long as there is room for large words: the network's view is limited, and what stands
    large before it may fall into letters or go unseen.
    """
    side = max(image.shape[:2])
    looked = _scaled(image, min(longest / side, max(SHORTEST / side, 1.0)))
    factors = np.array([looked.shape[1] / image.shape[1], looked.shape[0] / image.shape[0]], np.float32)
    return [Region(region.quad / factors, region.score) for region in _pyramid(model, looked)]


def _pyramid(model: nn.Module, image: np.ndarray) -> list[Region]:
    fine = detector.detect(model, image)
    if min(image.shape[:2]) < 2 * LARGE:
        return fine
    coarse = _pyramid(model, _scaled(image, 0.5))
    return merged(fine, [Region(2 * region.quad, region.score) for region in coarse])


def _scaled(image: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1:
        return image
    return pictures.resize(image, *(max(1, round(side * scale)) for side in image.shape[:2]))


def merged(fine: Sequence[Region], coarse: Sequence[Region]) -> list[Region]:
    """Regions found at a scale and at half of it as one list, the surest first, in pixels of the finer.

    Coarse ones higher than `LARGE` come before fine ones that lie on them and may be their letters; not so if most of
    what lies there is far less high, and so words in lines. Others, if higher than `SMALL`, are taken where the fine
    scale shows nothing.
    """
    kept = list(fine)
    for region in coarse:
        height = quads.sides(region.quad)[1]
        below = [one for one in kept if _covers(region.quad, one.quad)]
        areas = [(quads.area(one.quad), quads.sides(one.quad)[1] > LETTER * height) for one in below]
        if height > LARGE and sum(area if high else -area for area, high in areas) >= 0:
            kept = [one for one in kept if all(one is not other for other in below)] + [region]
        elif height > SMALL and not any(_touch(one.quad, region.quad) for one in kept):
            kept.append(region)
    return sorted(kept, key=lambda region: -region.score)


def _touch(a: np.ndarray, b: np.ndarray) -> bool:
    return _covers(a, b, 0.2) or _covers(b, a, 0.2)


def _covers(outer: np.ndarray, inner: np.ndarray, share: float = 0.5) -> bool:
    if np.any(outer.max(0) <= inner.min(0)) or np.any(inner.max(0) <= outer.min(0)):
        return False
    return quads.area(quads.clipped(inner, outer)) > share * quads.area(inner)


def read(
    finder: nn.Module, reader: Reader, image: np.ndarray, *, longest: int = LONGEST, sure: float = 0.0
) -> list[list[Found]]:
    """What stands in a picture, uint8 [H, W, 3]: words in lines, the lines in reading order.

    `find`, and `read_regions` of what it found.
    """
    return read_regions(reader, image, find(finder, image, longest=longest), sure=sure)


def read_regions(
    reader: Reader, image: np.ndarray, regions: Sequence[Region], *, sure: float = 0.0
) -> list[list[Found]]:
    """What stands in regions of a picture, uint8 [H, W, 3]: words in lines, the lines in reading order.

    A word at least one and a half times as high as wide (`LEANING`) is also read turned by a quarter to either side,
    and taken as it reads best. Words that are less `sure` than that, and those with no characters, are left out.
    """
    ways = [_turned(region.quad) for region in regions]
    texts = read_boxes(reader, image, [quad for way in ways for quad in way])
    words: list[Found] = []
    for region, way in zip(regions, ways):
        read_so, texts = texts[: len(way)], texts[len(way) :]
        best = max(range(len(way)), key=lambda k: (read_so[k][1] * len(read_so[k][0]) ** 0.25, -k))
        text, confidence = read_so[best]
        word = Found(text, way[best], region.score, confidence)
        if text and word.sure >= sure:
            words.append(word)
    return [[words[k] for k in line] for line in quads.reading_order([word.quad for word in words])]


def read_boxes(reader: Reader, image: np.ndarray, boxes: Sequence[np.ndarray]) -> list[tuple[str, float]]:
    """What stands in boxes float32 [4, 2] of a picture, each cut out with all `MARGINS`, and how sure that is."""
    return list(reader([[crop(image, quad, margins) for margins in MARGINS] for quad in boxes]))


def crop(image: np.ndarray, quad: np.ndarray, margins: tuple[float, float] = MARGINS[0]) -> np.ndarray:
    """A word cut out with margins, since a letter that is cut costs more than a little of what is around it."""
    steps = np.roll(quad, -1, axis=0) - quad  # along the top, down the right, back along the bottom, up the left
    steps /= np.maximum(np.linalg.norm(steps, axis=1, keepdims=True), 1e-6)
    aside, above = (margin * min(quads.sides(quad)) for margin in margins)
    along, down = aside * (steps[0] - steps[2]) / 2, above * (steps[1] - steps[3]) / 2
    outwards = np.stack([-along - down, along - down, along + down, down - along])
    return quads.rectify(image, quad + outwards)


def _turned(quad: np.ndarray) -> list[np.ndarray]:
    """The ways in which a quad may have been written: as it stands and, if it is high, upwards and downwards."""
    wide, tall = quads.sides(quad)
    return [quad] if tall < LEANING * wide else [quad, np.roll(quad, 1, axis=0), np.roll(quad, -1, axis=0)]


def as_json(lines: Sequence[Sequence[Found]]) -> list[list[dict[str, Any]]]:
    """Lines of words for a JSON file: text, confidence, score and quad, [[x, y], ...] in pixels."""
    return [
        [
            {
                "text": word.text, "confidence": round(word.confidence, 4), "score": round(word.score, 4),
                "quad": [[round(float(x), 1), round(float(y), 1)] for x, y in word.quad],
            }
            for word in line
        ]
        for line in lines
    ]  # fmt: skip


def draw(image: np.ndarray, lines: Sequence[Sequence[Found]]) -> np.ndarray:
    """A picture with boxes around its words, and beside it, or below it if it is wide, the words set where they stood.

    uint8 [H, W, 3] -> uint8 [H', W', 3]. Small pictures are enlarged first so that the words can be read, and
    large ones made smaller.
    """
    side = max(image.shape[:2])
    scale = min(max(1.0, min(4.0, DRAWN[0] / side)), DRAWN[1] / side)
    words = [Found(w.text, scale * w.quad, w.score, w.confidence) for line in lines for w in line]
    picture = _scaled(image, scale)
    wide = picture.shape[1] >= 1.4 * picture.shape[0]
    return np.concatenate([boxed(picture, words), set_out(picture, words)], axis=0 if wide else 1)


def boxed(image: np.ndarray, words: Sequence[Found]) -> np.ndarray:
    """A picture with boxes around words: uint8 [H, W, 3] to the same."""
    from PIL import Image, ImageDraw

    canvas = Image.fromarray(image)
    pen = ImageDraw.Draw(canvas)
    for word in words:
        corners = [(float(x), float(y)) for x, y in word.quad]
        pen.line([*corners, corners[0]], fill=BOX, width=max(1, round(max(canvas.size) / 300)), joint="curve")
    return np.array(canvas)


def set_out(image: np.ndarray, words: Sequence[Found]) -> np.ndarray:
    """A pale picture with words set in a plain face where they stand: uint8 [H, W, 3] to the same."""
    pale = (255 - (255 - image.astype(np.float32)) * PALE).astype(np.uint8)
    for word in words:
        rendering.lay(pale, _set(word.text), word.quad)
    return pale


def _set(text: str) -> Image:
    """A word set in a plain face: an RGBA sheet, as high as its ink, and from a capital's top to the baseline."""
    from PIL import Image, ImageDraw, ImageFont

    letters = ImageFont.truetype(str(fonts.plain_folder() / "DejaVuSans.ttf"), 64)
    left, top, right, bottom = letters.getbbox(text, anchor="ls")
    top, bottom = min(top, letters.getbbox("H", anchor="ls")[1]), max(bottom, 0)
    sheet = Image.new("RGBA", (max(int(right - left), 1), int(bottom - top)), (*INK, 0))
    ImageDraw.Draw(sheet).text((-left, -top), text, font=letters, fill=(*INK, 255), anchor="ls")
    return sheet
