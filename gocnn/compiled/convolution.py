"""One 3x3 convolution and its gradients in compiled code, as a torch operator to train with.

Forward and backward each go through strips of tiles that fit the caches together. The results are those of torch but
for rounding: about 1e-5 of the largest value.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from gocnn.compiled import wanted
from gocnn.compiled.arrays import as_array, as_tensor
from gocnn.compiled.threads import share
from gocnn.compiled.vectors import (
    COLUMNS,
    FIELD,
    LANES,
    OUTER_ROWS,
    PRODUCTS,
    ROWS,
    TILE,
    WEIGHT,
    outer_product,
    product,
    tile_back,
    tile_in,
    tile_out,
)
from gocnn.jit import njit

TILES = 60  # that go through the transforms and products together: more do not fit the caches


def fits(inputs: Tensor, weights: Tensor) -> bool:
    """Whether `convolve` can do a convolution: float32 on the CPU, channels in multiples of 16, as many as weights."""
    return (
        wanted()
        and inputs.device.type == "cpu"
        and inputs.dtype == weights.dtype == torch.float32
        and weights.shape[2:] == (3, 3)
        and inputs.ndim == 4
        and inputs.shape[1] == weights.shape[1]
        and weights.shape[0] % COLUMNS == weights.shape[1] % COLUMNS == 0
        and inputs.numel() > 0
        and not torch.is_autocast_enabled("cpu")
    )


@torch.library.custom_op("gocnn::convolve", mutates_args=(), device_types="cpu")
def convolve(inputs: Tensor, weights: Tensor) -> Tensor:
    """The 3x3 convolution with a border of zeros: float32 [B, C, H, W] and [D, C, 3, 3] -> [B, D, H, W].

    C and D are multiples of 16. Uses as many threads as torch; the result is channels-last in memory.
    """
    source = as_array(inputs)
    out = np.empty((*source.shape[:3], weights.shape[0]), np.float32)
    panels = panels_of(weights)
    share(lambda first, last: _forward(source, panels, out, first, last), _strips(out), torch.get_num_threads())
    return as_tensor(out)


@torch.library.custom_op("gocnn::convolve_backward", mutates_args=(), device_types="cpu")
def convolve_backward(gradient: Tensor, inputs: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients by inputs and weights of `convolve`, given that by its result."""
    given, source = as_array(gradient), as_array(inputs)
    to_inputs = np.empty_like(source)
    panels = panels_of(weights.flip(2, 3).transpose(0, 1))

    def work(first: int, last: int) -> np.ndarray:
        return np.asarray(_backward(given, source, panels, to_inputs, first, last))

    parts = share(work, _strips(given), torch.get_num_threads())
    products = torch.from_numpy(sum(parts[1:], parts[0]))  # [PRODUCTS, C, D]
    by_place = (_both_ways(torch.float32).T @ products.flatten(1)).unflatten(1, products.shape[1:])  # [9, C, D]
    to_weights = by_place.permute(2, 1, 0).reshape(weights.shape).contiguous()
    return as_tensor(to_inputs), to_weights


@convolve.register_fake
def _(inputs: Tensor, weights: Tensor) -> Tensor:
    batch, _, height, width = inputs.shape
    shape = (batch, weights.shape[0], height, width)
    return inputs.new_empty(shape).to(memory_format=torch.channels_last)


@convolve_backward.register_fake
def _(gradient: Tensor, inputs: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    return torch.empty_like(inputs, memory_format=torch.channels_last), weights.new_empty(weights.shape)


def _keep(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _differentiate(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
    return convolve_backward(gradient, *ctx.saved_tensors)


convolve.register_autograd(_differentiate, setup_context=_keep)


def panels_of(weights: Tensor) -> np.ndarray:
    """[D, C, 3, 3] of any float to float32 [PRODUCTS, D / COLUMNS, C, COLUMNS]: `product`'s right-hand matrices."""
    outputs, inputs = weights.shape[:2]
    moved = _both_ways(weights.dtype) @ weights.detach().reshape(-1, 9).T  # [PRODUCTS, D * C]
    panels = moved.view(PRODUCTS, outputs // COLUMNS, COLUMNS, inputs).transpose(2, 3)
    return panels.float().contiguous().numpy()


def _both_ways(dtype: torch.dtype) -> Tensor:
    """[PRODUCTS, 9]: what makes the factors of a filter's nine weights, along rows and columns at once."""
    matrix = torch.tensor(WEIGHT, dtype=dtype)
    return torch.kron(matrix, matrix)


def _strips(images: np.ndarray) -> int:
    """The rows of tiles in all images [B, H, W, C]."""
    return len(images) * -(-images.shape[1] // TILE)


@njit(cache=True, nogil=True)
def _forward(source, panels, out, first, last):
    """Fill strips `first` to `last` - 1 of out float32 [B, H, W, D] with the convolution of `source` [B, H, W, C]."""
    inputs, outputs = source.shape[3], out.shape[3]
    at_once, rows = _strips_at_once(source)
    factors = np.zeros((PRODUCTS, rows, inputs), np.float32)
    sums = np.empty((PRODUCTS, rows, outputs), np.float32)
    tile = np.empty(FIELD * FIELD * max(inputs, outputs), np.float32)
    for strip in range(first, last, at_once):
        end = min(strip + at_once, last)
        used = _read(source, strip, end, factors, tile, False)
        _multiply(factors, panels, sums, used)
        _write(sums, out, strip, end, tile)


@njit(cache=True, nogil=True)
def _backward(gradient, source, panels, to_inputs, first, last):
    """Fill strips of the inputs' gradient [B, H, W, C]; returns their part of the products' gradient [PRODUCTS, C, D].

    `gradient` float32 [B, H, W, D] is that of the outputs; `panels` are of the weights turned around.
    """
    inputs, outputs = source.shape[3], gradient.shape[3]
    at_once, rows = _strips_at_once(source)
    wide = np.zeros((PRODUCTS, rows, outputs), np.float32)
    narrow = np.zeros((PRODUCTS, rows, inputs), np.float32)
    tile = np.empty(FIELD * FIELD * max(inputs, outputs), np.float32)
    to_products = np.zeros((PRODUCTS, inputs, outputs), np.float32)
    flat = to_products.ravel()
    for strip in range(first, last, at_once):
        end = min(strip + at_once, last)
        used = _read(gradient, strip, end, wide, tile, False)
        _multiply(wide, panels, narrow, used)
        _write(narrow, to_inputs, strip, end, tile)
        _read(source, strip, end, narrow, tile, False)
        _read(gradient, strip, end, wide, tile, True)
        left, right = narrow.ravel(), wide.ravel()
        for k in range(PRODUCTS):
            for c in range(0, inputs, OUTER_ROWS):
                for d in range(0, outputs, COLUMNS):
                    start, begin = k * rows * inputs + c, k * rows * outputs + d
                    there = (k * inputs + c) * outputs + d
                    outer_product(left, start, inputs, right, begin, outputs, flat, there, used)
    return to_products


@njit(cache=True, nogil=True)
def _strips_at_once(images):
    """How many strips of images [B, H, W, C] are worked on at once, and the rows for their tiles, in whole ROWS."""
    across = (images.shape[2] + TILE - 1) // TILE
    at_once = max(1, TILES // across)
    return at_once, (at_once * across + ROWS - 1) // ROWS * ROWS + 1


@njit(cache=True, nogil=True)
def _read(images, first, last, rows, tile, back):
    """Transform the tiles of some strips into `rows`, float32 [PRODUCTS, R, C]; returns how many rows there are.

    Of images [B, H, W, C] that are inputs, tiles overlap and reach over the border; with `back`, images are gradients
    of outputs, and tiles do neither. `tile` has room for one tile, where those at the border are completed with zeros.
    """
    height, width, channels = images.shape[1:]
    down, across = (height + TILE - 1) // TILE, (width + TILE - 1) // TILE
    side, over = (TILE, 0) if back else (FIELD, 1)
    flat, flat_rows, step = images.ravel(), rows.ravel(), rows.shape[1] * channels
    row = 0
    for strip in range(first, last):
        image, top = strip // down, strip % down * TILE - over
        for j in range(across):
            left = j * TILE - over
            source, start, line = flat, ((image * height + top) * width + left) * channels, width * channels
            if not (0 <= top <= height - side and 0 <= left <= width - side):
                _cut(images, image, top, left, side, tile)
                source, start, line = tile, 0, side * channels
            for c in range(0, channels, LANES):
                if back:
                    tile_back(source, start + c, line, channels, flat_rows, row * channels + c, step)
                else:
                    tile_in(source, start + c, line, channels, flat_rows, row * channels + c, step)
            row += 1
    return row


@njit(cache=True, nogil=True)
def _cut(images, image, top, left, side, tile):
    """Copy a square of an image into the beginning of `tile`, with zeros where it reaches over the border."""
    height, width, channels = images.shape[1:]
    for i in range(side):
        for j in range(side):
            target = tile[(i * side + j) * channels : (i * side + j + 1) * channels]
            if 0 <= top + i < height and 0 <= left + j < width:
                source = images[image, top + i, left + j]
                for c in range(target.size):
                    target[c] = source[c]
            else:
                for c in range(target.size):
                    target[c] = np.float32(0)


@njit(cache=True, nogil=True)
def _multiply(factors, panels, sums, used):
    """sums[k] = factors[k] @ the weights, in the first `used` rows (rounded up to ROWS)."""
    rows, depth, wide = factors.shape[1], factors.shape[2], sums.shape[2]
    flat, flat_panels, flat_sums = factors.ravel(), panels.ravel(), sums.ravel()
    for k in range(PRODUCTS):
        for row in range(0, used, ROWS):
            start, there = (k * rows + row) * depth, (k * rows + row) * wide
            for c in range(0, wide, COLUMNS):
                product(flat, start, flat_panels, (k * wide + c) * depth, flat_sums, there + c, depth, wide)


@njit(cache=True, nogil=True)
def _write(sums, out, first, last, tile):
    """Transform rows of sums [PRODUCTS, rows, D] into the outputs of some strips."""
    height, width, channels = out.shape[1:]
    down, across = (height + TILE - 1) // TILE, (width + TILE - 1) // TILE
    flat, step = sums.ravel(), sums.shape[1] * channels
    row = 0
    for strip in range(first, last):
        image, top = strip // down, strip % down * TILE
        for j in range(across):
            left = j * TILE
            for c in range(0, channels, LANES):
                tile_out(flat, row * channels + c, FIELD * step, step, tile, c, channels)
            for i in range(min(TILE, height - top)):
                for along in range(min(TILE, width - left)):
                    source, target = tile[(i * TILE + along) * channels :], out[image, top + i, left + along]
                    for c in range(target.size):
                        target[c] = source[c]
            row += 1
