"""The model of haze and its inverse, and depth maps that are what they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocnn.images import samples
from gocnn.images.dehaze import haze


@given(st.integers(0, 10_000), st.floats(0, 2.5))
@settings(max_examples=25, deadline=None)
def test_known_haze_can_be_taken_off_again(seed: int, beta: float) -> None:
    rng = np.random.default_rng(seed)
    clean = rng.random((9, 7, 3), np.float32)
    through = haze.transmission(rng.random((9, 7)), beta)
    airlight = haze.random_airlight(rng)
    seen = haze.hazy(clean, through, airlight)
    assert seen.dtype == np.float32 and seen.min() >= 0 and seen.max() <= 1 + 1e-6
    np.testing.assert_allclose(haze.clear(seen, through, airlight), clean, atol=2e-5)


def test_far_things_have_the_colour_of_the_air() -> None:
    clean, airlight = np.zeros((1, 2, 3), np.float32), np.array([0.8, 0.85, 0.9], np.float32)
    seen = haze.hazy(clean, haze.transmission(np.array([[0.0, 50.0]]), 1.0), airlight)
    np.testing.assert_allclose(seen[0], [clean[0, 0], airlight], atol=1e-6)


def test_depth_is_exponential_in_the_haze() -> None:
    assert haze.transmission(np.array([[0.5]]), 2.0)[0, 0] == pytest.approx(np.exp(-1))


def test_airlight_is_bright_and_nearly_grey() -> None:
    drawn = np.stack([haze.random_airlight(np.random.default_rng(seed)) for seed in range(300)])
    assert drawn.min() >= 0.6 and drawn.max() <= 1
    assert np.ptp(drawn, axis=1).max() < 0.15 and np.ptp(drawn.mean(1)) > 0.25


def test_depth_maps_reach_from_near_to_far_and_differ() -> None:
    picture = samples.photograph("coffee")[::2, ::2] / np.float32(255)
    maps = [haze.random_depth(np.random.default_rng(seed), picture) for seed in range(12)]
    for depth in maps:
        assert depth.shape == picture.shape[:2] and depth.dtype == np.float32
        assert depth.min() >= 0 and depth.max() == pytest.approx(1, abs=0.02)
    np.testing.assert_array_equal(maps[0], haze.random_depth(np.random.default_rng(0), picture))
    assert len({float(depth.mean()) for depth in maps}) == 12


def test_the_ground_runs_away_from_the_viewer() -> None:
    """Over many maps the lowest rows are nearer than those of the upper half."""
    picture = samples.photograph("cow")[::2, ::2] / np.float32(255)
    maps = np.stack([haze.random_depth(np.random.default_rng(seed), picture) for seed in range(60)])
    upper, lowest = maps[:, : maps.shape[1] // 2].mean((1, 2)), maps[:, -10:].mean((1, 2))
    assert (upper >= lowest - 1e-6).mean() > 0.85


def test_depth_edges_lie_on_edges_of_the_picture() -> None:
    """Where a picture is of two colours, depth jumps between them far more often than elsewhere."""
    picture = np.full((96, 96, 3), 0.2, np.float32)
    picture[:, 48:] = [0.9, 0.5, 0.1]
    jumps = np.zeros(95)
    for seed in range(30):
        depth = haze.random_depth(np.random.default_rng(seed), picture)
        jumps += np.abs(np.diff(depth, axis=1)).mean(0)
    assert jumps[45:50].max() > 3 * np.median(jumps)


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (40, 2)])
def test_any_shape_has_a_depth_map(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).random((*shape, 3), np.float32)
    for seed in range(5):
        assert haze.random_depth(np.random.default_rng(seed), picture).shape == shape
