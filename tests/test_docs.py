"""The Python of the documentation runs as it stands, page by page, from top to bottom."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGES = ("instruments.md", "mechanism.md", "search.md")  # dreams and paintings take minutes, and have their own tests


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_a_page_s_code_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (DOCS / page).read_text(encoding="utf-8")
    names: dict[str, object] = {"__name__": "page"}
    for block in re.finditer(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        first_line = text[: block.start(1)].count("\n")
        exec(compile("\n" * first_line + block[1], str(DOCS / page), "exec"), names)
