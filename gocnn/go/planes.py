"""Input planes: a Go position as the image that a network sees.

A plane set is a named, documented list of planes, all int8 of the board's size, seen from the player to move unless the
plane's name says otherwise. `PLANE_SETS` holds them; `of_board` makes the planes of one position, and the compiled
`write` is what batches of training positions go through.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gocnn.go import core, ladders, trial
from gocnn.go.board import Board
from gocnn.go.liberties import chain_liberties
from gocnn.go.symmetry import point_maps
from gocnn.jit import njit

RECENT = 5  # how many of the last moves the full planes show


@dataclass(frozen=True)
class PlaneSet:
    """A named list of planes; `code` is how compiled code knows the set."""

    name: str
    code: int
    planes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.planes)


STONES, HISTORY, LIBERTIES, FULL, LADDERS = range(5)

_STONE_PLANES = ("own stones", "opponent's stones")
_LIBERTY_PLANES = tuple(
    f"{whose} chains with {n} {'liberty' if n == '1' else 'liberties'}"
    for whose in ("own", "opponent's")
    for n in ("1", "2", "3", "4+")
)
_HISTORY_PLANES = ("last move", *(f"{n} moves ago" for n in range(2, RECENT + 1)))
_TACTICAL_PLANES = ("ko", "captures one stone", "captures several stones", "self-atari")
BOARD_PLANE = "ones (the board, against the zero padding)"
_FULL_PLANES = (*_STONE_PLANES, *_LIBERTY_PLANES, *_HISTORY_PLANES, *_TACTICAL_PLANES, BOARD_PLANE)
_LADDER_PLANES = ("own chains that a ladder takes", "opponent's chains that a ladder takes")

#: What networks can be shown: the lecture's one plane, then more and more; "full" is the usual. A chain that a ladder
#: takes is one with two liberties if the other side moves first, and one in atari even if its own side does.
PLANE_SETS = {
    plane_set.name: plane_set
    for plane_set in (
        PlaneSet("stones", STONES, ("stones: black +1, white -1",)),
        PlaneSet("history", HISTORY, (*_STONE_PLANES, *_HISTORY_PLANES, BOARD_PLANE)),
        PlaneSet("liberties", LIBERTIES, (*_STONE_PLANES, *_LIBERTY_PLANES, *_HISTORY_PLANES, BOARD_PLANE)),
        PlaneSet("full", FULL, _FULL_PLANES),
        PlaneSet("ladders", LADDERS, (*_FULL_PLANES, *_LADDER_PLANES)),
    )
}
# bool [codes, planes of "full"]: which of them a set has, in the same order
_SHOWN = np.array([[plane in some.planes for plane in PLANE_SETS["full"].planes] for some in PLANE_SETS.values()])
_OWN, _OPPONENT, _OWN_LIBERTIES, _OPPONENT_LIBERTIES, _LAST, _KO, _CAPTURES_ONE, _CAPTURES_SEVERAL, _SELF_ATARI = map(
    PLANE_SETS["ladders"].planes.index,
    (*_STONE_PLANES, _LIBERTY_PLANES[0], _LIBERTY_PLANES[4], _HISTORY_PLANES[0], *_TACTICAL_PLANES),
)
_ONES, _OWN_LADDERS, _OPPONENT_LADDERS = map(PLANE_SETS["ladders"].planes.index, (BOARD_PLANE, *_LADDER_PLANES))


def new_room(plane_set: PlaneSet, size: int) -> np.ndarray | None:
    """What `write` reads ladders in on boards of `size` x `size`; None for a plane set that shows none.

    Code that is handed None is compiled without the reading, which takes longer to compile than all the rest.
    """
    return trial.new_room(size) if plane_set.code == LADDERS else None


@njit(cache=True, nogil=True)
def write(code, state, to_move, recent, point_map, room, out):
    """Write the planes of one position into `out`, int8 [planes, size*size], which must hold zeros.

    `code` names the plane set. `recent` holds the points played so far, oldest first (int16). Point ``p`` of the board
    is written at ``point_map[p]`` (int16 [size*size + 1]), so that a symmetry costs nothing. `room` is from `new_room`.
    """
    size = state.info[core.SIZE]
    if code == STONES:
        for point in range(size * size):
            out[0, point_map[point]] = state.colour[core.to_cell(point, size)]
    elif code == FULL or code == LADDERS:
        liberties = _write_full(state, to_move, recent, point_map, out)
        if room is not None:
            _write_ladders(state, liberties, to_move, point_map, room, out)
    else:
        whole = np.zeros((_ONES + 1, size * size), np.int8)
        _write_full(state, to_move, recent, point_map, whole)
        row = 0
        for plane in range(_ONES + 1):
            if _SHOWN[code, plane]:
                for point in range(size * size):  # assigning a whole row takes three seconds more to compile
                    out[row, point] = whole[plane, point]
                row += 1


@njit(cache=True, nogil=True)
def _write_full(state, to_move, recent, point_map, out):
    """Write all planes but the ladders; returns the liberties of each chain, int16 by its head."""
    # Fields of the state are taken out once: numba counts references at each access, which costs more than the work.
    colours, heads, lengths = state.colour, state.head, state.length
    size = state.info[core.SIZE]
    width = size + 1
    liberties = np.empty(colours.size, np.int16)
    where = np.empty((3, colours.size), np.int16)
    chain_liberties(state, liberties, where)
    out[_ONES] = 1
    for row in range(size):
        for col in range(size):
            cell = (row + 1) * width + col + 1
            target = point_map[row * size + col]
            colour = colours[cell]
            if colour == core.EMPTY:
                empty = (colours[cell - width] == 0) + (colours[cell - 1] == 0)
                if empty + (colours[cell + 1] == 0) + (colours[cell + width] == 0) >= 2:
                    continue
                verdict = _self_atari(colours, heads, liberties, where, cell, to_move, width)
                if verdict == _YES or (
                    verdict == _CAPTURES and _liberties_after(state, liberties, cell, to_move, width) == 1
                ):
                    out[_SELF_ATARI, target] = 1
                continue
            head = heads[cell]
            libs = min(max(liberties[head], 1), 4)
            if colour == to_move:
                out[_OWN, target] = 1
                out[_OWN_LIBERTIES + libs - 1, target] = 1
                continue
            out[_OPPONENT, target] = 1
            out[_OPPONENT_LIBERTIES + libs - 1, target] = 1
            if head == cell and liberties[head] == 1:
                there = point_map[core.to_point(where[0, head], size)]
                several = lengths[head] > 1 or out[_CAPTURES_ONE, there] or out[_CAPTURES_SEVERAL, there]
                out[_CAPTURES_ONE, there] = not several
                out[_CAPTURES_SEVERAL, there] = several
    for ago in range(min(RECENT, recent.size)):
        point = recent[recent.size - 1 - ago]
        if point < size * size:
            out[_LAST + ago, point_map[point]] = 1
    if state.info[core.KO]:
        out[_KO, point_map[core.to_point(state.info[core.KO], size)]] = 1
    return liberties


@njit(cache=True, nogil=True)
def _write_ladders(state, liberties, to_move, point_map, room, out):
    colours, heads, nexts = state.colour, state.head, state.next
    size = state.info[core.SIZE]
    trial.enter(state, room)
    for row in range(1, size + 1):
        for head in range(row * (size + 1) + 1, (row + 1) * (size + 1)):
            if colours[head] == core.EMPTY or heads[head] != head:
                continue
            count = liberties[head]
            if count > 2 or (count == 1 and ladders.can_escape(room, head)):
                continue
            if count == 2 and not ladders.can_capture(room, head):
                continue
            stone = head
            while True:
                there = point_map[core.to_point(stone, size)]
                out[_OWN_LADDERS if colours[head] == to_move else _OPPONENT_LADDERS, there] = 1
                stone = nexts[stone]
                if stone == head:
                    break


_NO, _YES, _CAPTURES = 0, 1, 2


@njit(cache=True, nogil=True)
def _self_atari(colours, heads, liberties, where, cell, to_move, width):
    """Whether a stone on an empty cell would be in a chain with exactly one liberty.

    Returns _NO or _YES, or _CAPTURES where the move captures and a closer look is needed.
    """
    open_sides = 0  # neighbours that are liberties after the move: empty now, or captured by it
    captures = False
    roomy = False
    only = 0  # the one liberty found so far
    for n in (cell - width, cell - 1, cell + 1, cell + width):
        other = colours[n]
        if other == core.EMPTY:
            open_sides += 1
            only = n
        elif other == to_move:
            roomy |= liberties[heads[n]] >= 3  # at least two are left
        elif other == -to_move and liberties[heads[n]] == 1:
            open_sides += 1
            captures = True
    if open_sides >= 2 or roomy:
        return _NO
    if captures:
        return _CAPTURES
    # The chains that the stone joins have two liberties at most, and one of them is this cell.
    for n in (cell - width, cell - 1, cell + 1, cell + width):
        if colours[n] == to_move:
            for k in range(2):
                liberty = where[k, heads[n]]
                if liberty and liberty != cell and liberty != only:
                    if only:
                        return _NO
                    only = liberty
    return _YES if only else _NO


@njit(cache=True, nogil=True)
def _first_touch(state, cell, direction, width):
    """Whether no earlier neighbour of `cell` belongs to the same chain, so that a chain is counted once."""
    head = state.head[core.neighbour(cell, direction, width)]
    colour = state.colour[head]
    for earlier in range(direction):
        n = core.neighbour(cell, earlier, width)
        if state.colour[n] == colour and state.head[n] == head:
            return False
    return True


@njit(cache=True, nogil=True)
def _liberties_after(state, liberties, cell, to_move, width):
    """The liberties, counted up to 2, of the chain that a stone on `cell` would join, after its captures."""
    found = 0
    first = 0
    for direction in range(4):
        n = core.neighbour(cell, direction, width)
        if _opens(state, liberties, cell, n, to_move, width) and n != first:
            if found:
                return 2
            found, first = 1, n
    for direction in range(4):
        start = core.neighbour(cell, direction, width)
        if state.colour[start] != to_move or not _first_touch(state, cell, direction, width):
            continue
        stone = start
        while True:
            for side in range(4):
                n = core.neighbour(stone, side, width)
                if n != cell and n != first and _opens(state, liberties, cell, n, to_move, width):
                    if found:
                        return 2
                    found, first = 1, n
            stone = state.next[stone]
            if stone == start:
                break
    return found


@njit(cache=True, nogil=True)
def _opens(state, liberties, cell, other, to_move, width):
    """Whether cell `other` is empty, or a stone that a play on `cell` captures."""
    colour = state.colour[other]
    if colour == core.EMPTY:
        return True
    if colour != -to_move or liberties[state.head[other]] != 1:
        return False
    return core.captures_at(state, cell, state.head[other], width)


def of_board(board: Board, plane_set: PlaneSet, to_move: int | None = None, symmetry: int = 0) -> np.ndarray:
    """The planes of a position: int8 [planes, size, size], values 0 and 1 (-1 too in "stones").

    They are seen by `to_move` (by default the board's side to move) and turned by `symmetry` (0 to 7, see
    `gocnn.go.symmetry`).
    """
    out = np.zeros((len(plane_set), board.size * board.size), np.int8)
    colour = board.to_move if to_move is None else to_move
    room = new_room(plane_set, board.size)
    write(plane_set.code, board.state, colour, board.recent, point_maps(board.size)[symmetry], room, out)
    return out.reshape(len(plane_set), board.size, board.size)


def stones_on(plane_set: PlaneSet, planes: np.ndarray) -> np.ndarray:
    """int64 [B]: the stones on the boards of positions given as int8 [B, planes, N, N]."""
    holding = planes[:, :1] if plane_set.code == STONES else planes[:, [_OWN, _OPPONENT]]
    return np.count_nonzero(holding, axis=(1, 2, 3))
