"""The compiled normalisation and ReLU, their gradients and running statistics are torch's."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from gocnn.compiled import norm_relu
from gocnn.conv import activated
from gocnn.device import autocast
from gocnn.policy import ConvPolicy, PolicyConfig
from gocnn.training import cross_entropy


def lived_in(channels: int, momentum: float | None = 0.1) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(channels, momentum=momentum)
    generator = torch.Generator().manual_seed(channels)
    for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
        assert tensor is not None
        tensor.data = 0.5 + torch.rand(channels, generator=generator)
    return norm


def learned(norm: nn.BatchNorm2d, images: Tensor, compiled: bool) -> dict[str, Tensor]:
    """Outputs, gradients and statistics after one step; no gradient beside ReLU's edge, where rounding decides."""
    edge = nn.functional.batch_norm(images.double(), None, None, norm.weight.double(), norm.bias.double(), True)
    wanted = torch.cos(torch.arange(images.numel()).view_as(images)) * (edge.abs() > 1e-3)
    images = images.detach().clone().requires_grad_()
    out = norm_relu.apply(norm, images) if compiled else torch.relu(norm(images))
    (out * wanted).sum().backward()
    found = {"out": out.detach(), "images": images.grad, "weight": norm.weight.grad, "bias": norm.bias.grad}
    return found | {name: buffer for name, buffer in norm.named_buffers()}


@settings(deadline=None, max_examples=30)
@given(
    batch=st.integers(1, 4),
    channels=st.integers(1, 40),
    height=st.integers(2, 19),
    width=st.integers(1, 19),
    mean=st.sampled_from([0.0, 3.0, -100.0]),
)
def test_outputs_gradients_and_statistics_are_torchs(
    batch: int, channels: int, height: int, width: int, mean: float
) -> None:
    generator = torch.Generator().manual_seed(height * 31 + width)
    images = mean + torch.randn(batch, channels, height, width, generator=generator)
    norm = lived_in(channels)
    wanted = learned(copy.deepcopy(norm).double(), images.double(), compiled=False)
    # A mean in float32 is wrong by its own last digit, which may be much beside the spread of two values.
    spread = float(images.double().transpose(0, 1).flatten(1).std(1, correction=0).min())
    allowed = 1e-4 + 2**-22 * abs(mean) / spread
    for name, found in learned(norm, images, compiled=True).items():
        scale = wanted[name].abs().max() if wanted[name].is_floating_point() else 0
        assert (found - wanted[name]).abs().max() <= allowed * (scale + 1), name


@settings(deadline=None, max_examples=20)
@given(batch=st.integers(1, 4), channels=st.integers(1, 40), size=st.integers(4, 19), mean=st.sampled_from([0.0, -3.0]))
def test_of_bfloat16_it_makes_what_torch_makes_of_the_same_numbers_in_float64(
    batch: int, channels: int, size: int, mean: float
) -> None:
    generator = torch.Generator().manual_seed(channels * 31 + size)
    images = (mean + torch.randn(batch, channels, size, size, generator=generator)).bfloat16()
    images = images.to(memory_format=torch.channels_last).requires_grad_()
    given = torch.randn(images.shape, generator=generator).bfloat16()
    norm = lived_in(channels)
    exact, copied = copy.deepcopy(norm).double(), images.detach().double().requires_grad_()
    out = norm_relu.apply(norm, images)
    wanted = torch.relu(exact(copied))
    # Where rounding decides whether ReLU lets through, neither is asked.
    given = torch.where(wanted.detach() > 1e-3, given, 0) * (out > 0)
    out.backward(given)
    wanted.backward(given.double())
    assert out.dtype == images.grad.dtype == torch.bfloat16
    # Half of bfloat16's last digit, and a little for what was reckoned in float32.
    torch.testing.assert_close(out.double(), wanted, rtol=2**-8 * 1.01, atol=1e-4)
    torch.testing.assert_close(images.grad.double(), copied.grad, rtol=2**-8 * 1.01, atol=1e-3)
    for name, tensor in norm.named_parameters():
        torch.testing.assert_close(tensor.grad.double(), exact.get_parameter(name).grad, rtol=1e-3, atol=1e-3)
    for name, buffer in norm.named_buffers():
        torch.testing.assert_close(buffer.double(), exact.get_buffer(name).double(), rtol=1e-4, atol=1e-4)


def test_bfloat16_is_rounded_to_the_nearest_and_to_the_even_one_of_two() -> None:
    below, above = 1.0, 1.0 + 2**-7
    numbers = torch.tensor([below + 2**-8, above + 2**-8, below + 2**-8 + 2**-20, 3e38, 2.0**-130, 1e-45, 0.0])
    out = np.empty((len(numbers), 1), np.uint16)
    plain = np.ones(1, np.float32)
    norm_relu._forward(numbers.numpy()[:, None], 0 * plain, plain, 0 * plain, out, 0, len(numbers))
    assert torch.equal(torch.from_numpy(out[:, 0]).view(torch.bfloat16), numbers.bfloat16())


@pytest.mark.parametrize("momentum", [0.1, None])
def test_running_statistics_go_on(momentum: float | None) -> None:
    one, other = lived_in(8, momentum), lived_in(8, momentum)
    for seed in range(3):
        images = torch.randn(2, 8, 5, 5, generator=torch.Generator().manual_seed(seed))
        norm_relu.apply(one, images)
        other(images)
    for name, buffer in one.named_buffers():
        assert torch.allclose(buffer, other.get_buffer(name), rtol=1e-5, atol=1e-6), name


@pytest.mark.parametrize("dtype", [np.float32, np.uint16])
def test_an_outlier_costs_no_digits(dtype: type) -> None:
    points = torch.randn(128 * 361, 2, generator=torch.Generator().manual_seed(0))
    points[0] = 1000
    points[1:, 1] -= 1000
    points = points if dtype is np.float32 else points.bfloat16()
    mean, variance = norm_relu._statistics(points.numpy() if dtype is np.float32 else points.view(torch.uint16).numpy())
    exact = points.double()
    torch.testing.assert_close(torch.from_numpy(mean).double(), exact.mean(0), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(torch.from_numpy(variance).double(), exact.var(0, correction=0), rtol=2e-5, atol=0)


def test_the_operator_keeps_torchs_rules() -> None:
    torch.manual_seed(0)
    arguments = torch.randn(2, 16, 5, 6, requires_grad=True), torch.ones(16, requires_grad=True), torch.zeros(16), 1e-5
    torch.library.opcheck(norm_relu.norm_relu, arguments)


def test_what_is_not_learning_is_left_to_torch() -> None:
    norm, images = lived_in(4), torch.randn(2, 4, 3, 3)
    assert norm_relu.fits(norm, images)
    assert norm_relu.fits(norm, images.bfloat16())
    assert not norm_relu.fits(norm, images.double())
    assert not norm_relu.fits(copy.deepcopy(norm).bfloat16(), images.bfloat16())
    assert not norm_relu.fits(nn.BatchNorm2d(4, affine=False), images)
    assert not norm_relu.fits(norm, images[:1, :, :1, :1])
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        activated(norm, nn.ReLU(), images[:1, :, :1, :1])
    assert not norm_relu.fits(norm.eval(), images)
    wanted = torch.relu(norm(images))
    assert torch.equal(activated(norm, nn.ReLU(), images), wanted)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_torch_compile_finds_one_graph_in_a_step_of_training(dtype: torch.dtype) -> None:
    """Pieces of a graph are slower than no compiling at all."""
    model = ConvPolicy(PolicyConfig(blocks=1, channels=16)).train()
    images, moves = torch.rand(2, 20, 5, 5), torch.tensor([3, 25])

    def loss_of(planes: Tensor, targets: Tensor) -> Tensor:
        with autocast(torch.device("cpu"), dtype):
            return cross_entropy(model, planes, targets)

    torch._dynamo.reset()
    traced = torch.compile(loss_of, backend="eager", fullgraph=True)
    torch.testing.assert_close(traced(images, moves), loss_of(images, moves), rtol=0.02, atol=0)
