"""A convolution as a fully-connected layer: the same output, and weights that are missing or shared."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gocnn import dense


@pytest.mark.parametrize(
    ("conv", "shape"),
    [
        (nn.Conv2d(1, 1, 3, bias=False), (1, 6, 6)),
        (nn.Conv2d(3, 4, 3, padding=1), (3, 5, 7)),
        (nn.Conv2d(2, 4, (3, 2), stride=2, padding="valid", groups=2), (2, 8, 7)),
        (nn.Conv2d(2, 3, 3, padding="same", dilation=2, dtype=torch.float64), (2, 9, 9)),
    ],
)
def test_the_layer_gives_what_the_convolution_gives(conv: nn.Conv2d, shape: tuple[int, int, int]) -> None:
    images = torch.rand(5, *shape, dtype=conv.weight.dtype, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.allclose(dense.as_linear(conv, shape)(images.flatten(1)), conv(images).flatten(1), atol=1e-5)


@pytest.mark.parametrize("conv", [nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 2, 3, stride=2, groups=2)])
def test_places_say_which_weight_is_where(conv: nn.Conv2d) -> None:
    shape = (conv.in_channels, 5, 7)
    which, matrix = dense.places(conv, shape), dense.matrix(conv, shape)
    assert torch.equal(matrix, torch.where(which >= 0, conv.weight.detach().flatten()[which], 0.0))
    counted = dense.parameters(conv, shape)
    assert (counted.dense, counted.sparse) == (which.numel(), int((which >= 0).sum()))
    assert counted.shared == len(which[which >= 0].unique()) == conv.weight.numel()


@pytest.mark.parametrize(("shape", "met"), [((1, 1, 1), 1), ((1, 1, 2), 3), ((1, 2, 2), 9)])
def test_weights_that_meet_no_pixel_are_not_there(shape: tuple[int, int, int], met: int) -> None:
    conv = nn.Conv2d(1, 1, 3, padding=1)
    which = dense.places(conv, shape)
    with torch.inference_mode():
        counted = dense.parameters(conv, shape)
    assert counted.shared == met == len(which[which >= 0].unique())
    assert (counted.dense, counted.sparse) == (which.numel(), int((which >= 0).sum()))


def test_padding_with_anything_but_zeros_is_no_such_layer() -> None:
    conv = nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect")
    for function in (dense.matrix, dense.places, dense.parameters, dense.as_linear):
        with pytest.raises(ValueError, match="padding 'reflect'"):
            function(conv, (1, 5, 5))


def test_the_lectures_count() -> None:
    """36 pixels and 16 neurons: 576 weights fully connected, 9 a neuron sparse, 9 in all shared."""
    assert dense.parameters(nn.Conv2d(1, 1, 3), (1, 6, 6)) == dense.Parameters(36 * 16, 9 * 16, 9)
    which = dense.places(nn.Conv2d(1, 1, 3), (1, 6, 6))
    assert which[0].nonzero().flatten().tolist() != which[1].nonzero().flatten().tolist()
    first, second = (torch.nonzero(row >= 0).flatten() + 1 for row in which[:2])
    assert first.tolist() == [1, 2, 3, 7, 8, 9, 13, 14, 15]
    assert second.tolist() == [2, 3, 4, 8, 9, 10, 14, 15, 16]
