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


def test_the_network_takes_most_of_the_haze_off(shown: demos.Shown) -> None:
    scenes = shown.numbers["hazed"]
    for name, about in scenes.items():
        assert about["the network"]["psnr"] > about["in haze"]["psnr"] + 5, name
        assert about["the network"]["ssim"] > about["in haze"]["ssim"] + 0.25, name
    for name in ("cow", "dog"):
        assert scenes[name]["the network"]["psnr"] > scenes[name]["dark channel"]["psnr"] + 2, name
        assert scenes[name]["transmission error"] < 0.1, name


def test_clear_photographs_stay_as_they_are(shown: demos.Shown) -> None:
    for name, about in shown.numbers["clear"].items():
        assert about["the network"] > max(22, about["dark channel"]), name
