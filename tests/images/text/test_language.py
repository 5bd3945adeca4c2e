"""Which characters follow which: counts beside a plain count, backing off, and what the one that ships prefers."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocnn import checkpoint
from gocnn.images.text import language, voting
from gocnn.images.text.alphabet import ALPHABET, CLASSES, encode
from tests.images.text.test_voting import row


@given(st.lists(st.text("abO0.", max_size=6), min_size=1, max_size=8))
def test_rows_are_counted_within_texts_alone(texts: list[str]) -> None:
    plain: Counter[int] = Counter()
    for text in filter(None, texts):
        padded = [0, 0, 0, *encode(text), 0]
        plain.update(language._number(padded[k : k + 4]) for k in range(len(padded) - 3))
    rows, counts = language.count(texts, least=1)
    assert dict(zip(rows.tolist(), counts.tolist())) == plain
    assert (np.diff(rows) > 0).all()


def test_what_was_never_seen_is_scored_by_shorter_rows() -> None:
    spoken = language.Language(*language.count(["ab", "ab", "ac", "b"], least=1))
    # a: 3 of 4 begin so; b after a: 2 of 3; and each text with b ends there.
    assert spoken.score(encode("ab")) == pytest.approx(math.log(3 / 4 * 2 / 3))
    # c never began a text: the shares among all seven characters and four ends, three steps back.
    once = 0.4**3 * 1 / 11
    assert spoken.score(encode("c")) == pytest.approx(math.log(once * 0.4**2 * 1))
    never = 0.4**4 / CLASSES
    assert spoken.score(encode("z")) == pytest.approx(math.log(never * 0.4**3 * 4 / 11))


def test_the_language_that_ships_knows_words_from_noise() -> None:
    spoken = language.load()
    pairs = ("stone", "st0ne"), ("1050", "1O5O"), ("Handicap", "Handlcap"), ("the", "tbe"), ("km/h", "krn/h")
    for better, worse in pairs:
        assert spoken.score(encode(better)) > spoken.score(encode(worse)) + 1
    assert (Path(language.__file__).parents[2] / "weights" / "text-language.safetensors").stat().st_size < 600_000


def test_a_language_decides_where_looks_differ_and_does_not_outvote_them() -> None:
    spoken = language.load()

    def like(middle: dict[str, float]) -> np.ndarray:
        return row(*({c: 0.98} if c else middle for c in ("s", "t", "", "n", "e")))

    torn = [like({"o": 0.44, "0": 0.5}), like({"o": 0.5, "0": 0.46})]
    assert voting.vote(torn)[0] == "st0ne" and voting.vote(torn, spoken)[0] == "stone"
    clear = [like({"o": 0.005, "0": 0.98})] * 9 + [like({"o": 0.5, "0": 0.4})]
    assert len(voting.proposals(clear)) == 2
    assert voting.vote(clear, spoken)[0] == "st0ne"


def test_trained_saved_and_loaded(tmp_path: Path) -> None:
    told = language.train(tmp_path / "run", words=300, seed=1)
    assert told["words"] == 300 and told["rows"] > 50
    again = language.load(tmp_path / "run" / "network.safetensors")
    assert again.score(encode("the")) > again.score(encode("xqz"))
    assert np.isfinite(again.score(encode(ALPHABET)))
    place = tmp_path / "other.safetensors"
    checkpoint.save(place, "policy", {}, {})
    with pytest.raises(checkpoint.CheckpointError, match="policy"):
        language.load(place)
