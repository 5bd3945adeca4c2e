"""A game in the terminal: you against the network.

The same words work at a prompt and from a pipe. From a pipe each word is echoed, so that the
output reads as the game would have looked.
"""

from __future__ import annotations

import contextlib
import re
import signal
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import TextIO

from rich.console import Console
from rich.table import Table

from engine.diagram import diagram
from engine.game import NAMES, Game, format_score, number_text
from engine.picture import picture
from engine.player import RESIGN, PolicyPlayer
from engine.rules import Needed
from engine.sgf import game_to_sgf
from gocnn.atomic import write_atomically
from gocnn.go import BLACK, WHITE
from gocnn.go.coords import gtp_to_point, point_to_gtp

HINTS = 5

HELP = """\
D4          play there (letters skip I, numbers count from the bottom)
pass        pass; the game ends when both pass
undo        take back your last move and the answer to it
hint        the five moves the network likes best for you
score       who is ahead, going by random playouts: rough until the borders are closed
save FILE   write the game to an SGF file
resign      give the game up
board       show the board again
help        this list
quit        leave
Ctrl-C      while the network thinks: play what it likes best so far; else keep the game in a file and leave
Ctrl-D      keep the game in a file and leave"""


class Terminal:
    """One game between a person and a player, driven by words."""

    def __init__(self, game: Game, player: PolicyPlayer, human: int, console: Console) -> None:
        """`human` is the person's colour. Stones are drawn in colour where the console has it."""
        self.game = game
        self.player = player
        self.human = human
        self.console = console
        self.colourful = console.color_system is not None and console.encoding.startswith("utf")
        self.result = ""  # as in SGF, once the game has ended
        self.leaving = False
        self._kept: list[tuple[int, int]] = []  # the moves of the game as it was last saved

    def run(self, words: Iterator[str]) -> None:
        """Play until the words end or one of them is `quit`.

        `words` holds one command an item, such as ``"D4"`` or ``"save game.sgf"``. Raises
        PolicyError if there is no network to play with.
        """
        self._show_board()
        self._reply()
        for word in words:
            self._obey(word)
            if self.leaving:
                return

    @property
    def prompt(self) -> str:
        """What stands before the next word."""
        return "game over> " if self.result else f"{NAMES[self.human]} (you)> "

    def _obey(self, line: str) -> None:
        """Do what one line says."""
        name, _, rest = line.strip().partition(" ")
        actions = {
            "undo": self._undo,
            "hint": self._hint,
            "score": self._score,
            "resign": self._resign,
            "board": self._show_board,
            "help": lambda: self._say(HELP),
            "quit": self._quit,
            "exit": self._quit,
        }
        if not name:
            return
        if name.lower() == "save":
            self._save(rest.strip())
        elif name.lower() in actions and not rest:
            actions[name.lower()]()
        else:
            self._play(line.strip())

    def _play(self, vertex: str) -> None:
        """Play a move of the person's, and let the player answer."""
        board = self.game.board
        try:
            point = gtp_to_point(vertex, board.size)
        except ValueError:
            self._say(f"{vertex!r} is neither a point nor a word I know; try help.")
            return
        if self.result:
            self._say("The game is over; undo takes the last moves back.")
            return
        reason = board.why_illegal(self.human, point)
        if reason:
            self._say(f"You can't play {vertex.upper()}: {reason}.")
            return
        board.play(self.human, point)
        self._after_move()
        self._reply()

    def _reply(self) -> None:
        """Let the player move if it is its turn."""
        board = self.game.board
        if self.result or board.to_move == self.human:
            return
        with self.console.status("thinking"), _hurried_by_ctrl_c() as hurried:
            move = self.player.choose(board, -self.human, Needed(self.game.komi), stop=hurried)
        name = NAMES[-self.human]
        if move == RESIGN:
            self._say(f"{name} resigns.")
            self._end(f"{NAMES[self.human][0]}+R")
            return
        board.play(-self.human, move)
        if move == board.pass_point:
            self._say(f"{name} passes.")
        else:
            self._say(f"{name} plays {point_to_gtp(move, board.size)}.")
        self._after_move()
        if not self.result:
            self._show_board()

    def _after_move(self) -> None:
        if self.game.is_over:
            self._show_board()
            self._say("Both passed.")
            self._end(format_score(self.game.score()))

    def _end(self, result: str) -> None:
        """Keep and announce the result."""
        self.result = result
        self._say(f"{_in_words(result)} ({result}, komi {number_text(self.game.komi)}).")

    def _undo(self) -> None:
        """Take moves back until it is the person's turn again."""
        board = self.game.board
        moves = board.moves
        count = 2 if moves and moves[-1][0] != self.human else 1
        if self.result.endswith("+R") and board.to_move == self.human:
            count = 0  # only that the game was given up
        elif len(moves) < count:
            self._say("There is nothing to take back.")
            return
        for _ in range(count):
            board.undo()
        self.result = ""
        self._show_board()

    def _hint(self) -> None:
        board = self.game.board
        table = Table(box=None, show_header=False)
        for point, share in self.player.ranked(board, self.human, HINTS):
            bar = ("█" if self.colourful else "#") * round(30 * share)
            table.add_row(point_to_gtp(point, board.size), f"{100 * share:5.1f} %", bar)
        self.console.print(table)

    def _score(self) -> None:
        score = self.game.score()
        if score == 0:
            self._say("The score is even.")
        else:
            leader = NAMES[BLACK if score > 0 else WHITE]
            self._say(f"{leader} is ahead by {number_text(abs(score))} points, komi {number_text(self.game.komi)}.")

    def _save(self, name: str) -> None:
        if not name:
            self._say("Save to which file? For example: save game.sgf")
            return
        players = {self.human: "you", -self.human: "gocnn"}
        record = game_to_sgf(self.game, black=players[BLACK], white=players[WHITE], result=self.result)
        path = Path(name)
        try:
            path = path.expanduser()
            write_atomically(path, record)
        except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: nobody has that home
            self._say(f"Could not save {path}: {getattr(error, 'strerror', error)}.")
        else:
            self._kept = self.game.board.moves
            self._say(f"Saved {path}.")

    def keep(self) -> None:
        """Save a game that has moves which are in no file yet, under a name of its own."""
        if self.game.board.moves not in ([], self._kept):
            self._save(f"gocnn-{datetime.now():%Y%m%d-%H%M%S}.sgf")

    def _resign(self) -> None:
        if self.result:
            self._say("The game is over.")
        else:
            self._end(f"{NAMES[-self.human][0]}+R")

    def _quit(self) -> None:
        self.leaving = True

    def _show_board(self) -> None:
        board = self.game.board
        taken = board.prisoners
        lines = [
            f"{NAMES[colour]:5s} {'you' if colour == self.human else 'gocnn':5s}  {taken[colour]} captured"
            for colour in (BLACK, WHITE)
        ]
        lines += [f"komi  {number_text(self.game.komi)}", f"move  {len(board.moves) + 1}"]
        if self.colourful:
            grid = Table.grid(padding=(0, 3))
            grid.add_column(no_wrap=True)  # in a narrow terminal the text beside the board gives way
            grid.add_column()
            grid.add_row(picture(board), "\n" + "\n".join(lines))
            self.console.print()
            self.console.print(grid)
        else:
            self._say(f"\n{diagram(board)}\n{', '.join(' '.join(line.split()) for line in lines)}")

    def _say(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)


def _in_words(result: str) -> str:
    """A result such as ``B+3.5`` as a sentence without its full stop."""
    if result == "0":
        return "A draw"
    winner, how = NAMES[BLACK if result[0] == "B" else WHITE], result[2:]
    return f"{winner} wins by {'resignation' if how == 'R' else f'{how} points'}"


def typed_words(terminal: Terminal) -> Iterator[str]:
    """Commands typed at the prompt, until end of input, when the game is kept. Ctrl-C raises KeyboardInterrupt."""
    while True:
        try:
            yield input(terminal.prompt)
        except EOFError:
            terminal.console.print()
            terminal.keep()
            return


@contextlib.contextmanager
def _hurried_by_ctrl_c() -> Iterator[Callable[[], bool]]:
    """Says whether Ctrl-C was pressed since; pressed again, it raises KeyboardInterrupt as ever."""
    pressed: list[int] = []

    def press(number: int, frame: FrameType | None) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(number)

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)


def piped_words(terminal: Terminal, stream: TextIO) -> Iterator[str]:
    """Commands from the lines of a stream, each echoed behind the prompt; # begins a comment.

    A line may hold several, as in ``D4 Q16 pass``; `save` takes the rest of its line as it is, # and all.
    """
    for line in map(str.strip, stream):
        found = re.search(r"(?<!\S)save(?!\S).*", line, re.IGNORECASE)
        if found and "#" not in line[: found.start()]:
            words = [*line[: found.start()].split(), found[0]]
        else:
            words = line.split("#", 1)[0].split()
        for word in words:
            terminal.console.print(f"{terminal.prompt}{word}", highlight=False, markup=False, soft_wrap=True)
            yield word
