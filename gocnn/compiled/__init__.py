"""What a CPU without fast bfloat16 spends its time on, in compiled code.

3x3 convolutions take a quarter of the multiplications (`vectors`): in `trunk`, the Go network's trunk to play with, and
in `convolution`, a torch operator to train with. `norm_relu` is another, batch normalisation and ReLU in one; it pays
where bfloat16 is fast, too, and takes it by way of `numbers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_wanted = ContextVar("compiled code is wanted", default=True)


def wanted() -> bool:
    """Whether networks may learn in compiled code here; outside of `left_out`, they may."""
    return _wanted.get()


@contextmanager
def left_out() -> Iterator[None]:
    """The context in which networks learn in torch's own code, to compare the two."""
    before = _wanted.set(False)
    try:
        yield
    finally:
        _wanted.reset(before)
