"""Connectionist temporal classification: from a row of classes, one a step, to a text (Graves et al. 2006,
https://doi.org/10.1145/1143844.1143891).

A path names a class or the blank at every step. The text it stands for is what is left when repeats are merged and then
blanks dropped: so a double letter needs a blank between. Many paths stand for one text; its probability is their sum.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

BLANK = 0


def collapse(path: Iterable[int]) -> list[int]:
    """The classes that a path stands for: repeats merged, then blanks dropped."""
    text, before = [], BLANK
    for step in path:
        if step != before and step != BLANK:
            text.append(int(step))
        before = step
    return text


def greedy(log_shares: np.ndarray) -> tuple[list[int], float]:
    """The text of the likeliest path through log-probabilities [T, classes], and the path's log-probability."""
    best = log_shares.argmax(1)
    return collapse(best), float(log_shares.max(1).sum())


def beam(log_shares: np.ndarray, width: int = 8, candidates: int = 12) -> list[tuple[list[int], float]]:
    """The likeliest texts through log-probabilities [T, classes] and their log-probabilities, best first.

    Prefix search: at every step the `width` likeliest beginnings are kept, each with the probability of its paths that
    end in a blank and of those that do not, and continued by the `candidates` likeliest classes. With a width and
    candidates beyond all there are, the probabilities are exact; else they are at most too small.
    """
    none = -np.inf
    kept: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, none)}  # of paths that end in a blank, and of others
    for step in np.asarray(log_shares, np.float64):
        likely = np.argsort(step)[::-1][:candidates]
        following: dict[tuple[int, ...], tuple[float, float]] = {}

        def add(text: tuple[int, ...], blank: float, sound: float, to: dict = following) -> None:
            old = to.get(text, (none, none))
            to[text] = (float(np.logaddexp(old[0], blank)), float(np.logaddexp(old[1], sound)))

        for text, (blank, sound) in kept.items():
            whole = float(np.logaddexp(blank, sound))
            add(text, whole + float(step[BLANK]), sound + float(step[text[-1]]) if text else none)
            for place in likely.tolist():
                if place != BLANK:
                    repeated = bool(text) and text[-1] == place
                    add((*text, place), none, (blank if repeated else whole) + float(step[place]))
        possible = [item for item in following.items() if max(item[1]) > none]
        ranked = sorted(possible, key=lambda item: -np.logaddexp(*item[1]))
        kept = dict(ranked[:width])
    return [(list(text), float(np.logaddexp(*ends))) for text, ends in kept.items()]
