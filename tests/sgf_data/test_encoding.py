"""Which encoding a text is taken for."""

from __future__ import annotations

import pytest

from sgf_data.encoding import declared, detect, eight_bit, known, structures, text_encoding
from sgf_data.reader import read_games
from sgf_data.record import GameRecord

SAMPLES = {
    "gb18030": ["马晓春", "聂卫平", "第一届中国围棋棋圣战", "黑中盘胜"],
    "big5": ["林海峰", "王銘琬", "應昌期杯世界職業圍棋錦標賽", "臺北"],
    "cp932": ["趙治勲", "小林光一", "第四十五期本因坊戦", "日本棋院"],
    "euc_jp": ["趙治勲", "小林光一", "第四十五期本因坊戦", "日本棋院"],
    "cp949": ["이창호", "조훈현", "국수전", "흑불계승"],
    "cp1251": ["Александр", "Дмитрий", "Чемпионат"],
    "koi8_r": ["Александр", "Дмитрий", "Чемпионат"],
    "cp1252": ["Jörg Müller", "François Lefèvre", "Köln"],
}


@pytest.mark.parametrize("encoding", SAMPLES)
def test_detect(encoding: str) -> None:
    texts = SAMPLES[encoding]
    found = detect([text.encode(encoding) for text in texts])
    assert found is not None
    assert [text.encode(encoding).decode(found) for text in texts] == texts


def test_charset_is_believed_where_it_can_be() -> None:
    korean = "이창호".encode("euc_kr")
    assert text_encoding([korean], [korean], b"EUC-KR") == "cp949"
    assert text_encoding([korean], [korean], b"gb2312") == "gb18030"  # decodes, if to nonsense
    assert text_encoding([korean], [korean], b"UTF-8") == "cp949"
    assert text_encoding([korean], [korean], None) == "cp949"


def test_utf8_shows_itself() -> None:
    assert text_encoding(["Jörg".encode()], ["Jörg".encode()], None) == "utf-8"
    assert text_encoding(["名人战".encode()], ["名人战".encode()], b"GB2312") == "utf-8"
    assert text_encoding([b"ASCII"], [b"ASCII"], b"klingon") == "utf-8"
    assert text_encoding([b"\xff\xfe\x00"], [b"\xff\xfe\x00"], b"UTF-8")  # something, always


def test_a_stray_byte_elsewhere_garbles_no_names() -> None:
    for names in (["Jörg Müller"], ["Żółć"], ["小林光一", "조훈현"]):
        wanted = [name.encode() for name in names]
        for charset in (b"UTF-8", None, b"klingon"):
            assert text_encoding(wanted, [*wanted, b"it\x92s good"], charset) == "utf-8"
    chinese = "联通".encode("gbk")  # which happens to be UTF-8, too
    others = ["黑棋这一手下得很好".encode("gbk"), "白棋应该在这里补一手".encode("gbk")]
    for charset in (b"GBK", b"UTF-8", None):
        assert text_encoding([chinese], [chinese, *others], charset) == "gb18030"


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        (b"UTF-8", "utf-8"),
        (b"gb2312", "gb18030"),
        (b"Shift_JIS", "cp932"),
        (b" ISO-8859-1 ", "cp1252"),
        (b"Big5", "big5"),
        (b"klingon", None),
        (b"hex", None),
        (b"unicode_escape", None),
        (b"raw-unicode-escape", None),
        (b"\xff", None),
        (b"", None),
        (None, None),
    ],
)
def test_known(charset: bytes | None, encoding: str | None) -> None:
    assert known(charset) == encoding


def test_declared() -> None:
    assert declared(b"(;GM[1]CA[Big5]") == "big5"
    assert declared(b"(;GM[1]BCA[Big5]") is None


def test_only_dangerous_files_are_offered_twice() -> None:
    def ways(text: str, encoding: str) -> int:
        data = text.encode(encoding)
        return len(structures(eight_bit(data), 0, len(data)))

    assert ways("(;PB[abc])", "ascii") == 1
    assert ways("(;PB[表])", "utf-8") == 1
    assert ways("(;PB[表])", "cp932") == 2
    assert ways("(;PB[名人戦]CA[iso-2022-jp])", "iso2022_jp") == 2
    assert ways("(;PB[é])", "latin-1") == 1


@pytest.mark.parametrize("charset", ["big5", "cp950", "Big5-HKSCS"])
def test_a_name_that_ends_in_a_backslash_swallows_no_move(charset: str) -> None:
    """The second byte of 許 is a backslash, which would escape the bracket behind it."""
    data = f"(;GM[1]SZ[19]CA[{charset}]PB[x]PW[許];B[pd];W[dp];B[dd])".encode("big5")
    (game,) = read_games(data)
    assert isinstance(game, GameRecord) and game.white == "許"
    assert game.colours.tolist() == [1, -1, 1]


@pytest.mark.parametrize("charset", [b"GB2312", b"Shift_JIS", b"Big5"])
def test_a_letter_that_is_half_a_character_in_what_is_declared_swallows_no_property(charset: bytes) -> None:
    """In all three é and the bracket behind it may be one character, as far as the moves can tell."""
    data = b"(;GM[1]CA[" + charset + b"]PB[Jos\xe9]AB[dd][pp][dp]PW[Andr\xe9]KM[0.5]RE[B+R];W[cc];B[qq])"
    (game,) = read_games(data)
    assert isinstance(game, GameRecord) and len(game.points) == 2
    assert game.setup_points.tolist() == [60, 300, 288] and game.handicap == 3
    assert (game.black, game.white, game.komi, game.result) == ("José", "André", 0.5, "B+R")


def test_a_game_among_others_in_another_encoding_keeps_its_properties() -> None:
    text = "(;PB[{}]PW[{}]EV[{}]KM[3.75]RE[白中盘胜];B[aa];W[bb])"
    games = [text.format("古力", "李世石", "第3届春兰杯决赛").encode("gbk")] * 4
    found = read_games(b"\n".join([*games, text.format("柯洁", "申真谞", "三星杯").encode()]))
    told = [(game.black, game.event, game.komi, game.result) for game in found if isinstance(game, GameRecord)]
    assert told == [("古力", "第3届春兰杯决赛", 7.5, "W+R")] * 4 + [("柯洁", "三星杯", 7.5, "W+R")]
