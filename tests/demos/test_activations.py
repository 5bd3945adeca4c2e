"""Feature maps and best patches: what is drawn is what the instruments found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gocnn import demos, policy, weights
from gocnn.demos import activations as demo
from gocnn.demos import positions
from gocnn.images import datasets, models
from gocnn.visualize.activations import activations


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("activations")


@pytest.fixture(scope="module")
def shown(folder: Path) -> demos.Shown:
    with pytest.MonkeyPatch.context() as patch:  # a third of the moves of its own games
        patch.setattr(demo, "MOVES", 40)
        return demos.make("activations", folder)


@pytest.mark.slow
def test_the_field_of_the_second_layer_is_10_pixels_and_of_the_first_block_9_points(shown: demos.Shown) -> None:
    assert shown.numbers["field"] == 10
    assert shown.numbers["go field"] == 9


@pytest.mark.slow
def test_the_patches_are_the_strongest(shown: demos.Shown) -> None:
    images, _ = datasets.shipped("digits")
    maps = activations(models.load("digits").model, "conv2", torch.from_numpy(images[:, None]).float() / 255)
    assert len(shown.numbers["digit patches"]) == 6
    for unit, values in shown.numbers["digit patches"].items():
        assert np.allclose(values, np.sort(maps[:, int(unit)].max((1, 2)))[::-1][: len(values)], atol=0.01)


@pytest.mark.slow
def test_in_the_fight_the_network_captures(shown: demos.Shown) -> None:
    move, sure = shown.numbers["moves"]["fight"]
    assert move == "L9" and sure > 0.8


@pytest.mark.slow
def test_the_pictures(folder: Path, shown: demos.Shown) -> None:
    assert len(shown.exhibits) == 4
    for exhibit in shown.exhibits:
        assert exhibit.file.startswith("activations-")
        assert (folder / exhibit.file).read_bytes().startswith(b"\x89PNG")


def test_own_games_are_games() -> None:
    net = policy.load(weights.default())
    seen = positions.own_games(net, 2, 6, every=3, seed=1)
    assert seen.shape == (4, net.config.input_planes, 19, 19)
    assert seen[:, :2].sum((1, 2, 3)).tolist() == [2, 2, 5, 5]  # before the third move and before the sixth
    assert np.array_equal(seen, positions.own_games(net, 2, 6, every=3, seed=1))


def test_the_fight_is_one() -> None:
    board = positions.position(positions.FIGHT)
    assert board.to_move == 1 and board.liberties()[9, 9] == 1 and board.liberties()[9, 10] == 1
    assert board.play(1, 10 * 19 + 10) == 1
