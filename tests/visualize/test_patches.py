"""The patches that excite a unit most: the right ones, cut exactly, and each image once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from gocnn import policy
from gocnn.conv import ConvBlock
from gocnn.visualize.activations import activations
from gocnn.visualize.layers import LayerError
from gocnn.visualize.patches import _apart, top_patches
from gocnn.visualize.receptive import Field


def net_for(padding: str) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        ConvBlock(1, 4, 3, padding=padding, pool=2), ConvBlock(4, 6, 3, padding=padding, pool=2), nn.Flatten(),
        nn.Linear(150 if padding == "valid" else 294, 3),
    )  # fmt: skip


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(30, 1, 28, 28, generator=torch.Generator().manual_seed(1))


def test_they_are_the_images_with_the_highest_peaks(images: torch.Tensor) -> None:
    net = net_for("valid")
    top = top_patches(net, "1", [4, 2], images.split(7), count=5)
    maps = activations(net, "1", images)
    for row, unit in enumerate([4, 2]):
        peaks = maps[:, unit].max((1, 2))
        assert top.images[row].tolist() == np.argsort(-peaks, kind="stable")[:5].tolist()
        assert np.allclose(top.values[row], np.sort(peaks)[::-1][:5])
        for image, place, value in zip(top.images[row], top.places[row], top.values[row]):
            assert maps[image, unit][tuple(place)] == pytest.approx(value)


@pytest.mark.parametrize("units", [[0], [4, 10]])
def test_units_may_be_an_array(images: torch.Tensor, units: list[int]) -> None:
    net = net_for("same")[:2]
    net[1] = ConvBlock(4, 12, 3)
    listed, array = (top_patches(net, "1", chosen, [images], count=2) for chosen in (units, np.array(units)))
    assert array.values.shape == (len(units), 2) and np.array_equal(listed.values, array.values)


def test_a_patch_alone_gives_the_activation(images: torch.Tensor) -> None:
    """The exact field: two 3x3 convolutions, each with 2x2 pooling, see 10x10 pixels, and those decide the value."""
    net = net_for("valid")
    top = top_patches(net, "1", range(6), [images], count=4)
    assert top.patches.shape == (6, 4, 1, 10, 10)
    for unit in range(6):
        for k in range(4):
            alone = activations(net[:2], "", top.patches[unit, k][None])
            assert alone.shape == (1, 6, 1, 1)
            assert alone[0, unit, 0, 0] == pytest.approx(top.values[unit, k], abs=1e-5)
            up, left, down, right = top.boxes[unit, k]
            assert np.array_equal(top.patches[unit, k], images[top.images[unit, k], :, up:down, left:right].numpy())


def test_beyond_the_edge_there_is_nothing(images: torch.Tensor) -> None:
    """With padding a field may reach over the edge; all that is outside it does not matter, all of it inside does."""
    net = net_for("same")
    marked = images.clone()
    marked[3, 0, :4, :4] = 40.0
    unit = int(activations(net, "1", marked[3:4])[0, :, 0, 0].argmax())
    top = top_patches(net, "1", [unit], [marked], count=1)
    up, left, down, right = top.boxes[0, 0]
    assert top.images.tolist() == [[3]] and up < 0 and left < 0
    inside = top.patches[0, 0, 0]
    assert np.isnan(inside[:-up]).all() and np.isnan(inside[:, :-left]).all()
    assert np.array_equal(inside[-up:, -left:], marked[3, 0, :down, :right].numpy())
    elsewhere = torch.zeros(1, 1, 28, 28)
    elsewhere[0, 0, :down, :right] = marked[3, 0, :down, :right]
    row, col = top.places[0, 0]
    assert activations(net, "1", elsewhere)[0, unit, row, col] == pytest.approx(top.values[0, 0], rel=1e-5)


def test_batches_make_no_difference(images: torch.Tensor) -> None:
    net = net_for("valid")
    whole = top_patches(net, "0.conv", [0, 3], [images], count=8)
    for split in (1, 7, 29):
        pieces = top_patches(net, "0.conv", [0, 3], ((piece, None) for piece in images.split(split)), count=8)
        assert np.array_equal(whole.images, pieces.images)
        assert np.array_equal(whole.boxes, pieces.boxes)


def test_equal_images_come_in_their_order(images: torch.Tensor) -> None:
    same = images[:1].expand(6, 1, 28, 28)
    assert top_patches(net_for("valid"), "1", [0], same.split(2), count=4).images.tolist() == [[0, 1, 2, 3]]


def test_several_hits_an_image_are_apart(images: torch.Tensor) -> None:
    net = net_for("valid")
    top = top_patches(net, "0", [1], [images[:1]], count=40, per_image=40, overlap=0.0)
    assert 4 < len(top.values[0]) < 40  # fields of 4x4 that do not overlap: what room there is
    covered = np.zeros((28, 28), int)
    for up, left, down, right in top.boxes[0]:
        covered[up:down, left:right] += 1
    assert covered.max() == 1
    assert (np.diff(top.values[0]) <= 0).all()
    assert top_patches(net, "0", [1], [images[:1]], count=40).values.shape == (1, 1)


def test_nan_is_no_activation(images: torch.Tensor) -> None:
    """An image of nothing but NaN does not count; of one that has some, the places that do not see them."""
    net, some = net_for("valid"), images[:4].clone()
    some[1], some[2, :, 20:] = torch.nan, torch.nan
    top = top_patches(net, "1", [0], [some], count=4)
    assert sorted(top.images[0].tolist()) == [0, 2, 3] and np.isfinite(top.patches).all()
    peak = activations(net, "1", some)[2, 0]
    assert top.values[0][top.images[0] == 2] == np.nanmax(peak)


def test_a_neuron_sees_the_whole_image(images: torch.Tensor) -> None:
    net = net_for("valid")
    top = top_patches(net, "3", [2], images.split(10), count=3)
    outputs = activations(net, "", images)[:, 2]
    assert top.images[0].tolist() == np.argsort(-outputs)[:3].tolist()
    assert top.boxes[0].tolist() == [[0, 0, 28, 28]] * 3
    assert np.array_equal(top.patches[0], images[top.images[0]].numpy())


def test_the_go_network() -> None:
    net = policy.build(policy.preset("b2c32"), seed=0).train()
    planes = torch.randint(0, 2, (4, 20, 9, 9), dtype=torch.int8)
    top = top_patches(net, "stem", [5], [planes], count=4)
    assert top.patches.shape == (1, 4, 20, 5, 5)
    row, col = top.places[0, 0]
    assert top.boxes[0, 0].tolist() == [row - 2, col - 2, row + 3, col + 3]
    patch = np.nan_to_num(top.patches[0, 0])
    assert (patch * net.stem.weight.detach().numpy()[5]).sum() == pytest.approx(top.values[0, 0], abs=1e-5)
    assert net.training


def test_refusals(images: torch.Tensor) -> None:
    net = net_for("valid")
    with pytest.raises(LayerError, match="there are"):
        top_patches(net, "9", [0], [images])
    with pytest.raises(ValueError, match="no unit 6 in layer '1'; it has units 0 to 5"):
        top_patches(net, "1", [6], [images])
    with pytest.raises(ValueError, match="no images"):
        top_patches(net, "1", [0], [])
    with pytest.raises(ValueError, match=r"\[1, 20, 28\] after others of \[1, 28, 28\]"):
        top_patches(net[:2], "1", [0], [images, images[:, :, 4:24]])
    with pytest.raises(ValueError, match="at least one"):
        top_patches(net, "1", [], [images])
    with pytest.raises(ValueError, match="at least one"):
        top_patches(net, "1", [0], [images], count=0)


def test_patches_overlap_by_what_they_share_over_what_they_cover_together() -> None:
    """Two boxes of 4×4, two pixels apart, share 8 pixels of 24, a third of them, not a half."""
    field = Field((4, 4), (2, 2), (0, 0))
    assert _apart(np.array([[1.0, 0.9]]), field, 2, 0.4) == [(0, 0), (0, 1)]
    assert _apart(np.array([[1.0, 0.9]]), field, 2, 0.3) == [(0, 0)]
