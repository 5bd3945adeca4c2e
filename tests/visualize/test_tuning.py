"""Directions, roughness and colours of filters whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from gocnn.visualize.tuning import colourfulness, directedness, roughness

DOWN, ACROSS = np.mgrid[-5:6, -5:6].astype(float)


def in_grey(plane: np.ndarray) -> np.ndarray:
    return np.repeat(plane[None, :, :, None], 3, axis=3)


@pytest.mark.parametrize("angle", [0, 0.4, 1.0, np.pi / 2, 2.5])
def test_an_edge_has_one_direction_whichever_it_is(angle: float) -> None:
    edge = np.tanh(DOWN * np.sin(angle) + ACROSS * np.cos(angle))
    assert directedness(in_grey(edge))[0] > 0.95
    assert directedness(in_grey(-3 * edge))[0] == pytest.approx(directedness(in_grey(edge))[0])


def test_a_blob_a_plain_filter_and_noise_have_none() -> None:
    blob = np.exp(-(DOWN**2 + ACROSS**2) / 8)
    assert directedness(in_grey(blob))[0] == pytest.approx(0, abs=1e-9)
    assert directedness(in_grey(np.ones_like(blob)))[0] == 0
    noise = np.random.default_rng(0).normal(size=(200, 11, 11, 3))
    assert directedness(noise).mean() < 0.12


def test_roughness_of_noise_of_one_shade_and_of_a_chess_board() -> None:
    noise = np.random.default_rng(1).normal(size=(50, 11, 11, 3))
    assert roughness(noise).mean() == pytest.approx(1, abs=0.05)
    assert roughness(np.ones((1, 11, 11, 3)))[0] == 0
    assert roughness(in_grey((DOWN + ACROSS) % 2 - 0.5))[0] == pytest.approx(2)


def test_colours() -> None:
    grey = in_grey(DOWN)
    red_green = DOWN[None, ..., None] * np.array([1.0, -1.0, 0.0])
    red = DOWN[None, ..., None] * np.array([1.0, 0.0, 0.0])
    found = colourfulness(np.concatenate((grey, red_green, red, 0 * red)))
    assert found == pytest.approx([0, 1, 2 / 3, 0])


def test_filters_of_a_single_weight_are_refused() -> None:
    for measure in (directedness, roughness):
        with pytest.raises(ValueError, match=r"2×2 at least, not \[4, 1, 1, 3\]"):
            measure(np.ones((4, 1, 1, 3)))
