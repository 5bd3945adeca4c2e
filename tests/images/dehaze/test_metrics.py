"""PSNR and SSIM against scikit-image's."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from gocnn.images import samples
from gocnn.images.dehaze import metrics


@given(st.integers(7, 40), st.integers(7, 40), st.integers(0, 1000), st.floats(0.001, 0.5))
@settings(max_examples=25, deadline=None)
def test_they_agree_with_scikit_image(height: int, width: int, seed: int, noise: float) -> None:
    rng = np.random.default_rng(seed)
    clean = rng.random((height, width, 3))
    other = np.clip(clean + noise * rng.normal(size=clean.shape), 0, 1)
    assert metrics.psnr(clean, other) == pytest.approx(peak_signal_noise_ratio(clean, other, data_range=1), abs=1e-9)
    expected = structural_similarity(clean, other, channel_axis=2, data_range=1)
    assert metrics.ssim(clean, other) == pytest.approx(expected, abs=1e-9)


def test_they_agree_on_a_photograph() -> None:
    clean = samples.photograph("chelsea") / 255
    other = 0.7 * clean + 0.25
    expected = structural_similarity(clean, other, channel_axis=2, data_range=1)
    assert metrics.ssim(clean, other) == pytest.approx(expected, abs=1e-9)
    assert metrics.psnr(clean, other) == pytest.approx(peak_signal_noise_ratio(clean, other, data_range=1), abs=1e-9)


def test_equal_pictures_are_as_like_as_can_be() -> None:
    picture = np.random.default_rng(0).random((20, 20, 3))
    assert metrics.psnr(picture, picture) == float("inf") and metrics.ssim(picture, picture) == pytest.approx(1)


def test_strides_only_leave_places_out() -> None:
    rng = np.random.default_rng(0)
    a, b = (torch.from_numpy(rng.random((2, 3, 22, 22))) for _ in range(2))
    whole = torch.stack([metrics.similarity(a[..., i : i + 7, j : j + 7], b[..., i : i + 7, j : j + 7])
                         for i in range(0, 16, 3) for j in range(0, 16, 3)])  # fmt: skip
    assert float(metrics.similarity(a, b, stride=3)) == pytest.approx(float(whole.mean()), abs=1e-12)
