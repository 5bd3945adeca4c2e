"""The figures of detector and recogniser on scenes drawn with fonts and over photographs that neither has seen."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from torch import nn

from gocnn import checkpoint
from gocnn.images.text import SURE, detector, quads, reading, recogniser, voting
from gocnn.images.text.regions import FINEST
from gocnn.images.text.scenes import Scene, Scenes, split
from gocnn.images.text.scoring import Count, Reading, compare

NAME = "text"  # of the pair that ships, to `gocnn images evaluate`
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


def pair(model: str) -> tuple[nn.Module, nn.Module] | None:
    """Detector and recogniser by `NAME`, or the one in a file with the other that ships; None if it is neither."""
    if model == NAME:
        return detector.load(), recogniser.load()
    try:
        kind = checkpoint.load(model).kind
    except checkpoint.CheckpointError:
        return None
    if kind == detector.KIND:
        return detector.load(model), recogniser.load()
    return (detector.load(), recogniser.load(model)) if kind == recogniser.KIND else None


def held_out(count: int = SCENES, seed: int = SEED) -> Iterator[Scene]:
    """Scenes for testing, drawn one by one. Raises DataError if no photographs have been fetched, ValueError."""
    scenes = Scenes(*split("test"), seed=seed)
    return (scenes.scene(k) for k in range(count))


def evaluate(finder: nn.Module, reader: nn.Module, scenes: Iterable[Scene]) -> Figures:
    """Find and read the words of scenes."""
    boxes, words, both = Count(), Count(), Count()
    seconds, done = 0.0, 0
    reads = voting.reader(reader)
    for scene in scenes:
        true = [Reading(word.quad, word.text) for word in scene.words]
        began = time.monotonic()
        lines = reading.read(finder, reads, scene.image, sure=SURE)
        seconds += time.monotonic() - began
        found = [word for line in lines for word in line]
        boxes += compare([Reading(r.quad) for r in reading.find(finder, scene.image)], true)[0]
        both += compare([Reading(w.quad, w.text) for w in found], true)[1]
        legible = [word for word in scene.words if quads.sides(word.quad)[1] >= FINEST]
        said = reading.read_boxes(reads, scene.image, [word.quad for word in legible])
        right = sum(text == word.text for (text, _), word in zip(said, legible))
        words += Count(right, len(legible), len(legible))
        done += 1
    return Figures(boxes, words, both, seconds, done)


def lines(figures: Figures) -> list[str]:
    """The figures in words."""
    told = [f"{figures.scenes} scenes of fonts and photographs held out, {figures.boxes.true:,} words"]
    for title, count in (("boxes found, IoU 0.5", figures.boxes), ("found and read", figures.both)):
        told.append(f"{title:<22} F1 {count.f1:.3f}  precision {count.precision:.3f}  recall {count.recall:.3f}")
    told.insert(2, f"{'true boxes read':<22} {figures.words.recall:.3f}, letter by letter, upper and lower case apart")
    return told + [f"{figures.seconds / max(figures.scenes, 1):.2f} seconds a scene"]
