"""Between SGF files and a `Game`, through sgfmill: for `loadsgf`, and to save what was played.

Reading collections for training is the business of the `sgf_data` package; this module reads one
game's main line and wants every move of it to be legal.
"""

from __future__ import annotations

import numpy as np
from sgfmill import sgf

from engine.game import Game
from engine.rules import STANDARD
from gocnn import __version__
from gocnn.go import BLACK, EMPTY, WHITE
from gocnn.go.coords import sgf_to_point

#: A game record is some kilobytes; a larger file is something else.
MAX_BYTES = 10_000_000

_COLOURS = {"b": BLACK, "w": WHITE}
_LETTERS = {BLACK: "b", WHITE: "w"}


def load_game(data: bytes, *, komi: float, before_move: int | None = None, ko: str = "positional") -> Game:
    """The game at the end of the main line, or just before its move number `before_move`.

    `komi` holds where the file says nothing readable. Set-up is honoured at any node; the game's
    moves then start from the last one. Raises ValueError if it isn't SGF, or not a square board of
    2 to 25, or holds an illegal move on the way.
    """
    # Only points are read, never text, so one encoding that takes every byte will do.
    record = sgf.Sgf_game.from_bytes(data, override_encoding="latin-1")
    game = Game(record.get_size(), _komi(record, komi), ko=ko)
    game.handicap = _handicap(record)
    moves = 0
    for node in record.get_main_sequence():
        _apply_setup(game, node)
        letter, raw = node.get_raw_move()
        if letter is None:
            continue
        moves += 1
        if before_move is not None and moves >= before_move:
            game.board.to_move = _COLOURS[letter]
            break
        game.board.play(_COLOURS[letter], sgf_to_point(raw, game.board.size))
    return game


def _komi(record: sgf.Sgf_game, default: float) -> float:
    root = record.get_root()
    try:
        return float(root.get("KM")) if root.has_property("KM") else default
    except ValueError:
        return default


def _handicap(record: sgf.Sgf_game) -> int:
    try:
        return record.get_handicap() or 0
    except ValueError:
        return 0


def _apply_setup(game: Game, node: sgf.Tree_node) -> None:
    """Place a node's AB, AW and AE, and heed its PL. Raises ValueError for points off the board."""
    if not (node.has_setup_stones() or node.has_property("PL")):
        return
    size = game.board.size
    black, white, empty = node.get_setup_stones()
    points: list[int] = []
    colours: list[int] = []
    for colour, place in ((BLACK, black), (WHITE, white), (EMPTY, empty)):
        for row_from_bottom, col in sorted(place):
            points.append((size - 1 - row_from_bottom) * size + col)
            colours.append(colour)
    if node.has_property("PL"):
        game.board.to_move = _COLOURS[node.get("PL")]
    elif black and not white and not game.board.moves:
        game.board.to_move = WHITE  # handicap stones
    game.setup(points, colours)


def game_to_sgf(
    game: Game, *, rules: str = STANDARD.sgf_name, black: str = "", white: str = "", result: str = "", comment: str = ""
) -> bytes:
    """The game as an SGF file (FF[4], UTF-8): its starting position and its moves.

    `rules` is as in RU, and `result` is as in RE, such as ``B+3.5`` or ``W+R``; what is empty is left out.
    """
    size = game.board.size
    record = sgf.Sgf_game(size=size)
    root = record.get_root()
    root.set("AP", ("gocnn", __version__))
    root.set("KM", game.komi)
    root.set("RU", rules)
    if game.handicap:
        root.set("HA", game.handicap)
    for prop, text in (("PB", black), ("PW", white), ("RE", result), ("GC", comment)):
        if text:
            root.set(prop, text)

    if np.any(game.start != EMPTY):
        root.set_setup_stones(*(_sgfmill_points(game.start == colour) for colour in (BLACK, WHITE)))
    if not game.board.moves and game.board.to_move == WHITE:
        root.set("PL", "w")
    for colour, point in game.board.moves:
        row, col = divmod(point, size)
        move = None if point == game.board.pass_point else (size - 1 - row, col)
        record.extend_main_sequence().set_move(_LETTERS[colour], move)
    return bytes(record.serialise())


def _sgfmill_points(mask: np.ndarray) -> set[tuple[int, int]]:
    """sgfmill counts rows from the bottom."""
    size = mask.shape[0]
    return {(size - 1 - int(row), int(col)) for row, col in np.argwhere(mask)}
