"""The Python of the documentation runs, page by page, from top to bottom."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from gocnn.cli import main

DOCS = Path(__file__).parents[1] / "docs"
#: page -> what stands in its code, and what for a test, since a dream or a painting would take minutes.
PAGES: dict[str, dict[str, str]] = {
    "dream.md": {"octaves=3": "octaves=1, steps=2"},
    "instruments.md": {},
    "mechanism.md": {},
    "records.md": {},
    "search.md": {},
    "style.md": {"longer=512, steps=60": "longer=64, steps=2"},
}


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_a_page_s_code_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "game.sgf").write_text("(;SZ[9]PB[Ann]PW[Bo];B[cc];W[ee])")
    assert CliRunner().invoke(main, ["data", "build", "game.sgf", "-o", "games.arrow"]).exit_code == 0
    text = (DOCS / page).read_text(encoding="utf-8")
    for there, here in PAGES[page].items():
        assert there in text
        text = text.replace(there, here)
    names: dict[str, object] = {"__name__": "page"}
    for block in re.finditer(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        first_line = text[: block.start(1)].count("\n")
        exec(compile("\n" * first_line + block[1], str(DOCS / page), "exec"), names)
