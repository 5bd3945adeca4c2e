"""How like two pictures are: PSNR, and SSIM (Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861).

Both agree with scikit-image's, SSIM with its default window of 7×7 equal weights.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

WINDOW = 7
_C1, _C2 = 0.01**2, 0.03**2  # for values of 0 to 1


def psnr(clean: np.ndarray, other: np.ndarray) -> float:
    """The peak signal-to-noise ratio in dB of pictures [H, W, 3] whose values reach from 0 to 1; inf if equal."""
    error = float(np.square(clean.astype(np.float64) - other).mean())
    return float("inf") if error == 0 else -10 * float(np.log10(error))


def ssim(clean: np.ndarray, other: np.ndarray) -> float:
    """The mean structural similarity, at most 1, of pictures [H, W, 3], 0 to 1, of `WINDOW` pixels a side or more."""
    a, b = (torch.from_numpy(picture.astype(np.float64).transpose(2, 0, 1)[None]) for picture in (clean, other))
    return float(similarity(a, b))


def similarity(a: Tensor, b: Tensor, stride: int = 1) -> Tensor:
    """SSIM as a scalar that can be learned from: float [B, 3, H, W], 0 to 1, at every `stride`-th place."""

    def means(x: Tensor) -> Tensor:
        return avg_pool2d(x, WINDOW, stride)

    mean_a, mean_b = means(a), means(b)
    sample = WINDOW**2 / (WINDOW**2 - 1)  # variances are those of a sample
    var_a = sample * (means(a * a) - mean_a * mean_a)
    var_b = sample * (means(b * b) - mean_b * mean_b)
    covariance = sample * (means(a * b) - mean_a * mean_b)
    light = (2 * mean_a * mean_b + _C1) / (mean_a * mean_a + mean_b * mean_b + _C1)
    contrast = (2 * covariance + _C2) / (var_a + var_b + _C2)
    return (light * contrast).mean()
