"""A convolution is a fully-connected layer with most of its weights missing and the rest shared: here is that layer.

The matrix has a row for each output, in the order that flattening gives, and a column for each input. Of a convolution
that pads with anything but zeros there is none: ValueError.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Parameters:
    """How many weights a convolution has, without biases, counted in three ways.

    dense: if each output had its own for each input. sparse: those of them that are there; an output has none for an
    input that it does not see. shared: the different ones among those, which are what is learned: all that the
    convolution has, but those that never meet a pixel of so small an image.
    """

    dense: int
    sparse: int
    shared: int


def matrix(conv: nn.Conv2d, input_shape: Sequence[int]) -> Tensor:
    """float [outputs, inputs]: the convolution of an image [C, H, W] as a matrix, without the bias.

    Each column is what the convolution makes of an image with a single pixel of 1.
    """
    return _columns(conv, conv.weight.detach(), input_shape)


def places(conv: nn.Conv2d, input_shape: Sequence[int]) -> Tensor:
    """int64 [outputs, inputs]: which of the convolution's weights, in their flattened order, a place has; -1 for none.

    Where numbers are equal in two places of the matrix, the weight is one and the same.
    """
    numbers = torch.arange(1, conv.weight.numel() + 1, dtype=torch.float64, device=conv.weight.device)
    return _columns(conv, numbers.view_as(conv.weight), input_shape).round().long() - 1


def as_linear(conv: nn.Conv2d, input_shape: Sequence[int]) -> nn.Linear:
    """The fully-connected layer that gives, for flattened images, the convolution's output flattened."""
    weight = matrix(conv, input_shape)
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=conv.bias is not None).to(weight)
    with torch.no_grad():
        linear.weight.copy_(weight)
        if conv.bias is not None:
            linear.bias.copy_(conv.bias.repeat_interleave(weight.shape[0] // len(conv.bias)))
    return linear


def parameters(conv: nn.Conv2d, input_shape: Sequence[int]) -> Parameters:
    """The weights of the matrix, counted without making it: layers of real size would need gigabytes."""
    _demand_zeros(conv)
    with torch.inference_mode(False):  # a caller's mode without gradients does not matter
        pixels = torch.ones(1, *input_shape, dtype=torch.float64, device=conv.weight.device)
        weight = torch.ones_like(conv.weight, dtype=torch.float64, requires_grad=True)
        seen = conv._conv_forward(pixels, weight, None)
        (met,) = torch.autograd.grad(seen.sum(), weight)  # how many pixels each weight meets
    return Parameters(seen.numel() * pixels.numel(), int(met.sum().round()), int((met > 0.5).sum()))


def _columns(conv: nn.Conv2d, weight: Tensor, input_shape: Sequence[int]) -> Tensor:
    _demand_zeros(conv)
    inputs = torch.Size(input_shape).numel()
    pixels = torch.eye(inputs, dtype=weight.dtype, device=weight.device).view(inputs, *input_shape)
    with torch.no_grad():
        return conv._conv_forward(pixels, weight, None).flatten(1).T


def _demand_zeros(conv: nn.Conv2d) -> None:
    if conv.padding_mode != "zeros":  # two weights of one output would meet one pixel
        raise ValueError(f"a convolution with padding {conv.padding_mode!r}; here only zeros are laid around an image")
