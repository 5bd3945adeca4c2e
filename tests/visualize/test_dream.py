"""Deep Dream: the picture climbs what it is said to climb, in octaves, and nothing else is touched."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from gocnn.visualize.dream import LEAST, Moment, Recipe, Target, _turned, dream, guide, smoothed
from gocnn.visualize.layers import LayerError
from tests.visualize.subjects import state

STILL = Recipe(octaves=1, steps=8, rate=0.02, jitter=0, turn=0, scale=0, smoothing="none")


def small() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(8, 6, 3, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4),
    )  # fmt: skip


def picture(height: int = 40, width: int = 48) -> Tensor:
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(1))


def run(
    targets: list[Target], recipe: Recipe, image: Tensor | None = None, net: nn.Module | None = None
) -> list[Moment]:
    return list(dream(net or small(), picture() if image is None else image, targets, recipe))


def test_positive_activations_get_more_positive_and_negative_ones_more_negative() -> None:
    net = small()
    last = run([Target(("3",))], replace(STILL, steps=1, rate=1e-3), net=net)[-1].picture()
    with torch.no_grad():
        before, after = net[:4](picture()), net[:4](last)
    pushed = ((after - before) * before).sum()
    assert pushed > 0
    large = before.abs() > before.abs().quantile(0.9)
    assert ((after - before)[large].sign() == before[large].sign()).float().mean() > 0.8


@pytest.mark.parametrize(
    "target",
    [Target(("3",)), Target(("0",), channels=(2, 5)), Target(("3",), guide=torch.randn(6, 9)), Target(("0", "0"))],
)
def test_the_objective_climbs(target: Target) -> None:
    objectives = [moment.objective for moment in run([target], STILL)]
    assert all(later > sooner for sooner, later in pairwise(objectives))


def test_the_objective_is_what_it_is_said_to_be() -> None:
    net = small()
    with torch.no_grad():
        first, second = net[:1](picture()), net[:4](picture())
    found = run([Target(("0",), channels=(2, 5)), Target(("3",))], replace(STILL, steps=1), net=net)[0].objective
    assert found == pytest.approx(float(first[:, [2, 5]].mean() + 0.5 * second.square().mean()) / 2, rel=1e-5)
    seen = guide(net, picture(32, 32), ["3"])
    assert seen.shape == (6, 256)
    found = run([Target(("3",), guide=seen)], replace(STILL, steps=1), net=net)[0].objective
    best = (second.flatten(2)[0].T @ seen).max(1).values
    assert found == pytest.approx(float(best.mean() / 6), rel=1e-4)


def test_a_step_is_of_the_size_asked_for() -> None:
    last = run([Target(("3",))], replace(STILL, steps=1, rate=0.3))[-1].picture()
    assert (last - picture()).abs().mean().item() == pytest.approx(0.3, rel=1e-4)


def test_bounds_and_colours() -> None:
    grey = tuple((1 / 3,) * 3 for _ in range(3))
    last = run([Target(("3",))], replace(STILL, rate=5.0, low=-1.0, high=(1.0, 2.0, 3.0)))[-1].picture()
    assert last.amin() > -1.0001 and (last.amax((0, 2, 3)) < torch.tensor([1.0001, 2.0001, 3.0001])).all()
    change = run([Target(("3",))], replace(STILL, mix=grey))[-1].picture() - picture()
    assert torch.allclose(change[:, 0], change[:, 2], atol=1e-5) and change.abs().mean() > 0.01


def test_what_was_dreamt_small_is_within_the_bounds_when_it_is_enlarged() -> None:
    image = (picture(64, 64) > 0).float()
    moments = run([Target(("3",))], Recipe(octaves=2, ratio=2.0, steps=2, rate=0.5, low=0.0, high=1.0), image)
    assert all(moment.picture().amin() >= 0 and moment.picture().amax() <= 1 for moment in moments)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_network_of_half_precision_dreams_what_the_other_does(dtype: torch.dtype) -> None:
    recipe = Recipe(octaves=2, ratio=1.2, steps=3, rate=0.1, jitter=3)
    seen = guide(small().to(dtype), picture(32, 32), ["3"])
    for target in (Target(("3",)), Target(("3",), guide=seen)):
        expected, found = (run([target], recipe, net=net)[-1] for net in (small(), small().to(dtype)))
        assert found.objective == pytest.approx(expected.objective, rel=0.05)
        changes = torch.stack([(moment.picture() - picture()).flatten() for moment in (found, expected)])
        assert changes.dtype == torch.float32 and torch.corrcoef(changes)[0, 1] > 0.9


def test_octaves_grow_to_the_picture_and_the_share_of_work_to_one() -> None:
    moments = run([Target(("3",))], Recipe(octaves=9, steps=2, ratio=1.2, jitter=3))
    octaves = max(moment.octave for moment in moments) + 1
    assert octaves == 2 and len(moments) == 2 * octaves  # 40 / 1.2 = 33 pixels; 28 are below LEAST
    shares = [moment.done for moment in moments]
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1)
    assert all(moment.picture().shape == (1, 3, 40, 48) for moment in moments)


def test_what_is_dreamt_small_is_carried_into_the_large() -> None:
    image = torch.zeros(1, 3, 64, 64)
    moments = run([Target(("0",), channels=(0,))], Recipe(octaves=2, ratio=2.0, steps=3, rate=0.1, jitter=0), image)
    small_one, last = moments[2].picture(), moments[-1].picture()
    assert small_one.abs().mean() > 0.01
    assert float((small_one * last).sum() / small_one.norm() / last.norm()) > 0.3


def test_moving_the_picture_moves_the_dream() -> None:
    """With cyclic shifts and a network that pads cyclically, the dream of a moved picture is the dream moved."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, padding_mode="circular"), nn.ReLU(),
                        nn.Conv2d(8, 8, 3, padding=1, padding_mode="circular"))  # fmt: skip
    recipe = replace(STILL, jitter=7)
    last = run([Target(("2",))], recipe, net=net)[-1].picture()
    moved = run([Target(("2",))], recipe, picture().roll((5, 9), (2, 3)), net)[-1].picture()
    assert torch.allclose(moved, last.roll((5, 9), (2, 3)), atol=1e-4)


def test_tiles_find_what_the_whole_finds_but_at_their_borders() -> None:
    image = picture(128, 160)
    recipe = replace(STILL, steps=1, rate=1.0, jitter=32, seed=3)
    whole = run([Target(("0",))], recipe, image)[-1].picture() - image
    tiled = run([Target(("0",))], replace(recipe, tile=64), image)[-1].picture() - image
    tiled *= (whole / tiled).median()  # both are brought to the same mean, of which borders have less
    same = ((whole - tiled).abs() < 1e-3).float().mean()
    assert 0.85 < same < 1  # all but two pixels at each side of a tile's border


def test_the_seed_decides_and_the_global_generator_is_not_touched() -> None:
    state = torch.random.get_rng_state()
    first, again, other = (
        run([Target(("3",))], Recipe(octaves=1, steps=3, seed=seed), net=NET)[-1].picture() for seed in (1, 1, 2)
    )
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(state, torch.random.get_rng_state())


NET = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, padding=1))


def test_the_network_is_left_as_it_was_after_every_step_of_two_dreams_at_once() -> None:
    net = small().train()
    before = state(net)
    recipe = replace(STILL, steps=3)
    for _ in zip(*(dream(net, picture(), [Target((layer,))], recipe) for layer in ("3", "0"))):
        assert state(net) == before
    assert state(net) == before


def test_laplacian_smoothing_brings_fine_and_coarse_to_one_strength() -> None:
    rows = torch.arange(64.0)
    coarse = (rows / 64 * 2 * torch.pi).sin().view(1, 1, -1, 1).expand(1, 3, 64, 64)
    fine = (-1.0) ** (rows.view(-1, 1) + rows).expand(1, 3, 64, 64)
    for weak in (0.01, 100.0):
        found = smoothed(coarse + weak * fine, "laplacian")
        shares = [float((found * part).mean() / part.square().mean()) for part in (coarse, fine)]
        assert 1 < shares[0] / shares[1] < 8
    assert torch.equal(smoothed(fine, "none"), fine)
    assert smoothed(fine, "gaussian").abs().mean() < 1.2 and smoothed(coarse, "gaussian").abs().mean() > 1.5


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ([Target(("4x",))], "no layer '4x'"), ([Target(("7",))], "no map"),
        ([Target(("0",), channels=(8,))], "no channel 8"), ([Target(("0",), guide=torch.zeros(3, 2))], "3 channels"),
        ([Target(("0", "3"))], "several sizes"), ([], "needs a target"),
    ],
)  # fmt: skip
def test_errors(targets: list[Target], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        run(targets, STILL)


def test_wrong_recipes_and_pictures() -> None:
    for wrong in ({"smoothing": "bilateral"}, {"ratio": 1.0}, {"rate": 0}, {"scale": 1.0}, {"tile": 10}):
        with pytest.raises(ValueError):
            Recipe(**wrong)
    with pytest.raises(ValueError, match=f"{LEAST} pixels"):
        run([Target(("3",))], STILL, picture(20, 100))
    with pytest.raises(ValueError, match="a guide, not both"):
        Target(("0",), (1,), torch.zeros(1, 1))
    with pytest.raises(LayerError, match="does not run"):
        net = small()
        net.unused = nn.Conv2d(3, 3, 1)
        net.forward = lambda x: nn.Sequential.forward(net[:4], x)  # type: ignore[method-assign]
        run([Target(("unused",))], STILL, net=net)


def test_shifting_the_picture_between_steps_leaves_no_trace_where_the_network_has_no_border() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, padding_mode="circular"), nn.ReLU(),
                        nn.Conv2d(8, 8, 3, padding=1, padding_mode="circular"))  # fmt: skip
    still, moved = (run([Target(("2",))], replace(STILL, jitter=jitter), net=net)[-1].picture() for jitter in (0, 7))
    assert torch.allclose(still, moved, atol=1e-4)


def test_a_picture_that_is_turned_is_also_made_larger() -> None:
    image = torch.zeros(1, 1, 16, 16)
    image[..., 6:10, 6:10] = 1
    assert float(_turned(image, 0.0, 2.0).sum()) == pytest.approx(4 * 16, rel=0.05)
