"""Annotating a record: what is read is what sgf_data.reader reads, and what is not ours comes out as it went in."""

from __future__ import annotations

from pathlib import Path

import pytest
from sgfmill import sgf_grammar

from gocnn.go import BLACK, WHITE
from gocnn.go.coords import sgf_to_point
from sgf_data.annotate import MARK, read_annotated
from sgf_data.reader import ReadOptions, read_games
from sgf_data.record import GameRecord

ZOO = Path(__file__).parents[1] / "data" / "zoo"
# Files that the reader takes apart where one tree can't be had: damage, or games on top of one another.
DAMAGED = {
    "broken-text.sgf", "many-broken-middle.sgf", "many-in-parentheses.sgf", "many-missing-end.sgf",
    "many-open-comment.sgf", "unbalanced-early-end.sgf", "many-encodings.sgf", "many-info-first.sgf",
}  # fmt: skip

VARIATIONS = b"""(;GM[1]SZ[9]C[root]XY[private][stuff]
;B[cc]C[first];W[gg](;B[gc];W[cg](;B[ee])(;B[ce]C[deep]))(;B[eg]C[other\\]];W[ge]))"""


def records() -> list[Path]:
    """The zoo's files whose games the reader takes."""
    return [
        path
        for path in sorted(ZOO.glob("*.sgf"))
        if path.name not in DAMAGED and isinstance(read_games(path.read_bytes())[0], GameRecord)
    ]


def set_up(record: GameRecord) -> list[tuple[int, int, int]]:
    """The set-up in an order of its own: that of a node's properties means nothing."""
    return sorted(
        zip(record.setup_at.tolist(), record.setup_points.tolist(), record.setup_colours.tolist(), strict=True)
    )


@pytest.mark.parametrize("path", records(), ids=lambda path: path.name)
def test_it_reads_what_the_reader_reads(path: Path) -> None:
    data = path.read_bytes()
    for number, record in enumerate(read_games(data, options=ReadOptions(sizes=frozenset(range(2, 26)))), 1):
        if not isinstance(record, GameRecord):
            continue
        game, count = read_annotated(data, number)
        assert count is not None and count >= number
        assert (game.size, game.komi, game.handicap) == (record.size, record.komi, record.handicap)
        assert [step.point for step in game.steps] == record.points.tolist()
        assert [step.colour for step in game.steps] == record.colours.tolist()
        assert (game.black, game.white, game.event) == (record.black, record.white, record.event)
        assert [step.board.to_move for step in game.steps] == record.colours.tolist()


@pytest.mark.parametrize("path", records(), ids=lambda path: path.name)
def test_what_is_not_ours_comes_out_as_it_went_in(path: Path) -> None:
    data = path.read_bytes()
    before = read_games(data)[0]
    game, _ = read_annotated(data)
    for step in game.steps:
        game.note(step.node, "a note")
    written = game.to_bytes()
    after = read_games(written)[0]
    assert isinstance(before, GameRecord) and isinstance(after, GameRecord)
    assert (before.points.tolist(), before.colours.tolist()) == (after.points.tolist(), after.colours.tolist())
    assert set_up(before) == set_up(after)
    for name in ("black", "white", "event", "komi", "handicap", "result", "size", "first_player"):
        assert getattr(before, name) == getattr(after, name), name


@pytest.mark.parametrize("name", ["gbk-backslash", "shift-jis-bracket", "latin1", "unknown-charset", "euc-kr"])
def test_the_bytes_of_a_name_stay(name: str) -> None:
    data = (ZOO / f"{name}.sgf").read_bytes()
    game, _ = read_annotated(data)
    game.note(0, "a note")
    at = data.index(b"PB[")
    assert data[at : data.index(b"PW[")].strip() in game.to_bytes()


def test_variations_and_unknown_properties_stay() -> None:
    game, _ = read_annotated(VARIATIONS)
    assert sgf_grammar.parse_sgf_game(game.to_bytes()).children[1].sequence[0] == {"B": [b"eg"], "C": [b"other\\]"]}
    third, fourth = game.steps[2:4]
    game.note(third.node, "a note", SBKV="51.20")
    points = [sgf_to_point(text, 9) for text in ("dd", "ff")]
    game.add_variation(third, points, "instead of G7", "better]")
    game.add_variation(fourth, points, "instead", "new branch")
    tree = sgf_grammar.parse_sgf_game(game.to_bytes())
    assert tree.sequence[0] == {"GM": [b"1"], "SZ": [b"9"], "C": [b"root"], "XY": [b"private", b"stuff"]}
    assert tree.sequence[1]["C"] == [b"first"]
    main, other, ours = tree.children
    assert main.sequence[0] == {"B": [b"gc"], "C": [b"gocnn: a note"], "SBKV": [b"51.20"]}
    assert [child.sequence[0].get("W") for child in main.children] == [[b"cg"], [b"dd"]]
    assert [child.sequence[0]["B"] for child in main.children[0].children] == [[b"ee"], [b"ce"]]
    assert other.sequence[0]["C"] == [b"other\\]"]
    assert ours.sequence == [
        {"B": [b"dd"], "N": [b"gocnn: instead of G7"], "C": [b"gocnn: better\\]"]},
        {"W": [b"ff"]},
    ]


def test_annotating_again_replaces_the_notes_and_nothing_else() -> None:
    data = VARIATIONS
    outputs = []
    for _ in range(3):
        game, _ = read_annotated(data)
        game.note(0, "about the game")
        for step in game.steps:
            game.note(step.node, f"move {step.number}\nthe engine's move, too")
            game.add_variation(step, [40], "x", "y\nline: E5")
        data = game.to_bytes()
        outputs.append(data)
    assert outputs[0] == outputs[1] == outputs[2]
    game, _ = read_annotated(data)
    assert MARK.encode() not in game.to_bytes()
    theirs, ours = (sgf_grammar.parse_sgf_game(d) for d in (VARIATIONS, game.to_bytes()))
    assert list(sgf_grammar.main_sequence_iter(theirs)) == list(sgf_grammar.main_sequence_iter(ours))


def test_a_remark_below_our_notes_stays_when_they_are_replaced() -> None:
    data = b"(;GM[1]SZ[9];B[aa]C[Mine.\n\ngocnn: so\nthe engine's move, too\n\nTeacher: too early];W[bb])"
    assert b"C[Mine.\n\nTeacher: too early]" in read_annotated(data)[0].to_bytes()


def test_comments_of_which_there_are_several_all_stay() -> None:
    game, _ = read_annotated(b"(;GM[1]SZ[9];B[aa]C[one][two];W[bb])")
    game.note(1, "so\nthe engine's move, too")
    written = game.to_bytes()
    assert b"C[one\n\ntwo\n\ngocnn: so" in written
    again, _ = read_annotated(written)
    assert b"C[one\n\ntwo]" in again.to_bytes()
    answered = f"(;GM[1]SZ[9];B[ee](;W[cc])({OURS.replace('W[', ';W[')}[I doubt it.];B[gg]))".encode()
    assert b"I doubt it." in read_annotated(answered)[0].to_bytes()


def test_a_remark_right_below_our_notes_stays_too() -> None:
    for end in ("\n", "\r\n"):
        notes = end.join(["gocnn: so", "the engine's move, too", "I doubt it."])
        written = read_annotated(f"(;GM[1]SZ[9];B[aa]C[{notes}];W[bb]C[gocnn: so{end}Why?])".encode())[0].to_bytes()
        assert b"C[I doubt it.]" in written and b"C[Why?]" in written and b"gocnn" not in written


OURS = "W[cc]N[gocnn: instead of A9]C[gocnn: White leads\nline: C7 G3]"


@pytest.mark.parametrize(
    ("changed", "left"),
    [
        (f"{OURS};B[gg]", ""),
        (f"{OURS};B[gg];W[gc]", "W[cc]N[instead of A9];B[gg];W[gc]"),
        (f"{OURS};B[gg]C[mine]", "W[cc]N[instead of A9];B[gg]C[mine]"),
        (f"{OURS};B[gg](;W[gc])(;W[cg])", "W[cc]N[instead of A9];B[gg](;W[gc])(;W[cg])"),
        (f"{OURS}TR[ee];B[gg]", "W[cc]N[instead of A9]TR[ee];B[gg]"),
        (f"{OURS[:-1]}\nI doubt it.];B[gg]", "W[cc]C[I doubt it.]N[instead of A9];B[gg]"),
        ("W[cc]N[gocnn: mine];B[gg]", "W[cc]N[mine];B[gg]"),
    ],
)
def test_a_variation_of_ours_that_somebody_has_changed_stays(changed: str, left: str) -> None:
    game, _ = read_annotated(f"(;GM[1]SZ[9];B[ee](;W[aa];B[cc])(;{changed}))".encode())
    expected = f"(;GM[1]SZ[9];B[ee](;W[aa];B[cc])(;{left}))" if left else "(;GM[1]SZ[9];B[ee];W[aa];B[cc])"
    first, second = (sgf_grammar.parse_sgf_game(data) for data in (game.to_bytes(), expected.encode()))
    assert sgf_grammar.serialise_game_tree(first) == sgf_grammar.serialise_game_tree(second)


def test_what_only_the_analysis_before_has_found_is_gone() -> None:
    game, _ = read_annotated(b"(;GM[1]SZ[9]V[1];B[ee]C[mine];W[cc]V[7])")
    game.note(0, "about the game")
    game.note(game.steps[0].node, "first", HO="1", SBKV="60.00", V="3.3")
    again, _ = read_annotated(game.to_bytes())
    again.note(again.steps[0].node, "second", SBKV="50.00")
    root, first, second = sgf_grammar.parse_sgf_game(again.to_bytes()).sequence
    assert first == {"B": [b"ee"], "C": [b"mine\n\ngocnn: second"], "SBKV": [b"50.00"]}
    assert root["V"] == [b"1"] and second == {"W": [b"cc"], "V": [b"7"]}, "no notes, no properties of ours"


def test_set_up_in_mid_game_and_who_moves() -> None:
    game, _ = read_annotated(b"(;SZ[5]AB[bb][cc]PL[B];B[dd];AE[bb]AW[aa:ba];B[ee];W[])")
    assert game.handicap == 2 and [step.colour for step in game.steps] == [BLACK, BLACK, WHITE]
    first, second, third = (step.board for step in game.steps)
    assert first.stones.sum() == 2 and first.to_move == BLACK
    assert second.stones[0, 0] == second.stones[0, 1] == WHITE and second.stones[1, 1] == 0
    assert third.to_move == WHITE and game.final.to_move == BLACK


def test_a_move_in_the_root() -> None:
    game, _ = read_annotated(b"(;SZ[9]PB[a]B[cc];W[gg])")
    assert [step.point for step in game.steps] == [20, 60]
    game.add_variation(game.steps[0], [40], "x", "y")
    tree = sgf_grammar.parse_sgf_game(game.to_bytes())
    assert tree.sequence == [{"SZ": [b"9"], "PB": [b"a"]}]
    assert tree.children[0].sequence == [{"B": [b"cc"]}, {"W": [b"gg"]}]


def test_an_illegal_move_ends_the_reading() -> None:
    game, _ = read_annotated(b"(;SZ[9];B[cc];W[dd];B[cc];W[ee])")
    assert len(game.steps) == 2 and game.stopped == "move 3 is illegal (occupied)"
    assert b"W[ee]" in game.to_bytes()


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"", "no SGF data"),
        (b"hello", "no SGF data"),
        (b"(;B[aa]", "unexpected end"),
        (b"(;GM[2];B[aa])", "not a game of Go"),
        (b"(;SZ[19:9];B[aa])", "not a square board"),
        (b"(;SZ[9]AB[zz];B[aa])", "zz"),
        (b"(;SZ[9];B[zz])", "move 1 is illegal"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        read_annotated(data)
    assert "\n" not in str(caught.value)


def test_a_broken_last_game_does_not_cost_the_first() -> None:
    game, games = read_annotated(b"(;SZ[9];B[ee];W[cc])(;SZ[9];B[ee]")
    assert len(game.steps) == 2
    assert games is None, "there is more than one"


def test_a_byte_order_mark_settles_the_encoding() -> None:
    game, _ = read_annotated("(;CA[gb2312]SZ[9]PB[柯洁];B[ee])".encode("utf-16"))
    assert game.black == "柯洁"


def test_a_game_of_a_collection() -> None:
    data = b"(;SZ[9]PB[one];B[aa])(;SZ[9]PB[two];B[bb])"
    game, count = read_annotated(data, 2)
    assert (game.black, count) == ("two", 2)
    assert game.to_bytes().count(b"(;") == 1
    with pytest.raises(ValueError, match="no game 3; the file has 2"):
        read_annotated(data, 3)


def test_names_with_digits_come_out_as_they_went_in() -> None:
    data = (ZOO / "names-with-digits.sgf").read_bytes()
    game, _ = read_annotated(data)
    game.note(game.steps[0].node, "a note")
    written = game.to_bytes()
    for part in (rb"C[a2\] B3[x]", b"LZ2[KataGo 46.3 1k]", b"LZOP2[x]", b"my_name[y]", b"LZ2[q]"):
        assert part in data and part in written


def test_names_that_differ_in_a_digit_stay_apart() -> None:
    names = [b"LZ%d" % digit for digit in range(10)] + [b"K1", b"LZQ"]
    data = b"(;SZ[9]" + b"".join(b"%s[%s!]" % (name, name) for name in names) + b";B[ee])"
    game, _ = read_annotated(data)
    game.note(game.steps[0].node, "a note")
    assert all(b"%s[%s!]" % (name, name) in game.to_bytes() for name in names)
