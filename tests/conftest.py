"""Set-up for all tests: no deadlines."""

from __future__ import annotations

from hypothesis import settings


def pytest_configure() -> None:
    """Give hypothesis no deadline: a first example may have to compile, and a busy machine is no failure."""
    settings.register_profile("gocnn", deadline=None)
    settings.load_profile("gocnn")
