"""What options of commands have in common."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from gocnn import weights
from gocnn.options import FiniteRange, NetworkFile


def test_a_network_that_ships_has_a_name_where_no_file_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kind = NetworkFile(exists=True, dir_okay=False, path_type=Path)
    assert kind.convert("b8c128", None, None) == weights.default()
    assert kind.convert("b6c64", None, None) == weights.default().with_name("policy-b6c64.safetensors")
    (tmp_path / "b6c64").write_bytes(b"mine")
    assert kind.convert("b6c64", None, None) == Path("b6c64")
    for name in ("b7c65", "", "../weights/policy-b6c64", "b6c64.safetensors"):
        with pytest.raises(click.BadParameter, match="does not exist"):
            kind.convert(name, None, None)


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_numbers_must_be_finite(number: str) -> None:
    with pytest.raises(click.BadParameter, match="finite"):
        FiniteRange().convert(number, None, None)
