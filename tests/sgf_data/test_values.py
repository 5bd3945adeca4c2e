"""Komi, results, ranks, years and sizes as they are really written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgf_data import values


@pytest.mark.parametrize(
    ("text", "komi"),
    [
        ("6.5", 6.5),
        ("6,5", 6.5),
        ("0", 0.0),
        ("-5.5", -5.5),
        ("0.50", 0.5),
        (".5", 0.5),
        ("650", 6.5),
        ("750", 7.5),
        ("-650", -6.5),
        ("325", 6.5),
        ("375", 7.5),
        ("3.75", 7.5),
        ("2.75", 5.5),
        ("6.5目", 6.5),
        ("6½", 6.5),
        ("六目半", 6.5),
        ("6집반", 6.5),
        ("3又3/4子", 7.5),
        ("2又1/2子", 5.0),
        ("黑贴3.75子", 7.5),
        ("8子", 16.0),
        ("9" * 400 + " 1/2", None),
        ("5½目", 5.5),
        ("3¾", 7.5),
        ("6 1/2", 6.5),
        ("６．５", 6.5),
        ("-100.00", -100.0),  # KGS allows any; with a decimal point these are points
        ("90.50", 90.5),
        ("40", 40.0),
        ("", None),
        ("none", None),
        ("99999", None),
        ("9" * 5000, None),
    ],
)
def test_komi(text: str, komi: float | None) -> None:
    assert values.komi(text) == komi


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("B+R", "B+R"),
        ("W+Resign", "W+R"),
        ("b+res.", "B+R"),
        ("W+Time", "W+T"),
        ("B+T", "B+T"),
        ("W+Forfeit", "W+F"),
        ("W+Offline", "W+F"),
        ("B+2.5", "B+2.5"),
        ("B+3.50", "B+3.5"),
        ("B+3,5", "B+3.5"),
        ("W+.5", "W+0.5"),
        ("W+12.00", "W+12"),
        ("W+3½", "W+3.5"),
        ("B+1/2", "B+0.5"),
        ("B+2.75", "B+5.5"),
        ("白胜1¾子", "W+3.5"),
        ("B+5?", "B+5"),
        ("White + 3.5", "W+3.5"),
        ("B+", "B+"),
        ("W+0", "W+"),
        ("W+bye", "W+"),
        ("0", "0"),
        ("Jigo", "0"),
        ("Draw", "0"),
        ("Void", "Void"),
        ("", None),
        ("?", None),
        ("Unfinished", None),
        ("黑中盘胜", "B+R"),
        ("黒中押し勝ち", "B+R"),
        ("白中押勝", "W+R"),
        ("白胜2.5目", "W+2.5"),
        ("白勝三目半", "W+3.5"),
        ("黑胜半目", "B+0.5"),
        ("黑胜3子", "B+6"),
        ("黑胜1又3/4子", "B+3.5"),
        ("白胜2又1/4子", "W+4.5"),
        ("黑胜四分之三子", "B+1.5"),
        ("黑胜一又四分之三子", "B+3.5"),
        ("黑胜十二目半", "B+12.5"),
        ("黒二十三目半勝ち", "B+23.5"),
        ("白十一目勝", "W+11"),
        ("黑胜半子", "B+1"),
        ("黑胜2.5子", "B+5"),
        ("B+2.5子", "B+5"),
        ("B+2又1/2子", "B+5"),
        ("W+3.75子", "W+7.5"),
        ("黑负", "W+"),
        ("白中盘负", "B+R"),
        ("흑 불계승", "B+R"),
        ("백불계승", "W+R"),
        ("흑 불계패", "W+R"),
        ("백 시간승", "W+T"),
        ("백 3집반승", "W+3.5"),
        ("백 2집 반 승", "W+2.5"),
        ("흑 12집승", "B+12"),
        ("흑 반집승", "B+0.5"),
        ("백 1.5집 패", "B+1.5"),
        ("흑승", "B+"),
        ("빅", "0"),
        ("B+3目半", "B+3.5"),
        ("B+R?", "B+R"),
        ("W+R (time)", "W+R"),
        ("和棋", "0"),
        ("Left unfinished by agreement", "Left unfinished by agreement"),
    ],
)
def test_result(text: str, result: str | None) -> None:
    assert values.result(text) == result


@pytest.mark.parametrize(
    ("text", "rank"),
    [
        ("9p", "9p"),
        ("9d", "9d"),
        ("5k", "5k"),
        ("9 dan", "9d"),
        ("9-dan", "9d"),
        ("7 Dan Pro", "7p"),
        ("九段", "9d"),
        ("初段", "1d"),
        ("9段", "9d"),
        ("９段", "9d"),
        ("5级", "5k"),
        ("3단", "3d"),
        ("12 kyu", "12k"),
        ("P9段", "9p"),
        ("9d?", "9d"),
        ("5d*", "5d"),
        ("12k*", "12k"),
        ("6d ama", "6d"),
        ("9段 名人", "9d"),
        ("九段 本因坊", "9d"),
        ("9d Honinbo", "9d"),
        ("7 Dan Pro Judan", "7p"),
        ("5d? Judan", "5d"),
        ("9d provisional", "9d"),
        ("9p and 5p", "9p and 5p"),
        ("9p, Honinbo", "9p"),
        ("Honinbo", "Honinbo"),
        ("25th Honinbo", "25th Honinbo"),
        ("9p & 5p", "9p & 5p"),
        ("", ""),
    ],
)
def test_rank(text: str, rank: str) -> None:
    assert values.rank(text) == rank


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("1998-05-12", 1998),
        ("1998-12-31,1999-01-02", 1998),
        ("C2005.11.03 00:14", 2005),
        ("12-05-1998", 1998),
        ("ca. 1835", 1835),
        ("1960s", 1960),
        ("196?", None),
        ("193x", None),
        ("199-", None),
        ("c. 850", 850),
        ("196 AD", 196),
        ("２００１年", 2001),
        ("20010315", 2001),
        ("200103151", None),
        ("9999", None),
        ("0000-00-00", None),
        ("Kansei 5", None),
        ("?", None),
        ("", None),
    ],
)
def test_year(text: str, year: int | None) -> None:
    assert values.year(text) == year


@pytest.mark.parametrize(
    ("text", "size"),
    [("", 19), ("9", 9), (" 13 ", 13), ("19:19", 19), ("19x19", 19), ("19:13", None), ("x", None)],
)
def test_board_size(text: str, size: int | None) -> None:
    assert values.board_size(text) == size


def test_long_blanks_and_numbers_come_to_an_answer() -> None:
    assert values.rank("1d" + " " * 200_000 + "x").startswith("1d")
    assert values.rank("9p  ,  " + "title " * 50_000) == "9p"
    assert values.komi("1" * 200_000 + " 1/2") is None
    assert values.result("B+" + "1 " * 100_000) is not None


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    values.komi(text)
    values.result(text)
    values.rank(text)
    values.year(text)
    values.board_size(text)
    values.count(text)


def test_a_handicap_that_no_store_can_hold_is_none() -> None:
    assert (values.count("127"), values.count("128"), values.count("200 stones")) == (127, 0, 0)
