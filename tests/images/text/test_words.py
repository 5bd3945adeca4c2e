"""What is written: words that the face can draw, of many kinds, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from gocnn.images.text import words
from gocnn.images.text.alphabet import ALPHABET, DIGITS, LOWER, PUNCTUATION, UPPER, decode, encode
from gocnn.images.text.fonts import Font

FULL = Font("", "Full", "", frozenset(ALPHABET))


@pytest.fixture(scope="module")
def vocabulary() -> words.Vocabulary:
    return words.Vocabulary(["stone", "liberty", "handicap", "territory"], ["The", "board,", "(empty)", "is", "19x19."])


def drawn(vocabulary: words.Vocabulary, font: Font, count: int = 1500, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [vocabulary.word(rng, font) for _ in range(count)]


def test_all_characters_come_and_no_word_is_empty_or_too_long(vocabulary: words.Vocabulary) -> None:
    found = drawn(vocabulary, FULL, 4000)
    assert set("".join(found)) == set(ALPHABET)
    assert all(1 <= len(text) <= words.LONGEST for text in found)


def test_numbers_prices_times_dates_addresses_and_all_cases_are_among_them(vocabulary: words.Vocabulary) -> None:
    found = drawn(vocabulary, FULL, 4000)
    for kind in (r"\d+", r"\$\d+\.\d\d", r"\d\d:\d\d", r"\d+\.\d+\.\d{4}", r"www\.\w+\.\w+", r"\d{3}-\d{4}", r"\d+%",
                 "stone", "Stone", "STONE", r"liberty[,.]", r"\(\w+\)"):  # fmt: skip
        assert any(words.re.fullmatch(kind, text) for text in found), kind


@pytest.mark.parametrize(
    "characters", [UPPER + DIGITS, UPPER + LOWER, UPPER + "0123456f", ALPHABET.replace("Q", "").replace("@", "")]
)
def test_a_face_is_given_only_what_it_can_write(vocabulary: words.Vocabulary, characters: str) -> None:
    font = Font("", "Some", "", frozenset(characters))
    assert all(font.supports(text) for text in drawn(vocabulary, font))


def test_a_face_without_small_letters_writes_capitals(vocabulary: words.Vocabulary) -> None:
    font = Font("", "Capitals", "", frozenset(UPPER + DIGITS + PUNCTUATION + "flh"))
    found = drawn(vocabulary, font)
    assert "STONE" in found and not set(LOWER) & set("".join(found))


def test_the_same_seed_writes_the_same(vocabulary: words.Vocabulary) -> None:
    assert drawn(vocabulary, FULL, 100, 5) == drawn(vocabulary, FULL, 100, 5) != drawn(vocabulary, FULL, 100, 6)


def test_invented_words_follow_the_pairs_of_letters_of_real_ones() -> None:
    model = words.Vocabulary(["abab", "ababab"], ["ab"])
    rng = np.random.default_rng(0)
    found = [model._invented(rng) for _ in range(200)]
    usual = [text for text in found if words.re.fullmatch("(ab)+", text)]
    assert len(usual) > 100 and len(set(usual)) > 3


def test_this_system_has_words(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("GOCNN_CACHE", str(tmp_path))
    monkeypatch.setattr(words, "LISTS", ())
    words.vocabulary.cache_clear()
    bare = words.vocabulary()
    assert len(bare.dictionary) > 1000 and "function" in bare.dictionary  # of Python's manual alone
    (tmp_path / "words.txt").write_text("komi\nnaïve\nsente's\n")
    words.vocabulary.cache_clear()
    assert set(words.vocabulary().dictionary) - set(bare.dictionary) == {"komi"}
    words.vocabulary.cache_clear()


def test_texts_are_coded_and_decoded() -> None:
    assert decode(encode(ALPHABET)) == ALPHABET
    assert encode("0~") == [1, 94]
    with pytest.raises(ValueError, match="' '"):
        encode("a b")
