"""A network as a table of its layers: what each gives for one image, what it learns, and how far it sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import nn
from torch.nn.modules.conv import _ConvTransposeNd

from gocnn.visualize.layers import get
from gocnn.visualize.receptive import trace


@dataclass(frozen=True)
class Row:
    """A layer in a table of layers.

    shape: what it gives for one image, [C, H, W] or [K]; none if it did not run. parameters: all that it learns.
    per_filter: weights of each filter or neuron without its bias; none for what has no filters. field: rows and columns
    of the input that an output sees, padding counted in; none where it cannot be told.
    """

    layer: str
    shape: tuple[int, ...] | None
    parameters: int
    per_filter: int | None
    field: tuple[int, int] | None


def layer_table(model: nn.Module, input_shape: Sequence[int], layers: Sequence[str] = ()) -> list[Row]:
    """The named layers, or those that have parameters or change the shape, for an image [C, H, W]; the input is first.

    A block with parameters of its own is one row with all that it holds, those of the network itself are the last row,
    without a name, and what stands in two places counts in the first, so that the parameters of the rows add up to
    those of the network. With `layers` named, a layer inside another counts in both. Raises LayerError for a name that
    is not there, and what the network raises if it does not take such an image.
    """
    calls = trace(model, input_shape)
    rows = [Row("input", tuple(input_shape), 0, None, (1, 1))]
    counted: set[nn.Parameter] = set()
    for name, module in [(name, get(model, name)) for name in layers] or list(_rows(model)):
        shape, field = calls[name][-1] if name in calls else (None, None)
        parameters = sum(weight.numel() for weight in module.parameters() if weight not in counted)
        if not layers:
            counted.update(module.parameters())
        if layers or parameters or shape not in (None, rows[-1].shape):
            size = field.size if field is not None and len(calls[name]) == 1 else None
            rows.append(Row(name, shape, parameters, _per_filter(module, recurse=bool(name or layers)), size))
    return rows


def table_text(rows: Sequence[Row]) -> str:
    """The table in columns, shapes as the lecture has them (rows × columns × channels); last, their sum."""
    cells = [("layer", "output", "parameters", "per filter", "receptive field")]
    for row in rows:
        shape = "–" if row.shape is None else "×".join(map(str, (*row.shape[1:], row.shape[0])))
        field = "–" if row.field is None else "×".join(map(str, row.field))
        per_filter = "–" if row.per_filter is None else f"{row.per_filter:,}"
        cells.append((row.layer, shape, f"{row.parameters:,}" if row.parameters else "–", per_filter, field))
    cells.append(("total", "", f"{sum(row.parameters for row in rows):,}", "", ""))
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = []
    for name, *others in cells:
        right = [cell.rjust(width) for cell, width in zip(others, widths[1:])]
        lines.append("  ".join([name.ljust(widths[0]), *right]).rstrip())
    return "\n".join(lines)


def _rows(module: nn.Module, name: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The layers that make up a network: those without children, and blocks with parameters of their own."""
    whole = not any(module.children()) or any(True for _ in module.parameters(recurse=False))
    if not (name and whole):
        for child, inner in module.named_children():
            yield from _rows(inner, f"{name}.{child}" if name else child)
    if whole:
        yield name, module


def _per_filter(module: nn.Module, recurse: bool) -> int | None:
    """Weights of each of a layer's filters, or of those of the only such layer in a block."""
    filters = {}
    for inner in module.modules() if recurse else [module]:
        for weight in inner.parameters(recurse=False):
            if weight.ndim > 1:
                # Those of a transposed convolution are along the second axis, and in groups.
                count = inner.out_channels if isinstance(inner, _ConvTransposeNd) else len(weight)
                filters[weight] = weight.numel() // count
    return next(iter(filters.values())) if len(filters) == 1 else None
