"""What numba has compiled is never used with other sources than it was made of."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gocnn import jit

ROOT = Path(__file__).parents[1]
CALLED = """
from gocnn.jit import njit

@njit(cache=True)
def called():
    return {}
"""
CALLER = """
from gocnn.called import called
from gocnn.jit import njit

@njit(cache=True)
def caller():
    return called() + 1
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with a package of two modules, of which one calls what the other has."""
    package = tmp_path / "site" / "gocnn"
    package.mkdir(parents=True)
    for name in ("__init__.py", "cache.py", "jit.py"):
        shutil.copy(ROOT / "gocnn" / name, package)
    (package / "caller.py").write_text(CALLER)
    (package / "called.py").write_text(CALLED.format(1))
    return package.parent


def answer(site: Path, cache: Path) -> int:
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment |= {"PYTHONPATH": str(site), "GOCNN_CACHE": str(cache)}
    program = "from gocnn.caller import caller; print(caller())"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=site, env=environment, capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_a_function_is_renewed_with_what_it_calls(site: Path, tmp_path: Path) -> None:
    """Though its own file stays as it is, time stamp and all."""
    cache = tmp_path / "cache"
    assert answer(site, cache) == 2
    (first,) = (cache / "compiled").iterdir()
    kept = {path: path.stat().st_mtime_ns for path in first.rglob("*.nbc")}
    assert len(kept) == 2
    assert answer(site, cache) == 2 and {path: path.stat().st_mtime_ns for path in first.rglob("*.nbc")} == kept
    (site / "gocnn" / "called.py").write_text(CALLED.format(5))
    assert answer(site, cache) == 6
    assert len(list((cache / "compiled").iterdir())) == 2


def test_where_no_cache_can_be_written_there_is_none(site: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    assert answer(site, tmp_path / "cache") == 2


def test_caches_of_former_states_are_removed_in_time(tmp_path: Path) -> None:
    for name, age in (("old", jit.KEPT + 60), ("recent", 60)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    assert jit.prepared(tmp_path, "now") == tmp_path / "now"
    assert {path.name for path in tmp_path.iterdir()} == {"now", "recent"}


def test_all_compiled_modules_are_of_the_state() -> None:
    """Whoever took njit from numba itself would have it keep its files beside the sources."""
    for package in jit.PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            assert "from numba import njit" not in path.read_text(encoding="utf-8") or path.name == "jit.py", path
