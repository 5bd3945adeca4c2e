"""The geometry of quads, against counted pixels, known rectangles and known orders."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path as Polygon

from gocnn.images.text import quads


def box(left, top, right, bottom, angle=0.0):
    """A rectangle turned about its middle by `angle` degrees, clockwise on the picture."""
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)
    turn = np.radians(angle)
    middle = corners.mean(0)
    around = (corners - middle) @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return (around + middle).astype(np.float32)


number = st.floats(-9, 9)
boxes = st.builds(
    lambda x, y, w, h, angle, bend: box(x - w, y - h, x + w, y + h, angle) + np.array(bend, np.float32).reshape(4, 2),
    number, number, st.floats(4, 15), st.floats(4, 15), st.floats(0, 360),
    st.lists(st.floats(-1, 1), min_size=8, max_size=8),
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(boxes, boxes)
def test_iou_is_that_of_the_counted_points_of_a_fine_grid(a, b):
    grid = np.stack(np.meshgrid(np.arange(-40, 40, 0.07), np.arange(-40, 40, 0.07)), -1).reshape(-1, 2) + 0.035
    in_a, in_b = Polygon(a).contains_points(grid), Polygon(b).contains_points(grid)
    assert quads.iou(a, b) == pytest.approx((in_a & in_b).sum() / (in_a | in_b).sum(), abs=0.02)
    assert quads.iou(a, b) == pytest.approx(quads.iou(b, a), abs=1e-6)


def test_iou_of_a_quad_with_itself_is_one_and_of_neighbours_none():
    one = box(0, 0, 10, 4, angle=20)
    assert quads.iou(one, one) == pytest.approx(1)
    assert quads.iou(box(0, 0, 10, 4), box(10, 0, 20, 4)) == 0


@pytest.mark.parametrize("angle", [-40, -10, 0, 5, 30, 44])
def test_the_smallest_rectangle_around_a_turned_rectangles_points_is_that_rectangle(angle):
    true = box(10, 20, 70, 34, angle)
    weights = np.random.default_rng(0).dirichlet(np.full(4, 0.3), 200)
    points = np.concatenate([weights @ true, true])
    np.testing.assert_allclose(quads.smallest_rectangle(points), true, atol=1e-3)


@pytest.mark.parametrize("points", [[[3, 4]], [[3, 4], [3, 4]], [[0, 0], [5, 5]], [[0, 0], [1, 1], [2, 2]]])
def test_points_on_a_line_have_a_rectangle_too(points):
    found = quads.smallest_rectangle(np.array(points))
    assert found.shape == (4, 2) and np.isfinite(found).all()
    assert abs(quads.area(found)) < 1e-3


@settings(deadline=None, max_examples=60)
@given(st.floats(8, 80), st.floats(8, 80), st.floats(-180, 180), st.floats(-0.4, 3))
def test_an_offset_rectangle_is_wider_by_twice_the_offset_and_comes_back(width, height, angle, share):
    true = box(0, 0, width, height, angle)
    by = share * min(width, height)
    moved = quads.offset(true, by)
    assert quads.sides(moved) == pytest.approx((width + 2 * by, height + 2 * by), abs=1e-2)
    np.testing.assert_allclose(quads.offset(moved, -by), true, atol=1e-2)


def test_a_homography_takes_its_points_where_they_belong():
    source, target = box(0, 0, 10, 5), np.array([[3, 1], [20, 4], [18, 12], [2, 9]])
    matrix = quads.homography(source, target)
    mapped = np.column_stack([source, np.ones(4)]) @ matrix.T
    np.testing.assert_allclose(mapped[:, :2] / mapped[:, 2:], target, atol=1e-6)


def test_rectify_of_a_level_quad_is_the_crop_itself():
    image = np.random.default_rng(1).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    np.testing.assert_array_equal(quads.rectify(image, box(7, 11, 71, 43)), image[11:43, 7:71])


@pytest.mark.parametrize("scale", [1, 4])
def test_rectify_brings_a_picture_drawn_in_perspective_back(scale):
    from PIL import Image

    down, across = np.mgrid[:32, :64]
    flat = np.stack([255 * (across // 8 % 2), 4 * across, 8 * down], -1).astype(np.uint8)
    quad = scale * np.array([[12, 14], [78, 5], [80, 44], [10, 48]], np.float32)
    matrix = quads.homography(quad, np.array([[0, 0], [64, 0], [64, 32], [0, 32]]))
    how = (Image.Transform.PERSPECTIVE, (matrix / matrix[2, 2]).ravel()[:8].tolist(), Image.Resampling.BILINEAR)
    drawn = Image.fromarray(flat).transform((100 * scale, 60 * scale), *how)
    back = quads.rectify(np.array(drawn), quad)
    wide = np.array(Image.fromarray(flat).resize(back.shape[1::-1], Image.Resampling.BILINEAR))
    inner = np.abs(back.astype(int) - wide)[3:-3, 3:-3]
    assert inner.mean() < 12


def test_rectify_outside_the_picture_is_black():
    image = np.full((20, 20, 3), 200, np.uint8)
    assert quads.rectify(image, box(50, 50, 80, 60)).max() == 0
    half = quads.rectify(image, box(-20, 0, 20, 20))
    assert half.shape == (32, 64, 3) and half[:, :30].max() == 0 and half[:, 34:].min() == 200


def test_words_are_put_into_lines_and_lines_into_blocks():
    words = [
        box(60, 30, 90, 40), box(0, 10, 30, 20), box(35, 10, 60, 20), box(0, 30, 55, 40),  # a block of two lines
        box(200, 12, 240, 22), box(200, 32, 230, 42), box(235, 32, 260, 42),  # another, beside it
        box(0, 120, 50, 150),
    ]  # fmt: skip
    shuffled = [5, 1, 7, 0, 3, 6, 2, 4]
    lines = quads.reading_order([words[k] for k in shuffled])
    assert [[shuffled[k] for k in line] for line in lines] == [[1, 2], [3, 0], [4], [5, 6], [7]]


def test_a_slanted_line_is_one_line():
    words = [box(x, 0.4 * x, x + 24, 0.4 * x + 10, angle=21.8) for x in (60, 0, 30)]
    assert quads.reading_order(words) == [[1, 2, 0]]
    assert quads.reading_order([]) == []
