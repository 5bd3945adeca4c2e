"""Occlusion: captum's on the shipped networks, and every number by hiding a part by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import Occlusion
from torch import nn

from gocnn.visualize.layers import LayerError
from gocnn.visualize.occlusion import occlusion
from tests.visualize.subjects import NAMES, small, state, subject

WINDOWS = {"digits": (6, 4), "go": (7, 5), "squeezenet": (120, 90)}  # window and stride; the last windows are cut


@pytest.mark.parametrize("name", NAMES)
def test_captum_finds_the_same(name: str) -> None:
    model, images, units = subject(name)
    window, stride = WINDOWS[name]
    channels = images.shape[1]
    expected = Occlusion(model).attribute(
        images, target=units, sliding_window_shapes=(channels, window, window), strides=(channels, stride, stride),
        baselines=0.3,
    )  # fmt: skip
    found = occlusion(model, images, units, window=window, stride=stride, fill=0.3, batch_size=7)
    assert found.drops.shape == (2, *images.shape[2:]) and found.drops.max() > 0
    assert np.allclose(found.drops, expected[:, 0].numpy(), atol=1e-4)


def test_every_value_is_what_the_network_says_of_the_hidden_image() -> None:
    model, images, units = subject("digits")
    found = occlusion(model, images, window=(8, 5), stride=(6, 5), fill=0.5, objective="probability")
    assert found.boxes.shape == (5, 6, 4) and found.hidden.shape == found.loudest.shape == (2, 5, 6)
    assert found.boxes[-1, -1].tolist() == [24, 25, 28, 28]
    for row, column in ((0, 0), (2, 3), (4, 5)):
        top, left, bottom, right = found.boxes[row, column]
        hidden = images.clone()
        hidden[:, :, top:bottom, left:right] = 0.5
        with torch.inference_mode():
            says = model(hidden).softmax(1)
        assert np.allclose(found.hidden[:, row, column], says[[0, 1], units], atol=1e-5)
        assert found.loudest[:, row, column].tolist() == says.argmax(1).tolist()
    with torch.inference_mode():
        assert np.allclose(found.whole, model(images).softmax(1)[[0, 1], units], atol=1e-6)


@pytest.mark.parametrize("fill", [torch.tensor([0.1, 0.5, 0.9]).view(3, 1, 1), torch.rand(3, 6, 6), 0.25])
def test_hidden_pixels_become_the_fill(fill: torch.Tensor | float) -> None:
    """A network that reads one pixel sees the fill's value of it, wherever a window hides it."""

    class Pixel(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x[:, :, 2, 4]

    images = torch.rand(1, 3, 6, 6)
    expected = torch.as_tensor(fill).expand(3, 6, 6)[1, 2, 4]
    found = occlusion(Pixel(), images, 1, window=2, fill=fill)
    hiding = np.array([[t <= 2 < b and u <= 4 < r for t, u, b, r in row] for row in found.boxes.tolist()])
    assert np.allclose(found.hidden[0][hiding], expected)
    assert np.allclose(found.hidden[0][~hiding], images[0, 1, 2, 4])
    assert hiding.sum() == 4


def test_a_grid_of_windows_side_by_side() -> None:
    found = occlusion(small(), torch.rand(1, 1, 8, 8), 0, window=4, stride=4)
    falls = (found.whole[:, None, None] - found.hidden)[0]
    assert np.allclose(found.drops[0], np.kron(falls, np.ones((4, 4))), atol=1e-6)


def test_a_window_may_be_a_number_of_numpys() -> None:
    net, images = small(), torch.rand(1, 1, 8, 8)
    found = occlusion(net, images, 0, window=np.int64(3), stride=np.int32(2))
    assert np.array_equal(found.drops, occlusion(net, images, 0, window=3, stride=2).drops)


def test_pixels_that_no_window_hides_do_not_count() -> None:
    found = occlusion(small(), torch.rand(1, 1, 8, 8), 0, window=1, stride=3)
    assert found.drops[0, 1].tolist() == [0] * 8
    assert np.isfinite(found.drops).all()


def test_every_window_hides_something() -> None:
    found = occlusion(small(), torch.rand(1, 1, 8, 8), 0, window=1, stride=5)
    assert found.hidden.shape == (1, 2, 2)  # a third would begin at 10


def test_a_filter_by_its_layers_name() -> None:
    net, images = small().eval(), torch.rand(1, 1, 8, 8)
    found = occlusion(net, images, 2, window=8, layer="1")
    with torch.no_grad():
        maps, bare = net[1](net[0](images)), net[1](net[0](torch.zeros(1, 1, 8, 8)))
    assert np.allclose(found.drops, (maps - bare)[0, 2].sum().item(), atol=1e-4)


def test_the_network_is_left_as_it_was() -> None:
    net, images = small(inplace=True).train(), torch.rand(2, 1, 8, 8)
    before = state(net)
    found = occlusion(net, images, 1, window=3, stride=2)
    assert state(net) == before
    assert np.array_equal(found.drops, occlusion(small().eval(), images, 1, window=3, stride=2).drops)


def test_refusals() -> None:
    net, images = small(), torch.rand(2, 1, 8, 8)
    with pytest.raises(LayerError, match=r"no layer 'conv1' .* there are 0, 1"):
        occlusion(net, images, 0, window=2, layer="conv1")
    with pytest.raises(ValueError, match="no unit 3"):
        occlusion(net, images, 3, window=2)
    with pytest.raises(ValueError, match="9×2 is larger than the image of 8×8"):
        occlusion(net, images, 0, window=(9, 2))
    with pytest.raises(ValueError, match="more than nothing"):
        occlusion(net, images, 0, window=2, stride=0)
    with pytest.raises(ValueError, match="fill of"):
        occlusion(net, images, 0, window=2, fill=torch.zeros(3, 1, 1))
