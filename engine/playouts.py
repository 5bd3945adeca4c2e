"""Random playouts of a search's leaves: their values without a value head, a second opinion late in the game."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import descent
from engine.descent import Batch, Position
from engine.search_terms import Answer, Network, SearchConfig, Values
from engine.tree import Tree
from gocnn.compiled.threads import share
from gocnn.go import Board, core

SPREAD = 0.4  # times the board's size, in points: how sharply a lead makes a win rate


def winrate_of(lead: np.ndarray, size: int) -> np.ndarray:
    """The chances to win, 0 to 1, of leads in points on a board of `size`: logistic, by SPREAD."""
    return np.asarray((1 + np.tanh(lead / (2 * SPREAD * size))) / 2)


class Playouts:
    """Asks the network, and makes the playouts of one search.

    They are made before the network is asked, in as many threads as it has: at the same time the two would compete for
    the cores.
    """

    def __init__(self, evaluator: Network, config: SearchConfig, board: Board, *, mix: bool) -> None:
        """For a search of this position; `mix` them into the network's own values if it is late in the game."""
        self.evaluator = evaluator
        self.config = config
        is_late = bool(np.count_nonzero(board.stones) >= config.late * board.pass_point)
        self.are_mixed = mix and is_late and evaluator.has_value and config.late_weight > 0

    def look(self, tree: Tree, root: int, position: Position, batch: Batch, leaves: int) -> Answer:
        """What network and playouts together say of the first `leaves` of a batch."""
        answer, played_out = self.ask(tree, root, position, batch, leaves, leaves)
        return Answer(answer.policy, self.mixed(answer.values, played_out))

    def ask(
        self, tree: Tree, root: int, position: Position, batch: Batch, leaves: int, mixed_leaves: int
    ) -> tuple[Answer, Values | None]:
        """What the network says of the first `leaves`, and what is to be mixed in of the first `mixed_leaves`."""
        size = int(position.root.info[core.SIZE])
        planes = batch.planes[:leaves].reshape(leaves, -1, size, size)
        played_out = None
        if self.are_mixed:
            played_out = self._play_out(tree, root, position, batch, mixed_leaves, self.config.late_playouts)
        said: Any = self.evaluator.evaluate_planes(planes, batch.needed[:leaves])
        if said.winrate is not None:
            values = Values(said.winrate, said.lead, said.owner)
        else:
            values = self._play_out(tree, root, position, batch, leaves, self.config.playouts)
        return Answer(said.policy, values), played_out

    def mixed(self, values: Values, played_out: Values | None) -> Values:
        """The network's values with those of playouts, if there are any.

        Leads stay the network's: so few playouts are too rough to tell the last points by.
        """
        if played_out is None:
            return values
        weight = self.config.late_weight
        winrate = (1 - weight) * values.winrate + weight * played_out.winrate
        owner = (1 - weight) * values.owner + weight * played_out.owner
        return Values(winrate.astype(np.float32), values.lead, owner.astype(np.float32))

    def _play_out(self, tree: Tree, root: int, position: Position, batch: Batch, leaves: int, playouts: int) -> Values:
        """The values of the first `leaves` by so many playouts each."""
        import torch

        def play(first: int, end: int) -> None:
            descent.play_out(tree, root, position, batch, first, end, playouts, (self.config.seed or 0) % 2**32)

        share(play, leaves, torch.get_num_threads())
        owner = batch.owner[:leaves]
        lead = owner.sum(1) - batch.needed[:leaves]
        return Values(winrate_of(lead, position.root.info[core.SIZE]), lead, owner)
