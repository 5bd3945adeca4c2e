"""Handicap placement as the GTP specification's table has it (section 4.1.1)."""

from __future__ import annotations

import pytest

from gocnn.go import BLACK, WHITE
from gocnn.go.coords import gtp_to_point
from gocnn.go.handicap import fixed_handicap, free_handicap, handicap_of

TABLE = {
    19: {
        2: "D4 Q16",
        3: "D4 Q16 D16",
        4: "D4 Q16 D16 Q4",
        5: "D4 Q16 D16 Q4 K10",
        6: "D4 Q16 D16 Q4 D10 Q10",
        7: "D4 Q16 D16 Q4 D10 Q10 K10",
        8: "D4 Q16 D16 Q4 D10 Q10 K4 K16",
        9: "D4 Q16 D16 Q4 D10 Q10 K4 K16 K10",
    },
    18: {4: "D4 P15 D15 P4"},
    13: {2: "D4 K10", 5: "D4 K10 D10 K4 G7", 9: "D4 K10 D10 K4 D7 K7 G4 G10 G7"},
    12: {4: "C3 K10 C10 K3"},
    11: {9: "C3 J9 C9 J3 C6 J6 F3 F9 F6"},
    9: {2: "C3 G7", 3: "C3 G7 C7", 9: "C3 G7 C7 G3 C5 G5 E3 E7 E5"},
    8: {4: "C3 F6 C6 F3"},
    7: {4: "C3 E5 C5 E3"},
    25: {9: "D4 W22 D22 W4 D13 W13 N4 N22 N13"},
}
CASES = [(size, n, names) for size, row in TABLE.items() for n, names in row.items()]


@pytest.mark.parametrize(("size", "stones", "vertices"), CASES)
def test_table(size: int, stones: int, vertices: str) -> None:
    expected = {gtp_to_point(vertex, size) for vertex in vertices.split()}
    points = fixed_handicap(size, stones)
    assert set(points) == expected
    assert len(points) == stones == len(expected)
    assert free_handicap(size, stones) == points


@pytest.mark.parametrize("size", range(2, 26))
def test_what_is_refused(size: int) -> None:
    most = 0 if size < 7 else 9 if size % 2 and size > 7 else 4
    for stones in range(-1, 12):
        if 2 <= stones <= most:
            assert len(set(fixed_handicap(size, stones))) == stones
        else:
            with pytest.raises(ValueError, match=f"{size}x{size}"):
                fixed_handicap(size, stones)


@pytest.mark.parametrize("size", range(2, 26))
def test_a_free_handicap_has_all_the_stones_that_are_asked_for(size: int) -> None:
    for stones in {2, 3, min(9, size * size - 1), min(30, size * size - 1), size * size - 1 if size < 9 else 13}:
        if stones < 2 or stones >= size * size:
            continue
        points = free_handicap(size, stones)
        assert len(set(points)) == stones and set(points) < set(range(size * size))
    for stones in (-1, 0, 1, size * size, size * size + 1):
        with pytest.raises(ValueError, match=f"{size}x{size}"):
            free_handicap(size, stones)


def test_stones_beyond_the_stars_keep_their_distance_and_off_the_edge() -> None:
    def apart(points: list[int]) -> int:
        places = [divmod(point, 18) for point in points]
        return min(abs(a - c) + abs(b - d) for i, (a, b) in enumerate(places) for c, d in places[:i])

    points = free_handicap(18, 12)
    assert apart(points) >= 5
    assert all(0 < coordinate < 17 for point in points for coordinate in divmod(point, 18))
    assert free_handicap(5, 2)[0] == gtp_to_point("C3", 5)


@pytest.mark.parametrize(
    ("moves", "stones"),
    [
        ("b C3, w pass, b D3, w pass", 2),  # White's passes between are none of his moves, as in KataGo
        ("b C3, w pass, b D3, w C4", 2),
        ("b C3, w pass, w pass, b D3", 0),  # two in a row are
        ("b pass, b C3, w pass", 0),  # Black's own pass is no stone
        ("b pass, b C3, b D3, w C4", 2),
        ("b C3, w C4, b D3, b D4", 0),
    ],
)
def test_a_handicap_that_was_played(moves: str, stones: int) -> None:
    colours = {"b": BLACK, "w": WHITE}
    played = [(colours[word[0]], gtp_to_point(word[2:], 5)) for word in moves.split(", ")]
    assert handicap_of((), played, 5) == stones
