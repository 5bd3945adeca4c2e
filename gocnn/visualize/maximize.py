"""The picture that a unit would like best: gradient ascent on the input instead of on the weights.

The network stays as it is, and the input climbs. What it climbs is, for a filter k of a convolutional layer, the sum of
its map, a_k = sum_ij a^k_ij; for a neuron of a fully-connected layer, its output; for a class, its logit y_k or its log
probability (Simonyan et al. 2014, https://arxiv.org/abs/1312.6034). Nothing holds such an input near any picture of the
data, so it is noise as a rule, of which the network is sure all the same (Nguyen et al. 2015,
https://arxiv.org/abs/1412.1897); the penalties say what kind of picture is wanted (Yosinski et al. 2015,
https://arxiv.org/abs/1506.06579).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gocnn.visualize import units as of
from gocnn.visualize.activations import as_array
from gocnn.visualize.inputs import Bound, bounds
from gocnn.visualize.layers import LayerError, batch_for, fine, recording

PENALTIES = ("none", "l1", "l2")


@dataclass(frozen=True)
class Ascent:
    """How the input climbs: objective - strength * penalty - total_variation * TV, by `steps` steps of Adam.

    Adam rather than plain gradient ascent, because gradients at the input differ by orders of magnitude from unit to
    unit and from layer to layer: Adam's steps are in the input's own units, so `rate` (the first step's size; it falls
    to zero as a cosine) suits every unit of a network alike.

    penalty: "none"; "l1", the sum of abs(x_ij); "l2", the sum of x_ij squared; times `strength` (lambda).
    total_variation: times the sum of absolute differences between neighbours, down and across.
    blur: sigma in pixels of a Gaussian over the picture, after every `blur_every`-th step but those of the last tenth.
    jitter: in every step the network sees the picture moved by up to so many pixels each way, cyclically.
    low, high: bounds of the input, one number or one a channel; after every step the picture is cut to them.
    start, noise: the first picture is `start` plus Gaussian noise of standard deviation `noise`, drawn with `seed`.
    """

    steps: int = 300
    rate: float = 0.05
    penalty: str = "none"
    strength: float = 1.0
    total_variation: float = 0.0
    blur: float = 0.0
    blur_every: int = 4
    jitter: int = 0
    low: Bound = None
    high: Bound = None
    start: float = 0.0
    noise: float = 0.01
    seed: int = 0

    def __post_init__(self) -> None:
        if self.penalty not in PENALTIES:
            raise ValueError(f"unknown penalty {self.penalty!r}; there are {', '.join(PENALTIES)}")
        if self.steps < 1 or self.rate <= 0 or self.blur_every < 1:
            raise ValueError("steps, rate and blur_every must be more than nothing")
        if min(self.strength, self.total_variation, self.blur, self.jitter, self.noise) < 0:
            raise ValueError("strength, total_variation, blur, jitter and noise must not be negative")


@dataclass(frozen=True)
class Maximized:
    """Pictures that `maximize` found for N units, each [C, H, W].

    images: float [N, C, H, W]. activations: float [N], the unit's value on its picture. objectives: float
    [steps + 1, N], what was climbed, penalties included, before every step and at the end; with jitter, of the picture
    as the network saw it. probabilities: float [N], softmax of the network's output at the unit, or None for a unit
    that is not one of the outputs.
    """

    images: np.ndarray
    activations: np.ndarray
    objectives: np.ndarray
    probabilities: np.ndarray | None


@torch.inference_mode(False)  # in a caller's there are no gradients
def maximize(
    model: nn.Module, shape: tuple[int, int, int], units: Sequence[int], *, layer: str = "",
    objective: str = "activation", ascent: Ascent | None = None,
) -> Maximized:  # fmt: skip
    """Find for each of `units` an input of `shape` (C, H, W) that it likes best; all of them in one batch.

    `layer` is where the units are: filters of an output [B, K, H, W], whose map is summed, or neurons of one [B, K];
    the empty name means the network's output. `objective` is "activation", or "log probability" or "probability"
    of the softmax over the layer's output [B, K]. Take a layer before its ReLU: below zero a ReLU gives no gradient to
    climb. The same seed gives the same pictures on the same machine.

    Raises LayerError for an unknown layer, or one whose output is of another shape or does not depend on the input, and
    ValueError for a unit that is not there, an unknown objective or wrong bounds.
    """
    ascent = ascent or Ascent()
    of.check(objective)
    random = torch.Generator().manual_seed(ascent.seed)
    first = ascent.start + ascent.noise * torch.randn((1, *shape), generator=random)
    image = batch_for(model, first.repeat(len(units), 1, 1, 1)).clone()
    precision = image.dtype
    image = fine(image).requires_grad_()
    low, high = bounds(ascent.low, ascent.high, image)
    adam = torch.optim.Adam([image], lr=ascent.rate)
    trace = []
    with torch.enable_grad(), recording(model, layer, gradients=True) as record:
        with torch.no_grad():
            image.clamp_(low, high)
        for step in range(ascent.steps):
            adam.param_groups[0]["lr"] = ascent.rate * (1 + math.cos(math.pi * step / ascent.steps)) / 2
            down, across = torch.randint(-ascent.jitter, ascent.jitter + 1, (2,), generator=random).tolist()
            model(image.roll((down, across), (2, 3)).to(precision))
            wanted = of.value(record.output, units, objective) - _penalties(image, ascent)
            trace.append(wanted.detach())
            (image.grad,) = torch.autograd.grad(-wanted.sum(), image, allow_unused=True)
            if image.grad is None:
                raise LayerError(f"layer {layer!r} does not depend on the input; take another layer")
            adam.step()
            with torch.no_grad():
                if ascent.blur and (step + 1) % ascent.blur_every == 0 and step < 0.9 * ascent.steps:
                    image.copy_(blurred(image, ascent.blur))
                image.clamp_(low, high)
    image = image.detach()
    with torch.no_grad(), recording(model, layer) as record:
        answer = model(image.to(precision))
        reached = of.value(record.output, units, objective)
        trace.append(reached - _penalties(image, ascent))
        activations = of.value(record.output, units, "activation")
    probabilities = None
    if isinstance(answer, Tensor) and answer.ndim == 2 and torch.equal(record.output, answer):
        probabilities = as_array(answer.softmax(1)[range(len(units)), list(units)])
    return Maximized(as_array(image), as_array(activations), as_array(torch.stack(trace)), probabilities)


def blurred(images: Tensor, sigma: float) -> Tensor:
    """float [B, C, H, W] under a Gaussian of `sigma` pixels; beyond the border the border's values go on."""
    reach = max(1, math.ceil(3 * sigma))
    steps = torch.arange(-reach, reach + 1, dtype=images.dtype, device=images.device)
    weights = torch.softmax(-(steps**2) / (2 * sigma**2), 0)
    channels = images.shape[1]
    padded = nn.functional.pad(images, (reach,) * 4, mode="replicate")
    rows = nn.functional.conv2d(padded, weights.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)
    return nn.functional.conv2d(rows, weights.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)


def _penalties(image: Tensor, ascent: Ascent) -> Tensor:
    """[N]: what is taken off the objective."""
    total = image.new_zeros(len(image))
    if ascent.penalty == "l1":
        total = total + ascent.strength * image.abs().flatten(1).sum(1)
    elif ascent.penalty == "l2":
        total = total + ascent.strength * image.square().flatten(1).sum(1)
    if ascent.total_variation:
        down, across = image.diff(dim=2).abs(), image.diff(dim=3).abs()
        total = total + ascent.total_variation * (down.flatten(1).sum(1) + across.flatten(1).sum(1))
    return total
