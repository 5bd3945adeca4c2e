"""`gocnn dehaze`: where its pictures go, what it says, and what it makes of files that are no photographs."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from gocnn.cli import main
from gocnn.images import pictures, samples


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    picture = samples.photograph("coffee")[:90, :120] // 2 + 100
    Image.fromarray(picture).save(tmp_path / "valley.png")
    return tmp_path / "valley.png"


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["dehaze", *map(str, words)])


def test_it_writes_beside_the_photograph_and_says_what_it_saw(photo: Path) -> None:
    result = run(photo)
    assert result.exit_code == 0, result.output
    written = photo.with_name("valley-dehazed.png")
    assert str(written) in result.output and "of the light was haze's" in result.output
    clear, seen = pictures.read(written), pictures.read(photo)
    assert clear.shape == seen.shape and clear.std() > 1.2 * seen.std()


def test_strength_zero_changes_nothing(photo: Path, tmp_path: Path) -> None:
    assert run(photo, "-o", tmp_path / "same.png", "--strength", "0").exit_code == 0
    np.testing.assert_array_equal(pictures.read(tmp_path / "same.png"), pictures.read(photo))


def test_side_by_side_is_before_and_after(photo: Path, tmp_path: Path) -> None:
    assert run(photo, "-o", tmp_path / "one.png").exit_code == 0
    assert run(photo, "-o", tmp_path / "both.png", "--side-by-side").exit_code == 0
    both = pictures.read(tmp_path / "both.png")
    assert both.shape == (90, 248, 3)
    np.testing.assert_array_equal(both[:, :120], pictures.read(photo))
    np.testing.assert_array_equal(both[:, 128:], pictures.read(tmp_path / "one.png"))


def test_several_go_into_a_folder_and_a_broken_one_costs_one_line(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"half a picture")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 30, 4), np.uint8)).save(tmp_path / "clear.png")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (3, 5), np.uint8)).save(tmp_path / "grey.png")
    names = ["valley.png", "broken.jpg", "missing.jpg", "clear.png", "grey.png"]
    result = run(*(tmp_path / name for name in names), "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "clear-dehazed.png", "grey-dehazed.png", "valley-dehazed.png",
    ]  # fmt: skip
    errors = [line for line in result.output.splitlines() if line.startswith("Error")]
    assert len(errors) == 2 and "broken.jpg" in errors[0] and "missing.jpg" in errors[1]
    assert pictures.read(tmp_path / "out" / "grey-dehazed.png").shape == (3, 5, 3)


def test_other_formats_and_the_dark_channel(photo: Path, tmp_path: Path) -> None:
    result = run(photo, "-o", tmp_path / "clear.jpg", "--method", "dark-channel")
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "clear.jpg") as image:
        assert image.format == "JPEG" and image.size == (120, 90)


@pytest.mark.parametrize("option", [("--strength", "0.5"), ("--model", "own.safetensors")])
def test_options_of_the_network_are_refused_before_anything_is_made(photo: Path, option: tuple[str, str]) -> None:
    result = run(photo, "--method", "dark-channel", *option, "-o", photo.with_name("out"))
    assert result.exit_code == 2 and "--model and --strength are for the network" in result.output
    assert [place.name for place in photo.parent.iterdir()] == ["valley.png"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["valley.png", "other.png", "-o", "one.png"], "give a folder"),
        (["valley.png", "-o", "one.gif"], "cannot write .gif"),
        (["valley.png", "-o", "valley.png"], "written over"),
        (["valley.png", "sub/valley.png", "-o", "out"], "two photographs"),
        (["valley.png", "--model", "no.safetensors"], "no.safetensors: no such file"),
    ],
)
def test_wrong_requests_are_refused_in_a_line(
    photo: Path, words: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photo.parent)
    before = photo.read_bytes()
    result = run(*words)
    assert result.exit_code == 1 and told in result.output and len(result.output.splitlines()) == 1
    assert photo.read_bytes() == before and not list(photo.parent.glob("*dehazed*"))
