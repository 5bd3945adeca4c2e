"""The demo of Deep Dream, made smaller: every objective climbs, and the pictures are there."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from gocnn import demos
from gocnn.demos import dream as demo


@pytest.mark.slow
def test_dreams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "SIDE", 160)
    monkeypatch.setattr(demo, "SETTINGS", {"octaves": 2, "steps": 6})
    shown = demos.make("dream", tmp_path)
    assert [exhibit.file for exhibit in shown.exhibits] == ["dream.png", "dream.gif"]
    assert len(shown.numbers) == len(demo.DREAMS)
    assert all(found["last"] > 1.2 * found["first"] for found in shown.numbers.values())
    with Image.open(tmp_path / "dream.gif") as animation:
        assert animation.n_frames >= 6
    assert (tmp_path / "dream.png").read_bytes().startswith(b"\x89PNG")
