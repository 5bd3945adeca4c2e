"""The player's rules: which moves it makes, which it leaves out, when it passes or resigns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from engine.game import Game
from engine.player import RESIGN, PolicyPlayer, Style, drawn_order
from engine.policy import Policy
from engine.rules import Needed
from gocnn.go import BLACK, WHITE, Board
from gocnn.go.coords import gtp_to_point, point_to_gtp
from tests.engine.support import CentrePolicy, ListPolicy, RandomPolicy
from tests.go.support import FINISHED, SPARSE


def choose(policy: Policy, board: Board, colour: int, komi: float = 7.5, style: Style | None = None) -> str:
    before = (board.to_ascii(), board.moves, board.to_move)
    move = PolicyPlayer(policy, style).choose(board, colour, Needed(komi))
    assert (board.to_ascii(), board.moves, board.to_move) == before
    return "resign" if move == RESIGN else point_to_gtp(move, board.size)


def test_the_most_probable_move_is_played() -> None:
    assert choose(ListPolicy("d4", "c3"), Board(9), BLACK) == "D4"


def test_illegal_moves_are_left_out() -> None:
    board = Board.from_ascii("X O . . . / O . O . . / . O . . . / . . . . . / . . . . .".replace("/", "\n"))
    # A5 is occupied, B4 would be suicide for Black.
    assert choose(ListPolicy("a5", "b4", "e1"), board, BLACK) == "E1"


def test_a_ko_may_not_be_retaken_at_once() -> None:
    board = Board.from_ascii(". X O . . / X . X O . / . X O . . / . . . . . / . . . . .".replace("/", "\n"))
    board.play(WHITE, gtp_to_point("b4", 5))
    assert choose(ListPolicy("c4", "e1"), board, BLACK) == "E1"


def test_either_colour_may_be_asked() -> None:
    seen: list[int] = []

    class Watcher(CentrePolicy):
        def policy(self, boards: Sequence[Board], symmetries: int = 1) -> np.ndarray:
            seen.extend(board.to_move for board in boards)
            return super().policy(boards)

    assert choose(Watcher(), Board(5), WHITE) == "C3"
    assert seen == [WHITE]


def test_own_eyes_are_not_filled() -> None:
    rows = """
    . X . X O
    X X X X O
    O O O O O
    . . . . .
    . . . . .
    """
    board = Board.from_ascii(rows)
    assert choose(ListPolicy("a5", "c5", "b1", confidence=0.9), board, BLACK) == "B1"


def test_unconditional_territory_is_left_alone() -> None:
    rows = """
    . X . X . O
    X X X X O O
    O O O O O .
    O . O . O O
    O O O O O .
    . O . O . O
    """
    board = Board.from_ascii(rows)
    for colour in (BLACK, WHITE):
        assert choose(RandomPolicy(), board, colour) == "pass"


@pytest.mark.parametrize("colour", [BLACK, WHITE])
def test_a_sparse_board_is_left_alone_where_the_network_takes_the_game_for_over(colour: int) -> None:
    board = Board.from_ascii(SPARSE)
    assert choose(ListPolicy("pass", "a1", "j9"), board, colour) == "pass"
    assert choose(ListPolicy("pass", "e5", confidence=0.9), Board(9), colour) == "E5", "not before all is settled"


def test_an_unlikely_self_atari_is_left_out() -> None:
    rows = """
    . . X X .
    O O X X .
    X X X . .
    . . . . .
    . . . . .
    """
    # A5 leaves White's three stones B5 as their only liberty.
    board = Board.from_ascii(rows)
    assert choose(ListPolicy("a5", "e1", confidence=0.1), board, WHITE) == "E1"
    assert choose(ListPolicy("a5", "e1", confidence=0.9), board, WHITE) == "A5"


def test_stones_in_a_ladder_are_not_run_with_however_likely_it_looks() -> None:
    rows = """
    . . . . . .
    . . X X . .
    . X O . . .
    . . X . . .
    . . . . . .
    . . . . . .
    """
    board = Board.from_ascii(rows)
    assert choose(ListPolicy("d4", "e1", confidence=0.9), board, WHITE) == "E1"
    board.setup([gtp_to_point("e2", 6)], [WHITE])  # in the ladder's way
    assert choose(ListPolicy("d4", "e1", confidence=0.9), board, WHITE) == "D4"


def test_passes_when_the_opponent_passed_and_it_is_ahead() -> None:
    board = Board.from_ascii(FINISHED)
    board.play(WHITE, board.pass_point)
    # Black leads by 15 without komi, even if White gets everything that is unclear.
    eager = ListPolicy("g7", confidence=0.9)
    assert choose(eager, board, BLACK, komi=-30.0) == "pass"


def test_plays_on_when_the_opponent_passed_and_it_is_behind() -> None:
    board = Board.from_ascii(FINISHED)
    board.play(BLACK, board.pass_point)
    assert choose(ListPolicy("b4", confidence=0.9), board, WHITE, komi=0.0) == "B4"


def test_a_pass_in_the_opening_is_no_reason_to_pass() -> None:
    board = Board(9)
    board.play(BLACK, gtp_to_point("e5", 9))
    board.play(WHITE, board.pass_point)
    assert choose(CentrePolicy(), board, BLACK, komi=0.0) != "pass"


def test_its_own_stones_that_are_dead_do_not_make_it_ahead() -> None:
    """All of White's area counts for nobody while the dead black stones stand in it."""
    rows = """
    . X . O . . . . .
    X X . O . X X . .
    . X X O . . . . .
    . . X O O O O O O
    X X X X X O . . O
    . . . . X O . X .
    X X X X X O . . .
    . . . . X O O O O
    . . . . X . O . .
    """
    board = Board.from_ascii(rows)
    board.play(WHITE, board.pass_point)
    assert board.area_score(0.5) > 0
    assert Game.score(_game(board, 0.5)) < 0
    assert choose(ListPolicy("h8", confidence=0.9), board, BLACK, komi=0.5) == "H8"


def _game(board: Board, komi: float) -> Game:
    game = Game(board.size, komi)
    game.board = board
    return game


def test_settled_points_are_left_alone_unless_the_policy_insists() -> None:
    board = Board.from_ascii(FINISHED)
    # B4 is deep inside Black's living territory.
    assert choose(ListPolicy("b4", confidence=0.15), board, BLACK) != "B4"
    assert choose(ListPolicy("b4", confidence=0.6), board, BLACK) == "B4"


def test_resigns_only_by_option_and_only_when_hopeless() -> None:
    board = Board.from_ascii(FINISHED)
    style = Style(resign_behind=20)
    wants = ListPolicy("g7", confidence=0.9)
    assert choose(wants, board, BLACK, komi=120.0, style=style) == "resign"
    assert choose(wants, board, BLACK, komi=120.0) == "G7"
    assert choose(wants, board, BLACK, komi=20.0, style=style) == "G7"
    assert choose(wants, board, WHITE, komi=-120.0, style=style) == "resign"
    assert choose(CentrePolicy(), Board(9), BLACK, komi=100.0, style=style) == "E5"


def test_draws_follow_the_policy_and_the_seed() -> None:
    wants = ListPolicy("d4", "c3", "f6", confidence=0.57)
    style = Style(temperature=1.0, seed=5)
    player = PolicyPlayer(wants, style)
    moves = [player.choose(Board(9), BLACK) for _ in range(400)]
    again = PolicyPlayer(wants, style)
    assert moves == [again.choose(Board(9), BLACK) for _ in range(400)]
    share = moves.count(gtp_to_point("d4", 9)) / len(moves)
    assert share == pytest.approx(0.57, abs=0.08)


def test_only_the_first_moves_are_drawn() -> None:
    player = PolicyPlayer(ListPolicy("d4", "c3", confidence=0.5), Style(random_moves=1, seed=1))
    assert len({player.choose(Board(9), BLACK) for _ in range(30)}) > 1
    later = Board(9)
    later.play(BLACK, 0)
    assert {player.choose(later, WHITE) for _ in range(30)} == {gtp_to_point("d4", 9)}


def test_ranked_moves_are_legal_and_in_order() -> None:
    board = Board(9)
    board.play(BLACK, gtp_to_point("d4", 9))
    ranked = PolicyPlayer(ListPolicy("d4", "c3", "e5")).ranked(board, WHITE, 2)
    assert [point_to_gtp(point, 9) for point, _ in ranked] == ["C3", "E5"]
    assert ranked[0][1] == pytest.approx(0.25)


@pytest.mark.parametrize("size", [2, 3, 5, 9])
def test_games_against_itself_end_with_two_passes(size: int) -> None:
    """A policy without any sense is the hardest case: nothing but the player's rules ends these."""
    most = max(40, 3 * size * size)
    for seed in range(4):
        player = PolicyPlayer(RandomPolicy(seed))
        game = Game(size)
        while not game.is_over and len(game.board.moves) < most:
            colour = game.board.to_move
            game.board.play(colour, player.choose(game.board, colour, Needed(game.komi)))
        assert game.is_over, f"size {size}, seed {seed}:\n{game.board}"


def test_the_symmetries_of_the_style_reach_the_network() -> None:
    class Counting:
        asked = 0

        def policy(self, boards: Sequence[Board], symmetries: int = 1) -> np.ndarray:
            self.asked = symmetries
            return np.full((len(boards), boards[0].pass_point + 1), 1 / (boards[0].pass_point + 1), np.float32)

    network = Counting()
    PolicyPlayer(network, Style(symmetries=8)).choose(Board(5), BLACK)
    assert network.asked == 8


@pytest.mark.parametrize("temperature", [0.25, 1.0, 4.0])
def test_moves_are_drawn_by_their_probability_to_the_power_of_one_over_the_temperature(temperature: float) -> None:
    random, shares = np.random.default_rng(1), np.array([0.4, 0.6])
    drawn = np.mean([drawn_order(shares, temperature, random)[0] == 1 for _ in range(2000)])
    first, second = shares ** (1 / temperature)
    assert drawn == pytest.approx(second / (first + second), abs=0.04)


def test_a_single_stone_may_be_thrown_in() -> None:
    board = Board.from_ascii(". X . . .\n" + ". . . . .\n" * 4)
    assert choose(ListPolicy("a5", "e1", confidence=0.1), board, WHITE) == "A5"
