"""The sample games that benchmarks play when they are given none: of our engine, and GNU Go's."""

from __future__ import annotations

from pathlib import Path

from sgf_data import reader, sources
from sgf_data.record import GameRecord

SAMPLES = Path(__file__).parents[1] / "sgf_data" / "samples" / "games.sgf"


def sample_games(count: int) -> list[GameRecord]:
    """So many games on 19x19 without set-up, from all over the file: neighbours in it are of the same players."""
    found = [
        record
        for blob in sources.read(sources.find([str(SAMPLES)]))
        for record in reader.read_games(blob.data, blob.path)
        if isinstance(record, GameRecord) and record.size == 19 and not record.setup_points.size
    ]
    count = min(count, len(found))
    return [found[i * len(found) // count] for i in range(count)]
