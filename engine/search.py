"""Tree search over a policy and a value: PUCT with the network's evaluations in batches.

Each descent walks from the root to a position that has not been looked at, choosing at every step the move with the
best sum of its mean value so far and a bonus for its prior probability (C. D. Rosin, "Multi-armed bandits with episode
context", 2011; D. Silver et al., "Mastering the game of Go without human knowledge", 2017). Several descents are
collected before the network is asked; a move that is being looked at counts as lost meanwhile (virtual loss), so that
they spread. The descents are compiled (`engine.descent`), and so is what they do to the tree (`engine.tree`).

A game ends in the tree with two passes, and is counted then: chains that the network gives to the other side are taken
off, and what is left is counted by area. A network without a value head gets its values from random playouts
(`gocnn.go.ownership`). Late in the game, where they know more of life and death than a small network does, they are
mixed into its own (as in D. Silver et al., "Mastering the game of Go with deep neural networks and tree search", 2016).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from engine import descent
from engine import tree as trees
from engine.bans import row_of
from engine.descent import Position
from engine.lanes import Flight, Lanes, new_lanes
from engine.playouts import Playouts
from engine.rules import Needed
from engine.search_report import report_of
from engine.search_terms import Answer, Limits, MoveReport, Network, Origin, Report, SearchConfig, Values
from engine.tree import Tree
from gocnn.go import Board
from gocnn.go.symmetry import point_maps

__all__ = ["Limits", "MoveReport", "Network", "Report", "Search", "SearchConfig"]

LONGEST_WAIT = 0.03  # seconds that one batch may take where somebody may want to stop the search
FULL = 0.75  # with this share of the nodes in use, a search whose root holds less than half of them begins anew
COMPACT = 20_000  # with so many nodes in use, what is below the root is copied and the rest given up


class _RootMoves(NamedTuple):
    """A root's moves as the network has them, without what one search alone wants of them."""

    root: int
    moves: np.ndarray  # int64 [M]
    priors: np.ndarray  # float64 [M]
    symmetries: int  # that the priors are the mean of


@dataclass
class _Run:
    """A search under way."""

    board: Board
    position: Position
    playouts: Playouts
    lanes: Lanes
    limits: Limits
    urgent: bool  # it may have to stop at any moment, so that batches must be short
    begin: float  # by `time.monotonic`
    descents: int = 0  # those whose leaves are under way counted

    @property
    def elapsed(self) -> float:
        """Seconds."""
        return time.monotonic() - self.begin


class Search:
    """Searches one position after the other, and keeps what it knows of the next one from the last."""

    def __init__(self, evaluator: Network, config: SearchConfig | None = None) -> None:
        self.evaluator = evaluator
        self.config = config = config or SearchConfig()
        self._random = np.random.default_rng(config.seed)
        self._pace = 0.0  # seconds for each leaf of a batch, lately
        self._origin: Origin | None = None
        self._kept: Tree | None = None
        self._root = 0
        self._root_moves: _RootMoves | None = None  # the last search's, while its root is in the tree
        self._bans = np.zeros((2, 0), np.int16)  # the last search's
        self._barred_visits = 0  # of the root's moves that this search leaves out

    def use(self, config: SearchConfig) -> None:
        """Go on by other settings; what was found by the old ones is kept, unless they gave the root other priors."""
        if config.root_temperature != self.config.root_temperature:
            self.forget()
        self.config = config

    def forget(self) -> None:
        """Start the next search with an empty tree."""
        self._origin = self._kept = self._root_moves = None

    def run(
        self,
        board: Board,
        needed: Needed,
        limits: Limits,
        *,
        stop: Callable[[], bool] | None = None,
        report: Callable[[Report], None] | None = None,
        every: float = 0.5,
        only: Sequence[int] | None = None,
        avoid: Sequence[int] = (),
        bans: np.ndarray | None = None,
        owners: bool = True,
        mix_playouts: bool = True,
    ) -> Report:
        """Search the position of a board, which is left as it is, for its side to move.

        The position itself is always evaluated. The tree of the last search is used where the game goes on from it,
        also after moves have been taken back, if its bans were the same and none of them hold below its root.

        Args:
            needed: what Black needs to win (`Rules.needed`).
            limits: the search ends at the first of them, or when the memory is used up.
            stop: asked after every batch; the search ends, too, when it says so.
            report: called about every `every` seconds.
            only: the moves to consider at the root; None: all.
            avoid: moves not to consider there.
            bans: int16 [2, N*N + 1], for each move of Black's and of White's how many moves deep it is left out (0:
                nowhere, 1: at the root).
            owners: whether reports tell who owns the points on the mean, and below each move, which takes a walk over
                all of the tree; else they tell what the network says of the position.
            mix_playouts: whether playouts are mixed into the network's values late in the game.
        """
        begin = time.monotonic()
        if bans is None:
            bans = np.zeros((2, board.pass_point + 1), np.int16)
        avoid = [*avoid, *np.flatnonzero(bans[row_of(board.to_move)])]
        origin = Origin.of(board, needed)
        goes_on = self._origin is not None and len(origin.moves) > len(self._origin.moves)
        # Visits under other bans tell where the search was allowed to look, not what is good.
        if not np.array_equal(bans, self._bans) or (goes_on and bans.max() > 1):
            self.forget()
        self._bans = bans.copy()
        self._find_root(origin)
        self._settings, self._identity = trees.settings_of(self.config, board.size), point_maps(board.size)[0]
        # Batches that depend on the clock make other trees, which a count of visits or descents must not.
        counted = limits.visits is not None or limits.descents is not None
        run = _Run(
            board=board,
            position=descent.position_of(board, needed, bans, self.evaluator.plane_set),
            playouts=Playouts(self.evaluator, self.config, board, mix=mix_playouts),
            lanes=new_lanes(self.evaluator.lanes, self.config.batch, board.size, len(self.evaluator.plane_set)),
            limits=limits,
            urgent=limits.seconds is not None or (stop is not None and not counted),
            begin=begin,
        )
        self._open_root(run, only, avoid)
        used = int(self._tree.used[0])
        if used + self.config.batch > self.config.nodes and 2 * self._visits < used:
            self._start(origin)  # full of moves that this search leaves out
            self._open_root(run, only, avoid)

        reported, over = begin, False
        with run.lanes.open(self._give_up):
            while True:
                over = over or (stop is not None and stop()) or self._reached(run)
                found, ended = (0, 0) if over else self._send(run)
                run.descents += found + ended
                if found and run.lanes.next:
                    continue
                if run.lanes.flights:
                    self._land(run.lanes)
                elif not ended:
                    break
                if limits.saves and self._is_decided(run):
                    over = True
                if report is not None and time.monotonic() - reported >= every:
                    report(self._report(run, owners))
                    reported = time.monotonic()
        return self._report(run, owners)

    def _report(self, run: _Run, owners: bool) -> Report:
        assert self._root_moves is not None
        priors = np.zeros(run.board.pass_point + 1)
        priors[self._root_moves.moves] = self._root_moves.priors
        return report_of(self._tree, self._root, priors, run.descents, lcb=self.config.lcb, with_owners=owners)

    @property
    def _tree(self) -> Tree:
        """The tree, which is there from the beginning of a search on."""
        assert self._kept is not None
        return self._kept

    # Finding the position in the tree.

    def _find_root(self, origin: Origin) -> None:
        """Let `_root` be the node of the position at the end of a game, in the tree there is or in a new one."""
        self._restore_root_moves()
        node = -1
        if self._origin is not None and origin.continues(self._origin):
            node = trees.walk(self._tree, origin.moves[len(self._origin.moves) :])
        if node < 0 or self._tree.links[node, trees.STATE] != trees.EXPANDED:
            self._start(origin)
            return
        self._root = node
        if node != 0 and self._tree.used[0] > min(COMPACT, self.config.nodes // 2):
            below = trees.new_tree(origin.size, len(self._tree.links))
            trees.copy_below(self._tree, node, below)
            self._kept, self._root, self._origin, self._root_moves = below, 0, origin, None
        used = int(self._tree.used[0])
        if used > FULL * self.config.nodes and 2 * self._tree.links[self._root, trees.VISITS] < used:
            self._start(origin)  # there is little room left, and most is full of what was searched further on

    def _start(self, origin: Origin) -> None:
        """An empty tree, whose root is the position at the end of a game."""
        size = origin.size
        if self._kept is None or self._kept.owner.shape[1] != size * size or len(self._kept.links) != self.config.nodes:
            self._kept = trees.new_tree(size, self.config.nodes)
        self._tree.used[:] = 0
        self._root = trees.add_node(self._tree, -1, -1, 1.0)
        self._origin, self._root_moves = origin, None

    # The root.

    def _open_root(self, run: _Run, only: Sequence[int] | None, avoid: Sequence[int]) -> None:
        """Have the root evaluated, over as many symmetries as wanted, and give it the moves that this search wants."""
        root, wanted = self._root, self.config.root_symmetries
        symmetries = 1  # of a position that was in the tree before it was the root
        if self._tree.links[root, trees.STATE] == trees.NEW:
            self._evaluate_root(run)
            symmetries = wanted
        root_moves = self._root_moves
        if root_moves is None or root_moves.root != root:
            root_moves = _RootMoves(root, *self._moves_of_root(run.board.pass_point), symmetries)
        if root_moves.symmetries < wanted:
            priors = self._priors_over_symmetries(run, root_moves.moves)
            root_moves = root_moves._replace(priors=priors, symmetries=wanted)
        self._root_moves = root_moves
        self._set_root_moves(root_moves, run.board, only, avoid)

    def _evaluate_root(self, run: _Run) -> None:
        """Expand the root with its evaluation, averaged over the symmetries wanted."""
        size, count = run.board.size, self.config.root_symmetries
        maps = point_maps(size)[:count]
        batch = descent.new_batch(size, count, len(self.evaluator.plane_set))
        for symmetry, point_map in enumerate(maps):
            descent.descend(self._tree, self._root, run.position, batch, symmetry, self._settings, point_map)
        answer, played_out = run.playouts.ask(self._tree, self._root, run.position, batch, count, 1)
        winrate, lead, owner = answer.values
        if self.evaluator.has_value:  # else they come from the board as it is
            owner = np.stack([seen[point_map[:-1]] for seen, point_map in zip(owner, maps)])
        owner = owner.mean(0, keepdims=True).astype(np.float32)
        values = Values(winrate.mean(keepdims=True), lead.mean(keepdims=True), owner)
        policy = _turned_back(answer.policy, maps)[None].astype(np.float32)
        self._absorb(batch, 1, Answer(policy, run.playouts.mixed(values, played_out)))

    def _priors_over_symmetries(self, run: _Run, moves: np.ndarray) -> np.ndarray:
        """float64: what the network gives some moves at the root, averaged over the symmetries wanted."""
        size, count = run.board.size, self.config.root_symmetries
        maps = point_maps(size)[:count]
        batch = descent.new_batch(size, count, len(self.evaluator.plane_set))
        for symmetry, point_map in enumerate(maps):
            descent.show_root(run.position, point_map, batch, symmetry)
        said: Any = self.evaluator.evaluate_planes(batch.planes.reshape(count, -1, size, size), batch.needed)
        return _tempered(_turned_back(said.policy, maps)[moves], self.config.policy_temperature)

    def _moves_of_root(self, pass_point: int) -> tuple[np.ndarray, np.ndarray]:
        """The root's moves and their priors, those with a child too, which are no longer among the edges."""
        tree, root = self._tree, self._root
        found = np.full(pass_point + 1, -1.0)
        run = slice(tree.links[root, trees.FIRST], tree.links[root, trees.FIRST] + tree.links[root, trees.MOVES])
        found[tree.moves[run]] = tree.priors[run]
        for child in trees.children(tree, root):
            found[tree.links[child, trees.MOVE]] = tree.sums[child, trees.PRIOR]
        moves = np.flatnonzero(found >= 0)
        return moves, found[moves]

    def _set_root_moves(
        self, root_moves: _RootMoves, board: Board, only: Sequence[int] | None, avoid: Sequence[int]
    ) -> None:
        """Bar the moves that this search must not look at, and mix noise into the priors of the others."""
        mask = board.legal_mask(board.to_move)
        if only is not None:
            wanted = np.zeros_like(mask)
            wanted[list(only)] = True
            mask &= wanted
        mask[list(avoid)] = False
        mixed = _tempered(root_moves.priors, self.config.root_temperature)
        if self.config.noise > 0:
            drawn = self._random.dirichlet(np.full(len(mixed), 10.0 / len(mixed)))
            mixed = (1 - self.config.noise) * mixed + self.config.noise * drawn
        self._write_root(root_moves._replace(priors=mixed), mask)

    def _restore_root_moves(self) -> None:
        """Undo what `_set_root_moves` did to the root of the last search."""
        if self._root_moves is not None:
            self._write_root(self._root_moves, np.ones(self._tree.owner.shape[1] + 1, bool))

    def _write_root(self, root_moves: _RootMoves, mask: np.ndarray) -> None:
        """Give a root its moves with these priors; those that are not in the `mask` are barred."""
        tree, (root, moves, priors, _) = self._tree, root_moves
        by_move = np.zeros(len(mask))
        by_move[moves] = priors
        untried = mask.copy()
        self._barred_visits = 0
        for child in trees.children(tree, root):
            move = tree.links[child, trees.MOVE]
            tree.links[child, trees.BARRED] = not mask[move]
            tree.sums[child, trees.PRIOR] = by_move[move]
            self._barred_visits += int(tree.links[child, trees.THROUGH]) * (not mask[move])
            untried[move] = False
        fresh = moves[untried[moves]]
        first = tree.links[root, trees.FIRST]
        tree.moves[first : first + len(fresh)] = fresh
        tree.priors[first : first + len(fresh)] = by_move[fresh]
        tree.links[root, trees.MOVES], tree.links[root, trees.TRIED] = len(fresh), 0
        trees.bring_best_forward(tree, root)

    # The search itself.

    def _send(self, run: _Run) -> tuple[int, int]:
        """Send leaves to the network if there is a lane for them, and room.

        Returns how many, and the descents that ended in finished games, as `descent.gather`.
        """
        left = self._left(run)
        want = min(self._batch_size(run), left)
        batch, begin = run.lanes.next, time.monotonic()
        if batch is None or want <= 0 or self._tree.used[0] + want > len(self._tree.links):
            return 0, 0
        tree, root = self._tree, self._root
        found, ended = descent.gather(tree, root, run.position, batch, want, self._settings, self._identity, left)
        if found:
            run.lanes.send(found, begin, partial(run.playouts.look, tree, root, run.position))
        return found, ended

    def _land(self, lanes: Lanes) -> None:
        """Take what is said of the leaves that were sent first into the tree."""
        flight, answer, pace = lanes.land()
        self._absorb(flight.batch, flight.leaves, answer)
        self._pace = pace if not self._pace else 0.8 * self._pace + 0.2 * pace

    def _absorb(self, batch: descent.Batch, leaves: int, answer: Answer) -> None:
        descent.absorb(self._tree, self._root, batch, leaves, answer.policy, *answer.values, self._settings)

    def _give_up(self, flight: Flight) -> None:
        descent.give_up(self._tree, self._root, flight.batch, flight.leaves)

    def _batch_size(self, run: _Run) -> int:
        """A lane's share of the leaves that the tree can spread over; less where it may have to stop at once."""
        lanes = run.lanes
        spread = min(self.config.batch, max(1, self._visits // 2))
        size = min(lanes.room, -(-spread // lanes.count), spread - lanes.waiting)
        if run.urgent and self._pace:
            size = min(size, max(1, int(LONGEST_WAIT / self._pace)))
        return size

    @property
    def _visits(self) -> int:
        """The root's visits, without those of moves that this search leaves out."""
        return int(self._tree.links[self._root, trees.VISITS]) - self._barred_visits

    def _left(self, run: _Run) -> int:
        """The descents that the limits still allow, beside those whose leaves are under way."""
        left, limits = 1 << 30, run.limits
        if limits.visits is not None:
            left = min(left, limits.visits - self._visits - run.lanes.waiting)
        if limits.descents is not None:
            left = min(left, limits.descents - run.descents)
        return left

    def _reached(self, run: _Run) -> bool:
        """Whether one of the limits is."""
        seconds = run.limits.seconds
        return self._left(run) <= 0 or (seconds is not None and run.elapsed >= seconds)

    def _is_decided(self, run: _Run) -> bool:
        """Whether no move can be visited more often than the best one in what is left of the time, at this pace."""
        seconds, elapsed = run.limits.seconds, run.elapsed
        if seconds is None or not run.descents or not elapsed:  # some clocks tick fifty times a second
            return False
        links = self._tree.links
        children = [child for child in trees.children(self._tree, self._root) if not links[child, trees.BARRED]]
        *_, second, first = sorted([0, 0, *links[children, trees.THROUGH].tolist()])
        more = run.descents / elapsed * (seconds - elapsed)
        still = run.lanes.waiting + min(self._left(run), more)
        return first - second > still and self._report(run, owners=False).moves[0].visits == first


def _tempered(priors: np.ndarray, temperature: float) -> np.ndarray:
    """float64: some priors, of which one is not 0, made more alike by a temperature above 1 or less; they sum to 1."""
    tempered = (priors.astype(np.float64) / priors.max()) ** (1 / temperature)
    return np.asarray(tempered / tempered.sum())


def _turned_back(policy: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """float [N*N + 1]: the mean of a position's policies [S, N*N + 1] under symmetries, turned back by their maps."""
    return np.asarray(np.mean([seen[point_map] for seen, point_map in zip(policy, maps)], 0))
