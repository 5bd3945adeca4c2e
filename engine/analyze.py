"""What the engine thinks of every move of a game, and which moves were the worst.

Each position is looked at for itself; a move's loss is what its player had before it, by the engine's best move, less
what was left after it. A move that seems to lose much is checked: the position after the engine's move is looked at as
deeply as the one after the move played, so that a loss that nothing could have avoided is not called a mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from engine.rules import STANDARD, Needed, Rules
from engine.search import Limits, Search
from gocnn.go import Board

if TYPE_CHECKING:
    from gocnn.evaluator import Evaluator
    from sgf_data.annotate import Step

#: A move that loses as much is a mistake: in points, or in the chance to win.
MISTAKE_POINTS = 3.0
MISTAKE_WINRATE = 0.1

#: Without anyone to say who is ahead: a move of less probability is a surprise.
SURPRISE = 0.01

#: Moves of the engine's line that are kept.
LINE = 12


@dataclass(frozen=True)
class Standing:
    """How one of the players stands: the chance to win, 0 to 1, and the lead, in points more than are needed to win."""

    winrate: float
    lead: float

    def opposite(self) -> Standing:
        """How the other player stands."""
        return Standing(1 - self.winrate, -self.lead)

    def loss(self, after: Standing) -> Loss:
        """What the player has lost who stands so `after` a move."""
        return Loss(max(0.0, self.winrate - after.winrate), max(0.0, self.lead - after.lead))


@dataclass(frozen=True)
class Loss:
    """What a move cost, never negative."""

    winrate: float
    points: float


@dataclass(frozen=True)
class View:
    """What is thought of a position, from the view of the player to move.

    `best` is the move it would play and `line` what it expects from there on; `standing` is None where nobody can say.
    `priors` float [N*N + 1] are the network's probabilities of the legal moves; they sum to 1.
    """

    best: int
    line: tuple[int, ...]
    standing: Standing | None
    priors: np.ndarray


class Looker(Protocol):
    """Anything that has a view of positions."""

    def look(self, board: Board, needed: Needed) -> View:
        """The view of the player to move; `needed` is what Black needs to win. The board is left as it is."""


class PolicyLooker:
    """One look of the network, and its value head's word if it has one."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator

    def look(self, board: Board, needed: Needed) -> View:
        """Raises ValueError if the network does not play such boards."""
        found = self.evaluator.evaluate([board], needed.lead)
        priors = _legal(found.policy[0], board)
        best = int(priors.argmax())
        standing = None
        if found.winrate is not None and found.lead is not None:
            standing = Standing(float(found.winrate[0]), float(found.lead[0]))
        return View(best, (best,), standing, priors)


class SearchLooker:
    """A search of so many visits for each position."""

    def __init__(self, evaluator: Evaluator, visits: int) -> None:
        self.search = Search(evaluator)
        self.visits = visits

    def look(self, board: Board, needed: Needed) -> View:
        """Raises ValueError if the network does not play such boards."""
        report = self.search.run(board, needed, Limits(visits=self.visits))
        best = report.moves[0]
        standing = Standing(report.winrate, report.lead)
        return View(best.move, best.pv[:LINE], standing, _legal(report.priors, board))


def _legal(priors: np.ndarray, board: Board) -> np.ndarray:
    """float [N*N + 1]: some probabilities without those of illegal moves, made to sum to 1."""
    legal = priors * board.legal_mask(board.to_move)
    return np.asarray(legal / max(float(legal.sum()), 1e-12))


@dataclass(frozen=True)
class Judgement:
    """What is thought of one move, from its player's view.

    `rank` (from 1) and `probability` are what the network's policy gives the move, `first` its first choice. `before`
    is the view of the position, `after` how the player stands after the move, and `lost` what it cost; None stands for
    what nobody can say.
    """

    number: int
    colour: int
    point: int
    rank: int
    probability: float
    first: int
    before: View
    after: Standing | None
    lost: Loss | None

    @property
    def mistake(self) -> bool:
        """Whether the move is worth a variation: it lost much, or surprised where losses are not known."""
        if self.lost is None:
            return self.probability < SURPRISE and self.point != self.before.best
        return self.lost.points >= MISTAKE_POINTS or self.lost.winrate >= MISTAKE_WINRATE


def judge(
    steps: Sequence[Step], final: Board, komi: float, looker: Looker, rules: Rules = STANDARD
) -> Iterator[Judgement]:
    """Judge the moves of a game in order; `final` is the position after the last.

    `komi` is all that White gets, for handicap stones too. Raises what the looker raises.
    """

    def look(board: Board) -> View:
        return looker.look(board, rules.needed(board, komi))

    view = look(steps[0].board) if steps else None
    for index, step in enumerate(steps):
        assert view is not None
        after = steps[index + 1].board if index + 1 < len(steps) else final
        follows = _after(step.board, step.point)
        following = look(after)
        # Where stones were set up after the move, or the turn was changed, the next move's position is another one.
        answer = following if _same(follows, after) else look(follows)
        yield _judged(step, view, answer, look)
        view = following


def _after(board: Board, point: int) -> Board:
    after = board.copy()
    after.play(board.to_move, point)
    return after


def _same(a: Board, b: Board) -> bool:
    return a.hash == b.hash and a.to_move == b.to_move


def _judged(step: Step, view: View, answer: View, look: Callable[[Board], View]) -> Judgement:
    priors = view.priors
    probability = float(priors[step.point])
    stands = None if answer.standing is None else answer.standing.opposite()
    judgement = Judgement(
        number=step.number,
        colour=step.colour,
        point=step.point,
        rank=int(np.count_nonzero(priors > probability)) + 1,
        probability=probability,
        first=int(priors.argmax()),
        before=view,
        after=stands,
        lost=_lost(step.point, view, stands),
    )
    if stands is not None and judgement.lost is not None and judgement.mistake:
        other = look(_after(step.board, view.best)).standing
        if other is not None:
            lost, checked = judgement.lost, other.opposite().loss(stands)
            least = Loss(min(lost.winrate, checked.winrate), min(lost.points, checked.points))
            judgement = replace(judgement, lost=least)
    return judgement


def _lost(point: int, view: View, after: Standing | None) -> Loss | None:
    """What a move cost; nothing if it is the engine's own."""
    if view.standing is None or after is None:
        return None
    return Loss(0.0, 0.0) if point == view.best else view.standing.loss(after)


@dataclass(frozen=True)
class Summary:
    """One player's moves in numbers; means are None where losses are not known or there are no moves."""

    moves: int
    first_choice: float | None  # share of moves that are the policy's first choice
    top_five: float | None
    probability: float | None  # mean
    points_lost: float | None  # mean a move
    winrate_lost: float | None  # mean a move
    mistakes: int


def summarise(judgements: Sequence[Judgement], colour: int) -> Summary:
    """The numbers of one colour's moves."""
    mine = [judgement for judgement in judgements if judgement.colour == colour]
    losses = [judgement.lost for judgement in mine if judgement.lost is not None]
    return Summary(
        moves=len(mine),
        first_choice=_mean([j.rank == 1 for j in mine]),
        top_five=_mean([j.rank <= 5 for j in mine]),
        probability=_mean([j.probability for j in mine]),
        points_lost=_mean([lost.points for lost in losses]),
        winrate_lost=_mean([lost.winrate for lost in losses]),
        mistakes=sum(j.mistake for j in mine),
    )


def _mean(numbers: Sequence[float]) -> float | None:
    return float(np.mean(numbers)) if numbers else None


def worst(judgements: Sequence[Judgement], colour: int, count: int) -> list[Judgement]:
    """The worst mistakes of one colour, the worst first: by points, or by surprise where losses are not known."""
    mistakes = [judgement for judgement in judgements if judgement.colour == colour and judgement.mistake]
    return sorted(mistakes, key=_badness, reverse=True)[:count]


def _badness(judgement: Judgement) -> tuple[float, float]:
    """Points count, and chances to win by as many as they are worth to a mistake."""
    if judgement.lost is None:
        return -judgement.probability, 0.0
    share = judgement.lost.winrate / MISTAKE_WINRATE
    return max(judgement.lost.points / MISTAKE_POINTS, share), share
