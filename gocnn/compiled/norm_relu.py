"""Batch normalisation and ReLU in one, with their gradients, as a torch operator to train with.

Torch's own two modules read and write each image a dozen times; here it is read twice and written once each way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gocnn.compiled import wanted
from gocnn.compiled.arrays import as_array, as_tensor, narrowed, widened
from gocnn.compiled.threads import share
from gocnn.jit import njit


def fits(norm: nn.BatchNorm2d, images: Tensor) -> bool:
    """Whether `norm_relu` can stand in for a module that learns: float32 or bfloat16 on the CPU, weights in float32.

    Of a single point there is no variance: torch says so.
    """
    return (
        wanted()
        and norm.training
        and norm.affine
        and images.device.type == "cpu"
        and images.dtype in (torch.float32, torch.bfloat16)
        and norm.weight.dtype == torch.float32
        and images.numel() > images.shape[1]
    )


def apply(norm: nn.BatchNorm2d, images: Tensor) -> Tensor:
    """ReLU(norm(images)) for a module in training mode, whose running statistics it updates."""
    out, mean, variance = norm_relu(images, norm.weight, norm.bias, norm.eps)
    if norm.running_mean is not None and norm.running_var is not None and norm.num_batches_tracked is not None:
        with torch.no_grad():
            norm.num_batches_tracked += 1
            momentum = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
            count = images.numel() // images.shape[1]
            norm.running_mean.lerp_(mean, momentum)
            norm.running_var.lerp_(variance * (count / (count - 1)), momentum)
    return out


@torch.library.custom_op("gocnn::norm_relu", mutates_args=(), device_types="cpu")
def norm_relu(images: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """ReLU(weight * (images - mean) / sqrt(variance + eps) + bias) by channel; then the mean and variance, float32 [C].

    `images` float32 or bfloat16 [B, C, H, W], and so the first result; `weight` and `bias` float32 [C]. The variance is
    over the count of points, not one less.
    """
    source = as_array(images)
    points = source.reshape(-1, source.shape[3])
    mean, variance = _statistics(points)
    scale, shift = _affine(variance, weight, bias, eps)
    out = np.empty_like(points)

    def work(first: int, last: int) -> None:
        _forward(points, mean, scale, shift, out, first, last)

    share(work, len(points), torch.get_num_threads())
    return as_tensor(out.reshape(source.shape)), torch.from_numpy(mean), torch.from_numpy(variance)


@torch.library.custom_op("gocnn::norm_relu_backward", mutates_args=(), device_types="cpu")
def norm_relu_backward(
    gradient: Tensor, images: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients by images, weight and bias of `norm_relu`, given that by its first result."""
    threads = torch.get_num_threads()
    source, given = as_array(images), as_array(gradient.to(images.dtype))
    points, given = source.reshape(-1, source.shape[3]), given.reshape(-1, source.shape[3])
    scale, shift = _affine(variance.numpy(), weight, bias, eps)
    centre = mean.numpy()
    sums = sum(share(lambda first, last: _sums(given, points, centre, scale, shift, first, last), len(points), threads))
    # The gradient by a normalised input is less its mean and its part along the input (Ioffe & Szegedy 2015).
    inverse = 1 / np.sqrt(variance.double().numpy() + eps)
    to_bias, to_weight = sums[0], sums[1] * inverse
    along = (-scale * to_weight * inverse / len(points)).astype(np.float32)
    constant = (-scale * to_bias / len(points)).astype(np.float32)
    out = np.empty_like(points)

    def work(first: int, last: int) -> None:
        _backward(given, points, centre, scale, shift, along, constant, out, first, last)

    share(work, len(points), threads)
    result = as_tensor(out.reshape(source.shape))
    return result, torch.from_numpy(to_weight).to(weight), torch.from_numpy(to_bias).to(bias)


@norm_relu.register_fake
def _(images: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    return torch.empty_like(images, memory_format=torch.channels_last), torch.empty_like(weight), torch.empty_like(bias)


@norm_relu_backward.register_fake
def _(
    gradient: Tensor, images: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    return torch.empty_like(images, memory_format=torch.channels_last), torch.empty_like(weight), torch.empty_like(bias)


def _keep(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor, float], output: tuple[Tensor, Tensor, Tensor]) -> None:
    ctx.mark_non_differentiable(*output[1:])
    ctx.save_for_backward(*inputs[:3], *output[1:])
    ctx.eps = inputs[3]


def _differentiate(ctx: Any, gradient: Tensor, *others: Tensor) -> tuple[Tensor | None, ...]:
    return (*norm_relu_backward(gradient, *ctx.saved_tensors, ctx.eps), None)


norm_relu.register_autograd(_differentiate, setup_context=_keep)


def _affine(variance: np.ndarray, weight: Tensor, bias: Tensor, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """What normalisation does to points less their mean, as scale and shift, float32 [C].

    The mean is taken off first, as else digits would be lost where it is large beside the deviation.
    """
    scale = weight.detach().double().numpy() / np.sqrt(variance.astype(np.float64) + eps)
    return scale.astype(np.float32), bias.detach().float().numpy()


def _statistics(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance, float32 [C], of float32 or bfloat16 [N, C]."""
    threads = torch.get_num_threads()
    near = np.median(_sample(points), axis=0)  # moments about one of their own lose no digits to a large mean
    moments = sum(share(lambda first, last: _moments(points, near, first, last), len(points), threads)) / len(points)
    mean, variance = near + moments[0], np.maximum(moments[1] - moments[0] ** 2, 0)
    return mean.astype(np.float32), variance.astype(np.float32)


SAMPLE = 16  # points whose median tells where about a channel's values lie: a single one may be an outlier


@njit(cache=True, nogil=True)
def _sample(points):
    """A few rows from all over, float32 [SAMPLE, C]."""
    rows = np.empty((SAMPLE, points.shape[1]), np.float32)
    for k in range(SAMPLE):
        x = points[len(points) * k // SAMPLE]
        for c in range(x.size):
            rows[k, c] = widened(x[c])
    return rows


BLOCK = 256  # points whose sums are float32; those of the blocks are float64


@njit(cache=True, nogil=True, fastmath={"contract"})
def _moments(points, near, first, last):
    """The sums of points - near and of its square over a part, float64 [2, C]."""
    channels = points.shape[1]
    total = np.zeros((2, channels))
    one, two = np.empty(channels, np.float32), np.empty(channels, np.float32)
    for start in range(first, last, BLOCK):
        for c in range(channels):
            one[c] = two[c] = np.float32(0)
        for n in range(start, min(start + BLOCK, last)):
            x = points[n]
            for c in range(channels):
                value = widened(x[c]) - near[c]
                one[c] += value
                two[c] += value * value
        for c in range(channels):
            total[0, c] += one[c]
            total[1, c] += two[c]
    return total


@njit(cache=True, nogil=True, fastmath={"contract"})
def _forward(points, centre, scale, shift, out, first, last):
    """out = ReLU(scale * (points - centre) + shift), [N, C]."""
    for n in range(first, last):
        x, y = points[n], out[n]
        for c in range(x.size):
            y[c] = narrowed(max(scale[c] * (widened(x[c]) - centre[c]) + shift[c], np.float32(0)), y)


@njit(cache=True, nogil=True, fastmath={"contract"})
def _sums(given, points, centre, scale, shift, first, last):
    """The sums of the gradient where ReLU let it through, and of it times points - centre, float64 [2, C]."""
    channels = points.shape[1]
    total = np.zeros((2, channels))
    one, two = np.empty(channels, np.float32), np.empty(channels, np.float32)
    for start in range(first, last, BLOCK):
        for c in range(channels):
            one[c] = two[c] = np.float32(0)
        for n in range(start, min(start + BLOCK, last)):
            g, x = given[n], points[n]
            for c in range(channels):
                value = widened(x[c]) - centre[c]
                passed = widened(g[c]) if scale[c] * value + shift[c] > 0 else np.float32(0)
                one[c] += passed
                two[c] += passed * value
        for c in range(channels):
            total[0, c] += one[c]
            total[1, c] += two[c]
    return total


@njit(cache=True, nogil=True, fastmath={"contract"})
def _backward(given, points, centre, scale, shift, along, constant, out, first, last):
    """out = scale * (the gradient where ReLU let it through) + along * (points - centre) + constant, [N, C]."""
    for n in range(first, last):
        g, x, y = given[n], points[n], out[n]
        for c in range(x.size):
            value = widened(x[c]) - centre[c]
            passed = widened(g[c]) if scale[c] * value + shift[c] > 0 else np.float32(0)
            y[c] = narrowed(scale[c] * passed + along[c] * value + constant[c], y)
