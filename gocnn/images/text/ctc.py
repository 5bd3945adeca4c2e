"""Connectionist temporal classification: from a row of classes, one a step, to a text (Graves et al. 2006,
https://doi.org/10.1145/1143844.1143891).

A path names a class or the blank at every step. The text it stands for is what is left when repeats are merged and then
blanks dropped: so a double letter needs a blank between. Many paths stand for one text; its probability is their sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch.nn.functional import ctc_loss

BLANK = 0


def collapse(path: Iterable[int]) -> list[int]:
    """The classes that a path stands for: repeats merged, then blanks dropped."""
    text, before = [], BLANK
    for step in path:
        if step != before and step != BLANK:
            text.append(int(step))
        before = step
    return text


def greedy(log_shares: np.ndarray) -> list[int]:
    """The text of the likeliest path through log-probabilities [T, classes]."""
    return collapse(log_shares.argmax(1))


def log_shares(rows: Sequence[np.ndarray], texts: Sequence[Sequence[int]]) -> np.ndarray:
    """The log-probability of each text, by the sum of its paths through each row of log-probabilities [T, classes].

    Texts are classes without blanks. Rows may differ in T. Returns float64 [rows, texts]; minus infinity where a text
    needs more steps than there are.
    """
    lengths = torch.tensor([len(row) for row in rows])
    steps = torch.zeros(int(lengths.max()), len(rows), rows[0].shape[1], dtype=torch.float64)
    for k, row in enumerate(rows):
        steps[: len(row), k] = torch.from_numpy(row)
    columns = [
        -ctc_loss(steps, torch.tensor([list(text)] * len(rows), dtype=torch.long), lengths,
                  torch.full_like(lengths, len(text)), BLANK, reduction="none")
        for text in texts
    ]  # fmt: skip
    return torch.stack(columns, 1).numpy()
