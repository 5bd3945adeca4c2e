"""From rows of classes to texts: the rule of collapsing, and probabilities beside a count of all paths."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocnn.images.text import ctc


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ([], []),
        ([0, 0], []),
        ([1, 1, 1], [1]),
        ([1, 0, 1], [1, 1]),
        ([0, 2, 2, 0, 0, 1, 1, 2], [2, 1, 2]),
        ([1, 2, 1], [1, 2, 1]),
    ],
)
def test_repeats_are_merged_and_blanks_dropped(path: list[int], text: list[int]) -> None:
    assert ctc.collapse(path) == text


@given(st.lists(st.integers(1, 3), max_size=6), st.data())
def test_a_text_spelled_out_with_repeats_and_blanks_collapses_to_itself(text: list[int], data: st.DataObject) -> None:
    path: list[int] = []
    for before, place in zip([None, *text], text):
        path += [0] * data.draw(st.integers(int(before == place), 2)) + [place] * data.draw(st.integers(1, 3))
    assert ctc.collapse(path + [0] * data.draw(st.integers(0, 2))) == text


def all_texts(log_shares: np.ndarray) -> dict[tuple[int, ...], float]:
    """Every text and its probability, by the sum over every path."""
    shares: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(log_shares.shape[1]), repeat=len(log_shares)):
        text = tuple(ctc.collapse(path))
        share = float(np.exp(sum(row[place] for row, place in zip(log_shares, path))))
        shares[text] = shares.get(text, 0.0) + share
    return shares


def random_row(seed: int, steps: int = 5, classes: int = 4) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(0, 1.5, (steps, classes))
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


@pytest.mark.parametrize("seed", range(12))
def test_the_probability_of_a_text_is_the_sum_of_its_paths(seed: int) -> None:
    rows = [random_row(seed), random_row(seed + 100, steps=3)]
    texts = [[], [1], [2, 3], [1, 1], [3, 2, 1], [1, 1, 1]]
    found = np.exp(ctc.log_shares(rows, texts))
    for row, shares in zip(rows, found):
        exact = all_texts(row)
        assert shares == pytest.approx([exact.get(tuple(text), 0.0) for text in texts])


def test_greedy_takes_the_likeliest_path_which_need_not_be_of_the_likeliest_text() -> None:
    row = np.log([[0.6, 0.4], [0.6, 0.4]])
    assert ctc.greedy(row) == []
    assert np.exp(ctc.log_shares([row], [[], [1]])) == pytest.approx(np.array([[0.36, 0.4 * 0.4 + 2 * 0.4 * 0.6]]))
