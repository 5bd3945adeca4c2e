"""Find SGF files in directories and archives, and read them without unpacking anything to disk."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

ZIP_ENDINGS = (".zip",)
TAR_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz")
FOREIGN_ENDINGS = (".7z", ".rar", ".tar.zst", ".tar.lz", ".tar.z", ".lzh", ".lha", ".arj", ".cab")
PACKED_ENDINGS = (".sgf.gz", ".sgf.bz2", ".sgf.xz")
SGF_ENDINGS = (".sgf", *PACKED_ENDINGS)

NESTED = "an archive in an archive is not read; unpack the outer one"
FOREIGN = "an archive of this kind is not read; unpack it, or make a zip of it"

# RuntimeError is what zipfile raises for an encrypted member, NotImplementedError (one of its kind)
# for an unknown compression; ValueError and IndexError for names of members that are damaged.
_ARCHIVE_ERRORS = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    IndexError,
    lzma.LZMAError,
    zlib.error,
    tarfile.TarError,
    zipfile.BadZipFile,
)
_DECOMPRESSORS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}


@dataclass(frozen=True)
class SourceFile:
    """A file on disk that holds records: an SGF file or an archive of them."""

    path: str
    size: int  # bytes; 0 if it cannot be looked at


@dataclass(frozen=True)
class Blob:
    """The bytes of one SGF file, or the reason why there are none."""

    path: str  # "name.sgf", or "archive.tar.xz!inner/name.sgf"; always printable text
    data: bytes = b""
    error: str = ""  # not empty: the file (or the rest of the archive) could not be read
    consumed: int = 0  # bytes of the file on disk read since the last blob, for progress bars


def find(sources: Iterable[str | os.PathLike[str]]) -> list[SourceFile]:
    """List the files that `sources` mean, in an order that does not depend on the file system.

    A file stands for itself, whatever its name. A directory stands for the SGF files and archives
    anywhere below it, by name in alphabetical order. A path that does not exist and a directory
    without any such file are listed too, so that `read` reports them in their turn.
    """
    files = []
    for source in sources:
        source = os.fspath(source)
        if os.path.isdir(source):
            files += [_look_at(path) for path in _walk(source) or [source]]
        else:
            files.append(_look_at(source))
    return files


def read(files: Iterable[SourceFile]) -> Iterator[Blob]:
    """Yield the SGF files in `files`, opening archives as they come.

    An archive is streamed: one member is in memory at a time. Members not called ``*.sgf`` are
    skipped; ``*.sgf.gz``, ``*.sgf.bz2`` and ``*.sgf.xz`` are such files, too. A file that cannot be
    read, an archive that breaks off in the middle, one of another kind (such as 7z), one in another
    one and one with no SGF file in it are each a Blob with an error, and the rest goes on.
    """
    for file in files:
        kind = _kind(file.path)
        name = printable(file.path)
        try:
            if kind == "zip":
                yield from _read_zip(file, name)
            elif kind == "tar":
                yield from _read_tar(file, name)
            elif kind == "foreign":
                yield Blob(name, error=FOREIGN, consumed=file.size)
            elif kind == "directory":
                os.listdir(file.path)  # says why, if it cannot be read
                yield Blob(name, error="no .sgf file or archive in this directory")
            else:
                with open(file.path, "rb") as stream:
                    yield Blob(name, _unpacked(file.path, stream.read()), consumed=file.size)
        except _ARCHIVE_ERRORS as error:
            detail = getattr(error, "strerror", None) or str(error) or type(error).__name__
            yield Blob(name, error=detail)


def printable(path: str) -> str:
    """The path as text that can always be written: bytes other than UTF-8 as \\x escapes."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _walk(top: str) -> list[str]:
    paths: list[str] = []

    def refused(error: OSError) -> None:  # a folder that `read` then reports
        paths.append(os.fspath(error.filename))

    seen: set[tuple[int, int]] = set()
    for folder, folders, names in os.walk(top, onerror=refused, followlinks=True):
        there = os.stat(folder)
        if (there.st_dev, there.st_ino) in seen:  # a link that leads back
            folders.clear()
            continue
        seen.add((there.st_dev, there.st_ino))
        folders.sort()
        for name in sorted(names):
            if _is_sgf(name) or _is_archive(name):
                paths.append(os.path.join(folder, name))
    return paths


def _look_at(path: str) -> SourceFile:
    try:
        return SourceFile(path, os.stat(path).st_size)
    except OSError:
        return SourceFile(path, 0)


def _is_sgf(name: str) -> bool:
    # "._game.sgf" is what macOS adds to archives for its own use.
    base = name.rpartition("/")[2]
    return base.lower().endswith(SGF_ENDINGS) and not base.startswith("._")


def _is_archive(name: str) -> bool:
    return name.lower().endswith(ZIP_ENDINGS + TAR_ENDINGS + FOREIGN_ENDINGS)


def _kind(path: str) -> str:
    if os.path.isdir(path):
        return "directory"
    lower = path.lower()
    if lower.endswith(ZIP_ENDINGS):
        return "zip"
    if lower.endswith(FOREIGN_ENDINGS):
        return "foreign"
    return "tar" if lower.endswith(TAR_ENDINGS) else "file"


def _unpacked(name: str, data: bytes) -> bytes:
    """The bytes of an SGF file that may be compressed by itself. Raises one of _ARCHIVE_ERRORS."""
    opener = _DECOMPRESSORS.get(data[:2]) if name.lower().endswith(PACKED_ENDINGS) else None
    if opener is None:
        return data
    with opener(io.BytesIO(data)) as stream:
        return bytes(stream.read())


def _read_zip(file: SourceFile, name: str) -> Iterator[Blob]:
    found = False
    with zipfile.ZipFile(file.path) as archive:
        for member in archive.infolist():
            inner = f"{name}!{printable(member.filename)}"
            if not member.is_dir() and _is_archive(member.filename):
                found = True
                yield Blob(inner, error=NESTED, consumed=member.compress_size)
            if member.is_dir() or not _is_sgf(member.filename):
                continue
            found = True
            try:
                data = _unpacked(member.filename, archive.read(member))
                yield Blob(inner, data, consumed=member.compress_size)
            except _ARCHIVE_ERRORS as error:  # this member alone: a zip has an index, the rest can be found
                yield Blob(inner, error=str(error) or type(error).__name__, consumed=member.compress_size)
    if not found:
        yield Blob(name, error="no .sgf file in this archive")


class _Header(tarfile.TarInfo):
    """A member's header; a damaged one is an error, and not the end of the archive, for which tarfile takes it."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> _Header:
        try:
            return super().fromtarfile(archive)
        except tarfile.InvalidHeaderError as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(f"damaged: {error}") from error


def _read_tar(file: SourceFile, name: str) -> Iterator[Blob]:
    found = False
    before = 0
    with open(file.path, "rb") as raw:
        opener = _DECOMPRESSORS.get(raw.peek(2)[:2])
        inner = opener(raw) if opener else raw
        stream = _Stream(inner)
        # mode "r|": read on and on, never seek.
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header) as archive:  # type: ignore[call-overload]
            for member in archive:
                if member.isfile() and _is_archive(member.name):
                    found = True
                    yield Blob(f"{name}!{printable(member.name)}", error=NESTED)
                if not (member.isfile() and _is_sgf(member.name)):
                    continue
                found = True
                packed = archive.extractfile(member).read()
                after = raw.tell()
                inside, consumed, before = f"{name}!{printable(member.name)}", after - before, after
                try:
                    yield Blob(inside, _unpacked(member.name, packed), consumed=consumed)
                except _ARCHIVE_ERRORS as error:  # in this member
                    yield Blob(inside, error=str(error) or type(error).__name__, consumed=consumed)
            rest = archive.fileobj.buf.strip(b"\0")
        # Nothing but zeros follows; to read them is to have the decompressor check its sum.
        while not (rest or stream.ended) and (more := inner.read(1 << 20)):
            rest = more.strip(b"\0")
    if rest and not stream.ended:
        yield Blob(name, error="there is more behind the end of the archive")
    elif stream.ended:
        yield Blob(name, error="the archive breaks off")
    elif not found:
        yield Blob(name, error="no .sgf file in this archive")


class _Stream:
    """What tarfile reads from. It takes the end of the data for the end of the archive.

    A whole archive says where it ends, so that nobody comes to the end of the data.
    """

    def __init__(self, inner: IO[bytes]) -> None:
        self._inner = inner
        self.ended = False

    def read(self, size: int) -> bytes:
        data = self._inner.read(size)
        self.ended = self.ended or not data
        return data
