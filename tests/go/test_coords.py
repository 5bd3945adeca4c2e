"""Names of points, there and back and as sgfmill has them."""

from __future__ import annotations

import pytest
from sgfmill import common

from gocnn.go.coords import gtp_to_point, point_to_gtp, point_to_sgf, sgf_to_point


@pytest.mark.parametrize("size", range(2, 26))
def test_round_trips_and_sgfmill(size: int) -> None:
    for point in range(size * size):
        row, column = divmod(point, size)
        vertex = point_to_gtp(point, size)
        assert vertex == common.format_vertex((size - 1 - row, column))
        assert gtp_to_point(vertex, size) == gtp_to_point(vertex.lower(), size) == point
        pair = point_to_sgf(point, size)
        assert [ord(letter) - ord("a") for letter in pair] == [column, row]
        assert sgf_to_point(pair, size) == sgf_to_point(pair.encode(), size) == point


def test_known_points() -> None:
    assert gtp_to_point("A19", 19) == 0
    assert gtp_to_point("T1", 19) == 360
    assert gtp_to_point("J10", 19) == 9 * 19 + 8
    assert point_to_gtp(180, 19) == "K10"
    assert point_to_sgf(180, 19) == "jj"


@pytest.mark.parametrize("size", [2, 9, 19, 20, 25])
def test_pass(size: int) -> None:
    last = size * size
    assert gtp_to_point("pass", size) == gtp_to_point("PASS", size) == last
    assert point_to_gtp(last, size) == "pass"
    assert sgf_to_point("", size) == sgf_to_point(b"", size) == last
    assert point_to_sgf(last, size) == ""


def test_tt_is_a_pass_up_to_19_only() -> None:
    assert sgf_to_point("tt", 19) == 361
    assert sgf_to_point(b"tt", 9) == 81
    assert sgf_to_point("tt", 20) == 19 * 20 + 19


@pytest.mark.parametrize("vertex", ["", " ", "I5", "i5", "Z1", "A0", "A20", "U1", "A-1", "A1.0", "5", "AA1", "A", "A²"])
def test_no_vertex_of_19x19(vertex: str) -> None:
    with pytest.raises(ValueError):
        gtp_to_point(vertex, 19)


@pytest.mark.parametrize("pair", ["a", "aaa", "ta", "at", "AA", "a1", "  ", b"\xff\xff"])
def test_no_sgf_point_of_19x19(pair: str | bytes) -> None:
    with pytest.raises(ValueError):
        sgf_to_point(pair, 19)


@pytest.mark.parametrize("point", [-1, 362, 1000])
def test_points_off_the_board(point: int) -> None:
    for name in (point_to_gtp, point_to_sgf):
        with pytest.raises(ValueError):
            name(point, 19)
