"""What the tests of training share: a store of the sample games, and the words of a short run on it."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from sgf_data.commands import data

ROOT = Path(__file__).parents[1]
POSITIONS = 960


def build_store(folder: Path) -> Path:
    """A store of the project's first sample file."""
    path = folder / "games.arrow"
    words = ["build", str(ROOT / "sgf_data" / "samples" / "games.sgf"), "-o", str(path), "--jobs", "1"]
    built = CliRunner().invoke(data, words)
    assert built.exit_code == 0, built.output
    return path


def train_words(store: Path, out: Path, *more: str) -> list[str]:
    """What `train.py` is called with for 60 steps of a small network; options in `more` count in place of these."""
    options = ["--preset", "b2c32", "--batch", "16", "--positions", str(POSITIONS), "--precision", "fp32"]
    options += ["--device", "cpu", "--seed", "4", "--validate-minutes", "100", "--validate-positions", "64"]
    return ["--data", str(store), "-o", str(out), *options, "--checkpoint-minutes", "0", *more]
