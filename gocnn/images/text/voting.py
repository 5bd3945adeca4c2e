"""Reading a word in several looks that vote: cut out with several margins, narrowed by several factors.

Each look proposes the text of its likeliest path, and gives every proposal the probability of all the paths that
stand for it. The answer is the proposal that is likeliest on the mean of the looks, where it helps by the letters that
follow each other in it (`language.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from gocnn.images.text import ctc, language
from gocnn.images.text.alphabet import decode
from gocnn.images.text.language import Language
from gocnn.images.text.reading import Reader
from gocnn.images.text.recogniser import NARROWING, REACH, as_grey, narrowed, padded, standardised, steps

NARROWINGS = (NARROWING, 0.9, 0.6, 0.8)  # of a cut's width
FIRST = 2  # cuts of a word, and narrowings of each, to look at before the others, which are left out if these agree

WEIGHT = 0.1  # of the language's score of a text
LETTER = 3.0  # added to that for each character, lest short texts be preferred

Rows = list[np.ndarray]  # of one look each: log-probabilities float32 [T, classes]


def read_words(model: nn.Module, crops: Sequence[np.ndarray], *, batch: int = 32) -> list[tuple[str, float]]:
    """The text of each upright crop of a word, and how sure that is: `read_cuts` with one cut of each word."""
    return read_cuts(model, [[crop] for crop in crops], batch=batch)


def read_cuts(
    model: nn.Module, words: Sequence[Sequence[np.ndarray]], *, narrowings: Sequence[float] = NARROWINGS,
    first: int = FIRST, spoken: Language | None = None, batch: int = 32,
) -> list[tuple[str, float]]:  # fmt: skip
    """The text of each word, given as one or more upright cuts of it, and how sure that is, 0 to 1.

    Cuts are uint8 [H, W, 3] or [H, W]. The `first` of the cuts and of the `narrowings` are looked at, and all of them
    where these do not agree. Of what they propose then, texts of a language are believed more, if it is given
    (`spoken`). How sure an answer is: its probability, on the mean of the looks, to the power of one
    over its characters. The model is used as it is, on the device where it is. Raises ValueError for no picture.
    """
    greys = [[as_grey(cut) for cut in cuts] for cuts in words]
    looks = [[(grey, by) for grey in cuts[:first] for by in narrowings[:first]] for cuts in greys]
    seen = _look(model, looks, batch)
    unsettled = [k for k, rows in enumerate(seen) if len(proposals(rows)) > 1]
    others = [
        [(grey, by) for m, grey in enumerate(greys[k]) for n, by in enumerate(narrowings) if max(m, n) >= first]
        for k in unsettled
    ]
    for k, rows in zip(unsettled, _look(model, others, batch)):
        seen[k] += rows
    return [vote(rows, spoken) for rows in seen]


def reader(model: nn.Module, spoken: Language | None = None) -> Reader:
    """A recogniser, with a language or else the one that ships, as `reading.read` wants it. Raises CheckpointError."""
    return partial(read_cuts, model, spoken=spoken or language.load())


def proposals(rows: Rows) -> list[tuple[int, ...]]:
    """The different texts of the likeliest path of each look, as classes 1 to 94; no text only if no look sees one."""
    texts = {tuple(ctc.greedy(row)) for row in rows}
    return sorted(texts - {()}) or [()]


def vote(rows: Rows, spoken: Language | None = None) -> tuple[str, float]:
    """The text that is likeliest on the mean of the looks, in a language if one is given, and how sure that is, as
    `read_cuts` has it."""
    texts = proposals(rows)
    means = np.logaddexp.reduce(ctc.log_shares(rows, texts), axis=0) - np.log(len(rows))
    likely = means.copy()
    if spoken and len(texts) > 1:
        likely += [WEIGHT * (spoken.score(text) + LETTER * len(text)) for text in texts]
    best = int(likely.argmax())
    return decode(texts[best]), float(np.exp(means[best] / len(texts[best]))) if texts[best] else 0.0


def _look(model: nn.Module, looks: Sequence[Sequence[tuple[np.ndarray, float]]], batch: int) -> list[Rows]:
    """What the network says of each look (grey cut, narrowing) of each word; like widths go through it together.

    The edge of a batch, where layers pad with zeros of their own, is beyond the reach of all words in it, lest what one
    reads as depend on the others' widths.
    """
    inputs = [standardised(narrowed(grey, by=by)) for word in looks for grey, by in word]
    device = next(model.parameters()).device
    rows: Rows = [np.empty(0)] * len(inputs)
    order = sorted(range(len(inputs)), key=lambda k: inputs[k].shape[1])
    with torch.inference_mode():
        for begin in range(0, len(order), batch):
            chosen = order[begin : begin + batch]
            logits = model(torch.from_numpy(padded([inputs[k] for k in chosen], REACH)).to(device))
            for row, k in zip(logits.float().log_softmax(2).cpu().numpy(), chosen):
                rows[k] = row[: steps(inputs[k].shape[1])]
    ends = np.cumsum([0, *map(len, looks)])
    return [rows[begin:end] for begin, end in pairwise(ends)]
