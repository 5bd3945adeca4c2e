"""`gocnn dream`: what can be asked for by name, what is written, and what is said of what will not do."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from gocnn.images import dreams, making, models, pictures, samples, squeezenet
from gocnn.images.dream_command import dream
from gocnn.visualize.dream import Moment

SHORT = ["--octaves", "1", "--steps", "2"]


@pytest.fixture(scope="module")
def model() -> torch.nn.Module:
    return models.load("squeezenet").model


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    place = tmp_path / "sky.png"
    Image.fromarray(pictures.resize(samples.photograph("rocket"), 64, 96)).save(place)
    return place


def run(*arguments: object) -> Result:
    return CliRunner().invoke(dream, [str(argument) for argument in arguments])


def test_blocks_are_taken_ahead_of_their_relu(model: torch.nn.Module) -> None:
    image = making.as_input(samples.photograph("dog"))[:, :, :128, :128]
    found = {}
    hooks = [
        model.get_submodule(name).register_forward_hook(lambda _, __, output, name=name: found.update({name: output}))
        for name in (*squeezenet.before_relu("fire8"), "fire8")
    ]
    with torch.no_grad():
        model(image)
    for hook in hooks:
        hook.remove()
    ahead = torch.cat([found[name] for name in squeezenet.before_relu("fire8")], 1)
    assert ahead.min() < 0 and torch.equal(ahead.relu(), found["fire8"])
    assert squeezenet.before_relu("conv10") == ("conv10.conv",) and squeezenet.before_relu("pool1") == ("pool1",)


def test_targets_by_name(model: torch.nn.Module) -> None:
    assert [target.layers[0] for target in dreams.targets(model)] == ["fire7.expand1.conv", "fire8.expand1.conv"]
    both = dreams.targets(model, ["fire4:3,17", "fire5"], ["Goldfish"], samples.photograph("duck"))
    assert both[0].channels == (3, 17) and both[0].guide is None
    assert both[1].guide is not None and both[1].guide.shape[0] == 256
    assert squeezenet.class_names()[both[2].channels[0]] == "goldfish" and both[2].layers == ("conv10.conv",)
    for given in ({"classes": ["peafowl"]}, {"layers": ["fire4:3"]}):
        with pytest.raises(ValueError, match="a picture guides whole layers"):
            dreams.targets(model, **given, shown=samples.photograph("duck"))


@pytest.mark.slow
def test_a_class_that_is_dreamt_of_is_what_the_network_then_sees(model: torch.nn.Module) -> None:
    sky = making.sized(samples.photograph("rocket"), 160, 160)
    place = squeezenet.class_names().index("peafowl")

    def share(picture: np.ndarray) -> float:
        with torch.no_grad():
            return float(model(making.as_input(picture)).softmax(1)[0, place])

    wanted = dreams.targets(model, classes=["peafowl"])
    *_, last = dreams.dreaming(model, sky, wanted, dreams.recipe(octaves=2, steps=20))
    assert share(sky) < 0.01 and share(dreams.drawn(last)) > 0.5


def test_colours_vary_as_in_photographs(model: torch.nn.Module) -> None:
    """Of a grey picture, a dream is less colourful than one in any colours, and brightness is what varies most."""
    grey = np.full((96, 96, 3), 120, np.uint8)
    wanted = dreams.targets(model)

    def colourfulness(**settings: object) -> float:
        *_, last = dreams.dreaming(model, grey, wanted, dreams.recipe(octaves=1, steps=4, **settings))
        found = dreams.drawn(last).astype(float)
        return float(found.std(2).mean() / found.mean(2).std())

    assert colourfulness() < 0.7 * colourfulness(mix=None)


def test_a_picture_beside_the_photograph_and_an_animation(photo: Path) -> None:
    found = run(photo, *SHORT, "--gif")
    assert found.exit_code == 0, found.output
    with Image.open(photo.with_name("sky-dream.png")) as image:
        assert image.size == (96, 64)
        change = np.abs(np.asarray(image).astype(int) - pictures.read(photo))
    assert 1 < change.mean() < 8  # two steps of 2
    with Image.open(photo.with_name("sky-dream.gif")) as animation:
        assert animation.n_frames >= 3 and animation.size == (96, 64)


def test_a_name_that_is_no_utf8_can_be_said(photo: Path) -> None:
    odd = photo.with_name(os.fsdecode(b"caf\xe9.png"))
    photo.rename(odd)
    found = run(odd, *SHORT, "--gif")
    assert found.exit_code == 0 and "caf�-dream.png: 96×64" in found.stdout and "caf�-dream.gif: " in found.stdout


def test_the_seed_decides(photo: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert run(photo, *SHORT, "--seed", seed, "-o", tmp_path / f"{name}.bmp").exit_code == 0
    a, b, c = ((tmp_path / f"{name}.bmp").read_bytes() for name in "abc")
    assert a == b != c


def test_zooming(photo: Path) -> None:
    found = run(photo, *SHORT, "--zoom", "2", "--layer", "fire3")
    assert found.exit_code == 0, found.output
    with Image.open(photo.with_name("sky-dream-zoom.gif")) as animation:
        assert animation.n_frames == 3


def test_ctrl_c_keeps_what_has_been_dreamt(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = dreams.dreaming

    def stopped(*arguments: object) -> object:
        for number, moment in enumerate(real(*arguments)):  # type: ignore[arg-type]
            if number == 2:
                raise KeyboardInterrupt
            yield moment

    monkeypatch.setattr(dreams, "dreaming", stopped)
    found = run(photo, "--octaves", "1", "--steps", "9")
    assert found.exit_code == 130 and "stopped at 22%" in found.output
    assert (pictures.read(photo.with_name("sky-dream.png")) != pictures.read(photo)).any()
    assert not list(photo.parent.glob(".*"))


def save(picture: Image.Image, place: Path) -> Path:
    picture.save(place)
    return place


def test_grey_and_transparent_pictures(tmp_path: Path) -> None:
    shade = Image.linear_gradient("L").resize((80, 80))
    clear = Image.merge("RGBA", [shade] * 4)
    for name, picture in (("grey", shade), ("clear", clear)):
        found = run(save(picture, tmp_path / f"{name}.png"), *SHORT)
        assert found.exit_code == 0, found.output


def test_sizes(photo: Path, tmp_path: Path) -> None:
    assert run(photo, *SHORT, "--size", "120", "-o", tmp_path / "a.png").exit_code == 0
    assert pictures.read(tmp_path / "a.png").shape == (80, 120, 3)
    small = run(save(Image.new("RGB", (30, 20)), tmp_path / "dot.png"), *SHORT)
    assert small.exit_code == 1 and "too small: 30×20" in small.output and "--size" in small.output
    thin = run(save(Image.new("RGB", (3000, 20)), tmp_path / "thin.png"), *SHORT)
    assert thin.exit_code == 1 and "thin.png is too small" in thin.output
    long = run(save(Image.new("RGB", (1024, 64)), tmp_path / "long.png"), *SHORT, "--zoom", "3")
    assert long.exit_code == 1 and "too thin for --zoom" in long.output and not (tmp_path / "long-dream.png").exists()
    assert making.sized(np.zeros((1500, 3000, 3), np.uint8), None, 1024).shape == (512, 1024, 3)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--layer", "fire11"], "no layer 'fire11'"), (["--layer", "fire8:x"], "channels must be numbers"),
        (["--layer", "fire8:9999"], "no channel 9999"), (["--layer", "flatten"], "no map"),
        (["--class", "gold fish"], "the nearest are goldfish"), (["--guide", "none.png"], "none.png: no such file"),
        (["-o", "a.gif"], "cannot write .gif"), (["-o", "no/where.png"], "its folder is not there"),
        (["-o", "{photo}"], "would be written over"), (["--rate", "nan"], "nan is not a finite number"),
    ],
)  # fmt: skip
def test_errors_in_a_line(photo: Path, arguments: list[str], said: str) -> None:
    found = run(photo, *SHORT, *(argument.replace("{photo}", str(photo)) for argument in arguments))
    assert said in found.output
    assert found.exit_code == 2 if "--rate" in arguments else found.exit_code == 1 and found.output.count("\n") == 1
    assert [place.name for place in photo.parent.iterdir()] == ["sky.png"]


def test_no_picture_that_is_given_is_overwritten(photo: Path) -> None:
    Image.open(photo).save(photo.with_suffix(".gif"))
    given = photo.with_suffix(".gif")
    for options in (["-o", photo, "--gif"], ["-o", photo, "--guide", photo]):
        found = run(given, *SHORT, *options)
        assert found.exit_code == 1 and "would be written over a picture that was given" in found.output
    assert len(list(photo.parent.iterdir())) == 2


def test_a_guide_of_one_row_is_no_flood(photo: Path, tmp_path: Path) -> None:
    """Enlarged until its shorter side can be looked at, a line of pixels would fill the memory."""
    found = run(photo, *SHORT, "--guide", save(Image.new("RGB", (20_000, 1), "red"), tmp_path / "line.png"))
    assert found.exit_code == 0, found.output


def test_a_long_thin_guide_will_do(photo: Path, tmp_path: Path) -> None:
    guide = save(Image.fromarray(pictures.resize(samples.photograph("rocket"), 150, 1000)), tmp_path / "wide.png")
    found = run(photo, *SHORT, "--guide", guide)
    assert found.exit_code == 0, found.output


def test_no_picture(tmp_path: Path) -> None:
    (tmp_path / "words.jpg").write_text("no picture")
    assert "words.jpg: not a picture" in run(tmp_path / "words.jpg").output


def test_drawn_is_the_whole_picture() -> None:
    moment = Moment(0, 0, 0.0, 1.0, making.as_input(samples.photograph("dog")), torch.zeros(1, 3, 40, 40))
    assert np.array_equal(dreams.drawn(moment), samples.photograph("dog"))
