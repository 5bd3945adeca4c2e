"""What the instruments that change a picture share: the bounds of its values, and its size."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional

Bound = float | tuple[float, ...] | None  # of all channels, or of each


def bounds(low: Bound, high: Bound, image: Tensor) -> tuple[Tensor, Tensor]:
    """Both bounds as tensors [1 or C, 1, 1] that go with an image [B, C, H, W]; infinite where there is none.

    Raises ValueError for a number of bounds that is not that of the channels, or a lower one above the upper one.
    """
    lower, upper = _bound(low, image, -math.inf), _bound(high, image, math.inf)
    if bool((lower > upper).any()):
        raise ValueError("the lower bound of the input is above the upper one")
    return lower, upper


def _bound(bound: Bound, image: Tensor, absent: float) -> Tensor:
    values = image.new_tensor(absent if bound is None else bound)
    if values.ndim == 1 and len(values) != image.shape[1]:
        raise ValueError(f"{len(values)} bounds for an input of {image.shape[1]} channels")
    return values.view(-1, 1, 1)


def resized(image: Tensor, size: Sequence[int]) -> Tensor:
    """float [1, C, H, W] in another size, smoothed where it shrinks."""
    if tuple(image.shape[2:]) == tuple(size):
        return image
    return functional.interpolate(image, size=tuple(size), mode="bicubic", antialias=True, align_corners=False)
