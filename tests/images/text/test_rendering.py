"""Drawing: the corners of words hold their ink, pictures depend on their numbers alone, the camera keeps its limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.path import Path as Polygon
from PIL import Image

from gocnn.images import datasets, photos
from gocnn.images.text import fonts, quads, rendering, scenes, words
from gocnn.images.text.alphabet import ALPHABET


@pytest.fixture(scope="module")
def faces() -> list[fonts.Font]:
    """Three faces that come with matplotlib."""
    places = [fonts.plain_folder() / f"{name}.ttf" for name in ("DejaVuSans", "DejaVuSerif-Italic", "STIXGeneral")]
    return [fonts.Font(str(place), place.stem, "", frozenset(ALPHABET)) for place in places]


@pytest.fixture(scope="module")
def vocabulary() -> words.Vocabulary:
    return words.Vocabulary(["stone", "liberty", "handicap", "jigo"], ["The", "board,", "(empty)", "is", "19x19."])


PHOTOGRAPHS = [np.random.default_rng(k).integers(0, 256, (256, 300, 3), np.uint8) for k in range(2)]


def inside(quad: np.ndarray, shape: tuple[int, int], margin: float) -> np.ndarray:
    """Which pixels' middles lie in a quad made larger by a margin."""
    rows, columns = np.indices(shape)
    points = np.stack([columns.ravel() + 0.5, rows.ravel() + 0.5], 1)
    return Polygon(quads.offset(quad, margin)).contains_points(points).reshape(shape)


@pytest.mark.parametrize("seed", range(8))
def test_the_corners_of_words_hold_all_ink_and_are_close_to_it(faces: list[fonts.Font], seed: int) -> None:
    rng = np.random.default_rng(seed)
    lines = [["Ag,", "jfy"], ["'tis", "no", "Quay_"]]
    panel = rendering.typeset(rng, faces[seed % 3], 40, lines, outlined=seed == 3, spaced=seed in (1, 4), leading=1.5)
    height, width = panel.ink.shape
    corners = rendering.pose(rng, width, height)
    target = corners - corners.min(0) + 5
    image = np.zeros((*np.ceil(target.max(0)).astype(int)[::-1] + 5, 3), np.uint8)
    sheet = Image.new("RGBA", (width, height), (255, 255, 255, 0))
    sheet.putalpha(Image.fromarray(panel.ink if panel.outline is None else panel.outline))
    rendering.lay(image, sheet, target)
    ink = image[..., 0] > 60
    found = scenes.placed(panel, target)
    assert [word.text for word in found] == [text for line in lines for text in line]
    held = np.zeros(ink.shape, bool)
    for word in found:
        here = inside(word.quad, ink.shape, 1.0)
        assert not (held & here & ink).any(), "the ink of one word is in two quads"
        held |= here
        crop = quads.rectify(image, word.quad)[..., 0] > 60
        columns = np.flatnonzero(crop.any(0))
        assert columns[0] <= 4 and columns[-1] >= crop.shape[1] - 5
        assert np.flatnonzero(crop.any(1))[-1] >= 24  # down to the baseline
    assert not (ink & ~held).any()


def test_small_letters_have_the_room_of_capitals_above_and_commas_their_room_below(faces: list[fonts.Font]) -> None:
    panel = rendering.typeset(np.random.default_rng(0), faces[0], 60, [["aaa", "AAA", "a,g"]], spaced=False)
    (_, small), (_, capital), (_, deep) = panel.words
    assert small[1] == pytest.approx(capital[1], abs=1) and deep[3] > small[3] + 5
    assert small[3] == pytest.approx(capital[3], abs=2)


def test_a_scene_is_a_function_of_seed_and_number(faces: list[fonts.Font], vocabulary: words.Vocabulary) -> None:
    drawn = scenes.Scenes(faces, PHOTOGRAPHS, size=(192, 256), seed=3, words=vocabulary)
    first = drawn.scene(5)
    drawn.scene(6)
    again = scenes.Scenes(faces, PHOTOGRAPHS, size=(192, 256), seed=3, words=vocabulary).scene(5)
    assert np.array_equal(first.image, again.image) and [w.text for w in first.words] == [w.text for w in again.words]
    assert all(np.array_equal(a.quad, b.quad) for a, b in zip(first.words, again.words))
    other = scenes.Scenes(faces, PHOTOGRAPHS, size=(192, 256), seed=4, words=vocabulary).scene(5)
    assert not np.array_equal(first.image, other.image)


def test_words_of_scenes_lie_in_the_picture_clockwise_and_apart(
    faces: list[fonts.Font], vocabulary: words.Vocabulary
) -> None:
    drawn = scenes.Scenes(faces, PHOTOGRAPHS, size=(256, 320), words=vocabulary)
    count = 0
    for index in range(12):
        scene = drawn.scene(index)
        assert scene.image.shape == (256, 320, 3) and scene.image.dtype == np.uint8
        for k, word in enumerate(scene.words):
            assert word.quad.shape == (4, 2) and word.quad.dtype == np.float32 and quads.area(word.quad) > 20
            assert word.quad.min() >= -1 and np.all(word.quad.max(0) <= (321, 257))
            assert all(quads.iou(word.quad, other.quad) < 0.35 for other in scene.words[:k])
        count += len(scene.words)
    assert count > 40


def test_crops_are_grey_of_height_32_and_repeat(faces: list[fonts.Font], vocabulary: words.Vocabulary) -> None:
    def crops() -> list[tuple[str, np.ndarray]]:
        rng = np.random.default_rng(8)
        return [c for _ in range(10) for c in scenes.draw_crops(rng, scenes.Chooser(faces), PHOTOGRAPHS, vocabulary)]

    first, again = crops(), crops()
    assert all(crop.dtype == np.uint8 and crop.ndim == 2 and crop.shape[0] == 32 for _, crop in first)
    assert [text for text, _ in first] == [text for text, _ in again]
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(first, again))


@pytest.mark.parametrize("channels", [1, 3])
def test_the_camera_keeps_size_and_type(channels: int) -> None:
    image = PHOTOGRAPHS[0][:50, :70] if channels == 3 else PHOTOGRAPHS[0][:50, :70, 0]
    for seed in range(30):
        seen = rendering.camera(np.random.default_rng(seed), image, 20.0)
        assert seen.shape == image.shape and seen.dtype == np.uint8


@pytest.mark.parametrize("ground", [np.zeros((5, 3)), np.full((5, 3), 255.0), np.full((5, 3), 128.0)])
@pytest.mark.parametrize("plate", [False, True])
def test_ink_can_be_told_from_what_is_behind_it(faces: list[fonts.Font], ground: np.ndarray, plate: bool) -> None:
    panel = rendering.typeset(np.random.default_rng(0), faces[0], 30, [["MMM"]], spaced=False)
    _, (left, top, right, bottom) = panel.words[0]
    middle = slice(int(top), int(bottom)), slice(int(left), int(right))
    for seed in range(20):
        sheet = rendering.paint(np.random.default_rng(seed), panel, ground, plate=plate)
        seen = Image.new("RGBA", sheet.size, (*ground[0].astype(int).tolist(), 255))
        seen.alpha_composite(sheet)
        grey = np.asarray(seen.convert("L"), np.float32)[middle]
        ink, rest = grey[panel.ink[middle] > 250], grey[panel.ink[middle] == 0]
        assert abs(np.median(ink) - np.median(rest)) > 15


def test_no_fonts_are_refused() -> None:
    with pytest.raises(ValueError, match="no fonts"):
        scenes.Chooser([])
    with pytest.raises(ValueError, match="train or test"):
        scenes.split("validation")


def test_without_fonts_of_a_part_the_command_that_fetches_some_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, faces: list[fonts.Font]
) -> None:
    monkeypatch.setenv("GOCNN_CACHE", str(tmp_path))
    datasets.keep(photos.NAME, {f"{number}": PHOTOGRAPHS[0] for number in range(scenes.HELD_OUT)})
    monkeypatch.setattr(fonts, "find", lambda: faces)
    assert scenes.split("train")[0] == faces
    with pytest.raises(datasets.DataError, match="gocnn images fetch fonts"):
        scenes.split("test")
