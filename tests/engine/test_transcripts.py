"""Golden transcripts: whole sessions, each answer to the letter.

A transcript in tests/data/gtp has what the controller sends behind "> " (with Python's escapes) and
below it the answer as it must come, up to the next "> "; a line that wants no answer has none below
it. Lines that begin with ";" are comments. The player is CentrePolicy's.
"""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest

import engine.sgf
from engine.reader import LineReader
from tests.engine.support import DATA, CentrePolicy, make_engine

TRANSCRIPTS = sorted(DATA.glob("*.txt"))


def read(path: Path) -> list[tuple[bytes, str]]:
    """(line sent, answer expected) of every exchange."""
    exchanges: list[tuple[bytes, list[str]]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(">"):
            sent = line[2:].encode().decode("unicode_escape").encode("latin-1")
            exchanges.append((sent, []))
        elif exchanges and line and not line.startswith("; "):
            exchanges[-1][1].append(line)
    return [(sent, "\n".join(answer) + "\n\n" if answer else "") for sent, answer in exchanges]


@pytest.fixture(autouse=True)
def in_a_copy_of_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The transcripts name SGF files beside them."""
    for path in DATA.iterdir():
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(engine.sgf, "__version__", "0")


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=[path.stem for path in TRANSCRIPTS])
def test_line_by_line(path: Path) -> None:
    gtp = make_engine(CentrePolicy(value=True))
    for sent, expected in read(path):
        if not gtp.closing:
            assert (gtp.answer(sent) or b"").decode() == expected, sent


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=[path.stem for path in TRANSCRIPTS])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_all_in_one_burst(path: Path, newline: bytes) -> None:
    exchanges = read(path)
    out = io.BytesIO()
    reader = LineReader(io.BytesIO(newline.join(sent for sent, _ in exchanges)))
    reader.wait_for_end()
    make_engine(CentrePolicy(value=True)).serve(reader, out)
    assert out.getvalue().decode() == "".join(expected for _, expected in exchanges)
