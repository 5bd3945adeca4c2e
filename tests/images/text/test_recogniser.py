"""The recogniser: any width, the same answers alone and in company, and what the one that ships can read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from gocnn import checkpoint
from gocnn.images.text import fonts, recogniser
from gocnn.images.text.alphabet import ALPHABET, CLASSES


@pytest.fixture(scope="module")
def model() -> recogniser.Recogniser:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return recogniser.Recogniser((8, 16, 16, 24, 32), lines=1).eval()


def written(text: str, *, face: str = "DejaVuSans", size: int = 40, ink: int = 20, paper: int = 230) -> np.ndarray:
    """A word on plain paper, cut out as the quads of words are: with the height of a capital at least."""
    font = fonts.Font(str(fonts.plain_folder() / f"{face}.ttf"), face, "", frozenset(ALPHABET)).at(size)
    left, top, right, bottom = font.getbbox(text, anchor="ls")
    top, bottom = min(top, font.getbbox("H", anchor="ls")[1]), max(bottom, 0)
    image = Image.new("L", (int(right - left) + 4, int(bottom - top) + 4), paper)
    ImageDraw.Draw(image).text((2 - left, 2 - top), text, font=font, fill=ink, anchor="ls")
    return np.array(image.convert("RGB"))


@pytest.mark.parametrize("width", [1, 3, 4, 5, 31, 100, 1000])
def test_a_word_of_any_width_gets_two_steps_every_four_columns(model: recogniser.Recogniser, width: int) -> None:
    logits = model(torch.zeros(2, 1, 32, width))
    assert logits.shape == (2, recogniser.steps(width), CLASSES) == (2, 2 * ((width + 3) // 4), 95)


def test_a_place_sees_its_neighbourhood_only(model: recogniser.Recogniser) -> None:
    image = torch.zeros(1, 1, 32, 400)
    other = image.clone()
    other[..., 300:] = 1
    same = torch.isclose(model(image), model(other)).all(2)[0]
    assert same[: 2 * 50].all() and not same[2 * 75 :].all()


def test_narrower_words_of_a_batch_are_read_as_if_alone() -> None:
    model = recogniser.load()
    crops = [written(text) for text in ("stone", "Go", "territory-scoring", "25.50")]
    together = recogniser.read_words(model, crops, batch=4)
    alone = [recogniser.read_words(model, [crop])[0] for crop in crops]
    assert [text for text, _ in together] == [text for text, _ in alone]


@pytest.mark.parametrize(
    "shape", [(32, 100, 3), (7, 9, 3), (300, 80, 3), (64, 3000, 3), (1, 1, 3), (20, 50), (20, 50, 4)]
)
def test_crops_of_any_size_and_colour_are_taken(model: recogniser.Recogniser, shape: tuple[int, ...]) -> None:
    crop = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    ((text, sure),) = recogniser.read_words(model, [crop])
    assert set(text) <= set(ALPHABET) and 0 <= sure <= 1


def test_the_answer_is_the_surest_of_several_looks() -> None:
    model = recogniser.load()
    crops = [written(text, size=16) for text in ("stone", "Liberty", "1984")]
    single = [recogniser.read_words(model, crops, looks=(by,)) for by in (0.5, 0.625, 1.0)]
    together = recogniser.read_words(model, crops, looks=(0.5, 0.625, 1.0), batch=1)
    for answer, *each in zip(together, *single):
        text, sure = max(each, key=lambda one: one[1])
        assert answer[0] == text and abs(answer[1] - sure) < 1e-3


def test_no_crops_no_words_and_no_picture_an_error(model: recogniser.Recogniser) -> None:
    assert recogniser.read_words(model, []) == []
    for crop in (np.zeros((0, 5, 3), np.uint8), np.zeros((32, 40, 3), np.float32), np.zeros((32, 40, 2), np.uint8)):
        with pytest.raises(ValueError, match="no picture of a word"):
            recogniser.read_words(model, [crop])


def test_brightness_and_contrast_make_no_difference() -> None:
    grey = recogniser.narrowed(recogniser.as_grey(written("contrast")))
    faint = (grey // 2 + 60).astype(np.uint8)
    assert np.allclose(recogniser.standardised(grey), recogniser.standardised(faint), atol=0.05)
    assert np.all(recogniser.standardised(np.full((32, 9), 77, np.uint8)) == 0)


def test_saved_and_loaded_it_says_the_same(model: recogniser.Recogniser, tmp_path: Path) -> None:
    place = tmp_path / "r.safetensors"
    recogniser.save(place, model, {"note": "untrained"})
    again = recogniser.load(place)
    x = torch.randn(1, 1, 32, 60, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(model(x), again(x), atol=0.02)  # halves of float
    checkpoint.save(place, "policy", {}, {"a": torch.zeros(1)})
    with pytest.raises(checkpoint.CheckpointError, match="policy"):
        recogniser.load(place)
    checkpoint.save(place, recogniser.KIND, {"widths": [1, 2], "lines": 0}, {})
    with pytest.raises(checkpoint.CheckpointError, match="do not fit"):
        recogniser.load(place)


@pytest.mark.parametrize("face", ["DejaVuSans", "DejaVuSerif", "DejaVuSans-Bold"])
@pytest.mark.parametrize(("ink", "paper"), [(10, 240), (250, 60)])
def test_the_shipped_network_reads_plain_words(face: str, ink: int, paper: int) -> None:
    texts = ["Hello", "WORLD", "handicap", "Territory", "1984", "$24.50", "12:30", "www.example.org", "(quick)", "fox,"]
    crops = [written(text, face=face, ink=ink, paper=paper) for text in texts]
    said = recogniser.read_words(recogniser.load(), crops)
    wrong = [(text, read) for text, (read, _) in zip(texts, said) if text != read]
    assert len(wrong) <= 1, wrong
    assert np.mean([sure for _, sure in said]) > 0.8


def test_a_beam_reads_no_worse_than_the_likeliest_path() -> None:
    model = recogniser.load()
    texts = ["Beam", "search", "LITTLE", "1000"]
    crops = [written(text, size=14) for text in texts]
    right = [sum(a == b for a, (b, _) in zip(texts, recogniser.read_words(model, crops, beam=k))) for k in (1, 8)]
    assert right[1] >= right[0] >= 3


def test_the_shipped_file_is_small() -> None:
    place = Path(recogniser.__file__).parents[2] / "weights" / "text-recogniser.safetensors"
    assert place.stat().st_size < 3_000_000
