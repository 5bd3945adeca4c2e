"""The lecture's mechanism: its worked example to the last number, and what the demos say of colour, tables and Go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gocnn import demos, policy, weights
from gocnn.demos import colour, convolution, positions, properties
from gocnn.go.coords import gtp_to_point
from gocnn.go.core import BLACK, WHITE


def test_the_worked_example() -> None:
    found = {name: maps.tolist() for name, maps in convolution.compute().items()}
    assert found["stride 1"] == [
        [[3, -1, -3, -1], [-3, 1, 0, -3], [-3, -3, 0, 1], [3, -2, -2, -1]],
        [[-1, -1, -1, -1], [-1, -1, -2, 1], [-1, -1, -2, 1], [-1, 0, -4, 3]],
    ]
    assert found["stride 2"] == [[[3, -3], [-3, 0]], [[-1, -1], [-1, -2]]]
    assert found["max pooling"] == [[[3, 0], [3, 1]], [[-1, 1], [0, 3]]]


@pytest.mark.slow
def test_the_example_is_drawn_step_by_step(tmp_path: Path) -> None:
    shown = demos.make("convolution", tmp_path)
    assert shown.numbers["max pooling"] == [[[3, 0], [3, 1]], [[-1, 1], [0, 3]]]
    assert [exhibit.file for exhibit in shown.exhibits] == ["convolution.png", "convolution-steps.gif"]
    with Image.open(tmp_path / "convolution-steps.gif") as steps:
        assert steps.n_frames >= 2 * 16 + 4  # each place of two filters, each window of the pooling
        assert steps.info["duration"] == 1000 * convolution.SECONDS and steps.info["loop"] == 0


def test_a_filter_on_a_colour_picture_adds_its_three_slices_into_one_map() -> None:
    image, maps, parts = colour.compute()
    assert image.shape == (3, 120, 120) and maps.shape == (2, 118, 118) and parts.shape == (2, 3, 118, 118)
    assert np.allclose(parts.sum(1), maps, atol=1e-4)
    by_hand = (image[:, 40:43, 50:53] * colour.FILTERS["orange, in any shape"]).sum()
    assert maps[1, 40, 50] == pytest.approx(by_hand, abs=1e-4)
    row, col = np.unravel_index(maps[1].argmax(), maps[1].shape)
    red, green, blue = image[:, row + 1, col + 1]
    assert red > 2 * green and red > 2 * blue


@pytest.mark.slow
@pytest.mark.parametrize("name", ["colour", "dense", "shapes"])
def test_each_has_its_picture_and_its_numbers(name: str, tmp_path: Path) -> None:
    said: list[str] = []
    shown = demos.make(name, tmp_path, said.append)
    assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    numbers = shown.numbers
    if name == "colour":
        assert numbers["weights a filter"] == 27
    elif name == "dense":
        assert numbers["convolution"] == numbers["fully connected"]
        assert numbers["weights"] == {"dense": 36 * 16, "sparse": 9 * 16, "shared": 9}
        assert (numbers["conv1"]["shared"], numbers["conv2"]["shared"]) == (25 * 9, 50 * 225)
    else:
        shapes = {network: {row[0]: row[1:] for row in rows} for network, rows in numbers.items()}
        assert shapes["lecture"]["conv1.conv"] == [[26, 26, 25], 250, 9, [3, 3]]
        assert shapes["lecture"]["conv2.conv"] == [[11, 11, 50], 11_300, 225, [8, 8]]
        assert shapes["lecture"]["flatten"][0] == [1250] and shapes["lecture"]["output"][0] == [10]
        assert shapes["go"]["stem"][3] == [5, 5] and shapes["squeezenet"]["fire9"][3] == [207, 207]
        assert "conv2.conv  11×11×50      11,300         225              8×8" in said[0]


def test_three_corners_that_pooling_cannot_tell_apart() -> None:
    two_eyes, one_eye, unsettled = (properties.corner(one.stone) for one in properties.CORNERS_ALIKE)
    assert np.array_equal(properties.pooled(two_eyes.stones), properties.pooled(one_eye.stones))
    assert np.array_equal(properties.pooled(two_eyes.stones), properties.pooled(unsettled.stones))
    assert properties.lives(two_eyes)
    inside = [gtp_to_point(point, 19) for point in ("A19", "B19", "C19")]
    for point in inside:  # with one eye no move of Black's helps
        if one_eye.is_legal(BLACK, point):
            after = one_eye.copy()
            after.play(BLACK, point)
            assert not properties.lives(after)
    saved, killed = unsettled.copy(), unsettled.copy()
    saved.play(BLACK, inside[1])
    assert properties.lives(saved)
    killed.play(WHITE, inside[1])
    for point in (inside[0], inside[2]):
        after = killed.copy()
        after.play(BLACK, point)
        assert not properties.lives(after)


def test_the_crosscut_is_answered_alike_wherever_it_is() -> None:
    go = policy.load(weights.default())
    asked = [properties.crosscut(down, right) for down, right in properties.DRAWN]
    sure = positions.move_probabilities(go, [board for board, _ in asked])[:, :-1]
    assert [int(one.argmax()) for one in sure] == [wanted for _, wanted in asked]
    assert len({wanted for _, wanted in asked}) == len(properties.DRAWN)


@pytest.mark.slow
def test_photographs_keep_their_class_when_subsampled_and_positions_lose_their_move(tmp_path: Path) -> None:
    shown = demos.make("properties", tmp_path)
    assert len(shown.exhibits) == 3 and all((tmp_path / exhibit.file).exists() for exhibit in shown.exhibits)
    assert shown.numbers["crosscuts"]["same move"] >= 0.9 * shown.numbers["crosscuts"]["places"]
    assert shown.numbers["photographs"]["kept"] == shown.numbers["photographs"]["sure"] == ["coffee", "dog", "duck"]
    found = shown.numbers["positions"]
    assert found["same best move"] <= 0.1 * found["positions"]
    assert found["with as many liberties"] < 0.8 * found["stones left"] < 0.3 * found["stones"]
    assert shown.numbers["corners"] == {"same when pooled": True, "alive": [True, False, False]}
