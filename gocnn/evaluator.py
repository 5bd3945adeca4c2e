"""A policy network at work: boards in, probabilities out."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import torch

from gocnn import policy, weights
from gocnn.batches import as_images
from gocnn.device import autocast, best_device, precision
from gocnn.go import Board
from gocnn.go.planes import PLANE_SETS, of_board
from gocnn.go.symmetry import point_maps


class Evaluator:
    """Asks a network for its move probabilities, many boards at once."""

    def __init__(
        self, model: policy.Policy, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> None:
        """`device` and number format are the best there are if not given."""
        self.device = device or best_device()
        self.dtype = dtype or precision("auto", self.device)
        self.plane_set = PLANE_SETS[model.config.planes]
        self.model = model.to(self.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None, device: str | None = None) -> Evaluator:
        """The network in a file, or the one that ships.

        Raises gocnn.checkpoint.CheckpointError for a file that is missing, damaged or no policy network.
        """
        return cls(policy.load(path or weights.default()), torch.device(device) if device else None)

    @torch.inference_mode()
    def policy(self, boards: Sequence[Board], symmetry: int = 0) -> np.ndarray:
        """float32 [B, size*size + 1]: each board's probability of every point and the pass, which sum to 1.

        Boards are of one size; each is seen by its `to_move`, turned by `symmetry` (0 to 7), and the answer turned
        back. Illegal points are not excluded. Raises ValueError for boards of several sizes.
        """
        sizes = {board.size for board in boards}
        if len(sizes) != 1:
            raise ValueError("the boards of one batch must be of one size")
        planes = np.stack([of_board(board, self.plane_set, symmetry=symmetry) for board in boards])
        with autocast(self.device, self.dtype):
            logits = self.model(as_images(torch.from_numpy(planes).to(self.device)))
        probabilities = logits.float().softmax(1).cpu().numpy()
        return probabilities[:, point_maps(sizes.pop())[symmetry]]
