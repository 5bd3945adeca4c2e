"""`gocnn images`: a bad picture costs one line, and the others are still classified."""

import os

import numpy as np
import torch
from click.testing import CliRunner
from PIL import Image

from gocnn.images import datasets, models
from gocnn.images.commands import images


def test_classify_goes_on_after_a_broken_picture(tmp_path):
    torch.manual_seed(0)
    models.save(tmp_path / "net.safetensors", "lecture", "digits", models.build("lecture"), {})
    (tmp_path / "broken.png").write_bytes(b"half a picture")
    Image.fromarray(np.kron(255 - datasets.shipped("digits")[0][0], np.ones((4, 4), np.uint8))).save(tmp_path / "7.png")
    command = [
        "classify",
        *(str(tmp_path / file) for file in ("net.safetensors", "broken.png", "7.png")),
        "--top",
        "10",
    ]
    result = CliRunner().invoke(images, command)
    assert result.exit_code == 1
    assert sum("broken.png" in line for line in result.output.splitlines()) == 1
    shares = [float(line.split()[1].rstrip("%")) for line in result.output.splitlines() if line.startswith("  ")]
    assert len(shares) == 10 and abs(sum(shares) - 100) < 0.1


def test_evaluate_names_the_command_when_there_is_no_data(tmp_path, monkeypatch):
    monkeypatch.setenv("GOCNN_CACHE", str(tmp_path / "cache"))
    models.save(tmp_path / "net.safetensors", "lecture", "digits", models.build("lecture"), {})
    result = CliRunner().invoke(images, ["evaluate", str(tmp_path / "net.safetensors")])
    assert result.exit_code == 1 and "gocnn images fetch digits" in result.output


def test_a_network_is_trained_on_the_fetched_set_and_evaluated(tmp_path, monkeypatch):
    monkeypatch.setenv("GOCNN_CACHE", str(tmp_path / "cache"))
    pictures, labels = datasets.shipped("digits")
    datasets.save("digits", pictures[:384], labels[:384], pictures[384:], labels[384:])
    out = tmp_path / "run"
    trained = CliRunner().invoke(images, ["train", "digits", "-o", str(out), "--epochs", "8"])
    assert trained.exit_code == 0 and trained.stdout.startswith(f"{out / 'network.safetensors'}: "), trained.output
    assert models.load(out / "network.safetensors").card["training"]["images"] == 352
    tested = CliRunner().invoke(images, ["evaluate", str(out / "network.safetensors")])
    *by_class, last = tested.output.splitlines()
    assert tested.exit_code == 0 and [line.split()[0] for line in by_class] == list(datasets.CLASSES["digits"])
    right, total = (sum(int(line.split()[k]) for line in by_class) for k in (1, 3))
    assert total == 116 and last == f"digits: {right / total:.2%} of 116 test images"
    assert right > 0.3 * total  # by chance a tenth


def test_a_folder_whose_name_is_no_utf8_can_be_said(tmp_path, monkeypatch):
    monkeypatch.setenv("GOCNN_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)).save(folder / "a.png")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(images, ["fetch", "photos", "--from", folder.name])
    assert result.exit_code == 0 and result.stdout.startswith("photos: from caf�, now in ")
