"""From the bytes of an SGF file to game records.

sgfmill's tokeniser cuts the bytes into SGF's tokens; this module reads games off the tokens. It
keeps to the main line of each game, which in SGF is everything up to the first closing parenthesis:
variations are never descended into, so that no nesting is too deep. A broken game does not cost the
others in its file: reading goes on at the next place that looks like the start of a game.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import numpy as np
from sgfmill import sgf_grammar

from gocnn.go import replay
from gocnn.go.coords import point_to_sgf
from sgf_data import encoding, values
from sgf_data.names import spelled
from sgf_data.record import GameRecord, Reason, RecordError

MAX_MOVES = 32_000  # setup_at is int16; the longest games have some 400 moves

_MOVES = {b"B": 1, b"W": -1}
_SETUP = {b"AB": 1, b"AW": -1, b"AE": 0}
_INFO = frozenset(b"AP CA DT EV GM HA KM PB PL PW BR WR RE RU SZ".split())
_OPEN, _CLOSE = ("D", b"("), ("D", b")")

_NODE_START = re.compile(rb"\(\s*;")
# A game for certain: these properties stand in no other node than the first, and with its closing
# bracket the value cannot be part of a comment, where the bracket would have to be escaped.
_ROOT_START = re.compile(rb"\(\s*;\s*(?:GM|FF|SZ|CA|AP|ST|GaMe|SiZe)\s*\[[^\\\]]{0,200}\]")
# A game in all likelihood, but a variation may begin so too.
_INFO_START = re.compile(rb"\(\s*;\s*(?:PB|PW|BR|WR|EV|RO|GN|DT|PC|KM|RE|HA|RU|TM|SO|US|GC|ID)\s*\[[^\\\]]{0,200}\]")

_MOVE_NODE = re.compile(rb";\s*[BW]\s*\[")
_SPACE = b" \t\n\r\f\v"
_TOKEN_START = re.compile(rb"\s*[A-Za-z0-9_]*")
_NO_LETTERS = frozenset(b"0123456789_")  # in names of properties


@dataclass(frozen=True)
class ReadOptions:
    """What to accept."""

    sizes: frozenset[int] = frozenset(range(2, 26))  # board sizes to keep
    keep_legal_part: bool = False  # keep the moves before an illegal one or before a missing end
    allow_suicide: bool = False


@dataclass
class _Game:
    """The main line of one game as it stands in the file."""

    start: int  # offset of its "("
    part: memoryview  # the data from there on, up to where another game begins at the latest
    tokens: list[tuple[str, bytes]]
    end: int  # offset after its ")"
    moves: list[bytes] = field(default_factory=list)
    colours: list[int] = field(default_factory=list)
    setup: list[tuple[int, int, bytes]] = field(default_factory=list)  # before move, colour, value
    info: dict[bytes, bytes] = field(default_factory=dict)
    problem: _Refused | None = None


@dataclass
class _Reading:
    """The games of a part of a file, as one way to cut it into properties gives them."""

    games: list[GameRecord | RecordError]
    tokens: int  # fewer where a value runs on into the next property and swallows it

    def much(self) -> tuple[int, int]:
        """How much was read: moves, and where these are as many, tokens."""
        return sum(len(game.points) for game in self.games if isinstance(game, GameRecord)), self.tokens


class _Refused(Exception):
    """A game is left out."""

    def __init__(self, reason: Reason, offset: int, detail: str = "", move: int | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.offset = offset
        self.detail = detail
        self.move = move  # from 1


def read_games(data: bytes, source: str = "", options: ReadOptions | None = None) -> list[GameRecord | RecordError]:
    """Read every game of an SGF file.

    Returns one entry a game, in the order of the file: its record, or why there is none. A file in
    which no game can be found gives one RecordError. Moves are checked by the rules of Go with
    simple ko; a suicide is illegal unless the options allow it. Never raises on account of what is
    in `data`.
    """
    options = options or ReadOptions()
    file = encoding.eight_bit(data)
    games: list[GameRecord | RecordError] = []
    for first, last in _parts(file.data):
        readings = [
            _read(structure, source, len(games) + 1, options) for structure in encoding.structures(file, first, last)
        ]
        games += max(readings, key=_Reading.much).games
    if not games:
        detail = "no '(;' to start a game with" if data.strip() else "the file is empty"
        return [RecordError(Reason.NOT_SGF, source, game=1, position=0, detail=detail)]
    return games


def _read(
    structure: encoding.Structure,
    source: str,
    first_number: int,
    options: ReadOptions,
) -> _Reading:
    """The games in a part of a file, numbered from `first_number`."""
    games: list[GameRecord | RecordError] = []
    tokens = 0
    for number, game in enumerate(_games(structure.data), first_number):
        tokens += len(game.tokens)
        try:
            record = _record(game, structure.is_utf8, options)
            record.source = f"{source}#{number}"
            games.append(record)
        except _Refused as no:
            where = structure.position(no.offset)
            games.append(RecordError(no.reason, source, number, where, no.move, no.detail))
    return _Reading(games, tokens)


# From bytes to the main line of each game


def _parts(data: bytes) -> Iterator[tuple[int, int]]:
    """Cut a file at everything that only starts games."""
    starts = [match.start() for match in _ROOT_START.finditer(data)]
    return pairwise([0, *starts, len(data)])


def _games(data: bytes) -> Iterator[_Game]:
    """The games in the data; the last may be broken.

    A game without its end may have swallowed others, which begin with the players' names or the
    like. From such a game on the data is cut at all of these, once, and each piece may end broken.
    """
    text = data
    pieces = deque([(0, len(data))])
    is_cut = False
    while pieces:
        position, end = pieces.popleft()
        while (found := _NODE_START.search(data, position, end)) is not None:
            game = _main_line(data, text, found.start(), end)
            if text is data and game.end < end and data[game.end] in _NO_LETTERS:
                # Once for all the games to come: for each anew, it would take the square of their number.
                text = data[: game.start] + spelled(data[game.start :])[0]
                game = _main_line(data, text, game.start, end)
            if game.problem and not is_cut:
                starts = [match.start() for match in _INFO_START.finditer(data, game.start + 1)]
                pieces.extend(pairwise([game.start, *starts, end]))
                is_cut = True
                break
            yield game
            if game.problem:
                break  # what follows are variations of this game
            position = game.end


def _main_line(data: bytes, text: bytes, start: int, last: int) -> _Game:
    """The game at `start` of the data, which `text` has with the names of all properties in letters alone."""
    tokens, length = sgf_grammar.tokenise(memoryview(text)[start:last])
    part = memoryview(data)[start:last]
    game = _Game(start, part, tokens, start + length)
    moves, colours, setup, info = game.moves, game.colours, game.setup, game.info
    ident, colour, announced = b"", 0, 0
    for kind, token in tokens:
        if kind == "I":
            ident, colour = token, _MOVES.get(token, 0)
            announced += colour != 0
        elif kind == "V":
            if colour:
                moves.append(token)
                colours.append(colour)
            elif ident in _SETUP:
                setup.append((len(moves), _SETUP[ident], token))
            elif ident in _INFO and (ident != b"PL" or not moves):  # later, it says who goes on
                info.setdefault(ident, token)
        elif token == b")":
            break
        else:
            ident, colour = b"", 0
    rest = data[game.end : min(game.end + 80, last)].lstrip()
    if tokens.count(_OPEN) == tokens.count(_CLOSE):
        if _MOVE_NODE.match(rest):
            game.problem = _Refused(Reason.NOT_SGF, game.end, "moves after the end of the game")
        elif announced > len(moves):
            game.problem = _Refused(Reason.NOT_SGF, start, "a move without a value")
    elif not rest:
        game.problem = _Refused(Reason.TRUNCATED, game.end, "ends inside the game")
    elif rest.startswith(b"["):
        game.problem = _Refused(Reason.TRUNCATED, game.end, "ends inside a property value")
    else:
        detail = f"cannot be read from here on: {_excerpt(rest)}"
        game.problem = _Refused(Reason.NOT_SGF, game.end, detail)
    return game


# From the main line to a record


def _record(game: _Game, encoded: bool, options: ReadOptions) -> GameRecord:
    """Raises _Refused. The source is left for the caller to fill in."""
    if game.problem:
        forgiven = options.keep_legal_part and game.problem.reason is Reason.TRUNCATED
        if not forgiven:
            raise game.problem
    text = _texts(game, encoded)
    if text("GM").strip().lower() not in ("", "1", "go"):
        raise _Refused(Reason.NOT_GO, game.start, detail=f"GM[{text('GM')}]")
    size = values.board_size(text("SZ"))
    if size is None or size not in options.sizes:
        raise _Refused(Reason.WRONG_SIZE, game.start, detail=f"SZ[{text('SZ')}]")
    if not game.moves:
        raise _Refused(Reason.NO_MOVES, game.start)
    if len(game.moves) > MAX_MOVES:
        raise _Refused(Reason.ILLEGAL, game.start, f"more than {MAX_MOVES} moves", MAX_MOVES + 1)
    setup = _setup(game, size)
    points, colours = _legal_moves(game, size, setup, options)
    setup_at, setup_points, setup_colours = (array[setup[0] <= len(points)] for array in setup)
    return GameRecord(
        size=size,
        points=points,
        colours=colours,
        setup_at=setup_at,
        setup_points=setup_points,
        setup_colours=setup_colours,
        first_player={"b": 1, "w": -1}.get(text("PL").strip().lower()[:1], 0),
        komi=values.komi(text("KM"), text("AP")),
        handicap=values.count(text("HA")) or _placed_handicap(setup_at, setup_colours),
        result=values.result(text("RE"), text("AP")),
        black=text("PB").strip(),
        white=text("PW").strip(),
        black_rank=values.rank(text("BR")),
        white_rank=values.rank(text("WR")),
        date=text("DT").strip(),
        year=values.year(text("DT")),
        event=text("EV").strip(),
        rules=text("RU").strip(),
    )


def _texts(game: _Game, encoded: bool) -> Callable[[str], str]:
    """A function from a property's name to its text, "" for a property that is not there."""
    charset = "utf-8"
    if not encoded and not all(value.isascii() for value in game.info.values()):
        evidence = [token for kind, token in game.tokens if kind == "V"]
        charset = encoding.text_encoding(game.info.values(), evidence, game.info.get(b"CA"))

    def text(name: str) -> str:
        value = game.info.get(name.encode(), b"")
        if b"\\" in value or b"\n" in value or b"\r" in value or b"\t" in value:
            value = sgf_grammar.simpletext_value(value)
        return value.decode(charset, "replace")

    return text


def _setup(game: _Game, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The set-up as arrays (before move, point, colour); rectangles (``aa:cc``) are filled in."""
    table = _point_table(size)
    at, points, colours = [], [], []
    for number, (move, colour, value) in enumerate(game.setup):
        if not value.strip(_SPACE):
            continue  # "AE[]" and the like are written, and mean nothing
        corners = [table.get(corner.strip(_SPACE), size * size) for corner in value.split(b":")]
        if len(corners) > 2 or max(corners) == size * size:
            detail = f"not a point of a {size}x{size} board: {_excerpt(value)}"
            raise _Refused(Reason.BAD_SETUP, _offset_of(game, _SETUP, number), detail)
        (top, left), (bottom, right) = divmod(corners[0], size), divmod(corners[-1], size)
        for row in range(min(top, bottom), max(top, bottom) + 1):
            for col in range(min(left, right), max(left, right) + 1):
                at.append(move)
                points.append(row * size + col)
                colours.append(colour)
    return np.array(at, np.int16), np.array(points, np.int16), np.array(colours, np.int8)


def _legal_moves(
    game: _Game, size: int, setup: tuple[np.ndarray, np.ndarray, np.ndarray], options: ReadOptions
) -> tuple[np.ndarray, np.ndarray]:
    """The points and colours of the moves, up to an illegal one by option. Raises _Refused."""
    table = _point_table(size)
    numbers = [table.get(value) for value in game.moves]
    if None in numbers:
        numbers = [table.get(value.strip(_SPACE)) for value in game.moves]
    on_board = numbers.index(None) if None in numbers else len(numbers)
    points = np.array(numbers[:on_board], np.int16)
    colours = np.array(game.colours[:on_board], np.int8)
    legal, why = replay.check(size, replay.Moves(points, colours, *setup), suicide=options.allow_suicide)
    if legal == len(numbers):
        return points, colours
    if not options.keep_legal_part or legal == 0:
        value = game.moves[legal]
        if why is None:
            detail = f"not a point of a {size}x{size} board: {_excerpt(value)}"
        else:
            detail = f"{why} at {_excerpt(value)}"
        reason = Reason.OCCUPIED if why == "occupied" else Reason.ILLEGAL
        raise _Refused(reason, _offset_of(game, _MOVES, legal), detail, legal + 1)
    return points[:legal].copy(), colours[:legal].copy()


def _placed_handicap(setup_at: np.ndarray, setup_colours: np.ndarray) -> int:
    """The handicap of a record without HA: the black stones set up, if they look like one."""
    at_start = setup_colours[setup_at == 0]
    return len(at_start) if 2 <= len(at_start) <= 9 and (at_start == 1).all() else 0


@cache
def _point_table(size: int) -> dict[bytes, int]:
    names = {point_to_sgf(point, size).encode(): point for point in range(size * size + 1)}
    if size <= 19:
        names[b"tt"] = size * size
    return names


# Where in the file


def _offset_of(game: _Game, names: Container[bytes], number: int) -> int:
    """Where value `number` (from 0) of the properties `names` stands: tokens are measured again."""
    offset, counts, seen = 0, False, -1
    for kind, token in game.tokens:
        if kind != "V":
            counts = token in names
        elif counts:
            seen += 1
        if seen == number:
            break
        # Blanks may stand before any token, and a name may have had lower-case letters.
        skipped = _TOKEN_START.match(game.part, offset)
        assert skipped
        offset = skipped.end()
        if kind != "I":
            offset += len(token) + (2 if kind == "V" else 0)
    return game.start + offset


def _excerpt(value: bytes) -> str:
    return repr(value[:20].decode("latin-1")) + ("..." if len(value) > 20 else "")
