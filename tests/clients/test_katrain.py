"""A session with KaTrain's own engine, game and players, where they are installed (docs/clients.md says how)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "runs" / "clients" / "katrain"


@pytest.mark.slow
def test_a_game_with_its_review_and_a_players_move(tmp_path: Path) -> None:
    if not (PACKAGES / "katrain").is_dir():
        pytest.skip("KaTrain is not installed (see docs/clients.md)")
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("in_katrain.py")), f"exec {sys.executable} -m gocnn analysis"],
        env={**os.environ, "PYTHONPATH": f"{PACKAGES}{os.pathsep}{ROOT}", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["errors"] == []
    assert seen["visits"] == 6 * [40] and seen["owners"] == 6 * [361] and seen["policies"] == 6 * [362]
    assert set(seen["best"]) < set(seen["with alternatives"])
    assert seen["pondered"] > 40
    assert seen["people"] != "pass"
    assert seen["ended"] == 0
