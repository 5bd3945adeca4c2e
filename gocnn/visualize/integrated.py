"""Integrated gradients: an answer shared out among the pixels, so that the shares add up to it.

Sundararajan et al. 2017 (https://arxiv.org/abs/1703.01365). The gradient at the image alone says
nothing of a pixel whose work is done, where the network is saturated. On the way from a baseline, an image of nothing,
it is caught when it counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gocnn.visualize import units as of
from gocnn.visualize.activations import as_array
from gocnn.visualize.layers import batch_for, fine, recording
from gocnn.visualize.units import Units


@dataclass(frozen=True)
class Integrated:
    """shares: float [B, C, H, W], what each value of the image adds to the answer, compared with the baseline.

    at_baseline, at_image: float [B], the answer to the baseline and to the image. gap: float [B], by how much the
    shares miss at_image - at_baseline; with more steps it goes to zero.
    """

    shares: np.ndarray
    at_baseline: np.ndarray
    at_image: np.ndarray
    gap: np.ndarray


@torch.inference_mode(False)  # in a caller's there are no gradients
def integrated(
    model: nn.Module, images: Tensor | np.ndarray, units: Units = None, *, layer: str = "",
    baseline: float | Tensor | np.ndarray = 0.0, steps: int = 50, batch_size: int = 25, objective: str = "activation",
) -> Integrated:  # fmt: skip
    """(x - x') times the mean gradient on the straight way from the baseline x' to the image x, of images [B, C, H, W].

    `units` and `objective` as in `saliency`; None means each image's loudest unit. `baseline` is one value or a tensor
    that goes with the images ([C, 1, 1], [C, H, W], ...). The mean is taken by Gauss-Legendre quadrature in `steps`
    points, `batch_size` images at a time.

    Raises LayerError for an unknown layer, or one whose output is of another shape, and ValueError for a unit that is
    not there, a baseline that does not fit or an unknown objective.
    """
    of.check(objective)
    if steps < 1 or batch_size < 1:
        raise ValueError("steps and batch_size must be more than nothing")
    batch = batch_for(model, images)
    try:
        nothing = torch.as_tensor(baseline).to(batch).expand_as(batch)
    except RuntimeError:
        shape = list(torch.as_tensor(baseline).shape)
        raise ValueError(f"a baseline of {shape} does not go with images of {list(batch.shape)}") from None
    points, weights = np.polynomial.legendre.leggauss(steps)  # on -1 to 1; the weights' sum is 2
    shares = torch.zeros_like(fine(batch))
    with torch.enable_grad(), recording(model, layer, gradients=True) as record:
        with torch.no_grad():
            model(batch)
            picked = of.chosen(record.output, units)
            at_image = of.value(record.output, picked, objective)
            model(nothing)
            at_baseline = of.value(record.output, picked, objective)
        way = [(image, *node) for image in range(len(batch)) for node in zip(points.tolist(), weights.tolist())]
        for first in range(0, len(way), batch_size):
            part = way[first : first + batch_size]
            here = [image for image, _, _ in part]
            along = batch.new_tensor([(point + 1) / 2 for _, point, _ in part]).view(-1, 1, 1, 1)
            between = (nothing[here] + along * (batch[here] - nothing[here])).requires_grad_()
            model(between)
            wanted = of.value(record.output, [picked[image] for image in here], objective)
            (gradient,) = torch.autograd.grad(wanted.sum(), between, allow_unused=True)
            if gradient is not None:
                heavy = shares.new_tensor([weight / 2 for _, _, weight in part]).view(-1, 1, 1, 1)
                shares.index_add_(0, torch.tensor(here, device=shares.device), gradient.to(shares) * heavy)
    shares *= batch - nothing
    gap = shares.sum((1, 2, 3)) - (at_image - at_baseline)
    return Integrated(as_array(shares), as_array(at_baseline), as_array(at_image), as_array(gap))
