"""A player from a policy: its most probable sensible move, and the sense to stop.

The policy has learned from games that end by agreement, where nobody fills the last neutral points
or takes dead stones off, so what it says at the very end means little. The player therefore leaves
out what is worthless by the rules or by the count, and passes when nothing is left.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.ending import Ending
from engine.policy import LazyPolicy, Policy, PolicyError
from engine.rules import EVEN, Needed
from gocnn.go import BLACK, WHITE, Board, core
from gocnn.go.ladders import runs_in_vain
from gocnn.go.tactics import self_atari
from gocnn.go.trial import new_room

if TYPE_CHECKING:
    from engine.search import Report
    from engine.search_player import SearchPlayer

#: What `choose` returns to give the game up; no point has this number.
RESIGN = -1

#: A move that looks worthless by the count, or puts its own stones into atari, is played all the same if the policy
#: gives it this much, and no less than the pass: it has seen throw-ins and inside moves that work.
CONVINCED = 0.2


@dataclass(frozen=True)
class Style:
    """How a PolicyPlayer chooses.

    `temperature` 0 plays the most probable move, 1 draws by the policy's probabilities; the first
    `random_moves` of a game are drawn at temperature 1 whatever it is. `resign_behind`: resign
    when behind by that many points even at the best count, None for never. `seed` makes the draws
    repeatable. The policy is the mean of so many `symmetries` of the board, 1 to 8.
    """

    temperature: float = 0.0
    random_moves: int = 0
    resign_behind: float | None = None
    seed: int | None = None
    symmetries: int = 1

    def temperature_of(self, number: int) -> float:
        """The temperature at which a game's move of that number, counted from 0, is drawn."""
        return 1.0 if number < self.random_moves else self.temperature


class PolicyPlayer:
    """Plays the policy's moves."""

    ponders = False  # whether it wants to think on the opponent's time
    report: Report | None = None  # of the search for its last move, if that was searched for

    def __init__(
        self, policy: Policy, style: Style | None = None, make_searcher: Callable[[], SearchPlayer] | None = None
    ) -> None:
        """`make_searcher` makes the player that this one becomes where somebody asks it to search."""
        self.policy = policy
        self.style = style or Style()
        self._make_searcher = make_searcher
        self._searcher: SearchPlayer | None = None
        self._random = np.random.default_rng(self.style.seed)

    def choose(
        self,
        board: Board,
        colour: int,
        needed: Needed = EVEN,
        *,
        seconds: float | None = None,
        stop: Callable[[], bool] | None = None,
        report: Callable[[Report], None] | None = None,
        every: float = 0.5,
    ) -> int:
        """The move that `colour` plays here: a legal point, the pass, or RESIGN.

        The board is left as it is; `needed` is what Black needs to win (`engine.rules.Rules.needed`). Passes when no
        sensible move is left, or when the opponent has just passed and the game is won even if all that is unclear goes
        to him. The time (`seconds`, `stop`) and the reports of players that search mean nothing to this one.
        """
        board = board.copy()
        board.to_move = colour
        ending = Ending(board, needed)
        if ending.is_won_by_passing:
            return board.pass_point
        if ending.is_lost_by(self.style.resign_behind):
            return RESIGN
        pointless = (board.pass_alive(BLACK) | board.pass_alive(WHITE)).ravel()
        priors = self.priors(board)
        ending.is_near |= bool(priors.argmax() == board.pass_point)  # as on a small board with few stones
        for point in self.in_order(priors, board):
            if pointless[point] or not _is_sensible(board, point) or _runs_in_vain(board, point):
                continue
            if priors[point] >= max(CONVINCED, priors[board.pass_point]):
                return point
            if not _puts_itself_in_atari(board, point) and not ending.is_sure_of(point):
                return point
        return board.pass_point

    @property
    def searcher(self) -> SearchPlayer | None:
        """This player as one that searches, a visit a move at first; None if it is not meant to."""
        if self._searcher is None and self._make_searcher is not None:
            self._searcher = self._make_searcher()
        return self._searcher

    def warm_up(self, network: Any) -> None:
        """Have all compiled that a game will need, with the network that has just been loaded."""
        rehearse(PolicyPlayer(network, self.style))

    def warm_up_for_analysis(self, network: Any) -> None:
        """Have compiled what an analysis needs and this player does not, while the network may be at work elsewhere."""
        from engine.search_player import SearchPlayer, StandIn
        from engine.search_terms import Limits

        stand_in = StandIn(network.plane_set, network.has_value)
        SearchPlayer(LazyPolicy(lambda: stand_in), limits=Limits(visits=1)).warm_up(stand_in)

    def ponder(self, board: Board, needed: Needed, stop: Callable[[], bool]) -> None:
        """Think about the opponent's position until `stop` says so."""

    def ranked(self, board: Board, colour: int, count: int) -> list[tuple[int, float]]:
        """The `count` most probable legal moves (pass included), each with its probability."""
        board = board.copy()
        board.to_move = colour
        priors = self.priors(board) * board.legal_mask(colour)
        return [(int(p), float(priors[p])) for p in np.argsort(-priors, kind="stable")[:count]]

    def priors(self, board: Board) -> np.ndarray:
        """float32 [size*size + 1]: the policy for the colour to move."""
        return self.policy.policy([board], self.style.symmetries)[0]

    def in_order(self, priors: np.ndarray, board: Board) -> Iterator[int]:
        """The points in the order in which they are considered, no pass: by probability, or drawn by it."""
        temperature = self.style.temperature_of(len(board.moves))
        yield from map(int, drawn_order(priors[:-1], temperature, self._random))


def drawn_order(shares: np.ndarray, temperature: float, random: np.random.Generator) -> np.ndarray:
    """int64 [n]: the order of [n] probabilities, or numbers like them, the best first at temperature 0, else drawn."""
    if temperature > 0:
        # Adding Gumbel noise to the logits and sorting draws without replacement.
        shares = np.log(np.maximum(shares, 1e-30)) / temperature + random.gumbel(size=shares.size)
    return np.argsort(-shares, kind="stable")


def rehearse(player: PolicyPlayer) -> None:
    """Have a player open a game, answer a pass on the empty board, and answer one on a board that is all Black's."""
    board = Board()
    with contextlib.suppress(ValueError, PolicyError):  # a network for another board size
        for colour in (BLACK, WHITE):
            player.ranked(board, colour, 1)
            board.play(colour, player.choose(board, colour))
        for stones in (range(0), range(1, board.pass_point - 1)):
            board = Board()
            board.setup(stones, [BLACK] * len(stones))
            board.play(WHITE, board.pass_point)
            player.choose(board, BLACK)


def _is_sensible(board: Board, point: int) -> bool:
    """Whether the rules allow the move and it is more than filling an own eye."""
    colour = board.to_move
    return board.is_legal(colour, point) and not board.is_own_eye(colour, point)


def _runs_in_vain(board: Board, point: int) -> bool:
    """Whether a legal move saves stones from an atari only for a ladder to take them: what a network cannot see."""
    cell = core.to_cell(point, board.size)
    return bool(runs_in_vain(board.state, new_room(board.size), cell, board.to_move))


def _puts_itself_in_atari(board: Board, point: int) -> bool:
    """Whether a legal move leaves two or more own stones, its own among them, one liberty."""
    cell = core.to_cell(point, board.size)
    return bool(self_atari(board.state, cell, board.to_move) >= 2)
