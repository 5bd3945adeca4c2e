"""Fixtures of the engine's tests."""

from __future__ import annotations

import pytest

from tests.go.support import gnugo_path


@pytest.fixture
def gnugo() -> str:
    """GNU Go's command line, quick and repeatable; the test is skipped where it is missing."""
    path = gnugo_path()
    if path is None:
        pytest.skip("GNU Go is not installed (apt install gnugo)")
    return f"{path} --mode gtp --level 1 --seed 1 --chinese-rules --positional-superko"
