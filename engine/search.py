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
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from engine import descent
from engine import tree as trees
from engine.descent import Position
from engine.lanes import Flight, Lanes
from engine.playouts import Playouts
from engine.search_report import of_tree
from engine.search_terms import Limits, MoveReport, Network, Origin, Report, SearchConfig
from engine.tree import Tree
from gocnn.go import Board
from gocnn.go.symmetry import point_maps

__all__ = ["Limits", "MoveReport", "Network", "Report", "Search", "SearchConfig"]

LONGEST_WAIT = 0.03  # seconds that one batch may take where somebody may want to stop the search
FULL = 0.75  # of the memory, from which on what was searched below a position may be given up for it
COMPACT = 20_000  # nodes from which on what lies before the root's position is given up


class _Opened(NamedTuple):
    """A root, and its moves as they are without what one search alone wants of them."""

    node: int
    moves: np.ndarray  # int64 [M]
    priors: np.ndarray  # float64 [M]
    views: int  # the turns of the board that the priors are the mean of


class Search:
    """Searches one position after the other, and keeps what it knows of the next one from the last."""

    def __init__(self, evaluator: Network, config: SearchConfig | None = None) -> None:
        self.evaluator = evaluator
        self.config = config = config or SearchConfig()
        self._random = np.random.default_rng(config.seed)
        self._settings = np.zeros(trees.SETTINGS)
        self._pace = 0.0  # seconds for each leaf of a batch, lately
        self._origin: Origin | None = None
        self._kept: Tree | None = None
        self._root = 0
        self._opened: _Opened | None = None  # the last search's root, while it is in the tree
        self._playouts = Playouts(evaluator, config)
        self._bans = np.zeros((2, 0), np.int16)  # the last search's
        self._barred_visits = 0  # of the root's moves that this search leaves out

    def use(self, config: SearchConfig) -> None:
        """Go on by other settings; what was found by the old ones is kept, unless they gave the root other priors."""
        if config.root_temperature != self.config.root_temperature:
            self.forget()
        self.config = self._playouts.config = config

    def forget(self) -> None:
        """Start the next search with an empty tree."""
        self._origin = self._kept = self._opened = None

    def run(
        self,
        board: Board,
        komi: float,
        limits: Limits,
        *,
        stop: Callable[[], bool] | None = None,
        report: Callable[[Report], None] | None = None,
        every: float = 0.5,
        only: Sequence[int] | None = None,
        avoid: Sequence[int] = (),
        bans: np.ndarray | None = None,
        owners: bool = True,
        late: bool = True,
        territory: bool = False,
    ) -> Report:
        """Search the position of a board, which is left as it is, for its side to move.

        `komi` is what Black must be ahead by in area, stones for handicap and prisoners counted (`Rules.needed`). With
        `territory` a stone is no point by the rules, so that each pass changes it by one.
        Ends at the first of the `limits`, when `stop` says so (asked after every batch), or when the memory is used up;
        the position itself is always evaluated. `report` is called about every `every` seconds. At the root only the
        moves `only` (None: all) without those of `avoid` are considered. `bans`, int16 [2, N*N + 1], hold below it as
        well: for each move of Black's and of White's, how many moves deep it is left out (0: nowhere, 1: at the root).
        Without `late` no playouts are mixed into the network's values, however late it is in the game.
        Without `owners` the reports tell those of the position as the network sees it, and none of the moves': it takes
        a walk over all of the tree to say more. The tree of the last search is used where the game goes on from it,
        also after moves have been taken back, if its bans were the same and none of them hold below its root.
        """
        begin = time.monotonic()
        if bans is None:
            bans = np.zeros((2, board.pass_point + 1), np.int16)
        avoid = [*avoid, *np.flatnonzero(bans[(1 - board.to_move) // 2])]
        origin = Origin.of(board, komi, territory)
        goes_on = self._origin is not None and len(origin.points) > len(self._origin.points)
        # A move has many visits where few were allowed, which is no reason to play it once others are.
        if not np.array_equal(bans, self._bans) or (goes_on and bans.max() > 1):
            self.forget()
        self._bans = bans.copy()
        self._playouts.is_late = (
            late
            and self.evaluator.has_value
            and self.config.late_weight > 0
            and bool(np.count_nonzero(board.stones) >= self.config.late * board.pass_point)
        )
        self._find_root(origin, board.size)
        position = descent.position_of(board, komi, territory, bans, self.evaluator.plane_set)
        self._set_up(board.size)
        self._open_root(position, board, only, avoid)
        used = int(self._tree.used[0])
        if used + self.config.batch > self.config.nodes and 2 * self._visits < used:
            self._start(origin)  # full of moves that this search leaves out
            self._open_root(position, board, only, avoid)

        count = min(self.evaluator.lanes, self.config.batch)
        room, depth = self.config.batch // count, len(self.evaluator.plane_set)
        lanes = Lanes([descent.new_batch(board.size, room, depth) for _ in range(count)])
        # Batches that depend on the clock make other trees, which a count of visits or playouts must not.
        counted = limits.visits is not None or limits.playouts is not None
        urgent = limits.seconds is not None or (stop is not None and not counted)
        playouts, reported, over = 0, begin, False
        with lanes.open(self._give_up):
            while True:
                over = over or (stop is not None and stop())
                over = over or self._reached(limits, playouts, lanes, time.monotonic() - begin)
                found, ended = (0, 0) if over else self._send(position, lanes, limits, playouts, urgent)
                playouts += found + max(ended, 0)
                if found and lanes.next:
                    continue
                if lanes.flights:
                    self._land(lanes)
                elif found + ended <= 0:
                    break
                if limits.saves and self._is_decided(board, limits, playouts, lanes, time.monotonic() - begin):
                    over = True
                if report is not None and time.monotonic() - reported >= every:
                    report(self._report(board, playouts, owners))
                    reported = time.monotonic()
        return self._report(board, playouts, owners)

    def _report(self, board: Board, playouts: int, owners: bool) -> Report:
        assert self._opened is not None
        priors = np.zeros(board.pass_point + 1)
        priors[self._opened.moves] = self._opened.priors
        return of_tree(self._tree, self._root, priors, playouts, lcb=self.config.lcb, owned=owners)

    @property
    def _tree(self) -> Tree:
        """The tree, which is there from the beginning of a search on."""
        assert self._kept is not None
        return self._kept

    # Finding the position in the tree.

    def _find_root(self, origin: Origin, size: int) -> None:
        """Let `_root` be the node of the position at the end of a game, in the tree there is or in a new one."""
        self._restore_root_moves()
        node = -1
        if self._origin is not None and origin.continues(self._origin):
            node = trees.walk(self._tree, origin.points[len(self._origin.points) :])
        if node < 0 or self._tree.links[node, trees.STATE] != trees.EXPANDED:
            self._start(origin)
            return
        self._root = node
        if node != 0 and self._tree.used[0] > min(COMPACT, self.config.nodes // 2):
            below = trees.new_tree(size, len(self._tree.links))
            trees.copy_below(self._tree, node, below)
            self._kept, self._root, self._origin, self._opened = below, 0, origin, None
        used = int(self._tree.used[0])
        if used > FULL * self.config.nodes and 2 * self._tree.links[self._root, trees.VISITS] < used:
            self._start(origin)  # there is little room left, and most is full of what was searched further on

    def _start(self, origin: Origin) -> None:
        size = origin.rules[0]
        if self._kept is None or self._kept.owner.shape[1] != size * size or len(self._kept.links) != self.config.nodes:
            self._kept = trees.new_tree(size, self.config.nodes)
        self._tree.used[:] = 0
        self._root = trees.add_node(self._tree, -1, -1, 1.0)
        self._origin, self._opened = origin, None

    def _set_up(self, size: int) -> None:
        config = self.config
        self._settings[trees.CPUCT] = config.cpuct
        self._settings[trees.CPUCT_GROWTH] = config.cpuct_growth
        self._settings[trees.FPU] = config.fpu
        self._settings[trees.VIRTUAL_LOSS] = config.virtual_loss
        self._settings[trees.LEAD_WEIGHT] = config.lead_weight
        self._settings[trees.LEAD_SCALE] = size
        self._settings[trees.TEMPERATURE] = config.policy_temperature
        self._identity = point_maps(size)[0]

    # The root.

    def _open_root(self, position: Position, board: Board, only: Sequence[int] | None, avoid: Sequence[int]) -> None:
        """Have the root evaluated, its priors from as many sides as wanted, and its moves as this search wants them."""
        root, wanted = self._root, self.config.root_symmetries
        views = 1  # of a position that was in the tree before it was the root
        if self._tree.links[root, trees.STATE] == trees.NEW:
            self._evaluate_root(position, board.size)
            views = wanted
        opened = self._opened
        if opened is None or opened.node != root:
            opened = _Opened(root, *self._moves_of_root(board.pass_point), views)
        if opened.views < wanted:
            priors = self._priors_from_all_sides(position, board.size, opened.moves)
            opened = opened._replace(priors=priors, views=wanted)
        self._opened = opened
        self._set_root_moves(opened, board, only, avoid)

    def _evaluate_root(self, position: Position, size: int) -> None:
        """Expand the root with its evaluation, averaged over the symmetries wanted."""
        turns = self.config.root_symmetries
        maps = point_maps(size)
        batch = descent.new_batch(size, turns, len(self.evaluator.plane_set))
        for turn in range(turns):
            descent.descend(self._tree, self._root, position, batch, turn, self._settings, maps[turn])
        (policy, winrate, lead, owner), said = self._playouts.ask(self._tree, self._root, position, batch, turns, 1)
        policy = _turned_back(policy, maps)[None]
        if self.evaluator.has_value:  # else they come from the board as it is
            owner = np.stack([owner[turn][maps[turn][:-1]] for turn in range(turns)])
        owner = owner.mean(0, keepdims=True)
        winrate, owner = self._playouts.mixed(winrate.mean(keepdims=True), owner, said)
        policy, lead, owner = policy.astype(np.float32), lead.mean(keepdims=True), owner.astype(np.float32)
        descent.absorb(self._tree, self._root, batch, 1, policy, winrate, lead, owner, self._settings)

    def _priors_from_all_sides(self, position: Position, size: int, moves: np.ndarray) -> np.ndarray:
        """float64: what the network gives some moves at the root, averaged over the symmetries wanted."""
        turns, maps = self.config.root_symmetries, point_maps(size)
        batch = descent.new_batch(size, turns, len(self.evaluator.plane_set))
        for turn in range(turns):
            descent.show_root(position, maps[turn], batch, turn)
        found: Any = self.evaluator.evaluate_planes(batch.planes.reshape(turns, -1, size, size), batch.needed)
        return _tempered(_turned_back(found.policy, maps)[moves], self.config.policy_temperature)

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

    def _set_root_moves(self, opened: _Opened, board: Board, only: Sequence[int] | None, avoid: Sequence[int]) -> None:
        """Bar the moves that this search must not look at, and mix noise into the priors of the others."""
        mask = board.legal_mask(board.to_move)
        if only is not None:
            wanted = np.zeros_like(mask)
            wanted[list(only)] = True
            mask &= wanted
        mask[list(avoid)] = False
        mixed = _tempered(opened.priors, self.config.root_temperature)
        if self.config.noise > 0:
            drawn = self._random.dirichlet(np.full(len(mixed), 10.0 / len(mixed)))
            mixed = (1 - self.config.noise) * mixed + self.config.noise * drawn
        self._write_root(opened._replace(priors=mixed), mask)

    def _restore_root_moves(self) -> None:
        """Undo what `_set_root_moves` did to the root of the last search."""
        if self._opened is not None:
            self._write_root(self._opened, np.ones(self._tree.owner.shape[1] + 1, bool))

    def _write_root(self, opened: _Opened, mask: np.ndarray) -> None:
        """Give a root its moves with these priors; those that are not in the `mask` are barred."""
        tree, (root, moves, priors, _) = self._tree, opened
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
        tree.links[root, trees.MOVES], tree.links[root, trees.OPENED] = len(fresh), 0
        trees.bring_best_forward(tree, root)

    # The search itself.

    def _send(self, position: Position, lanes: Lanes, limits: Limits, playouts: int, urgent: bool) -> tuple[int, int]:
        """Send leaves to the network if there is a lane for them, and room.

        Returns how many, and the descents that ended in finished games, as `descent.gather`.
        """
        left = self._left(limits, playouts, lanes)
        want = min(self._batch_size(lanes, urgent), left)
        batch, begin = lanes.next, time.monotonic()
        if batch is None or want <= 0 or self._tree.used[0] + want > len(self._tree.links):
            return 0, 0
        tree, root = self._tree, self._root
        found, ended = descent.gather(tree, root, position, batch, want, self._settings, self._identity, left)
        if found:
            lanes.send(found, begin, partial(self._playouts.look, tree, root, position))
        return found, ended

    def _land(self, lanes: Lanes) -> None:
        """Take what the network says of the leaves that it was asked about first into the tree."""
        flight, (policy, winrate, lead, owner), pace = lanes.land()
        descent.absorb(
            self._tree, self._root, flight.batch, flight.leaves, policy, winrate, lead, owner, self._settings
        )
        self._pace = pace if not self._pace else 0.8 * self._pace + 0.2 * pace

    def _give_up(self, flight: Flight) -> None:
        descent.give_up(self._tree, self._root, flight.batch, flight.leaves)

    def _batch_size(self, lanes: Lanes, urgent: bool) -> int:
        """A lane's share of the leaves that the tree can spread over; less where it may have to stop at once."""
        spread = min(self.config.batch, max(1, self._visits // 2))
        size = min(lanes.room, -(-spread // lanes.count), spread - lanes.waiting)
        if urgent and self._pace:
            size = min(size, max(1, int(LONGEST_WAIT / self._pace)))
        return size

    @property
    def _visits(self) -> int:
        """The root's visits, without those of moves that this search leaves out."""
        return int(self._tree.links[self._root, trees.VISITS]) - self._barred_visits

    def _left(self, limits: Limits, playouts: int, lanes: Lanes) -> int:
        """The descents that the limits still allow, beside those whose leaves are under way."""
        left = 1 << 30
        if limits.visits is not None:
            left = min(left, limits.visits - self._visits - lanes.waiting)
        if limits.playouts is not None:
            left = min(left, limits.playouts - playouts)
        return left

    def _reached(self, limits: Limits, playouts: int, lanes: Lanes, elapsed: float) -> bool:
        return self._left(limits, playouts, lanes) <= 0 or (limits.seconds is not None and elapsed >= limits.seconds)

    def _is_decided(self, board: Board, limits: Limits, playouts: int, lanes: Lanes, elapsed: float) -> bool:
        """Whether no move can be visited more often than the best one in what is left of the time, at this pace."""
        if limits.seconds is None or not playouts or not elapsed:  # some clocks tick fifty times a second
            return False
        links = self._tree.links
        children = [child for child in trees.children(self._tree, self._root) if not links[child, trees.BARRED]]
        *_, second, first = sorted([0, 0, *links[children, trees.THROUGH].tolist()])
        more = playouts / elapsed * (limits.seconds - elapsed)
        still = lanes.waiting + min(self._left(limits, playouts, lanes), more)
        return first - second > still and self._report(board, playouts, owners=False).moves[0].visits == first


def _tempered(priors: np.ndarray, temperature: float) -> np.ndarray:
    """float64: some priors, of which one is not 0, made more alike by a temperature above 1 or less; they sum to 1."""
    tempered = (priors.astype(np.float64) / priors.max()) ** (1 / temperature)
    return np.asarray(tempered / tempered.sum())


def _turned_back(policy: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """The mean of a position's policies float [S, N*N + 1], each turned by one of `maps`."""
    return np.asarray(np.mean([seen[turn] for seen, turn in zip(policy, maps)], 0))
