"""The demo of occlusion: what is hidden was what counted, on photographs, digits and the Go board."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gocnn import demos, policy, weights
from gocnn.demos import positions
from gocnn.go.planes import PLANE_SETS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("occlusion")


@pytest.fixture(scope="module")
def shown(folder: Path) -> demos.Shown:
    return demos.make("occlusion", folder)


@pytest.mark.slow
def test_without_its_head_the_bird_is_no_goose(shown: demos.Shown) -> None:
    duck = shown.numbers["photographs"]["duck"]
    assert duck["answer"] == "goose" != duck["then"]
    assert duck["before"] > 0.99 and duck["at worst"] < 0.3
    assert duck["inside"] > 5 * duck["box"]


@pytest.mark.slow
def test_the_barbell_is_the_ring_of_the_suit(shown: demos.Shown) -> None:
    astronaut = shown.numbers["photographs"]["astronaut"]
    assert astronaut["answer"] == "barbell" and astronaut["at worst"] < 0.01
    assert astronaut["inside"] > 2 * astronaut["box"]


@pytest.mark.slow
def test_a_few_pixels_make_another_digit(shown: demos.Shown) -> None:
    for digit, numbers in shown.numbers["digits"].items():
        assert numbers["before"] > 0.99 and numbers["at worst"] < 0.5
        assert numbers["then"] != int(digit)


@pytest.mark.slow
def test_moves_hang_on_stones(shown: demos.Shown) -> None:
    fight, opening = shown.numbers["go"]["fight"], shown.numbers["go"]["opening"]
    assert fight["before"] > 0.9 and fight["without it"] < 0.01
    assert fight["key stone"] in ("M10", "L10", "L11")  # of the capture
    assert fight["far stones"] > 0.9
    # In the opening the network would rather take the corner that has become empty.
    assert all(opening["plays then"][corner] == corner for corner in ("D16", "Q16", "Q4"))


@pytest.mark.slow
def test_the_pictures(folder: Path, shown: demos.Shown) -> None:
    assert {exhibit.file for exhibit in shown.exhibits} == {
        "occlusion-photographs.png", "occlusion.gif", "occlusion-digits.png", "occlusion-go.png",
    }  # fmt: skip
    for exhibit in shown.exhibits:
        assert (folder / exhibit.file).read_bytes()[:4] in (b"\x89PNG", b"GIF8")


def test_a_stone_taken_off_had_never_been_there() -> None:
    """Liberties are counted anew, and the move that put the stone there is forgotten; the others are not."""
    net = policy.load(weights.default())
    names = PLANE_SETS[net.config.planes].planes
    board = positions.position(positions.FIGHT)
    seen = dict(zip(names, positions.planes(net, board)))
    bare = dict(zip(names, positions.planes_without(net, board, board.recent[-1])))  # White's J10
    last = int(board.recent[-1])
    assert seen["opponent's stones"].sum() - bare["opponent's stones"].sum() == 1
    assert seen["last move"].ravel()[last] == 1 and not bare["last move"].any()
    assert np.array_equal(seen["2 moves ago"], bare["2 moves ago"])
    assert seen["own chains with 1 liberty"][9, 9] == 1 and bare["own chains with 2 liberties"][9, 9] == 1  # K10
