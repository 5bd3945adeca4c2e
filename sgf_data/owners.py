"""Who owned what when a game was over: a target for networks, and a test of how games are counted.

Records say by how much a game was won, not which stones were dead. Here the last position of each counted game is
counted (`gocnn.go.counting`, by random playouts); where that gives the recorded margin, by area or by territory, the
owners of all points are believed. They are kept in an owners file, an Arrow file beside the store, found by the key of
the game. That key is the same for a game and its turned and mirrored images, so the owners are kept as the key turns
the board (`sgf_data.keys.key_turn`), and hold for whichever image a store has.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from gocnn.atomic import AtomicFile
from gocnn.go import core, counting, ownership, replay
from gocnn.go.handicap import handicap_of
from gocnn.go.symmetry import point_maps
from gocnn.jit import njit
from sgf_data.keys import key_turn
from sgf_data.store import MoveTable, StoreError

FORMAT = "gocnn owners"
FORMAT_VERSION = 3  # of 1 nobody knows how its boards are turned; 2 lacks most games that ended with neutral points
SCHEMA = pa.schema(
    [
        ("game_key", pa.uint64()),
        ("owner", pa.list_(pa.int8())),  # size * size points, +1 black's, -1 white's; empty where the count disagrees
    ],
    metadata={"format": FORMAT, "format_version": str(FORMAT_VERSION)},
)

#: Stands for an owner who is not known.
UNKNOWN_OWNER = 2

#: Playouts of a game, half of them with either colour to move.
PLAYOUTS = 96

Owner = np.ndarray | None  # int8 [size * size], or None where our count is not the recorded one


@njit(cache=True, nogil=True)
def _counted_end(size, moves, playouts, seed):
    """A game's last position: stones int8 [size, size], the rest of a `Count`, and what Black and White have taken."""
    state = core.new_state(size)
    replay.play_record(state, moves)
    total = ownership.add_playouts(state, 1, playouts // 2, seed)
    total += ownership.add_playouts(state, -1, playouts // 2, seed + 1)
    to_move = -np.int64(moves.colours[-1]) if moves.colours.size else np.int64(core.BLACK)
    found = counting.count_state(state, (total / (2 * (playouts // 2))).astype(np.float32), to_move)
    stones = np.empty((size, size), np.int8)
    for point in range(size * size):
        stones[point // size, point % size] = state.colour[core.to_cell(point, size)]
    return stones, found, state.info[core.PRISONERS_OF_BLACK], state.info[core.PRISONERS_OF_WHITE]


def judge(table: MoveTable, game: int, playouts: int = PLAYOUTS) -> Owner:
    """The owners at the end of a counted game, if they give its recorded margin by area or by territory.

    For handicap stones White may have got nothing, a point each, or one less.
    """
    size, moves = int(table.size[game]), table.moves_of(game)
    stones, (owner, seki, to_fill), black, white = _counted_end(size, moves, playouts, 1)
    found = counting.Count(stones, owner, seki, to_fill)
    placed = moves.setup_colours[moves.setup_at == 0].tolist()
    handicap = handicap_of(placed, list(zip(moves.colours.tolist(), moves.points.tolist())), size)
    by_area = {found.area, found.area - handicap, found.area - max(handicap - 1, 0)}
    recorded = float(table.margin[game] + table.komi[game])
    is_right = recorded in by_area | {found.territory({core.BLACK: black, core.WHITE: white})}
    return owner.ravel() if is_right else None


def key_view(table: MoveTable, game: int) -> np.ndarray:
    """int64 [size * size]: where owners as they are kept have each point of a game as a store has it."""
    size = int(table.size[game])
    found: np.ndarray = point_maps(size)[key_turn(size, table.moves_of(game)), :-1]
    return found


def counted(table: MoveTable) -> np.ndarray:
    """int64 [n]: the games whose record has a margin and a komi."""
    return np.flatnonzero(~np.isnan(table.margin) & ~np.isnan(table.komi) & (np.diff(table.offsets) > 0))


def judge_all(table: MoveTable, games: Sequence[int], jobs: int) -> Iterator[tuple[int, Owner]]:
    """Owners of many games as they are kept, in order.

    `judge` runs in `jobs` threads: compiled code does without the interpreter's lock.
    """

    def kept(game: int) -> Owner:
        owner = judge(table, game)
        if owner is None:
            return None
        turned = np.empty_like(owner)
        turned[key_view(table, game)] = owner
        return turned

    waiting: deque[tuple[int, Future[Owner]]] = deque()
    pool = ThreadPoolExecutor(jobs)
    try:
        for game in games:
            waiting.append((game, pool.submit(kept, game)))
            if len(waiting) > 2 * jobs:
                first, judged = waiting.popleft()
                yield first, judged.result()
        for first, judged in waiting:
            yield first, judged.result()
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C waits for no more than the games begun


@dataclass(frozen=True)
class Owners:
    """The owners of some games, as the key of each turns its board; `keys` is sorted."""

    keys: np.ndarray  # uint64 [n]: game_key
    offsets: np.ndarray  # int64 [n + 1]
    points: np.ndarray  # int8: game i's points are points[offsets[i]:offsets[i + 1]], none where they are not known

    def by_key(self) -> dict[int, Owner]:
        """From game keys to owners: what `write` takes."""
        parts = np.split(self.points, self.offsets[1:-1])
        return {int(key): part if len(part) else None for key, part in zip(self.keys, parts)}

    def rows(self, table: MoveTable) -> np.ndarray:
        """int64 [G]: for each game of a store its row here, -1 where its owners are not known."""
        if not len(self.keys):
            return np.full(len(table.game_key), -1, np.int64)
        place = np.minimum(np.searchsorted(self.keys, table.game_key), len(self.keys) - 1)
        known = (self.keys[place] == table.game_key) & (np.diff(self.offsets)[place] > 0)
        return np.where(known, place, -1)


def write(path: str | os.PathLike[str], found: dict[int, Owner]) -> None:
    """Write an owners file, from game keys to owners. Raises OSError."""
    owners = _owners(found)
    owner = pa.ListArray.from_arrays(
        pa.array(owners.offsets.astype(np.int32)), pa.array(owners.points), type=SCHEMA.field("owner").type
    )
    batch = pa.RecordBatch.from_arrays([pa.array(owners.keys), owner], schema=SCHEMA)
    with AtomicFile(path) as file, pa.ipc.new_file(file, SCHEMA) as writer:
        writer.write_batch(batch)


def read(*paths: str | os.PathLike[str]) -> Owners:
    """Read owners files; what a later one says of a game counts. Raises StoreError, naming the file."""
    parts = [_read(path) for path in paths]
    return parts[0] if len(parts) == 1 else _owners({key: row for part in parts for key, row in part.by_key().items()})


def _owners(found: dict[int, Owner]) -> Owners:
    keys = sorted(found)
    lists = [np.empty(0, np.int8) if (owner := found[key]) is None else owner for key in keys]
    offsets = np.zeros(len(keys) + 1, np.int64)
    np.cumsum([len(owner) for owner in lists], out=offsets[1:])
    return Owners(np.array(keys, np.uint64), offsets, np.concatenate([np.empty(0, np.int8), *lists]))


def _read(path: str | os.PathLike[str]) -> Owners:
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            table = pa.ipc.open_file(file).read_all()
    except OSError as error:
        raise StoreError(f"{name}: {error.strerror or 'not an owners file'}") from error
    except pa.ArrowInvalid as error:
        raise StoreError(f"{name}: not an owners file, or a damaged one ({error})") from error
    if not table.schema.equals(SCHEMA, check_metadata=False):
        raise StoreError(f"{name}: an Arrow file, but not an owners file")
    metadata = table.schema.metadata or {}
    if metadata.get(b"format_version") != str(FORMAT_VERSION).encode():
        raise StoreError(f"{name}: an owners file of another version: remove it, and `gocnn data owners` makes it anew")
    lists = table["owner"].combine_chunks()
    return Owners(table["game_key"].to_numpy(), lists.offsets.to_numpy().astype(np.int64), lists.flatten().to_numpy())
