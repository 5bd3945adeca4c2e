"""Which characters follow which: what to believe where the eye cannot tell O from 0, or a full stop from dirt.

A character's score after the three before it is its share of all that followed them in drawn words (`words.py`); where
it never did, BACK_OFF times its score after two of them, and so on ("stupid backoff", Brants et al. 2007,
https://aclanthology.org/D07-1090/). Scores are no probabilities, but compare texts as if they were.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from gocnn import checkpoint, weights
from gocnn.images.text.alphabet import ALPHABET, BLANK, CLASSES, encode
from gocnn.images.text.fonts import Font
from gocnn.images.text.words import vocabulary

KIND = "text-language"  # of checkpoint
ORDER = 4  # characters in a row
BACK_OFF = 0.4
LEAST = 3  # times that a row must have come to be kept
DRAWN = 300_000  # words to count
MOST = np.iinfo(np.int16).max

Counts = tuple[np.ndarray, np.ndarray]  # rows of characters as numbers, rising, and how often each has come


class Language:
    """Scores of texts, given as classes 1 to 94; a text begins after blanks and ends in one."""

    def __init__(self, rows: np.ndarray, counts: np.ndarray) -> None:
        """Rows of ORDER classes, each as one number to the base of CLASSES, and how often each came: int [K] both."""
        events = [(np.asarray(rows, np.int64), np.asarray(counts, np.int64))]
        while len(events) < ORDER:
            seen, often = events[-1]
            events.append(_summed(seen % CLASSES ** (ORDER - len(events)), often))
        self._events = [dict(zip(seen.tolist(), often.tolist())) for seen, often in events]  # the longest first
        contexts = [_summed(seen // CLASSES, often) for seen, often in events]
        self._contexts = [dict(zip(seen.tolist(), often.tolist())) for seen, often in contexts]

    def score(self, text: Sequence[int]) -> float:
        """The logarithm, at most 0, of the product of the scores of a text's characters and of its end."""
        padded = [*[BLANK] * (ORDER - 1), *text, BLANK]
        return sum(self._score(_number(padded[end - ORDER : end])) for end in range(ORDER, len(padded) + 1))

    def _score(self, row: int) -> float:
        doubt = 1.0
        for length, events, contexts in zip(range(ORDER, 0, -1), self._events, self._contexts):
            row %= CLASSES**length
            if often := events.get(row):
                return math.log(doubt * often / contexts[row // CLASSES])
            doubt *= BACK_OFF
        return math.log(doubt / CLASSES)


def _number(row: Iterable[int]) -> int:
    number = 0
    for place in row:
        number = number * CLASSES + place
    return number


def _summed(rows: np.ndarray, counts: np.ndarray) -> Counts:
    """Equal rows as one, with all of their counts."""
    seen, where = np.unique(rows, return_inverse=True)
    return seen, np.bincount(where, counts, len(seen)).astype(np.int64)


def count(texts: Iterable[str], least: int = LEAST) -> Counts:
    """The rows of ORDER classes in texts that come `least` times or more, and how often they do: int64 [K] both.

    Rows never reach from one text into the next. Raises ValueError for a character that is not in ALPHABET.
    """
    classes = [place for text in texts for place in [*[BLANK] * (ORDER - 1), *encode(text), BLANK]]
    windows = np.lib.stride_tricks.sliding_window_view(np.array(classes, np.int64), ORDER)
    # A row that runs into the next text has a blank before its end, and after something else.
    within = ~((windows[:, 1:-1] == BLANK) & (windows[:, :-2] != BLANK)).any(1) & (windows[:, -2:] != BLANK).any(1)
    rows, counts = np.unique(windows[within] @ CLASSES ** np.arange(ORDER - 1, -1, -1), return_counts=True)
    return rows[counts >= least], counts[counts >= least]


def train(out: Path, *, words: int = DRAWN, seed: int = 0) -> dict[str, float]:
    """Count the rows of so many drawn words into network.safetensors in the folder `out`.

    Returns how many "words" were drawn and how many "rows" are kept. Raises OSError.
    """
    from rich.console import Console
    from rich.progress import track

    every = Font("", "", "", frozenset(ALPHABET))
    drawn, rng = vocabulary(), np.random.default_rng(seed)
    console = Console(stderr=True)
    steps = track(range(words), "counting", console=console, disable=not sys.stderr.isatty())
    rows, counts = count(drawn.word(rng, every) for _ in steps)
    out.mkdir(parents=True, exist_ok=True)
    save(out / "network.safetensors", rows, counts, {"words": words, "dictionary": len(drawn.dictionary), "seed": seed})
    return {"words": words, "rows": len(rows)}


def save(path: str | os.PathLike[str], rows: np.ndarray, counts: np.ndarray, card: dict) -> None:
    """Write counted rows, and what is known of their making. Raises OSError."""
    tensors = {"rows": torch.from_numpy(rows.astype(np.int32)),
               "counts": torch.from_numpy(np.minimum(counts, MOST).astype(np.int16))}  # fmt: skip
    checkpoint.save(path, KIND, {"card": card}, tensors)


@lru_cache(maxsize=1)
def load(path: str | os.PathLike[str] | None = None) -> Language:
    """The language of a file, or the one that ships. Raises CheckpointError if it is missing or something else."""
    path = path or weights.shipped("text-language.safetensors")
    saved = checkpoint.load(path, KIND)
    with checkpoint.building(path):
        return Language(saved.tensors["rows"].numpy(), saved.tensors["counts"].numpy())
