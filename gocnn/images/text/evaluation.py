"""The figures of detector and recogniser on scenes drawn with fonts and over photographs that neither has seen."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from torch import nn

from gocnn import checkpoint
from gocnn.images.text import SURE, detector, language, quads, reading, recogniser, voting
from gocnn.images.text.reading import Reader
from gocnn.images.text.regions import FINEST
from gocnn.images.text.scenes import Scene, Scenes, split
from gocnn.images.text.scoring import Count, Reading, compare

NAME = "text"  # of the networks that ship, to `gocnn images evaluate`
SCENES = 200
SEED = 2  # not that of training, nor that on which runs are watched


@dataclass(frozen=True)
class Figures:
    """Sums over scenes: boxes found, true boxes read letter by letter, boxes found and read, and the seconds taken."""

    boxes: Count
    words: Count
    both: Count
    seconds: float
    scenes: int


def pair(model: str) -> tuple[nn.Module, Reader] | None:
    """Detector and reader by `NAME`, or with the detector, recogniser or language of a file; None if it is none."""
    if model == NAME:
        return detector.load(), voting.reader(recogniser.load())
    try:
        kind = checkpoint.load(model).kind
    except checkpoint.CheckpointError:
        return None
    if kind == detector.KIND:
        return detector.load(model), voting.reader(recogniser.load())
    if kind == recogniser.KIND:
        return detector.load(), voting.reader(recogniser.load(model))
    if kind == language.KIND:
        return detector.load(), voting.reader(recogniser.load(), language.load(model))
    return None


def held_out(count: int = SCENES, seed: int = SEED) -> tuple[int, Iterator[Scene]]:
    """How many faces there are to test with, and scenes drawn with them, one by one.

    Raises DataError if photographs or fonts are missing.
    """
    fonts, photographs = split("test")
    scenes = Scenes(fonts, photographs, seed=seed)
    return len(fonts), (scenes.scene(k) for k in range(count))


def evaluate(finder: nn.Module, reader: Reader, scenes: Iterable[Scene]) -> Figures:
    """Find and read the words of scenes."""
    boxes, words, both = Count(), Count(), Count()
    seconds, done = 0.0, 0
    for scene in scenes:
        true = [Reading(word.quad, word.text) for word in scene.words]
        began = time.monotonic()
        regions = reading.find(finder, scene.image)
        lines = reading.read_regions(reader, scene.image, regions, sure=SURE)
        seconds += time.monotonic() - began
        found = [word for line in lines for word in line]
        boxes += compare([Reading(r.quad) for r in regions], true)[0]
        both += compare([Reading(w.quad, w.text) for w in found], true)[1]
        legible = [word for word in scene.words if quads.sides(word.quad)[1] >= FINEST]
        said = reading.read_boxes(reader, scene.image, [word.quad for word in legible])
        right = sum(text == word.text for (text, _), word in zip(said, legible))
        words += Count(right, len(legible), len(legible))
        done += 1
    return Figures(boxes, words, both, seconds, done)


def lines(figures: Figures, faces: int) -> list[str]:
    """The figures in words, and of how many faces they are."""
    told = [f"{figures.scenes} scenes of {faces} faces and of photographs held out, {figures.boxes.true:,} words"]
    for title, count in (("boxes found, IoU 0.5", figures.boxes), ("found and read", figures.both)):
        told.append(f"{title:<22} F1 {count.f1:.3f}  precision {count.precision:.3f}  recall {count.recall:.3f}")
    told.insert(2, f"{'true boxes read':<22} {figures.words.recall:.3f}, letter by letter, upper and lower case apart")
    return told + [f"{figures.seconds / max(figures.scenes, 1):.2f} seconds a scene"]
