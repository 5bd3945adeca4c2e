"""`gocnn read` with the networks that ship, on signs drawn here, and its errors."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageDraw, ImageFont

from gocnn.cli import main
from gocnn.images.text import fonts, language, quads, voting


def sign(path, lines, size=(420, 160), mode="RGB"):
    """A picture with dark words on light paper."""
    picture = Image.new(mode, size, {"L": 235, "RGB": (235, 230, 215), "RGBA": (0, 0, 0, 0)}[mode])
    letters = ImageFont.truetype(str(fonts.plain_folder() / "DejaVuSans-Bold.ttf"), 32)
    ink = {"L": 20, "RGB": (20, 20, 60), "RGBA": (20, 20, 60, 255)}[mode]
    ImageDraw.Draw(picture).multiline_text((24, 24), lines, font=letters, spacing=16, fill=ink)
    picture.save(path)
    return str(path)


def run(*arguments):
    return CliRunner().invoke(main, ["read", *map(str, arguments)])


def test_a_sign_is_read_line_by_line(tmp_path):
    result = run(sign(tmp_path / "sign.png", "Mind the gap\nPlatform 3"))
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == ["Mind the gap", "Platform 3"]


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_grey_and_transparent_pictures_are_read_too(tmp_path, mode):
    assert run(sign(tmp_path / "sign.png", "Platform", mode=mode)).stdout == "Platform\n"


def test_json_has_the_words_and_where_they_stand(tmp_path):
    file = sign(tmp_path / "sign.png", "Mind the gap\nPlatform 3")
    (told,) = json.loads(run(file, "--json").stdout)
    assert (told["file"], told["width"], told["height"]) == (file, 420, 160)
    (first, *_), (platform, _) = told["lines"]
    assert first["text"] == "Mind" and 0.5 < first["confidence"] <= 1
    ink = np.argwhere(np.asarray(Image.open(file).convert("L"))[80:] < 100)[:, ::-1] + [0, 80]
    word = ink[ink[:, 0] < 190]  # the digit is further to the right
    around = np.array([word.min(0), [word[:, 0].max(), word[:, 1].min()], word.max(0),
                       [word[:, 0].min(), word[:, 1].max()]])  # fmt: skip
    assert quads.iou(np.array(platform["quad"]), around) > 0.7


def test_pictures_are_drawn_and_files_that_are_none_are_named(tmp_path):
    good = sign(tmp_path / "good.png", "Platform")
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    result = run(good, tmp_path / "bad.jpg", tmp_path / "missing.png", "--out", tmp_path / "drawn")
    assert result.exit_code == 1
    assert f"{good}:\nPlatform\n" in result.stdout
    assert "bad.jpg: not a picture" in result.stderr and "missing.png: no such file" in result.stderr
    assert [file.name for file in (tmp_path / "drawn").iterdir()] == ["good-read.png"]
    assert Image.open(tmp_path / "drawn/good-read.png").size[0] >= 420


def test_a_language_of_ones_own_decides(tmp_path, monkeypatch):
    language.save(tmp_path / "own.safetensors", *language.count(["Platform"], least=1), {})
    given = []
    read_cuts = voting.read_cuts
    monkeypatch.setattr(voting, "read_cuts", lambda *a, spoken, **k: given.append(spoken) or read_cuts(*a, **k))
    result = run(sign(tmp_path / "sign.png", "Platform"), "--language", tmp_path / "own.safetensors")
    assert result.stdout == "Platform\n" and given == [language.load(tmp_path / "own.safetensors")]


def test_tiny_and_empty_pictures_have_no_words(tmp_path):
    for name, size in (("tiny.png", (1, 1)), ("flat.png", (300, 200))):
        Image.new("RGB", size, (90, 120, 90)).save(tmp_path / name)
        result = run(tmp_path / name)
        assert result.exit_code == 0 and result.stdout == "" and "no words found" in result.stderr


def test_where_pictures_cannot_go(tmp_path):
    one, two = (sign(tmp_path / name, "Platform") for name in ("one.png", "two.png"))
    for arguments, said in (
        ((one, two, "-o", tmp_path / "out.png"), "one file for 2 photographs"),
        ((one, "-o", tmp_path / "out.txt"), "cannot write .txt"),
        ((one, "-o", one), "over a photograph"),
        ((one, "--detector", one), "not a checkpoint"),
        ((one, "--language", one), "not a checkpoint"),
    ):
        result = run(*arguments)
        assert result.exit_code == 1 and said in result.stderr
