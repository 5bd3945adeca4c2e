"""Between SGF files and a `Game`: for `loadsgf`, and to save what was played.

Records are read as `gocnn analyze` reads them (`sgf_data.mainline`), but every move must be legal.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sgfmill import sgf

from engine.game import Game
from engine.rules import STANDARD, Rules
from gocnn import __version__
from gocnn.go import BLACK, EMPTY, WHITE
from gocnn.go.coords import sgf_to_point
from gocnn.go.handicap import handicap_of
from sgf_data.mainline import MainLine, parse

#: A game record is some kilobytes; a larger file is something else.
MAX_BYTES = 10_000_000

_LETTERS = {BLACK: "b", WHITE: "w"}


def read_file(path: Path) -> bytes:
    """What is in a file that should be a game record. Raises OSError, and ValueError for one that can't be."""
    if not path.is_file():
        raise ValueError("not a file")
    if path.stat().st_size > MAX_BYTES:
        raise ValueError("too large for a game record")
    return path.read_bytes()


def read_record(data: bytes) -> MainLine:
    """The main line of the first game of an SGF file.

    Raises ValueError, with the reason, if it isn't SGF, or not a square board of 2 to 25.
    """
    tree, structure, _ = parse(data)
    return MainLine(tree, structure)


def replay(
    line: MainLine, *, komi: float, before_move: int | None = None, ko: str = "positional", suicide: bool = False
) -> Game:
    """The game at the end of the main line, or just before its move number `before_move`.

    `komi` holds where the file says nothing readable. Set-up is honoured at any node; the game's moves then start from
    the last one. Raises ValueError, with the reason, for set-up off the board, and for a move that simple ko and
    `suicide` (whether it is allowed) forbid: what was played has been played, whatever it repeated.
    """
    game = Game(line.size, komi if line.komi is None else line.komi, ko=ko)
    game.board.suicide = suicide
    handicap = line.handicap
    moves = 0
    for event in line.events():
        if event.points:
            game.setup(event.points, event.colours)
            handicap = handicap if not moves else 0
        game.board.to_move = event.to_move or game.board.to_move
        if not event.colour:
            continue
        moves += 1
        if before_move is not None and moves >= before_move:
            game.board.to_move = event.colour
            break
        try:
            game.board.play(event.colour, sgf_to_point(event.move, line.size), by_record=True)
        except ValueError as error:
            raise ValueError(f"move {moves} is illegal: {error}") from None
    game.handicap = handicap
    return game


def game_to_sgf(
    game: Game, *, rules: Rules = STANDARD, black: str = "", white: str = "", result: str = "", comment: str = ""
) -> bytes:
    """The game as an SGF file (FF[4], UTF-8): its starting position and its moves.

    RU has the nearest name of `rules`; `result` is as in RE, such as ``B+3.5`` or ``W+R``; what is empty is left out.
    """
    size = game.board.size
    record = sgf.Sgf_game(size=size)
    root = record.get_root()
    root.set("AP", ("gocnn", __version__))
    root.set("KM", game.komi)
    if game.handicap and (np.any(game.start != EMPTY) or game.handicap != handicap_of((), game.board.moves, size)):
        root.set("HA", game.handicap)  # stones that were played one after the other say so themselves
    named = rules.sgf_name_with(game.handicap)
    for prop, text in (("RU", named), ("PB", black), ("PW", white), ("RE", result), ("GC", comment)):
        if text:
            root.set(prop, text)

    if np.any(game.start != EMPTY):
        root.set_setup_stones(*(_sgfmill_points(game.start == colour) for colour in (BLACK, WHITE)))
    if not game.board.moves and (game.board.to_move == WHITE or np.any(game.start != EMPTY)):
        root.set("PL", _LETTERS[game.board.to_move])  # stones of Black alone would else be a handicap
    for colour, point in game.board.moves:
        row, col = divmod(point, size)
        move = None if point == game.board.pass_point else (size - 1 - row, col)
        record.extend_main_sequence().set_move(_LETTERS[colour], move)
    if game.board.moves and game.board.to_move == game.board.moves[-1][0]:  # whose turn it is was changed
        record.extend_main_sequence().set("PL", _LETTERS[game.board.to_move])
    return bytes(record.serialise())


def _sgfmill_points(mask: np.ndarray) -> set[tuple[int, int]]:
    """sgfmill counts rows from the bottom."""
    size = mask.shape[0]
    return {(size - 1 - int(row), int(col)) for row, col in np.argwhere(mask)}
