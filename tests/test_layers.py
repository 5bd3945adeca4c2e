"""Who may import whom: the packages stand in layers, and none knows those above it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def imported(file: Path) -> Iterator[str]:
    """The modules that a file imports anywhere, those with names such as "gocnn.go.Board" among them."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(
    ("package", "unknown"),
    [
        ("gocnn", ("sgf_data", "engine", "train")),
        ("sgf_data", ("engine", "train")),
        ("engine", ("train",)),
        ("gocnn/go", ("torch", "gocnn.policy", "gocnn.images", "gocnn.visualize")),
        ("gocnn/compiled", ("gocnn.images", "gocnn.visualize")),
        ("gocnn/visualize", ("gocnn.go", "gocnn.images", "gocnn.policy", "gocnn.demos")),
        ("gocnn/images", ("gocnn.go", "gocnn.policy", "gocnn.demos")),
    ],
)
def test_a_layer_knows_none_above_it(package, unknown):
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    wrong = [
        f"{file.relative_to(ROOT)} imports {module}"
        for file in files
        for module in imported(file)
        if any(f"{module}.".startswith(f"{name}.") for name in unknown)
    ]
    assert not wrong
