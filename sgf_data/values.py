"""Property values as people and programs really write them: komi, results, ranks, years, sizes."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

ANY_YEAR = (1, 9999)  # a range of years without ends; 0 is a year that is not known
MOST_KOMI = 10_000.0  # points: gocnn's own records are cut to this, and its commands take no more
MOST_BELIEVED = 400.0  # points, in the record of another program

_NUMBER = re.compile(r"[-+]?\d*[.,]?\d+")
_SQUARE = re.compile(r"(\d{1,3})(?:\s*[:x]\s*(\d{1,3}))?", re.IGNORECASE)
_RESULT = re.compile(r"([BW])(?:LACK|HITE)?\s*\+\s*(.*)", re.IGNORECASE | re.DOTALL)
_MARGIN = re.compile(r"\d*[.,]?\d+")
_RANK = re.compile(
    r"(\d{1,2}) ?-? ?(p|d|k|pro|dan|kyu|ku|gup|段|级|級|단|급)\.? ?"
    r"(p|pro|professional|ama|amateur)?\.? ?[?*]? ?(?:[,;].*|(?<= )[^\W\d]\D*)?",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?<!\d)(\d{4})(?:[01]\d[0-3]\d)?(?!\d)|(?:^|ca?\.)\s*(\d{3})(?![\dxX?-])|(?<!\d)(\d{3})\s*AD")
_DRAWS = {"0", "draw", "jigo", "tie", "0.0", "和棋", "持碁", "持棋", "ジゴ", "빅"}
_VOID = {"void", "no result", "both lost", "無勝負"}
_UNKNOWN = {"", "?", "unknown", "unfinished"}
_WAYS = {
    "r": "R", "res": "R", "resign": "R", "resignation": "R", "resigned": "R",
    "t": "T", "time": "T", "timeout": "T",
    "f": "F", "forfeit": "F", "offline": "F",
}  # fmt: skip
_FRACTIONS = str.maketrans({"¼": ".25", "½": ".5", "¾": ".75"})
_FRACTION = re.compile(r"(?<![\d/])(?:(\d{1,3})(?: | ?又 ?))?([1-3])/([24])(?![\d/])")
_NUMERAL = re.compile("([一二三四五六七八九]?十)?([一二三四五六七八九])?(?:分之([一二三]))?")
_DIGITS = str.maketrans("一二三四五六七八九初", "1234567891")


def board_size(text: str) -> int | None:
    """The side of a square board: "19", "19:19", "19x19"; "" is 19. None for anything else."""
    if not text.strip():
        return 19
    match = _SQUARE.fullmatch(_plain(text))
    if not match or (match[2] and int(match[2]) != int(match[1])):
        return None
    return int(match[1])


@lru_cache(maxsize=1024)
def komi(text: str, program: str = "") -> float | None:
    """Komi in points; None if the text has no number, or one beyond MOST_BELIEVED. `program` wrote the record (AP).

    Besides "6.5" and "6,5" there are records in hundredths, a whole number from 100 up: "650" is
    6.5. Chinese servers count komi in stones, of which there are half as many: "3.75", or "375" in
    hundredths, is 7.5. A komi in points is a multiple of a half, so quarters give these away, if
    子, a stone, does not.
    What gocnn wrote means what it says.
    """
    match = _NUMBER.search(_decimal(text))
    if not match:
        return None
    number = float(match[0].replace(",", "."))
    if program.startswith("gocnn"):
        return max(-MOST_KOMI, min(MOST_KOMI, number))
    if match[0].lstrip("+-").isdigit() and abs(number) >= 100 and number % 25 == 0:
        number /= 100
    number = _in_points(number, text)
    return number if abs(number) <= MOST_BELIEVED else None


@lru_cache(maxsize=4096)
def result(text: str, program: str = "") -> str | None:
    """The result as "B+2.5", "W+R", "W+T", "B+F", "B+" (no margin), "0" (draw) or "Void".

    Margins in quarters or in 子 are in stones, as such komi is, and are doubled, unless gocnn is the `program` that
    wrote them.

    None where it is missing or unknown; text that is none of these is kept as given.
    """
    plain = _decimal(text)
    lower = plain.lower()
    if lower in _UNKNOWN:
        return None
    if lower in _DRAWS:
        return "0"
    if lower in _VOID:
        return "Void"
    match = _RESULT.fullmatch(plain) or _RESULT.fullmatch(_eastern(plain))
    if not match:
        return text.strip()
    colour, how = match[1].upper(), match[2].strip().lower().rstrip(".")
    if (way := re.split(r"[ ?(]", how)[0].rstrip(".")) in _WAYS:
        return f"{colour}+{_WAYS[way]}"
    margin = _MARGIN.match(how)
    if margin and float(margin[0].replace(",", ".")):
        points = float(margin[0].replace(",", "."))
        return f"{colour}+{points if program.startswith('gocnn') else _in_points(points, how):g}"
    return f"{colour}+"


@lru_cache(maxsize=4096)
def rank(text: str) -> str:
    """The rank as "9p", "3d" or "12k", without titles after it; other text as given."""
    plain = _plain(text)
    match = _RANK.fullmatch(plain) or _RANK.fullmatch(plain.translate(_DIGITS))
    if not match:
        reverse = re.fullmatch(r"[pP](\d)[段dD]?", plain)
        return f"{reverse[1]}p" if reverse else text.strip()
    grade = match[2].lower()
    professional = grade in ("p", "pro") or (match[3] or "").lower().startswith("p")
    letter = "p" if professional else "k" if grade in ("k", "kyu", "ku", "gup", "级", "級", "급") else "d"
    return f"{int(match[1])}{letter}"


@lru_cache(maxsize=4096)
def year(text: str) -> int | None:
    """The first year in a date: four digits anywhere (or "20220105"), three at the start or before "AD"."""
    match = _YEAR.search(_plain(text))
    if not match:
        return None
    number = int(match[1] or match[2] or match[3])
    return number if 0 < number <= 2100 else None


@lru_cache(maxsize=1024)
def count(text: str) -> int:
    """The first whole number in the text, for handicaps; 0 if there is none up to 127."""
    match = re.search(r"\d{1,9}", _plain(text))
    number = int(match[0]) if match else 0
    return number if number <= 127 else 0


def _plain(text: str) -> str:
    """Without outer blanks, and each inner run of them as one; full-width digits, letters and stops as ASCII."""
    return " ".join((text if text.isascii() else unicodedata.normalize("NFKC", text)).split())


def _decimal(text: str) -> str:
    """The plain text with "6½", "6 1/2", "6目半", "6집 반" and "六目半" as "6.5", and "3又3/4子" as "3.75子"."""
    plain = _plain(text.translate(_FRACTIONS))
    if re.search("[胜勝负負子目半]", plain):
        plain = _NUMERAL.sub(_number, plain)
    plain = _FRACTION.sub(lambda found: f"{int(found[1] or 0) + int(found[2]) / int(found[3]):g}", plain)
    return re.sub(r"(?<!\d)(\d{1,3})([子目집]?) ?[半반]", r"\1.5\2", plain)


def _number(numeral: re.Match[str]) -> str:
    """A Chinese number below a hundred in digits, "四分之三" as "3/4"."""
    tens, ones, of = numeral.groups()
    if of:
        return f"{of.translate(_DIGITS)}/{(ones or '').translate(_DIGITS)}"
    if not tens and not ones:
        return numeral[0]
    ten = tens[:-1].translate(_DIGITS) or "1" if tens else ""
    return f"{ten}{ones.translate(_DIGITS) if ones else '0' if tens else ''}"


def _in_points(number: float, text: str) -> float:
    """A komi or a margin in points; 子 says that it is in stones, and so do quarters, which no game in points has."""
    return number * 2 if "子" in text or number % 0.5 == 0.25 else number


def _eastern(text: str) -> str:
    """ "黑中盘胜", "白勝3.5目", "黑胜3子", "黑负" as "B+R", "W+3.5", "B+3子", "W+"; other text as it is."""
    if text[:1] not in tuple("黑黒흑白백") or not re.search("[胜勝승负負패]", text):
        return text
    colour = "W" if (text[0] in "白백") == bool(re.search("[胜勝승]", text)) else "B"
    if re.search("中[盘盤押]|불계", text):
        return f"{colour}+R"
    if re.search("[时時]|시간", text):
        return f"{colour}+T"
    unit = "子" if "子" in text else ""
    points = re.search(r"\d*\.?\d+", text)
    if not points:
        return f"{colour}+0.5{unit}" if re.search("[半반]", text) else f"{colour}+"
    return f"{colour}+{points[0]}{unit}"
