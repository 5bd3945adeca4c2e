"""Maps of words: what is drawn into them is found in them again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import measure

from gocnn.images.text import quads, regions


def parallelogram(middle, width, height, angle, shear=0.0):
    """A quad whose lines run at `angle` degrees and whose sides lean by `shear` of its height."""
    along = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    down = np.array([-along[1], along[0]]) + shear * along
    corners = [-width * along - height * down, width * along - height * down,
               width * along + height * down, -width * along + height * down]  # fmt: skip
    return (np.array(middle) + np.array(corners) / 2).astype(np.float32)


def found_again(words, height=256, width=384):
    maps = regions.maps_of(words, height, width)
    return regions.regions_of(maps.core, maps.directions)


@settings(deadline=None, max_examples=80)
@given(st.floats(16, 180), st.floats(12, 60), st.floats(-180, 180), st.floats(-0.6, 0.6))
def test_a_word_of_any_size_and_direction_is_found_where_it_was_drawn(width, height, angle, shear):
    word = parallelogram((190, 130), width, height, angle, shear)
    (region,) = found_again([word])
    assert quads.iou(region.quad, word) > 0.8
    assert region.score > regions.SURE
    # The text's own top left comes first, not just one of the corners.
    assert np.linalg.norm(region.quad - word, axis=1).max() < 0.35 * min(width, height) + 3


def test_a_word_in_perspective_is_found():
    word = np.array([[30, 40], [300, 80], [296, 150], [40, 160]], np.float32)
    (region,) = found_again([word])
    assert quads.iou(region.quad, word) > 0.8


def test_words_that_nearly_touch_stay_apart():
    words = [parallelogram((x, y), 58, 16, 0) for y in (50, 66, 82) for x in (60, 120, 180)]
    found = found_again(words)
    assert len(found) == len(words)
    for word in words:
        assert max(quads.iou(region.quad, word) for region in found) > 0.8


@settings(deadline=None, max_examples=50)
@given(st.floats(8, 90), st.floats(8, 40), st.floats(-180, 180), st.floats(-0.5, 0.5))
def test_growing_undoes_shrinking(width, height, angle, shear):
    word = parallelogram((0, 0), width, height, angle, shear)
    np.testing.assert_allclose(regions.grown(regions.shrunk(word)), word, atol=1e-2)


def test_words_too_small_to_read_count_neither_way():
    tiny = parallelogram((100, 100), 40, 6, 0)
    maps = regions.maps_of([tiny], 256, 256)
    assert maps.core.max() == 0 and maps.weight[50, 50] == 0 and maps.weight[10, 10] == 1
    assert found_again([tiny]) == []


def test_a_small_words_cells_count_more_than_a_large_ones():
    maps = regions.maps_of([parallelogram((60, 60), 40, 12, 0), parallelogram((200, 180), 200, 80, 0)], 256, 320)
    assert maps.weight[30, 30] > 2 * maps.weight[90, 100] >= 2


def test_words_that_stick_out_of_the_picture_or_lie_outside_it():
    out, half = parallelogram((900, 900), 60, 20, 0), parallelogram((0, 100), 120, 30, 0)
    (region,) = found_again([out, half])
    assert region.quad[:, 0].max() == pytest.approx(60, abs=3)


def test_directions_that_contradict_each_other_leave_the_smallest_rectangle():
    word = parallelogram((190, 130), 120, 30, 10)
    maps = regions.maps_of([word], 256, 384)
    (region,) = regions.regions_of(maps.core, np.zeros_like(maps.directions))
    assert quads.iou(region.quad, word) > 0.8


def test_unsure_and_tiny_cores_are_no_words():
    probability, directions = np.zeros((64, 64), np.float32), np.zeros((4, 64, 64), np.float32)
    probability[10, 10] = 1.0  # a single cell
    probability[30:36, 10:40] = regions.SURE - 0.05
    assert regions.regions_of(probability, directions) == []
    assert regions.regions_of(np.zeros((1, 1), np.float32), np.zeros((4, 1, 1), np.float32)) == []


@pytest.mark.parametrize("share", [0.2, 0.5, 0.7])
def test_components_are_those_of_scikit_image(share):
    mask = np.random.default_rng(3).random((70, 90)) < share
    labels, count = regions.components(mask)
    theirs, number = measure.label(mask, connectivity=1, return_num=True)
    assert count == number
    np.testing.assert_array_equal(labels > 0, mask)
    assert len(np.unique(np.stack([labels[mask], theirs[mask]]), axis=1).T) == count  # the same parts, one to one
