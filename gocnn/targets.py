"""What a Go network with both heads learns from: the move played, the winner, the margin, the owners.

A batch's outcomes are float32 [B, 3], from the view of the player to move; nan stands for what is not known:

    NEEDED  the points that he must be ahead by on the board (komi for Black, minus komi for White)
    WON     1 if he won, 0 if he lost
    LEAD    his points ahead on the board at the end, before komi, where the game was counted

A move is a point, size*size for the pass, or -100 where it is not to be learned.

The owners of a batch are int8 [B, N*N], who owned each point at the end: +1 the player to move, -1 his opponent, 0
neither, and UNKNOWN (2) everywhere in a game where it is not known.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
)

from gocnn.value import Outputs

NEEDED, WON, LEAD = range(3)
UNKNOWN = 2
LEAD_UNIT = 10.0  # points; the error from which on a margin's loss grows linearly


def owner_nats(owner: Tensor, truth: Tensor) -> Tensor:
    """Nats [B] of the owners of a position, the mean of its points; 0 where they are not known.

    `owner` float [B, N, N], -1 to 1, is read as a probability; `truth` is as described above. A point that is nobody's
    is as good as half of each.
    """
    truth = truth.view_as(owner)
    known = truth != UNKNOWN
    chance = ((1 + owner.float()) / 2).clamp(1e-4, 1 - 1e-4)
    share = (1 + truth.where(known, 0).float()) / 2
    # Written out, since torch refuses its own function where CUDA multiplies in half precision.
    nats = -(share * chance.log() + (1 - share) * (1 - chance).log())
    return (nats * known.float()).flatten(1).mean(1)


def policy_and_value_loss(value_weight: float, lead_weight: float, owner_weight: float = 0.0) -> Callable[..., Tensor]:
    """The loss of a network with both heads, for `gocnn.training.Run`.

    The returned function takes (model, planes, moves int64 [B], outcomes float32 [B, 3]) and perhaps owners int8
    [B, N*N]. It is the nats of the move, plus `value_weight` times those of the winner, plus `lead_weight` times
    the Huber loss of the lead in units of LEAD_UNIT points, plus `owner_weight` times `owner_nats`, all summed where
    they are known and divided by B.
    """

    def loss(model: nn.Module, planes: Tensor, moves: Tensor, outcomes: Tensor, owners: Tensor | None = None) -> Tensor:
        out: Outputs = model.heads(planes)  # type: ignore[operator]
        needed, won, lead = outcomes.unbind(1)
        judged = ~(won.isnan() | needed.isnan())
        value = binary_cross_entropy_with_logits(
            out.win_logit(needed.nan_to_num()), won.nan_to_num(), judged.float(), reduction="mean"
        )
        counted = ~lead.isnan()
        error = huber_loss(out.lead / LEAD_UNIT, lead.nan_to_num() / LEAD_UNIT, reduction="none")
        total = (
            cross_entropy(out.policy.float(), moves, reduction="sum") / len(moves)
            + value_weight * value
            + lead_weight * (error * counted.float()).mean()
        )
        return total if owners is None else total + owner_weight * owner_nats(out.owner, owners).mean()

    return loss


class Informed:
    """A network that has been told who plays: `profiles` int64 [B, 2] (`gocnn.profile`) of the players to move."""

    def __init__(self, model: nn.Module, profiles: Tensor) -> None:
        self.model, self.profiles = model, profiles

    def __call__(self, planes: Tensor) -> Tensor:
        return torch.as_tensor(self.model(planes, self.profiles))

    def heads(self, planes: Tensor) -> Outputs:
        found: Outputs = self.model.heads(planes, self.profiles)  # type: ignore[operator]
        return found


def informed(loss: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The same loss for a network with profiles, which are the last of the targets."""

    def of_players(model: nn.Module, planes: Tensor, *targets: Tensor) -> Tensor:
        *others, profiles = targets
        return loss(Informed(model, profiles), planes, *others)

    return of_players
