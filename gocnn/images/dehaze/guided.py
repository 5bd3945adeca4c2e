"""The guided filter (He et al. 2010, https://doi.org/10.1007/978-3-642-15549-9_1): smooth a map, but not over edges.

Within a window the map is taken to be linear in the guide, a grey picture, so that its edges lie where the guide's do.
The coefficients are smooth, and can be computed on a small picture for a large one (He & Sun 2015, arXiv 1505.00996).
"""

from __future__ import annotations

import numpy as np


def box_mean(values: np.ndarray, radius: int) -> np.ndarray:
    """Means over windows of 2 * radius + 1 pixels a side, cut off at the border: float [..., H, W] to float64."""
    total = np.ones(values.shape[-2:])
    result = values.astype(np.float64)
    for axis in (-2, -1):
        result, total = (_box_sum(part, radius, axis) for part in (result, total))
    return np.asarray(result / total)


def _box_sum(values: np.ndarray, radius: int, axis: int) -> np.ndarray:
    """Sums along an axis over `radius` values to either side."""
    moved = np.moveaxis(values, axis, -1)
    length = moved.shape[-1]
    sums = np.concatenate((np.zeros((*moved.shape[:-1], 1)), moved.cumsum(-1)), axis=-1)
    places = np.arange(length)
    ends, starts = np.minimum(places + radius + 1, length), np.maximum(places - radius, 0)
    return np.moveaxis(sums[..., ends] - sums[..., starts], -1, axis)


def coefficients(guide: np.ndarray, maps: np.ndarray, radius: int, epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    """Slopes and offsets float64 [..., H, W] by which each map is linear in the guide: map ~ slope * guide + offset.

    `guide` is [H, W], `maps` [..., H, W]. Where the guide varies by less than `epsilon` (a variance) maps are averaged.
    """
    mean_guide, mean_maps = box_mean(guide, radius), box_mean(maps, radius)
    variance = box_mean(guide * guide, radius) - mean_guide**2
    covariance = box_mean(guide * maps, radius) - mean_guide * mean_maps
    slope = covariance / (variance + epsilon)
    return box_mean(slope, radius), box_mean(mean_maps - slope * mean_guide, radius)


def guided_filter(guide: np.ndarray, maps: np.ndarray, radius: int, epsilon: float) -> np.ndarray:
    """Maps [..., H, W] smoothed within the guide's edges, float64; `guide` is a grey picture float [H, W]."""
    guide = guide.astype(np.float64)
    slope, offset = coefficients(guide, maps, radius, epsilon)
    return slope * guide + offset
