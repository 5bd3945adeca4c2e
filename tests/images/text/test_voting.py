"""Words read by vote: of looks that differ the likeliest on the whole, and what the network that ships can read."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import Tensor, nn

from gocnn.images.text import fonts, recogniser, voting
from gocnn.images.text.alphabet import ALPHABET, CLASSES, encode


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


def test_narrower_words_of_a_batch_are_read_as_if_alone() -> None:
    model = recogniser.load()
    crops = [written(text) for text in ("stone", "Go", "territory-scoring", "25.50")]
    together = voting.read_words(model, crops, batch=4)
    alone = [voting.read_words(model, [crop])[0] for crop in crops]
    assert [text for text, _ in together] == [text for text, _ in alone]
    assert [sure for _, sure in together] == pytest.approx([sure for _, sure in alone], abs=1e-5)


@pytest.mark.parametrize(
    "shape", [(32, 100, 3), (7, 9, 3), (300, 80, 3), (64, 3000, 3), (1, 1, 3), (20, 50), (20, 50, 4)]
)
def test_crops_of_any_size_and_colour_are_taken(model: recogniser.Recogniser, shape: tuple[int, ...]) -> None:
    crop = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    ((text, sure),) = voting.read_words(model, [crop])
    assert set(text) <= set(ALPHABET) and 0 <= sure <= 1


def test_no_crops_no_words_and_no_picture_an_error(model: recogniser.Recogniser) -> None:
    assert voting.read_words(model, []) == []
    for crop in (np.zeros((0, 5, 3), np.uint8), np.zeros((32, 40, 3), np.float32), np.zeros((32, 40, 2), np.uint8)):
        with pytest.raises(ValueError, match="no picture of a word"):
            voting.read_words(model, [crop])


@pytest.mark.parametrize("face", ["DejaVuSans", "DejaVuSerif", "DejaVuSans-Bold"])
@pytest.mark.parametrize(("ink", "paper"), [(10, 240), (250, 60)])
def test_the_shipped_network_reads_plain_words(face: str, ink: int, paper: int) -> None:
    texts = ["Hello", "WORLD", "handicap", "Territory", "1984", "$24.50", "12:30", "www.example.org", "(quick)", "fox,"]
    crops = [written(text, face=face, ink=ink, paper=paper) for text in texts]
    said = voting.read_words(recogniser.load(), crops)
    wrong = [(text, read) for text, (read, _) in zip(texts, said) if text != read]
    assert len(wrong) <= 1, wrong
    assert np.mean([sure for _, sure in said]) > 0.8


def row(*steps: dict[str, float]) -> np.ndarray:
    """A look's log-probabilities: at each step those of some characters, the rest for none."""
    shares = np.full((len(steps), CLASSES), 1e-9)
    for place, step in enumerate(steps):
        for character, share in step.items():
            shares[place, encode(character)[0]] = share
        shares[place, 0] = 1 - sum(step.values())
    return np.log(shares)


def test_two_looks_that_half_believe_it_outvote_a_surer_one() -> None:
    sure, others = row({"O": 0.7, "0": 0.02}), row({"0": 0.6, "O": 0.3})
    assert voting.vote([sure, others, others]) == ("O", pytest.approx((0.7 + 0.3 + 0.3) / 3))
    assert voting.vote([sure, others, others, others]) == ("0", pytest.approx((0.02 + 3 * 0.6) / 4))


def test_how_sure_an_answer_is_goes_by_its_characters() -> None:
    text, sure = voting.vote([row({"G": 0.8}, {}, {"o": 0.6})])
    assert text == "Go" and sure == pytest.approx((0.8 * 0.6) ** 0.5)


def test_looks_that_see_nothing_do_not_vote_for_nothing() -> None:
    empty = row({"l": 0.1})
    assert voting.vote([empty, empty, row({"l": 0.8})]) == ("l", pytest.approx(1.0 / 3))
    assert voting.vote([empty, empty]) == ("", 0.0)


class Undecided(nn.Module):
    """Says A of bright words and of narrow ones, B of wide ones that are dark; counts what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))
        self.widths: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        logits = torch.zeros(len(x), recogniser.steps(x.shape[3]), CLASSES)
        for image, place in zip(x, logits):
            self.widths.append(int((image[0] != 0).any(0).sum()))
            place[:, encode("A" if image[0, 0, 0] > 0 or self.widths[-1] < 40 else "B")[0]] = 9.0
        return logits


def test_words_on_which_the_first_looks_agree_are_looked_at_no_more() -> None:
    bright, dark = np.full((32, 50), 10, np.uint8), np.full((32, 50), 240, np.uint8)
    bright[0], dark[0] = 250, 20
    reader = Undecided()
    said = voting.read_cuts(reader, [[bright] * 3, [dark] * 3, [bright]], narrowings=(0.7, 0.9, 0.6, 0.5), first=2)
    assert [text for text, _ in said] == ["A", "A", "A"]
    assert sorted(reader.widths) == sorted([35, 45] * (2 + 2 + 1) + [35, 45] + [30, 25] * 3)
