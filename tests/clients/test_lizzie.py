"""Lizzie itself, where it is installed (Debian: ``apt install liblizzie-java xvfb``), on a screen that nobody sees."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

JAR = Path("/usr/share/java/lizzie.jar")
ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_it_starts_the_engine_and_its_analysis(tmp_path: Path) -> None:
    """The window opens, the version is accepted, and reports come, each of which Lizzie reads or stumbles over."""
    java, screen = shutil.which("java"), shutil.which("xvfb-run")
    if java is None or screen is None or not JAR.exists():
        pytest.skip("Lizzie, Java or xvfb-run is not installed (apt install liblizzie-java xvfb)")
    log = tmp_path / "gtp.log"
    config = tmp_path / ".config" / "leela-zero" / "lizzie-config.txt"
    config.parent.mkdir(parents=True)
    (tmp_path / ".local" / "share" / "leela-zero").mkdir(parents=True)
    command = f"{sys.executable} -m gocnn gtp --log {log}"
    config.write_text(json.dumps({"leelaz": {"engine-command": command, "network-file": "none"}}))
    lizzie = subprocess.Popen(
        [screen, "-a", "-s", "-screen 0 1280x900x24", java, f"-Duser.home={tmp_path}", "-jar", str(JAR)],
        cwd=ROOT,
        env={**os.environ, "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and lizzie.poll() is None:
            said = log.read_text() if log.exists() else ""
            if said.count("> info move ") >= 5:
                break
            time.sleep(0.5)
        else:
            pytest.fail(f"no analysis: {said}")
    finally:
        os.killpg(lizzie.pid, signal.SIGTERM)
        told, _ = lizzie.communicate(timeout=30)
    assert "< 2 version" in said and "> =2 0.17 (gocnn " in said
    assert "lz-analyze" in said and " ?" not in said
    assert "featurecat.lizzie.analysis" not in told  # no line of a stack trace from where it reads the engine
