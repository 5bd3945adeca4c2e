"""Games of a network with itself, many at once, played out to the end: what a value head learns late positions from.

Professionals give up what is lost, so their records hardly show a large group that dies late, and a value head that
knows nothing else is sure of the wrong side there. AlphaGo's value network learned from its policy's own games for
much the same reason (D. Silver et al., "Mastering the game of Go with deep neural networks and tree search", 2016).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.game import Game, format_score
from engine.player import drawn_order
from engine.policy import Policy
from gocnn.go import BLACK, WHITE, Board
from gocnn.go.ownership import SURE, ownership
from sgf_data.record import GameRecord

GLANCE = 32  # playouts that tell whether a game is settled
EVERY = 8  # moves from one look at that to the next
COVERED = 0.55  # share of the points that stones cover before the first


@dataclass(frozen=True)
class SelfPlay:
    """How the games are played.

    The first `opening` moves are drawn by the policy's probabilities. From then on each side draws at a temperature of
    its own, which is drawn evenly between 0 and `warmest` for each game, so that strong and weak sides meet. A game is
    over when playouts are sure of all but `unsure` of the points, when nobody has a sensible move, or after
    `most` moves a point of the board.
    """

    games: int = 1000
    at_once: int = 64
    size: int = 19
    komi: float = 7.5
    opening: int = 30
    warmest: float = 1.0
    unsure: float = 0.01
    most: float = 1.2
    seed: int = 0


@dataclass
class _Table:
    """One game under way."""

    game: Game
    temperatures: dict[int, float]

    @property
    def board(self) -> Board:
        return self.game.board


def play(policy: Policy, config: SelfPlay) -> Iterator[GameRecord]:
    """The finished games, in the order in which they end; their results are counted by area."""
    random = np.random.default_rng(config.seed)
    begun = 0
    tables: list[_Table] = []
    while True:
        while len(tables) < config.at_once and begun < config.games:
            warmth = random.uniform(0, config.warmest, 2).tolist()
            tables.append(_Table(Game(config.size, config.komi), dict(zip((BLACK, WHITE), warmth))))
            begun += 1
        if not tables:
            return
        priors = policy.policy([table.board for table in tables])
        for table, prior in zip(tables, priors):
            _move(table, prior, config, random)
        for table in [table for table in tables if _is_over(table, config)]:
            tables.remove(table)
            yield _record(table.game)


def _move(table: _Table, prior: np.ndarray, config: SelfPlay, random: np.random.Generator) -> None:
    """Play a legal move that fills no eye of one's own, or pass if there is none."""
    board = table.board
    colour = board.to_move
    temperature = 1.0 if len(board.moves) < config.opening else table.temperatures[colour]
    legal = board.legal_mask(colour)
    for point in drawn_order(prior[:-1], temperature, random).tolist():
        if legal[point] and not board.is_own_eye(colour, point):
            board.play(colour, point)
            return
    board.play(colour, board.pass_point)


def _is_over(table: _Table, config: SelfPlay) -> bool:
    board = table.board
    moves = len(board.moves)
    if table.game.is_over or moves >= config.most * board.pass_point:
        return True
    if moves % EVERY or np.count_nonzero(board.stones) < COVERED * board.pass_point:
        return False
    return bool(np.mean(np.abs(ownership(board, GLANCE)) < SURE) <= config.unsure)


def _record(game: Game) -> GameRecord:
    colours, points = np.array(game.board.moves).T
    return GameRecord(
        game.board.size, points.astype(np.int16), colours.astype(np.int8), komi=game.komi,
        result=format_score(game.score()), rules="Chinese", black="gocnn", white="gocnn",
    )  # fmt: skip
