"""Positions out of a game store: batches of (planes, target move), replayed on the fly in compiled code.

Nothing is written to disk and nothing is kept between batches: sample number ``i`` of a run is a pure function of the
seed and ``i``. That makes a resumed run see the same data as an uninterrupted one, and several processes share one run
without overlap by taking different ``i``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gocnn import profile
from gocnn.go import WHITE, core, planes, replay
from gocnn.go.planes import PlaneSet
from gocnn.go.symmetry import SYMMETRIES, point_maps
from gocnn.jit import njit
from sgf_data.owners import UNKNOWN_OWNER, Owners, key_view
from sgf_data.store import MoveTable
from sgf_data.values import ANY_YEAR

#: The target where the move that was played is not to be learned; torch's cross_entropy passes it over.
NO_MOVE = -100


@njit(cache=True, nogil=True)
def shuffled(index, size, seed):
    """The image of `index` under a pseudo-random permutation of 0 .. size-1 chosen by `seed`.

    A four-round Feistel network on the smallest even number of bits that holds `size`, walked until it lands inside
    (Black & Rogaway, "Ciphers with arbitrary finite domains", 2002): a shuffle of any length that needs no memory.
    """
    half = np.uint64(1)
    while np.uint64(1) << (half + half) < np.uint64(size):
        half += np.uint64(1)
    mask = (np.uint64(1) << half) - np.uint64(1)
    value = np.uint64(index)
    while True:
        left, right = value >> half, value & mask
        for turn in range(4):
            key = core.mix64(right ^ core.mix64(np.uint64(seed) + np.uint64(turn)))
            left, right = right, left ^ (key & mask)
        value = (left << half) | right
        if value < np.uint64(size):
            return np.int64(value)


@njit(cache=True, nogil=True)
def located(sample, games, ends, offsets, shuffle, augment, seed):
    """The game and the move that a sample is, its symmetry, and a random number of it (uint64).

    `games` are those drawn from and `ends` where each of them ends in an epoch; the move counts from the first in the
    store.
    """
    total = ends[-1]
    epoch = sample // total
    place = sample % total
    if shuffle:
        place = shuffled(place, total, seed + epoch * 4)
    chance = core.mix64(np.uint64(sample) ^ core.mix64(~np.uint64(seed)))
    symmetry = 0
    if augment:
        symmetry = np.int64(chance % np.uint64(SYMMETRIES))
    row = np.searchsorted(ends, place, side="right")
    game = games[row]
    return game, offsets[game + 1] - (ends[row] - place), symmetry, chance


@njit(cache=True, nogil=True)
def _fill(
    code, size, games, ends, offsets, setup_offsets, moves, maps, room, first, shuffle, augment, seed,
    out, targets, drawn,
):  # fmt: skip
    """Put samples `first` onwards into `out` (int8 [B, planes, size*size], zeros) and `targets` (int64 [B]).

    `drawn` (int64 [B, 4]) gets the game, the colour to move, the symmetry and a random number of each.
    """
    state = core.new_state(size)
    for i in range(targets.size):
        game, move, symmetry, chance = located(first + i, games, ends, offsets, shuffle, augment, seed)
        start = offsets[game]
        s0, s1 = setup_offsets[game], setup_offsets[game + 1]
        core.clear(state)
        before = replay.part_of(moves, start, move, s0, s1)
        replay.play_record(state, before)
        since = 0  # set-up ends the history, as on a board
        for at in before.setup_at:
            if at <= move - start:
                since = at
        planes.write(code, state, moves.colours[move], before.points[since:], maps[symmetry], room, out[i])
        targets[i] = maps[symmetry, moves.points[move]]
        drawn[i, 0] = game
        drawn[i, 1] = moves.colours[move]
        drawn[i, 2] = symmetry
        drawn[i, 3] = np.int64(chance >> np.uint64(32))


#: Where a network is trained with no other games to test on, one game in so many is held out.
HELD_OUT_OF = 50


@dataclass(frozen=True)
class Selection:
    """Which games of a store to draw from.

    Games of another board `size` are left out; `years` is an inclusive range, which leaves out games without a year.
    `held_out` says whether to take the games that are held out, one in HELD_OUT_OF, or the others; None takes both.
    That goes by a hash of the opening, so that a game and its mirror images fall on the same side. If none falls among
    those held out, the one of least hash does.
    """

    size: int = 19
    years: tuple[int, int] | None = None
    held_out: bool | None = None

    def __str__(self) -> str:
        first, last = self.years or ANY_YEAR
        if first == last:
            return f"{self.size}x{self.size} games of {first}"
        since = f" from {first}" if first > ANY_YEAR[0] else ""
        until = f" to {last}" if last < ANY_YEAR[1] else ""
        return f"{self.size}x{self.size} games{since}{until}"

    def games(self, table: MoveTable) -> np.ndarray:
        """int64 [n]: the games selected, those without a move left out."""
        wanted = (table.size == self.size) & (np.diff(table.offsets) > 0)
        if self.years:
            wanted &= (table.year > 0) & (table.year >= self.years[0]) & (table.year <= self.years[1])
        if self.held_out is not None:
            held_out = table.opening_key % np.uint64(HELD_OUT_OF) == 0
            if wanted.any() and not (held_out & wanted).any():
                held_out = table.opening_key == table.opening_key[wanted].min()
            wanted &= held_out == self.held_out
        return np.flatnonzero(wanted)


class Positions:
    """The positions of some games as an endless numbered row of samples.

    With `shuffle`, samples come in an order that visits every position once an epoch and starts anew, in another order,
    in the next; without, in the order of the games. With `augment`, each sample is turned by a random symmetry. With
    `outcomes`, batches have a second target, how the game ended, with `owners` a third, who owned what then, and with
    `profiles` a last one, who plays. A game that several stores have is drawn once. Raises ValueError if none is
    selected.
    """

    def __init__(
        self,
        table: MoveTable,
        plane_set: PlaneSet,
        selection: Selection | None = None,
        *,
        exclude: np.ndarray | None = None,
        shuffle: bool = True,
        augment: bool = True,
        outcomes: bool = False,
        owners: Owners | None = None,
        owned_weight: int = 1,
        profiles: bool = False,
        moves: bool = True,
        seed: int = 0,
    ) -> None:
        """`exclude` (uint64) holds opening keys of games to leave out, such as those of the validation store.

        Games whose owners are known are drawn `owned_weight` times as often as others. Augmented samples hide some of
        the `profiles` (`gocnn.profile.HIDDEN`). Without `moves` all targets are NO_MOVE: how games ended is all that is
        to be learned.
        """
        self.table = table
        self.plane_set = plane_set
        selection = selection or Selection()
        self.size = selection.size
        self.shuffle, self.augment, self.seed = shuffle, augment, seed
        self.outcomes, self.profiles, self.moves = outcomes, profiles, moves
        games = selection.games(table)
        if exclude is not None:
            games = games[~np.isin(table.opening_key[games], exclude)]
        _, at = np.unique(table.game_key[games], return_index=True)  # of several stores that have the same game
        games = games[np.sort(at)]
        if not games.size:
            without = " that the other store does not have" if exclude is not None else ""
            raise ValueError(f"no {selection}{without} are in the store")
        self.games = self._drawn = games  # games that are drawn more often come again in the latter
        self._owners = owners
        if owners is not None:
            self._owner_rows = owners.rows(table)
            owned = games[self._owner_rows[games] >= 0]
            self._drawn = np.concatenate([games, *[owned] * (owned_weight - 1)])
        self._ends = np.cumsum(np.diff(table.offsets)[self._drawn])

    def __len__(self) -> int:
        """The number of positions: the length of an epoch."""
        return int(self._ends[-1])

    def replies(self, first: int, count: int) -> np.ndarray:
        """int64 [count]: the moves after those of samples ``first`` onwards, turned alike; NO_MOVE at a game's end."""
        table, maps = self.table, point_maps(self.size)
        found = np.full(count, NO_MOVE, np.int64)
        for i in range(count):
            game, move, symmetry, _ = located(
                first + i, self._drawn, self._ends, table.offsets, self.shuffle, self.augment, self.seed
            )
            if move + 1 < table.offsets[game + 1]:
                found[i] = maps[symmetry, table.points[move + 1]]
        return found

    def batch(self, first: int, count: int) -> tuple[np.ndarray, ...]:
        """Samples ``first`` to ``first + count - 1``.

        Returns planes int8 [count, planes, size, size], target points int64 [count], 0 to size*size (the pass), and if
        they were asked for the outcomes, float32 [count, 3], and owners, int8 [count, size*size], as `gocnn.targets`
        describes them, and the profiles of the players to move, int64 [count, 2].
        """
        table = self.table
        out = np.zeros((count, len(self.plane_set), self.size * self.size), np.int8)
        targets = np.empty(count, np.int64)
        drawn = np.empty((count, 4), np.int64)
        _fill(
            self.plane_set.code, self.size, self._drawn, self._ends, table.offsets, table.setup_offsets, table.moves,
            point_maps(self.size), planes.new_room(self.plane_set, self.size), first, self.shuffle, self.augment,
            self.seed, out, targets, drawn,
        )  # fmt: skip
        if not self.moves:
            targets[:] = NO_MOVE
        images = out.reshape(count, len(self.plane_set), self.size, self.size)
        found: tuple[np.ndarray, ...] = (images, targets)
        if self.outcomes:
            found += (outcomes_of(table, drawn[:, 0], drawn[:, 1]),)
        if self._owners is not None:
            found += (self._owners_of(self._owners, drawn),)
        if self.profiles:
            found += (self._profiles_of(drawn),)
        return found

    def _profiles_of(self, drawn: np.ndarray) -> np.ndarray:
        """int64 [B, 2]: the profiles of the players to move, some of them hidden."""
        games, colours, chances = drawn[:, 0], drawn[:, 1], drawn[:, 3]
        rank = self.table.ranks[games, (colours == WHITE).astype(np.int64)]
        found = np.stack([rank, profile.eras(self.table.year[games])], axis=1).astype(np.int64)
        if self.augment:
            found[chances % profile.HIDDEN == 0, 0] = 0
            found[chances // profile.HIDDEN % profile.HIDDEN == 0, 1] = 0
        return found

    def _owners_of(self, owners: Owners, drawn: np.ndarray) -> np.ndarray:
        """int8 [B, size*size]: the owners, turned like the planes and seen by the player to move."""
        found = np.full((len(drawn), self.size**2), UNKNOWN_OWNER, np.int8)
        maps = point_maps(self.size)[:, :-1]
        rows = self._owner_rows[drawn[:, 0]]
        for i in np.flatnonzero(rows >= 0):
            game, colour, symmetry = drawn[i, :3]
            start = owners.offsets[rows[i]]
            kept = owners.points[start : start + self.size**2]
            found[i, maps[symmetry]] = kept[key_view(self.table, game)] * colour
        return found


def outcomes_of(table: MoveTable, games: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """float32 [B, 3]: NEEDED, WON and LEAD of `gocnn.targets` for the colours to move in these games (int64 [B]).

    A margin that no board of that size could give, which some records have, is not known.
    """
    winner = table.winner[games]
    won = np.where(winner == 0, np.nan, winner == colours)
    lead = table.margin[games] + table.komi[games]
    lead[np.abs(lead) > table.size[games].astype(np.int64) ** 2] = np.nan
    return np.stack([table.komi[games] * colours, won, lead * colours], axis=1).astype(np.float32)
