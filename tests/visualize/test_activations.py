"""Feature maps are what the layers compute, and looking changes nothing."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from gocnn import policy, weights
from gocnn.conv import ConvBlock
from gocnn.go.board import Board
from gocnn.go.planes import PLANE_SETS, of_board
from gocnn.images.squeezenet import SqueezeNet
from gocnn.visualize.activations import activations
from gocnn.visualize.layers import LayerError


def test_the_first_maps_of_the_go_network_are_its_stem() -> None:
    net = policy.load(weights.default())
    board = Board(19)
    board.play(1, 60)
    planes = of_board(board, PLANE_SETS[net.config.planes])[None]  # int8, as the board gives them
    maps = activations(net, "stem", planes)
    expected = nn.functional.conv2d(torch.tensor(planes).float(), net.stem.weight.detach(), padding=2)
    assert maps.shape == (1, net.config.channels, 19, 19)
    assert np.allclose(maps, expected.numpy(), atol=1e-5)
    assert np.array_equal(activations(net, "", planes), activations(net, "head", planes))
    assert activations(net, "", planes).shape == (1, 362)


def test_colour_photographs() -> None:
    torch.manual_seed(0)
    net = SqueezeNet().train()
    images = torch.rand(2, 3, 63, 63)
    maps = activations(net, "conv1", images)
    assert maps.shape == (2, 64, 31, 31) and maps.min() == 0
    assert np.allclose(maps, activations(net, "conv1.conv", images).clip(0))
    assert net.training


@pytest.mark.parametrize("inplace", [False, True])
def test_eval_mode_is_taken_and_given_back(inplace: bool) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace), nn.Dropout(0.5), nn.Flatten())
    net.train()
    before = copy.deepcopy(net.state_dict())
    images = torch.rand(5, 1, 8, 8)
    first = activations(net, "1", images)
    assert (first < 0).any()  # not what a ReLU working in place makes of them
    assert np.array_equal(first, activations(net, "1", images))
    assert np.allclose(activations(net, "4", images), first.clip(0).reshape(5, -1))
    assert net.training and net[2].inplace is inplace
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(p.requires_grad and p.grad is None for p in net.parameters())


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_other_precisions(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    net = ConvBlock(1, 3)
    images = torch.rand(2, 1, 9, 9)
    expected = activations(net, "conv", images)
    maps = activations(net.to(dtype), "conv", images)
    assert maps.dtype == (np.float64 if dtype is torch.float64 else np.float32)
    assert np.allclose(maps, expected, atol=0.02)


def test_the_maps_are_a_copy() -> None:
    net = nn.Sequential(nn.Identity(), nn.ReLU())
    images = torch.zeros(1, 1, 3, 3)
    activations(net, "0", images)[:] = 7
    assert not images.any()


def test_refusals() -> None:
    net = nn.Sequential(ConvBlock(1, 2), nn.Flatten(2))
    with pytest.raises(LayerError, match=r"no layer '0\.cov' .* there are 0\.conv"):
        activations(net, "0.cov", torch.zeros(1, 1, 4, 4))
    with pytest.raises(LayerError, match=r"gives \[1, 2, 16\]"):
        activations(net, "1", torch.zeros(1, 1, 4, 4))
    with pytest.raises(ValueError, match=r"\[B, C, H, W\]"):
        activations(net, "0", torch.zeros(4, 4))
