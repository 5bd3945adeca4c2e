"""Text encodings of SGF files: which one a file uses, and how its text is read.

The policy, in order:

1. UTF-16 and UTF-32 are recognised by their byte-order mark and turned into UTF-8 as a whole.
2. ``CA`` is believed where the text can be decoded with it, but for one lie that is common enough:
   text of three or more multi-byte UTF-8 characters is UTF-8, whatever ``CA`` says.
3. UTF-8, with or without a byte-order mark, also where a few bytes elsewhere in the game are none.
4. Detection among the encodings that game records come in, with the help of charset-normalizer.
5. Where nothing fits, UTF-8 with replacement characters: broken text never costs the moves.

SGF's own characters are ASCII in all of these, with one trap. The second byte of a character in
Shift-JIS, GBK or Big5 can be ``[``, ``\\`` or ``]``, and ISO-2022-JP writes everything in ASCII
bytes: cutting such a file into properties byte by byte can lose a bracket, and moves with it.
`structures` therefore offers such games twice, as they are and re-encoded as UTF-8, and the reader
takes the one in which more moves can be read; where these are as many, the one with more
properties, as a letter of another encoding and the bracket behind it can make one character. Each
game of a file is looked at for itself, as files that hold many have often been put together from
others.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from charset_normalizer import CharsetMatch

# The lists to choose from are short because names and places are short, and short texts resemble
# everything. East Asian encodings keep their everyday hanzi, kanji, kana or hangul in a block of
# their own, and text in another encoding falls outside of it. Narrowest block first.
_COMMON_CHARACTERS = {
    "cp949": re.compile(rb"[\xb0-\xc8][\xa1-\xfe]"),
    "euc_jp": re.compile(rb"[\xb0-\xcf\xa4\xa5][\xa1-\xfe]"),
    "cp932": re.compile(rb"[\x82\x83\x88-\x97].", re.DOTALL),
    "gb18030": re.compile(rb"[\xb0-\xd7][\xa1-\xfe]"),
    "big5": re.compile(rb"[\xa4-\xc6].", re.DOTALL),
}
_COMMON_ENOUGH = 0.7
_TRAPS = {"cp932", "cp949", "gb18030", "big5", "big5hkscs", "cp950", "iso2022_jp"}
_SINGLE_BYTE = ["cp1252", "cp1251", "cp1250", "koi8_r"]
_SUPERSETS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "ascii": "utf-8",
    "iso8859-1": "cp1252",
}
_ENOUGH_TEXT = 20_000  # bytes
_BYTE_ORDER_MARKS = [
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
_ISO_2022 = b"\x1b$"  # "double-byte characters from here on"
_MULTIBYTE_UTF8 = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")
_CA = re.compile(rb"(?<![A-Z])CA\s*\[([^\]]{1,40})\]")
_VALUE = re.compile(rb"\[[^\]]*")


@dataclass(frozen=True)
class Structure:
    """Bytes from a file, in a form in which every ASCII byte is an ASCII character."""

    data: bytes
    encoding: str | None = None  # what `data` was translated from; None: these are the file's bytes
    start: int = 0  # where in `within` this part begins
    within: Structure | None = None

    @property
    def is_utf8(self) -> bool:
        """Whether the data has been translated to UTF-8 on the way, so that no other encoding can be meant."""
        return self.encoding is not None or (self.within is not None and self.within.is_utf8)

    def position(self, offset: int) -> int:
        """The file's byte that `offset` in `data` stands for (nearly, if text is broken)."""
        if self.encoding is not None:
            text = self.data[:offset].decode("utf-8", "ignore")
            offset = len(text.encode(self.encoding, "replace"))
        offset += self.start
        return self.within.position(offset) if self.within else offset


def eight_bit(data: bytes) -> Structure:
    """A file as it is, or UTF-8 for one that begins with the byte-order mark of UTF-16 or UTF-32."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            text = data.decode(encoding, "replace")
            return Structure(text.encode("utf-8", "replace"), encoding)
    return Structure(data)


def structures(file: Structure, first: int, last: int) -> list[Structure]:
    """The ways to cut the games in ``file.data[first:last]`` into properties.

    There is one, but for the encodings with the trap there are two.
    """
    data = file.data[first:last]
    as_is = Structure(data, None, first, file)
    if _ISO_2022 in data:
        encoding = "iso2022_jp"
    elif _is_utf8(data):
        return [as_is]
    else:
        encoding = _decodable(data, declared(data)) or detect(_VALUE.findall(data)) or ""
    if encoding not in _TRAPS:
        return [as_is]
    text = data.decode(encoding, "replace")
    return [Structure(text.encode("utf-8"), encoding, first, file), as_is]


def text_encoding(wanted: Iterable[bytes], values: Iterable[bytes], charset: bytes | None) -> str:
    """The encoding of one game's text, for use with ``errors="replace"``.

    `wanted` is what is to be read, `values` all of the game's property values, `charset` the value of its ``CA``
    property if it has one.
    """
    values = [value for value in values if not value.isascii()]
    if not values:
        return "utf-8"
    joined = b"\n".join(values)
    utf8 = _is_utf8(joined) or (
        known(charset) in (None, "utf-8") and _is_utf8(b"\n".join(wanted)) and _is_mostly_utf8(joined)
    )
    if utf8 and len(_MULTIBYTE_UTF8.findall(joined)) >= 3:
        return "utf-8"
    stated = _decodable(joined, known(charset))
    if stated:
        return stated
    return "utf-8" if utf8 else detect(values) or "utf-8"


def declared(data: bytes) -> str | None:
    """The encoding that the first ``CA`` property in `data` names, if Python knows it."""
    found = _CA.search(data)
    return known(found.group(1)) if found else None


@lru_cache(maxsize=256)
def known(charset: bytes | None) -> str | None:
    """Python's name for `charset`, or for the superset that is really written; None if unknown."""
    if not charset:
        return None
    try:
        codec = codecs.lookup(charset.decode("ascii").strip())
        b" ".decode(codec.name)  # refuses the likes of "hex", which are codecs but no text encodings
    except (LookupError, UnicodeError, ValueError):
        return None
    if "escape" in codec.name:  # Python's own, which can say what is no text
        return None
    return _SUPERSETS.get(codec.name, codec.name)


def detect(values: Iterable[bytes]) -> str | None:
    """The likeliest encoding of the text in `values`, which is not UTF-8; None if none fits.

    Among the East Asian encodings the one with the largest share of everyday characters wins:
    charset-normalizer, which compares the languages of longer texts, is wrong about every other
    record that has no more text than two names. It decides where that share is low, that is,
    between the alphabets.
    """
    text = b"\n".join(value for value in values if not value.isascii())[:_ENOUGH_TEXT]
    shares = {encoding: _common_share(text, encoding) for encoding in _COMMON_CHARACTERS}
    likeliest = max(shares, key=lambda encoding: shares[encoding])
    if shares[likeliest] >= _COMMON_ENOUGH:
        return likeliest
    from charset_normalizer import from_bytes

    def doubt(match: CharsetMatch) -> tuple[float, float, int, bool]:
        # A few names can fit several alphabets equally well. The right one has no symbols among
        # the letters, and Latin-1 is what SGF means without CA.
        symbols = sum(not char.isascii() and not char.isalpha() for char in str(match))
        return match.chaos, -match.coherence, symbols, match.encoding != "cp1252"

    matches = from_bytes(text, cp_isolation=_SINGLE_BYTE, threshold=0.5)
    return min(matches, key=doubt).encoding if matches else None


def _common_share(text: bytes, encoding: str) -> float:
    """Which part of the characters, if `text` were in `encoding`, would be everyday ones."""
    decoded = text.decode(encoding, "replace")
    characters = [char.encode(encoding, "ignore") for char in decoded if not char.isascii()]
    common = _COMMON_CHARACTERS[encoding]
    return sum(bool(common.match(char)) for char in characters) / max(1, len(characters))


def _is_utf8(data: bytes) -> bool:
    return _decodable(data, "utf-8") is not None


def _is_mostly_utf8(data: bytes) -> bool:
    """Whether broken characters, such as one that was pasted into a comment, are fewer than whole ones of several
    bytes."""
    characters = [char for char in data.decode("utf-8", "replace") if not char.isascii()]
    return 2 * characters.count("\ufffd") < len(characters)


def _decodable(data: bytes, encoding: str | None) -> str | None:
    if encoding is None:
        return None
    try:
        data.decode(encoding)
    except (UnicodeError, LookupError):
        return None
    return encoding
