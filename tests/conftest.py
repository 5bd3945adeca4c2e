"""Set-up for all tests: no stale compiled code, and no deadlines.

numba renews a cached function when its own file changes, but not when a function that it calls, in
another file, does. Tests must never run such a mixture.
"""

from __future__ import annotations

from pathlib import Path

from hypothesis import settings

ROOT = Path(__file__).parents[1]
PACKAGES = ("gocnn", "sgf_data", "engine")


def pytest_configure() -> None:
    """Delete numba's cache files that are older than any file with compiled functions.

    hypothesis gets no deadline: the first example of a test may have to compile, and a busy machine
    is no failure.
    """
    settings.register_profile("gocnn", deadline=None)
    settings.load_profile("gocnn")
    sources = [path for name in PACKAGES for path in (ROOT / name).rglob("*.py")]
    compiled = [path for path in sources if "njit" in path.read_text(encoding="utf-8")]
    newest = max((path.stat().st_mtime for path in compiled), default=0.0)
    for name in PACKAGES:
        for cached in (ROOT / name).rglob("*.nb[ic]"):
            if cached.stat().st_mtime < newest:
                cached.unlink(missing_ok=True)
