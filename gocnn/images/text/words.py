"""What is written on signs and pages: words, numbers, prices, dates, times, addresses, and strings without sense.

Words come from the system's list of words if there is one, from the texts of Python's own manual, which every Python
has, and from a model of letter pairs made of both, which invents words that sound like English.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from gocnn import cache
from gocnn.images.text.alphabet import ALPHABET, DIGITS, LOWER, PUNCTUATION, UPPER
from gocnn.images.text.fonts import WORDS, Font

LISTS = ("/usr/share/dict/american-english", "/usr/share/dict/words")  # beside words.txt in the cache
LONGEST = 20  # characters of a word
KINDS = ("dictionary", "running", "invented", "number", "code", "address", "any")
SHARES = np.array([0.36, 0.24, 0.06, 0.16, 0.06, 0.04, 0.08])
CURRENCIES = ("$", "$", "$", "EUR", "USD", "Rs.", "Fr.")
UNITS = ("km", "m", "cm", "mm", "kg", "g", "mg", "l", "ml", "km/h", "mph", "%", "%", "%", "px", "GB", "MB", "kB", "h", "min", "s", "A", "V", "W", "kW", "Hz", "MHz", "ft", "in", "lb", "oz", "th", "st", "x")  # fmt: skip # noqa: E501
ENDINGS = ("com", "com", "org", "net", "de", "fr", "co.uk", "it", "nl", "edu", "gov", "eu", "ch", "info", "io")
TAILS = (".", ".", ".", ",", ",", ",", "!", "!", "?", ":", ":", ";", "...", "-", ")", "*", "'s", "'s", "'", '"')
PAIRS = (("(", ")"), ("(", ")"), ('"', '"'), ('"', '"'), ("'", "'"), ("[", "]"), ("{", "}"), ("<", ">"), ("`", "`"), ("*", "*"), ("_", "_"))  # fmt: skip # noqa: E501


class Vocabulary:
    """A source of words: `dictionary` of single words, `running` of the words of a text with their punctuation."""

    def __init__(self, dictionary: Sequence[str], running: Sequence[str]) -> None:
        self.dictionary, self.running = tuple(dictionary), tuple(running)
        self._pairs = _letter_pairs([word.lower() for word in self.dictionary if word.isalpha()])

    def word(self, rng: np.random.Generator, font: Font) -> str:
        """A word of 1 to 20 characters that a face can write."""
        small = len(font.characters.intersection(LOWER)) >= 20
        for _ in range(20):
            text = self._any(rng)
            if not small or rng.random() < 0.2:
                text = text.upper()
            if text and len(text) <= LONGEST and font.supports(text):
                return text
        can = [c for c in ALPHABET if c in font.characters and (small or c not in LOWER) and c not in PUNCTUATION]
        return _string(rng, "".join(can), 1, 8)

    def _any(self, rng: np.random.Generator) -> str:
        kind = KINDS[int(np.searchsorted(np.cumsum(SHARES), rng.random() * SHARES.sum(), side="right"))]
        if kind == "running":
            return _pick(rng, self.running)
        if kind == "number":
            return _number(rng)
        if kind == "any":
            return _string(rng, ALPHABET, 1, 9)
        if kind == "code":
            letters = (UPPER + DIGITS, UPPER + DIGITS + "-", UPPER + LOWER + DIGITS, UPPER, LOWER, LOWER + DIGITS)
            return _string(rng, _pick(rng, letters), 1, 10)
        word = self._invented(rng) if kind == "invented" else _pick(rng, self.dictionary)
        if kind == "address":
            return self._address(rng, word.lower())
        return _punctuated(rng, _cased(rng, word))

    def _invented(self, rng: np.random.Generator) -> str:
        """A word of the letter-pair model."""
        letters = [0]
        while len(letters) < 13:
            letters.append(int(np.searchsorted(self._pairs[letters[-1]], rng.random(), side="right")))
            if letters[-1] == 0:
                break
        text = "".join(LOWER[letter - 1] for letter in letters if letter)
        return text if len(text) > 1 else _pick(rng, self.dictionary)

    def _address(self, rng: np.random.Generator, word: str) -> str:
        word, ending = re.sub("[^a-z]", "", word) or "shop", _pick(rng, ENDINGS)
        host = f"{word}.{ending}"
        return _pick(rng, (
            host, f"www.{host}", f"http://{host}", f"https://{host}", f"info@{host}", f"@{word}", f"#{word}",
            f"/{word}/{_string(rng, LOWER, 2, 5)}",
        ))  # fmt: skip


def _pick(rng: np.random.Generator, among: Sequence[str]) -> str:
    return among[int(rng.random() * len(among))]


def _string(rng: np.random.Generator, letters: str, shortest: int, longest: int) -> str:
    return "".join(letters[k] for k in rng.integers(len(letters), size=int(rng.integers(shortest, longest + 1))))


def _digits(rng: np.random.Generator, count: int) -> str:
    return "".join(DIGITS[k] for k in rng.integers(10, size=count))


def _cased(rng: np.random.Generator, word: str) -> str:
    kind = rng.random()
    if kind < 0.38:
        return word
    if kind < 0.68:
        return word.upper()
    if kind < 0.98:
        return word[0].upper() + word[1:]
    return "".join(c.upper() if up else c for c, up in zip(word, rng.random(len(word)) < 0.5))


def _punctuated(rng: np.random.Generator, word: str) -> str:
    kind = rng.random()
    if kind < 0.80:
        return word
    if kind < 0.94:
        return word + _pick(rng, TAILS)
    if kind < 0.98:
        before, after = PAIRS[int(rng.integers(len(PAIRS)))]
        return before + word + after
    return _pick(rng, "-+&\"'(#@*$~>|") + word


def _number(rng: np.random.Generator) -> str:
    """A number as it is met: plain, a price, a share, a date, a time, a size, of a telephone."""
    few = _digits(rng, int(rng.integers(1, 5)))
    two, other = _digits(rng, 2), _digits(rng, 2)
    coin = _pick(rng, CURRENCIES)
    day, month, year = (f"{rng.integers(1, high)}" for high in (32, 13, 2100))
    year = f"{1900 + int(year) % 140}"
    kinds = (
        few, few, few, _digits(rng, int(rng.integers(4, 9))), f"{coin}{few}", f"{coin}{few}.{two}", f"{few}.{two}",
        f"{few},{two}", f"{few},-", f"{few}%", f"{few}{_pick(rng, UNITS)}", f"{two}:{other}", f"{day}:{two}",
        f"{two}:{other}:{few[:2]}", f"{day}.{month}.{year}", f"{month}/{day}/{year}", f"{year}-{two}-{other}", year,
        year, f"{day}/{month}/{two}", f"{year}-{two}", f"{few}-{two}", f"+{two}", f"({_digits(rng, 3)})",
        f"{few[:1]}/{day}", f"{_digits(rng, 3)}-{_digits(rng, 4)}", f"{few[:2]},{_digits(rng, 3)}", f"No.{few}",
        f"#{few}", f"{few}+", f"-{few}", f"{few[:2]}x{two}", f"{few}{_pick(rng, UPPER)}", f"{_pick(rng, UPPER)}{few}",
        f"{few}.", f"({few})", f"[{few}]", f"={few}", f"{few[:1]}.{two}", f"<{few}", f"~{few}",
    )  # fmt: skip
    return _pick(rng, kinds)


def _letter_pairs(words: Sequence[str]) -> np.ndarray:
    """How often each letter follows each, as cumulative shares [27, 27]; 0 stands for a word's end and beginning."""
    codes = np.zeros(256, np.uint8)
    codes[[ord(c) for c in LOWER]] = np.arange(1, 27)
    row = codes[np.frombuffer(("\n" + "\n".join(words) + "\n").encode("ascii", "replace"), np.uint8)].astype(np.int64)
    counts = np.bincount(row[:-1] * 27 + row[1:], minlength=27 * 27).reshape(27, 27).astype(np.float64)
    counts[0, 0] = 0
    counts += 0.01
    shares = np.cumsum(counts, 1)
    return shares / shares[:, -1:]


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """The words that this system has: its own list or the fetched one, and the words of Python's manual."""
    from pydoc_data.topics import topics

    known = set(ALPHABET)
    text = [token for topic in sorted(topics) for token in topics[topic].split() if len(token) <= LONGEST]
    # No rows of dashes and dots, which are what tables are drawn of.
    running = [token for token in text if known.issuperset(token) and (len(set(token)) > 1 or token.isalnum())]
    plain = sorted({token.strip(PUNCTUATION).lower() for token in running})
    dictionary = [word for word in plain if len(word) > 1 and word.isalpha()]
    for place in (cache.folder() / WORDS, *(Path(name) for name in LISTS)):
        if place.is_file():
            listed = place.read_text(encoding="utf-8", errors="ignore").split()
            dictionary += [word for word in listed if word.isascii() and word.isalpha() and len(word) <= LONGEST]
            break
    return Vocabulary(dictionary, running)
