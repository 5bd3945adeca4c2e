"""Optimisers and schedules: Muon for filters, AdamW for the rest, a hold and a cosine to zero, averaged weights."""

from __future__ import annotations

import copy
import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from gocnn.device import precision

# Coefficients of the quintic Newton-Schulz iteration, tuned for speed rather than exactness (Jordan et al. 2024).
_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


def orthogonalised(matrices: Tensor, steps: int = 5) -> Tensor:
    """Push the singular values of each matrix towards 1: float [K, m, n], m <= n, to the same shape.

    In bfloat16 where the device is fast at it, else in float32.
    """
    a, b, c = _NEWTON_SCHULZ
    x = matrices.to(precision("auto", matrices.device))
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


class Muon(torch.optim.Optimizer):
    """Momentum whose step is orthogonalised (Jordan et al., "Muon", 2024).

    Takes matrices and convolution filters, which it reads as matrices [outputs, inputs * kernel area]; equal shapes are
    worked on together. Steps are scaled by ``0.2 * sqrt(larger side)`` so that their size is that of AdamW's (Liu et
    al., arXiv 2502.16982). `weight_decay` is decoupled.
    """

    def __init__(
        self, params: Iterable[Tensor], lr: float = 4e-3, momentum: float = 0.95, weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        loss = closure() if closure else None
        for group in self.param_groups:
            same_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for p in group["params"]:
                if p.grad is not None:
                    same_shape[p.shape].append(p)
            for shape, params in same_shape.items():
                self._step_together(shape, params, group)
        return loss

    def _step_together(self, shape: torch.Size, params: list[Tensor], group: dict[str, Any]) -> None:
        for p in params:
            if "momentum" not in self.state[p]:
                self.state[p]["momentum"] = torch.zeros_like(p)
        momenta = [self.state[p]["momentum"] for p in params]
        grads = [p.grad for p in params if p.grad is not None]
        torch._foreach_lerp_(momenta, grads, 1 - group["momentum"])
        looked_ahead = torch._foreach_lerp(grads, momenta, group["momentum"])  # Nesterov
        matrices = torch.stack([u.reshape(shape[0], -1) for u in looked_ahead])
        tall = matrices.shape[1] > matrices.shape[2]
        update = orthogonalised(matrices.mT if tall else matrices)
        update = (update.mT if tall else update).to(params[0].dtype)
        scale = 0.2 * math.sqrt(max(matrices.shape[1:]))
        torch._foreach_mul_(params, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(params, [u.reshape(shape) for u in update], alpha=-group["lr"] * scale)


def make_optimizers(
    model: nn.Module, name: str, lr: float, muon_lr: float, weight_decay: float
) -> list[torch.optim.Optimizer]:
    """The optimisers for a model: AdamW alone, or with "muon" Muon for all filters and matrices inside `model.blocks`.

    A model without blocks has AdamW alone.

    Weight decay falls on what has two dimensions or more, filters, matrices and tables, not on vectors such as biases.
    Raises ValueError for another name.
    """
    if name not in ("muon", "adamw"):
        raise ValueError(f"unknown optimizer {name!r}: muon or adamw")
    blocks = getattr(model, "blocks", None) if name == "muon" else None
    by_muon = [p for p in blocks.parameters() if p.ndim >= 2] if isinstance(blocks, nn.Module) else []
    rest = [p for p in model.parameters() if all(p is not q for q in by_muon)]
    groups = [
        {"params": [p for p in rest if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0},
    ]
    fused = all(p.device.type in ("cpu", "cuda") for p in rest)
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW([g for g in groups if g["params"]], lr=lr, betas=(0.9, 0.98), fused=fused)
    ]
    if by_muon:
        optimizers.append(Muon(by_muon, lr=muon_lr, weight_decay=weight_decay))
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak_lr"] = group["lr"]
    return optimizers


def set_learning_rate(optimizers: list[torch.optim.Optimizer], share: float) -> None:
    """Set every group's learning rate to `share` (0 to 1) of its peak."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak_lr"] * share


def rate_share(progress: float, warmup: float, decay: float = 1.0) -> float:
    """Share of the peak learning rate at `progress` (0 to 1): a linear rise over `warmup`, a hold, then a cosine to 0.

    The cosine takes the last `decay` of the way (0 to 1); with 1 it begins where the rise ends. While the rate holds,
    the end of the run may still be moved (Hägele et al. 2024, arXiv 2405.18392).
    """
    if progress < warmup:
        return progress / warmup
    fall = max(warmup, 1 - decay)
    if progress <= fall:
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - fall) / (1 - fall))))


class AveragedModel:
    """An exponential moving average of a model's weights and statistics, as a `module` of its own."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.module = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Take in the weights after `step` steps; early on the average forgets faster, to lose the random start."""
        weight = 1 - min(self.decay, (1 + step) / (10 + step))
        mine, theirs = self.module.state_dict(), model.state_dict()
        floats = [name for name, tensor in mine.items() if tensor.is_floating_point()]
        torch._foreach_lerp_([mine[n] for n in floats], [theirs[n] for n in floats], weight)
        for name in mine.keys() - set(floats):
            mine[name].copy_(theirs[name])
