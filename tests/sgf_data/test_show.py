"""`gocnn data show`: a picture of the right position, or one clear line."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gocnn.go import BLACK, WHITE, Board, drawing
from gocnn.go.planes import PLANE_SETS, of_board
from sgf_data.build import build_store
from sgf_data.show import show
from sgf_data.sources import find

GAME = b"(;SZ[9]AB[gg]PB[Ann]PW[Bo];B[cc];W[ee];B[];W[ec])"


@pytest.fixture
def game(tmp_path: Path) -> Path:
    path = tmp_path / "game.sgf"
    path.write_bytes(GAME)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(show, [str(argument) for argument in arguments])


@pytest.mark.parametrize(("move", "told"), [(1, "Black C7"), (2, "White E5"), (3, "Black pass"), (4, "White E7")])
@pytest.mark.parametrize("planes", ["full", "stones"])
def test_it_draws_the_position_before_the_move(
    game: Path, move: int, told: str, planes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = game.with_name("planes.png")
    drawn: dict[str, Any] = {}

    def watched(*words: Any, **more: Any) -> None:
        drawn.update(zip(("path", "stones", "planes", "names"), words), **more)
        draw(*words, **more)

    draw = drawing.draw_planes
    monkeypatch.setattr(drawing, "draw_planes", watched)
    result = run(game, "--move", move, "--planes", planes, "-o", picture)
    assert result.exit_code == 0, result.output
    assert f"before move {move}, {told}" in result.output
    assert picture.read_bytes().startswith(b"\x89PNG")
    board = Board(9)
    board.setup([60], [BLACK])
    moves = [(BLACK, 20), (WHITE, 40), (BLACK, 81), (WHITE, 22)]
    for colour, point in moves[: move - 1]:
        board.play(colour, point)
    colour, point = moves[move - 1]
    assert (drawn["stones"] == board.stones).all()
    assert (drawn["planes"] == of_board(board, PLANE_SETS[planes], colour)).all()
    assert drawn["target"] == point and drawn["last"] == (moves[move - 2][1] if move > 1 else None)


def test_names_that_the_font_lacks_are_colours(game: Path) -> None:
    game.write_bytes(GAME.replace(b"Ann", "小林光一".encode()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run(game, "-o", game.with_name("planes.png")).exit_code == 0


@pytest.mark.parametrize("name", ["O’Brien", "1962–1963", "Nguyễn", "Łukasz", "Ann…"])
def test_names_that_the_font_has_are_names(name: str) -> None:
    assert drawing.has_letters(name)


def test_a_neighbour_that_cannot_be_read_hides_no_game(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "games.zip", "w") as archive:
        archive.writestr("a/old.zip", b"")
        archive.writestr("b.sgf", GAME)
    picture = tmp_path / "planes.png"
    assert run(tmp_path / "games.zip", "-o", picture).exit_code == 0 and picture.exists()
    missing = run(tmp_path / "games.zip", "--game", 2)
    assert missing.exit_code == 1 and "holds 1 games, not 2; cannot read" in missing.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--move", 5), "game 1 has 4 moves, not 5"),
        (("--game", 2), "holds 1 games, not 2"),
        (("--planes", "rgb"), "unknown plane set"),
    ],
)
def test_mistakes_are_told(game: Path, options: tuple[object, ...], message: str) -> None:
    result = run(game, *options)
    assert result.exit_code == 1
    assert message in result.output


@pytest.mark.parametrize("name", ["absent.sgf", "absent.arrow"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    result = run(tmp_path / name)
    assert result.exit_code == 1
    assert name in result.output


def test_a_broken_record_says_why(tmp_path: Path) -> None:
    path = tmp_path / "bad.sgf"
    path.write_bytes(b"(;SZ[9];B[cc];W[cc])")
    result = run(path)
    assert result.exit_code == 1
    assert "bad.sgf" in result.output


def test_a_store_is_known_by_what_it_holds(game: Path) -> None:
    store, picture = game.with_name("games"), game.with_name("planes.png")
    build_store(find([str(game)]), store)
    result = run(store, "--move", 2, "-o", picture)
    assert result.exit_code == 0 and "before move 2, White E5" in result.output
    assert "holds 1 games, not 2" in run(store, "--game", 2).output
