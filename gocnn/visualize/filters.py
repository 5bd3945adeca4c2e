"""The weights of a first layer as pictures: its filters are as deep as the input, so each is a small picture itself.

Krizhevsky et al. 2012, figure 3 (https://doi.org/10.1145/3065386), shows
those of a network for photographs: edges at all angles, gratings and blobs of colour.
"""

from __future__ import annotations

import numpy as np
from torch import nn

from gocnn.visualize.layers import LayerError, get, names

ORDERS = ("stored", "strength", "colour")


def filters(model: nn.Module, layer: str = "", *, scale: str = "common", order: str = "stored") -> np.ndarray:
    """The filters of a convolutional layer as pictures: float64 [K, H, W, C], 0 to 1, zero weights at 0.5.

    `layer` is a Conv2d, or a block that begins with one; the empty name means the network. With `scale` "common" the
    largest absolute weight of the layer is drawn as 0 or 1, so filters can be compared; with "own" each filter's own
    largest is, so that weak ones can be seen. `order`: "stored", as the layer has them; "strength", the largest norm
    first; "colour", those whose channels agree least first (greys last), for filters with several channels.

    Filters of one or three channels can be shown as they are, [K, H, W, 1] in grey or [K, H, W, 3] in colours (channel
    by channel as the network takes them: reverse the last axis for one that takes blue first). Deeper ones cannot: take
    one channel at a time.

    Raises LayerError for an unknown layer or one without a convolution to begin with, ValueError for an unknown option.
    """
    if scale not in ("common", "own"):
        raise ValueError(f'unknown scale {scale!r}; there are "common" and "own"')
    if order not in ORDERS:
        raise ValueError(f"unknown order {order!r}; there are {', '.join(ORDERS)}")
    weight = _convolution(model, layer).weight.detach().cpu().double().numpy()  # [K, C, H, W]
    weight = weight[_order(weight, order)]
    peaks = np.abs(weight).max((1, 2, 3), keepdims=True)
    peak = peaks if scale == "own" else peaks.max(keepdims=True)
    return (0.5 + 0.5 * weight / np.where(peak > 0, peak, 1)).transpose(0, 2, 3, 1)


def _order(weight: np.ndarray, order: str) -> np.ndarray:
    """The filters' indices in the order that is wanted."""
    if order == "strength":
        key = np.square(weight).sum((1, 2, 3))
    elif order == "colour":
        key = weight.std(1).sum((1, 2)) / np.maximum(np.abs(weight).mean(1).sum((1, 2)), 1e-30)
    else:
        return np.arange(len(weight))
    return np.argsort(-key, kind="stable")


def _convolution(model: nn.Module, layer: str) -> nn.Conv2d:
    """The layer itself, or the first layer with weights in the block."""
    block = get(model, layer)
    if isinstance(block, nn.Conv2d):
        return block
    weighted = [module for module in block.modules() if getattr(module, "weight", None) is not None]
    if weighted and isinstance(weighted[0], nn.Conv2d):
        return weighted[0]
    there = ", ".join(name for name in names(model) if isinstance(model.get_submodule(name), nn.Conv2d))
    what = f"layer {layer!r}" if layer else f"this {type(model).__name__}"
    raise LayerError(f"{what} does not begin with a convolution; convolutions here are {there or 'none'}")
