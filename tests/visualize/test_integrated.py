"""Integrated gradients: captum's on the shipped networks, and shares that add up."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from torch import nn

from gocnn.visualize.integrated import integrated
from gocnn.visualize.layers import LayerError
from tests.visualize.subjects import NAMES, small, state, subject


@pytest.mark.parametrize("name", NAMES)
def test_captum_finds_the_same(name: str) -> None:
    model, images, units = subject(name)
    expected, gap = IntegratedGradients(model).attribute(
        images, target=units, n_steps=6, return_convergence_delta=True, internal_batch_size=6
    )
    found = integrated(model, images, units, steps=6, batch_size=5)
    assert found.shares.shape == images.shape
    assert np.allclose(found.shares, expected.detach().numpy(), atol=1e-4)
    assert np.allclose(found.gap, gap.numpy(), atol=1e-3)
    assert np.allclose(found.shares, integrated(model, images, steps=6, batch_size=7).shares, atol=1e-4)


def test_the_shares_add_up_to_the_answer() -> None:
    model, images, units = subject("digits")
    found = integrated(model, images, units, steps=200)
    with torch.inference_mode():
        after, before = model(images)[[0, 1], units], model(torch.zeros(1, 1, 28, 28))[0, units]
    assert np.allclose(found.at_image, after, atol=1e-4) and np.allclose(found.at_baseline, before, atol=1e-4)
    assert np.abs(found.gap).max() < 0.05
    assert np.allclose(found.shares.sum((1, 2, 3)), found.at_image - found.at_baseline + found.gap, atol=1e-4)
    assert not found.shares[images.numpy() == 0].any()  # a pixel like the baseline's has no share


def test_a_baseline_of_its_own() -> None:
    """Of a linear network the shares are w (x - x')."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    images, nothing = torch.rand(2, 3, 2, 2), torch.rand(3, 1, 1)
    found = integrated(net, images, 1, baseline=nothing, steps=3)
    expected = net[1].weight.detach()[1].view(3, 2, 2) * (images - nothing)
    assert np.allclose(found.shares, expected, atol=1e-6) and np.allclose(found.gap, 0, atol=1e-5)


def test_where_the_gradient_is_silent_there_are_shares_still() -> None:
    """min(x, 1) of a pixel at 2: no gradient at the image, and all of the answer's 1 is its share."""

    class Saturated(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 1 - (1 - x.flatten(1)).relu()

    found = integrated(Saturated(), torch.full((1, 1, 1, 1), 2.0), 0, steps=400)
    assert found.shares.item() == pytest.approx(1, abs=0.01)


def test_the_network_is_left_as_it_was() -> None:
    net, images = small(inplace=True).train(), torch.rand(2, 1, 8, 8)
    before = state(net)
    with torch.no_grad():
        found = integrated(net, images, 1, steps=5)
    assert state(net) == before
    assert np.array_equal(found.shares, integrated(small().eval(), images, 1, steps=5).shares)


def test_a_probability_and_a_filter() -> None:
    net, images = small(), torch.rand(1, 1, 8, 8)
    found = integrated(net, images, 0, objective="probability", steps=100)
    assert 0 < found.at_image.item() < 1 and abs(found.gap.item()) < 0.01
    found = integrated(net, images, 3, layer="1", steps=2)  # linear in the image, with a bias
    assert found.gap.item() == pytest.approx(0, abs=1e-4)


def test_refusals() -> None:
    net, images = small(), torch.rand(2, 1, 8, 8)
    with pytest.raises(LayerError, match=r"no layer 'conv1' .* there are 0, 1"):
        integrated(net, images, 0, layer="conv1")
    with pytest.raises(ValueError, match="no unit 3"):
        integrated(net, images, 3)
    with pytest.raises(ValueError, match="baseline of"):
        integrated(net, images, 0, baseline=torch.zeros(3, 8, 8))
    with pytest.raises(ValueError, match="steps"):
        integrated(net, images, 0, steps=0)
