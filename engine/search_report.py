"""What a tree says of its root's moves: visits, win rates, leads, and the lines of play that are expected."""

from __future__ import annotations

import math

import numpy as np

from engine import tree as trees
from engine.search_terms import MoveReport, Owners, Report
from engine.tree import Tree

LCB_DEVIATIONS = 1.96
LCB_SHARE = 0.1  # of the most visits: moves with fewer are not chosen by their bound
PROBABLE = 10  # moves that stand for those that have been looked at while there are none


def report_of(tree: Tree, root: int, priors: np.ndarray, descents: int, *, lcb: bool, with_owners: bool) -> Report:
    """What was found at a root after so many `descents`.

    `priors` float [N*N + 1] are the network's own probabilities. With `lcb` the moves are in order of the lower bounds
    of their win rates, those with few visits last; else of their visits. Without `with_owners` there are no owners but
    the network's own of the root.
    """
    visits = int(tree.links[root, trees.VISITS])
    winrate, lead = tree.sums[root, [trees.WINRATE, trees.LEAD]].tolist()
    children = trees.children(tree, root)
    found = []
    owners, count = np.zeros((2, tree.owner.shape[1])), 1
    owners[0] = tree.owner[root] / trees.OWNER_SCALE
    owners[1] = owners[0] ** 2
    for child in children:
        through = int(tree.links[child, trees.THROUGH])
        if tree.links[child, trees.BARRED]:
            visits -= through
            winrate -= through - tree.sums[child, trees.WINRATE_IN]
            lead += tree.sums[child, trees.LEAD_IN]
        elif through > 0:
            of_move = None
            if with_owners:
                below, evaluations = trees.owners_below(tree, child)
                below[0] *= -1  # from the root player's view
                owners, count = owners + below, count + evaluations
                of_move = Owners.of(below, evaluations)
            found.append(_of_child(tree, child, priors, of_move))
    most = max((move.visits for move in found), default=0)
    if lcb:
        found.sort(key=lambda m: (m.visits >= max(LCB_SHARE * most, 2), m.lcb, m.visits, m.prior), reverse=True)
    else:
        found.sort(key=lambda m: (m.visits, m.winrate, m.prior), reverse=True)
    winrate, lead = float(winrate / visits), float(lead / visits)
    first, moves, tried = tree.links[root, [trees.FIRST, trees.MOVES, trees.TRIED]]
    ranked = sorted(tree.moves[first + tried : first + moves].tolist(), key=lambda move: -priors[move])
    untried = [MoveReport(m, 0, winrate, lead, float(priors[m]), 0.0, (m,)) for m in ranked]
    if not found:
        found, untried = untried[:PROBABLE], untried[PROBABLE:]
    return Report(tuple(found), tuple(untried), visits, descents, winrate, lead, Owners.of(owners, count), priors)


def _of_child(tree: Tree, child: int, priors: np.ndarray, owners: Owners | None) -> MoveReport:
    through = int(tree.links[child, trees.THROUGH])
    sums = tree.sums[child]
    winrate = 1 - float(sums[trees.WINRATE_IN]) / through
    # The spread of the evaluations, with a few imagined ones at the ends lest two equal ones seem certain.
    variance = max(float(sums[trees.SQUARE_IN]) / through - (1 - winrate) ** 2, 0.0)
    variance = (variance * through + 0.25) / (through + 1)
    bound = winrate - LCB_DEVIATIONS * math.sqrt(variance / through)
    move = int(tree.links[child, trees.MOVE])
    lead = -float(sums[trees.LEAD_IN]) / through
    line = tree.links[_line(tree, child)]
    pv, visits, edge_visits = (tuple(line[:, column].tolist()) for column in (trees.MOVE, trees.VISITS, trees.THROUGH))
    return MoveReport(move, through, winrate, lead, float(priors[move]), bound, pv, visits, edge_visits, owners)


def _line(tree: Tree, node: int) -> list[int]:
    """The nodes from a child of the root on, each the most visited one."""
    line = []
    while True:
        line.append(node)
        tried = [child for child in trees.children(tree, node) if tree.links[child, trees.THROUGH] > 0]
        if not tried:
            return line
        node = max(reversed(tried), key=lambda child: int(tree.links[child, trees.THROUGH]))
