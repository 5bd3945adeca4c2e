"""Train a network as `gocnn train` does, with one thing altered that is no option there, to see what it is worth.

    python benchmarks/altered.py silu --data pro.arrow --val pro-2022.arrow --preset b4c48 --minutes 20 -o runs/silu

`equal_time.py recipe` runs these beside others. An altered network is good for nothing but its figures: what reads its
file builds the network as it usually is.
"""

from __future__ import annotations

import gocnn  # noqa: F401  # isort: skip  # before torch: it says how torch's threads wait

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gocnn import conv, evaluator, optim, policy, training
from gocnn.conv import ResidualBlock
from gocnn.policy import ConvPolicy, Policy, PolicyConfig, PolicyHead
from sgf_data.dataset import Positions


def with_activation(function: Callable[[Tensor], Tensor]) -> None:
    """Another activation than ReLU, after torch's own normalisation."""

    def activated(norm: nn.Module, activation: nn.Module, x: Tensor) -> Tensor:
        return function(norm(x))

    _alter(conv, activated=activated)
    _alter(policy, activated=activated)
    _alter(evaluator, fits=lambda model: False)  # tests go through these modules, not the trunk compiled for others


def with_group_norm() -> None:
    """Normalisation over groups of eight channels of one board (Wu & He 2018, https://arxiv.org/abs/1803.08494)."""
    _alter(nn, BatchNorm2d=lambda channels: nn.GroupNorm(channels // 8, channels))
    with_activation(torch.relu)


def with_activation_last() -> None:
    """Blocks as they were first (He et al. 2015, https://arxiv.org/abs/1512.03385): the sum goes through a ReLU."""

    def forward(block: ResidualBlock, x: Tensor) -> Tensor:
        y = torch.relu(block.norm1(block.conv1(x)))
        return torch.relu(x + block.norm2(block.conv2(y)))

    _alter(ResidualBlock, forward=forward)
    with_activation(torch.relu)


def with_momentum(momentum: float) -> None:
    """Another momentum of Muon's."""
    _alter(optim, Muon=functools.partial(optim.Muon, momentum=momentum))


def with_steps(steps: int) -> None:
    """Muon's matrices less orthogonal: so many of its iterations."""
    _alter(optim, orthogonalised=functools.partial(optim.orthogonalised, steps=steps))


def without_place() -> None:
    """No bias by the distance to the edges in the policy head."""
    build = policy.build

    def built(config: PolicyConfig, seed: int | None = None) -> Policy:
        model = build(config, seed)
        if isinstance(model, ConvPolicy):
            model.head.edge_bias.requires_grad_(False)
        return model

    _alter(policy, build=built)


def with_replies(weight: float = 0.15) -> None:
    """The opponent's reply as a second thing to learn, in a head of its own (Tian & Zhu 2015, arXiv 1511.06410)."""
    build, train = policy.build, training.Run.train

    def built(config: PolicyConfig, seed: int | None = None) -> Policy:
        model = build(config, seed)
        model.reply = PolicyHead(config.channels)
        return model

    @dataclass(frozen=True)
    class WithReplies:
        positions: Positions

        def __len__(self) -> int:
            return len(self.positions)

        def batch(self, first: int, count: int) -> tuple[np.ndarray, ...]:
            return *self.positions.batch(first, count), self.positions.replies(first, count)

    def trained(run: training.Run, source: Positions, validate: Callable) -> training.Metrics:
        return train(run, WithReplies(source), validate)

    def loss(model: ConvPolicy, planes: Tensor, moves: Tensor, replies: Tensor) -> Tensor:
        features = model.trunk(planes)
        of_moves, of_replies = (
            nn.functional.cross_entropy(head(features).float(), wanted)
            for head, wanted in ((model.head, moves), (model.reply, replies))
        )
        return of_moves + weight * of_replies

    _alter(policy, build=built)
    _alter(training, cross_entropy=loss)
    _alter(training.Run, train=trained)


def with_sampling(stones: int = 100) -> None:
    """Of each two positions the one is learned from that has more nearly so many stones: fewer openings and endings."""
    batch = Positions.batch

    def drawn(positions: Positions, first: int, count: int) -> tuple[np.ndarray, ...]:
        if not positions.augment:
            return batch(positions, first, count)
        twice = batch(positions, 2 * first, 2 * count)
        there = [positions.plane_set.planes.index(name) for name in ("own stones", "opponent's stones")]
        away = np.abs(np.count_nonzero(twice[0][:, there], axis=(1, 2, 3)) - stones)
        chosen = 2 * np.arange(count) + (away[1::2] < away[::2])
        return tuple(part[chosen] for part in twice)

    _alter(Positions, batch=drawn)


def _alter(what: object, **parts: object) -> None:
    """Put other parts in the place of a module's or a class's."""
    for name, part in parts.items():
        setattr(what, name, part)


ALTERATIONS: dict[str, Callable[[], None]] = {
    "relu": lambda: with_activation(torch.relu),
    "silu": lambda: with_activation(nn.functional.silu),
    "group-norm": with_group_norm,
    "activation-last": with_activation_last,
    "momentum-0.9": lambda: with_momentum(0.9),
    "momentum-0.98": lambda: with_momentum(0.98),
    "steps-3": lambda: with_steps(3),
    "no-place": without_place,
    "replies": with_replies,
    "middle": with_sampling,
}


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in ALTERATIONS:
        sys.exit(f"usage: altered.py {{{','.join(ALTERATIONS)}}} OPTIONS OF gocnn train")
    ALTERATIONS[sys.argv[1]]()
    import train

    train.main(sys.argv[2:])


if __name__ == "__main__":
    main()
