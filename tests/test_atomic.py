"""Files are whole or not there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gocnn.atomic import AtomicFile, write_atomically


def test_a_full_disk_is_told_with_the_files_name(tmp_path):
    with pytest.raises(OSError, match=r"games\.arrow") as caught, AtomicFile(tmp_path / "games.arrow"):
        raise OSError(28, "No space left on device")
    assert caught.value.filename == str(tmp_path / "games.arrow") and not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="has no such permissions")
def test_what_replaces_a_file_may_be_read_by_the_same_people(tmp_path: Path) -> None:
    path = tmp_path / "game.sgf"
    path.write_bytes(b"old")
    for mode in (0o600, 0o664):
        path.chmod(mode)
        write_atomically(path, b"new")
        assert path.stat().st_mode & 0o777 == mode


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "game.sgf"
    write_atomically(path, b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["game.sgf"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on the size of files")
def test_nothing_is_left_where_the_disk_is_full_while_it_is_closed(tmp_path: Path) -> None:
    code = f"""
import resource, signal
from gocnn.atomic import AtomicFile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
with AtomicFile({str(tmp_path / "x")!r}) as file:
    for _ in range(100):
        file.write(bytes(1000))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1], capture_output=True, text=True)
    assert "File too large" in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_exception_in_the_block_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), AtomicFile(tmp_path / "x") as file:
        file.write(b"half")
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_what_a_killed_writer_left_goes_with_the_next_write(tmp_path: Path) -> None:
    path = tmp_path / "x"
    code = f"""
import os
from gocnn.atomic import AtomicFile
AtomicFile({str(path)!r}).__enter__()
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1])
    assert len(list(tmp_path.iterdir())) == 1
    assert not path.exists()
    write_atomically(path, b"whole")
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "file")
    for data in (b"new", b"newer"):
        write_atomically(tmp_path / "link", data)
        assert (tmp_path / "link").is_symlink() and (tmp_path / "there" / "file").read_bytes() == data
    assert len(list((tmp_path / "there").iterdir())) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_what_is_no_file_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        write_atomically(pipe, b"through")
        assert reader.communicate(timeout=10)[0] == b"through"
    assert pipe.is_fifo() and len(list(tmp_path.iterdir())) == 1


def test_a_pipe_that_is_named_as_standard_output(tmp_path: Path) -> None:
    program = "from gocnn.atomic import write_atomically; write_atomically('/dev/stdout', b'whole')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, cwd=tmp_path)
    assert done.stdout == b"whole" and not list(tmp_path.iterdir())
