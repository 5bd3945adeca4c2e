"""A network at work: boards in, probabilities of moves and of winning out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from gocnn import policy, weights
from gocnn.batches import as_images
from gocnn.device import autocast, best_device, one_thread, precision
from gocnn.go import Board
from gocnn.go.planes import PLANE_SETS, of_board
from gocnn.go.symmetry import point_maps
from gocnn.value import Outputs
from gocnn.compiled.trunk import FastTrunk, fits


class Evaluation(NamedTuple):
    """What a network says of B boards, each from the view of its player to move; None where it has no value head."""

    policy: np.ndarray  # float32 [B, N*N + 1], probabilities that sum to 1, the pass last
    winrate: np.ndarray | None  # float32 [B], 0 to 1, at the komi that was given
    lead: np.ndarray | None  # float32 [B], points ahead, komi counted
    owner: np.ndarray | None  # float32 [B, N*N], -1 the opponent's to +1 the player's


class Evaluator:
    """Asks a network about boards, many at once."""

    def __init__(
        self, model: policy.Policy, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> None:
        """`device` and number format are the best there are if not given.

        On a CPU in float32 the trunk runs in compiled code where that can do it (`gocnn.compiled`), which takes a copy
        of the weights: later changes of the model are not seen.
        """
        self.device = device or best_device()
        self.dtype = dtype or precision("auto", self.device)
        self.plane_set = PLANE_SETS[model.config.planes]
        self.model = model.to(self.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self._trunk: FastTrunk | None = None
        if self.device.type == "cpu" and self.dtype == torch.float32 and fits(model):
            self._trunk = FastTrunk(self.model)

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None, device: str | None = None) -> Evaluator:
        """The network in a file, or the one that ships.

        Raises gocnn.checkpoint.CheckpointError for a file that is missing, damaged or no policy network.
        """
        return cls(policy.load(path or weights.default()), torch.device(device) if device else None)

    @property
    def has_value(self) -> bool:
        """Whether the network says who is ahead."""
        return self.model.config.value

    def policy(self, boards: Sequence[Board], symmetry: int = 0) -> np.ndarray:
        """float32 [B, size*size + 1]: each board's probability of every point and the pass, which sum to 1.

        Boards are of one size; each is seen by its `to_move`, turned by `symmetry` (0 to 7), and the answer turned
        back. Illegal points are not excluded. Raises ValueError for boards of several sizes.
        """
        return self.evaluate(boards, symmetry=symmetry).policy

    def evaluate(self, boards: Sequence[Board], komi: float = 0.0, symmetry: int = 0) -> Evaluation:
        """All that the network says of some boards; as `policy`, with White's `komi` in points."""
        sizes = {board.size for board in boards}
        if len(sizes) != 1:
            raise ValueError("the boards of one batch must be of one size")
        planes = np.stack([of_board(board, self.plane_set, symmetry=symmetry) for board in boards])
        found = self.evaluate_planes(planes, np.array([komi * board.to_move for board in boards], np.float32))
        back = point_maps(sizes.pop())[symmetry]
        owner = None if found.owner is None else found.owner[:, back[:-1]]
        return found._replace(policy=found.policy[:, back], owner=owner)

    @torch.inference_mode()
    def evaluate_planes(self, planes: np.ndarray, komi: np.ndarray) -> Evaluation:
        """All that the network says of int8 [B, planes, N, N].

        `komi` float32 [B] is what the player to move must be ahead by on the board: komi for Black, -komi for White.
        """
        if self._trunk is None:
            inputs = as_images(torch.from_numpy(planes).to(self.device))
            with autocast(self.device, self.dtype):
                out = self.model.heads(inputs) if self.has_value else self.model(inputs)
            return self._answer(out, komi)
        features = self._trunk(planes, torch.get_num_threads())
        with one_thread():
            return self._answer(self.model.read(features) if self.has_value else self.model.head(features), komi)

    def _answer(self, out: Outputs | torch.Tensor, komi: np.ndarray) -> Evaluation:
        if not isinstance(out, Outputs):
            return Evaluation(_numpy(out.float().softmax(1)), None, None, None)
        needed = torch.from_numpy(komi).to(self.device)
        return Evaluation(
            _numpy(out.policy.float().softmax(1)),
            _numpy(out.win_logit(needed).sigmoid()),
            _numpy(out.lead - needed),
            _numpy(out.owner.flatten(1)),
        )


def _numpy(tensor: torch.Tensor) -> np.ndarray:
    return np.asarray(tensor.cpu().numpy())
