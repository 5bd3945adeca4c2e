"""From rows of classes to texts: the rule of collapsing, and the searches beside a count of all paths."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
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
def test_a_beam_wider_than_all_texts_gives_every_text_its_exact_probability(seed: int) -> None:
    log_shares = random_row(seed)
    exact = all_texts(log_shares)
    found = {tuple(text): np.exp(value) for text, value in ctc.beam(log_shares, 10_000, 10_000)}
    assert set(found) == {text for text, share in exact.items() if share > 0}
    assert all(found[text] == pytest.approx(exact[text]) for text in found)


@pytest.mark.parametrize("seed", range(12))
def test_a_narrow_beam_finds_the_likeliest_text_and_never_claims_too_much(seed: int) -> None:
    log_shares = random_row(seed, steps=6)
    exact = all_texts(log_shares)
    found = ctc.beam(log_shares, width=8)
    assert tuple(found[0][0]) == max(exact, key=lambda text: exact[text])
    assert all(np.exp(value) <= exact[tuple(text)] + 1e-9 for text, value in found)
    assert [value for _, value in found] == sorted((value for _, value in found), reverse=True)


def test_greedy_takes_the_likeliest_path_which_need_not_be_of_the_likeliest_text() -> None:
    log_shares = np.log([[0.6, 0.4], [0.6, 0.4]])
    text, value = ctc.greedy(log_shares)
    assert text == [] and np.exp(value) == pytest.approx(0.36)
    assert ctc.beam(log_shares)[0][0] == [1]  # 0.4 * 0.4 + 2 * 0.4 * 0.6


@pytest.mark.parametrize("text", [[1], [1, 2], [2, 2], []])
def test_the_probability_of_a_text_is_that_of_torch(text: list[int]) -> None:
    log_shares = random_row(3)
    found = dict((tuple(t), value) for t, value in ctc.beam(log_shares, 10_000, 10_000))
    loss = torch.nn.functional.ctc_loss(
        torch.from_numpy(log_shares)[:, None], torch.tensor([text], dtype=torch.long), (5,), (len(text),),
        reduction="none",
    )  # fmt: skip
    assert found[tuple(text)] == pytest.approx(-float(loss))
