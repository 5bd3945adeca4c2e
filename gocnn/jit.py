"""numba's `njit`, with what it has compiled kept apart for each state of the sources.

numba renews a cached function when its own file changes, but not when one that it calls does, in another file: after an
upgrade, old and new code would work on the same arrays. So each state of all that is compiled has a cache of its own.
It is in the user's cache folder (`gocnn.cache`), which a read-only installation has, too; NUMBA_CACHE_DIR moves it.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from pathlib import Path

from numba import config, njit

from gocnn import cache

__all__ = ["njit"]

PACKAGES = ("gocnn", "sgf_data", "engine")
KEPT = 30 * 24 * 3600  # seconds that the cache of another state is kept after its last use


def state_of_sources(root: Path) -> str:
    """A sum of all files of the packages in a folder that have to do with compiled code."""
    found = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            source = path.read_bytes()
            if b"gocnn.jit" in source or b"numba" in source:
                found.update(f"{path.relative_to(root)} {len(source)}\n".encode())
                found.update(source)
    return found.hexdigest()[:16]


def prepared(folder: Path, state: str) -> Path:
    """The cache of a state of the sources, in a folder of such; those that were not used for long are removed.

    If nothing can be written there, a new folder that is removed when the program ends.
    """
    chosen = folder / state
    try:
        chosen.mkdir(parents=True, exist_ok=True)
        os.utime(chosen)
        tempfile.TemporaryFile(dir=chosen).close()
    except OSError:
        chosen = Path(tempfile.mkdtemp(prefix="gocnn-"))
        atexit.register(shutil.rmtree, chosen, ignore_errors=True)
        return chosen
    for other in folder.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - other.stat().st_mtime > KEPT:
                shutil.rmtree(other)
    return chosen


# At import, since numba asks for it at each decorator; not by the environment, which other programs would inherit.
if not config.CACHE_DIR:  # type: ignore[attr-defined]
    config.CACHE_DIR = str(  # type: ignore[attr-defined]
        prepared(cache.folder() / "compiled", state_of_sources(Path(__file__).parents[1]))
    )
