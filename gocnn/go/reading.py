"""Reading a small fight to its end, compiled: what best play of both sides leaves there to whom.

Every move on the few points that matter is tried: a minimax search of the area that is held there in the end, with
alpha-beta bounds and a table of the positions seen (D. E. Knuth and R. W. Moore, "An analysis of alpha-beta pruning",
1975; A. L. Zobrist, "A new hashing method", 1970).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gocnn.go import core
from gocnn.go.core import BLACK, EMPTY, WHITE
from gocnn.go.trial import (
    CAPTURED,
    CHAIN,
    COLOUR,
    INFO,
    KO,
    SEARCHES,
    SEEN,
    TAKEN,
    TAKEN_BEFORE,
    WIDTH,
    play,
    take_back,
)
from gocnn.jit import njit

LARGE = 7  # stones: the room of so many, captured at once, is enough for two eyes, so that the captor is safe there
SOME = 3  # the same of fewer stones, if the captor touches them with stones from outside of the fight
GAIN = 4  # points that a fight must come out otherwise than it was judged: two stones, dead or alive
LONGEST = 40  # moves
NODES = 50_000  # positions of a fight; where they don't suffice, it stays as it was judged

_PASS = 0  # a move that is no cell
_EXACT, _AT_LEAST, _AT_MOST = 0, 1, 2  # what the table knows of a position's value
_SLOTS = 1 << 17
_WORST = -10_000

# Columns of Table.entries.
_VALUE, _KIND, _MOVE, _DEPTH = 0, 1, 2, 3

# Columns of Line.frames: the bounds and the better of them so far, what has been found, and what is being tried.
_LOW, _HIGH, _BOUND, _BEST, _BEST_MOVE, _KNOWN, _NEXT, _TRIED, _KO_BEFORE, _PASSED = range(10)
_COLUMNS = 10


class Table(NamedTuple):
    """The positions seen."""

    keys: np.ndarray  # uint64 [slots]
    entries: np.ndarray  # int32 [slots, 4]: value, what kind of bound that is, best move, depth at which it was found
    used: np.ndarray  # int64 [1]: positions looked at


class Line(NamedTuple):
    """The moves that are on the board, and what is known of each position on the way."""

    keys: np.ndarray  # uint64 [LONGEST]: the hash of the stones that were played and captured
    frames: np.ndarray  # int64 [LONGEST, 10]
    closed: np.ndarray  # int8 by cell: who took stones there, and is not attacked there again
    is_part: np.ndarray  # bool by cell: of the fight


@njit(cache=True, nogil=True)
def read_fight(room, fight, owner, to_move, key):
    """Read one fight from the position in the room, whose hash is `key`; returns whether `owner` was put right.

    `fight` is the cells that may change hands, `owner` (int8 by cell) who is thought to hold each point, 0 neutral.
    Where the best play of both sides, `to_move` first, ends in a difference of at least GAIN points, the cells are
    given to those who hold them then.
    """
    held = np.int64(0)
    for cell in fight:
        held += owner[cell]
    held *= to_move
    table = Table(np.zeros(_SLOTS, np.uint64), np.zeros((_SLOTS, 4), np.int32), np.zeros(1, np.int64))
    line = Line(
        np.zeros(LONGEST, np.uint64), np.zeros((LONGEST, _COLUMNS), np.int64), np.zeros(owner.size, np.int8),
        np.zeros(owner.size, np.bool_),
    )  # fmt: skip
    line.is_part[fight] = True
    depth, passed, colour = np.int64(0), False, np.int64(to_move)
    value = _value(room, fight, table, line, depth, key, colour, passed, held - GAIN, held + GAIN)
    if abs(value - held) < GAIN or table.used[0] > NODES:
        return False
    over = False
    while not over and depth < LONGEST:  # play it out
        _value(room, fight, table, line, depth, key, colour, passed, np.int64(_WORST), np.int64(-_WORST))
        if table.used[0] > NODES:
            return False
        move = np.int64(table.entries[_slot(_key_of(room, key, colour, passed)), _MOVE])
        line.keys[depth] = key
        if move == _PASS:
            over, passed = passed, True
            room[INFO, KO] = 0
        else:
            play(room, depth, move, colour)
            key = _after(room, line, depth, move, colour)
            passed = False
        depth += 1
        colour = -colour
    holders = np.zeros(owner.size, np.int8)
    _outcome(room, fight, line.closed, holders)
    for cell in fight:
        owner[cell] = holders[cell]
    return True


@njit(cache=True, nogil=True)
def _value(room, fight, table, line, first, key, to_move, passed, low, high):
    """What the player to move holds of the fight in the end, less what the other holds, between two bounds.

    The position is the one after `first` moves of the `line`; `key` is the hash of the moves made, and `passed` says
    whether the last one was a pass. The best move is in the table afterwards. After more than NODES positions
    (`table.used`) the answer is worthless. A loop over frames, since numba cannot keep what calls itself.
    """
    keys, frames, closed, _ = line
    holders = np.zeros(closed.size, np.int8)
    depth = first
    entered = False
    value = np.int64(0)
    while True:
        is_known = False
        if not entered:  # a position that has just been reached
            table.used[0] += 1
            if depth == LONGEST:
                value, is_known = to_move * _outcome(room, fight, closed, holders), True
            else:
                keys[depth] = key
                frame = frames[depth]
                frame[_LOW], frame[_BOUND], frame[_HIGH], frame[_PASSED] = low, low, high, passed
                frame[_BEST], frame[_BEST_MOVE], frame[_NEXT] = _WORST, _PASS, -1
                whole_key = _key_of(room, key, to_move, passed)
                slot = _slot(whole_key)
                frame[_KNOWN] = -1
                if table.keys[slot] == whole_key:
                    entry = table.entries[slot]
                    value, kind = np.int64(entry[_VALUE]), entry[_KIND]
                    is_enough = (
                        kind == _EXACT or (kind == _AT_LEAST and value >= high) or (kind == _AT_MOST and value <= low)
                    )
                    is_known = is_enough and entry[_DEPTH] <= depth
                    frame[_KNOWN] = entry[_MOVE]
        entered = True
        if not is_known:  # its next move
            frame = frames[depth]
            key, passed = keys[depth], frame[_PASSED] != 0
            move = np.int64(-1)
            if frame[_BOUND] < frame[_HIGH] and table.used[0] <= NODES:
                move = _next_move(room, fight, line, depth, to_move)
            if move >= 0:
                frame[_TRIED], frame[_KO_BEFORE] = move, room[INFO, KO]
                if move != _PASS:
                    key = _after(room, line, depth, move, to_move)
                    passed = False
                elif passed:
                    _learn(frame, to_move * _outcome(room, fight, closed, holders))
                    continue
                else:
                    room[INFO, KO] = 0
                    passed = True
                low, high = -frame[_HIGH], -frame[_BOUND]
                to_move = -to_move
                depth += 1
                entered = False
                continue
            value = frame[_BEST]
            if table.used[0] <= NODES:
                _note(table, _key_of(room, key, to_move, passed), frame, depth)
        if depth == first:
            return value
        depth -= 1  # back to the position before, with what this one is worth
        to_move = -to_move
        frame = frames[depth]
        _undo(room, depth, frame, closed)
        _learn(frame, -value)


@njit(cache=True, nogil=True)
def _next_move(room, fight, line, depth, to_move):
    """Make the next move that is worth a try, a pass last, and return it; -1 if there is none left."""
    keys, frames, closed, _ = line
    frame = frames[depth]
    while frame[_NEXT] <= 2 * fight.size:
        i = frame[_NEXT]
        frame[_NEXT] += 1
        # The move that was best before, captures, the others, the pass.
        move = frame[_KNOWN] if i < 0 else np.int64(_PASS) if i == 2 * fight.size else fight[i % fight.size]
        if move < 0 or (i >= 0 and move == frame[_KNOWN]):
            continue
        if move == _PASS:
            return move
        if not _may_play(room, closed, move, to_move) or not play(room, depth, move, to_move):
            continue
        if i >= 0 and (room[INFO, CAPTURED] > room[TAKEN_BEFORE, depth]) != (i < fight.size):
            take_back(room, depth)
            continue
        after = _after(room, line, depth, move, to_move)
        repeats = False
        for k in range(depth):
            repeats |= keys[k] == after
        _open(room, depth, closed)
        if not repeats:
            return move
        take_back(room, depth)
    return np.int64(-1)


@njit(cache=True, nogil=True)
def _undo(room, depth, frame, closed):
    """Take back what was tried at a depth."""
    if frame[_TRIED] == _PASS:
        room[INFO, KO] = frame[_KO_BEFORE]
    else:
        _open(room, depth, closed)
        take_back(room, depth)


@njit(cache=True, nogil=True)
def _open(room, depth, closed):
    """Forget that the move at a depth took a large chain."""
    for k in range(room[TAKEN_BEFORE, depth], room[INFO, CAPTURED]):
        closed[room[TAKEN, k]] = 0


@njit(cache=True, nogil=True)
def _learn(frame, value):
    """Take the value of the move that was tried into account."""
    if value > frame[_BEST]:
        frame[_BEST], frame[_BEST_MOVE] = value, frame[_TRIED]
    frame[_BOUND] = max(frame[_BOUND], value)


@njit(cache=True, nogil=True)
def _note(table, whole_key, frame, depth):
    """Write what has been found of a position into the table."""
    slot = _slot(whole_key)
    table.keys[slot] = whole_key
    entry, best = table.entries[slot], frame[_BEST]
    entry[_VALUE], entry[_MOVE], entry[_DEPTH] = best, frame[_BEST_MOVE], depth
    entry[_KIND] = _AT_LEAST if best >= frame[_HIGH] else _AT_MOST if best <= frame[_LOW] else _EXACT


@njit(cache=True, nogil=True)
def _key_of(room, key, to_move, passed):
    """The hash of all that the value of a position depends on; `key` is that of the moves made."""
    return core.mix64(key ^ np.uint64(4 * room[INFO, KO] + 2 * (to_move > 0) + passed))


@njit(cache=True, nogil=True)
def _slot(whole_key):
    return np.int64(whole_key & np.uint64(_SLOTS - 1))


@njit(cache=True, nogil=True)
def _may_play(room, closed, cell, colour):
    """Whether a player thinks of a cell: closed ones are for who took them, to attack what is left beside them."""
    if room[COLOUR, cell] != EMPTY or closed[cell] == -colour:
        return False
    width = room[INFO, WIDTH]
    attacks = False
    for n in (cell - width, cell - 1, cell + 1, cell + width):
        attacks |= room[COLOUR, n] == -colour
    return attacks or closed[cell] == EMPTY


@njit(cache=True, nogil=True)
def _after(room, line, depth, cell, colour):
    """The hash after the move that was made at a depth; closes the cells that it captured, if they are safe."""
    key = line.keys[depth] ^ core.stone_key(cell, colour)
    first, last = room[TAKEN_BEFORE, depth], room[INFO, CAPTURED]
    is_safe = last - first >= LARGE
    width = room[INFO, WIDTH]
    for k in range(first, last):
        taken = np.int64(room[TAKEN, k])
        key ^= core.stone_key(taken, -colour)
        for n in (taken - width, taken - 1, taken + 1, taken + width):
            is_safe |= last - first >= SOME and room[COLOUR, n] == colour and not line.is_part[n]
    if is_safe:
        for k in range(first, last):
            line.closed[room[TAKEN, k]] = colour
    return key


@njit(cache=True, nogil=True)
def _outcome(room, fight, closed, holders):
    """The cells of the fight that Black holds, by stones and by reach, less White's; written to `holders`, too."""
    width = room[INFO, WIDTH]
    room[INFO, SEARCHES] += 1
    search = room[INFO, SEARCHES]
    for start in fight:
        if room[COLOUR, start] != EMPTY or closed[start]:
            holders[start] = room[COLOUR, start] if room[COLOUR, start] != EMPTY else closed[start]
            continue
        if room[SEEN, start] == search:
            continue
        room[SEEN, start] = search
        room[CHAIN, 0] = start
        filled, at = 1, 0
        black = white = False
        while at < filled:
            cell = room[CHAIN, at]
            at += 1
            for n in (cell - width, cell - 1, cell + 1, cell + width):
                colour = room[COLOUR, n] if room[COLOUR, n] != EMPTY else closed[n]
                black |= colour == BLACK
                white |= colour == WHITE
                if colour == EMPTY and room[SEEN, n] != search:
                    room[SEEN, n] = search
                    room[CHAIN, filled] = n
                    filled += 1
        for i in range(filled):
            holders[room[CHAIN, i]] = black - white if black != white else 0
    held = 0
    for cell in fight:
        held += holders[cell]
    return held
