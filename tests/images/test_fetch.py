"""Fetching, offline: made-up archives are read, wrong sums are refused and leave nothing behind."""

import gzip
import hashlib
import io
import struct
import tarfile

import numpy as np
import pytest

from gocnn.images import datasets, fetch

SHAPES = ((4, 28, 28), (4,), (2, 28, 28), (2,))


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A tiny set as IDX files whose sum is the pinned one."""
    monkeypatch.setenv("GOCNN_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(1)
    arrays = [rng.integers(0, 10, shape, np.uint8) for shape in SHAPES]
    monkeypatch.setitem(fetch.SUMS, "fashion", hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest())
    return {
        name: gzip.compress(bytes((0, 0, 8, a.ndim)) + struct.pack(f">{a.ndim}I", *a.shape) + a.tobytes())
        for name, a in zip(fetch.IDX_FILES, arrays)
    }


def debian(files):
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:xz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"./{fetch.DEBIAN_FOLDER}/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    package = b"!<arch>\n"
    for name, data in (("debian-binary", b"2.0"), ("data.tar.xz", tar.getvalue())):
        package += (
            f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
        )
    return package


def test_debian_package(files, tmp_path):
    (tmp_path / "a.deb").write_bytes(debian(files))
    fetch.fetch("fashion", tmp_path / "a.deb")
    assert datasets.load("fashion", "train")[0].shape == SHAPES[0]


def test_wrong_sum_and_half_file_leave_nothing(files, tmp_path, monkeypatch):
    (tmp_path / "half.deb").write_bytes(debian(files)[:-400])
    with pytest.raises(fetch.FetchError, match=r"half\.deb"):
        fetch.fetch("fashion", tmp_path / "half.deb")
    (tmp_path / "a.deb").write_bytes(debian(files))
    monkeypatch.setitem(fetch.SUMS, "fashion", "0" * 64)
    with pytest.raises(fetch.FetchError, match="SHA-256"):
        fetch.fetch("fashion", tmp_path / "a.deb")
    assert not (tmp_path / "cache").exists()
