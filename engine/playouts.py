"""Random playouts of a search's leaves: their values without a value head, a second opinion late in the game."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import descent
from engine.descent import Batch, Position
from engine.lanes import Answer
from engine.search_terms import Network, SearchConfig
from engine.tree import Tree
from gocnn.compiled.threads import share
from gocnn.go import core

SPREAD = 0.4  # times the board's size, in points: how sharply a lead makes a win rate

#: What playouts say of some leaves, from the view of the player to move there: win rates, leads and owners; or nothing.
Said = tuple[np.ndarray, ...]


def winrate_of(lead: np.ndarray, size: int) -> np.ndarray:
    """The chances to win, 0 to 1, of leads in points on a board of `size`: logistic, by SPREAD."""
    return np.asarray((1 + np.tanh(lead / (2 * SPREAD * size))) / 2)


class Playouts:
    """Makes them in as many threads as the network has, before it is asked: beside it they would hold up its own."""

    def __init__(self, evaluator: Network, config: SearchConfig) -> None:
        self.evaluator = evaluator
        self.config = config
        self.is_late = False  # whether they are mixed into the network's values

    def look(self, tree: Tree, root: int, position: Position, batch: Batch, count: int) -> Answer:
        """What network and playouts together say of the first `count` leaves."""
        (policy, winrate, lead, owner), said = self.ask(tree, root, position, batch, count, count)
        winrate, owner = self.mixed(winrate, owner, said)
        return policy, winrate, lead, owner

    def ask(
        self, tree: Tree, root: int, position: Position, batch: Batch, count: int, late: int
    ) -> tuple[Answer, Said]:
        """What the network says of the first `count` leaves, and playouts of the first `late`, if it is late."""
        size = int(position.root.info[core.SIZE])
        planes = batch.planes[:count].reshape(count, -1, size, size)
        said = self.make_late(tree, root, position, batch, late)
        found: Any = self.evaluator.evaluate_planes(planes, batch.needed[:count])
        if found.winrate is not None:
            return (found.policy, found.winrate, found.lead, found.owner), said
        return (found.policy, *self.make(tree, root, position, batch, count, self.config.playouts)), said

    def make(self, tree: Tree, root: int, position: Position, batch: Batch, count: int, playouts: int) -> Said:
        """Play out the first `count` leaves, each so often."""
        import torch

        def play(first: int, end: int) -> None:
            descent.play_out(tree, root, position, batch, first, end, playouts, (self.config.seed or 0) % 2**32)

        share(play, count, torch.get_num_threads())
        owner = batch.owner[:count]
        lead = owner.sum(1) - batch.needed[:count]
        return winrate_of(lead, position.root.info[core.SIZE]), lead, owner

    def make_late(self, tree: Tree, root: int, position: Position, batch: Batch, count: int) -> Said:
        """Make those that are mixed in, if any are."""
        if not self.is_late:
            return ()
        return self.make(tree, root, position, batch, count, self.config.late_playouts)

    def mixed(self, winrate: np.ndarray, owner: np.ndarray, said: Said) -> tuple[np.ndarray, np.ndarray]:
        """The network's win rates and owners, with what playouts say.

        Leads stay the network's: so few playouts are too rough to tell the last points by.
        """
        if not said:
            return winrate, owner
        weight, (rate, _, owned) = self.config.late_weight, said
        mixed = (1 - weight) * winrate + weight * rate, (1 - weight) * owner + weight * owned
        return mixed[0].astype(np.float32), mixed[1].astype(np.float32)
