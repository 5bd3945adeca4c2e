"""The detector: its shapes, its file, and that it can learn to find words."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gocnn import checkpoint
from gocnn.images.text import detection, detector, quads, regions, scoring
from gocnn.images.text.scenes import Scene, Word


def box(left, top, right, bottom):
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def striped(words, height=96, width=128):
    """A grey picture with fine upright stripes where the words are."""
    image = np.full((height, width, 3), 90, np.uint8)
    for left, top, right, bottom in words:
        image[top:bottom, left:right:3] = 250
    return image


class Painted:
    """Scenes that are one scene."""

    def __init__(self, scene):
        self._scene = scene

    def scene(self, index):
        return self._scene


WORDS = [(10, 12, 60, 28), (66, 12, 118, 28), (20, 50, 100, 80)]
SCENE = Scene(striped(WORDS), tuple(Word("x", box(*w)) for w in WORDS))


@pytest.mark.parametrize("shape", [(1, 1), (31, 65), (64, 96), (97, 40)])
def test_a_picture_of_any_size_has_maps_of_half_of_it(shape):
    torch.manual_seed(0)
    maps = detector.look(detector.Detector().eval(), np.zeros((*shape, 3), np.uint8))
    assert maps.shape == (5, -(-shape[0] // 2), -(-shape[1] // 2))
    assert maps.min(axis=(1, 2))[0] >= 0 and maps[0].max() <= 1


def test_a_detector_is_watched_on_the_device_where_it_is():
    """On "meta", which every machine has: maps are made there, and fetched from there, though that has no numbers."""
    with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
        detection.watched(detector.Detector().eval().to("meta"), [SCENE])


def test_a_detector_comes_back_from_its_file(tmp_path):
    torch.manual_seed(1)
    model = detector.Detector().eval()
    detector.save(tmp_path / "d.safetensors", model, {"made": "here"})
    again = detector.load(tmp_path / "d.safetensors")
    before, after = detector.look(model, SCENE.image), detector.look(again, SCENE.image)
    np.testing.assert_allclose(after, before, atol=0.02)  # half precision
    assert (tmp_path / "d.safetensors").stat().st_size < 2_100_000


def test_files_that_hold_no_detector_are_refused(tmp_path):
    (tmp_path / "no.safetensors").write_bytes(b"nothing")
    with pytest.raises(checkpoint.CheckpointError, match="not a checkpoint"):
        detector.load(tmp_path / "no.safetensors")
    checkpoint.save(tmp_path / "other.safetensors", detector.KIND, {}, {"weight": torch.zeros(3)})
    with pytest.raises(checkpoint.CheckpointError, match="do not fit"):
        detector.load(tmp_path / "other.safetensors")


def test_it_learns_where_words_are():
    torch.manual_seed(2)
    model = detector.Detector().train()
    inputs, targets = (torch.from_numpy(a) for a in detection.Crops(Painted(SCENE), side=96).batch(0, 2))
    optimizer = torch.optim.AdamW(model.parameters(), 4e-3)
    for _ in range(30):
        loss = detection.loss(model, inputs.float(), targets)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    with torch.no_grad():
        maps = model(inputs.float() / 255)
    found = [regions.regions_of(m[0].sigmoid().numpy(), m[1:].numpy()) for m in maps]
    crops = [detection.Crops(Painted(SCENE), side=96).crop(k)[1] for k in range(2)]
    inside = [[q for q in crop if q.min() >= 0 and q.max() <= 96] for crop in crops]
    right = sum(len(scoring.matches([r.quad for r in f], q, 0.6)) for f, q in zip(found, inside))
    assert right >= 0.8 * sum(map(len, inside)) > 0


def test_a_sample_is_a_pure_function_of_its_number():
    whole = detection.Crops(Painted(SCENE), side=64).batch(3, 5)
    again = detection.Crops(Painted(SCENE), side=64).batch(5, 2)
    for a, b in zip(whole, again):
        np.testing.assert_array_equal(a[2:4], b)
    assert whole[0].dtype == np.uint8 and whole[0].shape == (5, 3, 64, 64) and whole[1].shape == (5, 6, 32, 32)
    assert not np.array_equal(whole[0][0], whole[0][1])


@pytest.mark.parametrize("seed", range(6))
def test_the_quads_of_a_crop_lie_where_its_words_are(seed):
    image, words = detection.cropped(SCENE, 80, np.random.default_rng(seed))
    bright = np.zeros((80, 80), bool)
    for quad in words:
        (left, top), (right, bottom) = np.clip(np.round(quad[[0, 2]]), 0, 80).astype(int)
        bright[top:bottom, left:right] = True
    seen = image.max(2) > 150  # the stripes
    assert (seen & ~np.pad(bright, 2)[4:, 4:] & ~bright).mean() < 0.03
    if bright.mean() > 0.05:
        assert seen[bright].mean() > 0.2


class Told(torch.nn.Module):
    """A detector that says what it is told."""

    def __init__(self, maps):
        super().__init__()
        self.maps = maps

    def forward(self, x):
        return self.maps


def test_the_loss_is_small_for_the_truth_alone():
    maps = regions.maps_of([box(*w) for w in WORDS], 96, 128)
    targets = torch.from_numpy(np.concatenate([maps.core[None], maps.directions, maps.weight[None]]))[None]
    truth = targets[:, :5].clone()
    truth[:, 0] = torch.logit(truth[:, 0], eps=1e-4)
    inputs = torch.zeros(1, 3, 96, 128)
    best = float(detection.loss(Told(truth), inputs, targets))
    assert best < 0.35  # the rims of cores are partly inside: a little is left
    turned = truth.clone()
    turned[:, 1:] *= -1
    merged = truth.clone()
    merged[:, 0, 8:12, 5:60] = 9.0  # two words as one
    for wrong in (turned, merged, torch.zeros_like(truth)):
        assert float(detection.loss(Told(wrong), inputs, targets)) > best + 0.1


def test_cells_of_no_weight_do_not_matter():
    maps = regions.maps_of([box(10, 10, 60, 15)], 64, 64)
    targets = torch.from_numpy(np.concatenate([maps.core[None], maps.directions, maps.weight[None]]))[None]
    quiet = torch.zeros(1, 5, 32, 32)
    quiet[:, 0] = -9.0
    loud = quiet.clone()
    loud[0, 0][torch.from_numpy(maps.weight == 0)] = 9.0
    inputs = torch.zeros(1, 3, 64, 64)
    assert (maps.weight == 0).sum() > 20
    assert float(detection.loss(Told(loud), inputs, targets)) == pytest.approx(
        float(detection.loss(Told(quiet), inputs, targets)), abs=1e-4
    )


def test_no_words_are_found_in_a_picture_without():
    found = detector.detect(Told(torch.full((1, 5, 48, 64), -9.0)), np.zeros((96, 128, 3), np.uint8))
    assert found == []


def test_what_the_maps_show_is_found():
    words = [quads.offset(box(*w), 0) for w in WORDS]
    maps = regions.maps_of(words, 96, 128)
    told = torch.from_numpy(np.concatenate([maps.core[None], maps.directions]))[None]
    told[:, 0] = torch.logit(told[:, 0], eps=1e-4)
    found = [region.quad for region in detector.detect(Told(told), SCENE.image)]
    assert len(scoring.matches(found, words, 0.8)) == len(words) == len(found)
