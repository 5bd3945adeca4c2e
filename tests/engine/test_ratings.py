"""Ratings: closed forms, recovery of ratings that games were drawn from, and intervals that hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.levels import out_of_order, pairs
from engine.ratings import rate
from engine.statistics import Z95


def test_two_players_have_the_elo_of_their_score() -> None:
    anchor, other = rate({("a", "b"): (75, 100)}, "a", drawn=0)
    assert (anchor.player, anchor.elo, anchor.margin, anchor.games) == ("a", 0, 0, 100)
    assert other.elo == pytest.approx(-400 * math.log10(3))
    assert other.margin == pytest.approx(Z95 * 400 / math.log(10) / math.sqrt(100 * 0.75 * 0.25))


def test_a_clean_sweep_is_finite_and_more_games_make_it_larger() -> None:
    few, many = (rate({("a", "b"): (n, n)}, "b")[0] for n in (5, 50))
    assert 0 < few.elo < many.elo < 1500 and math.isfinite(many.margin)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20)), min_size=1, max_size=6))
def test_a_chain_adds_up(results: list[tuple[int, int]]) -> None:
    """Along a chain of pairs the fit is exact: each difference is that of the pair alone."""
    points = {(f"p{i}", f"p{i + 1}"): (min(won, games), games) for i, (won, games) in enumerate(results)}
    ratings = {rating.player: rating.elo for rating in rate(points, "p0")}
    for (a, b), (won, games) in points.items():
        share = (won + 0.5) / (games + 1)
        assert ratings[a] - ratings[b] == pytest.approx(400 * math.log10(share / (1 - share)), abs=1e-3)


def test_ratings_that_games_were_drawn_from_are_found() -> None:
    true = np.array([0.0, 120.0, 260.0, 330.0])
    held = trials = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        points = {}
        for a in range(4):
            for b in range(a):
                chance = 1 / (1 + 10 ** ((true[b] - true[a]) / 400))
                points[str(a), str(b)] = (float(random.binomial(100, chance)), 100)
        for rating in rate(points, "0"):
            if rating.player != "0":
                held += abs(rating.elo - true[int(rating.player)]) <= rating.margin
                trials += 1
    assert 0.88 <= held / trials <= 0.99


def test_players_without_games_against_the_rest_are_named() -> None:
    with pytest.raises(ValueError, match="c, d with a"):
        rate({("a", "b"): (1, 2), ("c", "d"): (1, 2)}, "a")
    with pytest.raises(ValueError, match="x has no games"):
        rate({("a", "b"): (1, 2)}, "x")


def test_the_benchmark_plays_neighbours_and_sees_what_is_out_of_order() -> None:
    names = ["20k", "10k", "4k"]
    met = list(pairs(names, [1, 10]))
    assert met[:2] == [("10k", "20k"), ("4k", "10k")] and ("20k", "GNU Go 1") in met and len(met) == 2 + 6
    ratings = rate({("10k", "20k"): (8, 10), ("4k", "10k"): (3, 10)}, "4k")
    assert out_of_order(ratings, names) == [("10k", "4k")]
