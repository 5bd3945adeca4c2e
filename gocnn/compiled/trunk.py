"""The Go network's trunk in compiled code, to play with: nothing is read twice, and nothing is kept for a gradient.

Batch normalisation is folded into the weights of the 3x3 convolutions or applied where a value is written. The first
layer sees planes that are nearly all zeros, and adds up the weights of the others. The results are those of the torch
modules but for rounding: about 1e-5 of a feature's scale.
"""

from __future__ import annotations

import threading

import numpy as np
import torch
from torch import nn

from gocnn.compiled.convolution import panels_of
from gocnn.compiled.threads import share
from gocnn.compiled.vectors import (
    COLUMNS,
    FIELD,
    LANES,
    PRODUCTS,
    ROWS,
    TILE,
    product,
    tile_in,
    tile_out,
)
from gocnn.go.planes import BOARD_PLANE, PLANE_SETS
from gocnn.jit import njit
from gocnn.policy import ConvPolicy

CHUNK = 4  # boards that go through the layers together: more do not fit the caches


@njit(cache=True, nogil=True)
def _convolve(padded, weights, inputs, sums, boards, size, channels):
    """The 3x3 convolution of `boards` padded boards up to the output transform: fills `sums`.

    `padded` float32 [boards, W, W, C] with W = TILE * tiles + 2, a border of zeros around each board; `weights`
    float32 [PRODUCTS, C / COLUMNS, C, COLUMNS]; `inputs` and `sums` float32 [PRODUCTS, rows, C] with a row for each
    tile of each board, rounded up to ROWS.
    """
    tiles = (size + TILE - 1) // TILE
    wide = TILE * tiles + 2
    rows = inputs.shape[1]
    used = boards * tiles * tiles
    flat, flat_inputs = padded.ravel(), inputs.ravel()
    for board in range(boards):
        for i in range(tiles):
            for j in range(tiles):
                start = ((board * wide + TILE * i) * wide + TILE * j) * channels
                row = (board * tiles + i) * tiles + j
                for c in range(0, channels, LANES):
                    there = row * channels + c
                    tile_in(flat, start + c, wide * channels, channels, flat_inputs, there, rows * channels)
    flat_weights, flat_sums = weights.ravel(), sums.ravel()
    for k in range(PRODUCTS):
        for row in range(0, used, ROWS):
            start = (k * rows + row) * channels
            for c in range(0, channels, COLUMNS):
                first = (k * channels + c) * channels
                product(flat_inputs, start, flat_weights, first, flat_sums, start + c, channels, channels)


@njit(cache=True, nogil=True, fastmath={"contract"})
def _stem(planes, skipped, weights, base, added, out):
    """The first layer of one board: out float32 [N, N, C] = `base` + `added` and, for each input not 0, its weights.

    `planes` int8 [P, N, N]; `skipped` bool [P] marks those that `base` float32 [N, N, C] already holds; `weights`
    float32 [P, K, K, C]; `added` float32 [C].
    """
    size = out.shape[0]
    for row in range(size):  # loops compile in a tenth of the time of whole-array assignments
        for col in range(size):
            for channel in range(out.shape[2]):
                out[row, col, channel] = base[row, col, channel] + added[channel]
    reach = weights.shape[1] // 2
    for plane in range(planes.shape[0]):
        if skipped[plane]:
            continue
        for row in range(size):
            for col in range(size):
                value = planes[plane, row, col]
                if value == 0:
                    continue
                factor = np.float32(value)
                for r in range(max(row - reach, 0), min(row + reach + 1, size)):
                    for c in range(max(col - reach, 0), min(col + reach + 1, size)):
                        target = out[r, c]
                        source = weights[plane, row - r + reach, col - c + reach]
                        for channel in range(target.size):
                            target[channel] += factor * source[channel]


@njit(cache=True, nogil=True, fastmath={"contract"})
def _write(features, scale, shift, padded, size):
    """padded[1 + i, 1 + j] = ReLU(scale * features[i, j] + shift) of one board, the border left as it is."""
    for row in range(size):
        for col in range(size):
            source, target = features[row, col], padded[row + 1, col + 1]
            for channel in range(source.size):
                target[channel] = max(scale[channel] * source[channel] + shift[channel], np.float32(0))


@njit(cache=True, nogil=True)
def _take_tile(sums, row, size, tile):
    """Transform a row of the sums of `_convolve` into `tile` [TILE, TILE, C]; returns its board, top and left."""
    tiles, channels = (size + TILE - 1) // TILE, sums.shape[2]
    flat, flat_tile, step = sums.ravel(), tile.ravel(), sums.shape[1] * channels
    for c in range(0, channels, LANES):
        tile_out(flat, row * channels + c, FIELD * step, step, flat_tile, c, channels)
    board, at = row // (tiles * tiles), row % (tiles * tiles)
    return board, TILE * (at // tiles), TILE * (at % tiles)


@njit(cache=True, nogil=True, fastmath={"contract"})
def _finish_inner(sums, shift, padded, tile, boards, size, channels):
    """Write ReLU(convolution + shift) into the padded boards, from the sums of `_convolve`."""
    tiles = (size + TILE - 1) // TILE
    for row in range(boards * tiles * tiles):
        board, top, left = _take_tile(sums, row, size, tile)
        for i in range(min(TILE, size - top)):
            for j in range(min(TILE, size - left)):
                source, target = tile[i, j], padded[board, top + i + 1, left + j + 1]
                for channel in range(channels):
                    target[channel] = max(source[channel] + shift[channel], np.float32(0))


@njit(cache=True, nogil=True, fastmath={"contract"})
def _finish_block(sums, features, scale, shift, padded, tile, boards, size, channels):
    """Add the convolution to the features, and write ReLU(scale * features + shift) into the padded boards."""
    tiles = (size + TILE - 1) // TILE
    for row in range(boards * tiles * tiles):
        board, top, left = _take_tile(sums, row, size, tile)
        for i in range(min(TILE, size - top)):
            for j in range(min(TILE, size - left)):
                source, kept = tile[i, j], features[board, top + i, left + j]
                target = padded[board, top + i + 1, left + j + 1]
                for channel in range(channels):
                    value = kept[channel] + source[channel]
                    kept[channel] = value
                    target[channel] = max(scale[channel] * value + shift[channel], np.float32(0))


@njit(cache=True, nogil=True)
def _trunk(planes, skipped, stem, base, added, weights, scales, shifts, features, padded, inputs, sums, tile, out):
    """out float32 [B, N, N, C] = the trunk's features of int8 [B, P, N, N], a few boards at a time.

    `added` float32 [B, C] is added to the first layer. `weights` float32 [2 * blocks, ...] are as for `_convolve`;
    `scales` and `shifts` float32 [2 * blocks + 1, C] come before each convolution and after the last one. The other
    arrays are room to work in.
    """
    count, size, channels = out.shape[0], out.shape[1], out.shape[3]
    at_once = features.shape[0]
    for first in range(0, count, at_once):
        boards = min(at_once, count - first)
        for board in range(boards):
            _stem(planes[first + board], skipped, stem, base, added[first + board], features[board])
            _write(features[board], scales[0], shifts[0], padded[board], size)
        for layer in range(0, weights.shape[0], 2):
            _convolve(padded, weights[layer], inputs, sums, boards, size, channels)
            _finish_inner(sums, shifts[layer + 1], padded, tile, boards, size, channels)
            _convolve(padded, weights[layer + 1], inputs, sums, boards, size, channels)
            _finish_block(sums, features, scales[layer + 2], shifts[layer + 2], padded, tile, boards, size, channels)
        for board in range(boards):
            for row in range(size):
                for col in range(size):
                    for channel in range(channels):
                        out[first + board, row, col, channel] = padded[board, row + 1, col + 1, channel]


class FastTrunk:
    """The trunk of a ConvPolicy as it is now, for int8 planes; later changes of the model are not seen."""

    def __init__(self, model: ConvPolicy) -> None:
        """Raises ValueError for a network that this code does not do: see `fits`."""
        if not fits(model):
            raise ValueError(f"channels must be a multiple of {COLUMNS}, and there must be no pooling")
        config = model.config
        self.channels = config.channels
        self._stem = np.ascontiguousarray(model.stem.weight.detach().float().numpy().transpose(1, 2, 3, 0))
        weights, scales, shifts = [], [], []
        for block in model.blocks:
            scale, shift = _affine(block.norm1)  # type: ignore[arg-type]
            inner_scale, inner_shift = _affine(block.norm2)  # type: ignore[arg-type]
            first, second = (torch.as_tensor(conv.weight).double() for conv in (block.conv1, block.conv2))  # type: ignore[union-attr]
            weights += [panels_of(first * torch.from_numpy(inner_scale)[:, None, None, None]), panels_of(second)]
            scales += [scale, np.ones_like(scale)]
            shifts += [shift, inner_shift]
        scale, shift = _affine(model.norm)
        self._weights = np.stack(weights)
        self._scales = np.stack([*scales, scale]).astype(np.float32)
        self._shifts = np.stack([*shifts, shift]).astype(np.float32)
        self._ones = np.array([plane == BOARD_PLANE for plane in PLANE_SETS[config.planes].planes])
        self._profiles = model.profiles if config.profiles else None
        self._bases: dict[int, np.ndarray] = {}
        self._local = threading.local()

    def __call__(self, planes: np.ndarray, threads: int = 1, profiles: np.ndarray | None = None) -> torch.Tensor:
        """Features float32 [B, C, N, N], channels last in memory, of int8 [B, P, N, N], by so many threads.

        `profiles` int64 [B, 2] are for a network that has them, which takes them for unknown if not given.
        """
        count, size = len(planes), planes.shape[-1]
        planes = np.ascontiguousarray(planes)
        out = np.empty((count, size, size, self.channels), np.float32)
        base, added = self._base(size), self._added(count, profiles)
        share(
            lambda first, last: self._run(planes[first:last], base, added[first:last], out[first:last]), count, threads
        )
        return torch.from_numpy(out).permute(0, 3, 1, 2)

    def _run(self, planes: np.ndarray, base: np.ndarray, added: np.ndarray, out: np.ndarray) -> None:
        features, padded, inputs, sums, tile = self._room(out.shape[1])
        weights, scales, shifts = self._weights, self._scales, self._shifts
        _trunk(
            planes, self._ones, self._stem, base, added, weights, scales, shifts, features, padded, inputs, sums, tile,
            out,
        )  # fmt: skip

    @torch.inference_mode()
    def _added(self, count: int, profiles: np.ndarray | None) -> np.ndarray:
        """What the profiles add to the first layer, float32 [B, C]."""
        if self._profiles is None:
            return np.zeros((count, self.channels), np.float32)
        known = np.zeros((count, 2), np.int64) if profiles is None else profiles
        return np.ascontiguousarray(self._profiles(torch.from_numpy(known)).float().numpy())

    def _base(self, size: int) -> np.ndarray:
        """What the planes of ones add to the first layer, float32 [N, N, C]."""
        if size not in self._bases:
            ones = np.broadcast_to(self._ones[:, None, None], (len(self._ones), size, size)).astype(np.int8)
            base = np.zeros((size, size, self.channels), np.float32)
            nothing = np.zeros(self.channels, np.float32)
            _stem(ones, np.zeros_like(self._ones), self._stem, np.zeros_like(base), nothing, base)
            self._bases[size] = base
        return self._bases[size]

    def _room(self, size: int) -> tuple[np.ndarray, ...]:
        """This thread's arrays to work in: features, padded, inputs, sums, tile."""
        rooms = self._local.__dict__.setdefault("rooms", {})
        if size not in rooms:
            tiles = -(-size // TILE)
            wide, rows = TILE * tiles + 2, -(-CHUNK * tiles * tiles // ROWS) * ROWS
            rooms[size] = (
                np.zeros((CHUNK, size, size, self.channels), np.float32),
                np.zeros((CHUNK, wide, wide, self.channels), np.float32),
                np.zeros((PRODUCTS, rows, self.channels), np.float32),
                np.zeros((PRODUCTS, rows, self.channels), np.float32),
                np.zeros((TILE, TILE, self.channels), np.float32),
            )
        return rooms[size]


def fits(model: nn.Module) -> bool:
    """Whether `FastTrunk` can stand in for a model's trunk."""
    return isinstance(model, ConvPolicy) and model.config.channels % COLUMNS == 0 and not model.config.pool


def _affine(norm: nn.BatchNorm2d) -> tuple[np.ndarray, np.ndarray]:
    """Batch normalisation in eval mode as float64 scale and shift."""
    mean, variance, weight, bias = (
        tensor.detach().double().numpy()
        for tensor in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
        if tensor is not None
    )
    scale = weight / np.sqrt(variance + norm.eps)
    return scale, bias - mean * scale
