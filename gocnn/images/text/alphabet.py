"""The characters that are drawn and read: digits, Latin letters and ASCII punctuation; a space is none of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

DIGITS = "0123456789"
LOWER = "abcdefghijklmnopqrstuvwxyz"
UPPER = LOWER.upper()
PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
ALPHABET = DIGITS + UPPER + LOWER + PUNCTUATION
BLANK = 0  # the class of "no character here"; character k of ALPHABET is class k + 1
CLASSES = 1 + len(ALPHABET)

_CLASS = {character: place + 1 for place, character in enumerate(ALPHABET)}


def encode(text: str) -> list[int]:
    """The classes of a text's characters, 1 to 94. Raises ValueError for a character that is not in ALPHABET."""
    try:
        return [_CLASS[character] for character in text]
    except KeyError as error:
        raise ValueError(f"{text!r}: the character {error.args[0]!r} is not in the alphabet") from None


def decode(classes: Iterable[int] | Sequence[int]) -> str:
    """The text of classes 1 to 94."""
    return "".join(ALPHABET[place - 1] for place in classes)
