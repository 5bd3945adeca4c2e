"""The figures of scenes: what is counted, of how many faces, and of whose networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gocnn.images.text import evaluation, fonts, language, reading, scenes
from gocnn.images.text.alphabet import ALPHABET
from gocnn.images.text.scoring import Count
from tests.images.text.test_reading import Sees, box, coloured, read_by_colour

BOXES = [box(20, 20, 130, 40), box(20, 60, 110, 80)]


def test_the_detector_looks_once_at_a_scene() -> None:
    image = coloured(BOXES)
    words = tuple(scenes.Word(text, quad) for text, quad in zip(("red", "grey"), BOXES))
    sees, once = Sees(BOXES, 320), Sees(BOXES, 320)
    found = evaluation.evaluate(sees, read_by_colour, [scenes.Scene(image, words)])
    assert found.boxes == Count(2, 2, 2) and found.both == found.words == Count(1, 2, 2) and found.scenes == 1
    reading.find(once, image)
    assert sees.shown == once.shown


def test_a_test_says_of_how_many_faces_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    face = fonts.Font(str(fonts.plain_folder() / "DejaVuSans.ttf"), "DejaVu Sans", "", frozenset(ALPHABET))
    photograph = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    monkeypatch.setattr(evaluation, "split", lambda part: ([face] * 3, [photograph]))
    faces, drawn = evaluation.held_out(1)
    found = evaluation.evaluate(Sees([], 512), read_by_colour, drawn)
    assert evaluation.lines(found, faces)[0].startswith("1 scenes of 3 faces")


def test_a_file_has_the_networks_that_ship_as_its_partners(tmp_path: Path) -> None:
    place = tmp_path / "own.safetensors"
    language.save(place, *language.count(["stone"], least=1), {})
    found = evaluation.pair(str(place))
    assert found and isinstance(found[0], torch.nn.Module)
    assert found[1].keywords["spoken"] is language.load(str(place))  # type: ignore[attr-defined]
    assert evaluation.pair("digits") is None
