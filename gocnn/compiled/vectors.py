"""Vector code for 3x3 convolutions by Winograd's minimal filtering, as intrinsics for compiled functions.

A tile of 4 x 4 outputs is made from 6 x 6 inputs with 36 products instead of 144: inputs, weights and outputs are
transformed, and between the transforms there are 36 plain matrix products over channels (A. Lavin and S. Gray, "Fast
algorithms for convolutional neural networks", arXiv 1509.09308). The gradient of the weights takes the same way
backwards. LLVM does not find good vector code for these loops by itself, so that it is written out here.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LANES = 8  # floats that the innermost loops handle at once
ROWS = 6  # rows of a `product` that are kept in registers, with COLUMNS columns of them
COLUMNS = 2 * LANES
OUTER_ROWS = 4  # the same of an `outer_product`: channels are a multiple of it
TILE = 4  # outputs of a tile in each direction
FIELD = TILE + 2  # inputs of one
PRODUCTS = FIELD * FIELD

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
BACK = tuple(zip(*OUT))  # a gradient of the outputs becomes one of the 36 products

Matrix = tuple[tuple[int, ...], ...]

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

    def pair(self, base: Any, index: Any) -> list[Any]:
        """The two vectors of COLUMNS floats."""
        return [self.load(base, self.builder.add(index, ir.Constant(_LONG, LANES * half))) for half in range(2)]

    def constant(self, value: int) -> Any:
        """A vector of one number."""
        return ir.Constant(_VECTOR, [ir.Constant(ir.FloatType(), float(value))] * LANES)

    def splat(self, base: Any, index: Any) -> Any:
        """A vector of one float of an array."""
        scalar = self.builder.load(self.builder.gep(base, [index]))
        one = self.builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), None)
        return self.builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), zeros)

    def offset(self, base: Any, stride: Any, count: int) -> Any:
        return self.builder.add(base, self.builder.mul(stride, ir.Constant(_LONG, count)))

    def fused(self, total: Any, left: Any, right: Any) -> Any:
        """total + left * right."""
        return self.builder.fadd(total, self.builder.fmul(left, right, flags=_FUSED), flags=_FUSED)

    def combine(self, weights: tuple[int, ...], values: list[Any]) -> Any:
        """The sum of values, each times a small whole number."""
        total = None
        for weight, value in sorted(zip(weights, values, strict=True), key=lambda pair: abs(pair[0]) != 1):
            if weight == 0:
                continue
            if total is None:
                total = value if weight == 1 else self.builder.fmul(value, self.constant(weight), flags=_FUSED)
            elif abs(weight) == 1:
                add = self.builder.fadd if weight > 0 else self.builder.fsub
                total = add(total, value, flags=_FUSED)
            else:
                total = self.fused(total, value, self.constant(weight))
        return total

    def both_ways(self, matrix: Matrix, values: list[list[Any]]) -> list[list[Any]]:
        """matrix @ values @ matrix^T."""
        half = [[self.combine(row, list(column)) for column in zip(*values)] for row in matrix]
        return [[self.combine(row, line) for row in matrix] for line in half]

    def repeat(self, count: Any, first: list[Any], step: Any) -> list[Any]:
        """Vectors after `count` rounds (one or more) of ``step(number, vectors)``, which gives the next ones."""
        builder, before = self.builder, self.builder.block
        loop, after = builder.append_basic_block("loop"), builder.append_basic_block("done")
        builder.branch(loop)
        builder.position_at_end(loop)
        number = builder.phi(_LONG)
        number.add_incoming(ir.Constant(_LONG, 0), before)
        vectors = [builder.phi(_VECTOR) for _ in first]
        following = step(number, vectors)
        for vector, start, end in zip(vectors, first, following, strict=True):
            vector.add_incoming(start, before)
            vector.add_incoming(end, loop)
        more = builder.add(number, ir.Constant(_LONG, 1))
        number.add_incoming(more, loop)
        builder.cbranch(builder.icmp_signed("<", more, count), loop, after)
        builder.position_at_end(after)
        return following


def _transform(matrix: Matrix, source: Any, target: Any) -> Any:
    """What an intrinsic returns that writes matrix @ values @ matrix^T, for LANES channels."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = _Code(context, builder)
        source_at, target_at = code.data(signature.args[0], args[0]), code.data(signature.args[4], args[4])
        _, start, down, right, _, there, step = args
        side = range(len(matrix[0]))
        lines = [code.offset(start, down, i) for i in side]
        values = [[code.load(source_at, code.offset(line, right, j)) for j in side] for line in lines]
        results = [value for line in code.both_ways(matrix, values) for value in line]
        for k, value in enumerate(results):
            code.store(value, target_at, code.offset(there, step, k))
        return context.get_dummy_value()

    place = types.int64
    return types.void(source, place, place, place, target, place, place), generate


@intrinsic
def tile_in(typing: Any, source: Any, start: Any, down: Any, right: Any, target: Any, there: Any, step: Any) -> Any:
    """Transform one tile's FIELD x FIELD inputs of LANES channels into factors of its PRODUCTS.

    Input (i, j) is at ``source[start + i * down + j * right]``, result k goes to ``target[there + k * step]``.
    """
    return _transform(IN, source, target)


@intrinsic
def tile_out(typing: Any, source: Any, start: Any, down: Any, right: Any, target: Any, there: Any, step: Any) -> Any:
    """Transform one tile's FIELD x FIELD products of LANES channels into TILE x TILE outputs; places as `tile_in`."""
    return _transform(OUT, source, target)


@intrinsic
def tile_back(typing: Any, source: Any, start: Any, down: Any, right: Any, target: Any, there: Any, step: Any) -> Any:
    """Transform a gradient of TILE x TILE outputs of LANES channels into one of the PRODUCTS; places as `tile_in`."""
    return _transform(BACK, source, target)


@intrinsic
def product(
    typing: Any, left: Any, start: Any, right: Any, first: Any, out: Any, there: Any, depth: Any, wide: Any
) -> Any:
    """ROWS x COLUMNS entries of a matrix product, summed over `depth`.

    The left matrix has rows of `depth` from ``left[start]`` on, the right one rows of COLUMNS from ``right[first]`` on;
    row r of the result goes to ``out[there + r * wide]``.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = _Code(context, builder)
        left_at, right_at, out_at = (code.data(signature.args[i], args[i]) for i in (0, 2, 4))
        _, start, _, first, _, there, depth, wide = args
        rows = [builder.gep(left_at, [code.offset(start, depth, r)]) for r in range(ROWS)]

        def step(k: Any, sums: list[Any]) -> list[Any]:
            pair = code.pair(right_at, builder.add(first, builder.mul(k, ir.Constant(_LONG, COLUMNS))))
            factors = [code.splat(row, k) for row in rows]
            return [code.fused(total, factors[n // 2], pair[n % 2]) for n, total in enumerate(sums)]

        sums = code.repeat(depth, [code.constant(0)] * (2 * ROWS), step)
        for n, total in enumerate(sums):
            place = builder.add(code.offset(there, wide, n // 2), ir.Constant(_LONG, LANES * (n % 2)))
            code.store(total, out_at, place)
        return context.get_dummy_value()

    place = types.int64
    return types.void(left, place, right, place, out, place, place, place), generate


@intrinsic
def outer_product(
    typing: Any, left: Any, start: Any, left_wide: Any, right: Any, first: Any, wide: Any, out: Any, there: Any,
    depth: Any,
) -> Any:  # fmt: skip
    """Add OUTER_ROWS x COLUMNS entries of left^T @ right to `out`, summed over `depth` (one or more).

    Row k of the left matrix begins at ``left[start + k * left_wide]``, of the right one at ``right[first + k * wide]``;
    row r of the result is at ``out[there + r * wide]``.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = _Code(context, builder)
        left_at, right_at, out_at = (code.data(signature.args[i], args[i]) for i in (0, 3, 6))
        _, start, left_wide, _, first, wide, _, there, depth = args
        lines = [code.offset(there, wide, r) for r in range(OUTER_ROWS)]

        def step(k: Any, sums: list[Any]) -> list[Any]:
            pair = code.pair(right_at, builder.add(first, builder.mul(k, wide)))
            row = builder.add(start, builder.mul(k, left_wide))
            factors = [code.splat(left_at, builder.add(row, ir.Constant(_LONG, r))) for r in range(OUTER_ROWS)]
            return [code.fused(total, factors[n // 2], pair[n % 2]) for n, total in enumerate(sums)]

        before = [half for line in lines for half in code.pair(out_at, line)]
        for n, total in enumerate(code.repeat(depth, before, step)):
            code.store(total, out_at, builder.add(lines[n // 2], ir.Constant(_LONG, LANES * (n % 2))))
        return context.get_dummy_value()

    place = types.int64
    return types.void(left, place, place, right, place, place, out, place, place), generate
