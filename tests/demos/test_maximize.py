"""What units would like best: textures, neurons, and stones that make the Go network play somewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gocnn import demos, policy, weights
from gocnn.demos import maximize as demo
from gocnn.demos import positions
from gocnn.go.coords import gtp_to_point
from gocnn.images import datasets, models
from gocnn.visualize.maximize import maximize


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("maximize")


@pytest.fixture(scope="module")
def shown(folder: Path) -> demos.Shown:
    with pytest.MonkeyPatch.context() as patch:  # a side, its edge and a corner; textures are tested below
        patch.setattr(demo, "TARGETS", ("R14", "T10", "T1"))
        patch.setattr(demo, "TEXTURES", replace(demo.TEXTURES, steps=30))
        return demos.make("maximize", folder)


def test_filters_repeat_their_texture_all_over() -> None:
    """A picture that a filter likes excites it in most places, a digit only where it has strokes, if paper does not."""
    model = models.load("digits").model
    found = maximize(model, (1, 28, 28), range(25), layer="conv1.activation", ascent=demo.TEXTURES)
    digits = torch.from_numpy(datasets.shipped("digits")[0][:200, None] / np.float32(255))

    def excited(images: torch.Tensor) -> torch.Tensor:
        """The share of each filter's map [N, 25] that is above zero."""
        with torch.no_grad():
            return (model.conv1.activation(model.conv1.conv(images)) > 0).float().mean((2, 3))

    shares = excited(torch.from_numpy(found.images)).diagonal()
    by_digits, by_paper = excited(digits).mean(0), excited(torch.zeros(1, 1, 28, 28))[0]
    climbed = torch.from_numpy(found.activations > 0)
    assert climbed.sum() >= 12 and shares[climbed].median() > 0.4
    quiet = climbed & (by_paper == 0)
    assert quiet.sum() >= 8 and (shares > 2 * by_digits)[quiet].all()


@pytest.mark.slow
def test_stones_make_the_network_play_where_it_never_would(shown: demos.Shown) -> None:
    assert list(shown.numbers["go"]) == ["R14", "T10", "T1"]
    for found in shown.numbers["go"].values():
        assert found["empty"] < 0.01 and found["persuaded"] > 0.5 and found["stones"] <= demo.STONES
        assert found["gradient ascent"] > 0.99
        assert found["points with both colours"] > 0  # one makes it no position
    assert sum(found["points with both colours"] for found in shown.numbers["go"].values()) > 3 * 25


@pytest.mark.slow
def test_the_pictures(folder: Path, shown: demos.Shown) -> None:
    files = [exhibit.file for exhibit in shown.exhibits]
    assert files == ["maximize-filters.png", "maximize-neurons.png", "maximize-go.png"]
    for file in files:
        assert (folder / file).read_bytes().startswith(b"\x89PNG")


def test_persuasion_is_by_positions_of_the_game() -> None:
    net = policy.load(weights.default())
    point = gtp_to_point("C3", 9)
    board, reached = demo.persuade(net, point, 9)
    assert len(board.moves) == len(reached) - 1 and board.is_legal(1, point)
    assert (board.liberties()[board.stones != 0] > 0).all()
    again = torch.from_numpy(positions.planes(net, board, 1)[None]).float()
    with torch.no_grad():
        assert net(again).softmax(1)[0, point].item() == pytest.approx(reached[-1], abs=1e-5)
    assert reached[-1] == max(reached)
