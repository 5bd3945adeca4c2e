"""Win rates and the Wilson interval, against values from the literature."""

from __future__ import annotations

import math

import pytest

from engine.match import Result, Tally
from engine.statistics import wilson_interval


@pytest.mark.parametrize(
    ("wins", "games", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998), table I: 81/263, 15/148, 0/20, 1/29
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_interval(wins: int, games: int, low: float, high: float) -> None:
    assert wilson_interval(wins, games) == pytest.approx((low, high), abs=5e-5)


def test_the_interval_is_symmetric_and_narrows() -> None:
    low, high = wilson_interval(30, 100)
    assert wilson_interval(70, 100) == pytest.approx((1 - high, 1 - low))
    wide = wilson_interval(3, 10)
    assert wide[0] < low < 0.3 < high < wide[1]


def result(number: int, winner: str) -> Result:
    return Result(number, "A", winner, "B+1", "agreement", 10, 1.0, {}, "", "")


def test_a_draw_is_half_a_win() -> None:
    tally = Tally.of([result(1, "A"), result(2, "B"), result(3, ""), result(4, "A")])
    assert (tally.games, tally.wins, tally.draws, tally.rate) == (4, 2, 1, 0.625)
    assert str(tally).startswith("62.5 % [")


def test_no_games() -> None:
    tally = Tally.of([])
    assert math.isnan(tally.rate)
    assert tally.interval == (0.0, 1.0)
    assert str(tally) == "no games"
