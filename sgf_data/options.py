"""What options of commands that choose games have in common."""

from __future__ import annotations

import click

from sgf_data.values import ANY_YEAR


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
