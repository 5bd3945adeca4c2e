"""The Go network: from the planes of a position to a logit for every point and the pass.

A 5x5 convolution reads the planes, residual 3x3 blocks follow, and a 1x1 convolution gives each point its logit. There
is no pooling or subsampling anywhere in the trunk: on a Go board a shift by one point changes everything, and the
answer is a point of the same board. (`PolicyConfig.pool` is there to measure what pooling would cost.) The weights know
no board size, so one network plays on any.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from gocnn import checkpoint
from gocnn.conv import ResidualBlock, activated
from gocnn.go.planes import PLANE_SETS
from gocnn.profile import ERAS, RANKS
from gocnn.value import Outputs, ValueHead

KIND = "policy"  # of checkpoint
EDGE_LINES = 10  # lines from the edge that the position bias tells apart: all of 19x19


@dataclass(frozen=True)
class PolicyConfig:
    """What a policy network is made of; goes into its checkpoint.

    `kind` is "conv", or "dense" for the lecture's fully-connected network, which has `blocks` hidden layers of
    `channels` units and plays on boards of `board_size` only. `stem` is the side of the first layer's filters, an odd
    number. `planes` names its plane set (`gocnn.go.planes`). With `value`, a conv network has a value head on the same
    trunk (`gocnn.value`). With `pool`, the second half of its blocks sees the largest of every 2x2 points. With
    `profiles`, it can be told who plays (`gocnn.profile`).
    """

    kind: str = "conv"
    blocks: int = 6
    channels: int = 64
    stem: int = 5
    planes: str = "full"
    board_size: int = 19
    value: bool = False
    pool: bool = False
    profiles: bool = False

    def __post_init__(self) -> None:
        if self.kind not in ("conv", "dense"):
            raise ValueError(f"unknown kind of network: {self.kind!r}")
        if self.value and self.kind != "conv":
            raise ValueError("a value head goes on convolutional networks only")
        if self.kind != "conv" and (self.pool or self.profiles):
            raise ValueError("only convolutional networks have pooling or profiles")
        if self.stem % 2 == 0 or self.stem < 1:
            raise ValueError(f"the first layer's filters must have an odd side, not {self.stem}")
        if self.planes not in PLANE_SETS:
            raise ValueError(f"unknown plane set {self.planes!r}; there are {', '.join(PLANE_SETS)}")

    @property
    def label(self) -> str:
        """What the network is called in words: "b6c64", or "2 layers of 512 units" for a fully-connected one."""
        conv = self.kind == "conv"
        return f"b{self.blocks}c{self.channels}" if conv else f"{self.blocks} layers of {self.channels} units"

    @property
    def input_planes(self) -> int:
        return len(PLANE_SETS[self.planes])

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


DENSE = PolicyConfig(kind="dense", blocks=2, channels=512)


def preset(name: str, planes: str | None = None, board_size: int = 19) -> PolicyConfig:
    """The configuration that a short name stands for, with another plane set or board size if given.

    ``b6c64`` is a network of six blocks of 64 filters, and so for any two numbers; ``dense`` is the lecture's
    fully-connected one. Raises ValueError for another name.
    """
    size = re.fullmatch(r"b([1-9]\d?)c([1-9]\d{0,3})", name)
    if not size and name != "dense":
        raise ValueError(
            f"there is no network {name!r}: b6c64 is one of 6 blocks of 64 filters, "
            "any two numbers will do, and dense is the fully-connected one"
        )
    config = PolicyConfig(blocks=int(size[1]), channels=int(size[2])) if size else DENSE
    config = replace(config, board_size=board_size)
    return replace(config, planes=planes) if planes else config


class PolicyHead(nn.Module):
    """Logits from trunk features: float [B, C, N, N] -> [B, N*N + 1], the pass last.

    A point's logit is a 1x1 convolution plus a bias for its place, known by its distances to the two nearest edges; the
    pass sees the features' mean over the board.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.points = nn.Conv2d(channels, 1, 1)
        self.edge_bias = nn.Parameter(torch.zeros(EDGE_LINES, EDGE_LINES))
        self.pass_logit = nn.Linear(channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        size = x.shape[-1]
        along = torch.arange(size, device=x.device)
        line = torch.minimum(along, size - 1 - along).clamp(max=EDGE_LINES - 1)
        # A product with one-hot rows rather than indexing, whose compiled backward pass writes out of bounds on CPUs
        # (torch 2.13).
        lines = nn.functional.one_hot(line, EDGE_LINES).to(self.edge_bias.dtype)  # [N, EDGE_LINES]
        bias = lines @ self.edge_bias @ lines.T  # [N, N]
        logits = self.points(x).squeeze(1) + (bias + bias.T)  # [B, N, N]
        return torch.cat((logits.flatten(1), self.pass_logit(x.mean((2, 3)))), 1)


class ProfileEmbedding(nn.Module):
    """Profiles int64 [B, 2] -> float [B, C], to be added to features at every point; at first the same for all."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.rank = nn.Embedding(len(RANKS), channels)
        self.era = nn.Embedding(len(ERAS), channels)
        nn.init.zeros_(self.rank.weight)
        nn.init.zeros_(self.era.weight)

    def forward(self, profiles: Tensor) -> Tensor:
        return torch.as_tensor(self.rank(profiles[:, 0]) + self.era(profiles[:, 1]))


class ConvPolicy(nn.Module):
    """Planes float [B, P, N, N] -> logits [B, N*N + 1], for boards of any size N.

    With profiles in its configuration it wants those of the players to move as well, int64 [B, 2]; without them it
    takes them for unknown. Without profiles in its configuration it raises ValueError if given any.
    """

    def __init__(self, config: PolicyConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels
        self.stem = nn.Conv2d(config.input_planes, channels, config.stem, padding="same", bias=False)
        self.blocks = nn.Sequential(*(ResidualBlock(channels) for _ in range(config.blocks)))
        self.norm = nn.BatchNorm2d(channels)
        self.activation = nn.ReLU()
        self.head = PolicyHead(channels)
        if config.value:
            self.value = ValueHead(channels)
        if config.profiles:
            self.profiles = ProfileEmbedding(channels)

    def trunk(self, planes: Tensor, profiles: Tensor | None = None) -> Tensor:
        """Planes to the features that the heads read: float [B, C, N, N]."""
        x = self.stem(planes)
        if self.config.profiles:
            if profiles is None:
                profiles = torch.zeros((len(planes), 2), dtype=torch.int64, device=planes.device)
            x = x + self.profiles(profiles).to(x.dtype)[:, :, None, None]
        elif profiles is not None:
            raise ValueError("this network was not taught who plays: it has no profiles")
        if self.config.pool:
            half = len(self.blocks) // 2
            x = nn.functional.max_pool2d(self.blocks[:half](x), 2, ceil_mode=True)
            x = nn.functional.interpolate(self.blocks[half:](x), planes.shape[2:], mode="nearest")
        else:
            x = self.blocks(x)
        return activated(self.norm, self.activation, x)

    def forward(self, planes: Tensor, profiles: Tensor | None = None) -> Tensor:
        return self.head(self.trunk(planes, profiles))

    def heads(self, planes: Tensor, profiles: Tensor | None = None) -> Outputs:
        """All that a network with a value head says of float [B, P, N, N]."""
        return self.read(self.trunk(planes, profiles))

    def read(self, features: Tensor) -> Outputs:
        """The same from the trunk's features."""
        return Outputs(self.head(features), *self.value(features))


class DensePolicy(nn.Module):
    """The lecture's fully-connected network: planes float [B, P, N, N] -> logits [B, N*N + 1], for one size N."""

    def __init__(self, config: PolicyConfig) -> None:
        super().__init__()
        self.config = config
        points = config.board_size**2
        widths = [config.input_planes * points] + [config.channels] * config.blocks
        hidden: list[nn.Module] = [nn.Flatten()]
        for inputs, outputs in pairwise(widths):
            hidden += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.hidden = nn.Sequential(*hidden)
        self.out = nn.Linear(widths[-1], points + 1)

    def forward(self, planes: Tensor) -> Tensor:
        if planes.shape[-1] != self.config.board_size:
            raise ValueError(
                f"this fully-connected network plays {self.config.board_size}x{self.config.board_size} boards, "
                f"not {planes.shape[-1]}x{planes.shape[-1]}"
            )
        return self.out(self.hidden(planes))


Policy = ConvPolicy | DensePolicy


def build(config: PolicyConfig, seed: int | None = None) -> Policy:
    """A network with fresh random weights, the same ones for the same seed."""
    with torch.random.fork_rng(devices=[]):
        if seed is not None:
            torch.manual_seed(seed)
        return ConvPolicy(config) if config.kind == "conv" else DensePolicy(config)


def take_weights(model: Policy, other: Policy) -> None:
    """Copy the weights of a network that is the same but for what it may lack.

    That is a value head, profiles, planes, blocks and channels. What planes it lacks mean nothing at first, blocks
    that it lacks come last and add nothing at first, and what it has reads nothing at first of channels that it lacks,
    so that both say the same (after Chen et al. 2016, Net2Net, https://arxiv.org/abs/1511.05641). Raises ValueError if
    the two do not fit.
    """
    try:
        missing, surplus = model.load_state_dict(_weights_for(model, other), strict=False)
    except RuntimeError as error:
        raise ValueError(f"the two networks do not fit: {str(error).splitlines()[-1].strip()}") from error
    added = tuple(f"blocks.{i}." for i in range(other.config.blocks, model.config.blocks))
    wrong = [name for name in missing if not name.startswith(("value.", "profiles.", *added))] + surplus
    if wrong:
        raise ValueError(f"the two networks do not fit: {wrong[0]} is in one only")


def _weights_for(model: Policy, other: Policy) -> dict[str, Tensor]:
    """The state of `other` as that of a network with the planes, blocks and channels of `model`, what counts of them.

    Raises ValueError if `model` lacks one of the planes, or would pool elsewhere.
    """
    state: dict[str, Tensor] = other.state_dict()
    fresh: dict[str, Tensor] = model.state_dict()
    if model.config.pool and model.config.blocks != other.config.blocks:
        raise ValueError("the two networks do not fit: the pooling half-way would be elsewhere")
    if model.config.kind == other.config.kind == "conv":
        for block in range(other.config.blocks, model.config.blocks):
            last = f"blocks.{block}.conv2.weight"
            state[last] = torch.zeros_like(fresh[last])
    planes, known = PLANE_SETS[model.config.planes].planes, PLANE_SETS[other.config.planes].planes
    if planes != known and "stem.weight" in state:
        lost = [plane for plane in known if plane not in planes]
        if lost:
            raise ValueError(f"the two networks do not fit: the planes {model.config.planes!r} lack {lost[0]!r}")
        old = state["stem.weight"]  # [channels, planes, side, side]
        state["stem.weight"] = old.new_zeros((len(old), len(planes), *old.shape[2:]))
        state["stem.weight"][:, [planes.index(plane) for plane in known]] = old
    if model.config.kind == other.config.kind == "conv" and model.config.channels > other.config.channels:
        state |= {name: _widened(old, fresh[name]) for name, old in state.items() if name in fresh}
    return state


def _widened(old: Tensor, fresh: Tensor) -> Tensor:
    """Weights [outputs, inputs, ...] or [outputs] with the outputs and inputs of `fresh`, the further ones coming last.

    Further outputs are as in `fresh`; the old ones read nothing of further inputs. As it is where it is no smaller, or
    does not fit.
    """
    if old.shape == fresh.shape or old.dim() != fresh.dim() or any(n > m for n, m in zip(old.shape, fresh.shape)):
        return old
    wide = fresh.clone()
    wide[: len(old)] = 0
    wide[tuple(slice(n) for n in old.shape)] = old
    return wide


@torch.no_grad()
def blend(model: Policy, first: Policy, share: float) -> None:
    """Move a network that was trained on from `first` back towards it, keeping a `share` (0 to 1) of the way.

    What `first` lacks (a value head, profiles) stays, and blocks that it lacks add so much less. A network that learns
    something new forgets some of what it knew; between the two sets of weights lie networks that are good at both
    (Wortsman et al. 2022, https://arxiv.org/abs/2109.01903).
    """
    before = _weights_for(model, first)
    for name, tensor in model.state_dict().items():
        if name in before and tensor.is_floating_point():
            tensor.lerp_(before[name].to(tensor), 1 - share)


@torch.no_grad()
def average(models: Sequence[Policy], shares: Sequence[float]) -> Policy:
    """The network whose weights are the mean of several networks', by shares that sum to 1.

    They should be trained on from one network: then the mean is mostly better than each of them, as if it had learned
    from all their games (Wortsman et al. 2022, https://arxiv.org/abs/2203.05482). Raises ValueError for networks that
    differ in their configuration.
    """
    other = next((model.config for model in models if model.config != models[0].config), None)
    if other is not None:
        raise ValueError(f"networks of different kinds have no mean: {models[0].config} and {other}")
    mean = build(models[0].config)
    states = [model.state_dict() for model in models]
    for name, tensor in mean.state_dict().items():
        parts = [share * state[name].double() for state, share in zip(states, shares, strict=True)]
        tensor.copy_(torch.stack(parts).sum(0) if tensor.is_floating_point() else states[0][name])
    return mean.eval()


def save(path: str | os.PathLike[str], config: PolicyConfig, model: nn.Module, card: dict[str, Any]) -> None:
    """Write a network with what is known of its making (`card`, JSON-like). Raises OSError."""
    checkpoint.save(path, KIND, {"config": config.to_dict(), "card": card}, model.state_dict())


def load(path: str | os.PathLike[str]) -> Policy:
    """Read a network, in eval mode, on the CPU.

    Raises CheckpointError if the file is missing, damaged, or holds no policy network that this version can build.
    """
    saved = checkpoint.load(path, KIND)
    with checkpoint.building(path):
        model = build(PolicyConfig(**saved.meta["config"]))
        model.load_state_dict(saved.in_full())
    return model.eval()
