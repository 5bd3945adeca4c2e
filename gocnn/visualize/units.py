"""What a unit says of each image: the value that an instrument climbs, differentiates or watches.

A unit is a class, a neuron, or a filter, whose map is summed; the empty layer name means the network's output.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from gocnn.visualize.layers import LayerError, fine

OBJECTIVES = ("activation", "log probability", "probability")
Units = int | Sequence[int] | None


def check(objective: str) -> None:
    """Raises ValueError for an unknown objective, and names those there are."""
    if objective not in OBJECTIVES:
        raise ValueError(f"unknown objective {objective!r}; there are {', '.join(OBJECTIVES)}")


def answer(output: Any) -> Tensor:
    """What a network gives, if it is one tensor; LayerError for a tuple or a dictionary of them."""
    if isinstance(output, Tensor):
        return output
    raise LayerError(f"the network gives a {type(output).__name__}, not one tensor; wrap it so that it gives the one")


def value(output: Tensor, units: Units, objective: str = "activation") -> Tensor:
    """float [B]: the value of each image's own unit in a layer's output [B, K], or [B, K, H, W], whose map is summed.

    "probability" and "log probability" are those of the softmax over an output [B, K]. Half precisions become float32.

    Raises LayerError for an output of another shape, and what `chosen` raises.
    """
    if output.ndim not in (2, 4):
        raise LayerError(f"units are in outputs [B, K] or [B, K, H, W], not {list(output.shape)}; take another layer")
    if objective != "activation" and output.ndim != 2:
        plural = objective.replace("probability", "probabilities")
        raise LayerError(f"{plural} are of outputs [B, K], not {list(output.shape)}; take another layer")
    picked = chosen(output, units)
    output = fine(output)
    if objective == "log probability":
        output = output.log_softmax(1)
    elif objective == "probability":
        output = output.softmax(1)
    own = output[range(len(picked)), picked]
    return own.flatten(1).sum(1) if output.ndim == 4 else own


def chosen(output: Tensor, units: Units) -> list[int]:
    """The unit of each image, [B]: one for all, one for each, or with None the one that answers loudest.

    Raises ValueError for a unit that is not there, or for as many units as there are no images.
    """
    if units is None:
        loudness = output.detach()
        if output.ndim == 4:  # a sum of half precision would overflow
            loudness = fine(loudness).flatten(2).sum(2)
        return [int(unit) for unit in loudness.argmax(1)]
    one = isinstance(units, int) or getattr(units, "ndim", 1) == 0  # a number of any kind, as argmax gives it, too
    picked = [int(units)] * len(output) if one else [int(unit) for unit in units]  # type: ignore[arg-type, union-attr]
    if len(picked) != len(output):
        raise ValueError(f"{len(picked)} units for {len(output)} images; give one for each, or one number for all")
    wrong = [unit for unit in picked if not 0 <= unit < output.shape[1]]
    if wrong:
        raise ValueError(f"no unit {wrong[0]}; the layer has units 0 to {output.shape[1] - 1}")
    return picked
