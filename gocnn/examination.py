"""What a Go network is worth: its answers to positions whose next move and outcome are known, and figures of them.

Every position is asked about once, or in several symmetries of the board, whose answers are averaged. The verdicts are
kept position by position, so that accuracy can be told by the phase of the game, and chances to win can be held against
how often the game was won (a reliability diagram; Niculescu-Mizil & Caruana 2005,
https://doi.org/10.1145/1102351.1102430).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gocnn.batches import Source
from gocnn.evaluator import Evaluator
from gocnn.go.planes import stones_on
from gocnn.targets import LEAD, NEEDED, WON

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TOP = 5
PHASE = 40  # stones on the board that a phase of the game lasts
BINS = 10  # of chances to win
FEWEST = 30  # positions that a share is drawn of


@dataclass(frozen=True)
class Verdicts:
    """What became of each of N positions; what is not known, or not said by the network, is nan."""

    stones: np.ndarray  # int [N]: on the board
    place: np.ndarray  # int [N]: moves that the network gives more than the one that was played
    nats: np.ndarray  # float [N]: of that move
    won: np.ndarray  # float [N]: 1 if the player to move won, 0 if he lost
    judged: np.ndarray  # bool [N]: whether winner and komi are known, and the network has a value head
    winrate: np.ndarray  # float [N]: his chance to win by the network, where komi is known
    lead_error: np.ndarray  # float [N]: points by which the network errs about the margin; inf if its lead is nan

    @property
    def right(self) -> np.ndarray:
        """float [judged]: 1 if the winner has the better chance, 1/2 if it is even, else 0, as for nan."""
        said, won = np.sign(self.winrate - 0.5)[self.judged], np.where(self.won > 0.5, 1, -1)[self.judged]
        return np.asarray(np.where(np.isnan(said), 0, (1 + said * won) / 2))

    def metrics(self) -> dict[str, float]:
        """The figures of all positions together.

        "tested" is their number; "top1", "top5" (0 to 1) and "cross_entropy" (nats) are of the move. If the network
        says who wins: "judged" positions, "winner" right (0 to 1), "winner_nats", and "lead_error" (mean, in points).
        """
        found = {
            "top1": float(np.mean(self.place == 0)), "top5": float(np.mean(self.place < TOP)),
            "cross_entropy": float(np.mean(self.nats)), "tested": len(self.place),
        }  # fmt: skip
        if self.judged.any():
            chance, won = self.winrate[self.judged], self.won[self.judged]
            said = np.clip(np.where(won > 0.5, chance, 1 - chance), 1e-7, 1)
            found |= {
                "winner": float(np.mean(self.right)), "winner_nats": float(-np.mean(np.log(said))),
                "judged": len(chance),
            }  # fmt: skip
        if not np.isnan(self.lead_error).all():
            found["lead_error"] = float(np.nanmean(self.lead_error))
        return found

    def phases(self) -> list[tuple[range, Verdicts]]:
        """The verdicts by the stones on the board, in steps of `PHASE`, each with its range."""
        found = []
        for first in range(0, int(self.stones.max(initial=0)) + 1, PHASE):
            here = (self.stones >= first) & (self.stones < first + PHASE)
            if here.any():
                found.append((range(first, first + PHASE), self._only(here)))
        return found

    def _only(self, chosen: np.ndarray) -> Verdicts:
        return Verdicts(**{name: values[chosen] for name, values in vars(self).items()})

    def calibration(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean chance, share of games won and number of positions in each of `BINS` equal parts of the chances.

        Parts with fewer than `FEWEST` positions are left out.
        """
        said = self.judged & ~np.isnan(self.winrate)
        chance, won = self.winrate[said], self.won[said]
        part = np.minimum((chance * BINS).astype(int), BINS - 1)
        count = np.bincount(part, minlength=BINS)
        kept = count >= FEWEST
        means = [np.bincount(part, values, BINS)[kept] / count[kept] for values in (chance, won)]
        return means[0], means[1], count[kept]


def examine(
    judge: Evaluator, source: Source, *, count: int | None = None, symmetries: int = 1, profiles: bool = False,
    batch: int = 256, report: Callable[[int], None] | None = None,
) -> Verdicts:  # fmt: skip
    """Ask a network about the first `count` samples of a source (all of an epoch by default).

    The source's samples are int8 planes and moves, for a network with a value head outcomes (`gocnn.targets`), and with
    `profiles` those, which the network is then told. Of each position, so many `symmetries` are averaged. `report` is
    called with the samples done.
    """
    count = len(source) if count is None else min(count, len(source))
    parts = []
    for first in range(0, count, batch):
        planes, moves, *others = source.batch(first, min(batch, count - first))
        given = others.pop() if profiles else None
        outcome = others[0] if others else np.full((len(moves), 3), np.nan, np.float32)
        needed, won, lead = outcome[:, NEEDED], outcome[:, WON], outcome[:, LEAD]
        found = judge.evaluate_planes(planes, needed, symmetries, given)
        said = found.policy[np.arange(len(moves)), moves]
        nothing = np.full(len(moves), np.nan)
        parts.append(
            Verdicts(
                stones=stones_on(judge.plane_set, planes),
                place=_places(found.policy, moves),
                nats=-np.log(np.maximum(said, 1e-30)),
                won=won,
                judged=~np.isnan(won + needed) & (found.winrate is not None),
                winrate=nothing if found.winrate is None else found.winrate,
                lead_error=nothing if found.lead is None else _lead_error(found.lead, needed, lead),
            )
        )
        if report:
            report(first + len(moves))
    return Verdicts(**{name: np.concatenate([vars(part)[name] for part in parts]) for name in vars(parts[0])})


def _places(policy: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """int64 [B]: how many moves a policy (float [B, moves]) puts before the one that was played.

    Of equals, which half precision makes many of, the first one leads; what is no number leads nobody.
    """
    said = policy[np.arange(len(moves)), moves][:, None]
    earlier = np.arange(policy.shape[1]) < moves[:, None]
    return np.asarray((~(policy <= said) | ((policy == said) & earlier)).sum(1))


def _lead_error(said: np.ndarray, needed: np.ndarray, lead: np.ndarray) -> np.ndarray:
    """float [B]: points by which a network errs about leads beyond those needed; nan where either is not known.

    What is no number is wrong by more than any.
    """
    error = np.abs(said + needed - lead)
    return np.where(np.isnan(error) & ~np.isnan(needed + lead), np.inf, error)


def picture(verdicts: Verdicts) -> Figure:
    """Accuracy by the phase of the game, and for a network that says who wins, its accuracy and its calibration."""
    from gocnn.visualize.drawing import canvas

    value = bool(verdicts.judged.any())
    figure, axes = canvas(1, 3 if value else 1, cell=3.2, wide=1.25)
    phases = [(stones, part) for stones, part in verdicts.phases() if len(part.place) >= FEWEST]
    middle = [stones.start + PHASE / 2 for stones, _ in phases]
    _curve(axes[0, 0], middle, [100 * float(np.mean(part.place < TOP)) for _, part in phases], f"in the first {TOP}")
    _curve(axes[0, 0], middle, [100 * float(np.mean(part.place == 0)) for _, part in phases], "the first")
    axes[0, 0].set(title="The move that was played", xlabel="stones on the board", ylabel="%", ylim=(0, 100))
    if value:
        judged = [(at, part) for at, (_, part) in zip(middle, phases) if len(part.right) >= FEWEST]
        _curve(axes[0, 1], [at for at, _ in judged], [100 * float(np.mean(part.right)) for _, part in judged], "")
        axes[0, 1].axhline(50, color="0.6", linewidth=0.8)
        axes[0, 1].set(title="The winner", xlabel="stones on the board", ylabel="right, %", ylim=(40, 100))
        chance, won, count = verdicts.calibration()
        axes[0, 2].plot([0, 100], [0, 100], color="0.6", linewidth=0.8)
        axes[0, 2].plot(100 * chance, 100 * won, linewidth=0.8)
        # The ends hold few positions, and those of fewer games: an area for each position shows what to believe.
        axes[0, 2].scatter(100 * chance, 100 * won, s=300 * count / count.sum())
        axes[0, 2].set(title="Its chance, held against the outcome", xlabel="said, %", ylabel="won, %")
        axes[0, 2].set(xlim=(0, 100), ylim=(0, 100))
    axes[0, 0].legend(frameon=False, loc="lower right")
    return figure


def _curve(axes: Axes, x: Sequence[float], y: Sequence[float], label: str) -> None:
    axes.plot(x, y, marker="o", markersize=3.5, linewidth=1.4, label=label or None)
