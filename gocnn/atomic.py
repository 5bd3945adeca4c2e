"""Files that get their name only when they are whole."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

LONGEST = 255  # bytes that a file's name can have


class AtomicFile:
    """A file that is written under another name beside its own: ``with AtomicFile(path) as file``.

    It takes its name once the block has ended in good order and the bytes are on the disk. If the
    block is left by an exception, or `keep` has been set to False, what was written is removed, and
    an older file of that name stays as it is; one that is replaced hands its permissions on. What a
    killed process leaves behind is removed by the next one that writes the same file (not on
    Windows). A link stays a link: what it points to is written. What is no file, such as /dev/null
    or a pipe, is written to as it is; and so is /dev/stdout, even where it is a file, which others
    write to before and after. Of all these `is_special` is true.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.keep = True
        self._target = Path(os.path.realpath(path))
        # Both asked of the path as it is given: what /dev/stdout leads to may have no name of its own.
        self._descriptor = _own_descriptor(path)
        is_other = self.path.exists() and not self.path.is_file() and not self.path.is_dir()
        self.is_special = self._descriptor is not None or is_other
        self._beginning = _beginning(self._target.name)
        self._temporary = self._target.with_name(f"{self._beginning}{os.getpid()}.tmp")

    def __enter__(self) -> IO[bytes]:
        """Raises OSError if the directory cannot be written to."""
        if self._descriptor is not None:
            self._file = open(os.dup(self._descriptor), "wb")
        elif self.is_special:
            self._file = open(self.path, "wb")
        else:
            self._remove_stale()
            with self._named():
                self._file = open(self._temporary, "wb")
        return self._file

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Raises OSError if what is still to be written finds no room, say."""
        if isinstance(error, OSError) and error.filename is None:  # a full disk is one, and names no file of itself
            self._name(error)
        with self._named():
            self._end(whole=kind is None and self.keep)

    def _end(self, whole: bool) -> None:
        if self.is_special:
            self._file.close()
            return
        try:
            if whole:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                with contextlib.suppress(OSError):  # none of that name yet, or none of ours
                    shutil.copymode(self._target, self._temporary)
                os.replace(self._temporary, self._target)
                _sync_directory(self._target.parent)
        finally:
            try:
                self._file.close()  # writes what is left, if the disk has room
            finally:
                self._temporary.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """An error in this context names the file by the path that it is known by, not a temporary one or none."""
        try:
            yield
        except OSError as error:
            if error.filename2 is None:  # or both names are told: it could not get the one instead of the other
                self._name(error)
            raise

    def _name(self, error: OSError) -> None:
        """Have an error of the system name this file; one that is a text alone would lose it by that."""
        if error.errno is not None:
            error.filename = str(self.path)

    def _remove_stale(self) -> None:
        """Remove the temporary files of this path whose processes, on this machine, have died."""
        pattern = re.compile(re.escape(self._beginning) + r"(\d+)\.tmp")
        for name in os.listdir(self._target.parent):
            match = pattern.fullmatch(name)
            if match and not _alive(int(match[1])):
                self._target.with_name(name).unlink(missing_ok=True)


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a whole file so that no reader, and no crash, ever meets half of it. Raises OSError."""
    with AtomicFile(path) as file:
        file.write(data)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Find out before long work whether a file can be written after it. Raises OSError that names it if it cannot."""
    place = AtomicFile(path)
    place.keep = False
    with place:
        pass


def _own_descriptor(path: str | os.PathLike[str]) -> int | None:
    """The descriptor of this process that a path is a name of, as /dev/stdout is, or a link to it; None of others."""
    if not os.path.exists(path):
        return None
    own = {os.path.realpath(folder) for folder in ("/dev/fd", "/proc/self/fd")}
    here = os.fspath(path)
    while True:
        folder, name = os.path.split(here)
        folder = os.path.realpath(folder)
        if folder in own and name.isdecimal():
            return int(name)
        here = os.path.join(folder, name)
        if not os.path.islink(here):
            return None
        here = os.path.join(folder, os.readlink(here))


def _beginning(name: str) -> str:
    """What the temporary files of a name begin with; of a name that is too long for that, a sum is its end."""
    host = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:64] or "localhost"
    room = LONGEST - len(f"..{host}.{2**32}.tmp")
    encoded = os.fsencode(name)
    if len(encoded) > room:
        name = f"{encoded[: room - 9].decode(errors='ignore')}-{hashlib.sha256(encoded).hexdigest()[:8]}"
    return f".{name}.{host}."


def _alive(pid: int) -> bool:
    if os.name == "nt":
        return True  # there is no harmless signal to ask with
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it lives, and belongs to somebody else
    return True


def _sync_directory(directory: Path) -> None:
    """Make a rename last through a power cut, where that can be asked for: not on Windows, nor in some shared folders.

    The file is whole and in its place without it.
    """
    try:
        handle = os.open(directory, os.O_RDONLY)
    except OSError:
        return
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)
