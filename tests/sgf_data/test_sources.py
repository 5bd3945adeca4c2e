"""Finding and streaming SGF files from directories and archives."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sgf_data import sources

FILES = {
    "a.sgf": b"(;B[aa])",
    "deep/er/b.SGF": b"(;B[bb])",
    "notes.txt": b"(;B[cc])",
    "__MACOSX/._a.sgf": b"\x00\x05\x16\x07",
}
FOUND = {"a.sgf": b"(;B[aa])", "deep/er/b.SGF": b"(;B[bb])"}


def make_tar(path: Path, mode: str = "w:") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in FILES.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def make_zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)
    return path


def contents(*paths: Path) -> dict[str, bytes]:
    blobs = list(sources.read(sources.find(paths)))
    assert not any(blob.error for blob in blobs), blobs
    return {blob.path: blob.data for blob in blobs}


def errors(*paths: Path) -> list[tuple[str, str]]:
    return [(b.path, b.error) for b in sources.read(sources.find(paths)) if b.error]


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("x.tar", "w:"),
        ("x.tar.gz", "w:gz"),
        ("x.tgz", "w:gz"),
        ("x.tar.bz2", "w:bz2"),
        ("x.tar.xz", "w:xz"),
        ("X.TAR.XZ", "w:xz"),
    ],
)
def test_tar(tmp_path: Path, name: str, mode: str) -> None:
    path = make_tar(tmp_path / name, mode)
    assert contents(path) == {f"{path}!{inner}": data for inner, data in FOUND.items()}


def test_zip(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "x.zip")
    assert contents(path) == {f"{path}!{inner}": data for inner, data in FOUND.items()}


def test_directory_with_archives_in_it_in_alphabetical_order(tmp_path: Path) -> None:
    for name in ("b/2.sgf", "b/1.sgf", "a.sgf", "c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    make_zip(tmp_path / "z.zip")
    found = contents(tmp_path)
    inner = [f"z.zip!{name}" for name in FOUND]
    assert list(found) == [f"{tmp_path}/{name}" for name in ["a.sgf", *inner, "b/1.sgf", "b/2.sgf"]]


def test_a_file_that_is_named_is_read_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "game.txt"
    path.write_bytes(b"(;B[aa])")
    assert contents(path) == {str(path): b"(;B[aa])"}


@pytest.mark.parametrize("kind", ["tar.gz", "tar.xz", "tar", "zip"])
def test_consumed_adds_up_to_the_size(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"x.{kind}"
    if kind == "zip":
        make_zip(path)
    else:
        make_tar(path, "w:" + kind[4:])
    files = sources.find([path])
    assert files == [sources.SourceFile(str(path), path.stat().st_size)]
    assert 0 < sum(blob.consumed for blob in sources.read(files)) <= path.stat().st_size


def test_what_cannot_be_read_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "fake.zip").write_bytes(b"no zip")
    (tmp_path / "fake.tar.gz").write_bytes(b"no tar")
    (tmp_path / "empty").mkdir()
    (tmp_path / "good.sgf").write_bytes(b"(;B[aa])")
    paths = [tmp_path / n for n in ("fake.zip", "fake.tar.gz", "none.sgf", "empty", "good.sgf")]
    blobs = list(sources.read(sources.find(paths)))
    assert [blob.path for blob in blobs] == [str(path) for path in paths]
    assert [bool(blob.error) for blob in blobs] == [True, True, True, True, False]
    assert blobs[2].error == "No such file or directory"
    assert blobs[3].error == "no .sgf file or archive in this directory"


@pytest.mark.parametrize("name", ["b.7z", "c.RAR", "d.tar.zst"])
def test_archives_of_other_kinds_are_reported(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.sgf").write_bytes(b"(;B[aa])")
    (tmp_path / name).write_bytes(b"7z\xbc\xaf\x27\x1c")
    assert errors(tmp_path) == [(str(tmp_path / name), sources.FOREIGN)]
    assert errors(tmp_path / name) == [(str(tmp_path / name), sources.FOREIGN)]
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(tmp_path / name, name)
    assert errors(tmp_path / "x.zip") == [(f"{tmp_path}/x.zip!{name}", sources.NESTED)]


@pytest.mark.parametrize("mode", ["w:", "w:gz", "w:bz2", "w:xz"])
def test_a_broken_off_tar_is_never_taken_for_a_whole_one(tmp_path: Path, mode: str) -> None:
    whole = make_tar(tmp_path / "whole.tar", mode).read_bytes()
    path = tmp_path / "part.tar"
    needed = 512 * 9 if mode == "w:" else len(whole)  # then come blocks of zeros, to the end
    reported = 0
    for length in range(0, needed, max(1, needed // 40)):
        path.write_bytes(whole[:length])
        blobs = list(sources.read(sources.find([path])))
        complete = [blob.data for blob in blobs if not blob.error] == list(FOUND.values())
        assert blobs[-1].error or complete, f"cut at {length} of {len(whole)}"
        reported += bool(blobs[-1].error)
    assert reported > 30


@pytest.mark.parametrize("mode", ["w:", "w:gz", "w:bz2", "w:xz"])
def test_a_damaged_header_in_a_tar_loses_no_game_silently(tmp_path: Path, mode: str) -> None:
    plain = bytearray(make_tar(tmp_path / "whole.tar", "w:").read_bytes())
    second = plain.rindex(b"ustar")  # in a later member's header
    plain[second - 100] ^= 0x40
    path = tmp_path / "damaged.tar"
    pack = {"w:": bytes, "w:gz": gzip.compress, "w:bz2": bz2.compress, "w:xz": lzma.compress}[mode]
    path.write_bytes(pack(bytes(plain)))
    blobs = list(sources.read(sources.find([path])))
    assert blobs[-1].error.startswith("damaged") and blobs[-1].path == str(path)


def test_a_wrong_check_sum_and_what_follows_the_end_are_reported(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(make_tar(tmp_path / "whole.tar", "w:").read_bytes()))
    packed[-6] ^= 1  # of the sum
    path = tmp_path / "x.tar.gz"
    path.write_bytes(bytes(packed))
    assert list(sources.read(sources.find([path])))[-1].error
    whole = (tmp_path / "whole.tar").read_bytes()
    (tmp_path / "two.tar").write_bytes(whole + whole)
    assert list(sources.read(sources.find([tmp_path / "two.tar"])))[-1].error.startswith("there is more behind")


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() == 0, reason="nothing is closed to root")
def test_a_folder_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed").chmod(0)
    (tmp_path / "good.sgf").write_bytes(b"(;B[aa])")
    blobs = list(sources.read(sources.find([tmp_path])))
    assert sorted(bool(blob.error) for blob in blobs) == [False, True]


def test_an_archive_without_games_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing")
    assert errors(path) == [(str(path), "no .sgf file in this archive")]


def test_a_damaged_member_of_a_zip_does_not_cost_the_others(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "x.zip")
    data = bytearray(path.read_bytes())
    at = data.index(b"a.sgf") + 6
    data[at : at + 2] = b"\xff\xff"
    path.write_bytes(bytes(data))
    blobs = list(sources.read(sources.find([path])))
    assert [bool(blob.error) for blob in blobs] == [True, False]


@pytest.mark.parametrize("wrong", [b"\xff.sgf", b"\0.sgf"])
def test_a_zip_whose_names_are_damaged_does_not_cost_the_other_files(tmp_path: Path, wrong: bytes) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("é.sgf", "(;B[aa])")
    data = path.read_bytes()
    assert data.count("é.sgf".encode()) == 2  # before the member and in the index
    path.write_bytes(data.replace("é.sgf".encode(), wrong.rjust(6, b"\0") if wrong[0] == 0 else b"\xff" + wrong))
    (tmp_path / "y.sgf").write_bytes(b"(;B[aa])")
    blobs = list(sources.read(sources.find([tmp_path])))
    assert [bool(blob.error) for blob in blobs] == [True, False]
    assert blobs[0].path.startswith(str(path))


@pytest.mark.skipif(sys.platform != "linux", reason="needs file names that are any bytes")
def test_names_that_are_no_text(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/\xb3\xd2.sgf", "wb") as file:
        file.write(b"(;B[aa])")
    (name,) = contents(tmp_path)
    assert name == f"{tmp_path}/\\xb3\\xd2.sgf"
    name.encode("utf-8")


def test_an_archive_in_an_archive_is_told_and_the_rest_read(tmp_path: Path) -> None:
    inner = make_zip(tmp_path / "inner.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as archive:
        archive.writestr("2021/january.zip", inner)
        archive.writestr("a.sgf", FILES["a.sgf"])
    with tarfile.open(tmp_path / "outer.tar", "w") as tar:
        tar.add(tmp_path / "inner.zip", "january.zip")
    for name, member, found in (("outer.zip", "2021/january.zip", 1), ("outer.tar", "january.zip", 0)):
        blobs = list(sources.read(sources.find([tmp_path / name])))
        assert [(blob.path, blob.error) for blob in blobs if blob.error] == [
            (f"{tmp_path / name}!{member}", sources.NESTED)
        ]
        assert [blob.data for blob in blobs if not blob.error] == [FILES["a.sgf"]] * found


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_a_game_that_is_compressed_by_itself(tmp_path: Path, ending: str, pack: Callable[[bytes], bytes]) -> None:
    game = b"(;B[aa]C[" + b"a comment " * 50 + b"])"
    (tmp_path / f"a.SGF.{ending}").write_bytes(pack(game))
    (tmp_path / f"b.sgf.{ending}").write_bytes(game)  # a name that is not true
    (tmp_path / f"c.sgf.{ending}").write_bytes(pack(game)[:-20])
    (tmp_path / f"notes.{ending}").write_bytes(pack(b"no game"))
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive, tarfile.open(tmp_path / "e.tar", "w") as tape:
        for path in sorted(tmp_path.glob(f"*.{ending}")):
            archive.write(path, path.name)
            tape.add(path, path.name)
    for top in ("", "d.zip!", "e.tar!"):
        where = tmp_path / top.removesuffix("!") if top else tmp_path
        blobs = {Path(blob.path.rpartition("!")[2]).name: blob for blob in sources.read(sources.find([where]))}
        assert [blobs[f"{name}.{ending}"].data for name in ("a.SGF", "b.sgf")] == [game, game]
        assert blobs[f"c.sgf.{ending}"].error and f"notes.{ending}" not in blobs


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "games").mkdir()
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    (tmp_path / "elsewhere" / "deep" / "a.sgf").write_bytes(FILES["a.sgf"])
    (tmp_path / "games" / "more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "deep" / "back").symlink_to(tmp_path / "games")
    found = [os.path.relpath(file.path, tmp_path) for file in sources.find([tmp_path / "games"])]
    assert found == [os.path.join("games", "more", "deep", "a.sgf")]
