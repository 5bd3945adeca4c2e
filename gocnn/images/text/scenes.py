"""Scenes with text: words on signs and straight on photographs, each with the exact corners of every word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from gocnn.images.text.fonts import Font


@dataclass(frozen=True)
class Word:
    """A word in a picture: `text` without spaces, and `quad` float32 [4, 2], its corners (x, y) in pixels.

    The corners go clockwise from the text's own top left. They hold all ink of the word; the upper side is at least as
    high as its face's capitals and the lower one at least as low as the baseline.
    """

    text: str
    quad: np.ndarray


@dataclass(frozen=True)
class Scene:
    """A picture, uint8 [H, W, 3], and the words in it."""

    image: np.ndarray
    words: tuple[Word, ...]


class Scenes:
    """An endless row of scenes; number i is a pure function of the seed and i."""

    def __init__(
        self, fonts: Sequence[Font], photographs: Sequence[np.ndarray], *, size: tuple[int, int] = (512, 512), seed: int = 0
    ) -> None:
        """Take photographs uint8 [H, W, 3]; `size` is (height, width)."""
        self.fonts, self.photographs, self.size, self.seed = fonts, photographs, size, seed

    def scene(self, index: int) -> Scene:
        rng = np.random.default_rng((self.seed, index))
        height, width = self.size
        photograph = self.photographs[rng.integers(len(self.photographs))]
        image = Image.fromarray(photograph).resize((width, height))
        draw = ImageDraw.Draw(image)
        words = []
        for row in range(int(rng.integers(2, 8))):
            font = self.fonts[rng.integers(len(self.fonts))].at(int(rng.integers(16, 48)))
            x, y = rng.uniform(0, width / 2), (row + 0.2) * height / 8
            for text in ("Hello", "World", "24.50")[: int(rng.integers(1, 4))]:
                left, top, right, bottom = font.getbbox(text, anchor="ls")
                top = min(top, font.getbbox("H", anchor="ls")[1])
                y0 = y + 40
                draw.text((x, y0), text, font=font, fill=tuple(rng.integers(0, 256, 3).tolist()), anchor="ls")
                quad = [[x + left, y0 + top], [x + right, y0 + top], [x + right, y0 + bottom], [x + left, y0 + bottom]]
                words.append(Word(text, np.array(quad, np.float32)))
                x += right + 20
        return Scene(np.array(image), tuple(words))


def split(part: str) -> tuple[list[Font], list[np.ndarray]]:
    """The fonts and photographs of a part, "train" or "test"; no family and no photograph is in both.

    Raises DataError if no photographs have been fetched, ValueError for another part.
    """
    from gocnn.images import photos
    from gocnn.images.text import fonts

    if part not in ("train", "test"):
        raise ValueError(f"no part {part!r}: train or test")
    photographs = photos.load()
    held = [k for k in range(len(photographs)) if k % 8 == 4]
    chosen = held if part == "test" else [k for k in range(len(photographs)) if k not in held]
    return fonts.split(fonts.find())[part], [photographs[k] for k in chosen]
