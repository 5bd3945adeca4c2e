"""The search: known answers on toy networks, and what its counts, limits and reuse promise."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from engine import search as search_module
from engine import tree as trees
from engine.rules import EVEN, NAMED, STANDARD, Needed
from engine.search import Limits, Report, Search, SearchConfig
from gocnn.go import BLACK, WHITE, Board
from gocnn.go.coords import gtp_to_point
from gocnn.go.planes import PLANE_SETS, of_board
from tests.engine.toys import FINISHED, Toy, by_area, by_stones, payoffs


def board_of(rows: str, to_move: int = BLACK) -> Board:
    board = Board.from_ascii(rows.replace("/", "\n"))
    board.to_move = to_move
    return board


def counts(report: Report) -> dict[int, int]:
    return {move.move: move.visits for move in report.moves}


def test_the_best_arm_of_a_bandit_gets_the_most_visits() -> None:
    values = np.random.default_rng(3).permutation(25).reshape(5, 5) / 25
    values[values == values.max()] = 2.0
    found = Search(Toy(payoffs(values), doubt=0.5)).run(Board(5), EVEN, Limits(visits=600))
    assert found.moves[0].move == values.argmax()
    assert max(found.moves, key=lambda move: move.visits).move == values.argmax()
    assert found.moves[0].winrate > 0.6


def test_a_capture_is_found() -> None:
    # White's three stones have one liberty, at D2; whoever plays there has them.
    board = board_of(". . . . . / . X X . . / X O O . . / X O X . . / . X X . .")
    before = (board.to_ascii(), board.moves, board.to_move)
    found = Search(Toy(by_area)).run(board, EVEN, Limits(visits=300))
    assert found.moves[0].move == gtp_to_point("d3", 5)
    assert (board.to_ascii(), board.moves, board.to_move) == before


@pytest.mark.parametrize("colour", [BLACK, WHITE])
def test_a_capture_that_the_policy_misses_is_found(colour: int) -> None:
    rows = ". . . . . . . / . . O O . . . / . O X X . . . / . O X O . . . / . . O O . . ." + 2 * " / . . . . . . ."
    if colour == BLACK:
        rows = rows.translate(str.maketrans("XO", "OX"))
    vital, elsewhere = gtp_to_point("e5", 7), gtp_to_point("g1", 7)
    toy = Toy(by_stones, favourites={elsewhere: 0.5}, doubt=2.0)
    board = board_of(rows, colour)
    komi = 5.0 * colour  # it is close
    assert Search(toy).run(board, Needed(komi), Limits(visits=1)).moves[0].move == elsewhere
    found = Search(toy).run(board, Needed(komi), Limits(visits=800))
    assert found.moves[0].move == vital
    assert found.moves[0].prior < 0.015


def test_visits_add_up_and_no_virtual_loss_is_left() -> None:
    search = Search(Toy(by_area))
    found = search.run(Board(5), Needed(0.5), Limits(visits=501))
    assert found.visits == 501 and found.descents == 500
    assert sum(move.visits for move in found.moves) == 500
    check_sums(search)


def check_sums(search: Search) -> None:
    """Every node's visits are its own evaluation and its children's; nothing waits; the sums fit."""
    tree = search._tree
    nodes = int(tree.used[0])
    links, sums = tree.links[:nodes], tree.sums[:nodes]
    assert (links[:, trees.PENDING] == 0).all()
    below = np.bincount(links[1:, trees.PARENT], links[1:, trees.THROUGH], nodes)
    expanded = links[:, trees.STATE] == trees.EXPANDED
    assert np.array_equal(links[expanded, trees.VISITS], 1 + below[expanded])
    for column, most in ((trees.UTILITY, 1.0), (trees.WINRATE, 1.0)):
        visited = links[:, trees.VISITS] > 0
        mean = sums[visited, column] / links[visited, trees.VISITS]
        assert (mean >= -1e-9).all() and (mean <= most + 1e-9).all()


def test_values_are_seen_from_the_player_and_count_komi() -> None:
    board = board_of("X X X X X / X X . X . / X X X X X / O O O O O / . O . O .")
    for komi, better in ((0.5, BLACK), (11.5, WHITE)):
        for colour in (BLACK, WHITE):
            board.to_move = colour
            found = Search(Toy(by_area, favourites={25: 0.9})).run(board, Needed(komi), Limits(visits=60))
            lead = board.area_score(komi) * colour
            assert found.lead == pytest.approx(lead, abs=3)
            assert (found.winrate > 0.6) == (colour == better)
            assert found.owner.shape == (5, 5)
            assert found.owner[0, 0] * colour > 0.9


def test_the_same_seed_makes_the_same_tree_and_noise_another() -> None:
    def run(seed: int, noise: float) -> Report:
        config = SearchConfig(seed=seed, noise=noise)
        return Search(Toy(by_area), config).run(Board(7), EVEN, Limits(visits=300))

    assert counts(run(1, 0.25)) == counts(run(1, 0.25))
    assert counts(run(1, 0.25)) != counts(run(2, 0.25))
    assert run(1, 0.0).moves == run(2, 0.0).moves


@pytest.mark.parametrize("pace", [0.004, 0.02])
def test_equal_limits_make_equal_trees_however_fast_the_machine_is(pace: float) -> None:
    def run(pace: float) -> Report:
        search = Search(Toy(by_area))
        search._pace = pace
        return search.run(Board(7), EVEN, Limits(visits=200), stop=lambda: False)

    assert counts(run(pace)) == counts(run(0.0))


@pytest.mark.parametrize("batch", [1, 3, 16])
def test_batches_are_filled_and_limits_kept(batch: int) -> None:
    toy = Toy(by_area)
    found = Search(toy, SearchConfig(batch=batch)).run(Board(9), EVEN, Limits(descents=200))
    assert found.descents == 200 and found.visits == 201
    assert max(toy.batches) == batch
    assert sum(toy.batches) == 201
    assert np.mean(toy.batches[10:-1]) > 0.9 * batch


def test_the_tree_of_the_last_move_is_used_again() -> None:
    toy = Toy(by_area)
    search, board = Search(toy), Board(5)
    first = search.run(board, EVEN, Limits(visits=400))
    best = max(first.moves, key=lambda move: move.visits)
    board.play(BLACK, best.move)
    again = search.run(board, EVEN, Limits(visits=400))
    assert again.descents == 400 - best.visits
    assert again.visits == 400 == Search(toy).run(board, EVEN, Limits(visits=400)).visits
    assert sum(move.visits for move in again.moves) == 399

    board.undo()
    asked = len(toy.batches)
    undone = search.run(board, EVEN, Limits(visits=400))
    assert counts(undone) == counts(first) and undone.winrate == first.winrate
    assert len(toy.batches) == asked
    search.run(board, EVEN, Limits(visits=500))
    assert search.run(board, EVEN, Limits(descents=0)).visits == 500


def test_another_game_komi_or_rule_starts_afresh() -> None:
    search = Search(Toy(by_area))
    board = Board(5)
    board.play(BLACK, 12)
    search.run(board, EVEN, Limits(visits=50))
    other = Board(5)
    other.play(BLACK, 7)
    assert search.run(other, EVEN, Limits(visits=10)).descents == 9
    assert search.run(other, Needed(5.5), Limits(visits=10)).descents == 9
    assert search.run(other, Needed(5.5), Limits(visits=10)).descents == 0
    turned = other.copy()
    turned.to_move = BLACK
    assert search.run(turned, Needed(5.5), Limits(visits=10)).descents == 9
    situational = Board(5, ko="situational")
    situational.play(BLACK, 7)
    assert search.run(situational, Needed(5.5), Limits(visits=10)).descents == 9
    search.forget()
    assert search.run(situational, Needed(5.5), Limits(visits=10)).descents == 9
    assert search.run(Board(7), Needed(5.5), Limits(visits=10)).descents == 9


def test_only_and_avoid_hold_at_the_root_and_for_one_search() -> None:
    search = Search(Toy(by_area))
    board = Board(5)
    free = search.run(board, EVEN, Limits(visits=100))
    some = search.run(board, EVEN, Limits(descents=100), only=[3, 4, 25], avoid=[4])
    assert {move.move for move in some.moves} == {3, 25}
    assert sum(move.visits for move in some.moves) >= 100
    again = search.run(board, EVEN, Limits(descents=100))
    assert len(again.moves) == 26
    priors = {move.move: move.prior for move in free.moves}
    assert all(move.prior == priors[move.move] for move in again.moves if move.move in priors)
    assert sum(move.visits for move in again.moves) == again.visits - 1
    check_sums(search)
    assert search.run(board, EVEN, Limits(descents=9), only=[4], avoid=[4]).moves == ()


def played_below(search: Search, colour: int, depth: int) -> set[int]:
    """The moves of a colour within so many moves from the root, Black's, that the tree has looked at."""
    tree, found = search._tree, set()
    level = [search._root]
    for ply in range(depth):
        level = [child for node in level for child in trees.children(tree, node)]
        if (ply % 2 == 0) == (colour == BLACK):
            found |= {int(tree.links[node, trees.MOVE]) for node in level}
    return found


def test_bans_hold_as_deep_as_they_are_meant_to() -> None:
    search, board = Search(Toy(by_area)), Board(3)
    free = search.run(board, EVEN, Limits(visits=1500))
    assert played_below(search, BLACK, 3) == played_below(search, WHITE, 4) == set(range(10))
    bans = np.zeros((2, 10), np.int16)
    bans[0, [4, 5]], bans[1, [0, 1]] = (1, 3), (2, 4)
    found = search.run(board, EVEN, Limits(visits=1500), bans=bans)
    assert found.descents == 1499  # the tree without bans is of no use
    assert {move.move for move in found.moves} <= set(range(10)) - {4, 5}
    assert played_below(search, BLACK, 1) == set(range(10)) - {4, 5}
    assert 4 in played_below(search, BLACK, 3) and 5 not in played_below(search, BLACK, 4)
    assert 5 in played_below(search, BLACK, 5)
    assert not {0, 1} & played_below(search, WHITE, 3) and 1 not in played_below(search, WHITE, 5)
    assert 0 in played_below(search, WHITE, 4)
    check_sums(search)
    assert search.run(board, EVEN, Limits(visits=1500)).moves == free.moves


@pytest.mark.parametrize("depth", [1, 2])
def test_bans_that_are_lifted_or_changed_leave_nothing_behind(depth: int) -> None:
    search, board = Search(Toy(by_area)), Board(3)
    free = search.run(board, EVEN, Limits(visits=60))
    bans = np.full((2, 10), depth, np.int16)
    bans[0, 0] = 0
    assert counts(search.run(board, EVEN, Limits(visits=60), bans=bans)) == {0: 59}
    others = bans.copy()
    others[0, [0, 1]] = (depth, 0)
    assert counts(search.run(board, EVEN, Limits(visits=60), bans=others)) == {1: 59}
    assert search.run(board, EVEN, Limits(visits=60)).moves == free.moves


def test_a_search_with_bans_goes_on_with_its_tree_in_the_position_of_theirs_alone() -> None:
    search, board = Search(Toy(by_area)), Board(3)
    bans = np.zeros((2, 10), np.int16)
    bans[:, 4] = 3
    assert search.run(board, EVEN, Limits(visits=50), bans=bans).descents == 49
    assert search.run(board, EVEN, Limits(visits=80), bans=bans).descents == 30
    board.play(BLACK, 0)
    assert search.run(board, EVEN, Limits(visits=50), bans=bans).descents == 49  # one move further, they end later


def test_a_position_whose_moves_are_all_banned_is_worth_what_the_network_says() -> None:
    search, board = Search(Toy(by_area)), Board(3)
    bans = np.full((2, 10), 5, np.int16)
    bans[0, 4] = 0
    found = search.run(board, EVEN, Limits(visits=200), bans=bans)
    assert counts(found) == {4: 199} and found.moves[0].pv == (4,)
    black = Board(3)
    black.play(BLACK, 4)
    alone = search.run(black, EVEN, Limits(visits=1))
    assert found.moves[0].winrate == pytest.approx(1 - alone.winrate)
    assert found.moves[0].lead == pytest.approx(-alone.lead)
    bans[0, 4] = 1
    assert search.run(board, EVEN, Limits(visits=200), bans=bans).moves == ()


def test_what_is_told_of_a_line_are_the_visits_of_its_moves_and_positions() -> None:
    search, board = Search(Toy(by_area)), Board(5)
    for _ in range(2):
        found = search.run(board, EVEN, Limits(visits=200))
        for move in found.moves:
            assert len(move.pv) == len(move.pv_visits) == len(move.pv_edge_visits)
            assert move.pv_edge_visits[0] == move.visits
            assert list(move.pv_edge_visits) == sorted(move.pv_edge_visits, reverse=True)
        board.play(BLACK, found.moves[0].move)
        search.run(board, EVEN, Limits(descents=50))
        board.undo()
    best = max(found.moves, key=lambda move: move.visits)
    assert best.pv_visits[0] == best.visits + 50  # fifty came by searching that position itself


def test_owners_of_the_root_are_the_mean_of_those_of_its_moves() -> None:
    search, board = Search(Toy(by_area)), board_of(". . . . . / . X . . . / . . . . . / . . . O . / . . . . .")
    found = search.run(board, EVEN, Limits(visits=300))
    total, square = (by_area(board.stones) ** power for power in (1.0, 2.0))
    for move in found.moves:
        assert move.owners is not None
        total = total + move.visits * move.owners.mean
        square = square + move.visits * (move.owners.deviation**2 + move.owners.mean**2)
    assert np.allclose(found.owners.mean, total / 300, atol=1e-5)
    assert np.allclose(found.owners.deviation, np.sqrt(np.maximum(square / 300 - (total / 300) ** 2, 0)), atol=1e-3)
    assert found.owners.deviation.max() > 0.1


def test_priors_of_a_former_root_are_put_back() -> None:
    search = Search(Toy(by_area), SearchConfig(noise=0.5))
    board = Board(5)
    search.run(board, EVEN, Limits(visits=80), only=[12, 13, 14])
    board.play(BLACK, 12)
    search.run(board, EVEN, Limits(visits=20))
    board.undo()
    found = search.run(board, EVEN, Limits(descents=300))
    assert len(found.moves) == 26
    assert {round(move.prior, 6) for move in found.moves} == {round(1 / 26, 6)}


@pytest.mark.parametrize("ko", ["simple", "positional", "situational"])
def test_every_move_in_the_tree_is_legal(ko: str) -> None:
    """Small boards are full of ko: each node's moves are played again on a board, which raises at an illegal one."""
    search = Search(Toy(by_stones), SearchConfig(cpuct=3.0, lead_weight=0.0))
    board = Board(2, ko=ko)
    for point in (0, 1, 3):
        board.play(board.to_move, point)
    search.run(board, EVEN, Limits(visits=3000))
    tree = search._tree
    nodes = int(tree.used[0])
    deepest = 0
    for node in range(1, nodes):
        line = []
        while node > 0:
            line.append(int(tree.links[node, trees.MOVE]))
            node = int(tree.links[node, trees.PARENT])
        replayed = board.copy()
        for move in reversed(line):
            replayed.play(replayed.to_move, move)
        deepest = max(deepest, len(line))
    assert nodes > 50 and deepest > 6


def after_superko() -> Board:
    """A board on which Black may not take back on point 5: superko forbids it, and simple ko does not."""
    board = Board(3)
    for point in (5, 7, 1, 4, 8, 2):
        board.play(board.to_move, point)
    assert board.why_illegal(BLACK, 5) == "superko"
    return board


def test_a_superko_move_is_never_reported() -> None:
    board = after_superko()
    for visits in (1, 200):
        found = Search(Toy(by_stones, favourites={5: 0.9})).run(board, EVEN, Limits(visits=visits))
        reported = [move.move for move in (*found.moves, *found.untried)]
        assert reported and all(board.is_legal(BLACK, move) for move in reported)


def test_each_pass_costs_a_point_by_territory() -> None:
    """A move into one's own territory is worth a point less than a pass there, and as much by area."""
    board = board_of(". X X O . / X X X O O / . X X O . / X X X O O / . X X O .", BLACK)
    komi = board.area_score() - 0.5
    for rules, difference in ((NAMED["japanese"], 1), (STANDARD, 0)):
        needed = rules.needed(board, komi)
        found = Search(Toy(by_area)).run(board, needed, Limits(visits=3), only=[0, 25])
        leads = {move.move: move.lead for move in found.moves}
        assert leads[25] - leads[0] == difference


def test_a_game_that_ends_by_territory_is_counted_exactly() -> None:
    """Whose turn it is makes no half point once both have passed."""
    rules = NAMED["japanese"]
    for to_move in (BLACK, WHITE):
        for margin in (-0.5, 0.5):
            board = board_of(". X X O . / X X X O O / . X X O . / X X X O O / . X X O .", -to_move)
            komi = board.territory_score() - margin * to_move
            board.play(-to_move, 25)
            needed = rules.needed(board, komi)
            found = Search(Toy(by_area)).run(board, needed, Limits(visits=10), only=[25])
            assert found.moves[0].lead == margin and found.moves[0].winrate == (margin > 0)


def test_the_tree_is_kept_after_a_pass_by_territory() -> None:
    search, board, rules = Search(Toy(by_area)), Board(5), NAMED["japanese"]
    board.play(BLACK, 12)
    search.run(board, rules.needed(board, 6.5), Limits(visits=30), only=[25])
    board.play(WHITE, 25)
    found = search.run(board, rules.needed(board, 6.5), Limits(visits=2))
    assert found.visits > 2 and not found.descents
    again = search.run(board, Needed(rules.needed(board, 6.5).lead), Limits(visits=2))
    assert again.descents, "by other rules"


def test_a_position_from_the_tree_is_seen_from_all_sides_as_well() -> None:
    """The toy likes one point as it is shown; the mean of all images, all four of its kind alike."""
    search = Search(Toy(by_area, favourites={6: 0.5}), SearchConfig(root_symmetries=8))
    board = Board(5)
    search.run(board, EVEN, Limits(visits=200))
    board.play(BLACK, 12)
    for _ in range(2):
        policy = search.run(board, EVEN, Limits(visits=60)).priors
        assert np.allclose(policy[[6, 8, 16, 18]], policy[6]) and policy[6] > 0.1
    search.use(SearchConfig(root_symmetries=1))
    board.play(WHITE, 0)
    search.run(board, EVEN, Limits(visits=60))
    search.use(SearchConfig(root_symmetries=8))
    policy = search.run(board, EVEN, Limits(visits=90)).priors
    assert np.allclose(policy[[6, 8, 16, 18]], policy[6])


def test_other_priors_at_the_root_begin_a_tree_anew() -> None:
    board, limits = Board(5), Limits(visits=60)
    flat = SearchConfig(root_temperature=9.0)
    alone = Search(Toy(by_area, favourites={6: 0.5}), flat).run(board, EVEN, limits)
    search = Search(Toy(by_area, favourites={6: 0.5}))
    first = search.run(board, EVEN, limits)
    search.use(flat)
    then = search.run(board, EVEN, limits)
    visits = [[(move.move, move.visits) for move in found.moves] for found in (first, then, alone)]
    assert visits[1] == visits[2] != visits[0]


def test_a_position_that_could_not_be_seen_from_all_sides_is_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    toy = Toy(by_area, favourites={6: 0.5})
    search, board = Search(toy, SearchConfig(root_symmetries=8)), Board(5)
    search.run(board, EVEN, Limits(visits=200))
    board.play(BLACK, 12)
    with monkeypatch.context() as patch, pytest.raises(TypeError):
        patch.setattr(toy, "evaluate_planes", None)
        search.run(board, EVEN, Limits(visits=60))
    policy = search.run(board, EVEN, Limits(visits=60)).priors
    assert np.allclose(policy[[6, 8, 16, 18]], policy[6])


def test_a_coarse_clock_ends_a_search_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: exact() // 0.05 * 0.05)
    for _ in range(5):
        assert Search(Toy(by_area)).run(Board(5), Needed(0.5), Limits(seconds=0.1, saves=True)).visits


def test_two_passes_end_the_game_and_are_counted_without_dead_stones() -> None:
    # White's stone in the corner is dead: the network says so, and the count goes by it.
    board = board_of(". X . O . / O X . O . / . X . O . / X X . O . / . X . O .", WHITE)
    owner = np.zeros((5, 5))
    owner[:, :2], owner[:, 3:] = 1, -1

    def by_side(stones: np.ndarray) -> np.ndarray:
        return owner if stones[0, 1] > 0 else -owner

    board.play(WHITE, 25)
    for komi, winrate in ((-0.5, 1.0), (0.5, 0.0), (0.0, 0.5)):
        found = Search(Toy(by_side)).run(board, Needed(komi), Limits(visits=10), only=[25])
        assert found.moves[0].winrate == winrate
        assert found.moves[0].lead == -komi
        assert found.moves[0].pv == (25,)


def test_a_game_that_is_over_can_be_searched() -> None:
    search, board = Search(Toy(by_area)), Board(5)
    board.play(BLACK, 12)
    board.play(WHITE, 25)
    search.run(board, EVEN, Limits(visits=200))
    board.play(BLACK, 25)
    assert search.run(board, EVEN, Limits(visits=50)).visits == 50


def test_it_stops_within_fifty_milliseconds() -> None:
    search = Search(Toy(by_area, seconds=0.004))
    board = Board(9)
    search.run(board, EVEN, Limits(visits=60))
    asked: list[float] = []
    end = time.monotonic() + 0.3

    def stop() -> bool:
        asked.append(time.monotonic())
        return asked[-1] >= end

    search.run(board, EVEN, Limits(), stop=stop)
    assert sum(moment >= end for moment in asked) == 1, "once it is told to stop it asks no more"
    assert np.median(np.diff(asked)) < 0.05  # not the longest: other work on the machine may delay any of them
    check_sums(search)


@pytest.mark.parametrize("obvious", [True, False])
def test_the_clock_is_not_run_down_for_what_is_decided(obvious: bool) -> None:
    centre = 12
    toy = Toy(by_stones, favourites={centre: 0.97 if obvious else 0.0}, seconds=0.002)
    Search(toy).run(Board(5), EVEN, Limits(visits=40))  # compiles, or loads what was compiled
    begin = time.monotonic()
    found = Search(toy).run(Board(5), EVEN, Limits(seconds=1.5, saves=True))
    took = time.monotonic() - begin
    visits = [*sorted((move.visits for move in found.moves), reverse=True), 0]
    if obvious:
        assert took < 1.3
        assert found.moves[0].move == centre
        assert visits[0] - visits[1] > (1.5 - took) * found.descents / took - 16  # the others could not catch up
    else:
        assert took >= 1.4


def test_without_a_clock_a_search_takes_all_of_its_time() -> None:
    toy = Toy(by_stones, favourites={12: 0.97}, seconds=0.002)
    begin = time.monotonic()
    Search(toy).run(Board(5), EVEN, Limits(seconds=0.6))
    assert time.monotonic() - begin >= 0.59


def test_a_time_limit_is_kept() -> None:
    search = Search(Toy(by_area, seconds=0.002))
    search.run(Board(9), EVEN, Limits(visits=40))
    begin = time.monotonic()
    found = search.run(Board(9), EVEN, Limits(seconds=0.2))
    assert 0.2 <= time.monotonic() - begin < 0.5
    assert found.descents > 10


def test_reports_come_while_it_runs() -> None:
    seen: list[Report] = []
    Search(Toy(by_area, seconds=0.001)).run(Board(5), EVEN, Limits(visits=300), report=seen.append, every=0.05)
    assert len(seen) >= 3
    visits = [found.visits for found in seen]
    assert visits == sorted(set(visits))
    assert all(sum(move.visits for move in found.moves) == found.visits - 1 for found in seen)


def test_no_node_is_written_beyond_the_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where both pass again and again, a batch may add far more nodes than it has leaves."""
    board, draw = Board.from_ascii(FINISHED), np.random.default_rng(5)
    for _ in range(5):
        board.play(board.to_move, int(draw.choice(np.flatnonzero(board.legal_mask(board.to_move)[:-1]))))
    toy = Toy(by_area, favourites={board.pass_point: 0.3})
    search = Search(toy, SearchConfig(seed=5, policy_temperature=1.5))
    send = search._send

    def checked(*arguments: object) -> tuple[int, int]:
        found = send(*arguments)  # type: ignore[arg-type]
        assert search._tree.used[0] <= len(search._tree.links)
        return found

    monkeypatch.setattr(search, "_send", checked)
    found = search.run(board, EVEN, Limits(visits=1135))
    assert found.visits == 1135
    check_sums(search)


def test_a_full_memory_ends_the_search() -> None:
    search = Search(Toy(by_area), SearchConfig(nodes=700))
    found = search.run(Board(5), EVEN, Limits(visits=10_000))
    assert 600 < found.visits < 10_000
    assert search._tree.used[0] <= 700
    check_sums(search)
    board = Board(5)
    board.play(BLACK, found.moves[0].move)
    assert search.run(board, EVEN, Limits(descents=100)).descents == 100


def test_memory_does_not_grow_with_the_game(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "COMPACT", 300)
    search, board = Search(Toy(by_area)), Board(5)
    sizes = []
    for _ in range(40):
        found = search.run(board, Needed(0.5), Limits(visits=100))
        assert found.visits >= 100
        check_compact(search)
        sizes.append(int(search._tree.used[0]))
        board.play(board.to_move, found.moves[0].move)
    assert max(sizes) <= 512


def check_compact(search: Search) -> None:
    tree = search._tree
    nodes = int(tree.used[0])
    links = tree.links[:nodes]
    for parent in range(nodes):
        child = links[parent, trees.CHILD]
        while child >= 0:
            assert links[child, trees.PARENT] == parent
            child = links[child, trees.SIBLING]


def test_a_network_without_values_is_helped_by_playouts() -> None:
    board = board_of(". . . . . / . X X . . / X O O . . / X O X . . / . X X . .")
    found = Search(Toy(has_value=False)).run(board, EVEN, Limits(visits=150))
    assert found.moves[0].move == gtp_to_point("d3", 5)
    assert found.winrate > 0.5 and found.lead > 0
    board.to_move = WHITE
    assert Search(Toy(has_value=False)).run(board, Needed(30.0), Limits(visits=50)).winrate > 0.9


@pytest.mark.parametrize("has_value", [False, True])
def test_playouts_of_several_threads_are_those_of_one(has_value: bool) -> None:
    board = board_of(". O . . . / . X X . . / X O O . . / X O X . . / . X X . .")
    config = SearchConfig(late_playouts=3, late=0.3, batch=8)
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            found.append(Search(Toy(has_value=has_value), config).run(board, Needed(0.5), Limits(visits=150)))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert [(move.move, move.visits, move.winrate) for move in other.moves] == [
            (move.move, move.visits, move.winrate) for move in found[0].moves
        ]
        assert (other.owner == found[0].owner).all()
    assert np.abs(found[0].owner).max() > 0  # to which the toy says nothing


def test_late_in_the_game_playouts_are_mixed_into_what_the_network_says() -> None:
    late = board_of("X X X X X / X . X . X / X X X X X / . . . . . / . . . . .")  # all of it Black's, who has two eyes
    early = board_of(". . . . . / . X . . . / . . . . . / . . . . . / . . . . .")
    network = Toy()  # to which nobody owns anything
    alone = Search(network, SearchConfig(late_weight=0.0))
    for board in (late, early):
        assert alone.run(board, EVEN, Limits(visits=1)).winrate == pytest.approx(0.5)
    search = Search(network, SearchConfig(late_weight=0.2, late_playouts=40))
    for colour, winrate in ((BLACK, 0.6), (WHITE, 0.4)):
        late.to_move = colour
        for visits in (1, 60):
            found = search.run(late, EVEN, Limits(visits=visits))
            assert found.winrate == pytest.approx(winrate, abs=0.005)
            assert found.lead == 0
            assert found.owner[0, 0] == pytest.approx(0.2 * colour, abs=0.05)
    assert search.run(early, EVEN, Limits(visits=1)).winrate == pytest.approx(0.5)
    assert search.run(late, EVEN, Limits(visits=1), mix_playouts=False).winrate == pytest.approx(0.5)


def test_root_symmetries_average_the_network() -> None:
    corner = np.zeros((5, 5))
    corner[0, 0] = 1.0
    toy = Toy(lambda stones: corner, favourites={1: 0.5}, doubt=1.0)
    one = Search(toy).run(Board(5), EVEN, Limits(visits=1))
    assert one.owner[0, 0] == 1 and one.moves[0].move == 1
    eight = Search(toy, SearchConfig(root_symmetries=8)).run(Board(5), EVEN, Limits(visits=1))
    assert eight.visits == 1
    assert np.allclose(eight.owner[[0, 0, 4, 4], [0, 4, 0, 4]], 0.25, atol=0.01)
    priors = {move.move: move.prior for move in eight.moves}
    assert all(priors[point] == pytest.approx(0.5 / 8 + 0.5 / 26) for point in (1, 3, 5, 9, 15, 19, 21, 23))


def test_an_error_of_the_network_leaves_the_tree_whole() -> None:
    toy = Toy(by_area)
    search = Search(toy)
    search.run(Board(5), EVEN, Limits(visits=40))

    def broken(planes: np.ndarray, komi: np.ndarray) -> None:
        raise RuntimeError("no")

    toy.evaluate_planes, works = broken, toy.evaluate_planes  # type: ignore[assignment, method-assign]
    with pytest.raises(RuntimeError):
        search.run(Board(5), EVEN, Limits(visits=80))
    toy.evaluate_planes = works  # type: ignore[method-assign]
    assert search.run(Board(5), EVEN, Limits(visits=80)).visits == 80
    check_sums(search)


def test_a_tree_that_is_full_of_what_came_later_does_not_block_the_position_before() -> None:
    search = Search(Toy(by_stones), SearchConfig(nodes=200))
    board = Board(5)
    move = search.run(board, EVEN, Limits(visits=20)).moves[0].move
    board.play(BLACK, move)
    assert search.run(board, EVEN, Limits()).visits > 150  # until the memory is used up
    board.undo()
    found = search.run(board, EVEN, Limits(visits=100))
    assert found.visits == 100 and found.descents > 50
    full = search.run(board, EVEN, Limits())
    assert search.run(board, EVEN, Limits()).visits == full.visits  # its own visits are not given up


def test_a_step_back_from_a_full_tree_does_not_block_the_position_it_leads_to() -> None:
    search = Search(Toy(by_stones), SearchConfig(nodes=200))
    board = Board(5)
    for _ in range(2):
        board.play(board.to_move, search.run(board, EVEN, Limits(visits=12)).moves[0].move)
    assert search.run(board, EVEN, Limits()).visits > 150
    board.undo()
    found = search.run(board, EVEN, Limits(visits=100))
    assert found.visits == 100 and found.descents > 50


def test_visits_of_moves_that_are_left_out_count_for_nothing() -> None:
    search, board = Search(Toy(by_stones)), Board(5)
    free = search.run(board, EVEN, Limits(visits=60))
    rest = [move for move in range(26) if move not in {found.move for found in free.moves[:3]}]
    some = search.run(board, EVEN, Limits(visits=60), only=rest)
    assert some.visits == 60 and some.descents > 0
    assert {move.move for move in some.moves} <= set(rest)
    assert sum(move.visits for move in some.moves) == some.visits - 1
    alone = Search(Toy(by_stones)).run(board, EVEN, Limits(visits=1))  # what the position itself adds to the mean
    mean = (alone.winrate + sum(move.visits * move.winrate for move in some.moves)) / some.visits
    lead = (alone.lead + sum(move.visits * move.lead for move in some.moves)) / some.visits
    assert (some.winrate, some.lead) == (pytest.approx(mean), pytest.approx(lead))
    again = search.run(board, EVEN, Limits(descents=1))
    assert again.visits == free.visits + some.descents + 1


def test_owners_are_told_as_far_as_they_are_asked_for() -> None:
    found = [Search(Toy(by_stones)).run(Board(5), EVEN, Limits(visits=50), owners=owners) for owners in (True, False)]
    assert counts(found[0]) == counts(found[1])
    assert all(move.owners is not None for move in found[0].moves)
    assert all(move.owners is None for move in found[1].moves)
    assert not found[1].owner.any() and found[0].owner.any()  # of the empty board, and of what is played on it


@pytest.mark.parametrize("temperature", [1e-4, 0.01])
def test_a_low_temperature_tries_the_likeliest_move_alone(temperature: float) -> None:
    config = SearchConfig(policy_temperature=temperature, root_temperature=temperature)
    search, board = Search(Toy(favourites={40: 0.3}), config), Board(9)
    for _ in range(2):  # the second time the position is in the tree already, and only its priors are new
        found = search.run(board, EVEN, Limits(visits=10))
        assert found.moves[0].move == 40 and found.moves[0].visits >= 9
        assert found.moves[0].prior == pytest.approx(1)
        search.config = SearchConfig(policy_temperature=temperature, root_symmetries=8)


def test_a_seed_of_any_length_will_do() -> None:
    board = board_of(". O . . . / . X X . . / X O O . . / X O X . . / . X X . .")
    for seed in (2**32 - 1, 2**63, 10**30):
        assert (
            Search(Toy(by_area), SearchConfig(seed=seed, late=0.1)).run(board, Needed(0.5), Limits(visits=20)).visits
            == 20
        )


def test_settings_that_make_no_sense() -> None:
    zero = ({name: 0} for name in ("batch", "policy_temperature", "root_temperature"))
    for wrong in ({"root_symmetries": 9}, {"noise": 2}, {"late_weight": 1.1}, {"late_playouts": 0}, *zero):
        with pytest.raises(ValueError):
            SearchConfig(**wrong)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_network_is_shown_the_ladders_of_every_leaf() -> None:
    """The planes of a batch are those of the positions that its moves lead to."""

    seen: list[np.ndarray] = []

    class Watcher(Toy):
        plane_set = PLANE_SETS["ladders"]

        def evaluate_planes(self, planes: np.ndarray, *more: object, **others: object) -> object:
            seen.extend(planes.reshape(-1, len(self.plane_set), 9, 9)[:, -2:].copy())
            return super().evaluate_planes(planes, *more, **others)  # type: ignore[arg-type]

    board = board_of(
        ". . . . . . . . . / . . X X . . . . . / . X O . . . . . . / . . X . . . . . ." + 5 * " / . . . . . . . . ."
    )
    toy = Watcher(by_area, favourites={gtp_to_point("d7", 9): 0.5})
    Search(toy, SearchConfig(root_symmetries=1)).run(board, EVEN, Limits(visits=60))
    root = of_board(board, toy.plane_set)[-2:]
    assert root.sum() == 1  # White's stone, which is Black's to take
    assert (seen[0] == root).all()
    assert any(not planes.any() for planes in seen)  # where White was taken


def test_a_tree_that_was_made_smaller_has_the_moves_of_its_own_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.search.COMPACT", 50)
    search, board = Search(Toy(by_area)), Board(5)
    board.play(BLACK, search.run(board, EVEN, Limits(visits=200)).moves[0].move)
    found = search.run(board, EVEN, Limits(visits=300))
    assert found.priors[board.moves[0][1]] == 0
    assert np.allclose(found.priors, Search(Toy(by_area)).run(board, EVEN, Limits(visits=1)).priors)


def test_a_ban_of_two_moves_depth_begins_a_new_tree_after_a_move() -> None:
    search, board = Search(Toy(by_area)), Board(3)
    bans = np.zeros((2, 10), np.int16)
    bans[:, 4] = 2
    assert search.run(board, EVEN, Limits(visits=50), bans=bans).descents == 49
    board.play(BLACK, 0)
    assert search.run(board, EVEN, Limits(visits=50), bans=bans).descents == 49


def test_a_tree_that_is_full_of_other_moves_gives_way() -> None:
    search, board = Search(Toy(by_stones), SearchConfig(nodes=200)), Board(5)
    assert search.run(board, EVEN, Limits(), only=[12]).visits > 150
    assert search.run(board, EVEN, Limits(visits=50), only=[0, 1]).visits == 50
