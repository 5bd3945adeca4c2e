"""The course of an analysed game as a picture: Black's chance to win and his lead, or how expected the moves were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from engine.analyze import Judgement, worst
from engine.analyze_notes import for_black
from engine.game import NAMES
from gocnn.go import BLACK, WHITE
from gocnn.go.coords import point_to_gtp
from gocnn.go.drawing import has_letters
from gocnn.visualize.drawing import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKED = 5  # mistakes of each player that are marked in the picture
SMOOTH = 10  # moves of one player over which a running mean goes
_FACES = {BLACK: "black", WHITE: "white"}


def graph(judgements: Sequence[Judgement], size: int) -> Figure:
    """A figure of a game that has at least one move."""
    standings = {j.number: for_black(j.colour, j.after) for j in judgements if j.after is not None}
    if not standings:
        return _expectations(judgements, size)
    figure, axes = canvas(2, 1, cell=2.6, wide=3.4)
    upper, lower = axes[:, 0]
    moves = list(standings)
    chances = {move: 100 * standing.winrate for move, standing in standings.items()}
    leads = {move: standing.lead for move, standing in standings.items()}

    upper.plot(moves, list(chances.values()), color="#404040", linewidth=1.2)
    upper.fill_between(moves, 0, list(chances.values()), color="#d8d8d8", linewidth=0)
    upper.axhline(50, color="#808080", linewidth=0.6)
    upper.set_ylim(0, 100)
    upper.set_ylabel("Black wins, %")

    values = np.array(list(leads.values()))
    lower.plot(moves, values, color="#404040", linewidth=1.2)
    lower.axhline(0, color="#808080", linewidth=0.6)
    lower.set_ylabel("Black leads by, points")
    lower.set_xlabel("move")
    room = max(5.0, 1.25 * float(np.abs(values).max()))
    lower.set_ylim(-room, room)

    for axis, heights in ((upper, chances), (lower, leads)):
        axis.set_xlim(0, max(moves) + 1)
        for colour in (BLACK, WHITE):
            _mark(axis, worst(judgements, colour, MARKED), heights)
    return figure


def _mark(axis: Axes, mistakes: Sequence[Judgement], heights: dict[int, float]) -> None:
    """A stone and the number at each of some moves, on the side where the curve is not."""
    for judgement in mistakes:
        height = heights[judgement.number]
        axis.plot([judgement.number], [height], "o", color=_FACES[judgement.colour], markeredgecolor="black",
                  markersize=6, zorder=3)  # fmt: skip
        axis.annotate(str(judgement.number), (judgement.number, height), textcoords="offset points", ha="center",
                      xytext=(0, -14 if judgement.colour == BLACK else 7), fontsize=8)  # fmt: skip


def _expectations(judgements: Sequence[Judgement], size: int) -> Figure:
    """The probability that the network gave to each move, and a running mean for each player."""
    figure, axes = canvas(1, 1, cell=3.4, wide=2.6)
    axis = axes[0, 0]
    for colour, line in ((BLACK, "-"), (WHITE, "--")):
        mine = [judgement for judgement in judgements if judgement.colour == colour]
        moves = np.array([judgement.number for judgement in mine])
        logs = np.log10([max(judgement.probability, 1e-6) for judgement in mine])
        axis.plot(moves, 10.0**logs, "o", color=_FACES[colour], markeredgecolor="black", markersize=4,
                  markeredgewidth=0.7, label=NAMES[colour])  # fmt: skip
        if len(mine) >= SMOOTH:
            mean = np.convolve(logs, np.full(SMOOTH, 1 / SMOOTH), mode="valid")
            axis.plot(moves[SMOOTH - 1 :], 10.0**mean, line, color="#c03020", linewidth=1.2)
    heights = {judgement.number: max(judgement.probability, 1e-6) for judgement in judgements}
    axis.set_yscale("log")
    axis.set_ylim(min(min(heights.values()) / 2, 0.01), 1.5)
    axis.yaxis.set_major_formatter(lambda share, _: f"{100 * share:g} %")
    axis.set_ylabel("probability of the move played")
    axis.set_xlabel("move")
    axis.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, fontsize=8, frameon=False)
    for colour in (BLACK, WHITE):
        for judgement in worst(judgements, colour, MARKED):
            axis.annotate(f"{judgement.number} {point_to_gtp(judgement.point, size)}",
                          (judgement.number, heights[judgement.number]), xytext=(0, -12), textcoords="offset points",
                          ha="center", fontsize=7)  # fmt: skip
    return figure


def caption(judgements: Sequence[Judgement], players: dict[int, str], how: str) -> str:
    """What the picture shows, in words."""
    who = " against ".join(_drawn(players[colour], NAMES[colour]) for colour in (BLACK, WHITE))
    if any(judgement.after is not None for judgement in judgements):
        return (
            f"{who}: Black's chance to win and his lead after each of {len(judgements)} moves, by {how}. The stones "
            f"are the moves of each player's worst mistakes, up to {MARKED}."
        )
    return (
        f"{who}: the probability that the network gave to each of {len(judgements)} moves before it was played, by "
        f"{how}; the lines (White's broken) are running geometric means over {SMOOTH} moves of a player."
    )


def _drawn(player: str, colour: str) -> str:
    """A player's name and colour; the colour alone where matplotlib's own font lacks the letters."""
    return colour if player == colour or not has_letters(player) else f"{player} ({colour})"
