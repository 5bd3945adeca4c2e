"""From a picture to words in order, with detectors and readers that say what they are told."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from gocnn.images.text import detector, quads, reading, regions
from gocnn.images.text.regions import Region


def box(left, top, right, bottom):
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


class Sees(torch.nn.Module):
    """A detector that knows the words of one picture of a width, whatever size it is shown in."""

    def __init__(self, words, width):
        super().__init__()
        self.words, self.width, self.shown = words, width, []

    def forward(self, x):
        height, width = x.shape[2:]
        self.shown.append((height, width))
        maps = regions.maps_of([word * np.float32(width / self.width) for word in self.words], height, width)
        told = torch.from_numpy(np.concatenate([maps.core[None], maps.directions]))[None]
        told[:, 0] = torch.logit(told[:, 0], eps=1e-4)
        return told


@pytest.mark.parametrize("size", [(96, 160), (480, 640), (2400, 3200)])
def test_words_are_found_in_the_pictures_own_pixels_whatever_its_size(size):
    height, width = size
    unit = width / 160
    words = [box(10, 10, 70, 22) * unit, box(20, 50, 120, 64) * unit]
    sees = Sees(words, width)
    found = reading.find(sees, np.zeros((height, width, 3), np.uint8))
    assert len(found) == 2
    for word in words:
        assert max(quads.iou(region.quad, word) for region in found) > 0.8
    assert max(max(shape) for shape in sees.shown) <= reading.LONGEST + detector.COARSEST


def test_a_high_word_is_taken_from_the_coarse_scale_and_its_letters_are_not():
    letters = [Region(box(x, 10, x + 70, 130), 0.9) for x in (0, 90, 180)]
    small = Region(box(0, 200, 60, 220), 0.7)
    word, blur = Region(box(0, 8, 255, 132), 0.8), Region(box(0, 190, 120, 230), 0.8)
    assert reading.merged([*letters, small], [word, blur]) == [word, small]
    assert reading.merged(letters, []) == letters


def read_by_colour(cuts):
    """The text of a word is its mean colour's name; how sure, by how wide its first cut is."""
    said = []
    for crop in (word[0] for word in cuts):
        mean = crop.reshape(-1, 3).mean(0)
        text = ("red", "green", "blue")[int(mean.argmax())] if mean.any() else ""
        said.append((text, min(1.0, crop.shape[1] / 64)))
    return said


def coloured(words, height=160, width=320):
    image = np.zeros((height, width, 3), np.uint8)
    for k, word in enumerate(words):
        (left, top), (right, bottom) = word[[0, 2]].astype(int)
        image[top:bottom, left:right, k % 3] = 200
    return image


def test_words_come_in_reading_order_with_what_was_read_in_them():
    words = [box(150, 20, 230, 40), box(20, 20, 130, 40), box(20, 60, 110, 80)]
    lines = reading.read(Sees(words, 320), read_by_colour, coloured(words))
    assert [[word.text for word in line] for line in lines] == [["green", "red"], ["blue"]]
    for word, true in zip(lines[0], (words[1], words[0])):
        assert quads.iou(word.quad, true) > 0.8


def test_words_that_are_read_unsurely_or_hold_nothing_are_left_out():
    words = [box(20, 20, 130, 40), box(20, 60, 50, 80), box(200, 100, 280, 120)]
    image = coloured(words)
    image[100:120, 200:280] = 0
    lines = reading.read(Sees(words, 320), read_by_colour, image, sure=0.9)
    assert [[word.text for word in line] for line in lines] == [["red"]]


def test_a_word_that_runs_upwards_is_read_turned():
    upward = box(100, 20, 120, 130)  # the detector knows no better than that it stands upright
    (line,) = reading.read(Sees([upward], 320), read_by_colour, coloured([upward]))
    wide, tall = quads.sides(line[0].quad)
    assert wide > 4 * tall and line[0].confidence == 1


def test_nothing_is_read_in_an_empty_picture():
    assert reading.read(Sees([], 64), read_by_colour, np.zeros((64, 64, 3), np.uint8)) == []


def test_words_as_json():
    lines = [[reading.Found("a", box(1, 2, 3.04, 4), 0.9, 0.81234)], []]
    told = json.loads(json.dumps(reading.as_json(lines)))
    assert told == [[{"text": "a", "confidence": 0.8123, "score": 0.9,
                      "quad": [[1.0, 2.0], [3.0, 2.0], [3.0, 4.0], [1.0, 4.0]]}], []]  # fmt: skip


def test_large_pictures_are_drawn_smaller():
    drawn = reading.draw(np.zeros((1200, 4800, 3), np.uint8), [[reading.Found("a", box(0, 0, 4000, 900), 1, 1)]])
    assert drawn.shape == (1200, 2400, 3)


@pytest.mark.parametrize("shape", [(1, 1), (40, 60), (300, 1000), (1000, 200)])
def test_words_are_drawn_in_boxes_and_again_beside_the_picture(shape):
    image = np.full((*shape, 3), 128, np.uint8)
    height, width = shape
    word = reading.Found("gB.", box(0.2 * width, 0.3 * height, 0.8 * width, 0.7 * height), 1, 1)
    drawn = reading.draw(image, [[word]])
    scale = max(1, min(4, reading.DRAWN[0] / max(shape)))
    wide = width >= 1.4 * height
    assert drawn.shape[1 if wide else 0] == max(1, round(shape[1 if wide else 0] * scale))
    assert drawn.shape[0 if wide else 1] == 2 * max(1, round(shape[0 if wide else 1] * scale))
    assert (drawn == reading.BOX).all(2).any() or max(shape) == 1
