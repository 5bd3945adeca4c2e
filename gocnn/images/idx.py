"""The IDX format in which MNIST and its like are published: a typed array of bytes behind a short header."""

from __future__ import annotations

import gzip
import zlib

import numpy as np


class IdxError(ValueError):
    """Bytes that are no IDX array of unsigned bytes, or only a part of one; the text says which."""


def read(data: bytes) -> np.ndarray:
    """The uint8 array in an IDX file, gzipped or plain. Raises IdxError.

    The header is two zero bytes, the type (8: unsigned byte), the number of axes, and each axis as a big-endian
    32-bit number.
    """
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise IdxError(f"a damaged gzip file ({error})") from error
    if len(data) < 4 or data[:3] != b"\0\0\x08":
        raise IdxError("no IDX file of unsigned bytes")
    start = 4 + 4 * data[3]
    if len(data) < start:
        raise IdxError("an IDX file that ends within its header")
    shape = tuple(int(side) for side in np.frombuffer(data, ">u4", data[3], 4))
    wanted = 1
    for side in shape:
        wanted *= side
    if len(data) - start != wanted:
        raise IdxError(f"an IDX file of {shape} holds {len(data) - start} bytes, not {wanted}")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape).copy()
