"""The network's parts, pictures of all sizes through it, and what the one that ships is worth."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gocnn import checkpoint
from gocnn.images import samples
from gocnn.images.dehaze import evaluate, haze, metrics, network, restore


class Knowing(nn.Module):
    """A stand-in that is told transmission and airlight, to see what is made of them."""

    def __init__(self, through: np.ndarray, airlight: np.ndarray) -> None:
        super().__init__()
        self.through, self.airlight = through, airlight

    def forward(self, x: Tensor) -> network.Answer:
        height, width = x.shape[2:]
        known = torch.from_numpy(haze.depth_like(self.through, height, width))[None, None]
        return network.Answer(known, torch.from_numpy(self.airlight)[None], torch.zeros(1, 3, height, width))


def random_network(seed: int = 0) -> network.Dehazer:
    """A network whose every part has something to say."""
    model = network.untrained(seed)
    torch.manual_seed(seed)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    return model


def test_answers_are_within_their_ranges() -> None:
    model = random_network()
    with torch.inference_mode():
        answer = model(torch.rand(2, 3, 48, 64))
    assert answer.through.shape == (2, 1, 48, 64) and answer.correction.shape == (2, 3, 48, 64)
    assert float(answer.through.min()) >= network.LEAST and float(answer.through.max()) <= 1
    assert answer.airlight.shape == (2, 3) and float(answer.airlight.min()) > 0 and float(answer.airlight.max()) < 1
    assert sum(p.numel() for p in model.parameters()) < 500_000


def test_recovered_inverts_the_model_of_haze() -> None:
    rng = np.random.default_rng(0)
    clean, through = rng.random((8, 8, 3), np.float32), rng.uniform(0.2, 1, (8, 8)).astype(np.float32)
    airlight = np.array([0.8, 0.9, 0.85], np.float32)
    seen = torch.from_numpy(haze.hazy(clean, through, airlight).transpose(2, 0, 1))[None]
    answer = network.Answer(torch.from_numpy(through)[None, None], torch.from_numpy(airlight)[None], torch.zeros(1))
    np.testing.assert_allclose(network.recovered(seen, answer)[0].permute(1, 2, 0), clean, atol=1e-5)


def test_the_darkest_nearby_is_the_dark_channel_at_half_the_size() -> None:
    least = torch.rand(1, 1, 20, 28)
    halves = least[0, 0].numpy().reshape(10, 2, 14, 2).min((1, 3))
    expected = [[halves[max(r - 3, 0) : r + 4, max(c - 3, 0) : c + 4].min() for c in range(14)] for r in range(10)]
    np.testing.assert_array_equal(network.dark_channel(least)[0, 0].numpy(), np.array(expected))


def test_brightness_tells_how_bright_the_places_are() -> None:
    values = np.random.default_rng(0).permutation(np.linspace(0, 1, 401, dtype=np.float32)[:400]).reshape(1, 1, 20, 20)
    places = torch.from_numpy(np.kron(values, np.ones((4, 4), np.float32)))
    found = network.brightness(torch.cat((places, places / 2), 1))[0].numpy()
    assert found.shape == (2 * len(network.SHARES),)
    np.testing.assert_allclose(found[:9], np.quantile(values, network.SHARES), atol=0.004)
    np.testing.assert_allclose(found[9:], found[:9] / 2, atol=1e-6)


def test_every_weight_is_learned() -> None:
    model = random_network()
    answer = model(torch.rand(1, 3, 32, 32))
    sum(part.sum() for part in answer).backward()
    assert all(p.grad is not None and float(p.grad.abs().max()) > 0 for p in model.parameters())


def test_what_is_known_of_the_haze_is_taken_off_a_large_picture() -> None:
    clean = np.tile(samples.photograph("cow")[:240, :320], (2, 2, 1))  # larger than the network's copy
    through = np.repeat(np.linspace(0.3, 0.9, 480, dtype=np.float32)[:, None], 640, axis=1)
    airlight = np.array([0.85, 0.9, 0.9], np.float32)
    seen = np.round(255 * haze.hazy(clean / np.float32(255), through, airlight)).astype(np.uint8)
    found = restore.restore(Knowing(through, airlight), seen).picture
    assert found.shape == clean.shape and metrics.psnr(clean / 255, found / 255) > 35


@pytest.mark.parametrize("shape", [(310, 450), (200, 180)])
def test_strips_do_not_show(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    model, done = random_network(), []
    whole = restore.restore(model, picture, strip=10**9)
    strips = restore.restore(model, picture, strip=5000, report=done.append)
    np.testing.assert_array_equal(whole.picture, strips.picture)
    assert done[-1] == shape[0] and len(done) > 5


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (17, 33), (900, 20)])
def test_any_size_is_taken(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    found = restore.restore(random_network(), picture)
    assert found.picture.shape == picture.shape and found.picture.dtype == np.uint8
    assert max(found.through.shape) <= restore.LONGER


def test_strength_goes_from_nothing_to_all() -> None:
    picture = samples.photograph("coffee")[:120, :160]
    model = random_network()
    by_strength = [restore.restore(model, picture, strength=s).picture.astype(int) for s in (0.0, 0.5, 1.0)]
    np.testing.assert_array_equal(by_strength[0], picture)
    changes = [np.abs(found - picture).mean() for found in by_strength]
    assert 0 < changes[1] < changes[2]


def test_a_network_that_is_not_one_is_refused(tmp_path) -> None:
    checkpoint.save(tmp_path / "other.safetensors", network.KIND, {}, {"stem.weight": torch.zeros(3)})
    with pytest.raises(checkpoint.CheckpointError, match="do not fit"):
        network.load(tmp_path / "other.safetensors")
    assert evaluate.knows("dehaze") and evaluate.knows(str(tmp_path / "other.safetensors"))
    assert not evaluate.knows("digits")


def test_gaps_in_the_disparity_belong_to_what_is_behind() -> None:
    nan = np.nan
    given = np.array([[nan, 3.0, nan, 8.0, nan], [5.0, nan, nan, 2.0, np.inf]])
    expected = [[3, 3, 3, 8, 8], [5, 2, 2, 2, 2]]
    np.testing.assert_array_equal(evaluate.filled(given), expected)


def test_the_motorcycles_depth_is_that_of_its_cameras() -> None:
    scene = evaluate.motorcycle()
    assert scene.clean.shape == (500, 741, 3) and scene.depth.shape == (500, 741)
    assert scene.depth.max() == 1 and 0.4 < scene.depth.min() < 0.45
    assert scene.depth[330, 380] < scene.depth[100, 600]  # the engine before the shelves
    spread = evaluate.motorcycle(spread=True).depth
    assert spread.min() == 0 and spread.max() == 1


@pytest.mark.parametrize("name", ["dog", "cow"])  # neither was learned from
def test_the_network_that_ships_takes_haze_off_samples(name: str) -> None:
    clean = samples.photograph(name)
    depth = np.repeat(np.linspace(1, 0.3, len(clean), dtype=np.float32)[:, None], clean.shape[1], axis=1)
    scene = evaluate.Scene(name, clean, depth)
    pair = {key: metrics.psnr(clean / 255, found) for key, found in
            evaluate.answers(network.load(), evaluate.hazed(scene, 1.2)).items()}  # fmt: skip
    assert pair["network"] > pair["hazy"] + 8


def test_the_network_that_ships_beats_the_dark_channel_on_the_motorcycle() -> None:
    scene = evaluate.motorcycle()
    half = evaluate.Scene(scene.name, scene.clean[::2, ::2], scene.depth[::2, ::2])
    found = evaluate.scores(network.load(), [half], 1.2)
    assert found["network"][0] > found["dark channel"][0] + 3 and found["network"][1] > found["dark channel"][1]


def test_the_network_that_ships_leaves_clear_photographs_alone() -> None:
    assert min(evaluate.unchanged(network.load(), [samples.photograph("coffee"), samples.photograph("dog")])) > 22
