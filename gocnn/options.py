"""What options of commands have in common."""

from __future__ import annotations

import math
import os
from typing import Any

import click


class FiniteRange(click.FloatRange):
    """A number in a range, neither "nan" nor "inf", which pass every comparison or none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


class NetworkFile(click.Path):
    """The file of a network, or the name of one for Go that ships, such as b8c128, where no file is called so."""

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        from gocnn import weights

        named = None if os.path.exists(value) else weights.named(os.fspath(value))
        return super().convert(named or value, param, ctx)
