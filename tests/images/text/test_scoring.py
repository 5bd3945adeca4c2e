"""Counting found and read words: each box counts once, and what cannot be read does not count."""

from __future__ import annotations

import numpy as np
import pytest

from gocnn.images.text.scoring import Count, Reading, compare, matches


def box(left, top, width=40.0, height=16.0):
    return np.array([[left, top], [left + width, top], [left + width, top + height], [left, top + height]], np.float32)


def test_a_true_box_has_one_partner_and_that_is_the_best():
    true = [box(0, 0), box(100, 0)]
    found = [box(8, 0), box(2, 0), box(100, 2), box(300, 0)]
    assert matches(found, true) == [(1, 0), (2, 1)]


def test_half_of_the_union_is_enough_and_less_is_not():
    true = [box(0, 0, 40, 20)]
    assert matches([box(0, 0, 20, 20)], true) == [(0, 0)]
    assert matches([box(0, 0, 19, 20)], true) == []


def test_precision_recall_and_f1():
    count = Count(right=6, found=8, true=12)
    assert (count.precision, count.recall) == (0.75, 0.5)
    assert count.f1 == pytest.approx(2 * 0.75 * 0.5 / 1.25)
    assert count + Count(1, 2, 3) == Count(7, 10, 15)
    assert Count().f1 == Count().precision == Count().recall == 0


def test_boxes_and_texts_are_counted_apart():
    true = [Reading(box(0, 0), "Exit"), Reading(box(100, 0), "TO"), Reading(box(200, 0), "Berlin")]
    found = [Reading(box(1, 0), "Exit"), Reading(box(99, 1), "To"), Reading(box(400, 0), "x")]
    assert compare(found, true) == (Count(2, 3, 3), Count(1, 3, 3))
    without_case = compare(found, true, lambda a, b: a.lower() == b.lower())
    assert without_case[1] == Count(2, 3, 3)


def test_words_too_small_to_read_count_neither_as_missed_nor_as_false():
    tiny = Reading(box(0, 0, 40, 5), "small print")
    assert compare([], [tiny]) == (Count(), Count())
    assert compare([Reading(box(1, 0, 40, 5), "smell")], [tiny]) == (Count(), Count())
    assert compare([Reading(box(0, 0, 12, 5), "sm")], [tiny]) == (Count(), Count())  # a part of it
    assert compare([Reading(box(0, 0, 40, 30), "big")], [tiny])[0] == Count(0, 1, 0)
