"""Feature maps: what each filter of a layer finds in an image, and where.

Zeiler & Fergus 2014 (https://arxiv.org/abs/1311.2901) look at networks in this way.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from gocnn.visualize.layers import LayerError, batch_for, recording


def activations(model: nn.Module, layer: str, images: Tensor | np.ndarray) -> np.ndarray:
    """The output of a layer on images [B, C, H, W]: [B, K, H', W'], or [B, K] for a fully-connected one.

    Of the network's precision, or float32 if that is a half one. The network runs in eval mode and without
    gradients, and is left as it was. A block's output is what it hands on: after the activation, and after the pooling
    if it pools; name the convolution in it for signed values.

    Raises LayerError for an unknown layer, one that does not run or runs several times, and one whose output is of
    another shape; ValueError for images that are no batch.
    """
    batch = batch_for(model, images)
    with torch.no_grad(), recording(model, layer) as record:
        model(batch)
        output = record.output
    if output.ndim not in (2, 4):
        raise LayerError(f"layer {layer!r} gives {list(output.shape)}, not [B, K, H, W] or [B, K]")
    return as_array(output)


def as_array(tensor: Tensor) -> np.ndarray:
    """A copy of a tensor as an array; half precisions become float32."""
    half = tensor.dtype in (torch.float16, torch.bfloat16)
    return (tensor.float() if half else tensor).detach().cpu().numpy().copy()
