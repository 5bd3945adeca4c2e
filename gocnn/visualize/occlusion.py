"""Occlusion: a part of the image is hidden, and one looks how far the answer falls (Zeiler & Fergus 2014,
https://arxiv.org/abs/1311.2901).

It needs no gradient and takes nothing for granted about the network; it costs a pass for each place of the window.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gocnn.visualize import units as of
from gocnn.visualize.activations import as_array
from gocnn.visualize.layers import batch_for, recording
from gocnn.visualize.units import Units

Side = int | tuple[int, int]


@dataclass(frozen=True)
class Occluded:
    """What hiding each part of the images changed; a window's place is its row and column among the windows.

    drops: float [B, H, W], by how much the answer falls when a pixel is hidden, the mean over the windows that hide it;
    zero for a pixel that no window hides. hidden: float [B, rows, columns], the answer with each window hidden.
    loudest: int [B, rows, columns], the layer's loudest unit then. whole: float [B], the answer to the whole image.
    boxes: int [rows, columns, 4], each window's top, left, bottom and right, the last two exclusive.
    """

    drops: np.ndarray
    hidden: np.ndarray
    loudest: np.ndarray
    whole: np.ndarray
    boxes: np.ndarray


def occlusion(
    model: nn.Module, images: Tensor | np.ndarray, units: Units = None, *, window: Side, stride: Side = 1,
    fill: float | Tensor | np.ndarray = 0.0, layer: str = "", objective: str = "activation", batch_size: int = 64,
) -> Occluded:  # fmt: skip
    """Hide a window of images [B, C, H, W] in every place, `stride` apart, and watch the answer of each image's unit.

    `units` and `objective` as in `saliency`; None means each image's loudest unit. `window` and `stride` are in pixels,
    one number or down and across. The windows begin in the upper left corner and cover the whole image (if the stride
    is no larger than the window); the last of a row or column may reach over the edge and is cut there. Hidden pixels
    become `fill`: one value or a tensor that goes with the image ([C, 1, 1], [C, H, W], [B, C, H, W]).

    Raises LayerError for an unknown layer, or one whose output is of another shape, and ValueError for a unit that is
    not there, a window larger than the image, or a fill that does not fit.
    """
    of.check(objective)
    batch = batch_for(model, images)
    count, (height, width) = len(batch), batch.shape[2:]
    (tall, wide), (down, across) = _pair(window), _pair(stride)
    if min(tall, wide, down, across, batch_size) < 1:
        raise ValueError("window, stride and batch_size must be more than nothing")
    if tall > height or wide > width:
        raise ValueError(f"a window of {tall}×{wide} is larger than the image of {height}×{width}")
    try:
        filled = torch.as_tensor(fill).to(batch).expand_as(batch)
    except RuntimeError:
        given = list(torch.as_tensor(fill).shape)
        raise ValueError(f"a fill of {given} does not go with images of {list(batch.shape)}") from None
    tops, lefts = _begins(height, tall, down), _begins(width, wide, across)
    boxes = np.array([[(t, u, min(t + tall, height), min(u + wide, width)) for u in lefts] for t in tops])
    flat = boxes.reshape(-1, 4).tolist()
    values, loudest = [], []
    with torch.no_grad(), recording(model, layer) as record:
        model(batch)
        picked = of.chosen(record.output, units)
        whole = of.value(record.output, picked, objective)
        jobs = [(image, box) for image in range(count) for box in flat]
        for first in range(0, len(jobs), batch_size):
            part = jobs[first : first + batch_size]
            here = [image for image, _ in part]
            hidden = batch[here]
            for row, (image, (top, left, bottom, right)) in enumerate(part):
                hidden[row, :, top:bottom, left:right] = filled[image, :, top:bottom, left:right]
            model(hidden)
            values.append(of.value(record.output, [picked[image] for image in here], objective))
            loudest += of.chosen(record.output, None)
    without = torch.cat(values).view(count, len(flat))
    total, times = without.new_zeros((count, height, width)), without.new_zeros((height, width))
    for place, (top, left, bottom, right) in enumerate(flat):
        total[:, top:bottom, left:right] += (whole - without[:, place])[:, None, None]
        times[top:bottom, left:right] += 1
    shape = (count, len(tops), len(lefts))
    return Occluded(
        as_array(total / times.clamp(min=1)), as_array(without.view(shape)), np.reshape(loudest, shape),
        as_array(whole), boxes,
    )  # fmt: skip


def _pair(side: Side) -> tuple[int, int]:
    return (side, side) if isinstance(side, int | np.integer) else side


def _begins(length: int, window: int, stride: int) -> list[int]:
    """Where the windows begin, so that the last reaches the end or beyond; all begin inside."""
    begins = [stride * place for place in range(-(-(length - window) // stride) + 1)]
    return [begin for begin in begins if begin < length]
