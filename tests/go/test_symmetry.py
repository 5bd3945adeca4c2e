"""The eight symmetries as tables of points."""

from __future__ import annotations

import numpy as np
import pytest

from gocnn.go.symmetry import SYMMETRIES, point_maps
from tests.go.support import neighbours


@pytest.mark.parametrize("size", [2, 3, 9, 19, 25])
def test_maps(size: int) -> None:
    maps = point_maps(size)
    points = size * size
    assert maps.shape == (SYMMETRIES, points + 1)
    assert maps.dtype == np.int16
    assert np.array_equal(maps[0], np.arange(points + 1))
    assert (maps[:, points] == points).all()  # a pass stays a pass
    assert len({row.tobytes() for row in maps}) == SYMMETRIES
    for row in maps:
        assert sorted(row) == list(range(points + 1))
        for point in range(points):
            image = {int(row[n]) for n in neighbours(point, size)}
            assert image == set(neighbours(int(row[point]), size))


def test_they_are_a_group() -> None:
    maps = point_maps(5)
    known = {row.tobytes() for row in maps}
    for first in maps:
        for second in maps:
            assert second[first].tobytes() in known


def test_maps_cannot_be_written_to() -> None:
    with pytest.raises(ValueError):
        point_maps(9)[0, 0] = 1
