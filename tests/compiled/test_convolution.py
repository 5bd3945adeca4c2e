"""The compiled convolution and its gradients are torch's."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from gocnn.compiled import left_out
from gocnn.compiled.convolution import convolve, convolve_backward, fits
from gocnn.conv import Conv3x3, ResidualBlock


def subject(batch: int, inputs: int, outputs: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Images and weights that want gradients, the same ones for the same sizes."""
    generator = torch.Generator().manual_seed(batch + 7 * height + 31 * width)
    images = torch.randn(batch, inputs, height, width, generator=generator)
    weights = torch.randn(outputs, inputs, 3, 3, generator=generator) / (3 * inputs**0.5)
    return images.requires_grad_(), weights.requires_grad_()


def results(convolution: nn.Module | object, images: Tensor, weights: Tensor) -> list[Tensor]:
    """The outputs of a convolution, and the gradients by images and weights of a function of them."""
    out = convolution(images, weights)  # type: ignore[operator]
    gradients = torch.autograd.grad((out * torch.cos(torch.arange(out.numel()).view_as(out))).sum(), (images, weights))
    return [out.detach(), *gradients]


def in_torch(images: Tensor, weights: Tensor) -> Tensor:
    return nn.functional.conv2d(images.double(), weights.double(), padding=1)


@settings(deadline=None, max_examples=40)
@given(
    batch=st.integers(1, 5),
    inputs=st.sampled_from([16, 32, 48]),
    outputs=st.sampled_from([16, 32, 64]),
    height=st.integers(1, 23),
    width=st.integers(1, 23),
)
def test_outputs_and_gradients_are_torchs(batch: int, inputs: int, outputs: int, height: int, width: int) -> None:
    images, weights = subject(batch, inputs, outputs, height, width)
    for found, wanted in zip(results(convolve, images, weights), results(in_torch, images, weights)):
        assert found.shape == wanted.shape
        assert (found - wanted).abs().max() < 3e-5 * wanted.abs().max() + 1e-6


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_any_memory_layout_will_do(layout: torch.memory_format) -> None:
    images, weights = subject(3, 16, 32, 9, 300)
    wanted = results(convolve, images, weights)
    moved = images.detach().contiguous(memory_format=layout).requires_grad_()
    for found, other in zip(results(convolve, moved, weights), wanted):
        assert torch.equal(found, other)


def test_threads_change_the_last_digits_at_most() -> None:
    images, weights = subject(7, 16, 16, 19, 19)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = results(convolve, images, weights)
        torch.set_num_threads(3)
        together = results(convolve, images, weights)
        again = results(convolve, images, weights)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(alone[0], together[0])
    assert torch.equal(alone[1], together[1])
    assert (alone[2] - together[2]).abs().max() < 1e-5 * alone[2].abs().max()
    assert all(torch.equal(one, two) for one, two in zip(together, again))


def test_the_operator_keeps_torchs_rules() -> None:
    images, weights = subject(2, 16, 32, 5, 6)
    torch.library.opcheck(convolve, (images, weights))
    gradient = convolve(images, weights).detach()
    torch.library.opcheck(convolve_backward, (gradient, images.detach(), weights.detach()))


def test_what_it_cannot_do_is_left_to_torch() -> None:
    images, weights = subject(2, 16, 16, 5, 5)
    assert fits(images, weights)
    assert not fits(images[:0], weights)
    assert not fits(images.double(), weights.double())
    assert not fits(images, weights[:, :, :1])
    assert not fits(images[:, :12], weights[:, :12])
    assert not fits(images[0], weights)
    assert not fits(images.repeat(1, 2, 1, 1), weights)
    with torch.autocast("cpu", torch.bfloat16):
        assert not fits(images, weights)
    with left_out():
        assert not fits(images, weights)
    odd = Conv3x3(12, 20)
    assert odd(torch.ones(1, 12, 4, 4)).shape == (1, 20, 4, 4)
    assert Conv3x3(16, 16)(images[0]).shape == (16, 5, 5)
    with pytest.raises(RuntimeError, match="to have 16 channels, but got 32 channels"):
        Conv3x3(16, 16)(torch.ones(1, 32, 5, 5))


def test_a_block_learns_as_torchs_modules_do() -> None:
    torch.manual_seed(0)
    block = ResidualBlock(16)
    images = torch.randn(4, 16, 9, 9)
    block(images).square().sum().backward()
    found = {name: parameter.grad.clone() for name, parameter in block.named_parameters()}
    block.zero_grad()
    y = nn.functional.conv2d(block.activation(block.norm1(images)), block.conv1.weight, padding=1)
    y = images + nn.functional.conv2d(block.activation(block.norm2(y)), block.conv2.weight, padding=1)
    y.square().sum().backward()
    for name, parameter in block.named_parameters():
        assert torch.allclose(found[name], parameter.grad, rtol=1e-3, atol=1e-4 * float(parameter.grad.abs().max()))
