"""The search tree as flat arrays, and the functions on it: those that descents call (`engine.descent`) are compiled.

A node is an index. Its children are a linked list of nodes; the moves not yet tried are a run of the edge arrays, with
the most probable one kept in front, so a node costs memory for what has been visited and a selection looks at visited
moves and one more. Every value is kept from the view of the player to move at its node: utilities and win rates 0 to 1,
leads in points with komi counted.

Each node has two sets of sums: those of all descents through it, which make its own value, and those that came through
its parent, which are what the parent chose by. They differ only in nodes that have been the root of a search: so a
parent that becomes the root again (after an undo) finds its counts as they were.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engine.search_terms import SearchConfig
from gocnn.jit import njit

# Columns of Tree.links.
VISITS = 0  # descents through the node, its own evaluation among them
THROUGH = 1  # those that came from its parent
PENDING = 2  # descents that wait for the network
PARENT, MOVE, CHILD, SIBLING = 3, 4, 5, 6  # CHILD: the newest one; SIBLING: the next older one; -1: none
FIRST, MOVES, TRIED = 7, 8, 9  # the run of edges, its length, how many of them have a child or were left out
STATE = 10
BARRED = 11  # not 0: this search leaves the node out, at the root
LINKS = 12

# Values of links[node, STATE].
NEW, EXPANDED, TERMINAL = 0, 1, 2

# What `select` says where it is no child.
UNTRIED, NO_MOVE = -1, -2

# Columns of Tree.sums.
PRIOR = 0
UTILITY, WINRATE, LEAD = 1, 2, 3  # over VISITS
UTILITY_IN, WINRATE_IN, LEAD_IN, SQUARE_IN = 4, 5, 6, 7  # over THROUGH, SQUARE_IN of the win rate
SUMS = 8

# Settings of a search.
CPUCT, CPUCT_GROWTH, FPU, VIRTUAL_LOSS, LEAD_WEIGHT, LEAD_SCALE, TEMPERATURE = range(7)
SETTINGS = 7

CPUCT_BASE = 500.0  # visits from which on the growth of cpuct is felt
OWNER_SCALE = 127.0  # owners -1 to 1 are kept as int8


class Tree(NamedTuple):
    """All nodes of a tree and the moves that they know."""

    links: np.ndarray  # int32 [nodes, LINKS]
    sums: np.ndarray  # float64 [nodes, SUMS]
    owner: np.ndarray  # int8 [nodes, N*N]: the owner of each point, -127 the opponent's to 127 the player's
    moves: np.ndarray  # int16 [edges]
    priors: np.ndarray  # float32 [edges]
    used: np.ndarray  # int64 [2]: nodes and edges in use


def new_tree(size: int, nodes: int) -> Tree:
    """An empty tree for boards of one size, with room for so many nodes and all their moves.

    Memory that is not written to costs nothing yet, on Linux and macOS at least.
    """
    edges = nodes * (size * size + 1)
    return Tree(
        np.empty((nodes, LINKS), np.int32),
        np.empty((nodes, SUMS), np.float64),
        np.empty((nodes, size * size), np.int8),
        np.empty(edges, np.int16),
        np.empty(edges, np.float32),
        np.zeros(2, np.int64),
    )


def settings_of(config: SearchConfig, size: int) -> np.ndarray:
    """float64 [SETTINGS]: what the functions on a tree need to know of a search on boards of this size."""
    settings = np.zeros(SETTINGS)
    settings[CPUCT] = config.cpuct
    settings[CPUCT_GROWTH] = config.cpuct_growth
    settings[FPU] = config.fpu
    settings[VIRTUAL_LOSS] = config.virtual_loss
    settings[LEAD_WEIGHT] = config.lead_weight
    settings[LEAD_SCALE] = size
    settings[TEMPERATURE] = config.policy_temperature
    return settings


def children(tree: Tree, node: int) -> list[int]:
    """The numbers of a node's children, oldest first."""
    found, child = [], int(tree.links[node, CHILD])
    while child >= 0:
        found.append(child)
        child = int(tree.links[child, SIBLING])
    return found[::-1]


def walk(tree: Tree, moves: np.ndarray) -> int:
    """The node that some moves lead to from node 0; -1 if it is not in the tree."""
    node = 0
    for move in moves:
        node = int(tree.links[node, CHILD])
        while node >= 0 and tree.links[node, MOVE] != move:
            node = int(tree.links[node, SIBLING])
        if node < 0:
            break
    return node


@njit(cache=True, nogil=True)
def add_node(tree, parent, move, prior):
    """A new node, linked to its parent (-1: none); returns its index. There must be room."""
    node = tree.used[0]
    tree.used[0] = node + 1
    links = tree.links[node]
    links[:] = 0
    links[PARENT], links[MOVE], links[CHILD], links[SIBLING] = parent, move, -1, -1
    tree.sums[node, :] = 0.0
    tree.sums[node, PRIOR] = prior
    if parent >= 0:
        links[SIBLING] = tree.links[parent, CHILD]
        tree.links[parent, CHILD] = node
    return node


@njit(cache=True, nogil=True)
def bring_best_forward(tree, node):
    """Let the most probable of the moves not yet tried stand in front of them."""
    first = tree.links[node, FIRST] + tree.links[node, TRIED]
    last = tree.links[node, FIRST] + tree.links[node, MOVES]
    if first >= last:
        return
    best = first
    for edge in range(first + 1, last):
        if tree.priors[edge] > tree.priors[best]:
            best = edge
    tree.moves[first], tree.moves[best] = tree.moves[best], tree.moves[first]
    tree.priors[first], tree.priors[best] = tree.priors[best], tree.priors[first]


@njit(cache=True, nogil=True)
def expand(tree, node, policy, legal, temperature):
    """Give a node its moves: the legal ones with the policy's probabilities, which are made to sum to 1.

    A `temperature` above 1 makes these more alike, one below 1 less.
    """
    first = tree.used[1]
    edge = first
    total, largest = 0.0, np.float32(0)
    for move in range(policy.size):
        if legal[move]:
            largest = max(largest, policy[move])
    for move in range(policy.size):
        if legal[move]:
            prior = policy[move]
            if temperature != 1.0 and largest > 0:
                prior = (prior / largest) ** (1.0 / temperature)  # of a small number nothing might be left
            tree.moves[edge] = move
            tree.priors[edge] = prior
            total += prior
            edge += 1
    count = edge - first
    for i in range(first, edge):
        tree.priors[i] = tree.priors[i] / total if total > 0 else 1.0 / count
    tree.used[1] = edge
    tree.links[node, FIRST] = first
    tree.links[node, MOVES] = count
    tree.links[node, TRIED] = 0
    tree.links[node, STATE] = EXPANDED
    bring_best_forward(tree, node)


@njit(cache=True, nogil=True)
def select(tree, node, settings):
    """The child to go on with, UNTRIED for the first of the moves that have none yet, or NO_MOVE.

    Barred children, and what they are worth, are left out.
    """
    links, sums = tree.links, tree.sums
    visits = 0
    tried = 0.0  # probability
    utility, count = sums[node, UTILITY], links[node, VISITS]
    child = links[node, CHILD]
    while child >= 0:
        if links[child, BARRED]:
            utility -= links[child, THROUGH] - sums[child, UTILITY_IN]
            count -= links[child, THROUGH]
        else:
            visits += links[child, THROUGH] + links[child, PENDING]
            tried += sums[child, PRIOR]
        child = links[child, SIBLING]
    growth = settings[CPUCT_GROWTH] * np.log((visits + CPUCT_BASE) / CPUCT_BASE)
    weight = (settings[CPUCT] + growth) * np.sqrt(visits + 0.01)
    mean = utility / max(count, 1)
    # In a lost position nothing is worse than what has been tried, and everything is worth a look.
    first_value = mean - settings[FPU] * np.sqrt(min(tried, 1.0)) * min(2 * mean, 1.0)
    best, best_score = NO_MOVE, -1e30
    edge = links[node, FIRST] + links[node, TRIED]
    if links[node, TRIED] < links[node, MOVES]:
        best, best_score = UNTRIED, first_value + weight * tree.priors[edge]
    child = links[node, CHILD]
    while child >= 0:
        if not links[child, BARRED]:
            through, pending = links[child, THROUGH], links[child, PENDING]
            lost = settings[VIRTUAL_LOSS] * pending
            if through + lost > 0:
                value = (through - sums[child, UTILITY_IN]) / (through + lost)
            else:
                value = first_value
            score = value + weight * sums[child, PRIOR] / (1 + through + pending)
            if score > best_score:
                best, best_score = child, score
        child = links[child, SIBLING]
    return best


@njit(cache=True, nogil=True)
def back_up(tree, node, root, winrate, lead, settings):
    """Add a node's value, seen by its player to move, to it and to all above it up to the root."""
    links, sums = tree.links, tree.sums
    share = settings[LEAD_WEIGHT]
    utility = winrate
    if share > 0:
        utility = (1 - share) * winrate + share * (0.5 + 0.5 * np.tanh(lead / settings[LEAD_SCALE]))
    while True:
        links[node, VISITS] += 1
        sums[node, UTILITY] += utility
        sums[node, WINRATE] += winrate
        sums[node, LEAD] += lead
        if node == root:
            return
        links[node, THROUGH] += 1
        links[node, PENDING] -= 1
        sums[node, UTILITY_IN] += utility
        sums[node, WINRATE_IN] += winrate
        sums[node, LEAD_IN] += lead
        sums[node, SQUARE_IN] += winrate * winrate
        utility, winrate, lead = 1 - utility, 1 - winrate, -lead
        node = links[node, PARENT]


@njit(cache=True, nogil=True)
def withdraw(tree, node, root):
    """Take one pending descent off a node and all above it."""
    while node != root:
        tree.links[node, PENDING] -= 1
        node = tree.links[node, PARENT]


@njit(cache=True, nogil=True)
def owners_below(tree, root):
    """The owners at a node and below it, -1 to 1, from the view of its player to move.

    float64 [2, N*N], their sum and the sum of their squares, and how many there are: each evaluation is one, and a
    finished game as many as it has visits.
    """
    points = tree.owner.shape[1]
    total = np.zeros((2, points), np.float64)
    weights = 0
    node, sign = root, 1
    while True:
        if tree.links[node, STATE] != NEW:
            weight = max(tree.links[node, VISITS], 1) if tree.links[node, STATE] == TERMINAL else 1
            weights += weight
            for point in range(points):
                owner = tree.owner[node, point] / OWNER_SCALE
                total[0, point] += sign * weight * owner
                total[1, point] += weight * owner * owner
        if tree.links[node, CHILD] >= 0:
            node, sign = tree.links[node, CHILD], -sign
            continue
        while node != root and tree.links[node, SIBLING] < 0:
            node, sign = tree.links[node, PARENT], -sign
        if node == root:
            return total, weights
        node = tree.links[node, SIBLING]


@njit(cache=True, nogil=True)
def copy_below(tree, root, other):
    """Copy a node and all below it into an empty tree, where it is node 0. There must be room."""
    names = np.empty(tree.used[0], np.int32)  # a node's index in the other tree
    node = root
    while True:
        new = other.used[0]
        names[node] = new
        other.used[0] = new + 1
        for column in range(LINKS):
            other.links[new, column] = tree.links[node, column]
        for column in range(SUMS):
            other.sums[new, column] = tree.sums[node, column]
        for point in range(tree.owner.shape[1]):
            other.owner[new, point] = tree.owner[node, point]
        other.links[new, PARENT] = -1 if node == root else names[tree.links[node, PARENT]]
        first, count = tree.links[node, FIRST], tree.links[node, MOVES]
        if tree.links[node, STATE] == EXPANDED:
            start = other.used[1]
            for edge in range(count):
                other.moves[start + edge] = tree.moves[first + edge]
                other.priors[start + edge] = tree.priors[first + edge]
            other.links[new, FIRST] = start
            other.used[1] = start + count
        if tree.links[node, CHILD] >= 0:
            node = tree.links[node, CHILD]
            continue
        while node != root and tree.links[node, SIBLING] < 0:
            node = tree.links[node, PARENT]
        if node == root:
            break
        node = tree.links[node, SIBLING]
    for new in range(other.used[0]):
        if other.links[new, CHILD] >= 0:
            other.links[new, CHILD] = names[other.links[new, CHILD]]
        if new and other.links[new, SIBLING] >= 0:
            other.links[new, SIBLING] = names[other.links[new, SIBLING]]
    other.links[0, SIBLING] = -1
