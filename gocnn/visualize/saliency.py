"""Saliency: how much an answer would change with each pixel, the gradient at the input.

Simonyan et al. 2014 (https://arxiv.org/abs/1312.6034) take the absolute gradient of a class's logit, |dy_k / dx_ij|.
SmoothGrad averages it over noisy copies of the image (Smilkov et al. 2017, https://arxiv.org/abs/1706.03825). Guided
backpropagation lets only positive gradients through a ReLU (Springenberg et al. 2015,
https://arxiv.org/abs/1412.6806): sharper to look at, but it shows edges of the image more than what this class needs
(Adebayo et al. 2018, https://arxiv.org/abs/1810.03292).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from gocnn.visualize import units as of
from gocnn.visualize.activations import as_array
from gocnn.visualize.layers import batch_for, fine, recording
from gocnn.visualize.units import Units

METHODS = ("gradient", "smooth", "guided")


@torch.inference_mode(False)  # in a caller's there are no gradients
def saliency(
    model: nn.Module, images: Tensor | np.ndarray, units: Units = None, *, layer: str = "", method: str = "gradient",
    objective: str = "activation", signed: bool = False, samples: int = 25, noise: float = 0.15, seed: int = 0,
) -> np.ndarray:  # fmt: skip
    """|dy_k / dx_ij| of images [B, C, H, W], of the same shape; Simonyan's map is its maximum over the channels.

    `units` are one for all images or one for each; None is each image's loudest, the network's answer where `layer` is
    its output (the empty name). y_k is the unit's value (`objective` "activation"), or its log-softmax or softmax.

    method: "gradient"; "smooth", the mean over `samples` images with Gaussian noise, drawn with `seed`, whose standard
    deviation is `noise` times the image's own range; "guided", guided backpropagation, through every ReLU that is
    called as a module, a function or in place. With `signed` the gradients keep their signs (and "smooth" averages
    signed ones).

    Raises LayerError for an unknown layer, or one whose output is of another shape, and ValueError for a unit that is
    not there or an unknown option.
    """
    of.check(objective)
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; there are {', '.join(METHODS)}")
    if samples < 1 or noise < 0:
        raise ValueError("samples must be more than nothing, and noise not negative")
    batch = batch_for(model, images)
    if method == "guided":
        with _Guided() as guided:
            found = _gradient(model, layer, batch, units, objective)
        if not guided.met:
            raise ValueError(f"there is no ReLU in this {type(model).__name__}, so nothing to guide")
    elif method == "smooth":
        with torch.no_grad(), recording(model, layer) as record:
            model(batch)
            units = of.chosen(record.output, units)  # of the image itself, whatever the noise makes of it
        random = torch.Generator().manual_seed(seed)
        scale = noise * (batch.amax((1, 2, 3), keepdim=True) - batch.amin((1, 2, 3), keepdim=True))
        found = torch.zeros_like(fine(batch))
        for _ in range(samples):
            noisy = batch + scale * torch.randn(batch.shape, generator=random).to(batch)
            gradient = _gradient(model, layer, noisy, units, objective)
            found += (gradient if signed else gradient.abs()).to(found) / samples
    else:
        found = _gradient(model, layer, batch, units, objective)
    return as_array(found if signed else found.abs())


def _gradient(model: nn.Module, layer: str, batch: Tensor, units: Units, objective: str) -> Tensor:
    """dy_k / dx of each image, signed; zero where the unit does not depend on the image."""
    batch = batch.detach().requires_grad_()
    with torch.enable_grad(), recording(model, layer, gradients=True) as record:
        model(batch)
        wanted = of.value(record.output, units, objective)
        (gradient,) = torch.autograd.grad(wanted.sum(), batch, allow_unused=True)
    return torch.zeros_like(batch) if gradient is None else gradient


class _GuidedReLU(torch.autograd.Function):
    """A ReLU through which only positive gradients go back."""

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        context.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        (x,) = context.saved_tensors
        return gradient.clamp(min=0) * (x > 0)


class _Guided(TorchFunctionMode):
    """While it is entered, each ReLU is a guided one: a function mode also meets those that are no modules."""

    met = False

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if function not in (nn.functional.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_):
            return function(*args, **kwargs)
        self.met = True
        x = args[0] if args else kwargs["input"]
        if function in (torch.relu_, Tensor.relu_) or kwargs.get("inplace"):
            return x.copy_(_GuidedReLU.apply(x.clone()))
        return _GuidedReLU.apply(x)
