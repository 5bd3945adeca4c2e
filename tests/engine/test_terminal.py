"""Playing in the terminal: whole scripted games, from a pipe and with colours."""

from __future__ import annotations

import io
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from sgfmill import sgf

import engine.policy
from engine.commands import play as play_command
from engine.diagram import diagram
from engine.game import Game
from engine.picture import picture
from engine.player import PolicyPlayer, Style
from engine.policy import Policy
from engine.terminal import Terminal, piped_words, typed_words
from gocnn.go import BLACK, WHITE, Board
from gocnn.go.coords import gtp_to_point
from gocnn.profile import Profile
from tests.engine.support import CentrePolicy, ListPolicy


def script(
    words: str,
    policy: Policy | None = None,
    *,
    game: Game | None = None,
    human: int = BLACK,
    style: Style | None = None,
    colours: bool = False,
) -> tuple[str, Terminal]:
    """Play from a script; returns what was printed, and the terminal as it was left."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=100,
        force_terminal=colours,
        color_system="truecolor" if colours else None,
    )
    player = PolicyPlayer(policy or CentrePolicy(), style)
    terminal = Terminal(game or Game(9), player, human, console)
    terminal.run(piped_words(terminal, io.StringIO(words)))
    return out.getvalue(), terminal


def test_a_few_moves() -> None:
    text, terminal = script("d4\nE6 # a comment\n\nquit\nf6\n")
    assert [move for _, move in terminal.game.board.moves] == [
        gtp_to_point(vertex, 9) for vertex in ("D4", "E5", "E6", "D5")
    ]
    assert "Black (you)> d4\nWhite plays E5." in text
    assert "Black you 0 captured, White gocnn 0 captured, komi 7.5, move 5" in text
    assert " 5 . . +(O)O . + . . 5" in text
    assert "f6" not in text


def test_several_words_on_a_line_and_the_end_of_input() -> None:
    text, terminal = script("d4 e6 pass")
    assert len(terminal.game.board.moves) == 6
    assert text.count("Black (you)> ") == 3


def test_the_network_begins_as_black() -> None:
    text, terminal = script("d4", human=WHITE)
    assert [colour for colour, _ in terminal.game.board.moves] == [BLACK, WHITE, BLACK]
    assert "Black gocnn 0 captured, White you" in text


def test_handicap() -> None:
    game = Game(9, 0.5)
    game.place_handicap([gtp_to_point(vertex, 9) for vertex in ("C3", "G7")])
    _, terminal = script("d4", game=game)
    assert [colour for colour, _ in terminal.game.board.moves] == [WHITE, BLACK, WHITE]


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("E5", "You can't play E5: occupied."),
        ("K10", "'K10' is neither a point nor a word I know; try help."),
        ("resing", "'resing' is neither"),
        ("save", "Save to which file?"),
        ("save ~nobody-of-that-name/game.sgf", "Could not save ~nobody-of-that-name/game.sgf: "),
        ("save /no/such/place/game.sgf", "Could not save /no/such/place/game.sgf: No such file"),
    ],
)
def test_what_it_says_to_mistakes(word: str, says: str) -> None:
    text, terminal = script(f"d4\n{word}\n")
    assert says in text
    assert len(terminal.game.board.moves) == 2


def test_undo_takes_back_both_moves() -> None:
    text, terminal = script("d4 e6 undo undo undo")
    assert terminal.game.board.moves == []
    assert "There is nothing to take back." in text
    _, terminal = script("d4 undo undo", human=WHITE)
    assert len(terminal.game.board.moves) == 1


def test_hint() -> None:
    text, terminal = script("hint", ListPolicy("e5", "d4", "c3", "g7", "f6", "b2"))
    hints = re.findall(r"^ *([A-J]\d) +([\d.]+) %", text, re.MULTILINE)
    assert hints == [("E5", "50.0"), ("D4", "25.0"), ("C3", "12.5"), ("G7", "6.2"), ("F6", "3.1")]
    assert terminal.game.board.moves == []


def test_score() -> None:
    game = Game(5, 0.5)
    game.setup(range(10, 15), [BLACK] * 5)
    text, _ = script("score", game=game)
    assert "Black is ahead by 24.5 points, komi 0.5." in text


def test_both_pass_and_the_game_is_over() -> None:
    game = Game(5, 0.5)
    rows = ". . X O . / . . X O . / X X X O O / . . X O . / . . X O ."
    game.setup(range(25), Board.from_ascii(rows.replace("/", "\n")).stones.ravel())
    text, terminal = script("pass d4 score", game=game)
    assert terminal.result == "B+4.5"
    assert "White passes." in text
    assert "Both passed.\nBlack wins by 4.5 points (B+4.5, komi 0.5)." in text
    assert "game over> d4\nThe game is over; undo takes the last moves back." in text
    assert "Black is ahead by 4.5 points" in text
    _, terminal = script("pass undo", game=game)
    assert terminal.result == ""


def test_resigning() -> None:
    text, terminal = script("d4 resign resign")
    assert terminal.result == "W+R"
    assert "White wins by resignation" in text
    assert "The game is over." in text


def test_a_game_given_up_before_the_first_move_goes_on_after_undo() -> None:
    text, terminal = script("resign undo d4")
    assert terminal.result == "" and len(terminal.game.board.moves) == 2
    assert "There is nothing to take back." not in text


def test_undo_takes_back_a_resignation_and_no_move() -> None:
    _, terminal = script("d4 resign undo undo")
    assert terminal.result == "" and terminal.game.board.moves == []
    _, terminal = script("d4 resign undo e6")
    assert len(terminal.game.board.moves) == 4
    assert "'twice' is neither" in script("undo twice")[0], "from a pipe these are two words"


def test_the_network_resigns_and_undo_goes_on() -> None:
    game = Game(5, -100.0)
    rows = ". . X O . / . . X O . / X . X O O / . . X O . / . . X O ."
    game.setup(range(25), Board.from_ascii(rows.replace("/", "\n")).stones.ravel())
    text, terminal = script("b3", game=game, style=Style(resign_behind=20))
    assert terminal.result == "B+R" and "White resigns." in text
    assert len(game.board.moves) == 1
    _, terminal = script("undo", game=game)
    assert game.board.moves == []


def test_save(tmp_path: Path) -> None:
    path = tmp_path / "my game.sgf"
    text, _ = script(f"d4 save {path}\nresign\nsave {path}")
    assert f"Saved {path}." in text
    record = sgf.Sgf_game.from_bytes(path.read_bytes())
    assert record.get_player_name("b") == "you"
    assert record.get_winner() == "w"
    assert len(record.get_main_sequence()) == 3


class CtrlC(PolicyPlayer):
    """Thinks until it is told to stop, while Ctrl-C is pressed; with `twice`, once more."""

    def __init__(self, twice: bool = False) -> None:
        super().__init__(CentrePolicy())
        self.twice = twice

    def choose(self, *arguments: Any, stop: Callable[[], bool] | None = None, **how: Any) -> int:
        assert stop is not None and not stop()
        signal.raise_signal(signal.SIGINT)
        assert stop()
        if self.twice:
            signal.raise_signal(signal.SIGINT)
        return super().choose(*arguments, **how)


def test_ctrl_c_has_the_network_play_and_pressed_again_it_ends_the_game() -> None:
    terminal = Terminal(Game(9), CtrlC(), BLACK, Console(file=io.StringIO()))
    handler = signal.getsignal(signal.SIGINT)
    terminal.run(iter(["d4"]))
    assert len(terminal.game.board.moves) == 2 and signal.getsignal(signal.SIGINT) == handler
    terminal.player = CtrlC(twice=True)
    with pytest.raises(KeyboardInterrupt):
        terminal.run(iter(["e6"]))
    assert len(terminal.game.board.moves) == 3 and signal.getsignal(signal.SIGINT) == handler


def test_a_game_that_ctrl_c_ends_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    terminal = Terminal(Game(9), PolicyPlayer(CentrePolicy()), BLACK, Console(file=io.StringIO()))
    terminal.keep()
    terminal.run(iter(["save own.sgf", "d4", "save own.sgf"]))
    terminal.keep()
    assert [path.name for path in tmp_path.iterdir()] == ["own.sgf"], "nothing more to lose"
    terminal.run(iter(["e6"]))
    terminal.keep()
    kept = next(path for path in tmp_path.iterdir() if path.name != "own.sgf")
    assert re.fullmatch(r"gocnn-\d{8}-\d{6}\.sgf", kept.name)
    assert len(sgf.Sgf_game.from_bytes(kept.read_bytes()).get_main_sequence()) == 5


def test_a_game_that_the_end_of_input_ends_at_a_prompt_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    terminal = Terminal(Game(9), PolicyPlayer(CentrePolicy()), BLACK, Console(file=io.StringIO()))
    typed = iter(["d4"])

    def typing(prompt: str) -> str:
        for line in typed:
            return line
        raise EOFError

    monkeypatch.setattr("builtins.input", typing)
    terminal.run(typed_words(terminal))
    (kept,) = tmp_path.iterdir()
    assert len(sgf.Sgf_game.from_bytes(kept.read_bytes()).get_main_sequence()) == 3


@pytest.mark.parametrize(
    ("line", "name"),
    [("save game #3.sgf", "game #3.sgf"), ("D4 SAVE a  b.sgf ", "a  b.sgf"), ("d4 save save.sgf # 1", "save.sgf # 1")],
)
def test_the_name_of_a_file_to_save_is_the_rest_of_the_line(
    line: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    script(f"{line}\n")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    script("d4 # save no.sgf\ndsave no.sgf\n")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_help_names_every_word() -> None:
    text, _ = script("help")
    for word in ("pass", "undo", "hint", "score", "save FILE", "resign", "board", "help", "quit"):
        assert re.search(rf"^{word} ", text, re.MULTILINE), word


def test_colours_show_the_same_board() -> None:
    text, _ = script("d4 hint quit", colours=True)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    assert "\x1b[" in text and "●" in plain and "├" in plain
    assert "(●)" in plain
    assert "White gocnn  0 captured" in plain


@pytest.mark.parametrize("size", [2, 9, 19, 25])
def test_picture_and_diagram_have_a_line_for_each_row(size: int) -> None:
    board = Board(size)
    board.play(BLACK, size - 1)
    drawn = picture(board).plain.split("\n")
    assert len(drawn) == size + 2
    assert len({len(line) for line in drawn}) == 1
    assert "(●)" in drawn[1]
    rows = diagram(board).split("\n")
    assert len(rows) == size + 2
    assert "(X)" in rows[1]
    assert rows[0].split()[0] == "A" and rows[0].split()[-1] == rows[-1].split()[-1]


# --- the command ---


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Run `gocnn play` on CentrePolicy with words on stdin."""
    monkeypatch.setattr(engine.policy, "load_network", lambda model, profile: CentrePolicy())

    def play(words: str, *options: str) -> Result:
        return CliRunner().invoke(play_command, list(options), input=words)

    return play


def test_command_plays_from_a_pipe(run) -> None:  # type: ignore[no-untyped-def]
    ran = run("d4\npass\nquit\n", "--size", "9")
    assert ran.exit_code == 0, ran.output
    assert "White plays E5." in ran.output
    assert "\x1b" not in ran.output


def test_command_colour_handicap_and_komi(run) -> None:  # type: ignore[no-untyped-def]
    ran = run("quit", "--size", "9", "--colour", "white", "--handicap", "3")
    assert ran.exit_code == 0, ran.output
    # The network has Black, White is to move after the handicap stones: no move yet.
    assert "Black gocnn 0 captured, White you 0 captured, komi 0.5, move 1" in ran.output
    assert "White (you)> quit" in ran.output
    assert "komi 6.5" in run("quit", "--size", "9", "--komi", "6.5").output


def test_command_refuses_a_handicap_without_room(run) -> None:  # type: ignore[no-untyped-def]
    ran = run("", "--size", "5", "--handicap", "2")
    assert ran.exit_code == 2
    assert "--handicap: 5x5 is too small" in ran.output


def test_command_without_a_network_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(model: Path | None, profile: Profile) -> Policy:
        raise engine.policy.PolicyError("model.safetensors: no such file")

    monkeypatch.setattr(engine.policy, "load_network", missing)
    ran = CliRunner().invoke(play_command, ["--size", "9"], input="d4\n")
    assert ran.exit_code == 1
    assert "Error: model.safetensors: no such file" in ran.output
    assert "Traceback" not in ran.output
