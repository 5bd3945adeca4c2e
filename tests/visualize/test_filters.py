"""First-layer filters as pictures: a common scale, zero in the middle, and clear refusals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from torch import nn

from gocnn import policy
from gocnn.conv import ConvBlock, ResidualBlock
from gocnn.images.squeezenet import SqueezeNet
from gocnn.visualize.filters import filters
from gocnn.visualize.layers import LayerError


def with_weights(values: np.ndarray) -> nn.Conv2d:
    weight = torch.as_tensor(values)
    layer = nn.Conv2d(weight.shape[1], weight.shape[0], tuple(weight.shape[2:])).to(weight.dtype)
    layer.weight.data.copy_(weight)
    return layer


@given(arrays(np.float32, array_shapes(min_dims=4, max_dims=4, max_side=4), elements=st.floats(-100, 100, width=32)))
def test_zero_is_grey_and_the_largest_weight_is_black_or_white(weight: np.ndarray) -> None:
    pictures = filters(with_weights(weight))
    assert pictures.shape == (weight.shape[0], *weight.shape[2:], weight.shape[1])
    assert pictures.min() >= 0 and pictures.max() <= 1
    assert np.all(pictures[weight.transpose(0, 2, 3, 1) == 0] == 0.5)
    if weight.any():
        assert np.abs(pictures - 0.5).max() == 0.5
        peak = np.abs(weight).max()
        assert np.allclose((pictures - 0.5) * 2 * peak, weight.transpose(0, 2, 3, 1), atol=1e-6 * peak)


def test_a_scale_of_its_own_shows_a_weak_filter() -> None:
    weight = np.array([[[[4.0, -2.0]]], [[[0.1, 0.2]]], [[[0.0, 0.0]]]])
    assert filters(with_weights(weight))[..., 0].tolist() == [[[1.0, 0.25]], [[0.5125, 0.525]], [[0.5, 0.5]]]
    own = filters(with_weights(weight), scale="own")[..., 0]
    assert own.tolist() == [[[1.0, 0.25]], [[0.75, 1.0]], [[0.5, 0.5]]]


def test_orders() -> None:
    grey, red, strong_grey = [0.5, 0.5, 0.5], [1.0, 0.0, 0.0], [-2.0, -2.0, -2.0]
    layer = with_weights(np.array([grey, red, strong_grey])[:, :, None, None])
    assert np.array_equal(filters(layer, order="strength"), filters(layer)[[2, 1, 0]])
    assert np.array_equal(filters(layer, order="colour"), filters(layer)[[1, 0, 2]])


@pytest.mark.parametrize(
    ("model", "layer", "shape"),
    [
        (SqueezeNet(), "", (64, 3, 3, 3)),
        (SqueezeNet(), "fire2.squeeze", (16, 1, 1, 64)),
        (nn.Sequential(ConvBlock(1, 25, 3, padding="valid", pool=2)), "0", (25, 3, 3, 1)),
        (policy.build(policy.preset("b2c32")), "stem", (32, 5, 5, 20)),
        (nn.Conv2d(3, 5, 11).half(), "", (5, 11, 11, 3)),
        (nn.Conv2d(3, 5, 11).bfloat16(), "", (5, 11, 11, 3)),
    ],
)
def test_any_network(model: nn.Module, layer: str, shape: tuple[int, ...]) -> None:
    assert filters(model, layer).shape == shape


def test_refusals() -> None:
    net = nn.Sequential(ConvBlock(1, 2), nn.Flatten(), nn.Linear(8, 2))
    with pytest.raises(LayerError, match=r"layer '2' does not begin with a convolution; convolutions here are 0\.conv"):
        filters(net, "2")
    with pytest.raises(LayerError, match=r"there are 0\.conv, "):
        filters(net, "0.convv")
    with pytest.raises(LayerError, match="convolutions here are conv1, conv2"):
        filters(ResidualBlock(2))  # it normalises first
    with pytest.raises(LayerError, match="this Linear does not begin with a convolution; convolutions here are none"):
        filters(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="scale"):
        filters(net, scale="mine")
    with pytest.raises(ValueError, match="order"):
        filters(net, order="alphabet")
