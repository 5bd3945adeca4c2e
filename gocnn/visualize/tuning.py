"""What single filters are tuned to, in numbers: a direction, broad areas or fine detail, grey or colours.

All take filters as arrays [K, H, W, C] whose zero is 0, and judge their shape, not their strength.
"""

from __future__ import annotations

import numpy as np


def _slopes(filters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The change down and across in the middle of each four pixels, each [K, H - 1, W - 1, C]."""
    if filters.ndim != 4 or min(filters.shape[1:3]) < 2:
        raise ValueError(f"filters must be [K, H, W, C] and 2×2 at least, not {list(filters.shape)}")
    down = np.diff(filters.astype(np.float64), axis=1)
    across = np.diff(filters.astype(np.float64), axis=2)
    return (down[:, :, 1:] + down[:, :, :-1]) / 2, (across[:, 1:] + across[:, :-1]) / 2


def directedness(filters: np.ndarray) -> np.ndarray:
    """How far each filter changes in one direction only, float [K]: 1 for straight edges and gratings, 0 for rings.

    The coherence of the structure tensor (Bigün & Granlund 1987), (l1 - l2) / (l1 + l2) of its eigenvalues; 0 for a
    filter that changes nowhere. Small filters of noise are directed by chance: compare with untrained ones. Raises
    ValueError for filters of less than 2×2.
    """
    down, across = _slopes(filters)
    sums = [(a * b).sum((1, 2, 3)) for a, b in ((down, down), (across, across), (down, across))]
    difference = np.hypot(sums[0] - sums[1], 2 * sums[2])
    return np.asarray(difference / np.maximum(sums[0] + sums[1], 1e-300))


def roughness(filters: np.ndarray) -> np.ndarray:
    """How much neighbouring weights differ, float [K]: 0 for one shade, about 1 for noise, 2 for a chess board.

    The mean square of the change between neighbours over twice the mean square of the weights. Raises ValueError for
    filters of less than 2×2.
    """
    _slopes(filters)  # checks the shape
    values = filters.astype(np.float64)
    down, across = (np.square(np.diff(values, axis=axis)).mean((1, 2, 3)) for axis in (1, 2))
    return np.asarray((down + across) / 2 / np.maximum(2 * np.square(values).mean((1, 2, 3)), 1e-300))


def colourfulness(filters: np.ndarray) -> np.ndarray:
    """The share of each filter's energy that is no grey, float [K]: 0 if all channels agree; (C - 1) / C for noise."""
    values = filters.astype(np.float64)
    energy = np.square(values).sum((1, 2, 3))
    grey = values.shape[3] * np.square(values.mean(3)).sum((1, 2))
    return np.asarray(np.where(energy > 0, 1 - grey / np.maximum(energy, 1e-300), 0))
