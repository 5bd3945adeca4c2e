"""What a search is given and what it gives: limits, settings, the network it asks, and reports."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from engine.rules import Needed
from gocnn.go import Board
from gocnn.go.planes import PlaneSet
from gocnn.go.symmetry import SYMMETRIES

if TYPE_CHECKING:
    from gocnn.evaluator import Evaluation


class Network(Protocol):
    """What the search asks: see `gocnn.evaluator.Evaluator`."""

    plane_set: PlaneSet

    @property
    def has_value(self) -> bool: ...

    @property
    def lanes(self) -> int: ...

    def evaluate_planes(self, planes: np.ndarray, needed: np.ndarray) -> Evaluation: ...


class Values(NamedTuple):
    """What some positions are worth, each to its player to move."""

    winrate: np.ndarray  # float32 [B], 0 to 1
    lead: np.ndarray  # float32 [B], points more than are needed to win
    owner: np.ndarray  # float32 [B, N*N], -1 the opponent's to +1 the player's


class Answer(NamedTuple):
    """What is said of some positions."""

    policy: np.ndarray  # float32 [B, N*N + 1]
    values: Values


@dataclass(frozen=True)
class Limits:
    """When a search ends: at the first limit that is reached. None: no such limit."""

    visits: int | None = None  # of the root: those kept from earlier searches counted, those of barred moves not
    descents: int | None = None  # of this search
    seconds: float | None = None
    saves: bool = False  # ends before `seconds` have gone by if what is left of them can change nothing


@dataclass(frozen=True)
class SearchConfig:
    """How a search goes about it.

    `cpuct` weighs the priors against the values (win rates 0 to 1) and grows with the logarithm of the visits by
    `cpuct_growth`; a move not yet tried is thought worse than its position by `fpu`, times the root of the probability
    that has been tried, and by less in a lost position. `lead_weight` is the share of the lead in points, squashed, in
    what is maximised. Up to `batch` positions are evaluated at a time, in as many batches as the network has lanes;
    each descent that waits counts as `virtual_loss` lost ones.

    `root_symmetries` (1 to 8) averages the root's priors over so many symmetries of the board. `root_temperature`
    flattens the root's priors beside `policy_temperature`, which does so everywhere; `noise` mixes so much of a
    Dirichlet draw into them. `lcb` chooses by the lower bound of the win rate among the moves that have been visited
    most, else by visits alone. `playouts` are the random games at each leaf where the network has no value head; where
    it has one, there are `late_playouts` as soon as stones cover `late` of the board, with the share `late_weight` in
    the leaf's value. `nodes` bounds the memory: about 2.4 kB for each on 19x19; a search that fills it ends.
    """

    cpuct: float = 0.7
    cpuct_growth: float = 0.3
    fpu: float = 0.15
    virtual_loss: float = 1.0
    lead_weight: float = 0.05
    policy_temperature: float = 1.0
    root_symmetries: int = 1
    root_temperature: float = 1.0
    noise: float = 0.0
    lcb: bool = True
    batch: int = 16
    playouts: int = 16
    late_playouts: int = 1
    late_weight: float = 0.2
    late: float = 0.35
    nodes: int = 150_000
    seed: int | None = 0

    def __post_init__(self) -> None:
        if not 1 <= self.root_symmetries <= SYMMETRIES:
            raise ValueError(f"root_symmetries must be 1 to {SYMMETRIES}, not {self.root_symmetries}")
        if self.batch < 1 or self.nodes < 2 or not 0 <= self.noise <= 1:
            raise ValueError("batch >= 1, nodes >= 2 and 0 <= noise <= 1 are needed")
        if not 0 <= self.late_weight <= 1 or self.late_playouts < 1:
            raise ValueError("0 <= late_weight <= 1 and late_playouts >= 1 are needed")
        if self.policy_temperature <= 0 or self.root_temperature <= 0:
            raise ValueError("policy_temperature > 0 and root_temperature > 0 are needed")


@dataclass(frozen=True)
class Origin:
    """What a position's tree depends on: the rules, and the game so far."""

    size: int
    ko: str
    suicide: bool
    needed: Needed  # before any pass
    moves: np.ndarray  # int16 [played]: the points
    colours: np.ndarray  # int8 [played]: who played them
    history: np.ndarray  # uint64 [played + 1]: what superko compares
    to_move: int

    @classmethod
    def of(cls, board: Board, needed: Needed) -> Origin:
        """`needed` now, as in `Search.run`."""
        played = len(board.recent)
        colours = np.array([colour for colour, _ in board.moves], np.int8)
        passes = int(colours[board.recent == board.pass_point].sum())
        return cls(
            board.size, board.ko, board.suicide, needed._replace(lead=needed.lead + passes * needed.by_pass),
            board.recent.copy(), colours, board.history[: played + 1].copy(), board.to_move,
        )  # fmt: skip

    @property
    def _rules(self) -> tuple[int, str, bool, Needed]:
        return self.size, self.ko, self.suicide, self.needed

    def continues(self, other: Origin) -> bool:
        """Whether this game is the other one, or that and more moves by turns."""
        before = len(other.moves)
        if self._rules != other._rules or len(self.moves) < before:
            return False
        colours = self.colours[before:]
        turns = other.to_move * (-1) ** np.arange(len(colours) + 1)
        return (
            np.array_equal(self.moves[:before], other.moves)
            and np.array_equal(self.colours[:before], other.colours)
            and np.array_equal(self.history[: before + 1], other.history)
            and np.array_equal(np.append(colours, self.to_move), turns)
        )


@dataclass(frozen=True)
class Owners:
    """Who owns each point at the end, over all evaluations below a move, from the view of the player at the root.

    float32 [N, N], -1 the opponent to +1 the player.
    """

    mean: np.ndarray
    deviation: np.ndarray  # standard deviation, 0 to 1

    @classmethod
    def of(cls, total: np.ndarray, count: int) -> Owners:
        """From `count` owners' sum and the sum of their squares, float64 [2, N*N]."""
        size = math.isqrt(total.shape[1])
        mean, square = total.reshape(2, size, size) / max(count, 1)
        deviation = np.sqrt(np.maximum(square - mean**2, 0.0))
        return cls(mean.astype(np.float32), deviation.astype(np.float32))


@dataclass(frozen=True)
class MoveReport:
    """What a search found about a move, from the view of the player to move at the root."""

    move: int
    visits: int
    winrate: float  # 0 to 1
    lead: float  # points, komi counted
    prior: float  # the network's probability, by `policy_temperature`
    lcb: float  # lower bound of the win rate
    pv: tuple[int, ...]  # the expected continuation, this move first
    pv_visits: tuple[int, ...] = ()  # of the positions that the moves of `pv` lead to; none for a move without visits
    pv_edge_visits: tuple[int, ...] = ()  # of the moves themselves: fewer where other searches came to the position
    owners: Owners | None = field(default=None, compare=False)  # below this move; None without visits, or unasked


@dataclass(frozen=True)
class Report:
    """What a search found, from the view of the player to move at the root."""

    moves: tuple[MoveReport, ...]  # best first; with no visits yet, the most probable ones
    untried: tuple[MoveReport, ...]  # the others, the most probable first
    visits: int
    descents: int  # of this search alone
    winrate: float
    lead: float
    owners: Owners
    priors: np.ndarray = field(compare=False)  # float64 [N*N + 1], without noise; 0 where simple ko forbids the move

    @property
    def owner(self) -> np.ndarray:
        """float32 [N, N]: who owns each point on the mean, -1 the opponent to +1 the player."""
        return self.owners.mean
