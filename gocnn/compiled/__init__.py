"""What a CPU without fast bfloat16 spends its time on, in compiled code.

3x3 convolutions take a quarter of the multiplications (`vectors`): in `trunk`, the Go network's trunk to play with, and
in `convolution`, a torch operator to train with. `norm_relu` is another, batch normalisation and ReLU in one; it is
faster than torch even where bfloat16 is fast. How compiled code reads bfloat16 is in `arrays`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_wanted = True  # of the whole process: torch.compile can't read what belongs to a context or a thread


def wanted() -> bool:
    """Whether networks may learn in compiled code now; outside of `left_out`, they may."""
    return _wanted


@contextmanager
def left_out() -> Iterator[None]:
    """The context in which all networks learn in torch's own code, to compare the two."""
    global _wanted
    before, _wanted = _wanted, False
    try:
        yield
    finally:
        _wanted = before
