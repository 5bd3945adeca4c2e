"""What is in a game store: counts for tables, and a picture."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from sgf_data.store import GameStore


@dataclass(frozen=True)
class Summary:
    """Counts over the games of a store. Every Counter adds up to `games`, `ranks` to twice that."""

    games: int
    moves: int
    sizes: Counter[int]
    handicaps: Counter[int]
    komis: Counter[float | None]
    years: Counter[int | None]
    results: Counter[str]  # as `RESULTS`
    ranks: Counter[str]  # of both players; "" unknown
    lengths: np.ndarray  # int64 [games] moves in each game


RESULTS = (
    "black by resignation",
    "black by points",
    "black otherwise",
    "white by resignation",
    "white by points",
    "white otherwise",
    "draw",
    "none or unknown",
)


def summarise(store: GameStore) -> Summary:
    """Count what is in a store."""
    table = store.table
    ranks = _count(table["black_rank"])
    ranks.update(_count(table["white_rank"]))
    results: Counter[str] = Counter()
    for result, games in _count(table["result"]).items():
        results[_kind_of(result)] += games
    lengths = pc.list_value_length(table["points"]).to_numpy().astype(np.int64)
    return Summary(
        games=len(store),
        moves=int(lengths.sum()),
        sizes=_count(table["size"]),
        handicaps=_count(table["handicap"]),
        komis=_count(table["komi"]),
        years=_count(table["year"]),
        results=results,
        ranks=ranks,
        lengths=lengths,
    )


def by_decade(years: Counter[int | None]) -> list[tuple[str, int]]:
    """Games by decade, those before 1900 by century, in order; games without a year come last."""
    spans: Counter[tuple[int, int]] = Counter()
    for year, games in years.items():
        if year is not None:
            width = 10 if year >= 1900 else 100
            spans[(year // width * width, width)] += games
    rows = [(f"{first}-{first + width - 1}", games) for (first, width), games in sorted(spans.items())]
    return rows + ([("unknown", years[None])] if years[None] else [])


def rank_order(rank: str) -> tuple[int, int, str]:
    """For sorting: professionals from 9p down, then dan, then kyu players, then everything else."""
    number, letter = rank[:-1], rank[-1:]
    if number.isdecimal() and len(number) < 4 and letter in ("p", "d", "k"):
        strength = int(number) if letter == "k" else -int(number)
        return "pdk".index(letter), strength, rank
    return 3, 0, rank


def draw(store: GameStore, path: str | os.PathLike[str]) -> None:
    """Draw years, lengths, ranks, results and where the stones are played, into a picture file.

    The ending of `path` says which kind. Raises ValueError for one that matplotlib does not know
    and OSError if the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    summary = summarise(store)
    figure = Figure(figsize=(13, 7.5), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(f"{summary.games:,} games, {summary.moves:,} moves")
    axes = figure.subplot_mosaic([["years", "lengths", "board"], ["ranks", "results", "board"]])

    years = Counter({year: n for year, n in summary.years.items() if year is not None})
    first = max(min(years, default=0), 1900)
    shown = {year: n for year, n in years.items() if year >= first}
    axes["years"].bar(list(shown), list(shown.values()), width=1.0)
    axes["years"].set_title(f"games a year{' since 1900' if first == 1900 else ''}")

    axes["lengths"].hist(summary.lengths, bins=60)
    axes["lengths"].set_title("moves in a game")

    _bars(axes["ranks"], [(r, summary.ranks[r]) for r in _chief_ranks(summary.ranks)])
    axes["ranks"].set_title("ranks of the players")
    _bars(axes["results"], [(kind, summary.results[kind]) for kind in RESULTS])
    axes["results"].set_title("won by")

    size = summary.sizes.most_common(1)[0][0] if summary.sizes else 19
    image = axes["board"].imshow(_where_played(store, size), cmap="magma", vmin=0)
    axes["board"].set_title(f"moves on each point in 100 games, {size}×{size}")
    axes["board"].set_xticks([])
    axes["board"].set_yticks([])
    figure.colorbar(image, ax=axes["board"], shrink=0.6)
    figure.savefig(path, dpi=120)


def _count(column: Any) -> Counter[Any]:
    pairs = pc.value_counts(column)
    return Counter(dict(zip(pairs.field("values").to_pylist(), pairs.field("counts").to_pylist())))


def _kind_of(result: str | None) -> str:
    colour = {"B+": "black", "W+": "white"}.get((result or "")[:2])
    if result is None or colour is None:
        return "draw" if result == "0" else "none or unknown"
    if result[2:] == "R":
        return f"{colour} by resignation"
    return f"{colour} by points" if result[2:3].isdigit() else f"{colour} otherwise"


def _chief_ranks(ranks: Counter[str]) -> list[str]:
    chief = [rank for rank, _ in ranks.most_common() if rank_order(rank)[0] < 3][:20]
    return sorted(chief, key=rank_order)


def _bars(axes: Any, rows: list[tuple[str, int]]) -> None:
    axes.barh([name for name, _ in rows], [games for _, games in rows])
    axes.invert_yaxis()
    axes.tick_params(axis="y", labelsize=8)


def _where_played(store: GameStore, size: int) -> np.ndarray:
    """Moves on each point per hundred games of this size: float [size, size]."""
    moves = store.moves()
    wanted = np.repeat(moves.size == size, np.diff(moves.offsets))
    counts = np.bincount(moves.points[wanted], minlength=size * size + 1)[: size * size]
    games = max(1, int((moves.size == size).sum()))
    return 100 * counts.reshape(size, size) / games
