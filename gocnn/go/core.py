"""The compiled rules of Go: one position as a few flat arrays, and the functions that move it on.

Everything here is compiled by numba and works on a `State`. Python code should use `gocnn.go.Board`; compiled code
(replays, input planes, life and death) calls these functions directly and pays nothing for the crossing. Where it
passes a number as ``np.int64(...)``, that is to spare compiling a function again for another type of argument.

Layout. Stones live on a padded one-dimensional board of width ``size + 1``: the border column on the right of one row
is the border on the left of the next, so all four neighbours of a point are plain offsets and never need a bounds
check. A *cell* is an index into that padded board; a *point* is ``row * size + col`` and a pass is ``size * size``.

Chains are circular linked lists with a representative (`head`), merged smaller into larger. A chain carries its
*pseudo-liberties*: pairs (stone, adjacent empty cell), cheap to keep up to date and zero exactly when the chain has no
liberty. True liberty counts are computed where they are wanted (`gocnn.go.liberties`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gocnn.jit import njit

BLACK, WHITE, EMPTY = 1, -1, 0
BORDER = 2
MAX_SIZE = 25

# Indices into State.info.
SIZE, KO, PRISONERS_OF_BLACK, PRISONERS_OF_WHITE = 0, 1, 2, 3

# Verdicts of `legality`.
LEGAL, OCCUPIED, SUICIDE, KO_BAN, SUPERKO = 0, 1, 2, 3, 4

# Ko rules as `legality` takes them.
SIMPLE, POSITIONAL, SITUATIONAL = 0, 1, 2

GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 by the golden ratio: its multiples lie evenly among all numbers

# Mixed into a position's hash when White is to move, for situational superko.
WHITE_TO_MOVE = GOLDEN


class State(NamedTuple):
    """A position. All arrays but the last two are indexed by cell."""

    colour: np.ndarray  # int8: BLACK, WHITE, EMPTY or BORDER
    head: np.ndarray  # int16: the representative of the stone's chain
    next: np.ndarray  # int16: the next stone of the same chain, in a circle
    libs: np.ndarray  # int16, valid at a head: the chain's pseudo-liberties
    length: np.ndarray  # int16, valid at a head: the chain's stones
    info: np.ndarray  # int64 [4]: board size, cell banned by simple ko (0: none), prisoners taken by Black, by White
    key: np.ndarray  # uint64 [1]: Zobrist hash of the stones


@njit(cache=True, nogil=True)
def new_state(size):
    """An empty board of `size` x `size` points."""
    cells = (size + 1) * (size + 2) + 1
    state = State(
        np.empty(cells, np.int8),
        np.empty(cells, np.int16),
        np.empty(cells, np.int16),
        np.empty(cells, np.int16),
        np.empty(cells, np.int16),
        np.empty(4, np.int64),
        np.empty(1, np.uint64),
    )
    state.info[SIZE] = size
    clear(state)
    return state


@njit(cache=True, nogil=True)
def clear(state):
    """Take every stone off the board and forget ko and prisoners."""
    size = state.info[SIZE]
    width = size + 1
    state.colour[:] = BORDER
    for row in range(size):
        first = (row + 1) * width + 1
        state.colour[first : first + size] = EMPTY
    state.info[1:] = 0
    state.key[0] = 0


@njit(cache=True, nogil=True)
def copy_into(target, source):
    """Make `target` equal to `source`; both are of one board size."""
    # One loop: whole-array assignments check shapes, and take ten times as long to compile and to run.
    for cell in range(source.colour.size):
        target.colour[cell] = source.colour[cell]
        target.head[cell] = source.head[cell]
        target.next[cell] = source.next[cell]
        target.libs[cell] = source.libs[cell]
        target.length[cell] = source.length[cell]
    for i in range(source.info.size):
        target.info[i] = source.info[i]
    target.key[0] = source.key[0]


@njit(cache=True, nogil=True, inline="always")
def to_cell(point, size):
    return point + point // size + size + 2


@njit(cache=True, nogil=True, inline="always")
def to_point(cell, size):
    width = size + 1
    return (cell // width - 1) * size + cell % width - 1


@njit(cache=True, nogil=True, inline="always")
def neighbour(cell, direction, width):
    """The four neighbours of a cell, `direction` 0 to 3: up, left, right, down."""
    if direction == 0:
        return cell - width
    if direction == 1:
        return cell - 1
    if direction == 2:
        return cell + 1
    return cell + width


@njit(cache=True, nogil=True)
def scramble(z):
    """Make every bit of a uint64 move every bit of the result: the end of splitmix64 (Steele, Lea and Flood 2014)."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True, nogil=True)
def mix64(z):
    """Scramble a uint64 that may be small, such as a count: splitmix64."""
    return scramble(z * GOLDEN)


@njit(cache=True, nogil=True)
def stone_key(cell, colour):
    """Zobrist key of one stone, computed from its cell and colour, so no table is needed."""
    return mix64(np.uint64(2 * cell + (colour > 0) + 1))


@njit(cache=True, nogil=True)
def _lift(state, head, width):
    """Take the chain of `head` off the board and give its cells to its neighbours as liberties; returns its stones."""
    colours, heads, nexts, libs = state.colour, state.head, state.next, state.libs
    colour = colours[head]
    key = state.key[0]
    removed = 0
    cell = head
    while True:
        colours[cell] = EMPTY
        key ^= stone_key(cell, colour)
        for n in (cell - width, cell - 1, cell + 1, cell + width):
            if colours[n] == -colour:
                libs[heads[n]] += 1
        removed += 1
        cell = nexts[cell]
        if cell == head:
            break
    state.key[0] = key
    return removed


@njit(cache=True, nogil=True)
def _merge(state, a, b):
    """Join the chains of heads `a` and `b`; returns the head of the whole."""
    heads, nexts, libs, lengths = state.head, state.next, state.libs, state.length
    if lengths[a] < lengths[b]:
        a, b = b, a
    cell = b
    while True:
        heads[cell] = a
        cell = nexts[cell]
        if cell == b:
            break
    nexts[a], nexts[b] = nexts[b], nexts[a]
    libs[a] += libs[b]
    lengths[a] += lengths[b]
    return a


@njit(cache=True, nogil=True, inline="always")
def put(state, cell, colour):
    """Set a stone on an empty cell and join it to its chain, taking nothing off; returns its chain's head."""
    colours, heads, libs = state.colour, state.head, state.libs
    width = state.info[SIZE] + 1
    colours[cell] = colour
    state.key[0] ^= stone_key(cell, colour)
    empty = 0
    friends = 0
    for n in (cell - width, cell - 1, cell + 1, cell + width):
        other = colours[n]
        if other == EMPTY:
            empty += 1
        elif other != BORDER:
            libs[heads[n]] -= 1
            friends += other == colour
    heads[cell] = cell
    state.next[cell] = cell
    libs[cell] = empty
    state.length[cell] = 1
    head = cell
    if friends:
        for n in (cell - width, cell - 1, cell + 1, cell + width):
            if colours[n] == colour and heads[n] != head:
                head = _merge(state, head, heads[n])
    return head


@njit(cache=True, nogil=True)
def play(state, point, colour):
    """Play a move that is known to be legal (or a pass); returns the number of opposing stones captured.

    A suicide takes the player's own chain off and gives the opponent the prisoners.
    """
    size = state.info[SIZE]
    if point == size * size:
        state.info[KO] = 0
        return 0
    return play_at(state, to_cell(point, size), colour)


@njit(cache=True, nogil=True)
def play_at(state, cell, colour):
    """`play` on an empty cell."""
    width = state.info[SIZE] + 1
    state.info[KO] = 0
    head = put(state, cell, colour)
    colours, heads, libs = state.colour, state.head, state.libs
    captured = 0
    last = 0
    for n in (cell - width, cell - 1, cell + 1, cell + width):
        if colours[n] == -colour and libs[heads[n]] == 0:
            captured += _lift(state, np.int64(heads[n]), width)
            last = n
    if captured:
        state.info[PRISONERS_OF_BLACK if colour == BLACK else PRISONERS_OF_WHITE] += captured
        if captured == 1 and state.length[head] == 1 and state.libs[head] == 1:
            state.info[KO] = last
    elif state.libs[head] == 0:
        lost = _lift(state, head, width)
        state.info[PRISONERS_OF_WHITE if colour == BLACK else PRISONERS_OF_BLACK] += lost
    return captured


@njit(cache=True, nogil=True)
def _touches(state, cell, head, width):
    """How many neighbours of an empty cell belong to the chain of `head`."""
    touching = 0
    for direction in range(4):
        n = neighbour(cell, direction, width)
        if (state.colour[n] == BLACK or state.colour[n] == WHITE) and state.head[n] == head:
            touching += 1
    return touching


@njit(cache=True, nogil=True)
def captures_at(state, cell, head, width):
    """Whether a stone on the empty `cell` would take the last liberty of the chain of `head`."""
    return state.libs[head] == _touches(state, cell, head, width)


@njit(cache=True, nogil=True)
def is_suicide(state, cell, colour, width):
    """Whether a stone on an empty cell would have no liberty and take none of the opponent's."""
    for direction in range(4):
        n = neighbour(cell, direction, width)
        other = state.colour[n]
        if other == EMPTY:
            return False
        if other != BORDER and (other == colour) != captures_at(state, cell, state.head[n], width):
            return False
    return True


@njit(cache=True, nogil=True)
def key_after(state, cell, colour):
    """The hash of the stones after a play on an empty cell, without playing it."""
    width = state.info[SIZE] + 1
    key = state.key[0] ^ stone_key(cell, colour)
    done = np.zeros(4, np.int64)
    breathes = False
    captured = False
    for direction in range(4):
        n = neighbour(cell, direction, width)
        other = state.colour[n]
        if other == EMPTY:
            breathes = True
        elif other == colour:
            if not captures_at(state, cell, state.head[n], width):
                breathes = True
        elif other == -colour:
            head = state.head[n]
            if captures_at(state, cell, head, width) and not np.any(done == head):
                done[direction] = head
                captured = True
                key ^= _chain_key(state, head)
    if breathes or captured:
        return key
    # Suicide: the new stone and every own chain it joins go.
    key ^= stone_key(cell, colour)
    for direction in range(4):
        n = neighbour(cell, direction, width)
        if state.colour[n] == colour and not np.any(done == state.head[n]):
            done[direction] = state.head[n]
            key ^= _chain_key(state, state.head[n])
    return key


@njit(cache=True, nogil=True)
def _chain_key(state, head):
    key = np.uint64(0)
    cell = head
    while True:
        key ^= stone_key(cell, state.colour[head])
        cell = state.next[cell]
        if cell == head:
            return key


@njit(cache=True, nogil=True)
def retakes_ko(state, cell, colour, width):
    """Whether a play would take back a ko at once. Whoever took it may fill it at any time."""
    if cell != state.info[KO]:
        return False
    for direction in range(4):
        other = state.colour[neighbour(cell, direction, width)]
        if other != BORDER:  # all neighbours of the banned cell are of the colour that took the ko
            return other == -colour
    return False


@njit(cache=True, nogil=True)
def legality(state, point, colour, ko_rule, suicide, history):
    """Whether `colour` may play at `point`.

    `ko_rule` is SIMPLE, POSITIONAL or SITUATIONAL; `suicide` says whether it is allowed; `history` (uint64) holds the
    hashes of all earlier positions, under SITUATIONAL each mixed with the side to move (`situation_key`). Returns
    LEGAL, OCCUPIED, SUICIDE, KO_BAN or SUPERKO. A pass is always legal.
    """
    size = state.info[SIZE]
    if point == size * size:
        return LEGAL
    width = size + 1
    cell = to_cell(point, size)
    if state.colour[cell] != EMPTY:
        return OCCUPIED
    if not suicide and is_suicide(state, cell, colour, width):
        return SUICIDE
    if ko_rule == SIMPLE:
        return KO_BAN if retakes_ko(state, cell, colour, width) else LEGAL
    key = situation_key(key_after(state, cell, colour), -colour, ko_rule)
    for earlier in history:
        if earlier == key:
            return KO_BAN if retakes_ko(state, cell, colour, width) else SUPERKO
    return LEGAL


@njit(cache=True, nogil=True)
def situation_key(key, to_move, ko_rule):
    """What a superko rule compares: the stones' hash, and under SITUATIONAL the side to move with it."""
    if ko_rule == SITUATIONAL and to_move == WHITE:
        return key ^ WHITE_TO_MOVE
    return key


@njit(cache=True, nogil=True)
def legal_mask(state, colour, ko_rule, suicide, history):
    """bool [size*size + 1]: where `colour` may play; the last entry, the pass, is always True."""
    points = state.info[SIZE] ** 2
    mask = np.empty(points + 1, np.bool_)
    for point in range(points + 1):
        mask[point] = legality(state, point, colour, ko_rule, suicide, history) == LEGAL
    return mask


@njit(cache=True, nogil=True)
def setup(state, points, colours):
    """Put stones on points (or EMPTY them) without the rules of play; nothing is captured, ko is forgotten.

    Chains are built anew. A chain may be left without liberties, as in a set-up position of a game record.
    """
    size = state.info[SIZE]
    width = size + 1
    wanted = state.colour.copy()
    for i in range(points.size):
        wanted[to_cell(points[i], size)] = colours[i]
    black, white = state.info[PRISONERS_OF_BLACK], state.info[PRISONERS_OF_WHITE]
    clear(state)
    for cell in range(width + 1, width * (size + 1)):
        if wanted[cell] == BLACK or wanted[cell] == WHITE:
            put(state, cell, wanted[cell])
    state.info[PRISONERS_OF_BLACK], state.info[PRISONERS_OF_WHITE] = black, white
