"""Who is ahead, and by how much: the value head.

The head gives every point an owner between -1 and +1; their sum is the lead on the board in points. The lead that is
needed to win (komi for Black, minus komi for White) is subtracted outside of the network, and the chance to win is how
large the rest is against the head's own doubt:

    P(win) = sigmoid((lead - needed) / doubt)

So one head answers for any komi and any size of board, and its owners can be looked at. What it learns from is in
`gocnn.targets`, how it is tested in `gocnn.examination`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

FIRST_DOUBT = 10.0  # points; with LEAST_DOUBT, what an untrained head says
LEAST_DOUBT = 0.5
HIDDEN = 32  # channels of the head


class Outputs(NamedTuple):
    """All that a network with a value head says, from the view of the player to move."""

    policy: Tensor  # [B, N*N + 1] logits
    owner: Tensor  # [B, N, N], -1 the opponent's to +1 the player's
    doubt: Tensor  # [B] points, more than LEAST_DOUBT

    @property
    def lead(self) -> Tensor:
        """[B]: points ahead on the board, before komi."""
        return self.owner.flatten(1).sum(1)

    def win_logit(self, needed: Tensor) -> Tensor:
        """[B]: the logit of winning, where `needed` [B] is what the player must be ahead by."""
        return (self.lead - needed) / self.doubt


class ValueHead(nn.Module):
    """Trunk features float [B, C, N, N] -> owner [B, N, N] (-1 to 1) and doubt [B] (points)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(channels, HIDDEN, 1)
        self.activation = nn.ReLU()
        self.owner = nn.Conv2d(HIDDEN, 1, 1)
        self.doubt = nn.Linear(2 * HIDDEN, 1)
        nn.init.zeros_(self.owner.weight)
        nn.init.zeros_(self.owner.bias)  # type: ignore[arg-type]
        nn.init.zeros_(self.doubt.weight)
        nn.init.constant_(self.doubt.bias, math.log(math.expm1(1.0)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = self.activation(self.mix(x))  # [B, H, N, N]
        summary = torch.cat((y.mean((2, 3)), y.amax((2, 3))), 1).float()  # [B, 2H]
        doubt = LEAST_DOUBT + FIRST_DOUBT * softplus(self.doubt(summary).float().squeeze(1))
        return self.owner(y).squeeze(1).float().tanh(), doubt
