"""Signs in photographs: where the detector sees words, the boxes that come of it, and how the recogniser reads one."""

from __future__ import annotations

from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from gocnn.demos import Say, Shown, hang, together
from gocnn.images import samples
from gocnn.images.text import SURE, alphabet, detector, fonts, reading, recogniser, rendering, voting
from gocnn.visualize import drawing

Lines = list[list[reading.Found]]
Colour = tuple[int, int, int]

#: Photograph -> its signs: lines, face (of matplotlib's), ink, plate or none, and the corners in the picture.
SIGNS: dict[str, list[tuple[str, str, Colour, Colour | None, list[list[int]]]]] = {
    "rocket": [
        ("Falcon 9\nlift-off 11:03 PM", "DejaVuSans-Bold", (255, 255, 255), (20, 70, 40),
         [[30, 40], [250, 78], [246, 158], [34, 146]]),
        ("Do NOT feed\nthe rockets!", "DejaVuSerif-Bold", (30, 20, 20), (245, 205, 40),
         [[416, 250], [588, 228], [592, 318], [420, 328]]),
        ("SpaceX", "DejaVuSans", (250, 250, 250), None, [[430, 40], [592, 26], [596, 74], [434, 92]]),
    ],
    "coffee": [
        ("Espresso 2.40\nCappuccino 3.10\nTea 1.90", "DejaVuSansMono-Bold", (240, 240, 230), (40, 36, 34),
         [[20, 18], [238, 26], [232, 130], [28, 148]]),
        ("FREE refills?", "DejaVuSerif-Italic", (255, 250, 220), None, [[430, 40], [586, 74], [580, 116], [424, 82]]),
    ],
}  # fmt: skip
ON_THE_WAY = {"rocket": "lift-off", "coffee": "Cappuccino"}  # read step by step
ENLARGED = 1.5  # times


def make(out: Path, say: Say) -> Shown:
    finder, reader = detector.load(), recogniser.load()
    pictures = {name: scene(name) for name in SIGNS}
    read = {
        name: reading.read(finder, voting.reader(reader), image, sure=SURE) for name, (image, _) in pictures.items()
    }
    crops = {word: _crop(word, pictures[name][0], read[name]) for name, word in ON_THE_WAY.items()}
    return together((_found(out, say, finder, pictures, read), _read(out, say, reader, crops)), ("found", "read"))


def scene(name: str) -> tuple[np.ndarray, list[str]]:
    """A sample photograph with its signs, uint8 [H, W, 3], and the words on them."""
    photograph = samples.photograph(name)
    height, width = photograph.shape[:2]
    image = np.array(Image.fromarray(photograph).resize((round(ENLARGED * width), round(ENLARGED * height))))
    words = []
    for lines, face, ink, plate, corners in SIGNS[name]:
        rendering.lay(image, _sheet(lines, face, ink, plate), ENLARGED * np.array(corners, np.float64))
        words += lines.split()
    return image, words


def _sheet(lines: str, face: str, ink: Colour, plate: Colour | None) -> Image.Image:
    """A sign seen from the front, as an RGBA picture; without a plate it is ink alone."""
    letters = ImageFont.truetype(str(fonts.plain_folder() / f"{face}.ttf"), 80)
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((0, 0), lines, font=letters)
    edge = 30 if plate else 2
    size = (int(right - left) + 2 * edge, int(bottom - top) + 2 * edge)
    sheet = Image.new("RGBA", size, (*(plate or ink), 0))
    pen = ImageDraw.Draw(sheet)
    if plate:
        pen.rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), 24, fill=(*plate, 255), outline=(*ink, 255), width=6)
    pen.multiline_text((edge - left, edge - top), lines, font=letters, fill=(*ink, 255))
    return sheet


def _crop(word: str, image: np.ndarray, lines: Lines) -> np.ndarray:
    """What the detector cut out for a word: the crop of what was read most like it."""
    found = [one for line in lines for one in line]
    best = max(found, key=lambda one: SequenceMatcher(None, one.text, word).ratio())
    return reading.crop(image, best.quad, reading.MARGINS[1])


def _found(
    out: Path, say: Say, finder: detector.Detector, pictures: dict[str, tuple[np.ndarray, list[str]]],
    read: dict[str, Lines],
) -> Shown:  # fmt: skip
    """The pictures, where words are seen in them, how these lie, and what is read."""
    figure, cells = drawing.canvas(len(SIGNS), 4, cell=2.6, wide=1.5)
    numbers: dict[str, Any] = {}
    for row, (name, (image, words)) in enumerate(pictures.items()):
        maps, lines = detector.look(finder, image), read[name]
        found = [word for line in lines for word in line]
        said = [word.text for word in found]
        drawing.show(cells[row, 0], reading.boxed(image, found), title="signs, and the boxes found")
        cells[row, 1].imshow(maps[0], cmap=drawing.SEQUENTIAL, vmin=0, vmax=1, interpolation="nearest")
        cells[row, 2].imshow(_slope(maps), cmap=drawing.DIVERGING, vmin=-15, vmax=15, interpolation="nearest")
        for axes, title in zip(cells[row, 1:], ("how likely the core of a word is", "which way it runs")):
            axes.set(xticks=[], yticks=[], facecolor="0.35")
            axes.set_title(title, fontsize=9)
        drawing.show(cells[row, 3], reading.set_out(image, found), title="what is read in them")
        right = sum(min(said.count(word), words.count(word)) for word in set(words))
        numbers[name] = {"there": words, "read": said, "right": right}
        say(f"{name}: {right} of {len(words)} words right; read: " + " / ".join(
            " ".join(word.text for word in line) for line in lines))  # fmt: skip
    caption = (
        "Signs set with matplotlib's faces and laid into photographs in perspective. The detector says of each cell of "
        "two pixels how likely it belongs to the core of a word (bright), a word being shrunk from all sides so that "
        "neighbours do not touch, and which way the word runs (red falls to the right, blue rises, by 15 degrees at "
        "most). Each connected core grows back to a box; what is in it is turned upright, and read letter by letter."
    )
    return Shown((hang(figure, out / "text.png", caption),), numbers)


def _slope(maps: np.ndarray) -> np.ndarray:
    """The slope of the lines in degrees where a word is likely, float [h, w]; elsewhere not a number."""
    degrees = np.degrees(np.arctan2(maps[2], maps[1]))
    return np.where(maps[0] > 0.5, degrees, np.nan)


def _read(out: Path, say: Say, reader: recogniser.Recogniser, crops: dict[str, np.ndarray]) -> Shown:
    """Two words step by step: at each place the network names a character, or none."""
    figure, cells = drawing.canvas(2, len(crops), cell=2.0, wide=2.4)
    numbers: dict[str, Any] = {}
    for column, (word, crop) in enumerate(crops.items()):
        grey = recogniser.narrowed(recogniser.as_grey(crop))
        inputs = torch.from_numpy(recogniser.padded([recogniser.standardised(grey)]))
        with torch.inference_mode():
            shares = reader(inputs)[0].softmax(1)[: recogniser.steps(grey.shape[1])].numpy()  # [T, 95]
        best = shares.argmax(1)
        rows = [alphabet.BLANK, *dict.fromkeys(int(k) for k in best if k != alphabet.BLANK)]
        text, sure = voting.read_words(reader, [crop])[0]
        numbers[word] = {"text": text, "confidence": round(sure, 3), "steps": len(shares)}
        drawing.show(cells[0, column], crop, title="cut out of the picture and turned upright")
        axes = cells[1, column]
        axes.imshow(shares[:, rows].T, cmap=drawing.SEQUENTIAL, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
        axes.set_yticks(range(len(rows)), ["none", *(alphabet.decode([k]) for k in rows[1:])], fontsize=8)
        axes.set_xlabel(f"{len(shares)} steps from left to right", fontsize=8)
        axes.set_title(f"read: {text}, sure by {sure:.0%}", fontsize=9)
        say(f"{word}: read as {text!r} in {len(shares)} steps")
    caption = (
        "How a word is read. The recogniser slides over the crop and says at each step which character it has come "
        "upon, or none (connectionist temporal classification). Repeated characters count once, unless the answer "
        "“none” stands between them: that is how the double letters of Cappuccino and lift-off are told from one "
        "broad letter."
    )
    return Shown((hang(figure, out / "text-reading.png", caption),), numbers)
