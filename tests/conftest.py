"""Set-up for all tests: no deadlines, and signals that arrive."""

from __future__ import annotations

import signal

from hypothesis import settings


def pytest_configure() -> None:
    """Give hypothesis no deadline: a first example may have to compile, and a busy machine is no failure."""
    settings.register_profile("gocnn", deadline=None)
    settings.load_profile("gocnn")
    # `nohup make test &` has both ignored, and the programs that are tested would inherit that.
    for name in ("SIGINT", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
