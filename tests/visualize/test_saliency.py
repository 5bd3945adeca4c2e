"""Saliency is the gradient at the input: captum's on the shipped networks, and calculus on small ones."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from captum.attr import GuidedBackprop, Saliency
from torch import nn

from gocnn.visualize.layers import LayerError
from gocnn.visualize.saliency import saliency
from tests.visualize.subjects import NAMES, Functional, small, state, subject


@pytest.mark.parametrize("name", NAMES)
def test_captum_finds_the_same(name: str) -> None:
    model, images, units = subject(name)
    expected = Saliency(model).attribute(images.clone().requires_grad_(), target=units)
    found = saliency(model, images, units)
    assert found.shape == images.shape and found.max() > 0
    assert np.allclose(found, expected.numpy(), atol=1e-4)
    assert np.array_equal(found, saliency(model, images))  # None: what the network answers


@pytest.mark.filterwarnings("ignore:Setting backward hooks")
@pytest.mark.parametrize("name", NAMES)
def test_captum_guides_in_the_same_way(name: str) -> None:
    model, images, units = subject(name)
    guide = GuidedBackprop(copy.deepcopy(model))
    expected = guide.attribute(images.clone().requires_grad_(), target=units)
    found = saliency(model, images, units, method="guided", signed=True)
    assert np.allclose(found, expected.detach().numpy(), atol=1e-4)
    assert not np.allclose(found, saliency(model, images, units, signed=True), atol=1e-3)


@pytest.mark.parametrize("signed", [False, True])
def test_smoothgrad_is_the_mean_over_noisy_images(signed: bool) -> None:
    model, images, units = subject("digits")
    random = torch.Generator().manual_seed(7)
    reach = (images.amax((1, 2, 3)) - images.amin((1, 2, 3))).view(-1, 1, 1, 1)
    noisy = [images + 0.2 * reach * torch.randn(images.shape, generator=random) for _ in range(6)]
    each = [Saliency(model).attribute(one.requires_grad_(), target=units, abs=not signed) for one in noisy]
    found = saliency(model, images, units, method="smooth", signed=signed, samples=6, noise=0.2, seed=7)
    assert np.allclose(found, torch.stack(each).mean(0).numpy(), atol=1e-4)


def test_smoothgrad_without_noise_is_the_gradient_and_leaves_the_global_generator_alone() -> None:
    model, images, units = subject("digits")
    before = torch.random.get_rng_state()
    found = saliency(model, images, units, method="smooth", noise=0, samples=3)
    assert torch.equal(before, torch.random.get_rng_state())
    assert np.allclose(found, saliency(model, images, units), atol=1e-6)


def test_smoothgrad_asks_for_the_answer_to_the_image_not_to_the_noise() -> None:
    model, images, units = subject("digits")
    options = {"method": "smooth", "noise": 2.0, "samples": 3}
    assert np.array_equal(saliency(model, images, **options), saliency(model, images, units, **options))


def test_a_linear_networks_saliency_are_its_weights() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    weight = net[1].weight.detach().numpy().reshape(2, 1, 2, 2)
    images = torch.rand(2, 1, 2, 2)
    assert np.allclose(saliency(net, images, [1, 0], signed=True), weight[[1, 0]])
    assert np.allclose(saliency(net, images, 1), np.abs(weight[[1, 1]]))
    p = net(images).softmax(1)[:, 1].detach().numpy().reshape(2, 1, 1, 1)
    slope = p * (1 - p) * (weight[1] - weight[0])
    assert np.allclose(saliency(net, images, 1, objective="probability", signed=True), slope, atol=1e-6)
    logs = saliency(net, images, 1, objective="log probability", signed=True)
    assert np.allclose(logs, (1 - p) * (weight[1] - weight[0]), atol=1e-6)


def test_a_filter_by_its_layers_name() -> None:
    net = small().eval()
    images = torch.rand(1, 1, 8, 8)

    def summed(x: torch.Tensor) -> torch.Tensor:
        return net[1](net[0](x)).sum((2, 3))

    expected = Saliency(summed).attribute(images.clone().requires_grad_(), target=2)
    assert np.allclose(saliency(net, images, 2, layer="1"), expected.numpy(), atol=1e-5)


@pytest.mark.parametrize("method", ["gradient", "smooth", "guided"])
def test_the_network_is_left_as_it_was(method: str) -> None:
    net, images = small(inplace=True).train(), torch.rand(2, 1, 8, 8)
    net[0].weight.requires_grad_(False)
    before = state(net)
    with torch.no_grad():  # a caller's own mode
        found = saliency(net, images, 1, method=method)
    assert state(net) == before
    assert np.array_equal(found, saliency(small().eval(), images, 1, method=method))  # as if eval() had been called


def test_guiding_meets_relus_that_are_no_modules() -> None:
    images = torch.rand(3, 1, 8, 8)
    expected = saliency(small(), images, 2, method="guided", signed=True)
    assert np.allclose(saliency(Functional(), images, 2, method="guided", signed=True), expected, atol=1e-6)


def test_a_unit_that_the_image_cannot_move_has_no_saliency() -> None:
    class Constant(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.ones(len(x), 2)

    assert not saliency(Constant(), torch.rand(1, 1, 4, 4), 0).any()


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions(dtype: torch.dtype) -> None:
    images = torch.rand(1, 1, 8, 8)
    found = saliency(small().to(dtype), images, 0)
    assert found.dtype == (np.float64 if dtype is torch.float64 else np.float32)
    assert np.allclose(found, saliency(small(), images, 0), atol=0.02)


def test_smoothgrads_mean_is_as_fine_as_its_samples() -> None:
    """Of a linear network every sample has the same gradient; in bfloat16, the later ones would hardly count."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2)).to(torch.bfloat16)
    images = torch.rand(1, 1, 2, 2)
    found = saliency(net, images, 0, method="smooth", samples=200, signed=True)
    assert np.allclose(found, saliency(net, images, 0, signed=True), rtol=1e-3)


def test_refusals() -> None:
    net, images = small(), torch.rand(2, 1, 8, 8)
    with pytest.raises(LayerError, match=r"no layer 'conv1' .* there are 0, 1"):
        saliency(net, images, 0, layer="conv1")
    with pytest.raises(ValueError, match="no unit 3; the layer has units 0 to 2"):
        saliency(net, images, 3)
    with pytest.raises(ValueError, match="3 units for 2 images"):
        saliency(net, images, [0, 1, 2])
    with pytest.raises(ValueError, match="there are gradient, smooth, guided"):
        saliency(net, images, 0, method="grad")
    with pytest.raises(ValueError, match="there are activation, log probability, probability"):
        saliency(net, images, 0, objective="joy")
    with pytest.raises(LayerError, match="probabilities are of outputs"):
        saliency(net, images, 0, layer="0", objective="probability")
    with pytest.raises(ValueError, match="samples"):
        saliency(net, images, 0, method="smooth", samples=0)
    with pytest.raises(ValueError, match="no ReLU"):
        saliency(nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), images, 0, method="guided")
    with pytest.raises(ValueError, match=r"\[B, C, H, W\]"):
        saliency(net, images[0], 0)
