"""Descents of a search: from the root to positions that wait for the network, and back up with its answers.

A descent plays its moves on a copy of the root's position, so that the rules are asked where they matter; leaves are
gathered in batches, which the network (or random playouts) answers together. All is compiled.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engine.rules import Needed
from engine.tree import (
    EXPANDED,
    FIRST,
    LEAD,
    MOVE,
    NEW,
    NO_MOVE,
    OWNER_SCALE,
    PARENT,
    PENDING,
    STATE,
    TEMPERATURE,
    TERMINAL,
    TRIED,
    UNTRIED,
    VISITS,
    WINRATE,
    add_node,
    back_up,
    bring_best_forward,
    expand,
    select,
    withdraw,
)
from gocnn.go import Board, core, planes, scoring
from gocnn.go.board import KO_RULES
from gocnn.go.core import EMPTY
from gocnn.go.ownership import add_playouts
from gocnn.go.planes import PlaneSet
from gocnn.jit import njit

LONGEST = 400  # moves of one descent

# How a descent ends.
WAITS = 0  # at a leaf that the network is asked about
ENDED = 1  # in a finished game, or where all moves are banned; its value has been added
COLLIDED = 2  # at a leaf that was waiting already; nothing is left of the descent
STUCK = 3  # at the root, which has no move


class Position(NamedTuple):
    """The root's position and what of the game before it matters below it; room for one descent."""

    root: core.State
    state: core.State  # scratch
    moves: np.ndarray  # int16 [played + LONGEST]: those of the game, then those of the descent
    history: np.ndarray  # uint64 [played + 1 + LONGEST]: what superko compares, likewise
    to_move: int
    played: int  # moves of the game
    ko_rule: int  # of KO_RULES' values
    suicide: bool
    plane_code: int  # of the plane set
    needed: float  # with `by_pass` an `engine.rules.Needed`
    by_pass: float
    room: np.ndarray | None  # to read ladders in, where the planes show them
    bans: np.ndarray  # int16 [2, N*N + 1]: see `engine.search.Search.run`


class Batch(NamedTuple):
    """Leaves that wait for the network."""

    planes: np.ndarray  # int8 [B, planes, N*N]
    node: np.ndarray  # int32 [B]
    colour: np.ndarray  # int8 [B]: the side to move
    needed: np.ndarray  # float32 [B]: the lead in area that it must exceed
    legal: np.ndarray  # bool [B, N*N + 1]: superko not counted
    owner: np.ndarray  # float32 [B, N*N]: the mean owner by `play_out`, from the view of the side to move


def position_of(board: Board, needed: Needed, bans: np.ndarray, plane_set: PlaneSet) -> Position:
    """A board's position with room for descents; the rest is as in `engine.search.Search.run`."""
    played = len(board.recent)
    moves = np.zeros(played + LONGEST, np.int16)
    history = np.zeros(played + 1 + LONGEST, np.uint64)
    moves[:played] = board.recent
    history[: played + 1] = board.history
    state = core.new_state(board.size)
    core.copy_into(state, board.state)
    return Position(
        root=state,
        state=core.new_state(board.size),
        moves=moves,
        history=history,
        to_move=board.to_move,
        played=played,
        ko_rule=KO_RULES[board.ko],
        suicide=board.suicide,
        plane_code=plane_set.code,
        needed=float(needed.lead),
        by_pass=float(needed.by_pass),
        room=planes.new_room(plane_set, board.size),
        bans=bans,
    )


def new_batch(size: int, count: int, plane_count: int) -> Batch:
    """Room for `count` leaves."""
    points = size * size
    return Batch(
        np.zeros((count, plane_count, points), np.int8),
        np.zeros(count, np.int32),
        np.zeros(count, np.int8),
        np.zeros(count, np.float32),
        np.zeros((count, points + 1), np.bool_),
        np.zeros((count, points), np.float32),
    )


@njit(cache=True, nogil=True)
def final_lead(state, owner, colour):
    """The area by which `colour` leads at the end of a game, komi not counted.

    Chains whose points are the other side's on the mean of `owner` (int8 [N*N], seen by `colour`) are taken off as
    dead, and what is left is counted by reach (Tromp-Taylor).
    """
    size = state.info[core.SIZE]
    total = np.zeros(state.colour.size, np.int32)  # by head
    for point in range(size * size):
        cell = core.to_cell(point, size)
        if state.colour[cell] != EMPTY:
            total[state.head[cell]] += owner[point]
    stones = np.zeros((size, size), np.int8)
    for point in range(size * size):
        cell = core.to_cell(point, size)
        stone = state.colour[cell]
        if stone != EMPTY and total[state.head[cell]] * stone * colour >= 0:
            stones[point // size, point % size] = stone
    return colour * scoring.owner_map(stones).sum()


@njit(cache=True, nogil=True)
def descend(tree, root, position, batch, slot, settings, identity):
    """Walk from the root to a leaf, and say how that ended: WAITS, ENDED, COLLIDED or STUCK.

    What the network is to see of a leaf that WAITS is in `slot` of the batch then.
    """
    links, sums = tree.links, tree.sums
    state = position.state
    core.copy_into(state, position.root)
    colour, played = position.to_move, position.played
    size = state.info[core.SIZE]
    pass_point = size * size
    ko_rule, suicide = position.ko_rule, position.suicide
    needed, by_pass = position.needed, position.by_pass
    node = root
    while links[node, STATE] == EXPANDED and played - position.played < LONGEST - 1:
        child = select(tree, node, settings)
        if child == NO_MOVE:
            if node == root:
                return STUCK
            # Nothing below was looked at, so the node's means are what the network said of it.
            visits = links[node, VISITS]
            back_up(tree, node, root, sums[node, WINRATE] / visits, sums[node, LEAD] / visits, settings)
            return ENDED
        if child == UNTRIED:
            edge = links[node, FIRST] + links[node, TRIED]
            move = np.int64(tree.moves[edge])
            prior = np.float64(tree.priors[edge])
            links[node, TRIED] += 1
            bring_best_forward(tree, node)
            if played - position.played < position.bans[(1 - colour) // 2, move]:
                continue
            if (
                ko_rule != core.SIMPLE
                and core.legality(state, move, colour, ko_rule, suicide, position.history[: played + 1]) != core.LEGAL
            ):
                continue
            child = add_node(tree, node, move, prior)
        move = np.int64(links[child, MOVE])
        links[child, PENDING] += 1
        core.play(state, move, colour)
        position.moves[played] = move
        played += 1
        if move == pass_point:
            needed -= by_pass * colour
        colour = -colour
        position.history[played] = core.situation_key(state.key[0], colour, ko_rule)
        over = move == pass_point and played >= 2 and position.moves[played - 2] == pass_point
        if over and links[child, STATE] == NEW:
            for point in range(pass_point):
                tree.owner[child, point] = -tree.owner[node, point]
            links[child, STATE] = TERMINAL
        node = child
        if links[node, STATE] == TERMINAL:
            # Who plays last is known now, which was worth half a point.
            lead = final_lead(state, tree.owner[node], colour) - (needed * colour - by_pass / 2)
            winrate = 0.5 if lead == 0 else (1.0 if lead > 0 else 0.0)
            back_up(tree, node, root, winrate, lead, settings)
            return ENDED
    if links[node, STATE] == EXPANDED or (links[node, PENDING] > 1 and node != root):
        withdraw(tree, node, root)
        return COLLIDED
    batch.node[slot] = node
    batch.colour[slot] = colour
    show(position, state, colour, played, needed, identity, batch, slot)
    for move in range(pass_point + 1):
        legal = core.legality(state, move, colour, core.SIMPLE, suicide, position.history[:0])
        batch.legal[slot, move] = legal == core.LEGAL
    return WAITS


@njit(cache=True, nogil=True)
def show(position, state, colour, played, needed, point_map, batch, slot):
    """Put the planes of `state` after `played` moves, turned by a map, and what `colour` needs into a batch's slot."""
    batch.planes[slot] = 0
    batch.needed[slot] = needed * colour
    moves = position.moves[:played]
    planes.write(position.plane_code, state, colour, moves, point_map, position.room, batch.planes[slot])


@njit(cache=True, nogil=True)
def show_root(position, point_map, batch, slot):
    """`show` the root."""
    show(position, position.root, position.to_move, position.played, position.needed, point_map, batch, slot)


@njit(cache=True, nogil=True)
def gather(tree, root, position, batch, want, settings, identity, left):
    """Fill a batch with up to `want` leaves, in `left` descents at most.

    Returns the leaves found and the descents that ended at once, as in a finished game: none of either if the root has
    no move. Each descent may add a node, those that end at once too, so that the arrays may be full before.
    """
    found = np.int64(0)  # a plain 0 is a type of its own to numba, for which `descend` would be compiled once more
    ended = 0
    collisions = 0
    room = tree.links.shape[0]
    while found < want and found + ended < left and collisions <= want and tree.used[0] < room:
        outcome = descend(tree, root, position, batch, found, settings, identity)
        if outcome == WAITS:
            found += 1
        elif outcome == COLLIDED:
            collisions += 1
        elif outcome == STUCK:
            break
        else:
            ended += 1
            if ended >= 16 * want:
                break
    return found, ended


@njit(cache=True, nogil=True)
def play_out(tree, root, position, batch, first, end, playouts, seed):
    """Let random games say who owns the points of a batch's leaves from `first` to before `end`, in `batch.owner`.

    Writes nowhere else, so that several threads can each do some of a batch.
    """
    size = position.root.info[core.SIZE]
    state = core.new_state(size)
    moves = np.empty(LONGEST, np.int64)
    for slot in range(first, end):
        depth = 0
        node = batch.node[slot]
        while node != root:
            moves[depth] = tree.links[node, MOVE]
            depth += 1
            node = tree.links[node, PARENT]
        core.copy_into(state, position.root)
        colour = position.to_move
        for back in range(1, depth + 1):
            core.play(state, moves[depth - back], colour)
            colour = -colour
        total = add_playouts(state, colour, playouts, seed + batch.node[slot])
        for point in range(size * size):
            batch.owner[slot, point] = colour * total[point // size, point % size] / playouts


@njit(cache=True, nogil=True)
def absorb(tree, root, batch, count, policy, winrate, lead, owner, settings):
    """Expand the leaves of a batch with what the network says of them, and add their values up the tree."""
    for slot in range(count):
        node = np.int64(batch.node[slot])
        for point in range(owner.shape[1]):
            tree.owner[node, point] = np.int8(np.rint(owner[slot, point] * OWNER_SCALE))
        expand(tree, node, policy[slot], batch.legal[slot], settings[TEMPERATURE])
        back_up(tree, node, root, np.float64(winrate[slot]), np.float64(lead[slot]), settings)


@njit(cache=True, nogil=True)
def give_up(tree, root, batch, count):
    """Take the leaves of a batch that was never evaluated off the counts of what is pending."""
    for slot in range(count):
        withdraw(tree, batch.node[slot], root)
