"""A convolution written out as the fully-connected layer that it is, with weights missing and weights shared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from gocnn import dense
from gocnn.conv import ConvBlock
from gocnn.demos import Say, Shown, convolution, hang
from gocnn.images.lecture import LectureNet
from gocnn.visualize import drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHAPE = (1, *convolution.IMAGE.shape)


def filter_1() -> torch.nn.Conv2d:
    """The first filter of the worked example by itself."""
    conv = torch.nn.Conv2d(1, 1, 3, bias=False)
    with torch.no_grad():
        conv.weight.copy_(torch.from_numpy(convolution.FILTERS[:1, None]))
    return conv


def make(out: Path, say: Say) -> Shown:
    conv = filter_1()
    image = torch.from_numpy(convolution.IMAGE[None, None]).float()
    with torch.no_grad():
        convolved = conv(image).flatten().int().tolist()
        connected = dense.as_linear(conv, SHAPE)(image.flatten(1)).flatten().int().tolist()
    counted = dense.parameters(conv, SHAPE)
    first, second = (dense.parameters(block.conv, shape) for block, shape in _blocks())
    say(f"the convolution gives        {convolved}")
    say(f"the fully-connected layer    {connected}")
    for name, one in (("filter 1", counted), ("the lecture's conv1", first), ("the lecture's conv2", second)):
        say(f"{name}: {one.dense:,} weights fully connected, {one.sparse:,} are not missing, {one.shared:,} different")
    caption = (
        f"Filter 1 of the worked example as a fully-connected layer: 36 pixels in, 16 neurons out. A neuron sees just "
        f"nine pixels, so {counted.sparse} of {counted.dense} weights are there; and weights of one colour are one and "
        f"the same number, so that only {counted.shared} are learned. On the right what each neuron gives: the same "
        "sixteen numbers as the convolution's."
    )
    figure = _drawn(dense.places(conv, SHAPE).numpy(), np.array(connected))
    numbers = {"convolution": convolved, "fully connected": connected}
    for name, one in (("weights", counted), ("conv1", first), ("conv2", second)):
        numbers[name] = {"dense": one.dense, "sparse": one.sparse, "shared": one.shared}
    return Shown((hang(figure, out / "dense.png", caption),), numbers)


def _blocks() -> list[tuple[ConvBlock, tuple[int, int, int]]]:
    """The lecture's two convolutional layers, and the shape of what each is given."""
    blocks = [block for block in LectureNet() if isinstance(block, ConvBlock)]
    return list(zip(blocks, ((1, 28, 28), (25, 13, 13))))


def _drawn(places: np.ndarray, outputs: np.ndarray) -> Figure:
    """The filter in nine colours, the image's pixels numbered, and the matrix in the filter's colours."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 9), layout="constrained")
    above, below = np.asarray(figure.subfigures(2, 1, height_ratios=(3, 6)))
    left, middle, right = above.subplots(1, 3)
    weights = convolution.FILTERS[0]
    _coloured(left, np.arange(9).reshape(3, 3), weights, size=15)
    left.set_title("filter 1: nine weights, a colour each", fontsize=10)
    pixels = np.arange(1, convolution.IMAGE.size + 1).reshape(convolution.IMAGE.shape)
    drawing.numbers(middle, pixels, colours=convolution.GREY, limit=1e9, size=10)
    middle.set_title("the image's pixels, counted", fontsize=10)
    drawing.numbers(right, convolution.IMAGE, colours=convolution.GREY, limit=1, size=10)
    right.set_title("their values", fontsize=10)
    matrix = below.subplots()
    _coloured(matrix, places, np.where(places >= 0, weights.ravel()[places], 0), size=8)
    matrix.set_axis_on()
    matrix.set_xticks(range(places.shape[1]), [str(n + 1) for n in range(places.shape[1])], fontsize=7)
    matrix.set_yticks(range(places.shape[0]), [str(n + 1) for n in range(places.shape[0])], fontsize=7)
    matrix.tick_params(length=0)
    matrix.set(xlabel="pixel", ylabel="neuron")
    for side in matrix.spines.values():
        side.set_visible(False)
    column = matrix.inset_axes((1.015, 0, 1.1 / 36.1, 1))
    drawing.numbers(column, outputs[:, None], limit=convolution.LIMIT, size=9)
    column.set_title("gives", fontsize=10)
    return figure


def _coloured(axes: Axes, which: np.ndarray, values: np.ndarray, *, size: float) -> None:
    """A table of weights, each square in the colour of its number in the filter, white where there is none."""
    from matplotlib import colormaps

    palette = np.asarray(colormaps["tab10"]([0, 1, 2, 3, 4, 5, 6, 8, 9]))[:, :3]  # without its grey
    colours = np.vstack([palette, np.ones((1, 3))])  # the last, -1, is white
    drawing.numbers(axes, values, size=size, shown=which >= 0)
    axes.imshow(0.35 + 0.65 * colours[which], interpolation="nearest")
    axes.set(xlim=(-0.55, which.shape[1] - 0.45), ylim=(which.shape[0] - 0.45, -0.55))
