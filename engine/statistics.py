"""Confidence intervals of proportions."""

from __future__ import annotations

import math

#: The normal quantile of a two-sided 95 % interval.
Z95 = 1.959963984540054


def wilson_interval(successes: float, trials: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a proportion (E. B. Wilson, JASA 22, 1927); 0 to 1 if no trials.

    Unlike the usual one it stays inside 0 to 1 and means something at 0 % and 100 %.
    """
    if not trials:
        return 0.0, 1.0
    rate, z = successes / trials, Z95
    centre = rate + z * z / (2 * trials)
    spread = z * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
