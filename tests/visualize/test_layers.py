"""Layers by name: found, recorded, and everything put back as it was."""

from contextlib import nullcontext

import pytest
import torch
from torch import Tensor, nn

from gocnn import policy
from gocnn.conv import ConvBlock, ResidualBlock
from gocnn.visualize import layers
from gocnn.visualize.layers import LayerError, recording


def small(inplace: bool = False) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3),
        nn.BatchNorm2d(3),
        nn.ReLU(inplace),
        nn.Dropout(0.5, inplace),
        nn.Flatten(),
        nn.Linear(48, 4),
    )


def state(model: nn.Module) -> list[object]:
    return [
        *((m.training, getattr(m, "inplace", None), len(m._forward_hooks), len(m._forward_pre_hooks))
          for m in model.modules()),
        *(p.requires_grad for p in model.parameters()),
        *(b.clone().tolist() for b in model.buffers()),
    ]  # fmt: skip


class FunctionalInPlace(nn.Module):
    """What no switch on a module can turn off: an activation that writes over the layer's output."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2, bias=False)
        nn.init.eye_(self.linear.weight)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu_(self.linear(x)) * 2


def test_names_are_in_order_and_skip_mere_containers() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList([ConvBlock(1, 2, pool=2)])

    assert layers.names(Net()) == ["blocks.0", "blocks.0.conv", "blocks.0.activation", "blocks.0.pool"]


def test_a_wrong_name_lists_the_right_ones_nearest_first() -> None:
    net = policy.build(policy.preset("b2c32"), seed=0)
    with pytest.raises(LayerError) as caught:
        layers.get(net, "blocks.1.conv3")
    listed = str(caught.value).split("there are ")[1].split(", ")
    assert {listed[0], listed[1]} == {"blocks.1.conv1", "blocks.1.conv2"}
    assert set(listed) == set(layers.names(net))
    assert "\n" not in str(caught.value)


def test_the_empty_name_is_the_network_itself() -> None:
    net = small().eval()
    x = torch.rand(2, 1, 6, 6)
    with recording(net, "") as record, torch.no_grad():
        out = net(x)
    assert torch.equal(record.output, out)


@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("fail", [False, True])
def test_everything_is_put_back(inplace: bool, fail: bool) -> None:
    net = small(inplace).train()
    net[1].eval()  # a frozen normalisation in a network under training
    net[0].weight.requires_grad_(False)
    before = state(net)
    with pytest.raises(RuntimeError) if fail else nullcontext(), recording(net, "2", gradients=True) as record:
        assert not any(m.training for m in net.modules())
        assert not any(p.requires_grad for p in net.parameters())
        net(torch.rand(2, 1, 6, 6)).sum().backward()
        assert record.gradient.shape == (2, 3, 4, 4)
        if fail:
            raise RuntimeError("on the way")
    assert state(net) == before
    assert all(p.grad is None for p in net.parameters())


def test_grad_mode_is_put_back() -> None:
    net = small()
    with torch.no_grad():
        with recording(net, "0", gradients=True):
            assert torch.is_grad_enabled()
        assert not torch.is_grad_enabled()


@pytest.mark.parametrize("layer", ["0", "1"])
def test_in_place_activations_leave_the_record_as_it_was(layer: str) -> None:
    x = torch.randn(2, 1, 6, 6)
    records = []
    for inplace in (False, True):
        net = small(inplace)
        with recording(net, layer, gradients=True) as record:
            net(x).square().sum().backward()
        records.append((record.output, record.gradient))
        assert (record.output < 0).any()
    assert all(torch.equal(a, b) for a, b in zip(*records))


def test_functional_in_place_too() -> None:
    net = FunctionalInPlace()
    with recording(net, "linear", gradients=True) as record:
        out = net(torch.tensor([[-1.0, 3.0]]))
        out.sum().backward()
    assert record.output.tolist() == [[-1.0, 3.0]]
    assert record.gradient.tolist() == [[0.0, 2.0]]
    assert out.tolist() == [[0.0, 6.0]]


def test_the_gradient_is_the_same_with_and_without_a_graph_before_the_layer() -> None:
    net, x = small(), torch.rand(2, 1, 6, 6)
    gradients = []
    for needed in (False, True):
        with recording(net, "1", gradients=True) as record:
            net(x.clone().requires_grad_(needed))[:, 1].sum().backward()
        gradients.append(record.gradient)
    assert torch.equal(*gradients)


def test_a_record_holds_the_latest_pass() -> None:
    net = small()
    with recording(net, "0") as record, torch.no_grad():
        net(torch.zeros(1, 1, 6, 6))
        net(torch.ones(3, 1, 6, 6))
    assert record.output.shape[0] == 3


def test_an_ambiguous_or_idle_layer_is_refused() -> None:
    block = ResidualBlock(2)
    with recording(block, "activation") as record:
        with pytest.raises(LayerError, match="does not run"):
            _ = record.output
        block(torch.rand(1, 2, 5, 5))
        with pytest.raises(LayerError, match="runs 2 times"):
            _ = record.output


def test_maps_of_a_layer_that_runs_twice_are_refused() -> None:
    relu = nn.ReLU()
    net = nn.Sequential(nn.Conv2d(1, 2, 3), relu, nn.Conv2d(2, 2, 3), relu, nn.Conv2d(2, 2, 3))
    image = torch.rand(1, 1, 9, 9)
    with layers.inspecting(net):
        with pytest.raises(LayerError, match="'1' runs several times"):
            layers.maps(net, image, ["1", "4"])
        with pytest.raises(ValueError, match="no layers"):
            layers.maps(net, image, [])


def test_no_gradient_without_backward() -> None:
    net = small()
    with recording(net, "0", gradients=True) as record:
        net(torch.rand(1, 1, 6, 6))
        with pytest.raises(LayerError, match="no gradient"):
            _ = record.gradient


def test_a_layer_of_several_outputs_is_refused() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rows = nn.LSTM(4, 3, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            return self.rows(x)[0]

    net = Net()
    with pytest.raises(LayerError, match="tuple"), recording(net, "rows"):
        net(torch.rand(1, 5, 4))
    assert not net.rows._forward_hooks


@pytest.mark.parametrize("bad", [torch.zeros(28, 28), torch.zeros(1, 28, 28), torch.zeros(0, 1, 28, 28)])
def test_inputs_that_are_no_batch_are_refused(bad: Tensor) -> None:
    with pytest.raises(ValueError, match=r"\[B, C, H, W\]"):
        layers.batch_for(small(), bad)


def test_inputs_take_the_networks_precision() -> None:
    assert layers.batch_for(small().double(), torch.zeros(1, 1, 6, 6, dtype=torch.int8)).dtype == torch.float64


def test_the_go_network_is_a_network_like_any_other() -> None:
    net = policy.build(policy.preset("b2c32"), seed=0).train()
    with recording(net, "blocks.1", gradients=True) as record:
        net(torch.zeros(2, net.config.input_planes, 19, 19))[:, 0].sum().backward()
    assert record.output.shape == record.gradient.shape == (2, 32, 19, 19)
    assert net.training and net.blocks[0].training
