"""The demo of Deep Style, made smaller: more weight, more style; and a style picture of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gocnn import demos
from gocnn.demos import style as demo


@pytest.mark.slow
def test_the_more_weight_the_more_style(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "SIDE", 128)
    monkeypatch.setattr(demo, "STEPS", 20)
    shown = demos.make("style", tmp_path)
    by_weight = [shown.numbers[f"beta {beta:g}"] for beta in demo.WEIGHTS]
    assert by_weight[0]["style"] > by_weight[1]["style"] > by_weight[2]["style"]
    assert by_weight[0]["content"] < by_weight[1]["content"] < by_weight[2]["content"]
    assert (tmp_path / "style.png").read_bytes().startswith(b"\x89PNG")


def test_strokes_fill_the_sheet_and_are_the_same_every_time() -> None:
    first = demo.strokes(96, count=300)
    assert first.shape == (96, 96, 3) and np.array_equal(first, demo.strokes(96, count=300))
    blue, yellow = (first[..., 2] > first[..., 0]).mean(), (first[..., 0] > first[..., 2]).mean()
    assert blue > 0.5 and yellow > 0.05
