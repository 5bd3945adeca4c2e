"""What options of commands have in common."""

from __future__ import annotations

import math
from typing import Any

import click

from sgf_data.values import ANY_YEAR


class FiniteRange(click.FloatRange):
    """A number in a range, neither "nan" nor "inf", which pass every comparison or none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


class YearRange(click.ParamType):
    """``1990-2021``, ``2015``, or ``1990-`` and ``-2021`` for ranges with one end."""

    name = "YEAR[-YEAR]"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        first, range_, last = value.partition("-")
        try:
            if range_ and (first or last):
                years = int(first or ANY_YEAR[0]), int(last or ANY_YEAR[1])
            else:
                years = int(first), int(last or first)
        except ValueError:
            self.fail(f"{value!r} is not a year or a range of years such as 1990-2021", param, ctx)
        if years[0] > years[1]:
            self.fail(f"{value!r} ends before it begins", param, ctx)
        return years
