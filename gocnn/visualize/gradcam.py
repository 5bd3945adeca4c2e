"""Grad-CAM: in which places of a layer an answer has its grounds (Selvaraju et al. 2017,
https://arxiv.org/abs/1610.02391).

Each map of a convolutional layer is weighted by how much the answer would grow with it, the mean over the map of the
answer's gradient, and the weighted maps are added up.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gocnn.visualize import units as of
from gocnn.visualize.activations import as_array
from gocnn.visualize.layers import LayerError, batch_for, recording
from gocnn.visualize.receptive import Field, receptive_fields
from gocnn.visualize.units import Units


@torch.inference_mode(False)  # in a caller's there are no gradients
def gradcam(
    model: nn.Module, layer: str, images: Tensor | np.ndarray, units: Units = None, *, objective: str = "activation",
    signed: bool = False,
) -> np.ndarray:  # fmt: skip
    """What each place of a layer [B, K, H', W'] adds to the answer to images [B, C, H, W]: [B, H', W'].

    L = ReLU(sum_k alpha_k A^k), with alpha_k the mean over the map A^k of the gradient of y: the network's output at
    the unit (`units`: one for all images or one for each; None is the network's own answer), or its log-softmax or
    softmax by `objective`. With `signed` the last ReLU is left out, so what speaks against the unit is below zero.
    `enlarged` and `over_images` bring the map to the images' size.

    The mean forgets where the gradient was, so the answer must be of a kind that can be anywhere in the image. Raises
    LayerError for an unknown layer, one whose output is no [B, K, H', W'], or one on which the answer does not depend;
    ValueError for a unit that is not there.
    """
    of.check(objective)
    batch = batch_for(model, images)
    with torch.enable_grad(), recording(model, layer, gradients=True) as record:
        answer = of.answer(model(batch))
        maps = record.output
        if maps.ndim != 4:
            raise LayerError(f"layer {layer!r} gives {list(maps.shape)}; Grad-CAM needs a layer with maps")
        wanted = of.value(answer, units, objective).sum()
        if not wanted.requires_grad:
            raise LayerError(f"the answer does not depend on layer {layer!r}")
        wanted.backward()
        weights = record.gradient.mean((2, 3), keepdim=True)  # [B, K, 1, 1]
        found = (weights * maps).sum(1)
    return as_array(found if signed else found.clamp(min=0))


def over_images(
    model: nn.Module, layer: str, images: Tensor | np.ndarray, units: Units = None, **how: Any
) -> np.ndarray:  # fmt: skip
    """What `gradcam` finds, in the size of the images: [B, H, W], each value where its place looks.

    `how` and what is raised are as there; LayerError too if it cannot be told what the layer's places see.
    """
    batch = batch_for(model, images)
    fields = receptive_fields(model, tuple(batch.shape[1:]))
    if layer not in fields or 0 in fields[layer].step:  # a step of 0: every place sees the whole image
        raise LayerError(f"what the places of layer {layer!r} see cannot be told; take another layer, or `enlarged`")
    height, width = batch.shape[2:]
    return enlarged(gradcam(model, layer, batch, units, **how), height, width, fields[layer])


def enlarged(maps: np.ndarray, height: int, width: int, field: Field | None = None) -> np.ndarray:
    """Maps float [B, H', W'] in the size of the images, [B, height, width], bilinear.

    With the layer's `field` a value stands in the middle of what its place sees, and beyond the outermost it stays
    as it is. Without, the map is stretched over the image, as is usual and right for layers that pad.
    """
    if field is None:
        tensor = torch.as_tensor(maps)[:, None]
        larger = nn.functional.interpolate(tensor, (height, width), mode="bilinear", align_corners=False)
        return as_array(larger[:, 0])
    rows, cols = _shares(maps.shape[1], height, field, 0), _shares(maps.shape[2], width, field, 1)
    return np.einsum("hi,bij,wj->bhw", rows, maps, cols).astype(maps.dtype)


def _shares(places: int, length: int, field: Field, axis: int) -> np.ndarray:
    """float [length, places]: how much of each place's value a pixel gets, by rows (axis 0) or columns (1)."""
    middles = field.start[axis] + (field.size[axis] - 1) / 2 + field.step[axis] * np.arange(places)
    return np.stack([np.interp(np.arange(length), middles, one) for one in np.eye(places)], axis=1)
