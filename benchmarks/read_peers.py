"""`gocnn read` beside RapidOCR (PaddleOCR's PP-OCRv4 networks under ONNX Runtime), on drawn and on real pictures.

    pip install -c constraints.txt rapidocr-onnxruntime
    apt-get download opencv-doc && dpkg-deb -x opencv-doc_*.deb opencv-doc
    python benchmarks/read_peers.py --scenes 30 --photographs opencv-doc

The drawn pictures are those of `gocnn images evaluate text`: fonts and photographs that our networks have not seen. The
real ones are photographs of signs that come with Debian's opencv-doc, and scikit-image's `page`; their words are in the
table below. `skimage.data.text` is handwriting in formulas and has no words.

RapidOCR gives lines, we words in lines. Its lines are split at spaces, their boxes in proportion to the characters.
It often leaves out the spaces, so a measure that needs none is given as well: of all letters and digits of the true
words, longest words first, those whose words stand somewhere in the lines found, none used twice ("letters"). Words
are compared letter by letter, and by letters and digits alone, upper and lower case as one ("loosely"). What neither
should be asked for (text in the background too small to read) is left out on both sides.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from gocnn.images.datasets import DataError
from gocnn.images.text.scoring import Count, Reading, compare

#: file -> its words, and words in the background that may be found or not; written down by looking at the pictures.
REAL: dict[str, tuple[str, str]] = {
    "text/scenetext01.jpg": ("NOTICE DOUBLE PARKING PROHIBITED AT ALL TIMES", "The Washington Post"),
    "text/scenetext02.jpg": ("Sports Centre Wivenhoe Park Conference Centre Car Parks", ""),
    "text/scenetext03.jpg": ("the copy centre", "<"),
    "text/scenetext04.jpg": ("GM 125 Gmmco", ""),
    "text/scenetext05.jpg": ("NO PARKING NO PARKING", ""),
    "text/scenetext06.jpg": ("priory galleries at the ship priory galleries at the ship", ""),
    "text/scenetext_segmented_word01.jpg": ("HOTEL", ""),
    "text/scenetext_segmented_word02.jpg": ("Stationery Box", "79p COMPUTER FOOD COMPUTER Food"),
    "text/scenetext_segmented_word03.jpg": ("Customer Freephone Private Hire Service", ""),
    "text/scenetext_segmented_word04.jpg": ("F FOSTER'S", "R FOSTER'S FOSTER'S FOSTER'S FOSTERS FOSTERS FOSTERS F F"),
    "text/scenetext_segmented_word05.jpg": ("SANYO PRO xtraX MULTIMEDIA PROJECTOR", ""),
    "text/scenetext_word01.jpg": ("CHINA", ""),
    "text/scenetext_word02.jpg": ("HERE", ""),
    "text/scenetext_word03.jpg": ("riser", ""),
    "text/scenetext_word04.jpg": ("Produkt", ""),
    "data/left.jpg": ("Let Us C BASIC ELECTRONICS", "Let Us C BASIC ELECTRONICS DEVICES, CIRCUITS AND IT "
                      "FUNDAMENTALS SANTIRAM KAL KAL ELITE Yashavant Kanetkar"),
    "page": ("Region-based segmentation Let us first determine markers of the coins and the background. These markers "
             "are pixels that we can label unambiguously as either object or background. Here, the markers are found "
             "at the two extreme parts of the histogram of grey values: >>> markers = np.zeros_like(coins)", ""),
}  # fmt: skip

Engine = Callable[[np.ndarray], list[list[Reading]]]  # a picture, uint8 [H, W, 3] -> lines of strings and their quads


def exact(text: str) -> str:
    return text


def loose(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def ours() -> Engine:
    from gocnn.images.text import SURE, detector, reading, recogniser, voting

    finder, reader = detector.load(), voting.reader(recogniser.load())

    def engine(image: np.ndarray) -> list[list[Reading]]:
        lines = reading.read(finder, reader, image, sure=SURE)
        return [[Reading(word.quad, word.text) for word in line] for line in lines]

    return engine


def rapid() -> Engine:
    from rapidocr_onnxruntime import RapidOCR

    model = RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)

    def engine(image: np.ndarray) -> list[list[Reading]]:
        found: list[Any] = model(np.ascontiguousarray(image[..., ::-1]))[0] or []
        return [[Reading(np.asarray(box, np.float32), text.strip())] for box, text, *_ in found]

    return engine


def texts_of(lines: Sequence[Sequence[Reading]]) -> list[str]:
    """The text of each line."""
    return [" ".join(one.text for one in line) for line in lines]


def words_of(lines: Sequence[Sequence[Reading]]) -> list[Reading]:
    """Strings split at their spaces; the quad of each word is its share, by characters, of the whole."""
    words = []
    for one in itertools.chain.from_iterable(lines):
        first = 0
        for text in one.text.split(" "):
            left, right = first / len(one.text or " "), (first + len(text)) / len(one.text or " ")
            top, bottom = one.quad[1] - one.quad[0], one.quad[2] - one.quad[3]
            quad = [one.quad[0] + left * top, one.quad[0] + right * top,
                    one.quad[3] + right * bottom, one.quad[3] + left * bottom]  # fmt: skip
            if text:
                words.append(Reading(np.asarray(quad, np.float32), text))
            first += len(text) + 1
    return words


def bag(found: Sequence[str], true: Sequence[str], also: Sequence[str], key: Callable[[str], str]) -> Count:
    """Words found and words there as two bags, without regard to place; `also` may be found or not."""
    said, there, spare = (Counter(k for k in map(key, words) if k) for words in (found, true, also))
    right = (said & there).total()
    excess = said - there
    return Count(right, right + (excess - spare).total(), there.total())


def letters(found: Sequence[str], true: Sequence[str], also: Sequence[str]) -> Count:
    """Letters and digits of true words that stand whole in the lines found, without regard to spaces."""
    rest = [loose(text) for text in found]
    right = 0
    for words, wanted in ((true, True), (also, False)):
        for word in sorted(map(loose, words), key=len, reverse=True):
            place = next((k for k, text in enumerate(rest) if word and word in text), None)
            if place is not None:
                rest[place] = rest[place].replace(word, "\0", 1)
                right += len(word) * wanted
    return Count(right, right + sum(len(text.replace("\0", "")) for text in rest), sum(map(len, map(loose, true))))


def on_scenes(engines: dict[str, Engine], count: int) -> None:
    from gocnn.images.text import evaluation

    boxes, read, loosely, whole = ({name: Count() for name in engines} for _ in range(4))
    seconds = dict.fromkeys(engines, 0.0)
    scenes = list(evaluation.held_out(count)[1])
    for engine in engines.values():
        engine(scenes[0].image)  # loads what is compiled
    for scene in scenes:
        true = [Reading(word.quad, word.text) for word in scene.words]
        for name, engine in engines.items():
            began = time.process_time()
            lines = engine(scene.image)
            seconds[name] += time.process_time() - began
            box, both = compare(words_of(lines), true)
            boxes[name], read[name] = boxes[name] + box, read[name] + both
            loosely[name] += compare(words_of(lines), true, lambda a, b: loose(a) == loose(b))[1]
            whole[name] += letters(texts_of(lines), [t.text for t in true], [])
    click.echo(f"{count} drawn scenes, {next(iter(boxes.values())).true} words; F1")
    click.echo(f"{'':<10} {'boxes':>8} {'and read':>9} {'loosely':>8} {'letters':>8} {'CPU s a picture':>16}")
    for name in engines:
        figures = [counts[name].f1 for counts in (boxes, read, loosely, whole)]
        click.echo(f"{name:<10} {figures[0]:8.3f} {figures[1]:9.3f} {figures[2]:8.3f} {figures[3]:8.3f} "
                   f"{seconds[name] / count:16.2f}")  # fmt: skip


def on_photographs(engines: dict[str, Engine], folder: Path | None, show: bool) -> None:
    from gocnn.images import pictures

    sums = {name: [Count(), Count(), Count()] for name in engines}
    tried = 0
    for file, (true, also) in REAL.items():
        if file == "page":
            from skimage import data

            image = np.repeat(data.page()[..., None], 3, 2)
        else:
            place = next(iter(sorted(folder.rglob(f"examples/{file}"))), None) if folder else None
            if place is None:
                continue
            image = pictures.read(place)
        tried += 1
        for name, engine in engines.items():
            strings = texts_of(engine(image))
            words = [word for text in strings for word in text.split()]
            counts = [bag(words, true.split(), also.split(), key) for key in (exact, loose)]
            counts.append(letters(strings, true.split(), also.split()))
            sums[name] = [a + b for a, b in zip(sums[name], counts)]
            if show:
                told = "  ".join(f"{c.right}/{c.true}" for c in counts)
                click.echo(f"{file} {name}: {told}  {' '.join(strings)}")
    click.echo(f"{tried} photographs, {next(iter(sums.values()))[0].true} words; F1 (precision, recall)")
    for name, counts in sums.items():
        told = [f"{title} {c.f1:.3f} ({c.precision:.3f}, {c.recall:.3f})"
                for title, c in zip(("words", "loosely", "letters"), counts)]  # fmt: skip
        click.echo(f"{name:<10} " + "  ".join(told))


@click.command()
@click.option("--scenes", default=40, show_default=True, help="How many drawn pictures.")
@click.option("--photographs", type=click.Path(exists=True, path_type=Path), help="Where opencv-doc was unpacked.")
@click.option("--show", is_flag=True, help="Print what is read on each photograph.")
def main(scenes: int, photographs: Path | None, show: bool) -> None:
    """Read the same pictures with both and print the figures side by side."""
    import torch

    torch.set_num_threads(1)
    engines = {"gocnn": ours(), "RapidOCR": rapid()}
    if scenes:
        try:
            on_scenes(engines, scenes)
        except DataError as error:
            raise click.ClickException(str(error)) from error
    on_photographs(engines, photographs, show)


if __name__ == "__main__":
    main()
