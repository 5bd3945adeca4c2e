"""Haze off photographs: the network against the dark channel, and nothing taken off where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from gocnn import demos


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> demos.Shown:
    folder = tmp_path_factory.mktemp("dehaze")
    made = demos.make("dehaze", folder)
    assert all((folder / Path(exhibit.file)).stat().st_size > 100_000 for exhibit in made.exhibits)
    return made


def test_the_network_is_nearer_to_the_truth_than_haze_and_dark_channel(shown: demos.Shown) -> None:
    scenes = shown.numbers["hazed"]
    for name, about in scenes.items():
        assert about["the network"]["psnr"] > about["in haze"]["psnr"] + 5, name
        assert about["the network"]["ssim"] > about["in haze"]["ssim"], name
        assert about["transmission error"] < 0.15, name
    gains = [about["the network"]["psnr"] - about["dark channel"]["psnr"] for about in scenes.values()]
    assert sum(gains) / len(gains) > 2, gains


def test_clear_photographs_stay_as_they_are(shown: demos.Shown) -> None:
    for name, about in shown.numbers["clear"].items():
        assert about["the network"] > max(22, about["dark channel"]), name
