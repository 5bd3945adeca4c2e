"""Every kind of record that real collections have come up with, one small file each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sgfmill import sgf, sgf_moves

from sgf_data.reader import read_games
from sgf_data.record import GameRecord, Reason, RecordError

ZOO = Path(__file__).parents[1] / "data" / "zoo"

# The four moves of the files about encodings: pd dp pp dd.
FOUR = {"moves": "B72 W288 B300 W60"}

KEPT: dict[str, list[dict[str, Any]]] = {
    "utf8.sgf": [FOUR | {"black": "小林光一", "white": "조훈현", "event": "应氏杯"}],
    "utf8-no-ca.sgf": [FOUR | {"black": "小林光一", "white": "조훈현", "event": "应氏杯"}],
    "utf8-bom.sgf": [FOUR | {"black": "小林光一", "white": "Jörg"}],
    "utf8-called-gb.sgf": [FOUR | {"black": "马晓春", "white": "聂卫平", "event": "名人战"}],
    "utf8-called-latin1.sgf": [FOUR | {"black": "马晓春", "white": "聂卫平", "event": "名人战"}],
    "utf16-le.sgf": [FOUR | {"black": "小林光一", "white": "조훈현", "event": "应氏杯"}],
    "utf16-be.sgf": [FOUR | {"black": "小林光一", "white": "조훈현", "event": "应氏杯"}],
    "shift-jis.sgf": [FOUR | {"black": "表野能子", "white": "坂田栄男", "event": "第五期十段戦"}],
    "shift-jis-no-ca.sgf": [FOUR | {"black": "表野能子", "white": "坂田栄男", "event": "第五期十段戦"}],
    # The second bytes of these characters are "\" (so that "]" would be escaped) and "]" or "[".
    "shift-jis-backslash.sgf": [FOUR | {"black": "山表", "white": "能", "event": "ソ"}],
    "shift-jis-bracket.sgf": [FOUR | {"black": "充", "white": "ゾ楾", "event": "本因坊戦"}],
    "gbk-backslash.sgf": [FOUR | {"black": "馶", "white": "誠", "event": "鎈"}],
    "big5.sgf": [FOUR | {"black": "許功蓋", "white": "林海峰", "event": "應昌期杯世界職業圍棋錦標賽"}],
    "iso-2022-jp.sgf": [FOUR | {"black": "坂田栄男", "white": "藤沢秀行", "event": "名人戦"}],
    "euc-jp.sgf": [FOUR | {"black": "坂田栄男", "white": "藤沢秀行", "event": "第二期名人戦リーグ"}],
    "gb18030.sgf": [FOUR | {"black": "马晓春", "white": "聂卫平", "event": "第一届中国围棋棋圣战"}],
    "euc-kr.sgf": [FOUR | {"black": "이창호", "white": "조훈현", "event": "국수전"}],
    "unknown-charset.sgf": [FOUR | {"black": "이창호", "white": "조훈현", "event": "국수전"}],
    "latin1.sgf": [FOUR | {"black": "Müller", "white": "Lefèvre", "event": "Open de Besançon"}],
    "broken-text.sgf": [FOUR | {"black": "Sak\ufffd\ufffdata", "white": "\ufffd"}],
    "size-missing.sgf": [FOUR | {"size": 19, "black": "a", "white": "b"}],
    "size-9.sgf": [{"size": 9, "moves": "B40 W20 B81 W81"}],
    "size-19-19.sgf": [FOUR | {"size": 19}],
    "size-21.sgf": [{"size": 21, "moves": "B418 W440 B441"}],  # tt is a point there
    "passes.sgf": [{"moves": "B72 W361 B60 W361 B361 W361"}],
    "handicap.sgf": [
        {
            "moves": "W300 B317 B262 W97",  # black plays twice running
            "setup": "0:B288 0:B72 0:B60",
            "handicap": 3,
            "komi": 0.5,
        }
    ],
    "handicap-no-ha.sgf": [{"moves": "W300 B317", "setup": "0:B288 0:B72", "handicap": 2}],
    "setup-mid-game.sgf": [{"moves": "W60 B20 W40", "setup": "0:B20 1:W40 1:W49 1:.20 2:.40 3:B0", "handicap": 0}],
    "setup-rectangle.sgf": [
        {
            "moves": "B48",
            "setup": "0:B0 0:B1 0:B2 0:B9 0:B10 0:B11 0:B40 0:W60 0:W61 0:W62 0:W69 0:W70 0:W71",
        }
    ],
    "setup-empty-value.sgf": [{"moves": "B48", "setup": ""}],
    "player-to-move.sgf": [{"moves": "W24 B56", "first_player": -1}],
    "variations.sgf": [{"moves": "B40 W20 B60 W24"}],
    "comment-with-game.sgf": [{"moves": "B40 W20"}],
    "escapes.sgf": [{"black": "a]b\\", "white": "twolines", "event": "x:y"}],
    "crlf.sgf": [{"moves": "B40 W20", "black": "Black"}],
    "old-long-names.sgf": [{"moves": "W40 B42", "setup": "0:B20 0:B60", "black": "Ann", "white": "Bob", "komi": 5.5}],
    "two-moves-in-a-node.sgf": [{"moves": "B40 W20 B60"}],
    "names-with-digits.sgf": [{"moves": "B72 W60 B288", "komi": 7.5}],
    "leading-junk.sgf": [{"moves": "B40 W20"}],
    "spaces-in-points.sgf": [{"moves": "B40 W20 B81"}],
    "komi-650.sgf": [{"komi": 6.5}],
    "komi-325.sgf": [{"komi": 6.5}],  # in stones, of which a point is half
    "komi-375.sgf": [{"komi": 7.5}],
    "komi-comma.sgf": [{"komi": 6.5}],
}

# reason, byte in the file, number of the move
REJECTED: dict[str, tuple[Reason, int, int | None]] = {
    "size-not-square.sgf": (Reason.WRONG_SIZE, 0, None),
    "size-37.sgf": (Reason.WRONG_SIZE, 0, None),
    "size-1.sgf": (Reason.WRONG_SIZE, 0, None),
    "size-text.sgf": (Reason.WRONG_SIZE, 0, None),
    "setup-off-board.sgf": (Reason.BAD_SETUP, 13, None),
    "truncated.sgf": (Reason.TRUNCATED, 27, None),
    "truncated-between-nodes.sgf": (Reason.TRUNCATED, 19, None),
    "truncated-variation.sgf": (Reason.TRUNCATED, 30, None),
    "unbalanced-early-end.sgf": (Reason.NOT_SGF, 14, None),
    "unescaped-bracket.sgf": (Reason.NOT_SGF, 28, None),
    "move-without-value.sgf": (Reason.NOT_SGF, 0, None),
    "illegal-off-board.sgf": (Reason.ILLEGAL, 15, 2),
    "ko.sgf": (Reason.ILLEGAL, 57, 9),
    "suicide.sgf": (Reason.ILLEGAL, 27, 4),
    "on-a-stone.sgf": (Reason.OCCUPIED, 27, 4),
    "on-a-handicap-stone.sgf": (Reason.OCCUPIED, 19, 1),
    "no-moves.sgf": (Reason.NO_MOVES, 0, None),
    "othello.sgf": (Reason.NOT_GO, 0, None),
    "empty.sgf": (Reason.NOT_SGF, 0, None),
    "junk.sgf": (Reason.NOT_SGF, 0, None),
    "text.sgf": (Reason.NOT_SGF, 0, None),
}

# What becomes of each game: its moves, or a reason.
MANY: dict[str, list[str | Reason]] = {
    "many.sgf": ["B40 W20", "B60 W20", "B42 W20"],
    "many-broken-middle.sgf": ["B40 W20", Reason.TRUNCATED, "B60 W20", Reason.OCCUPIED, "B42 W20"],
    "many-missing-end.sgf": ["B40 W20", Reason.TRUNCATED, "B60 W20", "B42 W20"],
    # The comment ends where the next bracket closes, and nothing shows that it was not meant to.
    "many-open-comment.sgf": ["B40 W20", "B30", "B60 W20", "B42 W20"],
    "many-info-first.sgf": ["B80 W40", Reason.TRUNCATED, "B82 W40"],
    "many-encodings.sgf": ["B72 W288 B300 W60"] * 4,
    "many-in-parentheses.sgf": ["B40 W20", "B60 W20"],
}


def read(name: str) -> list[GameRecord | RecordError]:
    return read_games((ZOO / name).read_bytes(), name)


def moves_of(record: GameRecord) -> str:
    return " ".join(f"{'.BW'[c]}{p}" for p, c in zip(record.points, record.colours))


def setup_of(record: GameRecord) -> str:
    stones = zip(record.setup_at, record.setup_points, record.setup_colours)
    return " ".join(f"{at}:{'.BW'[c]}{p}" for at, p, c in stones)


def test_every_animal_has_an_entry() -> None:
    assert {path.name for path in ZOO.iterdir()} == {*KEPT, *REJECTED, *MANY}


@pytest.mark.parametrize("name", KEPT)
def test_kept(name: str) -> None:
    games = read(name)
    assert len(games) == len(KEPT[name])
    for number, (game, expected) in enumerate(zip(games, KEPT[name]), 1):
        assert isinstance(game, GameRecord), game
        assert game.source == f"{name}#{number}"
        seen = vars(game) | {"moves": moves_of(game), "setup": setup_of(game)}
        assert {key: seen[key] for key in expected} == expected
        assert game.points.dtype == game.setup_at.dtype == game.setup_points.dtype == np.int16
        assert game.colours.dtype == game.setup_colours.dtype == np.int8


@pytest.mark.parametrize("name", REJECTED)
def test_rejected(name: str) -> None:
    games = read(name)
    assert len(games) == 1
    error = games[0]
    assert isinstance(error, RecordError)
    assert (error.reason, error.position, error.move) == REJECTED[name]
    assert (error.source, error.game) == (name, 1)


@pytest.mark.parametrize("name", MANY)
def test_many_games_in_a_file(name: str) -> None:
    games = read(name)
    seen = [moves_of(game) if isinstance(game, GameRecord) else game.reason for game in games]
    assert seen == MANY[name]
    numbers = [int(g.source.split("#")[1]) if isinstance(g, GameRecord) else g.game for g in games]
    assert numbers == list(range(1, len(games) + 1))


def test_every_game_of_a_file_has_its_own_encoding() -> None:
    names = [game.black for game in read("many-encodings.sgf") if isinstance(game, GameRecord)]
    assert names == ["馬曉春", "山表", "조훈현", "Müller"]


def test_positions_are_bytes_of_the_file_in_any_encoding() -> None:
    text = "(;GM[1]SZ[9]PB[表野 能子]\n;B[ee];W[ee])"
    for encoding in ("utf-8", "cp932", "utf-16"):
        data = text.encode(encoding)
        error = read_games(data)[0]
        assert isinstance(error, RecordError)
        assert error.position == len(text[: text.rindex("[ee")].encode(encoding))


# sgfmill reads these byte by byte, or takes no such size, point, name of a property or second move in a node.
SGFMILL_CANNOT = {
    "shift-jis-backslash.sgf",
    "shift-jis-bracket.sgf",
    "gbk-backslash.sgf",
    "iso-2022-jp.sgf",
    "utf16-le.sgf",
    "utf16-be.sgf",
    "size-19-19.sgf",
    "spaces-in-points.sgf",
    "two-moves-in-a-node.sgf",
    "setup-mid-game.sgf",
    "setup-empty-value.sgf",
    "setup-rectangle.sgf",
    "names-with-digits.sgf",
}


@pytest.mark.parametrize("name", sorted(KEPT.keys() - SGFMILL_CANNOT))
def test_moves_as_sgfmill_reads_them(name: str) -> None:
    game = read(name)[0]
    assert isinstance(game, GameRecord)
    theirs = sgf.Sgf_game.from_bytes((ZOO / name).read_bytes(), override_encoding="latin-1")
    _, plays = sgf_moves.get_setup_and_moves(theirs)
    size = theirs.get_size()
    expected = []
    for colour, move in plays:
        point = size * size if move is None else (size - 1 - move[0]) * size + move[1]
        expected.append(f"{colour.upper()}{point}")
    assert moves_of(game) == " ".join(expected)
