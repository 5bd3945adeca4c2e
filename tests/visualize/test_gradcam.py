"""Grad-CAM: captum's on the shipped networks, and its formula by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import LayerAttribution, LayerGradCam
from torch import nn

from gocnn.visualize import layers
from gocnn.visualize.gradcam import enlarged, gradcam, over_images
from gocnn.visualize.layers import LayerError
from tests.visualize.subjects import LAYERS, NAMES, small, state, subject


@pytest.mark.parametrize("name", NAMES)
def test_captum_finds_the_same(name: str) -> None:
    model, images, units = subject(name)
    expected = LayerGradCam(model, layers.get(model, LAYERS[name])).attribute(images, target=units)
    found = gradcam(model, LAYERS[name], images, units, signed=True)
    assert found.shape == (2, *expected.shape[2:]) and found.max() > 0
    assert np.allclose(found, expected[:, 0].detach().numpy(), atol=1e-4)
    assert np.array_equal(gradcam(model, LAYERS[name], images), found.clip(0))  # None: what the network answers
    larger = LayerAttribution.interpolate(expected, images.shape[2:], interpolate_mode="bilinear")
    assert np.allclose(enlarged(found, *images.shape[2:]), larger[:, 0].detach().numpy(), atol=1e-4)


def test_before_an_average_over_the_map_it_shares_out_the_answer() -> None:
    """Maps, their mean, a linear layer: the answer is the bias and the mean of the signed map over all places."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3))
    images = torch.randn(4, 1, 9, 9)
    found = gradcam(net, "1", images, [2, 0, 1, 1], signed=True)  # alpha is w / 49, over 49 places
    answers = net(images)[range(4), [2, 0, 1, 1]] - net[4].bias[[2, 0, 1, 1]]
    assert np.allclose(found.sum((1, 2)), answers.detach().numpy(), atol=1e-5)


def test_over_the_images_a_value_stands_in_the_middle_of_what_its_place_sees() -> None:
    net = nn.Sequential(
        nn.Conv2d(1, 1, 3, bias=False), nn.MaxPool2d(2), nn.Conv2d(1, 1, 3, bias=False), nn.ReLU(), nn.Flatten(),
        nn.Linear(25, 2),
    )  # fmt: skip
    for weight in net.parameters():
        nn.init.constant_(weight, 1.0)
    image = torch.zeros(1, 1, 16, 16)
    image[0, 0, 1:3, 12:14] = 1.0  # seen by all of the 8 x 8 pixels at the top right
    places = gradcam(net, "3", image, 0)[0]
    assert places.shape == (5, 5) and places.argmax() == 4
    found = over_images(net, "3", image, 0)[0]
    assert found.shape == (16, 16)
    # A place sees 8 rows and columns, one every 2: the middle of the first is between the pixels 3 and 4.
    assert found[0, 15] == found[3, 12] == places[0, 4]
    assert found[4, 12] == pytest.approx(0.75 * places[0, 4] + 0.25 * places[1, 4])
    assert found[3, 11] == pytest.approx(0.75 * places[0, 4] + 0.25 * places[0, 3])
    assert enlarged(places[None], 16, 16)[0, 3, 12] != found[3, 12], "stretched, it is further out"


def test_of_a_layer_that_sees_nobody_knows_what_no_map_is_laid_over_the_image() -> None:
    class Turned(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.flip(3)

    whole = nn.GroupNorm(1, 2)  # each of whose places sees all
    for net in (
        nn.Sequential(Turned(), nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 2)),
        nn.Sequential(nn.Conv2d(1, 2, 3), whole, nn.Flatten(), nn.Linear(72, 2)),
    ):
        with pytest.raises(LayerError, match="'1' see cannot be told"):
            over_images(net, "1", torch.rand(1, 1, 8, 8), 0)


def test_a_network_that_gives_several_things_is_told_so() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)

        def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"logits": self.conv(x).mean((2, 3))}

    with pytest.raises(LayerError, match="gives a dict, not one tensor"):
        gradcam(Two(), "conv", torch.rand(1, 1, 8, 8), 0)


@pytest.mark.parametrize("layer", ["0", "1", "2"])
def test_the_network_is_left_as_it_was(layer: str) -> None:
    net, images = small(inplace=True).train(), torch.rand(2, 1, 8, 8)
    before = state(net)
    with torch.no_grad():
        found = gradcam(net, layer, images, 1, signed=True)
    assert state(net) == before
    assert np.array_equal(found, gradcam(small().eval(), layer, images, 1, signed=True))


def test_log_probabilities_weigh_all_classes() -> None:
    net, images = small(), torch.rand(1, 1, 8, 8)
    each = [gradcam(net, "2", images, unit, signed=True) for unit in range(3)]
    with torch.no_grad():
        p = net.eval()(images)[0].softmax(0).tolist()
    expected = each[0] - sum(share * one for share, one in zip(p, each))
    assert np.allclose(gradcam(net, "2", images, 0, objective="log probability", signed=True), expected, atol=1e-5)


def test_refusals() -> None:
    net, images = small(), torch.rand(2, 1, 8, 8)
    with pytest.raises(LayerError, match=r"no layer 'conv1' .* there are 0, 1"):
        gradcam(net, "conv1", images, 0)
    with pytest.raises(LayerError, match="needs a layer with maps"):
        gradcam(net, "5", images, 0)
    with pytest.raises(ValueError, match="no unit 3"):
        gradcam(net, "0", images, 3)

    class Aside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = nn.Conv2d(1, 2, 8), nn.Conv2d(1, 2, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.unused(x)
            return self.used(x).flatten(1)

    with pytest.raises(LayerError, match="does not depend on layer 'unused'"):
        gradcam(Aside(), "unused", images, 0)
