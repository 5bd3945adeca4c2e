"""The reader: whole records there and back, and what no input may do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sgfmill import sgf

from gocnn.go import Board
from sgf_data import names, reader
from sgf_data.mainline import MainLine, parse
from sgf_data.reader import ReadOptions, read_games
from sgf_data.record import GameRecord, Reason, RecordError

ZOO = Path(__file__).parents[1] / "data" / "zoo"

# sgfmill writes colons and brackets escaped and blanks as blanks; all text survives but control
# characters and line ends.
texts = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=12)


@st.composite
def records(draw: st.DrawFn) -> GameRecord:
    """A legal game: random moves and passes, colours that need not alternate, set-up anywhere."""
    size = draw(st.sampled_from([2, 5, 9, 13, 19, 21, 25]))
    board = Board(size, ko="simple")
    points, colours, setup = [], [], []
    for number in range(draw(st.integers(1, 25))):
        if draw(st.integers(0, 9)) == 0:
            stones = draw(st.dictionaries(st.integers(0, size * size - 1), st.sampled_from([1, -1, 0]), max_size=4))
            setup += [(number, point, colour) for point, colour in sorted(stones.items())]
            board.setup(list(stones), list(stones.values()))
        colour = draw(st.sampled_from([1, -1]))
        point = draw(st.integers(0, size * size))
        if not board.is_legal(colour, point):
            point = board.pass_point
        board.play(colour, point)
        points.append(point)
        colours.append(colour)
    at, where, what = zip(*setup) if setup else ((), (), ())
    return GameRecord(
        size=size,
        points=np.array(points, np.int16),
        colours=np.array(colours, np.int8),
        setup_at=np.array(at, np.int16),
        setup_points=np.array(where, np.int16),
        setup_colours=np.array(what, np.int8),
        komi=draw(st.none() | st.integers(-20, 20).map(lambda half: half / 2)),
        result=draw(st.sampled_from([None, "B+R", "W+2.5", "B+T", "0"])),
        black=draw(texts),
        white=draw(texts),
        date="2020-02-30",
        year=2020,
        event=draw(texts),
    )


def to_sgf(record: GameRecord) -> bytes:
    """The record as sgfmill writes it."""
    size = record.size

    def pair(point: int) -> tuple[int, int] | None:
        row, col = divmod(point, size)
        return None if point == size * size else (size - 1 - row, col)

    game = sgf.Sgf_game(size, encoding="UTF-8")
    root = node = game.get_root()
    for name, value in [("PB", record.black), ("PW", record.white), ("EV", record.event)]:
        if value:
            root.set(name, value)
    root.set("DT", record.date)
    if record.komi is not None:
        root.set("KM", record.komi)
    if record.result is not None:
        root.set("RE", record.result)
    for number, (point, colour) in enumerate(zip(record.points.tolist(), record.colours)):
        stones: dict[int, list[object]] = {1: [], -1: [], 0: []}
        for i in np.flatnonzero(record.setup_at == number):
            stones[int(record.setup_colours[i])].append(pair(int(record.setup_points[i])))
        if any(stones.values()):
            if number:
                node = game.extend_main_sequence()
            node.set_setup_stones(stones[1], stones[-1], stones[0])
        node = game.extend_main_sequence()
        node.set_move("b" if colour > 0 else "w", pair(point))
    return bytes(game.serialise())


def setup_set(record: GameRecord) -> set[tuple[int, int, int]]:
    return set(zip(*(a.tolist() for a in (record.setup_at, record.setup_points, record.setup_colours))))


@settings(max_examples=150, deadline=None)
@given(records())
def test_round_trip(record: GameRecord) -> None:
    (game,) = read_games(to_sgf(record))
    assert isinstance(game, GameRecord), game
    assert game.size == record.size
    assert game.points.tolist() == record.points.tolist()
    assert game.colours.tolist() == record.colours.tolist()
    assert setup_set(game) == setup_set(record)
    for name in ("komi", "result", "black", "white", "date", "year", "event"):
        assert getattr(game, name) == getattr(record, name), name


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_taken(data: bytes) -> None:
    for prefix in (b"", b"(;GM[1]SZ[9]", b"(;B["):
        assert read_games(prefix + data)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_reported(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(ZOO.iterdir())))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=3))
    for game in read_games(bytes(content), "x"):
        if isinstance(game, RecordError):
            assert game.position is not None and 0 <= game.position <= len(content) + 4
        else:
            assert len(game.points) == len(game.colours) > 0
            assert game.points.min() >= 0 and game.points.max() <= game.size**2


def test_nesting_is_never_too_deep() -> None:
    depth = 100_000
    data = b"(;SZ[9];B[ee]" + b"(;C[x]" * depth + b";W[cc]" + b")" * (depth + 1)
    (game,) = read_games(data)
    assert isinstance(game, GameRecord) and len(game.points) == 2


@pytest.mark.parametrize(
    "data",
    [
        b"(;" * 50_000,
        b"(;GM[" * 50_000,
        b"(;EV[x]" * 50_000,
        b"(;PB[" + b"\xe9" * 100_000 + b"[" + b"a" * 100_000 + b"];B[dd])",
        b"(" + b" \n" * 100_000,
        b"(;" + b"".join(b"X%d[a]" % number for number in range(50_000)) + b";B[dd])",
    ],
    ids=["nodes", "open roots", "open games", "latin", "blanks", "names"],
)
def test_hostile_files_come_to_an_answer(data: bytes) -> None:
    assert read_games(data)


@pytest.mark.parametrize("first", [b"(;PB[a]LZ2[x];B[aa])", b"(;PB[a];B[aa]"], ids=["whole", "broken"])
def test_the_names_of_many_games_are_spelled_once(first: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    spelled: list[int] = []

    def watched(data: bytes) -> tuple[bytes, dict[str, str]]:
        spelled.append(len(data))
        return names.spelled(data)

    monkeypatch.setattr(reader, "spelled", watched)
    others = [b"(;KM[6.5]PB[%d]LZ2[x];B[aa]LZOP2[\\]y];W[bb])" % number for number in range(20)]
    found = read_games(b"\n".join([first, *others]))
    assert [game.black for game in found[1:] if isinstance(game, GameRecord)] == [str(number) for number in range(20)]
    assert len(spelled) == 1


def read_kept(data: bytes, **options: bool) -> GameRecord:
    (game,) = read_games(data, options=ReadOptions(**options))  # type: ignore[arg-type]
    assert isinstance(game, GameRecord), game
    return game


@pytest.mark.parametrize(
    ("name", "moves"),
    [
        ("on-a-stone.sgf", 3),
        ("ko.sgf", 8),
        ("suicide.sgf", 3),
        ("illegal-off-board.sgf", 1),
        ("truncated.sgf", 3),
        ("truncated-between-nodes.sgf", 2),
        ("truncated-variation.sgf", 3),
    ],
)
def test_keep_legal_part(name: str, moves: int) -> None:
    assert len(read_kept((ZOO / name).read_bytes(), keep_legal_part=True).points) == moves


def test_keep_legal_part_drops_the_set_up_that_follows() -> None:
    game = read_kept(b"(;SZ[9]AB[aa];W[ee];B[ee];AW[bb];W[cc])", keep_legal_part=True)
    assert len(game.points) == 1
    assert setup_set(game) == {(0, 0, 1)}


def test_keep_legal_part_needs_a_legal_part() -> None:
    (game,) = read_games(b"(;SZ[9]AB[aa];W[aa])", options=ReadOptions(keep_legal_part=True))
    assert isinstance(game, RecordError) and game.reason is Reason.OCCUPIED


def test_allow_suicide() -> None:
    game = read_kept((ZOO / "suicide.sgf").read_bytes(), allow_suicide=True)
    assert len(game.points) == 5


def test_sizes() -> None:
    options = ReadOptions(sizes=frozenset([9]))
    (kept,) = read_games(b"(;SZ[9];B[ee])", options=options)
    (left,) = read_games(b"(;SZ[13];B[ee])", options=options)
    assert isinstance(kept, GameRecord)
    assert isinstance(left, RecordError) and left.reason is Reason.WRONG_SIZE


@pytest.mark.parametrize(("result", "winner"), [("B+R", 1), ("W+0.5", -1), ("Jigo", 0), ("Void", None), ("?", None)])
def test_winner(result: str, winner: int | None) -> None:
    assert read_kept(f"(;SZ[9]RE[{result}];B[ee])".encode()).winner == winner


def main_line_of(data: bytes) -> MainLine:
    tree, structure, _ = parse(data)
    return MainLine(tree, structure)


@pytest.mark.parametrize(("text", "elsewhere"), [("3.75", 7.5), ("350", 3.5), ("6.5", 6.5), ("nan", None)])
def test_our_own_komi_is_what_it_says_to_every_reader(text: str, elsewhere: float | None) -> None:
    ours = b"(;GM[1]SZ[9]AP[gocnn:1.0]KM[%s];B[ee])" % text.encode()
    assert read_kept(ours).komi == main_line_of(ours).komi == (None if text == "nan" else float(text))
    assert read_kept(ours.replace(b";B[ee]", b"RE[B+5.25];B[ee]")).result == "B+5.25"
    others = ours.replace(b"AP[gocnn:1.0]", b"")
    assert read_kept(others).komi == main_line_of(others).komi == elsewhere


def test_a_rectangle_of_handicap_stones_is_counted_by_its_stones() -> None:
    text = b"(;GM[1]SZ[9]AB[cc:gc][gg];W[ee])"
    assert read_kept(text).handicap == main_line_of(text).handicap == 6


def test_who_plays_first_is_said_before_the_first_move() -> None:
    assert read_kept(b"(;SZ[9];B[ee];AW[cc]PL[W];W[dd])").first_player == 0
    assert read_kept(b"(;SZ[9]PL[W];W[dd])").first_player == -1
