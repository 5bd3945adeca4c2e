"""The game store: an Arrow IPC file, one row a game, memory-mapped when it is read.

Any program that reads Arrow files reads a store: ``pyarrow.ipc.open_file``,
``pandas.read_feather``, ``polars.read_ipc``, duckdb through pyarrow. Moves are stored, not tensors:
a game takes some 900 bytes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gocnn import __version__, profile
from gocnn.atomic import AtomicFile
from gocnn.go.core import MAX_SIZE
from gocnn.go.replay import Moves, part_of
from sgf_data.keys import game_key, opening_key
from sgf_data.record import GameRecord

FORMAT = "gocnn game store"
FORMAT_VERSION = 1

_MOVE_LIST = pa.list_(pa.int16())
_COLOUR_LIST = pa.list_(pa.int8())
SCHEMA = pa.schema(
    [
        ("size", pa.int8()),
        ("points", _MOVE_LIST),  # row * size + col; size * size is a pass
        ("colours", _COLOUR_LIST),  # +1 black, -1 white
        ("setup_at", _MOVE_LIST),  # placed before this move
        ("setup_points", _MOVE_LIST),
        ("setup_colours", _COLOUR_LIST),  # 0 empties the point
        ("first_player", pa.int8()),  # 0 unknown
        ("komi", pa.float32()),
        ("handicap", pa.int8()),
        ("result", pa.string()),
        ("winner", pa.int8()),  # +1, -1, 0 for a draw
        ("black", pa.string()),
        ("white", pa.string()),
        ("black_rank", pa.string()),
        ("white_rank", pa.string()),
        ("date", pa.string()),
        ("year", pa.int16()),
        ("event", pa.string()),
        ("rules", pa.string()),
        ("source", pa.string()),
        ("game_key", pa.uint64()),
        ("opening_key", pa.uint64()),
    ],
    metadata={"format": FORMAT, "format_version": str(FORMAT_VERSION), "gocnn": __version__},
)
_COMPUTED = ("winner", "game_key", "opening_key")
_ARRAYS = ("points", "colours", "setup_at", "setup_points", "setup_colours")


class StoreError(ValueError):
    """A file is no game store, or none that this version can read. The message names the file."""


@dataclass(frozen=True)
class MoveTable:
    """All moves as flat arrays: game ``g`` has ``points[offsets[g]:offsets[g + 1]]``."""

    size: np.ndarray  # int8 [G]
    offsets: np.ndarray  # int64 [G+1]
    points: np.ndarray  # int16 [M]
    colours: np.ndarray  # int8 [M]
    setup_offsets: np.ndarray  # int64 [G+1]
    setup_at: np.ndarray  # int16 [K] placed before this move of its game, counted from 0
    setup_points: np.ndarray  # int16 [K]
    setup_colours: np.ndarray  # int8 [K], 0 empties the point
    opening_key: np.ndarray  # uint64 [G]
    game_key: np.ndarray  # uint64 [G]
    year: np.ndarray  # int16 [G], 0 unknown
    ranks: np.ndarray  # int8 [G, 2] of Black and of White, numbers into `gocnn.profile.RANKS`
    komi: np.ndarray  # float32 [G], nan unknown
    winner: np.ndarray  # int8 [G], 0 draw, unknown, or by the clock or a rule (T, F), which says nothing of the board
    margin: np.ndarray  # float32 [G], points that Black won by, komi included; nan if not counted, or a draw

    @property
    def moves(self) -> Moves:
        """Those of all games."""
        return Moves(self.points, self.colours, self.setup_at, self.setup_points, self.setup_colours)

    def moves_of(self, game: int) -> Moves:
        """Those of one game."""
        return part_of(self.moves, *self.offsets[game : game + 2], *self.setup_offsets[game : game + 2])


def to_batch(records: Sequence[GameRecord]) -> pa.RecordBatch:
    """The rows of a store for these games, keys included."""
    columns = []
    for column in SCHEMA:
        if column.name in _ARRAYS:
            columns.append(_list_array([getattr(record, column.name) for record in records], column.type))
        elif column.name == "game_key":
            columns.append(pa.array([game_key(record.size, record.moves) for record in records], pa.uint64()))
        elif column.name == "opening_key":
            columns.append(pa.array([opening_key(record.size, record.moves) for record in records], pa.uint64()))
        else:
            columns.append(pa.array([getattr(record, column.name) for record in records], column.type))
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _list_array(arrays: Sequence[np.ndarray], kind: Any) -> Any:
    offsets = np.zeros(len(arrays) + 1, np.int32)
    np.cumsum([len(array) for array in arrays], out=offsets[1:])
    dtype = np.dtype(str(kind.value_type))
    values = np.concatenate(arrays).astype(dtype, copy=False) if arrays else np.empty(0, dtype)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values), type=kind)


# Writing


class StoreWriter:
    """A store that is being written, see `store_writer`: `rows` games so far."""

    def __init__(self, arrow: pa.RecordBatchWriter) -> None:
        self.rows = 0
        self._arrow = arrow

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows in `SCHEMA`."""
        if batch.num_rows:
            self._arrow.write_batch(batch)
            self.rows += batch.num_rows


@contextmanager
def store_writer(path: str | os.PathLike[str]) -> Iterator[StoreWriter]:
    """Write a store: ``with store_writer(path) as writer: writer.write(batch)``.

    The name never stands for half a store, see `AtomicFile`. Without a single row nothing is
    written. Raises OSError if the directory cannot be written to or the disk is full.
    """
    atomic = AtomicFile(path)
    with atomic as file, pa.ipc.new_file(file, SCHEMA) as arrow:
        writer = StoreWriter(arrow)
        yield writer
        atomic.keep = writer.rows > 0


# Reading


class GameStore:
    """One or several stores as one: ``len(store)`` games, numbered in the order of the files."""

    def __init__(self, table: pa.Table) -> None:
        """Use `open_store`."""
        self.table = table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def moves(self) -> MoveTable:
        """The moves as flat arrays: views of the mapped file if it is in one piece, else copies."""
        offsets, points = self._flat("points")
        setup_offsets, setup_at = self._flat("setup_at")
        return MoveTable(
            size=self._column("size"),
            offsets=offsets,
            points=points,
            colours=self._flat("colours")[1],
            setup_offsets=setup_offsets,
            setup_at=setup_at,
            setup_points=self._flat("setup_points")[1],
            setup_colours=self._flat("setup_colours")[1],
            opening_key=self._column("opening_key"),
            game_key=self._column("game_key"),
            year=self._column("year", missing=0),
            ranks=np.stack([self._ranks("black_rank"), self._ranks("white_rank")], axis=1),
            komi=self._column("komi", missing=float("nan")),
            winner=self._winners(),
            margin=self._margins(),
        )

    def record(self, index: int) -> GameRecord:
        """Game number `index`, from 0. Raises IndexError."""
        if not 0 <= index < len(self):
            raise IndexError(f"game {index} of {len(self)}")
        row = self.table.slice(index, 1)
        fields = {}
        for column in SCHEMA:
            if column.name in _ARRAYS:
                fields[column.name] = row[column.name].chunk(0).flatten().to_numpy()
            elif column.name not in _COMPUTED:
                fields[column.name] = row[column.name][0].as_py()
        return GameRecord(**fields)

    def _column(self, name: str, missing: float | None = None) -> np.ndarray:
        column = self.table[name]
        if missing is not None:
            column = column.fill_null(missing)
        return np.asarray(column.to_numpy())

    def _ranks(self, name: str) -> np.ndarray:
        """Ranks int8 [G] of a column, each different text being read once."""
        coded = self.table[name].combine_chunks().dictionary_encode()
        numbers = profile.ranks(coded.dictionary.to_pylist()).astype(np.int8)
        return np.asarray(numbers[coded.indices.to_numpy()])

    def _winners(self) -> np.ndarray:
        off_board = pc.match_substring_regex(self.table["result"], r"\+[TF]$").fill_null(False)
        return np.where(off_board.to_numpy(), 0, self._column("winner", missing=0)).astype(np.int8)

    def _margins(self) -> np.ndarray:
        parts = pc.extract_regex(self.table["result"], r"^(?P<side>[BW])\+(?P<points>[0-9.]+)$")
        points = pc.struct_field(parts, "points").cast(pa.float32())
        signed = pc.if_else(pc.equal(pc.struct_field(parts, "side"), "W"), pc.negate(points), points)
        return np.asarray(signed.fill_null(float("nan")).to_numpy())

    def _flat(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Offsets int64 [G+1] and values of a list column."""
        chunks = self.table[name].chunks
        lengths = [np.diff(chunk.offsets.to_numpy()) for chunk in chunks]
        values = [chunk.flatten().to_numpy() for chunk in chunks]
        offsets = np.zeros(len(self) + 1, np.int64)
        if chunks:
            np.cumsum(np.concatenate(lengths), out=offsets[1:])
        if len(values) == 1:
            return offsets, values[0]
        dtype = np.dtype(str(SCHEMA.field(name).type.value_type))
        return offsets, np.concatenate([np.empty(0, dtype), *values])


def open_store(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> GameStore:
    """Open stores to be used together, memory-mapped. Raises StoreError, naming the file."""
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    names = [os.fspath(path) for path in paths]
    if not names:
        raise StoreError("no game store was named")
    return GameStore(pa.concat_tables([_open(name) for name in names]))


def _open(path: str) -> pa.Table:
    try:
        with open(path, "rb") as file:
            file.read(1)  # a directory or a missing file is named better by open() than by pyarrow
        table = pa.ipc.open_file(pa.memory_map(path)).read_all()
        table.validate(full=True)  # compiled code trusts its offsets
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or 'not a game store (not an Arrow file)'}") from error
    except pa.ArrowInvalid as error:
        raise StoreError(f"{path}: not a game store, or a damaged one ({error})") from error
    metadata = table.schema.metadata or {}
    if metadata.get(b"format") != FORMAT.encode():
        raise StoreError(f"{path}: an Arrow file, but not a game store")
    version = metadata.get(b"format_version", b"?").decode("ascii", "replace")
    if version != str(FORMAT_VERSION):
        raise StoreError(f"{path}: a game store of version {version}; this gocnn reads version {FORMAT_VERSION}")
    if not table.schema.equals(SCHEMA, check_metadata=False):
        raise StoreError(f"{path}: a game store with unexpected columns")
    _check_values(path, table)
    return table.replace_schema_metadata(None)


def _check_values(path: str, table: pa.Table) -> None:
    """Raise StoreError for a point or colour that no board has: compiled code would write beside the board."""
    sizes = table["size"].to_numpy().astype(np.int64)
    if ((sizes < 2) | (sizes > MAX_SIZE)).any():
        raise StoreError(f"{path}: a damaged game store: boards of no size")
    for name, most in (("points", sizes**2), ("setup_points", sizes**2 - 1)):
        game = 0
        for chunk in table[name].chunks:
            lengths, values = np.diff(chunk.offsets.to_numpy()), chunk.flatten().to_numpy()
            limits = np.repeat(most[game : game + len(chunk)], lengths)
            if ((values < 0) | (values > limits)).any():
                raise StoreError(f"{path}: a damaged game store: {name} off the board")
            game += len(chunk)
    for name, other in (("colours", "points"), ("setup_points", "setup_at"), ("setup_colours", "setup_at")):
        if not pc.all(pc.equal(pc.list_value_length(table[name]), pc.list_value_length(table[other]))).as_py():
            raise StoreError(f"{path}: a damaged game store: {name} and {other} are not as many")
    for name in ("colours", "setup_colours"):
        if any((np.abs(chunk.flatten().to_numpy()) > 1).any() for chunk in table[name].chunks):
            raise StoreError(f"{path}: a damaged game store: {name} that are none")
