"""Counting a game that is over: dead stones, seki, and the score by area and by territory.

The players of a finished game agree which stones are dead; a program has to find out. Given a mean owner of each point,
by random playouts (`gocnn.go.ownership`) or by a network, a chain belongs to whom its points mostly end up with, and a
point that neither side is sure of is neutral.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gocnn.go import core, life
from gocnn.go.board import Board
from gocnn.go.core import BLACK, EMPTY, WHITE
from gocnn.go.fights import read_fights
from gocnn.go.filling import must_fill
from gocnn.go.ownership import PLAYOUTS, ownership
from gocnn.jit import njit

#: The mean owner from which on an empty point belongs to somebody. Beginners' playouts lose a little of everything, so
#: it is low: of 0.2, 0.3 ... 0.8, it gave the recorded score most often on professional games.
OWNED = 0.4

#: In a region of up to so many points between living stones of both colours, what is near to either is nobody's, since
#: he may play there. In a larger one a border is open still, and its points are whose playouts say they are.
GAP = 8

#: As many neutral points in one region can be the shared liberties of a seki; where there are more, the game goes on.
SHARED = 6

#: A group that surrounds more points than these makes two eyes of them.
SMALL = 6


@dataclass(frozen=True)
class Count:
    """What a finished position comes to. All arrays are [size, size]."""

    stones: np.ndarray  # int8, as they stand
    owner: np.ndarray  # int8: BLACK, WHITE, or 0 for a neutral point
    seki: np.ndarray  # bool: living stones that have no two eyes, and the eyes that they have
    to_fill: np.ndarray  # bool: points that their owner will have to fill (`gocnn.go.filling`)

    @property
    def dead(self) -> np.ndarray:
        """bool [size, size]: stones on points that are the other colour's, to be taken off."""
        return np.asarray(self.stones * self.owner < 0)

    @property
    def area(self) -> int:
        """Black's living stones and surrounded points less White's."""
        return int(self.owner.sum(dtype=np.int64))

    def territory(self, prisoners: dict[int, int]) -> int:
        """Black's territory, prisoners and dead White stones less White's.

        Points in a seki count for nobody, nor do those that their owner has to fill.
        `prisoners` are those that each colour took during the game, as `Board.prisoners`.
        """
        surrounded = ((self.stones == EMPTY) | self.dead) & ~self.seki & ~self.to_fill
        dead = int(self.stones[self.dead].sum(dtype=np.int64))
        return int(self.owner[surrounded].sum(dtype=np.int64)) - dead + prisoners[BLACK] - prisoners[WHITE]

    @property
    def open_points(self) -> int:
        """Neutral points that are not part of a seki: what the players would still have to fill."""
        return int(np.count_nonzero((self.owner == 0) & ~self._beside_seki()))

    def _beside_seki(self) -> np.ndarray:
        near = np.pad(self.seki, 1)
        return near[:-2, 1:-1] | near[2:, 1:-1] | near[1:-1, :-2] | near[1:-1, 2:]

    def points(self, what: np.ndarray) -> list[int]:
        """The stones among a bool array of this position, as sorted points."""
        return [int(point) for point in np.flatnonzero(what & (self.stones != EMPTY))]


def count(board: Board, mean: np.ndarray) -> Count:
    """Count a finished position by the mean owner of each point: float [size, size], +1 BLACK's to -1 WHITE's.

    Where that makes a seki, it is read out whether it is one (`gocnn.go.fights`), with the board's side to move first.
    """
    owner, seki, to_fill = count_state(board.state, np.ascontiguousarray(mean, dtype=np.float32), board.to_move)
    return Count(board.stones, owner, seki, to_fill)


def settle(board: Board) -> Count:
    """Count a finished position by random playouts that begin with either colour."""
    other = board.copy()
    other.to_move = -board.to_move
    return count(board, (ownership(board, PLAYOUTS // 2) + ownership(other, PLAYOUTS // 2)) / 2)


@njit(cache=True, nogil=True)
def count_state(state, mean, to_move):
    """The owner int8, seki bool and to_fill bool of a `Count`, [size, size] each, from a `State` and float32 means."""
    size = state.info[core.SIZE]
    points = size * size
    flat = mean.ravel()
    total = np.zeros(state.colour.size, np.float64)  # by head
    for point in range(points):
        cell = core.to_cell(point, size)
        if state.colour[cell] != EMPTY:
            total[state.head[cell]] += flat[point]
    owner = np.zeros(state.colour.size, np.int8)
    for point in range(points):
        cell = core.to_cell(point, size)
        if state.colour[cell] != EMPTY:
            held = total[state.head[cell]]
            owner[cell] = state.colour[cell] if held * state.colour[cell] >= 0 else -state.colour[cell]
    _surround(state, owner, flat, np.int64(0))
    in_seki = _seki(state, owner)
    if read_fights(state, owner, in_seki, to_move):
        in_seki = _seki(state, owner)
    _surround(state, owner, flat, np.int64(GAP))
    filled = must_fill(state, owner, in_seki)
    found = np.zeros((size, size), np.int8)
    seki = np.zeros((size, size), np.bool_)
    to_fill = np.zeros((size, size), np.bool_)
    for point in range(points):
        cell = core.to_cell(point, size)
        found[point // size, point % size] = owner[cell]
        seki[point // size, point % size] = in_seki[cell]
        to_fill[point // size, point % size] = filled[cell]
    return found, seki, to_fill


@njit(cache=True, nogil=True)
def _surround(state, owner, mean, gap):
    """Give the empty cells owners: who alone has living stones around a region owns it.

    Between both colours each point has an owner by its mean; but in a region of up to `gap` points, none that is within
    two steps of the other side's living stones.
    """
    size = state.info[core.SIZE]
    width = size + 1
    queue = np.empty(owner.size, np.int32)
    seen = np.zeros(owner.size, np.bool_)
    for point in range(size * size):
        start = core.to_cell(point, size)
        if seen[start] or state.colour[start] == owner[start] != 0:
            continue
        seen[start] = True
        queue[0] = start
        filled, done = 1, 0
        black = white = False
        while done < filled:  # through empty cells and dead stones
            for direction in range(4):
                n = core.neighbour(queue[done], direction, width)
                if state.colour[n] == core.BORDER:
                    continue
                if state.colour[n] == owner[n] != 0:
                    black |= owner[n] == BLACK
                    white |= owner[n] == WHITE
                elif not seen[n]:
                    seen[n] = True
                    queue[filled] = n
                    filled += 1
            done += 1
        for i in range(filled):
            cell = queue[i]
            if black != white:
                owner[cell] = BLACK if black else WHITE
            elif state.colour[cell] == EMPTY:
                opinion = mean[core.to_point(cell, size)]
                holder = 0 if abs(opinion) < OWNED else BLACK if opinion > 0 else WHITE
                if black and filled <= gap and _reaches(state, owner, cell, -holder):
                    holder = 0
                owner[cell] = holder


@njit(cache=True, nogil=True)
def _reaches(state, owner, cell, colour):
    """Whether a living stone of `colour` is beside a cell, or beside one next to it that no living stone is on."""
    width = state.info[core.SIZE] + 1
    for direction in range(4):
        n = core.neighbour(cell, direction, width)
        if state.colour[n] == core.BORDER:
            continue
        if state.colour[n] == owner[n] != 0:
            if owner[n] == colour:
                return True
            continue
        for turn in range(4):
            other = core.neighbour(n, turn, width)
            if state.colour[other] == owner[other] == colour:
                return True
    return False


@njit(cache=True, nogil=True)
def _seki(state, owner):
    """bool by cell: groups that live without two eyes.

    A group is a maximal connected set of cells of one owner. One that surrounds a single point or none has no two eyes;
    if it lives all the same, and not in atari, beside a few points that are nobody's, it lives in seki, unless two of
    these points connect it to others of its side: the opponent can take but one of them. Who shares such points with a
    group in seki and has no two eyes either is in it as well.
    """
    size = state.info[core.SIZE]
    width = size + 1
    cells = owner.size
    queue = np.empty(cells, np.int32)
    seen = np.zeros(cells, np.bool_)
    small = np.zeros(cells, np.bool_)  # neutral cells of regions that can be the shared liberties of a seki
    for point in range(size * size):
        start = core.to_cell(point, size)
        if owner[start] == 0 and not seen[start]:
            filled = _flood(state, owner, start, queue, seen)
            small[queue[:filled]] = filled <= SHARED

    seki = np.zeros(cells, np.bool_)
    group = np.zeros(cells, np.int32)  # by cell that is somebody's: the first cell of its group
    confined = np.zeros(cells, np.bool_)  # by first cell of a group: whether its neutral points are few
    beside = np.zeros(cells, np.int32)  # by neutral cell: the group that was last seen beside it
    for point in range(size * size):
        start = core.to_cell(point, size)
        if owner[start] == 0 or seen[start]:
            continue
        filled = _flood(state, owner, start, queue, seen)
        group[queue[:filled]] = start
        stones, shared, wide = 0, 0, False
        for i in range(filled):
            cell = queue[i]
            stones += state.colour[cell] == owner[start]
            for direction in range(4):
                n = core.neighbour(cell, direction, width)
                if state.colour[n] != core.BORDER and owner[n] == 0 and beside[n] != start:
                    beside[n] = start
                    shared += 1
                    wide |= not small[n]
        surrounded = filled - stones
        confined[start] = shared > 0 and not wide and surrounded <= SMALL
        if stones and shared and not wide and surrounded <= 1 and surrounded + shared >= 2:
            seki[queue[:filled]] = True

    found = True
    while found:  # a group that is connected may connect others
        found = False
        for point in range(size * size):
            start = core.to_cell(point, size)
            if seki[start] and group[start] == start and _connections(state, owner, seki, group, start) >= 2:
                seki[group == start] = False
                found = True

    others = np.zeros(cells, np.bool_)  # by first cell of a group
    for point in range(size * size):
        cell = core.to_cell(point, size)
        if owner[cell] != 0:
            continue
        for direction in range(4):
            n = core.neighbour(cell, direction, width)
            for turn in range(4):
                other = core.neighbour(cell, turn, width)
                if seki[n] and owner[other] == -owner[n] and confined[group[other]] and not seki[other]:
                    others[group[other]] = True
    for point in range(size * size):
        start = core.to_cell(point, size)
        if others[start] and _eyes(state, owner, group, start) < 2:
            seki[group == start] = True
    return seki


@njit(cache=True, nogil=True)
def _eyes(state, owner, group, start):
    """The eyes of a group that surrounds few points: points that hang together count once, false eyes do not."""
    size = state.info[core.SIZE]
    width = size + 1
    queue = np.empty(group.size, np.int32)
    seen = np.zeros(group.size, np.bool_)
    inside = np.zeros(group.size, np.int8)
    for cell in range(group.size):
        if group[cell] == start and state.colour[cell] != owner[cell]:
            inside[cell] = 1
            for direction in range(4):
                n = core.neighbour(cell, direction, width)
                if owner[n] == state.colour[n] == -owner[start]:  # a living stone has it for a liberty
                    inside[cell] = 0
    eyes = 0
    for point in range(size * size):
        cell = core.to_cell(point, size)
        if inside[cell] and not seen[cell]:
            filled = _flood(state, inside, cell, queue, seen)
            eyes += filled > 1 or state.colour[cell] != EMPTY or life.is_eye(state, cell, owner[start])
    return eyes


@njit(cache=True, nogil=True)
def _connections(state, owner, seki, group, start):
    """The neutral cells between a group and other groups of its owner that do not live in seki."""
    size = state.info[core.SIZE]
    width = size + 1
    count = 0
    for point in range(size * size):
        cell = core.to_cell(point, size)
        if owner[cell] != 0:
            continue
        here = there = False
        for direction in range(4):
            n = core.neighbour(cell, direction, width)
            if owner[n] == owner[start]:
                here |= group[n] == start
                there |= group[n] != start and not seki[n]
        count += here and there
    return count


@njit(cache=True, nogil=True)
def _flood(state, owner, start, queue, seen):
    """Put the cells connected to `start` that have its owner into `queue` and mark them `seen`; returns how many."""
    width = state.info[core.SIZE] + 1
    seen[start] = True
    queue[0] = start
    filled, done = 1, 0
    while done < filled:
        for direction in range(4):
            n = core.neighbour(queue[done], direction, width)
            if state.colour[n] != core.BORDER and owner[n] == owner[start] and not seen[n]:
                seen[n] = True
                queue[filled] = n
                filled += 1
        done += 1
    return filled
