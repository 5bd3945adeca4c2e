"""The recogniser's recipe: samples by number, texts as classes, and learning from them."""

from __future__ import annotations

import itertools
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from gocnn.images.text import fonts, recogniser, recognition, voting, words
from gocnn.images.text.alphabet import ALPHABET, CLASSES, decode, encode


@pytest.fixture(scope="module")
def drawer() -> recognition.Drawer:
    photographs = [np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)]
    font = fonts.Font(str(fonts.plain_folder() / "DejaVuSans.ttf"), "DejaVu Sans", "", frozenset(ALPHABET))
    made = recognition.Drawer([font], photographs, seed=1)
    made.words = words.Vocabulary(["stone", "liberty", "komi"], ["The", "board,"])
    return made


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, drawer: recognition.Drawer) -> recognition.Crops:
    """Chunks of 16 crops, two of them before they come again, drawn in this process."""
    monkeypatch.setattr(recognition, "CHUNK", 16)
    return recognition.Crops(drawer, pool=2)


def same(a: tuple[np.ndarray, ...], b: tuple[np.ndarray, ...]) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b))


def test_samples_depend_on_seed_and_number_alone(small: recognition.Crops, drawer: recognition.Drawer) -> None:
    batches = [small.batch(first, 4) for first in range(0, 48, 4)]
    fresh = recognition.Crops(drawer, pool=2)
    assert same(fresh.batch(40, 4), batches[10]) and same(fresh.batch(4, 4), batches[1])
    assert not same(batches[0], batches[1])


def test_a_batch_holds_words_of_like_width_with_their_texts(
    small: recognition.Crops, drawer: recognition.Drawer
) -> None:
    texts = sorted(text for text, _ in drawer.draw(0, 16))
    found, spans = [], []
    for first in range(0, 16, 4):
        inputs, classes, lengths, steps = small.batch(first, 4)
        assert inputs.shape[:3] == (4, 1, 32) and inputs.dtype == np.float32
        assert np.all(steps <= recogniser.steps(inputs.shape[3])) and steps.max() == recogniser.steps(inputs.shape[3])
        found += [decode(row[:length]) for row, length in zip(classes, lengths)]
        spans.append((steps.min(), steps.max()))
    assert sorted(found) == texts
    spans.sort()
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))


def test_words_come_again_with_the_same_texts_but_not_the_same_pixels(small: recognition.Crops) -> None:
    def all_texts(chunk: int) -> list[str]:
        _, classes, lengths, _ = small.batch(16 * chunk, 16)
        return sorted(decode(row[:length]) for row, length in zip(classes, lengths))

    assert all_texts(0) == all_texts(2) != all_texts(1)
    assert not np.array_equal(small.batch(0, 16)[0], small.batch(32, 16)[0])


def test_a_second_process_draws_the_same(
    small: recognition.Crops, drawer: recognition.Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(signal.SIGINT)
    ours = [drawer.draw(number, 16) for number in (0, 1)]
    monkeypatch.delattr(recognition.Drawer, "draw")  # here; the second process imports its own
    with small:
        theirs = [small._chunk(number) for number in (0, 1)]
    for (text, crop), (their_text, their_crop) in zip(itertools.chain(*ours), itertools.chain(*theirs), strict=True):
        assert text == their_text and np.array_equal(crop, their_crop)
    assert signal.getsignal(signal.SIGINT) == before


def test_the_loss_is_least_for_the_text_itself() -> None:
    classes = torch.tensor([encode("stone") + [0] * 15])
    lengths, steps = torch.tensor([5]), torch.tensor([12])
    path = [0, *encode("s"), *encode("t"), 0, *encode("o"), *encode("n"), *encode("n"), *encode("e"), 0, 0, 0, 0]
    logits = 9.0 * nn.functional.one_hot(torch.tensor([path]), CLASSES).float()

    class Says(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return logits

    def loss(text: list[int]) -> float:
        return float(recognition.ctc_loss(Says(), torch.zeros(1, 1, 32, 24), torch.tensor([text]), lengths, steps))

    assert loss(classes[0].tolist()) < 0.1 < loss(encode("stane") + [0] * 15)


def test_a_small_network_learns_the_words_it_is_shown(small: recognition.Crops) -> None:
    torch.manual_seed(0)
    model = recogniser.Recogniser((8, 8, 12, 12, 24), lines=1)
    batch = [torch.from_numpy(a) for a in small.batch(0, 4)]
    losses = []
    for _ in range(40):
        loss = recognition.ctc_loss(model, *batch)
        loss.backward()
        with torch.no_grad():
            for weights in model.parameters():
                weights -= 3e-3 * weights.grad.sign()
                weights.grad = None
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[10]


def test_shares_of_right_words_count_case_and_punctuation_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    said = ["Stone", "stone", "stone,", "star"]
    monkeypatch.setattr(voting, "read_words", lambda model, crops: [(text, 1.0) for text in said])
    crops = [("Stone", np.zeros((32, 40), np.uint8))] * 4
    metrics = recognition.test(nn.Identity(), crops)
    assert metrics == {"top1": 0.25, "any_case": 0.5, "letters": 0.75, "tested": 4}


def test_without_photographs_training_says_what_to_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOCNN_CACHE", str(tmp_path))
    with pytest.raises(ValueError, match="gocnn images fetch photos"):
        recognition.train(tmp_path / "run", minutes=1)
    assert not (tmp_path / "run").exists()
