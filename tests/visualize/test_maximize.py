"""Gradient ascent on the input: it climbs what it says it climbs, within bounds, and leaves the network as it was."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from gocnn import policy
from gocnn.conv import ConvBlock
from gocnn.visualize.layers import LayerError
from gocnn.visualize.maximize import Ascent, blurred, maximize


def linear(weight: np.ndarray) -> nn.Sequential:
    """Logits that are the inner products of the image with each of the rows of `weight` [K, H * W]."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(weight.shape[1], weight.shape[0], bias=False))
    net[1].weight.data.copy_(torch.tensor(weight))
    return net


def small(inplace: bool = False) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(inplace), nn.Dropout(0.5), nn.Flatten(), nn.Linear(4 * 36, 8), nn.ReLU(inplace),
        nn.Linear(8, 3),
    )  # fmt: skip


W = np.array([[1.0, -2.0, 0.3, 0.0], [0.2, 0.5, -1.0, 3.0]])


def test_without_a_constraint_a_linear_unit_is_driven_to_its_bounds() -> None:
    found = maximize(linear(W), (1, 2, 2), [0, 1], ascent=Ascent(steps=200, low=-1, high=1, noise=0))
    expected = np.sign(W)
    expected[0, 3] = 0  # no weight, no gradient
    assert np.allclose(found.images.reshape(2, 4), expected, atol=1e-3)
    assert np.allclose(found.activations, np.abs(W).sum(1), atol=1e-2)


def test_l1_keeps_only_what_is_worth_its_price() -> None:
    """w x - lambda |x| on [-1, 1] has its maximum at sign(w) where |w| > lambda, else at zero."""
    found = maximize(
        linear(W), (1, 2, 2), [0, 1], ascent=Ascent(steps=600, penalty="l1", strength=0.6, low=-1, high=1, noise=0.1)
    )
    assert np.allclose(found.images.reshape(2, 4), np.where(np.abs(W) > 0.6, np.sign(W), 0), atol=0.01)


def test_l2_has_the_optimum_that_calculus_gives() -> None:
    """w x - lambda x^2 has its maximum, w^2 / (4 lambda), at x = w / (2 lambda)."""
    found = maximize(linear(W), (1, 2, 2), [0, 1], ascent=Ascent(steps=800, penalty="l2", strength=0.5, noise=0.1))
    assert np.allclose(found.images.reshape(2, 4), W, atol=0.01)
    assert np.allclose(found.objectives[-1], (W**2).sum(1) / 2, atol=1e-3)
    assert np.allclose(found.activations, (W**2).sum(1), atol=1e-2)


def test_the_objective_is_exact() -> None:
    net = small()
    ascent = Ascent(steps=5, penalty="l1", strength=0.3, total_variation=0.2, noise=0.5)
    found = maximize(net, (1, 8, 8), [2, 0], ascent=ascent)
    image = found.images[:, 0]
    with torch.no_grad():
        logits = net.eval()(torch.tensor(found.images))
    variation = np.abs(np.diff(image, axis=1)).sum((1, 2)) + np.abs(np.diff(image, axis=2)).sum((1, 2))
    own = logits.numpy()[[0, 1], [2, 0]]
    assert np.allclose(found.activations, own, atol=1e-6)
    assert np.allclose(found.objectives[-1], own - 0.3 * np.abs(image).sum((1, 2)) - 0.2 * variation, atol=1e-4)
    assert found.probabilities is not None
    assert np.allclose(found.probabilities, logits.softmax(1).numpy()[[0, 1], [2, 0]], atol=1e-6)
    logs = maximize(net, (1, 8, 8), [2, 0], objective="log probability", ascent=Ascent(steps=5))
    assert np.allclose(logs.objectives[-1], np.log(logs.probabilities), atol=1e-5)


def test_a_filter_climbs_the_sum_of_its_map() -> None:
    net = small()
    found = maximize(net, (1, 8, 8), [0, 3], layer="0", ascent=Ascent(steps=100, low=0, high=1))
    with torch.no_grad():
        maps = net[0](torch.tensor(found.images))
    assert np.allclose(found.activations, [maps[0, 0].sum(), maps[1, 3].sum()], rtol=1e-4)
    assert found.objectives.shape == (101, 2)
    assert (found.objectives[-1] > found.objectives[0]).all()
    assert found.probabilities is None


def test_a_batch_finds_what_each_unit_finds_alone() -> None:
    net = small()
    ascent = Ascent(steps=30, jitter=1, penalty="l2", strength=0.1)
    together = maximize(net, (1, 8, 8), [0, 1, 2], ascent=ascent).images
    alone = [maximize(net, (1, 8, 8), [unit], ascent=ascent).images[0] for unit in range(3)]
    assert np.allclose(together, alone, atol=1e-4)


@pytest.mark.parametrize("layer", ["0", "4", ""])
def test_the_network_is_left_as_it_was(layer: str) -> None:
    net = small(inplace=True).train()
    net[0].weight.requires_grad_(False)
    before = copy.deepcopy(net.state_dict())
    with torch.no_grad():  # a caller's own mode
        found = maximize(net, (1, 8, 8), [1], layer=layer, ascent=Ascent(steps=10))
        assert not torch.is_grad_enabled()
    assert np.array_equal(found.images, maximize(small(), (1, 8, 8), [1], layer=layer, ascent=Ascent(steps=10)).images)
    assert net.training and net[1].inplace and not net[0].weight.requires_grad and net[4].weight.requires_grad
    assert all(p.grad is None for p in net.parameters())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_the_seed_decides_and_the_global_generator_is_not_touched() -> None:
    net = small()
    first, again, other = (
        maximize(net, (1, 8, 8), [0], ascent=Ascent(steps=10, jitter=2, noise=0.3, seed=seed)).images
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    state = torch.random.get_rng_state()
    maximize(net, (1, 8, 8), [0], ascent=Ascent(steps=3))
    assert torch.equal(state, torch.random.get_rng_state())


def test_bounds_by_channel() -> None:
    net = nn.Sequential(nn.Conv2d(3, 2, 3, bias=False))
    ascent = Ascent(steps=60, rate=1.0, low=(-1, -2, -3), high=(1, 2, 3))
    found = maximize(net, (3, 5, 5), [0, 1], layer="0", ascent=ascent)
    assert np.allclose(np.abs(found.images).max((0, 2, 3)), [1, 2, 3])


def test_any_shape_of_input() -> None:
    net = policy.build(policy.preset("b2c32"), seed=0)
    found = maximize(net, (20, 9, 9), [40], ascent=Ascent(steps=5, low=0, high=1))
    assert found.images.shape == (1, 20, 9, 9) and found.images.min() >= 0
    assert maximize(net, (20, 9, 9), [3], layer="stem", ascent=Ascent(steps=2)).probabilities is None


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions(dtype: torch.dtype) -> None:
    expected = maximize(small(), (1, 8, 8), [0], ascent=Ascent(steps=20, rate=0.01, noise=0.3))
    found = maximize(small().to(dtype), (1, 8, 8), [0], ascent=Ascent(steps=20, rate=0.01, noise=0.3))
    assert np.allclose(found.activations, expected.activations, atol=0.05)
    assert found.objectives[-1] > found.objectives[0]


def test_blur_smooths_and_keeps_what_is_even() -> None:
    assert torch.allclose(blurred(torch.full((1, 2, 6, 6), 0.7), 1.5), torch.tensor(0.7))
    dot = torch.zeros(1, 1, 21, 21)
    dot[0, 0, 10, 10] = 1
    spread = blurred(dot, 1.5)[0, 0]
    assert spread.sum().item() == pytest.approx(1, abs=1e-5)
    away = torch.arange(21.0) - 10
    assert (spread.sum(0) * away**2).sum().item() == pytest.approx(1.5**2, rel=0.02)  # the variance is sigma squared
    assert torch.equal(spread, spread.T)


def roughness(image: np.ndarray) -> float:
    return float(np.abs(np.diff(image, axis=-1)).mean() / np.abs(image).mean())


@pytest.mark.parametrize("option", [{"blur": 0.7}, {"total_variation": 0.05}])
def test_smoothing_options_smooth(option: dict[str, float]) -> None:
    rough, smooth = (
        maximize(small(), (1, 8, 8), [0], ascent=Ascent(steps=100, noise=0.3, **more)).images for more in ({}, option)
    )
    assert roughness(smooth) < 0.7 * roughness(rough)


@pytest.mark.parametrize(
    "wrong",
    [{"penalty": "l3"}, {"steps": 0}, {"rate": 0}, {"strength": -1}, {"jitter": -1}, {"blur": -1}, {"blur_every": 0}],
)
def test_ascents_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=str(wrong["penalty"]) if "penalty" in wrong else next(iter(wrong))):
        Ascent(**wrong)


def test_a_network_of_several_outputs_has_no_probabilities() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return self.conv(x), x

    found = maximize(Two(), (1, 6, 6), [0], layer="conv", ascent=Ascent(steps=2))
    assert found.probabilities is None and found.activations.shape == (1,)


def test_a_unit_that_the_input_cannot_move_is_refused() -> None:
    class Constant(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.ones(len(x), 2)

    with pytest.raises(LayerError, match="layer '' does not depend on the input"):
        maximize(Constant(), (1, 4, 4), [0])


def test_refusals() -> None:
    net, quick = small(), Ascent(steps=1)
    with pytest.raises(LayerError, match="there are"):
        maximize(net, (1, 8, 8), [0], layer="fc", ascent=quick)
    with pytest.raises(ValueError, match="no unit 3; the layer has units 0 to 2"):
        maximize(net, (1, 8, 8), [3], ascent=quick)
    with pytest.raises(ValueError, match="objective"):
        maximize(net, (1, 8, 8), [0], objective="joy", ascent=quick)
    with pytest.raises(LayerError, match="log probabilities"):
        maximize(net, (1, 8, 8), [0], layer="0", objective="log probability", ascent=quick)
    with pytest.raises(ValueError, match="2 bounds for an input of 1 channels"):
        maximize(net, (1, 8, 8), [0], ascent=Ascent(low=(0, 0)))
    with pytest.raises(ValueError, match="above"):
        maximize(net, (1, 8, 8), [0], ascent=Ascent(low=1, high=0))
    flat = nn.Sequential(ConvBlock(1, 2), nn.Flatten(2))
    with pytest.raises(LayerError, match="take another layer"):
        maximize(flat, (1, 8, 8), [0], ascent=quick)
