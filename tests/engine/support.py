"""What the engine's tests share: policies that need no network, a stub engine, a GTP engine."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from engine.game import Game
from engine.handlers import gtp_engine
from engine.player import PolicyPlayer, Style
from engine.protocol import GtpEngine
from engine.session import Session
from engine.sgf import read_record, replay
from gocnn.go import Board
from gocnn.go.coords import gtp_to_point
from gocnn.go.planes import PLANE_SETS

DATA = Path(__file__).parents[1] / "data" / "gtp"
STUB = Path(__file__).with_name("stub_engine.py")


def load_game(data: bytes, **how: Any) -> Game:
    """The game of an SGF file, as `replay` makes it of its main line."""
    return replay(read_record(data), **how)


class RandomPolicy:
    """Probabilities drawn anew for each position, the same ones whenever it comes up."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def policy(self, boards: Sequence[Board], symmetries: int = 1) -> np.ndarray:
        drawn = [
            np.random.default_rng([self.seed, board.hash, board.to_move + 1]).random(board.pass_point + 1)
            for board in boards
        ]
        return np.array([p / p.sum() for p in drawn], dtype=np.float32)


class ListPolicy:
    """Wants the given vertices, the first one most, and all other points equally little."""

    def __init__(self, *vertices: str, confidence: float = 0.5) -> None:
        """The first has `confidence`, each further one half of the one before."""
        self.vertices = vertices
        self.confidence = confidence

    def policy(self, boards: Sequence[Board], symmetries: int = 1) -> np.ndarray:
        size = boards[0].size
        priors = np.full(size * size + 1, 1e-6, np.float32)
        for rank, vertex in enumerate(self.vertices):
            priors[gtp_to_point(vertex, size)] = self.confidence / 2**rank
        return np.tile(priors, (len(boards), 1))


class Evaluation(NamedTuple):
    """As gocnn.evaluator's, which imports torch."""

    policy: np.ndarray
    winrate: np.ndarray | None
    lead: np.ndarray | None
    owner: np.ndarray | None


class CentrePolicy:
    """Prefers points near the middle of the board: one answer for one position, without chance.

    With `value`, it thinks the player to move owns the whole board a little, and wins three games in four.
    """

    plane_set = PLANE_SETS["full"]
    lanes = 1

    def __init__(self, value: bool = False) -> None:
        self.has_value = value

    def evaluate(self, boards: Sequence[Board], komi: float = 0.0, symmetry: int = 0) -> Evaluation:
        planes = np.zeros((len(boards), 1, boards[0].size, boards[0].size), np.int8)
        return self.evaluate_planes(planes, np.array([komi * board.to_move for board in boards], np.float32))

    def evaluate_planes(self, planes: np.ndarray, needed: np.ndarray) -> Evaluation:
        count, size = len(planes), planes.shape[-1]
        policy = self.policy([Board(size)] * count)
        if not self.has_value:
            return Evaluation(policy, None, None, None)
        owner = np.full((count, size * size), 0.1, np.float32)
        return Evaluation(policy, np.full(count, 0.75, np.float32), owner.sum(1) - needed, owner)

    def policy(self, boards: Sequence[Board], symmetries: int = 1) -> np.ndarray:
        size = boards[0].size
        row, col = np.divmod(np.arange(size * size), size)
        middle = (size - 1) / 2
        distance = (row - middle) ** 2 + (col - middle) ** 2 + 0.01 * np.arange(size * size)
        priors = np.append(np.exp(-distance), 0.0)
        return np.tile((priors / priors.sum()).astype(np.float32), (len(boards), 1))


def make_engine(policy: object | None = None, style: Style | None = None) -> GtpEngine:
    """A GTP engine on a policy, with its `session` as an attribute."""
    network = policy or CentrePolicy()
    session = Session(PolicyPlayer(network, style), lambda: network)  # type: ignore[arg-type,return-value]
    engine = gtp_engine(session, version="0")
    engine.session = session  # type: ignore[attr-defined]
    return engine


def stub(*options: str) -> str:
    """The command line of the stub engine."""
    return shlex.join([sys.executable, "-S", "-E", str(STUB), *options])


#: A game on 3x3 that is legal by simple ko; its last move brings a position back.
REPEATS = (
    "b C3, w B1, b A1, w B2, b A2, w C1, b A3, w C2, b B3, w C2, b B2, w B1, b C3, w A1, b B2, w A3, b B3, w A2, b B3, "
    "w C1, b C3, w B2, b C3, w B3, b C3"
)
