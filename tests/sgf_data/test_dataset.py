"""Positions drawn from a store: uniform, repeatable, right, and never on both sides of a split."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocnn.go import Board
from gocnn.go.planes import PLANE_SETS, of_board
from gocnn.go.symmetry import SYMMETRIES, point_maps
from sgf_data.dataset import NO_MOVE, Positions, Selection, shuffled
from sgf_data.record import GameRecord
from sgf_data.store import MoveTable, open_store, store_writer, to_batch

FULL = PLANE_SETS["full"]


def random_game(seed: int, size: int = 9, moves: int = 60, **fields: object) -> GameRecord:
    """A random legal game; every fourth one has set-up stones before the first and the tenth move."""
    rng = np.random.default_rng(seed)
    board = Board(size, ko="simple")
    points, colours, placed = [], [], []
    for number in range(moves):
        if seed % 4 == 0 and number in (0, 10):
            point = int(rng.choice(np.flatnonzero(board.stones.ravel() == 0)))
            placed.append((number, point, 1))
            board.setup([point], [1])
        legal = np.flatnonzero(board.legal_mask(board.to_move)[:-1])
        point = int(rng.choice(legal)) if legal.size and number % 17 else board.pass_point
        points.append(point)
        colours.append(board.to_move)
        board.play(board.to_move, point)
    setup = np.array(placed, np.int16).reshape(-1, 3)
    return GameRecord(
        size, np.array(points, np.int16), np.array(colours, np.int8),
        setup[:, 0], setup[:, 1], setup[:, 2].astype(np.int8), **fields,
    )  # fmt: skip


def table_of(games: list[GameRecord], folder) -> MoveTable:
    path = folder / "games.arrow"
    with store_writer(path) as writer:
        writer.write(to_batch(games))
    return open_store(path).moves()


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return table_of([random_game(seed) for seed in range(40)], tmp_path_factory.mktemp("store"))


@given(st.integers(1, 3000), st.integers(0, 2**40))
def test_the_shuffle_is_a_permutation(size, seed):
    assert sorted(shuffled(i, size, seed) for i in range(size)) == list(range(size))


def test_an_epoch_visits_every_position_once(table):
    positions = Positions(table, FULL, Selection(9), augment=False, seed=3)
    drawn, _ = positions.batch(0, len(positions))
    in_order, _ = Positions(table, FULL, Selection(9), augment=False, shuffle=False).batch(0, len(positions))
    assert not (drawn == in_order).all()
    assert sorted(map(bytes, drawn)) == sorted(map(bytes, in_order))
    second, _ = positions.batch(len(positions), len(positions))
    assert sorted(map(bytes, second)) == sorted(map(bytes, in_order))
    assert not (drawn == second).all()


def test_positions_in_order_are_the_games_replayed(table):
    positions = Positions(table, FULL, Selection(9), shuffle=False, augment=False)
    planes, targets = positions.batch(0, len(positions))
    at = 0
    for seed in range(40):
        game, board = random_game(seed), Board(9, ko="simple")
        for i, (point, colour) in enumerate(zip(game.points, game.colours, strict=True)):
            now = game.setup_at == i
            if now.any():
                board.setup(game.setup_points[now].tolist(), game.setup_colours[now].tolist())
            assert (planes[at] == of_board(board, FULL, int(colour))).all()
            assert targets[at] == point
            board.play(int(colour), int(point))
            at += 1
    assert at == len(positions)


def test_samples_do_not_depend_on_how_they_are_batched(table):
    positions = Positions(table, FULL, Selection(9), seed=1)
    whole = positions.batch(100, 64)
    parts = [positions.batch(100 + k, 16) for k in range(0, 64, 16)]
    assert (np.concatenate([p[0] for p in parts]) == whole[0]).all()
    assert (np.concatenate([p[1] for p in parts]) == whole[1]).all()


def test_augmented_samples_are_turned_with_their_targets_and_all_ways_come_up(table):
    plain = Positions(table, FULL, Selection(9), augment=False, seed=1).batch(0, 400)
    turned = Positions(table, FULL, Selection(9), augment=True, seed=1).batch(0, 400)
    maps, found = point_maps(9), set()
    for planes, target, seen, answer in zip(*plain, *turned, strict=True):
        matches = [
            s
            for s in range(SYMMETRIES)
            if maps[s, target] == answer
            and (seen.reshape(len(FULL), -1)[:, maps[s, :-1]] == planes.reshape(len(FULL), -1)).all()
        ]
        assert matches
        if len(matches) == 1:
            found.add(matches[0])
    assert found == set(range(SYMMETRIES))


def test_replies_are_the_targets_of_the_next_positions_turned_alike(table):
    straight = Positions(table, FULL, Selection(9), shuffle=False, augment=False)
    targets = straight.batch(0, len(straight))[1]
    ends = set((np.cumsum(np.diff(table.offsets)[straight.games]) - 1).tolist())
    wanted = [NO_MOVE if i in ends else targets[i + 1] for i in range(len(straight))]
    assert straight.replies(0, len(straight)).tolist() == wanted
    assert 0 < sum(reply == NO_MOVE for reply in wanted) < len(wanted)
    turned = Positions(table, FULL, Selection(9), shuffle=False, seed=3)
    maps = point_maps(9)
    moves, replies = turned.batch(0, len(turned))[1], turned.replies(0, len(turned))
    for i, reply in enumerate(wanted):
        if reply != NO_MOVE:
            assert any(maps[s, targets[i]] == moves[i] and maps[s, reply] == replies[i] for s in range(8))
    shuffled = Positions(table, FULL, Selection(9), augment=False, seed=5)
    pairs = set(zip(targets.tolist(), wanted))
    assert set(zip(shuffled.batch(7, 40)[1].tolist(), shuffled.replies(7, 40).tolist())) <= pairs


def test_seeds_differ(table):
    one, two = (Positions(table, FULL, Selection(9), seed=s).batch(0, 64)[1] for s in (1, 2))
    assert not (one == two).all()


def test_a_split_is_by_game_and_leaves_no_game_on_both_sides(tmp_path, monkeypatch):
    games = [random_game(seed) for seed in range(1, 60, 2)]
    maps = point_maps(9)
    twins = [GameRecord(9, maps[5][g.points], g.colours) for g in games]
    table = table_of(games + twins, tmp_path)
    monkeypatch.setattr("sgf_data.dataset.HELD_OUT_OF", 4)
    held = Selection(9, held_out=True).games(table)
    rest = Selection(9, held_out=False).games(table)
    assert sorted([*held, *rest]) == list(range(60))
    assert 0 < len(held) < 60
    assert {g % 30 for g in held}.isdisjoint({g % 30 for g in rest})


def test_of_a_few_games_one_is_held_out_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("sgf_data.dataset.HELD_OUT_OF", 10**6)
    table = table_of([random_game(seed) for seed in range(1, 9)], tmp_path)
    held = Selection(9, held_out=True).games(table)
    assert len(held) == 1
    assert sorted([*held, *Selection(9, held_out=False).games(table)]) == list(range(8))


def test_games_of_the_validation_store_are_excluded_turned_ones_and_longer_ones_too(tmp_path):
    game, other = random_game(1), random_game(3)
    maps = point_maps(9)
    longer = GameRecord(9, maps[3][random_game(1, moves=58).points], random_game(1, moves=58).colours)
    table = table_of([game, longer, other], tmp_path)
    held_out = np.array([table.opening_key[0]], np.uint64)
    assert Positions(table, FULL, Selection(9), exclude=held_out).games.tolist() == [2]


def test_a_game_that_two_stores_have_is_drawn_once(tmp_path):
    games = [random_game(seed) for seed in range(4)]
    folders = [tmp_path / name for name in "ab"]
    for folder, some in zip(folders, (games[:3], games[2:]), strict=True):
        folder.mkdir()
        table_of(some, folder)
    both = Positions(open_store(folder / "games.arrow" for folder in folders).moves(), FULL, Selection(9))
    assert both.games.tolist() == [0, 1, 2, 4]
    assert len(both) == sum(len(game.points) for game in games)


def test_selection_by_size_and_year(tmp_path):
    games = [random_game(1, year=1990), random_game(3, year=2015), random_game(5), random_game(7, size=13, year=2015)]
    table = table_of(games, tmp_path)
    assert Selection(9).games(table).tolist() == [0, 1, 2]
    assert Selection(9, years=(2000, 2020)).games(table).tolist() == [1]
    assert Selection(13).games(table).tolist() == [3]


def test_nothing_to_draw_from_is_said(table):
    for selection, words in (
        (Selection(19), "no 19x19 games are in the store"),
        (Selection(9, years=(2030, 2031)), "no 9x9 games from 2030 to 2031 are"),
        (Selection(9, years=(2030, 2030)), "no 9x9 games of 2030 are"),
        (Selection(9, years=(2030, 9999)), "no 9x9 games from 2030 are"),
        (Selection(9, years=(1, 1990)), "no 9x9 games to 1990 are"),
    ):
        with pytest.raises(ValueError, match=words):
            Positions(table, FULL, selection)
    with pytest.raises(ValueError, match="no 9x9 games that the other store does not have"):
        Positions(table, FULL, Selection(9), exclude=table.opening_key)


def test_outcomes_are_seen_by_the_player_to_move(tmp_path):
    fields = {"komi": 6.5, "result": "W+3.5"}
    table = table_of([random_game(1, moves=4, **fields)], tmp_path)
    _, _, outcomes = Positions(table, FULL, Selection(9), shuffle=False, augment=False, outcomes=True).batch(0, 4)
    assert outcomes.dtype == np.float32
    black, white = [6.5, 0, 3], [-6.5, 1, -3]  # Black was 3 points ahead on the board
    assert outcomes.tolist() == [black, white, black, white]


@pytest.mark.parametrize(
    ("fields", "unknown"),
    [
        ({"result": "B+R"}, [True, False, True]),
        ({"komi": 6.5}, [False, True, True]),
        ({"komi": 0.0, "result": "0"}, [False, True, True]),
        ({"komi": 6.5, "result": "B+392.5"}, [False, False, True]),  # on 81 points
    ],
)
def test_what_a_record_does_not_say_is_nan(tmp_path, fields, unknown):
    table = table_of([random_game(1, moves=1, **fields)], tmp_path)
    _, _, outcomes = Positions(table, FULL, Selection(9), outcomes=True).batch(0, 1)
    assert np.isnan(outcomes)[0].tolist() == unknown


def test_without_moves_only_the_outcomes_are_left(table):
    with_moves, without = (
        Positions(table, PLANE_SETS["stones"], Selection(9), outcomes=True, moves=moves).batch(0, 16)
        for moves in (True, False)
    )
    assert (without[1] == NO_MOVE).all() and (with_moves[1] >= 0).all()
    assert np.array_equal(with_moves[0], without[0]) and np.array_equal(with_moves[2], without[2], equal_nan=True)


@pytest.mark.parametrize("size", [9, 13, 19])
def test_a_whole_board_is_a_lead_on_every_size(size, tmp_path):
    table = table_of([random_game(1, size=size, moves=1, komi=6.5, result=f"B+{size * size - 6.5}")], tmp_path)
    _, _, outcomes = Positions(table, PLANE_SETS["stones"], Selection(size), outcomes=True).batch(0, 1)
    assert outcomes[0, 2] == size * size
