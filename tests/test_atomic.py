"""Files are whole or not there."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gocnn.atomic import AtomicFile, write_atomically

LONGEST = ["x" * 249 + ".arrow", "é" * 124 + "x.arrow"]  # of 255 bytes, as many as names can have


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


def test_a_folder_that_cannot_be_synchronised_takes_files_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As shared folders of virtual machines and old network drives do."""
    synchronise = os.fsync

    def files_only(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        synchronise(handle)

    monkeypatch.setattr(os, "fsync", files_only)
    write_atomically(tmp_path / "game.sgf", b"whole")
    assert (tmp_path / "game.sgf").read_bytes() == b"whole" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on the size of files")
@pytest.mark.parametrize("size", [100_000, 10_001])  # more than is written at once, and what is written at the end only
def test_nothing_is_left_where_the_disk_is_full_while_it_is_closed(tmp_path: Path, size: int) -> None:
    code = f"""
import resource, signal
from gocnn.atomic import AtomicFile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
with AtomicFile({str(tmp_path / "x")!r}) as file:
    for _ in range({size} // 73):
        file.write(bytes(73))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1], capture_output=True, text=True)
    assert done.stderr.endswith(f"File too large: {str(tmp_path / 'x')!r}\n")
    assert not list(tmp_path.iterdir())


def test_an_exception_in_the_block_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), AtomicFile(tmp_path / "x") as file:
        file.write(b"half")
        raise RuntimeError
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["x", *([] if sys.platform == "win32" else LONGEST)])
def test_what_a_killed_writer_left_goes_with_the_next_write(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
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
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


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


@pytest.mark.skipif(sys.platform == "win32", reason="has no such names")
@pytest.mark.parametrize("redirection", [">", ">>"])
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "link"])
def test_a_file_that_is_named_as_standard_output_keeps_what_else_is_written(
    tmp_path: Path, name: str, redirection: str
) -> None:
    (tmp_path / "link").symlink_to("/dev/stdout")
    (tmp_path / "out").write_text("before\n")
    program = "import sys; from gocnn.atomic import write_atomically; write_atomically(sys.argv[1], b'whole\\n')"
    line = f'{{ echo header; "$0" -c "$1" "$2"; echo footer; }} {redirection} out'
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run(["sh", "-c", line, sys.executable, program, name], check=True, cwd=tmp_path, env=environment)
    before = "before\n" * (redirection == ">>")
    assert (tmp_path / "out").read_text() == f"{before}header\nwhole\nfooter\n"
    assert {entry.name for entry in tmp_path.iterdir()} == {"link", "out"}


@pytest.mark.skipif(sys.platform == "win32", reason="whole paths are no longer than that")
@pytest.mark.parametrize("name", LONGEST)
def test_two_of_the_longest_names_are_written_side_by_side(tmp_path: Path, name: str) -> None:
    path, other = tmp_path / name, tmp_path / f"{name[:-1]}x"
    with AtomicFile(path) as file, AtomicFile(other) as beside:
        file.write(b"one")
        beside.write(b"other")
    assert path.read_bytes() == b"one" and other.read_bytes() == b"other" and len(list(tmp_path.iterdir())) == 2
