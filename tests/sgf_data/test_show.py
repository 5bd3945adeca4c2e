"""`gocnn data show`: a picture of the right position, or one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sgf_data.show import show

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
def test_it_draws_the_position_before_the_move(game: Path, move: int, told: str, planes: str) -> None:
    picture = game.with_name("planes.png")
    result = run(game, "--move", move, "--planes", planes, "-o", picture)
    assert result.exit_code == 0, result.output
    assert f"before move {move}, {told}" in result.output
    assert picture.read_bytes().startswith(b"\x89PNG")


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
