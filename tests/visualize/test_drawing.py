"""Pictures: nothing that is drawn is cut off, and a caption is close under what it speaks of."""

from __future__ import annotations

import textwrap
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from gocnn.visualize import drawing

DPI = 110
CAPTION = "Words about what one sees, and then some more of them, so that they fill a few lines. " * 3


def ink(figure: Figure, caption: str = CAPTION) -> np.ndarray:
    """bool [H, W]: where the PNG file is not white."""
    return np.asarray(Image.open(BytesIO(drawing.png(figure, caption, dpi=DPI))).convert("L")) < 250


@pytest.mark.parametrize(("height", "width"), [(10, 40), (40, 10), (20, 20)])
@pytest.mark.parametrize("title", ["short", "a title that is far wider than the picture that it stands above, whole"])
def test_nothing_is_cut_off_and_the_caption_is_close(height: int, width: int, title: str) -> None:
    drawn = ink(drawing.grid([np.zeros((height, width))], columns=1, titles=[title]))
    edge = int(0.7 * drawing.GAP * DPI)
    assert not drawn[:edge].any() and not drawn[-edge:].any()
    assert not drawn[:, :edge].any() and not drawn[:, -edge:].any()
    white = np.flatnonzero(~drawn.any(1))
    gaps = np.split(white, np.flatnonzero(np.diff(white) > 1) + 1)
    assert max(map(len, gaps)) <= 1.5 * drawing.GAP * DPI


def test_a_figure_of_subfigures_keeps_its_titles() -> None:
    figure = Figure(figsize=(4, 2), layout="constrained")
    for part in figure.subfigures(1, 2):
        part.suptitle("a heading", fontsize=9)
        drawing.show(part.subplots(), np.zeros((20, 20)))
    share = ink(figure).mean(1)
    assert np.flatnonzero(share)[0] < np.argmax(share > 0.6) - 8  # the headings are above the pictures


def test_the_same_figure_gives_the_same_file() -> None:
    one, two = (drawing.png(drawing.grid([np.eye(5)] * 3, columns=2), CAPTION) for _ in range(2))
    assert one == two


@given(st.text("abc  ", max_size=300), st.integers(5, 60))
def test_balanced_lines_keep_every_word_in_as_few_lines(text: str, width: int) -> None:
    lines = drawing._balanced(text, width)
    assert "".join(" ".join(lines).split()) == "".join(text.split())
    assert len(lines) == len(textwrap.wrap(text, width))
    assert all(len(line) <= width for line in lines)


def test_balanced_leaves_no_lonely_word() -> None:
    assert [len(line) for line in drawing._balanced("word " * 13, 54)] == [34, 29]  # 11 and 2 words if greedy


def test_lines_below_a_picture_are_coloured_by_whether_they_are_right() -> None:
    _, cells = drawing.canvas()
    drawing.below(cells[0, 0], [("a 7", True), ("a 1", False)])
    assert [text.get_color() for text in cells[0, 0].texts] == [drawing.RIGHT, drawing.WRONG]


def test_overlay_mixes_picture_and_heat() -> None:
    grey = np.full((2, 3), 255, np.uint8)
    assert np.array_equal(drawing.overlay(grey, np.zeros((2, 3)), strength=0), np.ones((2, 3, 3)))
    cold, hot = drawing.overlay(grey, np.array([[0.0, 1.0, 1.0]] * 2))[0, :2]
    assert cold[2] > cold[0] and hot[0] > hot[2]  # blue and red


def test_a_frame_is_as_tall_and_as_wide_as_its_box() -> None:
    axes = Figure().add_subplot()
    drawing.frame(axes, (2, 3, 7, 13))
    (outline,) = axes.patches
    assert (outline.get_y(), outline.get_x()) == (1.5, 2.5)
    assert (outline.get_height(), outline.get_width()) == (5, 10)
