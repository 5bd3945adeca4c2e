"""The dark channel prior, a haze remover without learning (He et al. 2009, https://doi.org/10.1109/CVPR.2009.5206515).

In a small patch of a clear outdoor picture something is dark in some colour, so that what is bright there must be haze.
The transmission is refined by the guided filter, as the authors came to do.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch.nn.functional import max_pool2d

from gocnn.images.dehaze import haze
from gocnn.images.dehaze.guided import guided_filter

PATCH = 15  # pixels
KEPT_HAZE = 0.05  # of the haze, so that distant things still look distant
LEAST = 0.1  # transmission
BRIGHTEST = 0.001  # share of the pixels, the haziest, that airlight is taken from
RADIUS, EPSILON = 60, 1e-3  # of the guided filter


class Removed(NamedTuple):
    """A picture without haze [H, W, 3], 0 to 1, the transmission [H, W] and the airlight [3] that it rests on."""

    picture: np.ndarray
    through: np.ndarray
    airlight: np.ndarray


def dark_channel(picture: np.ndarray, patch: int = PATCH) -> np.ndarray:
    """The least of the three colours within `patch` pixels (odd) around each: [H, W, 3] -> float32 [H, W]."""
    least = torch.from_numpy(-picture.min(2).astype(np.float32))
    return np.asarray(-max_pool2d(least[None, None], patch, 1, patch // 2)[0, 0].numpy())


def airlight(picture: np.ndarray, dark: np.ndarray) -> np.ndarray:
    """The mean colour float32 [3] of the pixels whose dark channel is among the brightest `BRIGHTEST`."""
    count = max(1, round(BRIGHTEST * dark.size))
    places = np.argsort(-dark.ravel(), kind="stable")[:count]  # which of equal ones depends on no processor
    return np.asarray(picture.reshape(-1, 3)[places].mean(0), np.float32)


def remove(picture: np.ndarray) -> Removed:
    """Take the haze off a picture float32 [H, W, 3], 0 to 1."""
    light = airlight(picture, dark_channel(picture))
    through = 1 - (1 - KEPT_HAZE) * dark_channel(picture / np.maximum(light, 1e-3))
    through = np.clip(guided_filter(picture.mean(2), through, RADIUS, EPSILON), LEAST, 1).astype(np.float32)
    return Removed(np.clip(haze.clear(picture, through, light, LEAST), 0, 1), through, light)
