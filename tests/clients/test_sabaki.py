"""A session with Sabaki's own controller, where it is installed: ``npm install --prefix runs/clients @sabaki/gtp``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "runs" / "clients" / "node_modules"


@pytest.mark.slow
def test_a_game_analyses_and_bursts_of_undo() -> None:
    node = shutil.which("node")
    if node is None or not (MODULES / "@sabaki" / "gtp").is_dir():
        pytest.skip("node or @sabaki/gtp is not installed (npm install --prefix runs/clients @sabaki/gtp)")
    done = subprocess.run(
        [node, str(Path(__file__).with_name("sabaki.js")), sys.executable, "-m", "gocnn", "gtp"],
        env={**os.environ, "NODE_PATH": str(MODULES)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["engine"].startswith("gocnn 0.17 (gocnn ")
    assert seen["undos"] > 10
