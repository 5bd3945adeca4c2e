"""The IDX reader: what it reads, and that half a file is refused."""

import gzip
import struct

import numpy as np
import pytest

from gocnn.images import idx

ARRAY = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
FILE = b"\0\0\x08\x03" + struct.pack(">3I", 2, 3, 4) + ARRAY.tobytes()


def test_plain_and_gzipped():
    np.testing.assert_array_equal(idx.read(FILE), ARRAY)
    np.testing.assert_array_equal(idx.read(gzip.compress(FILE)), ARRAY)


@pytest.mark.parametrize("size", range(len(FILE)))
def test_a_part_is_refused(size):
    with pytest.raises(idx.IdxError):
        idx.read(FILE[:size])


def test_a_part_of_a_gzip_file_is_refused():
    with pytest.raises(idx.IdxError, match="gzip"):
        idx.read(gzip.compress(FILE)[:-9])
