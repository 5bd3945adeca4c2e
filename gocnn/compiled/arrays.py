"""Tensors as arrays for compiled code, which has no bfloat16: there it is uint16, the upper halves of float32.

`widened` and `narrowed` take a number between the format of an array and float32, in which all is reckoned; of float32
arrays they do nothing, so that one function serves both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import types
from numba.extending import overload
from torch import Tensor


def as_array(images: Tensor) -> np.ndarray:
    """[B, C, H, W] in float32 or bfloat16 as an array [B, H, W, C] in one piece; no copy if it is channels-last.

    bfloat16 becomes uint16.
    """
    points = images.detach().permute(0, 2, 3, 1)
    if points.dtype == torch.bfloat16:
        points = points.view(torch.uint16)
    return np.ascontiguousarray(points.numpy())


def as_tensor(points: np.ndarray) -> Tensor:
    """What `as_array` was given, channels-last."""
    images = torch.from_numpy(points).permute(0, 3, 1, 2)
    return images.view(torch.bfloat16) if points.dtype == np.uint16 else images


def widened(value: Any) -> Any:
    """A number of an array, as float32."""
    raise NotImplementedError("compiled code only")


def narrowed(value: Any, array: Any) -> Any:
    """A float32 in the format of an array, rounded to the nearest, to the even one of two."""
    raise NotImplementedError("compiled code only")


@overload(widened, inline="always")
def _widened(value: Any) -> Any:
    def same(value: Any) -> Any:
        return value

    def upper_half(value: Any) -> Any:
        return np.uint32(np.uint32(value) << np.uint32(16)).view(np.float32)

    return upper_half if value == types.uint16 else same


@overload(narrowed, inline="always")
def _narrowed(value: Any, array: Any) -> Any:
    def same(value: Any, array: Any) -> Any:
        return value

    def rounded(value: Any, array: Any) -> Any:
        bits = np.float32(value).view(np.uint32)
        # Half of the lower half's range, less one where the upper half is even.
        return np.uint16(
            np.uint32(bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
        )

    return rounded if array.dtype == types.uint16 else same
