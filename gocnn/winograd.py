"""The Go network's trunk in compiled code for CPUs without fast bfloat16: 3x3 convolutions at a quarter of the work.

Winograd's minimal filtering makes 4 x 4 outputs of a 3x3 convolution from 6 x 6 inputs with 36 products instead of 144:
inputs, weights and outputs are transformed, and between the transforms there are 36 plain matrix products over channels
(A. Lavin and S. Gray, "Fast algorithms for convolutional neural networks", arXiv 1509.09308). Batch normalisation is
folded into the weights or applied where a value is written, so that nothing is read twice. The first layer sees planes
that are nearly all zeros, and adds up the weights of the others.

The results are those of the torch modules but for rounding: about 1e-5 of a feature's scale.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import torch
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from torch import nn

from gocnn.policy import ConvPolicy

LANES = 8  # floats that the innermost loops handle at once
ROWS = 6  # rows of a product that are kept in registers, with COLUMNS columns of them
COLUMNS = 2 * LANES
TILE = 4  # outputs of a tile in each direction
FIELD = TILE + 2  # inputs of one
PRODUCTS = FIELD * FIELD
CHUNK = 4  # boards that go through the layers together: more do not fit the caches

# F(4 x 4, 3 x 3): outputs = OUT (WEIGHT w WEIGHT^T * IN x IN^T) OUT^T.
IN = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
WEIGHT = (
    (1 / 4, 0, 0),
    (-1 / 6,) * 3,
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
OUT = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))

_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_LONG = ir.IntType(64)
_FUSED = ("contract",)  # a product and a sum may become one instruction


class _Code:
    """Writes vector instructions into a compiled function."""

    def __init__(self, context: Any, builder: Any) -> None:
        self.context, self.builder = context, builder

    def data(self, array_type: Any, array: Any) -> Any:
        """The address of an array's first float."""
        return self.context.make_array(array_type)(self.context, self.builder, array).data

    def at(self, base: Any, index: Any) -> Any:
        """The address of the float with an index, as that of a vector."""
        return self.builder.bitcast(self.builder.gep(base, [index]), _VECTOR.as_pointer())

    def load(self, base: Any, index: Any) -> Any:
        loaded = self.builder.load(self.at(base, index))
        loaded.align = 4
        return loaded

    def store(self, value: Any, base: Any, index: Any) -> None:
        self.builder.store(value, self.at(base, index)).align = 4

    def times(self, value: int) -> Any:
        """A vector of one number."""
        return ir.Constant(_VECTOR, [ir.Constant(ir.FloatType(), float(value))] * LANES)

    def splat(self, scalar: Any) -> Any:
        """A vector of one variable."""
        one = self.builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), None)
        return self.builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), zeros)

    def offset(self, base: Any, stride: Any, count: int) -> Any:
        return self.builder.add(base, self.builder.mul(stride, ir.Constant(_LONG, count)))

    def combine(self, weights: tuple[int, ...], values: list[Any]) -> Any:
        """The sum of values, each times a small whole number."""
        total = None
        for weight, value in sorted(zip(weights, values, strict=True), key=lambda pair: abs(pair[0]) != 1):
            if weight == 0:
                continue
            if total is None:
                total = value if weight == 1 else self.builder.fmul(value, self.times(weight), flags=_FUSED)
            elif abs(weight) == 1:
                add = self.builder.fadd if weight > 0 else self.builder.fsub
                total = add(total, value, flags=_FUSED)
            else:
                product = self.builder.fmul(value, self.times(weight), flags=_FUSED)
                total = self.builder.fadd(total, product, flags=_FUSED)
        return total

    def both_ways(self, matrix: tuple[tuple[int, ...], ...], values: list[list[Any]]) -> list[list[Any]]:
        """matrix @ values @ matrix^T, of FIELD x FIELD values."""
        half = [[self.combine(row, [line[j] for line in values]) for j in range(FIELD)] for row in matrix]
        return [[self.combine(row, line) for row in matrix] for line in half]


@intrinsic
def _tile_in(typing: Any, source: Any, start: Any, down: Any, right: Any, target: Any, there: Any, step: Any) -> Any:
    """Transform one tile's FIELD x FIELD inputs of LANES channels.

    Input (i, j) is at ``source[start + i * down + j * right]``, result k goes to ``target[there + k * step]``.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = _Code(context, builder)
        source_at, target_at = code.data(signature.args[0], args[0]), code.data(signature.args[4], args[4])
        lines = [code.offset(args[1], args[2], i) for i in range(FIELD)]
        values = [[code.load(source_at, code.offset(line, args[3], j)) for j in range(FIELD)] for line in lines]
        for i, line in enumerate(code.both_ways(IN, values)):
            for j, value in enumerate(line):
                code.store(value, target_at, code.offset(args[5], args[6], FIELD * i + j))
        return context.get_dummy_value()

    return types.void(source, types.int64, types.int64, types.int64, target, types.int64, types.int64), generate


@intrinsic
def _tile_out(typing: Any, source: Any, start: Any, step: Any, target: Any, there: Any, wide: Any) -> Any:
    """Transform one tile's PRODUCTS sums of LANES channels into TILE x TILE outputs.

    Sum k is at ``source[start + k * step]``; output (i, j) goes to ``target[there + (i * TILE + j) * wide]``.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = _Code(context, builder)
        source_at, target_at = code.data(signature.args[0], args[0]), code.data(signature.args[3], args[3])
        values = [
            [code.load(source_at, code.offset(args[1], args[2], FIELD * i + j)) for j in range(FIELD)]
            for i in range(FIELD)
        ]
        for i, line in enumerate(code.both_ways(OUT, values)):
            for j, value in enumerate(line):
                code.store(value, target_at, code.offset(args[4], args[5], TILE * i + j))
        return context.get_dummy_value()

    return types.void(source, types.int64, types.int64, target, types.int64, types.int64), generate


@intrinsic
def _product(
    typing: Any, left: Any, start: Any, right: Any, first: Any, out: Any, there: Any, depth: Any, wide: Any
) -> Any:
    """ROWS x COLUMNS entries of a matrix product, summed over `depth`.

    The left matrix has rows of `depth` from ``left[start]`` on, the right one rows of COLUMNS from ``right[first]`` on;
    row r of the result goes to ``out[there + r * wide]``.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = _Code(context, builder)
        left_at, right_at, out_at = (code.data(signature.args[i], args[i]) for i in (0, 2, 4))
        depth, wide = args[6], args[7]
        rows = [builder.gep(left_at, [code.offset(args[1], depth, r)]) for r in range(ROWS)]
        before = builder.block
        loop = builder.append_basic_block("product")
        after = builder.append_basic_block("done")
        builder.branch(loop)
        builder.position_at_end(loop)
        k = builder.phi(_LONG)
        k.add_incoming(ir.Constant(_LONG, 0), before)
        sums = [[builder.phi(_VECTOR) for _ in range(2)] for _ in range(ROWS)]
        place = builder.add(args[3], builder.mul(k, ir.Constant(_LONG, COLUMNS)))
        pair = [code.load(right_at, builder.add(place, ir.Constant(_LONG, LANES * half))) for half in range(2)]
        for r in range(ROWS):
            factor = code.splat(builder.load(builder.gep(rows[r], [k])))
            for half in range(2):
                sums[r][half].add_incoming(code.times(0), before)
                product = builder.fmul(factor, pair[half], flags=_FUSED)
                sums[r][half].add_incoming(builder.fadd(sums[r][half], product, flags=_FUSED), loop)
        following = builder.add(k, ir.Constant(_LONG, 1))
        k.add_incoming(following, loop)
        builder.cbranch(builder.icmp_signed("<", following, depth), loop, after)
        builder.position_at_end(after)
        for r in range(ROWS):
            line = code.offset(args[5], wide, r)
            for half in range(2):
                total = sums[r][half].incomings[1][0]
                code.store(total, out_at, builder.add(line, ir.Constant(_LONG, LANES * half)))
        return context.get_dummy_value()

    arrays_and_places = (left, types.int64, right, types.int64, out, types.int64, types.int64, types.int64)
    return types.void(*arrays_and_places), generate


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
                    _tile_in(flat, start + c, wide * channels, channels, flat_inputs, there, rows * channels)
    flat_weights, flat_sums = weights.ravel(), sums.ravel()
    for k in range(PRODUCTS):
        for row in range(0, used, ROWS):
            start = (k * rows + row) * channels
            for c in range(0, channels, COLUMNS):
                first = (k * channels + c) * channels
                _product(flat_inputs, start, flat_weights, first, flat_sums, start + c, channels, channels)


@njit(cache=True, nogil=True, fastmath={"contract"})
def _stem(planes, skipped, weights, base, out):
    """The first layer of one board: out float32 [N, N, C] = `base` and, for each input that is not 0, its weights.

    `planes` int8 [P, N, N]; `skipped` bool [P] marks those that `base` float32 [N, N, C] already holds; `weights`
    float32 [P, K, K, C].
    """
    size = out.shape[0]
    for row in range(size):  # loops compile in a tenth of the time of whole-array assignments
        for col in range(size):
            for channel in range(out.shape[2]):
                out[row, col, channel] = base[row, col, channel]
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


@njit(cache=True, nogil=True, fastmath={"contract"})
def _finish_inner(sums, shift, padded, tile, boards, size, channels):
    """Write ReLU(convolution + shift) into the padded boards, from the sums of `_convolve`."""
    tiles = (size + TILE - 1) // TILE
    flat, flat_tile, step = sums.ravel(), tile.ravel(), sums.shape[1] * channels
    for row in range(boards * tiles * tiles):
        board, at = row // (tiles * tiles), row % (tiles * tiles)
        top, left = TILE * (at // tiles), TILE * (at % tiles)
        for c in range(0, channels, LANES):
            _tile_out(flat, row * channels + c, step, flat_tile, c, channels)
        for i in range(min(TILE, size - top)):
            for j in range(min(TILE, size - left)):
                source, target = tile[i, j], padded[board, top + i + 1, left + j + 1]
                for channel in range(channels):
                    target[channel] = max(source[channel] + shift[channel], np.float32(0))


@njit(cache=True, nogil=True, fastmath={"contract"})
def _finish_block(sums, features, scale, shift, padded, tile, boards, size, channels):
    """Add the convolution to the features, and write ReLU(scale * features + shift) into the padded boards."""
    tiles = (size + TILE - 1) // TILE
    flat, flat_tile, step = sums.ravel(), tile.ravel(), sums.shape[1] * channels
    for row in range(boards * tiles * tiles):
        board, at = row // (tiles * tiles), row % (tiles * tiles)
        top, left = TILE * (at // tiles), TILE * (at % tiles)
        for c in range(0, channels, LANES):
            _tile_out(flat, row * channels + c, step, flat_tile, c, channels)
        for i in range(min(TILE, size - top)):
            for j in range(min(TILE, size - left)):
                source, kept = tile[i, j], features[board, top + i, left + j]
                target = padded[board, top + i + 1, left + j + 1]
                for channel in range(channels):
                    value = kept[channel] + source[channel]
                    kept[channel] = value
                    target[channel] = max(scale[channel] * value + shift[channel], np.float32(0))


@njit(cache=True, nogil=True)
def _trunk(planes, skipped, stem, base, weights, scales, shifts, features, padded, inputs, sums, tile, out):
    """out float32 [B, N, N, C] = the trunk's features of int8 [B, P, N, N], a few boards at a time.

    `weights` float32 [2 * blocks, ...] as for `_convolve`; `scales` and `shifts` float32 [2 * blocks + 1, C] come
    before each convolution and after the last one. The other arrays are room to work in.
    """
    count, size, channels = out.shape[0], out.shape[1], out.shape[3]
    at_once = features.shape[0]
    for first in range(0, count, at_once):
        boards = min(at_once, count - first)
        for board in range(boards):
            _stem(planes[first + board], skipped, stem, base, features[board])
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
            raise ValueError(f"channels must be a multiple of {COLUMNS}, and the stem's kernel odd")
        config = model.config
        self.channels = config.channels
        self._stem = np.ascontiguousarray(model.stem.weight.detach().float().numpy().transpose(1, 2, 3, 0))
        weights, scales, shifts = [], [], []
        for block in model.blocks:
            scale, shift = _affine(block.norm1)  # type: ignore[arg-type]
            inner_scale, inner_shift = _affine(block.norm2)  # type: ignore[arg-type]
            first = block.conv1.weight.detach().double().numpy() * inner_scale[:, None, None, None]  # type: ignore
            second = block.conv2.weight.detach().double().numpy()  # type: ignore[union-attr, operator]
            weights += [_transformed(first), _transformed(second)]
            scales += [scale, np.ones_like(scale)]
            shifts += [shift, inner_shift]
        scale, shift = _affine(model.norm)
        self._weights = np.stack(weights)
        self._scales = np.stack([*scales, scale]).astype(np.float32)
        self._shifts = np.stack([*shifts, shift]).astype(np.float32)
        self._ones = np.array([name.startswith("ones") for name in _plane_names(model)])
        self._bases: dict[int, np.ndarray] = {}
        self._local = threading.local()

    def __call__(self, planes: np.ndarray, threads: int = 1) -> torch.Tensor:
        """Features float32 [B, C, N, N], channels last in memory, of int8 [B, P, N, N], by so many threads."""
        count, size = len(planes), planes.shape[-1]
        planes = np.ascontiguousarray(planes)
        out = np.empty((count, size, size, self.channels), np.float32)
        base = self._base(size)
        share = -(-count // max(1, min(threads, count)))
        parts = [slice(first, min(first + share, count)) for first in range(0, count, share)]
        waiting = [_pool().submit(self._run, planes[part], base, out[part]) for part in parts[1:]]
        self._run(planes[parts[0]], base, out[parts[0]])
        for part in waiting:
            part.result()
        return torch.from_numpy(out).permute(0, 3, 1, 2)

    def _run(self, planes: np.ndarray, base: np.ndarray, out: np.ndarray) -> None:
        features, padded, inputs, sums, tile = self._room(out.shape[1])
        weights, scales, shifts = self._weights, self._scales, self._shifts
        _trunk(planes, self._ones, self._stem, base, weights, scales, shifts, features, padded, inputs, sums, tile, out)

    def _base(self, size: int) -> np.ndarray:
        """What the planes of ones add to the first layer, float32 [N, N, C]."""
        if size not in self._bases:
            ones = np.broadcast_to(self._ones[:, None, None], (len(self._ones), size, size)).astype(np.int8)
            base = np.zeros((size, size, self.channels), np.float32)
            _stem(ones, np.zeros_like(self._ones), self._stem, np.zeros_like(base), base)
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
    return isinstance(model, ConvPolicy) and model.config.channels % COLUMNS == 0 and model.config.stem % 2 == 1


def _plane_names(model: ConvPolicy) -> tuple[str, ...]:
    from gocnn.go.planes import PLANE_SETS

    return PLANE_SETS[model.config.planes].planes


def _affine(norm: nn.BatchNorm2d) -> tuple[np.ndarray, np.ndarray]:
    """Batch normalisation in eval mode as float64 scale and shift."""
    mean, variance, weight, bias = (
        tensor.detach().double().numpy()
        for tensor in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
        if tensor is not None
    )
    scale = weight / np.sqrt(variance + norm.eps)
    return scale, bias - mean * scale


def _transformed(weights: np.ndarray) -> np.ndarray:
    """float64 [outputs, inputs, 3, 3] to float32 [PRODUCTS, outputs / COLUMNS, inputs, COLUMNS] for `_convolve`."""
    matrix = np.array(WEIGHT)
    outputs, inputs = weights.shape[:2]
    moved = np.einsum("ia,oxab,jb->ijxo", matrix, weights, matrix)  # [6, 6, inputs, outputs]
    panels = moved.reshape(PRODUCTS, inputs, outputs // COLUMNS, COLUMNS).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(panels, np.float32)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(thread_name_prefix="trunk")
