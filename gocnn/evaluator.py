"""A network at work: boards in, probabilities of moves and of winning out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from gocnn import policy, weights
from gocnn.batches import as_inputs
from gocnn.compiled.threads import share
from gocnn.compiled.trunk import FastTrunk, fits
from gocnn.device import autocast, best_device, memory_format, named_device, one_thread, precision
from gocnn.go import Board
from gocnn.go.planes import PLANE_SETS, of_board
from gocnn.go.symmetry import point_maps
from gocnn.profile import UNKNOWN, Profile
from gocnn.value import Outputs


class Evaluation(NamedTuple):
    """What a network says of B boards, each from the view of its player to move; None where it has no value head."""

    policy: np.ndarray  # float32 [B, N*N + 1], probabilities that sum to 1, the pass last
    winrate: np.ndarray | None  # float32 [B], 0 to 1, at the komi that was given
    lead: np.ndarray | None  # float32 [B], points ahead, komi counted
    owner: np.ndarray | None  # float32 [B, N*N], -1 the opponent's to +1 the player's


class Evaluator:
    """Asks a network about boards, many at once."""

    def __init__(
        self, model: policy.Policy, device: torch.device | None = None, dtype: torch.dtype | None = None,
        *, profile: Profile = UNKNOWN,
    ) -> None:  # fmt: skip
        """`device` and number format are the best there are if not given.

        `profile` is who plays, for a network that can be told; raises ValueError if it cannot.

        On a CPU in float32 the trunk runs in compiled code where that can do it (`gocnn.compiled`), which takes a copy
        of the weights: later changes of the model are not seen.
        """
        self.device = device or best_device()
        self.dtype = dtype or precision("auto", self.device)
        if profile != UNKNOWN and not model.config.profiles:
            raise ValueError(f"this network was not taught who plays, so it cannot play like {profile}")
        self.profile = profile
        self.plane_set = PLANE_SETS[model.config.planes]
        self.model = model.to(self.device, memory_format=memory_format(self.device)).eval()  # type: ignore[call-overload]
        self._trunk: FastTrunk | None = None
        if self.device.type == "cpu" and self.dtype == torch.float32 and fits(model):
            self._trunk = FastTrunk(self.model)

    @classmethod
    def load(
        cls, path: str | os.PathLike[str] | None = None, device: str | None = None, profile: Profile = UNKNOWN
    ) -> Evaluator:
        """The network in a file; without one the best that ships, with a known profile the best that can be told it.

        Raises gocnn.checkpoint.CheckpointError for a file that is missing, damaged or no policy network, and ValueError
        for one that can be told no profile.
        """
        network = policy.load(path or weights.default(told_who_plays=profile != UNKNOWN))
        return cls(network, named_device(device) if device else None, profile=profile)

    @property
    def has_value(self) -> bool:
        """Whether the network says who is ahead."""
        return self.model.config.value

    @property
    def lanes(self) -> int:
        """How many threads can well ask it at a time, each about positions of its own; each uses one core then."""
        return torch.get_num_threads() if self.device.type == "cpu" else 1

    @property
    def has_profiles(self) -> bool:
        """Whether the network can be told who plays."""
        return self.model.config.profiles

    def policy(self, boards: Sequence[Board], symmetries: int = 1) -> np.ndarray:
        """float32 [B, size*size + 1]: each board's probability of every point and the pass, which sum to 1.

        Boards are of one size; each is seen by its `to_move`. The answer is the mean of so many `symmetries` (1 to 8)
        of the board. Illegal points are not excluded. Raises ValueError for boards of several sizes.
        """
        planes = self._planes(boards, 0)
        return self.evaluate_planes(planes, np.zeros(len(boards), np.float32), symmetries).policy

    def evaluate(self, boards: Sequence[Board], komi: float = 0.0, symmetry: int = 0) -> Evaluation:
        """All that the network says of some boards, with White's `komi` in points.

        Each board is turned by `symmetry` (0 to 7), and the answer turned back; the rest is as in `policy`.
        """
        planes = self._planes(boards, symmetry)
        found = self.evaluate_planes(planes, np.array([komi * board.to_move for board in boards], np.float32))
        back = point_maps(planes.shape[-1])[symmetry]
        owner = None if found.owner is None else found.owner[:, back[:-1]]
        return found._replace(policy=found.policy[:, back], owner=owner)

    def _planes(self, boards: Sequence[Board], symmetry: int) -> np.ndarray:
        """int8 [B, planes, N, N] of boards that must be of one size."""
        if len({board.size for board in boards}) != 1:
            raise ValueError("the boards of one batch must be of one size")
        return np.stack([of_board(board, self.plane_set, symmetry=symmetry) for board in boards])

    def evaluate_planes(
        self, planes: np.ndarray, needed: np.ndarray, symmetries: int = 1, profiles: np.ndarray | None = None
    ) -> Evaluation:
        """All that the network says of int8 [B, planes, N, N]; the mean of so many `symmetries` (1 to 8) of the board.

        `needed` float32 [B] is what the player to move must be ahead by on the board: komi for Black, -komi for White.
        `profiles` int64 [B, 2] are theirs, if the network `has_profiles` and they are not all of the evaluator's own.
        """
        if profiles is None:
            profiles = np.tile(np.array(self.profile, np.int64), (len(planes), 1))
        if symmetries == 1:
            return self._evaluate_planes(planes, needed, profiles)
        batch, size = len(planes), planes.shape[-1]
        maps = point_maps(size)[:symmetries]
        flat = planes.reshape(*planes.shape[:2], -1)
        turned = np.empty((symmetries, *flat.shape), np.int8)
        for view, there in zip(turned, maps):
            view[:, :, there[:-1]] = flat
        found = self._evaluate_planes(
            turned.reshape(-1, *planes.shape[1:]), np.tile(needed, symmetries), np.tile(profiles, (symmetries, 1))
        )

        def mean(values: np.ndarray) -> np.ndarray:
            return np.asarray(values.reshape(symmetries, batch).mean(0))

        def turned_back(values: np.ndarray) -> np.ndarray:
            views = values.reshape(symmetries, batch, -1)
            return np.asarray(np.mean([view[:, there[: view.shape[1]]] for view, there in zip(views, maps)], 0))

        return Evaluation(
            turned_back(found.policy),
            None if found.winrate is None else mean(found.winrate),
            None if found.lead is None else mean(found.lead),
            None if found.owner is None else turned_back(found.owner),
        )

    def _evaluate_planes(self, planes: np.ndarray, needed: np.ndarray, profiles: np.ndarray) -> Evaluation:
        threads = torch.get_num_threads()
        if self._trunk is not None or self.device.type != "cpu" or min(threads, len(planes)) == 1:
            return self._look(planes, needed, profiles)

        def look(first: int, last: int) -> Evaluation:
            return self._look(planes[first:last], needed[first:last], profiles[first:last])

        with one_thread():  # torch's own threads would go to sleep and wake up in each layer
            parts = share(look, len(planes), threads)
        policies, *others = zip(*parts)
        return Evaluation(
            np.concatenate(policies), *(None if one[0] is None else np.concatenate(one) for one in others)
        )

    @torch.inference_mode()
    def _look(self, planes: np.ndarray, needed: np.ndarray, profiles: np.ndarray) -> Evaluation:
        if self._trunk is None:
            inputs = [as_inputs(torch.from_numpy(planes).to(self.device))]
            if self.has_profiles:
                inputs.append(torch.from_numpy(profiles).to(self.device))
            with autocast(self.device, self.dtype):
                out = self.model.heads(*inputs) if self.has_value else self.model(*inputs)
            return self._answer(out, needed)
        features = self._trunk(planes, torch.get_num_threads(), profiles)
        with one_thread():
            return self._answer(self.model.read(features) if self.has_value else self.model.head(features), needed)

    def _answer(self, out: Outputs | torch.Tensor, needed: np.ndarray) -> Evaluation:
        if not isinstance(out, Outputs):
            return Evaluation(_numpy(out.float().softmax(1)), None, None, None)
        points = torch.from_numpy(needed).to(self.device)
        return Evaluation(
            _numpy(out.policy.float().softmax(1)),
            _numpy(out.win_logit(points).sigmoid()),
            _numpy(out.lead - points),
            _numpy(out.owner.flatten(1)),
        )


def _numpy(tensor: torch.Tensor) -> np.ndarray:
    return np.asarray(tensor.cpu().numpy())
