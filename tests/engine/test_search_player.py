"""The player that searches: when it searches, passes, goes on and gives up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from engine.ending import Ending
from engine.player import RESIGN, PolicyPlayer, Style
from engine.policy import LazyPolicy, PolicyError
from engine.rules import NAMED, Needed
from engine.search import Limits, Search
from engine.search_player import Resignation, SearchPlayer, with_seconds
from gocnn.go import BLACK, WHITE, Board
from gocnn.go.coords import point_to_gtp
from gocnn.go.counting import settle
from gocnn.go.ownership import ownership
from gocnn.go.planes import PLANE_SETS, of_board
from tests.engine.test_search import after_superko
from tests.engine.toys import FINISHED, Toy, by_area
from tests.go.support import SPARSE


class ToyPolicy(Toy):
    """A toy that a PolicyPlayer can ask, too."""

    def policy(self, boards: Sequence[Board], symmetries: int = 1) -> np.ndarray:
        planes = np.stack([of_board(board, PLANE_SETS["full"]) for board in boards])
        return self.evaluate_planes(planes, np.zeros(len(boards), np.float32)).policy


def by_truth(stones: np.ndarray) -> np.ndarray:
    """Whose the points of FINISHED are, dead stones and all."""
    truth = np.sign(ownership(Board.from_ascii(FINISHED)))
    return truth if stones[0, 2] > 0 else -truth


def player(toy: Toy, style: Style | None = None, visits: int = 200, **options: object) -> SearchPlayer:
    options.setdefault("limits", Limits(visits=visits))
    return SearchPlayer(LazyPolicy(lambda: toy), style, **options)  # type: ignore[arg-type, return-value]


def test_one_visit_is_the_policy() -> None:
    toy = ToyPolicy(by_area, favourites={33: 0.6})
    board = Board(9)
    chosen = player(toy, visits=1).choose(board, BLACK, Needed(7.5))
    assert chosen == 33 == PolicyPlayer(toy).choose(board, BLACK, Needed(7.5))
    assert len(toy.batches) == 2


def test_more_visits_are_a_search_that_leaves_the_board_alone() -> None:
    board = Board.from_ascii(". . . . . / . X X . . / X O O . . / X O X . . / . X X . .".replace("/", "\n"))
    before = (board.to_ascii(), board.moves, board.to_move)
    searcher = player(ToyPolicy(by_area), visits=300)
    assert point_to_gtp(searcher.choose(board, BLACK), 5) == "D3"
    assert searcher.report is not None and searcher.report.visits == 300
    assert (board.to_ascii(), board.moves, board.to_move) == before


def test_the_seconds_of_one_move_cut_its_limits_short() -> None:
    searcher = player(ToyPolicy(by_area))
    searcher.choose(Board(5), BLACK, seconds=0.0)
    assert searcher.report is not None and searcher.report.descents == 0
    assert with_seconds(Limits(visits=5), None) == Limits(visits=5)
    assert with_seconds(Limits(seconds=2.0), 1.0).seconds == 1.0
    assert with_seconds(Limits(seconds=2.0), 3.0).seconds == 2.0


@pytest.mark.parametrize("position", [". " * 9 + "\n", FINISHED])
def test_all_that_belongs_to_a_move_fits_into_its_seconds(position: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search, the glance at the end before it and the pass that is measured after it."""
    given: list[float] = []
    run = Search.run

    def noted(self: Search, board: Board, needed: Needed, limits: Limits, **more: object) -> object:
        assert limits.seconds is not None
        given.append(limits.seconds)
        return run(self, board, needed, Limits(descents=30), **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Search, "run", noted)
    board = Board.from_ascii(position if position == FINISHED else position * 9)
    player(ToyPolicy(by_truth if position == FINISHED else by_area)).choose(board, BLACK, Needed(7.5), seconds=5.0)
    assert len(given) == 1 + (position == FINISHED) and 4.0 < sum(given) < 5.0


@pytest.mark.parametrize("colour", [BLACK, WHITE])
@pytest.mark.parametrize("komi", [-20.5, 7.5, 40.5])
def test_settled_territory_is_left_alone(colour: int, komi: float) -> None:
    """Nothing is left to do, whoever is ahead: the search, to which most moves look alike, must not play on."""
    board = Board.from_ascii(FINISHED)
    assert player(ToyPolicy(by_truth), visits=100).choose(board, colour, Needed(komi)) == board.pass_point


@pytest.mark.parametrize("colour", [BLACK, WHITE])
def test_a_sparse_board_is_left_alone_where_the_search_likes_the_pass_best(colour: int) -> None:
    """By territory each move there costs its player a point."""
    rules, board = NAMED["japanese"], Board.from_ascii(SPARSE)
    board.to_move = colour
    truth = np.sign(ownership(board))
    toy = ToyPolicy(lambda stones: truth if stones[1, 1] > 0 else -truth, favourites={81: 0.9})
    assert player(toy).choose(board, colour, rules.needed(board, 6.5)) == board.pass_point
    eager = ToyPolicy(by_area, favourites={81: 0.9})
    assert player(eager).choose(Board(9), colour, rules.needed(Board(9), 0.5)) != 81, "not before all is settled"


@pytest.mark.parametrize("visits", [1, 40])
@pytest.mark.parametrize("margin", [-1.5, -0.5, 0.5, 1.5])
@pytest.mark.parametrize("colour", [BLACK, WHITE])
def test_no_point_is_lost_by_territory_to_one_who_passes(visits: int, margin: float, colour: int) -> None:
    rules, board = NAMED["japanese"], Board.from_ascii(FINISHED)
    board.to_move = colour
    komi = settle(board).territory(board.prisoners) - margin
    searcher = player(ToyPolicy(by_truth), visits=visits)
    while board.recent[-2:].tolist() != [81, 81]:
        board.play(colour, searcher.choose(board, colour, rules.needed(board, komi)))
        board.play(-colour, 81)
        assert len(board.moves) < 10
    assert settle(board).territory(board.prisoners) - komi == margin


def test_a_pass_is_answered_when_the_game_is_won() -> None:
    board = Board.from_ascii(FINISHED)
    board.play(WHITE, board.pass_point)
    toy = ToyPolicy(by_area)
    assert player(toy).choose(board, BLACK, Needed(7.5)) == board.pass_point
    assert not toy.batches


def test_a_won_game_is_not_lost_by_an_early_pass() -> None:
    """Black wins by the last open point only, and the opponent's pass must not tempt it to stop before."""
    rows = "X X X X O . O/. X . X O O O/X X X X O . O/X . X X O O ./X X X . O O O/. X . X O O ./X X X X O . O"
    board = Board.from_ascii(rows.replace("/", "\n"))
    board.play(WHITE, board.pass_point)
    komi = board.area_score() + 0.5  # behind by half a point as it stands
    chosen = player(ToyPolicy(by_area, favourites={49: 0.8})).choose(board, BLACK, Needed(komi))
    assert point_to_gtp(chosen, 7) == "D3"


def test_whole_games_end() -> None:
    """A search over an even policy plays a small board to the end, and not for ever."""
    board = Board(5)
    toy = ToyPolicy(by_area)
    players = {BLACK: player(toy, visits=60), WHITE: player(toy, visits=60)}
    while [move for _, move in board.moves[-2:]] != [25, 25]:
        colour = board.to_move
        move = players[colour].choose(board, colour, Needed(0.5))
        assert board.is_legal(colour, move)
        board.play(colour, move)
        assert len(board.moves) < 120
    assert len(board.moves) > 12


def lost_board() -> Board:
    """Everything is White's but a corner."""
    board = Board.from_ascii("O O O O . / O . O O O / O O O . O / . O O O O / O . O X X".replace("/", "\n"))
    return board


def test_it_resigns_after_some_lost_turns_in_a_row_and_not_before() -> None:
    searcher = player(ToyPolicy(by_area, doubt=1.0), visits=20, resignation=Resignation(turns=3))
    board = lost_board()
    chosen = []
    for _ in range(3):
        chosen.append(searcher.choose(board, BLACK, Needed(7.5)))
        assert searcher.choose(board, BLACK, Needed(7.5)) == chosen[-1]  # asking again counts for nothing
        board.play(BLACK, board.pass_point)
        board.play(WHITE, int(np.flatnonzero(board.legal_mask(WHITE))[0]))
    assert [move == RESIGN for move in chosen] == [False, False, True]


def test_it_resigns_for_the_one_side_while_it_plays_both() -> None:
    searcher = player(ToyPolicy(by_area, doubt=1.0), visits=20, resignation=Resignation(turns=3))
    board = lost_board()
    chosen = []
    for _ in range(3):
        chosen.append(searcher.choose(board, BLACK, Needed(7.5)))
        board.play(BLACK, board.pass_point)
        assert searcher.choose(board, WHITE, Needed(7.5)) != RESIGN
        board.play(WHITE, int(np.flatnonzero(board.legal_mask(WHITE))[0]))
    assert [move == RESIGN for move in chosen] == [False, False, True]


def test_lost_turns_of_one_game_count_for_no_other() -> None:
    searcher = player(ToyPolicy(by_area, doubt=1.0), visits=20, resignation=Resignation(turns=2))
    first, second = lost_board(), lost_board()
    for board, replies in ((first, ()), (second, (0, 1))):  # the second is longer, and began otherwise
        for reply in replies:
            board.play(BLACK, board.pass_point)
            board.play(WHITE, int(np.flatnonzero(board.legal_mask(WHITE)[:-1])[reply]))
    first.play(BLACK, first.pass_point)
    first.play(WHITE, first.pass_point)
    assert searcher.choose(first, BLACK, Needed(7.5)) != RESIGN
    assert searcher.choose(second, BLACK, Needed(7.5)) != RESIGN
    second.play(BLACK, second.pass_point)
    second.play(WHITE, int(np.flatnonzero(second.legal_mask(WHITE)[:-1])[0]))
    assert searcher.choose(second, BLACK, Needed(7.5)) == RESIGN


def test_without_a_rule_it_never_resigns() -> None:
    searcher = player(ToyPolicy(by_area, doubt=1.0), visits=20)
    board = lost_board()
    for _ in range(5):
        assert searcher.choose(board, BLACK, Needed(7.5)) != RESIGN
        board.play(BLACK, board.pass_point)
        board.play(WHITE, board.pass_point)


def test_a_game_that_the_count_says_is_won_is_never_given_up() -> None:
    """The network is wrong about everything."""
    toy = ToyPolicy(lambda stones: -np.ones(stones.shape), doubt=1.0)
    searcher = player(toy, visits=20, resignation=Resignation(turns=1))
    assert searcher.choose(Board.from_ascii(FINISHED), BLACK, Needed(-7.5)) != RESIGN
    assert searcher.choose(Board(9), BLACK, Needed(7.5)) != RESIGN  # too early to tell


def test_by_points_as_the_policy_player() -> None:
    searcher = player(ToyPolicy(by_area), Style(resign_behind=10.0))
    assert searcher.choose(Board.from_ascii(FINISHED), BLACK, Needed(60.5)) == RESIGN


def test_random_moves_differ_between_seeds_and_repeat_with_one() -> None:
    def opening(seed: int) -> list[int]:
        board = Board(9)
        searcher = player(ToyPolicy(by_area), Style(random_moves=4, seed=seed), visits=40)
        for _ in range(4):
            board.play(board.to_move, searcher.choose(board, board.to_move, Needed(7.5)))
        return [move for _, move in board.moves]

    assert opening(1) == opening(1)
    assert opening(1) != opening(2)


def test_what_is_pondered_is_used() -> None:
    toy = ToyPolicy(by_area)
    searcher = player(toy, visits=100)
    board = Board(5)
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 40

    searcher.ponder(board, Needed(0.5), stop)
    before = len(toy.batches)
    assert asked == 41
    board.play(BLACK, 12)
    searcher.choose(board, WHITE, Needed(0.5))
    assert searcher.report is not None
    assert searcher.report.descents < 100 - 2 and before > 30


def test_a_network_for_another_size() -> None:
    class Only19(ToyPolicy):
        def evaluate_planes(self, planes: np.ndarray, komi: np.ndarray) -> object:  # type: ignore[override]
            raise ValueError("plays 19x19 boards only")

    with pytest.raises(PolicyError, match="19x19"):
        player(Only19()).choose(Board(5), BLACK)


def test_reports_come_on_the_way() -> None:
    seen: list[object] = []
    searcher = player(ToyPolicy(by_area, seconds=0.001), visits=150)
    searcher.choose(Board(5), BLACK, report=seen.append, every=0.02)
    assert len(seen) >= 2


def test_a_move_is_named_that_is_legal_under_superko() -> None:
    board = after_superko()
    toy = ToyPolicy(by_area, favourites={5: 0.9})
    for visits in (1, 2, 100):
        assert board.is_legal(BLACK, player(toy, visits=visits).choose(board, BLACK))


def test_without_any_time_the_end_of_a_game_is_played_on_by_the_network() -> None:
    rows = "X X X X O . O/. X . X O O O/X X X X O . O/X . X X O O ./X X X . O O O/. X . X O O ./X X X X O . O"
    board = Board.from_ascii(rows.replace("/", "\n"))
    board.play(WHITE, board.pass_point)
    toy = ToyPolicy(by_area, favourites={31: 0.8})
    chosen = player(toy).choose(board, BLACK, Needed(board.area_score() + 0.5), seconds=0.0)
    assert point_to_gtp(chosen, 7) == "D3"


def test_a_turn_in_between_neither_counts_as_lost_nor_breaks_the_row() -> None:
    toy = ToyPolicy(by_area, doubt=1.0)
    searcher = player(toy, visits=20, resignation=Resignation(winrate=0.04, turns=2, stones=0.0))
    board, given_up = Board(5), []
    for winrate in (0.03, 0.06, 0.03):
        report = searcher.search.run(board, Needed(0.0), Limits(visits=1))
        lost = Ending(board, Needed(60.5))
        given_up.append(searcher._gives_up(board, replace(report, winrate=winrate), lost))
        board.play(BLACK, len(board.moves))
        board.play(WHITE, len(board.moves) + 5)
    assert given_up == [False, False, True]


@pytest.mark.parametrize(("likes", "visits"), [(0.05, 200), (0.9, 50)])
def test_nobody_passes_in_the_opening_however_the_network_likes_it(likes: float, visits: int) -> None:
    searcher = player(ToyPolicy(favourites={81: likes}), visits=visits)
    chosen = searcher.choose(Board(9), BLACK)
    assert searcher.report is not None and searcher.report.moves[0].move == 81
    assert chosen != 81


def test_an_own_eye_is_not_filled_however_the_network_likes_it() -> None:
    board = Board.from_ascii(". X . . .\nX X . . .\n" + ". . . . .\n" * 3)
    assert player(ToyPolicy(favourites={0: 0.9}), visits=50).choose(board, BLACK) != 0


def test_seconds_of_the_clock_are_not_used_where_they_can_change_nothing() -> None:
    assert with_seconds(Limits(visits=5), 1.0) == Limits(visits=5, seconds=1.0, saves=True)
