"""Game records in and out of a Game."""

from __future__ import annotations

import pytest
from sgfmill import sgf

from engine.game import Game
from engine.sgf import game_to_sgf
from gocnn.go import BLACK, WHITE, IllegalMove
from gocnn.go.coords import gtp_to_point
from tests.engine.support import load_game


def load(text: str, **options: object) -> Game:
    return load_game(text.encode(), komi=7.5, **options)  # type: ignore[arg-type]


def test_the_main_line_with_colours_from_the_record() -> None:
    game = load("(;SZ[5];B[cc];B[dd](;W[bb];B[])(;W[ee]))")
    assert game.board.moves == [(BLACK, 12), (BLACK, 18), (WHITE, 6), (BLACK, 25)]
    assert game.board.to_move == WHITE


def test_komi_handicap_and_defaults() -> None:
    game = load("(;KM[0.5]HA[2]AB[dd][pp])")
    assert (game.board.size, game.komi, game.handicap) == (19, 0.5, 2)
    assert game.board.to_move == WHITE
    assert load("(;SZ[9]KM[none]HA[many])").komi == 7.5


@pytest.mark.parametrize("komi", [6.75, 3.75, 0.25, -3.25, 100, 150, 1000, 7.5, 0])
def test_our_own_komi_means_what_it_says(komi: float) -> None:
    assert load_game(game_to_sgf(Game(9, komi)), komi=7.5).komi == komi


def test_setup_after_the_root() -> None:
    game = load("(;SZ[5];B[cc];AW[aa:ba]AE[cc];W[ee])")
    assert game.board.to_ascii().split() == ["OO...", ".....", ".....", ".....", "....O"]
    assert game.board.moves == [(WHITE, 24)]


@pytest.mark.parametrize(("node", "to_move"), [("PL[W]", WHITE), ("AB[aa]PL[B]", BLACK), ("AB[aa]AW[bb]", BLACK)])
def test_who_is_to_move(node: str, to_move: int) -> None:
    assert load(f"(;SZ[5]{node})").board.to_move == to_move


@pytest.mark.parametrize("before_move", [1, 2, 3, 9])
def test_before_a_move(before_move: int) -> None:
    game = load("(;SZ[5];B[cc];W[dd];B[bb])", before_move=before_move)
    assert len(game.board.moves) == min(3, before_move - 1)
    assert game.board.to_move == (WHITE if len(game.board.moves) % 2 else BLACK)


@pytest.mark.parametrize(
    "text",
    ["", "hello", "(;SZ[5];B[cc];W[cc])", "(;SZ[5];B[zz])", "(;SZ[1])", "(;SZ[5:7])", "(;SZ[x])",
     "(;SZ[5]AB[zz])", "(;SZ[5]AB[aa:])", "(;SZ[5];B[cc]", "(;GM[1", "(;GM[3])"],
)  # fmt: skip
def test_what_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        load(text)


def test_what_is_unusual_is_read_as_everywhere_in_the_project() -> None:
    assert load("(;SZ[9:9]KM[375];B[ ee ]W[cc])").board.moves == [(BLACK, 40), (WHITE, 20)]
    assert load("(;SZ[9]KM[375])").komi == 7.5
    assert load("(;SZ[9]KM[6,5])").komi == 6.5
    assert load("(;SZ[]PL[White])").board.to_move == WHITE
    assert load("(;SZ[5]PL[x])").board.to_move == BLACK
    assert load_game("(;SZ[5];B[cc])".encode("utf-16"), komi=7.5).board.moves == [(BLACK, 12)]


def test_suicide_is_legal_where_the_rules_allow_it() -> None:
    text = "(;SZ[5]RU[NZ];B[ab];W[aa];B[bb];W[ee];B[ca];W[ba])"
    with pytest.raises(ValueError, match="move 6 is illegal"):
        load(text)
    game = load(text, suicide=True)
    assert game.board.stones[0, 0] == 0
    assert load_game(game_to_sgf(game), komi=7.5, suicide=True).board.moves == game.board.moves


@pytest.mark.parametrize("to_move", [BLACK, WHITE])
def test_whose_turn_it_is_after_a_set_up_of_black_stones_is_written(to_move: int) -> None:
    game = Game(5)
    game.setup([12, 13], [BLACK, BLACK])
    game.board.to_move = to_move
    again = load_game(game_to_sgf(game), komi=7.5)
    assert again.board.to_move == to_move
    game.board.play(to_move, 0)
    assert load_game(game_to_sgf(game), komi=7.5).board.moves == game.board.moves


def test_a_turn_that_was_changed_is_written() -> None:
    game = Game(5)
    game.board.play(BLACK, 12)
    assert b"PL[" not in game_to_sgf(game)
    game.board.to_move = BLACK
    again = load_game(game_to_sgf(game), komi=7.5)
    assert again.board.to_move == BLACK and again.board.moves == game.board.moves


def test_text_in_any_encoding_does_not_matter() -> None:
    data = b"(;CA[no-such-code]SZ[5]PB[\xb0\xa1\xff];B[cc])"
    assert load_game(data, komi=7.5).board.moves == [(BLACK, 12)]


@pytest.mark.parametrize("size", [3, 5, 19, 25])
def test_what_is_written_is_read_again(size: int) -> None:
    game = Game(size, 5.5)
    game.setup([0, 1], [BLACK, WHITE])
    game.board.play(WHITE, size)
    game.board.play(BLACK, game.board.pass_point)
    game.board.play(BLACK, size * size - 1)
    data = game_to_sgf(game, black="Čapek", white="]\\:", result="B+R", comment="two\nlines")
    again = load_game(data, komi=0.0)
    assert again.board.to_ascii() == game.board.to_ascii()
    assert again.board.moves == game.board.moves
    assert (again.komi, again.board.size) == (5.5, size)
    record = sgf.Sgf_game.from_bytes(data)
    assert record.get_player_name("b") == "Čapek"
    assert record.get_player_name("w") == "]\\:"
    assert record.get_winner() == "b"


def test_handicap_is_written_and_read() -> None:
    game = Game(9)
    game.place_handicap([gtp_to_point(vertex, 9) for vertex in ("c3", "g7")])
    again = load_game(game_to_sgf(game), komi=0.0)
    assert again.handicap == 2
    assert again.board.to_move == WHITE


def test_a_game_knows_when_it_is_over() -> None:
    game = Game(5)
    assert game.is_empty and not game.is_over
    game.board.play(BLACK, 25)
    assert not game.is_over
    game.board.play(WHITE, 25)
    assert game.is_over
    with pytest.raises(IllegalMove):
        game.board.play(BLACK, 26)
