"""The compiled parts of the search's tree, one by one."""

from __future__ import annotations

import numpy as np
import pytest

from engine import descent
from engine import tree as trees
from engine.search_terms import Owners
from gocnn.go import BLACK, WHITE, Board

SETTINGS = np.zeros(trees.SETTINGS)
SETTINGS[trees.CPUCT], SETTINGS[trees.VIRTUAL_LOSS], SETTINGS[trees.TEMPERATURE] = 1.0, 1.0, 1.0
SETTINGS[trees.LEAD_SCALE] = 2.0


def expanded(policy: list[float], legal: list[bool] | None = None) -> trees.Tree:
    """A tree on a board of 2x2 whose root, node 0, has been expanded."""
    tree = trees.new_tree(2, 50)
    root = trees.add_node(tree, -1, -1, 1.0)
    probabilities = np.array(policy, np.float32)
    trees.expand(tree, root, probabilities, np.array(legal or [True] * 5), 1.0)
    trees.back_up(tree, root, root, 0.5, 0.0, SETTINGS)
    return tree


def open_next(tree: trees.Tree, node: int) -> int:
    """A child for the first of the moves not yet tried, with one pending descent, as `descend` makes it."""
    edge = tree.links[node, trees.FIRST] + tree.links[node, trees.TRIED]
    child = trees.add_node(tree, node, tree.moves[edge], tree.priors[edge])
    tree.links[node, trees.TRIED] += 1
    trees.bring_best_forward(tree, node)
    tree.links[child, trees.PENDING] += 1
    return int(child)


def test_moves_are_tried_by_falling_probability_and_only_legal_ones() -> None:
    tree = expanded([0.1, 0.4, 0.2, 0.2, 0.1], [True, True, False, True, True])
    opened = [open_next(tree, 0) for _ in range(4)]
    assert [tree.links[child, trees.MOVE] for child in opened][:2] == [1, 3]
    assert np.isclose(sum(tree.sums[child, trees.PRIOR] for child in opened), 1)
    assert tree.sums[opened[0], trees.PRIOR] == np.float32(0.5)
    for child in opened:
        trees.withdraw(tree, child, 0)
    assert trees.select(tree, 0, SETTINGS) == opened[0]  # no move is left to open


def test_a_policy_without_any_legal_probability_is_made_even() -> None:
    tree = expanded([0.0, 1.0, 0.0, 0.0, 0.0], [True, False, False, True, True])
    assert np.allclose(tree.priors[:3], 1 / 3)


def test_values_change_sides_on_the_way_up() -> None:
    tree = expanded([0.2] * 5)
    child = open_next(tree, 0)
    trees.expand(tree, child, np.full(5, 0.2, np.float32), np.ones(5, bool), 1.0)
    trees.back_up(tree, child, 0, 0.9, 3.0, SETTINGS)
    grandchild = open_next(tree, child)
    tree.links[child, trees.PENDING] += 1
    trees.back_up(tree, grandchild, 0, 0.8, 1.0, SETTINGS)
    assert tree.links[[0, child, grandchild], trees.VISITS].tolist() == [3, 2, 1]
    assert np.isclose(tree.sums[child, trees.WINRATE], 0.9 + 0.2)
    assert np.isclose(tree.sums[0, trees.WINRATE], 0.5 + 0.1 + 0.8)
    assert np.isclose(tree.sums[child, trees.LEAD_IN], 3.0 - 1.0)
    assert np.isclose(tree.sums[0, trees.LEAD], 0 - 3.0 + 1.0)
    assert (tree.links[:3, trees.PENDING] == 0).all()


def test_virtual_loss_spreads_descents() -> None:
    tree = expanded([0.3, 0.3, 0.2, 0.1, 0.1])
    chosen = []
    for _ in range(3):
        assert trees.select(tree, 0, SETTINGS) == trees.UNTRIED
        chosen.append(open_next(tree, 0))
    assert len({int(tree.links[child, trees.MOVE]) for child in chosen}) == 3
    tree.links[chosen[1], trees.BARRED] = 1
    for child in chosen:
        trees.back_up(tree, child, 0, 0.1 if child == chosen[1] else 0.9, 0.0, SETTINGS)
    assert trees.select(tree, 0, SETTINGS) == trees.UNTRIED  # the good one is barred, the others are bad


def test_what_lies_below_a_node_is_copied_whole() -> None:
    tree = expanded([0.2] * 5)
    first, second = open_next(tree, 0), open_next(tree, 0)
    for child in (first, second):
        trees.expand(tree, child, np.full(5, 0.2, np.float32), np.ones(5, bool), 1.0)
        trees.back_up(tree, child, 0, 0.5, 0.0, SETTINGS)
        for _ in range(2):
            grandchild = open_next(tree, child)
            tree.links[child, trees.PENDING] += 1
            tree.owner[grandchild] = grandchild
            trees.back_up(tree, grandchild, 0, 0.25, 1.0, SETTINGS)
    other = trees.new_tree(2, 50)
    trees.copy_below(tree, second, other)
    assert other.used.tolist() == [3, 5]
    assert other.links[0, trees.PARENT] == -1 and other.links[0, trees.SIBLING] == -1
    children = [other.links[0, trees.CHILD]]
    children.append(other.links[children[0], trees.SIBLING])
    assert other.links[children[1], trees.SIBLING] == -1
    assert sorted(other.owner[children, 0].tolist()) == [5, 6]
    assert (other.links[children, trees.PARENT] == 0).all()
    assert other.sums[0].tolist() == tree.sums[second].tolist()
    run = slice(tree.links[second, trees.FIRST], tree.links[second, trees.FIRST] + 5)
    assert other.moves[:5].tolist() == tree.moves[run].tolist()


@pytest.mark.parametrize("temperature", [1e-4, 0.01, 0.5, 1.0, 4.0, 1e4])
def test_priors_of_any_temperature_sum_to_one_and_keep_their_order(temperature: float) -> None:
    tree = trees.new_tree(2, 50)
    root = trees.add_node(tree, -1, -1, 1.0)
    policy, legal = np.array([0.1, 0.3, 0.2, 0.35, 0.05], np.float32), np.array([True, True, True, False, True])
    trees.expand(tree, root, policy, legal, temperature)
    priors = tree.priors[np.argsort(tree.moves[:4])]
    assert priors.sum() == pytest.approx(1, abs=1e-6)
    expected = (np.array([0.1, 0.3, 0.2, 0.05]) / 0.3) ** (1 / temperature)
    assert priors == pytest.approx(expected / expected.sum(), abs=1e-6)
    assert tree.moves[0] == 1, "the best is tried first"


def test_the_end_of_a_game_is_counted_without_dead_stones() -> None:
    board = Board.from_ascii(". X . O . / O X . O . / . X . O . / X X . O . / . X . O .".replace("/", "\n"))
    mine = np.zeros((5, 5), np.int8)
    mine[:, :2], mine[:, 3:] = 100, -100
    assert descent.final_lead(board.state, mine.ravel(), BLACK) == 0  # 10 points each, the middle neutral
    assert descent.final_lead(board.state, -mine.ravel(), WHITE) == 0
    nobody = np.zeros(25, np.int8)
    assert descent.final_lead(board.state, nobody, BLACK) == board.area_score()


def test_owners_are_added_up_from_the_players_view() -> None:
    tree = expanded([0.2] * 5)
    tree.owner[0] = [127, 0, -127, 0]
    child = open_next(tree, 0)
    trees.expand(tree, child, np.full(5, 0.2, np.float32), np.ones(5, bool), 1.0)
    trees.back_up(tree, child, 0, 0.5, 0.0, SETTINGS)
    tree.owner[child] = [-127, 127, -127, 0]
    total, count = trees.owners_below(tree, 0)
    assert count == 2 and np.allclose(total, [[2.0, -1.0, 0.0, 0.0], [2.0, 1.0, 2.0, 0.0]])
    total, count = trees.owners_below(tree, child)
    assert count == 1 and np.allclose(total, [[-1.0, 1.0, -1.0, 0.0], [1.0, 1.0, 1.0, 0.0]])
    assert np.allclose(Owners.of(*trees.owners_below(tree, 0)).mean, [[1.0, -0.5], [0.0, 0.0]])
    assert np.allclose(Owners.of(*trees.owners_below(tree, 0)).deviation, [[0.0, 0.5], [1.0, 0.0]])
