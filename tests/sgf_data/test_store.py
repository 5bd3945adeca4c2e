"""The store: what is written is what is read, by this project and by others."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from gocnn.atomic import AtomicFile
from sgf_data.keys import game_key, opening_key
from sgf_data.reader import read_games
from sgf_data.record import GameRecord
from sgf_data.store import SCHEMA, StoreError, open_store, store_writer, to_batch

GAMES = b"""
(;SZ[9]KM[5.5]RE[B+R]PB[Ann]PW[Bob]BR[3d]WR[9p]DT[2020-01-02]EV[Cup]RU[Japanese];B[ee];W[cc];B[])
(;SZ[19]HA[2]AB[dp][pd]PL[W];W[pp];AE[dp]AW[aa];B[dd])
(;SZ[9]RE[Jigo]PB[\xe5\x9d\x82\xe7\x94\xb0];B[gg])
"""


def games() -> list[GameRecord]:
    found = [game for game in read_games(GAMES, "x.sgf") if isinstance(game, GameRecord)]
    assert len(found) == 3
    return found


def write(path: Path, *batches: list[GameRecord]) -> Path:
    with store_writer(path) as writer:
        for batch in batches:
            writer.write(to_batch(batch))
    return path


def assert_same(a: GameRecord, b: GameRecord) -> None:
    for name, value in vars(a).items():
        if isinstance(value, np.ndarray):
            assert value.tolist() == getattr(b, name).tolist(), name
            assert value.dtype == getattr(b, name).dtype, name
        else:
            assert value == getattr(b, name), name


@pytest.mark.parametrize("pieces", [[3], [1, 2], [1, 1, 1]])
def test_records_come_back(tmp_path: Path, pieces: list[int]) -> None:
    rest = games()
    store = open_store(write(tmp_path / "x.arrow", *[[rest.pop(0) for _ in range(n)] for n in pieces]))
    assert len(store) == 3
    for number, game in enumerate(games()):
        assert_same(store.record(number), game)
    for outside in (-1, 3):
        with pytest.raises(IndexError):
            store.record(outside)


def test_who_won_by_the_clock_or_a_rule_did_not_win_on_the_board(tmp_path: Path) -> None:
    results = ["B+R", "W+T", "B+F", "W+2.5", "Void", "W+"]
    texts = b"".join(f"(;SZ[9]RE[{result}];B[{column}e])".encode() for result, column in zip(results, "abcdef"))
    found = [game for game in read_games(texts, "x.sgf") if isinstance(game, GameRecord)]
    store = open_store(write(tmp_path / "x.arrow", found))
    assert store.moves().winner.tolist() == [1, 0, 0, -1, 0, -1]
    assert [store.record(number).winner for number in range(6)] == [1, -1, 1, -1, None, -1]


@pytest.mark.parametrize("pieces", [1, 3])
def test_moves_as_flat_arrays(tmp_path: Path, pieces: int) -> None:
    batches = [games()] if pieces == 1 else [[game] for game in games()]
    moves = open_store(write(tmp_path / "x.arrow", *batches)).moves()
    assert moves.size.tolist() == [9, 19, 9]
    assert moves.offsets.tolist() == [0, 3, 5, 6]
    assert moves.points.tolist() == [40, 20, 81, 300, 60, 60]
    assert moves.colours.tolist() == [1, -1, 1, -1, 1, 1]
    assert moves.setup_offsets.tolist() == [0, 0, 4, 4]
    assert moves.setup_at.tolist() == [0, 0, 1, 1]
    assert moves.setup_points.tolist() == [288, 72, 288, 0]
    assert moves.setup_colours.tolist() == [1, 1, 0, -1]
    assert moves.year.tolist() == [2020, 0, 0]
    assert moves.winner.tolist() == [1, 0, 0]
    assert moves.komi[0] == 5.5 and np.isnan(moves.komi[1:]).all()
    assert np.isnan(moves.margin).all()
    for number, game in enumerate(games()):
        assert moves.game_key[number] == game_key(game.size, game.moves)
        assert moves.opening_key[number] == opening_key(game.size, game.moves)
        for stored, given in zip(moves.moves_of(number), game.moves, strict=True):
            assert stored.tolist() == given.tolist()
    dtypes = {name: array.dtype.name for name, array in vars(moves).items()}
    assert dtypes == {
        "size": "int8",
        "offsets": "int64",
        "points": "int16",
        "colours": "int8",
        "setup_offsets": "int64",
        "setup_at": "int16",
        "setup_points": "int16",
        "setup_colours": "int8",
        "opening_key": "uint64",
        "game_key": "uint64",
        "year": "int16",
        "ranks": "int8",
        "komi": "float32",
        "winner": "int8",
        "margin": "float32",
    }


@pytest.mark.parametrize(
    ("result", "margin"),
    [("B+3.5", 3.5), ("W+0.5", -0.5), ("W+12", -12), ("B+R", None), ("W+", None), ("0", None), ("?", None), ("", None)],
)
def test_the_margin_is_known_where_the_game_was_counted(tmp_path: Path, result: str, margin: float | None) -> None:
    text = f"(;SZ[9]RE[{result}];B[ee])".encode()
    game = next(iter(read_games(text, "x.sgf")))
    assert isinstance(game, GameRecord)
    found = open_store(write(tmp_path / "x.arrow", [game])).moves().margin.tolist()
    assert found == [margin] if margin is not None else np.isnan(found).all()


def test_a_store_in_one_piece_is_not_copied(tmp_path: Path) -> None:
    store = open_store(write(tmp_path / "x.arrow", games()))
    before = pa.total_allocated_bytes()
    points = store.moves().points
    assert not points.flags.owndata and not points.flags.writeable
    assert pa.total_allocated_bytes() - before < 1000


def test_several_stores_are_one(tmp_path: Path) -> None:
    one = write(tmp_path / "1.arrow", games()[:1])
    two = write(tmp_path / "2.arrow", games()[1:])
    store = open_store([one, two])
    assert len(store) == 3
    assert store.moves().offsets.tolist() == [0, 3, 5, 6]
    assert_same(store.record(2), games()[2])


def test_plain_pyarrow_reads_it(tmp_path: Path) -> None:
    table = pa.ipc.open_file(str(write(tmp_path / "x.arrow", games()))).read_all()
    assert table.schema.equals(SCHEMA)
    assert table["points"].to_pylist() == [[40, 20, 81], [300, 60], [60]]
    assert table["black"].to_pylist() == ["Ann", "", "坂田"]
    assert table["komi"].to_pylist() == [5.5, None, None]
    assert table["winner"].to_pylist() == [1, None, 0]
    metadata = table.schema.metadata
    assert metadata[b"format"] == b"gocnn game store" and metadata[b"format_version"] == b"1"


def test_pandas_reads_it(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_feather(write(tmp_path / "x.arrow", games()))
    assert frame["black"].tolist() == ["Ann", "", "坂田"]
    assert frame["points"][1].tolist() == [300, 60]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a game store"),
        (b"(;B[aa])", "not a game store"),
        (None, "No such file or directory"),
    ],
)
def test_no_store(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "x.arrow"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        open_store(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    with pytest.raises(StoreError, match="Is a directory"):
        open_store(tmp_path)


def test_no_name() -> None:
    with pytest.raises(StoreError, match="no game store was named"):
        open_store([])


def test_a_damaged_store_and_other_arrow_files(tmp_path: Path) -> None:
    path = write(tmp_path / "x.arrow", games())
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(StoreError, match=r"x\.arrow: not a game store, or a damaged one"):
        open_store(path)
    whole = write(tmp_path / "y.arrow", games()).read_bytes()
    offsets = open_store(tmp_path / "y.arrow").table.column("points").chunk(0).offsets.to_numpy()
    at = whole.index(offsets.tobytes()) + 4 * (len(offsets) // 2) + 2
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1 :])
    with pytest.raises(StoreError, match=r"x\.arrow: not a game store, or a damaged one"):
        open_store(path)
    with pa.ipc.new_file(str(path), pa.schema([("a", pa.int8())])) as writer:
        writer.write(pa.record_batch({"a": pa.array([1], pa.int8())}))
    with pytest.raises(StoreError, match="an Arrow file, but not a game store"):
        open_store(path)
    later = SCHEMA.with_metadata({"format": "gocnn game store", "format_version": "99"})
    with pa.ipc.new_file(str(path), later):
        pass
    with pytest.raises(StoreError, match="version 99; this gocnn reads version 1"):
        open_store(path)


@pytest.mark.parametrize(
    "change",
    [
        {"points": [0, 82]}, {"points": [-1, 5]}, {"colours": [2, 1]}, {"size": 26}, {"size": 1}, {"colours": [1]},
        {"setup_at": np.array([0], np.int16)}, {"setup_points": np.array([3], np.int16)},
        {"setup_at": [0], "setup_points": [81], "setup_colours": [1]},
    ],
)  # fmt: skip
def test_what_would_write_beside_the_board_is_not_opened(tmp_path: Path, change: dict[str, object]) -> None:
    fields: dict[str, object] = {"size": 9, "points": [0, 81], "colours": [1, -1]} | change
    arrays = {name: np.array(value) if isinstance(value, list) else value for name, value in fields.items()}
    with pytest.raises(StoreError, match=r"x\.arrow: a damaged game store"):
        open_store(write(tmp_path / "x.arrow", [GameRecord(**arrays)]))  # type: ignore[arg-type]


def test_nothing_is_written_if_something_goes_wrong(tmp_path: Path) -> None:
    path = tmp_path / "x.arrow"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), store_writer(path) as writer:
        writer.write(to_batch(games()))
        raise KeyboardInterrupt
    with store_writer(path):
        pass  # not a single game
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["x.arrow"]


@pytest.mark.parametrize("at", ["write", "close"])
def test_a_full_disk_leaves_no_store_and_is_told_with_the_name(
    tmp_path: Path, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "games.arrow"

    @contextmanager
    def full(*arguments: object) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(write_batch=lambda batch: refuse() if at == "write" else None)
        refuse()

    def refuse() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pa.ipc, "new_file", full)
    with pytest.raises(OSError) as failed, store_writer(path) as writer:
        writer.write(to_batch(games()))
    assert failed.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []


def test_what_the_dead_left_is_cleared_away_and_the_living_keep_theirs(tmp_path: Path) -> None:
    path = tmp_path / "x.arrow"
    with AtomicFile(path):
        (mine,) = os.listdir(tmp_path)
    other = mine.replace(f".{os.getpid()}.", ".1.")  # process 1 is always there
    dead = mine.replace(f".{os.getpid()}.", f".{2**22 + 1}.")  # above any process number
    foreign = dead.replace("x.arrow", "y.arrow")
    for name in (other, dead, foreign):
        (tmp_path / name).touch()
    with AtomicFile(path) as file:
        file.write(b"new")
    assert sorted(os.listdir(tmp_path)) == sorted([other, foreign, "x.arrow"])
