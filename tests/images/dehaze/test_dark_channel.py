"""The guided filter and the dark channel against the same written out pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocnn.images import samples
from gocnn.images.dehaze import dark_channel, haze, metrics
from gocnn.images.dehaze.guided import box_mean, guided_filter


def window(array: np.ndarray, row: int, column: int, radius: int) -> np.ndarray:
    return array[max(row - radius, 0) : row + radius + 1, max(column - radius, 0) : column + radius + 1]


def naive_guided_filter(guide: np.ndarray, values: np.ndarray, radius: int, epsilon: float) -> np.ndarray:
    slope, offset = np.zeros_like(guide), np.zeros_like(guide)
    places = list(np.ndindex(guide.shape))
    for row, column in places:
        g, v = window(guide, row, column, radius), window(values, row, column, radius)
        slope[row, column] = np.mean((g - g.mean()) * (v - v.mean())) / (g.var() + epsilon)
        offset[row, column] = v.mean() - slope[row, column] * g.mean()
    result = np.zeros_like(guide)
    for at in places:
        result[at] = window(slope, *at, radius).mean() * guide[at] + window(offset, *at, radius).mean()
    return result


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_the_guided_filter_is_the_one_written_out(height: int, width: int, radius: int, seed: int) -> None:
    guide, *maps = np.random.default_rng(seed).random((3, height, width))
    found = guided_filter(guide, np.stack(maps), radius, 0.01)
    for values, result in zip(maps, found):
        np.testing.assert_allclose(result, naive_guided_filter(guide, values, radius, 0.01), atol=1e-9)


def test_box_means_near_the_border_are_of_what_is_there() -> None:
    values = np.random.default_rng(0).random((6, 5))
    expected = [[window(values, row, column, 2).mean() for column in range(5)] for row in range(6)]
    np.testing.assert_allclose(box_mean(values, 2), expected)


def test_the_guided_filter_keeps_the_guides_edges() -> None:
    guide = np.repeat([[0.0] * 20 + [1.0] * 20], 30, axis=0)
    noisy = guide + 0.1 * np.random.default_rng(0).normal(size=guide.shape)
    smooth = guided_filter(guide, noisy, 4, 1e-3)
    assert np.abs(smooth - guide).max() < 0.06 and np.abs(smooth - guide).mean() < 0.2 * np.abs(noisy - guide).mean()


def test_the_dark_channel_is_the_least_nearby() -> None:
    picture = np.random.default_rng(0).random((12, 9, 3), np.float32)
    expected = [[window(picture, row, column, 2).min() for column in range(9)] for row in range(12)]
    np.testing.assert_array_equal(dark_channel.dark_channel(picture, 5), np.array(expected))


def test_airlight_is_the_colour_of_what_is_most_hazy() -> None:
    picture = np.full((40, 50, 3), 0.2, np.float32)
    picture[:20, :20] = [0.8, 0.85, 0.9]
    found = dark_channel.airlight(picture, dark_channel.dark_channel(picture))
    np.testing.assert_allclose(found, [0.8, 0.85, 0.9], atol=1e-6)


def test_it_clears_haze_over_a_scene_with_shadows() -> None:
    clean = samples.photograph("cow")[::2, ::2] / np.float32(255)
    depth = np.repeat(np.linspace(1, 0.2, len(clean))[:, None], clean.shape[1], axis=1)
    seen = haze.hazy(clean, haze.transmission(depth, 1.5), np.full(3, 0.9, np.float32))
    found = dark_channel.remove(seen)
    assert found.picture.shape == clean.shape and found.picture.min() >= 0 and found.picture.max() <= 1
    assert found.through.shape == clean.shape[:2] and found.through.min() >= dark_channel.LEAST
    assert metrics.psnr(clean, found.picture) > metrics.psnr(clean, seen) + 2


@pytest.mark.parametrize("shape", [(1, 1), (2, 30), (16, 16)])
def test_small_pictures_are_taken(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).random((*shape, 3), np.float32)
    assert dark_channel.remove(picture).picture.shape == (*shape, 3)
