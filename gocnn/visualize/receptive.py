"""Receptive fields: which part of the image each place of each layer sees, in any network of layers.

The receptive field of a place in a feature map is the box of the input that it depends on. Every convolution or pooling
widens it by ``kernel - 1`` steps of the strides before it; a sum of two branches sees what either sees; a flattened or
averaged map, and so a neuron, sees what all of its places see. One pass of an empty image tells: each operation on a
tensor hands on the box of its inputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from gocnn.visualize.layers import example_of, inspecting

Pair = tuple[int, int]


@dataclass(frozen=True)
class Field:
    """Rows and columns of the input that a place of a map sees: size, step from place to place, first one's start.

    The start is negative where padding reaches over the edge: boxes at the edge are as large as any other. A step of 0
    says that every place sees the same.
    """

    size: Pair
    step: Pair
    start: Pair

    def box(self, row: int, col: int) -> tuple[int, int, int, int]:
        """What a place sees: top, left, bottom, right, the last two exclusive."""
        top, left = self.start[0] + row * self.step[0], self.start[1] + col * self.step[1]
        return top, left, top + self.size[0], left + self.size[1]


class Call(NamedTuple):
    """What a layer gave in one of its calls: the shape of one image's part, and its field, None if it can't be told."""

    shape: tuple[int, ...]
    field: Field | None


def receptive_fields(model: nn.Module, input_shape: Sequence[int]) -> dict[str, Field]:
    """Each layer's receptive field by the layer's dotted name, for an image [C, H, W]; the empty name is the network.

    A layer is missing if it runs not just once, or if its field cannot be told: after a flip, an upsampling, or another
    operation on a map whose places do not see boxes of one size at one step. Raises what the network raises if it does
    not take such an image.
    """
    calls = trace(model, input_shape)
    return {name: found[0].field for name, found in calls.items() if len(found) == 1 and found[0].field is not None}


@torch.inference_mode(False)  # in a caller's operations cannot be followed
def trace(model: nn.Module, input_shape: Sequence[int]) -> dict[str, list[Call]]:
    """What each layer gave in each of its calls, in a pass of an empty image [C, H, W], by the layer's dotted name."""
    calls: dict[str, list[Call]] = {}
    example = example_of(model)
    image = torch.zeros(1, *input_shape, dtype=example.dtype, device=example.device)
    tracer = _Tracer(image)
    handles = []
    for name, module in model.named_modules():

        def note(module: nn.Module, arguments: Any, output: Any, name: str = name) -> None:
            if isinstance(output, Tensor):
                calls.setdefault(name, []).append(Call(tuple(output.shape[1:]), tracer.field(output)))

        handles.append(module.register_forward_hook(note))
    try:
        with inspecting(model), torch.no_grad(), tracer:
            model(image)
    finally:
        for handle in handles:
            handle.remove()
    return calls


_RESHAPE = {"view", "_unsafe_view", "reshape", "expand", "squeeze", "unsqueeze", "_to_copy", "alias", "detach",
            "lift_fresh", "_reshape_alias"}  # fmt: skip
_REDUCE = {"mean", "sum", "amax", "amin", "max", "min", "logsumexp", "linalg_vector_norm", "var", "std"}
_POOL = {"max_pool2d_with_indices", "avg_pool2d"}
_ADAPTIVE = {"_adaptive_avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d"}
_PAD = {"constant_pad_nd"}
_SPLIT = {"split", "split_with_sizes", "unbind", "select"}


class _Unknown(Exception):
    """An operation whose result sees no boxes of one size at one step."""


class _Tracer(TorchDispatchMode):
    """Follows the input's rows and columns, the last two axes of every map, through all operations.

    Each tensor that depends on the input has a field, or none if it cannot be told. Where a field has step 0 in both
    directions it does not matter which axis is which, so that any operation on such tensors is understood.
    """

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self.height, self.width = image.shape[-2:]
        # The tensors are kept, so that no other gets the number of one that is gone.
        self.known: dict[int, tuple[Tensor, Field | None]] = {id(image): (image, Field((1, 1), (1, 1), (0, 0)))}
        self.views: dict[int, list[Tensor]] = {}  # by their storage
        self.lost = False  # once a part of a tensor was written to, nothing that follows is known

    def field(self, tensor: Tensor) -> Field | None:
        return None if self.lost else self.known.get(id(tensor), (tensor, None))[1]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        given = {argument.name: argument.default_value for argument in func._schema.arguments}
        given |= dict(zip(given, args)) | (kwargs or {})
        inputs = [tensor for tensor in _tensors(given.values()) if id(tensor) in self.known]
        outputs = list(_tensors([result]))
        if inputs and outputs:
            fields = [self.known[id(tensor)][1] for tensor in inputs]
            try:
                field = None if None in fields else self._rule(func, given, inputs, fields, outputs[0])  # type: ignore[arg-type]
            except _Unknown:
                field = None
                self.lost |= func._schema.is_mutable
            # What is written through a view is written into its base, which keeps the field that it had.
            self.lost |= func._schema.is_mutable and any(output._is_view() for output in outputs)
            for output in outputs:
                if func._schema.is_mutable:  # what was taken out of it before has now seen something else
                    self.known |= {id(view): (view, None) for view in self.views.get(_storage(output), [])}
                self.known[id(output)] = (output, field)
        places = {_storage(tensor) for tensor in _tensors(given.values())}
        for output in outputs:
            if not func._schema.is_mutable and _storage(output) in places:
                self.views.setdefault(_storage(output), []).append(output)
        return result

    def _rule(self, func: Any, given: dict[str, Any], inputs: list[Tensor], fields: list[Field], out: Tensor) -> Field:
        """The field of an operation's result. Raises _Unknown."""
        name = func.overloadpacket.__name__
        x, field = inputs[0], fields[0]
        if all(one.step == (0, 0) for one in fields) and not func._schema.is_mutable:
            return self._union(fields, out)
        if torch.Tag.pointwise in func.tags or name in ("prelu", "_prelu_kernel", "hardswish", "hardswish_", "rsub"):
            single = [_single(one, tensor, out) for one, tensor in zip(fields, inputs)]
            return self._union(single, out)
        if name == "convolution" and not given["transposed"] and x is given["input"] and len(inputs) == 1:
            kernel = given["weight"].shape[2:]
            if len(kernel) != 2:  # its axes are not those of the image
                raise _Unknown
            return _window(field, kernel, given["stride"], given["padding"], given["dilation"])
        if name in _POOL:
            stride = given["stride"] or given["kernel_size"]
            return _window(field, given["kernel_size"], stride, given["padding"], given.get("dilation", [1]))
        if name in _ADAPTIVE and all(n % k == 0 for n, k in zip(x.shape[-2:], out.shape[-2:])):
            kernel = [n // k for n, k in zip(x.shape[-2:], out.shape[-2:])]
            return self._flat(field, x) if kernel == list(x.shape[-2:]) else _window(field, kernel, kernel, [0], [1])
        if name in _PAD:
            left, _, top, _ = [*given["pad"], 0, 0][:4]
            return _window(field, [1], [1], (top, left), [1])
        if name == "cat":
            axis = given["dim"] % out.ndim - out.ndim
            if axis >= -2 and any(one.step[axis] for one in fields):
                raise _Unknown
            return self._union(fields, out)
        if name == "expand" and out.ndim == x.ndim:
            return _single(field, x, out)
        if name in _RESHAPE:
            if out.shape[-2:] == x.shape[-2:]:
                return field
            if _flattened(x, out):
                return self._flat(field, x)
        if name == "slice":
            axis = given["dim"] % x.ndim - x.ndim
            if axis < -2:
                return field
            steps, begins = [1, 1], [0, 0]
            steps[axis], begins[axis] = given["step"], slice(given["start"], None).indices(x.shape[axis])[0]
            return _window(field, [1], steps, [-begin for begin in begins], [1])
        if (name == "permute" and [d % x.ndim for d in given["dims"]][-2:] == [x.ndim - 2, x.ndim - 1]) or (
            name == "transpose" and max(given["dim0"] % x.ndim, given["dim1"] % x.ndim) < x.ndim - 2
        ):
            return field
        if name in _SPLIT and given["dim"] % x.ndim < x.ndim - 2:
            return field
        if name in _REDUCE:
            return self._reduced(field, x, given.get("dim"), given.get("keepdim", False))
        if name in ("_softmax", "_log_softmax"):
            return self._reduced(field, x, given["dim"], True)
        if "batch_norm" in name:
            return self._flat(field, x) if given.get("training", False) else field
        if name == "native_group_norm" or (name == "native_layer_norm" and len(given["normalized_shape"]) > 1):
            return self._flat(field, x)
        raise _Unknown

    def _flat(self, field: Field, x: Tensor, axes: Sequence[int] = (0, 1)) -> Field:
        """What all places of a map see together, within the image; in some directions only."""
        size, step, start = list(field.size), list(field.step), list(field.start)
        for axis in axes:
            places, end = x.shape[axis - 2] if step[axis] else 1, (self.height, self.width)[axis]
            last = start[axis] + (places - 1) * step[axis] + size[axis]
            start[axis] = max(start[axis], 0)
            size[axis], step[axis] = min(last, end) - start[axis], 0
        return Field((size[0], size[1]), (step[0], step[1]), (start[0], start[1]))

    def _reduced(self, field: Field, x: Tensor, dim: Any, keep: bool) -> Field:
        chosen = range(x.ndim) if dim in (None, []) else [d % x.ndim for d in ([dim] if isinstance(dim, int) else dim)]
        axes = [axis for axis in (0, 1) if x.ndim - 2 + axis in chosen]
        if len(axes) == 1 and not keep:
            raise _Unknown  # what is left is no map
        return self._flat(field, x, axes)

    def _union(self, fields: list[Field], out: Tensor) -> Field:
        """The smallest boxes that hold those of several maps, place by place."""
        axes = [axis for axis in (0, 1) if len({field.step[axis] for field in fields}) > 1]
        for axis in axes:
            if len({field.step[axis] for field in fields} - {0}) > 1:
                raise _Unknown
        fields = [self._flat(field, out, axes) for field in fields]
        start = [min(field.start[axis] for field in fields) for axis in (0, 1)]
        end = [max(field.start[axis] + field.size[axis] for field in fields) for axis in (0, 1)]
        return Field((end[0] - start[0], end[1] - start[1]), fields[0].step, (start[0], start[1]))


def _tensors(values: Any) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata if tensor.layout == torch.strided else id(tensor)


def _flattened(x: Tensor, out: Tensor) -> bool:
    """Whether a reshape brings all places of a map into one axis, the last; not some lines of it as a batch, say."""
    rows, cols = x.shape[-2:]
    length = out.shape[-1] if out.ndim else 1
    return length % (rows * cols) == 0 and (rows > 1 or cols == 1 or length == x.numel())


def _single(field: Field, x: Tensor, out: Tensor) -> Field:
    """The same field of a map that has one place only in a direction, if there it goes with every place of another."""
    step = list(field.step)
    for axis in (0, 1):
        if x.ndim > 1 and x.shape[axis - 2] == 1 and out.shape[axis - 2] > 1:
            step[axis] = 0
    return Field(field.size, (step[0], step[1]), field.start)


def _window(
    field: Field, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int]
) -> Field:
    """The field after a window of that size slides over a map."""
    size, step, start = [], [], []
    for axis in (0, 1):
        k, s, p, d = (numbers[axis if len(numbers) > 1 else 0] for numbers in (kernel, stride, padding, dilation))
        size.append(field.size[axis] + (k - 1) * d * field.step[axis])
        start.append(field.start[axis] - p * field.step[axis])
        step.append(field.step[axis] * s)
    return Field((size[0], size[1]), (step[0], step[1]), (start[0], start[1]))
