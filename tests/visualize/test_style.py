"""Deep Style: the losses are the formulas', their slopes are exact, and painting brings them down."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gocnn.visualize import style
from gocnn.visualize.layers import LayerError
from gocnn.visualize.style import Recipe, averaged, gram, paint
from tests.visualize.subjects import state


def small() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(8, 6, 3, padding=1), nn.ReLU()
    )


def picture(seed: int, height: int = 40, width: int = 48) -> Tensor:
    return 30 * torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


BOTH = Recipe({"4": 1.0}, {"1": 1.0, "4": 2.0}, beta=10.0, sizes=(1.0,), steps=(30,))


def losses(recipe: Recipe, content: Tensor, styles: list[tuple[Tensor, float]]) -> style._Losses:
    return style._Losses(small().requires_grad_(False), content, styles, recipe)


def test_gram_is_the_inner_products_of_rows() -> None:
    features = torch.randn(1, 5, 7, 9, dtype=torch.float64)
    expected = np.einsum("ihw,jhw->ij", features[0].numpy(), features[0].numpy()) / 63
    assert np.allclose(gram(features).numpy(), expected)


def test_the_losses_are_those_of_the_formulas() -> None:
    """L_content and L_style computed a second time, with numpy, from the definitions."""
    x, p, a = picture(1), picture(2), picture(3, 36, 60)
    total, _, (content, of_style) = losses(BOTH, p, [(a, 1.0)])(x)
    net = small()

    def outputs(image: Tensor, layer: int) -> np.ndarray:
        with torch.no_grad():
            found = net[: layer + 1](image)[0].flatten(1)
        return found.double().numpy()

    def grams(image: Tensor, layer: int) -> np.ndarray:
        rows = outputs(image, layer)
        return np.einsum("ik,jk->ij", rows, rows) / rows.shape[1]

    f, goal = outputs(x, 4), outputs(p, 4)
    assert content == pytest.approx(0.5 * ((f - goal) ** 2).sum() / (0.5 * (goal**2).sum()), rel=1e-4)
    expected = 0.0
    for layer, weight in ((1, 1 / 3), (4, 2 / 3)):
        n = len(outputs(x, layer))
        e = ((grams(x, layer) - grams(a, layer)) ** 2).sum() / (4 * n**2)
        empty = (grams(a, layer) ** 2).sum() / (4 * n**2)
        expected += weight * e / empty
    assert of_style == pytest.approx(expected, rel=1e-4)
    assert total == pytest.approx((content + 10 * of_style) * x.numel(), rel=1e-5)


@pytest.mark.parametrize("tile", [0, 16])
def test_the_slope_is_exact(tile: int) -> None:
    recipe = replace(BOTH, variation=1e-3, tile=tile, margin=16)
    both = losses(recipe, picture(2), [(picture(3), 1.0)])
    both.model.double()
    x, away = picture(1).double(), picture(4).double()
    both.goals = [{k: v.double() for k, v in goal.items()} for goal in both.goals]
    both.grams = {k: v.double() for k, v in both.grams.items()}
    _, slope, _ = both(x)
    step = 1e-6
    found = (both(x + step * away)[0] - both(x - step * away)[0]) / (2 * step)
    assert float((slope * away).sum()) == pytest.approx(found, rel=1e-4)


@pytest.mark.parametrize("width", [80, 65])  # 65: the last tile is narrower than a place of a coarse layer
def test_tiles_give_what_the_whole_gives(width: int) -> None:
    content, a, x = picture(2, 64, width), picture(3, 50, 70), picture(1, 64, width)
    whole = losses(BOTH, content, [(a, 1.0)])(x)
    tiled = losses(replace(BOTH, tile=32, margin=16), content, [(a, 1.0)])
    assert len(tiled.pieces) == 6
    total, slope, worth = tiled(x)
    assert total == pytest.approx(whole[0], rel=1e-4) and worth == pytest.approx(whole[2], rel=1e-4)
    assert torch.allclose(slope, whole[1], atol=1e-4 * float(whole[1].abs().max()))


@pytest.mark.parametrize("padding", [0, 1])
def test_tiles_of_a_network_whose_stride_is_no_power_of_two(padding: int) -> None:
    """Neither the tile nor the margin is a multiple of its 3, and what follows takes pictures of one size only."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=padding), nn.ReLU(), nn.MaxPool2d(3), nn.Conv2d(8, 6, 3, padding=padding),
        nn.Flatten(), nn.Linear(6, 1),
    ).requires_grad_(False)  # fmt: skip
    recipe = Recipe({"3": 1.0}, {"1": 1.0, "3": 2.0}, sizes=(1.0,), steps=(1,))
    content, a, x = picture(2, 72, 73), picture(3, 50, 70), picture(1, 72, 73)
    whole = style._Losses(net, content, [(a, 1.0)], recipe)(x)
    total, slope, worth = style._Losses(net, content, [(a, 1.0)], replace(recipe, tile=35, margin=7))(x)
    assert total == pytest.approx(whole[0], rel=1e-4) and worth == pytest.approx(whole[2], rel=1e-4)
    assert torch.allclose(slope, whole[1], atol=1e-4 * float(whole[1].abs().max()))


@pytest.mark.parametrize(("height", "width", "tile"), [(64, 65, 32), (33, 97, 16)])
def test_no_tile_is_too_narrow_for_the_network(height: int, width: int, tile: int) -> None:
    """Without a margin, a rest of one pixel would leave nothing to pool."""
    tiled = losses(replace(BOTH, tile=tile, margin=0), picture(2, height, width), [(picture(3), 1.0)])
    assert all(tile / 2 < right - left <= tile + 1 for _, left, _, right in (piece.seen for piece in tiled.pieces))
    assert tiled(picture(1, height, width))[1].isfinite().all()


def test_a_layer_whose_places_see_what_cannot_be_told_takes_no_tiles() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Upsample(scale_factor=2))
    recipe = Recipe({"1": 1.0}, {}, sizes=(1.0,), steps=(1,))
    assert len(list(paint(net, picture(1), [], recipe))) == 1
    with pytest.raises(LayerError, match="layer '1' see cannot be told"):
        next(paint(net, picture(1), [], replace(recipe, tile=32)))


def test_the_last_step_counts() -> None:
    """One step changes the picture, and the losses are those of the picture that is handed out."""
    recipe = replace(BOTH, steps=(1,))
    (moment,) = paint(small(), picture(2), [(picture(3), 1.0)], recipe)
    assert not torch.equal(moment.picture(), picture(2))
    both = losses(recipe, picture(2), [(picture(3), 1.0)])
    assert both(moment.picture())[2] == pytest.approx((moment.content, moment.style), rel=1e-4)
    assert moment.style < both(picture(2))[2][1]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_network_of_half_precision_paints_what_the_other_does(dtype: torch.dtype) -> None:
    recipe = replace(BOTH, steps=(5, 5), sizes=(0.8, 1.0))
    *_, expected = paint(small(), picture(2), [(picture(3), 1.0)], recipe)
    *_, found = paint(small().to(dtype), picture(2), [(picture(3), 1.0)], recipe)
    assert found.style == pytest.approx(expected.style, rel=0.5)  # the way of L-BFGS is its own
    pixels = torch.stack([found.picture().flatten(), expected.picture().flatten()])
    assert pixels.dtype == torch.float32 and torch.corrcoef(pixels)[0, 1] > 0.99


def test_of_the_picture_itself_both_losses_are_zero() -> None:
    p = picture(1)
    _, slope, worth = losses(BOTH, p, [(p, 1.0)])(p)
    assert worth == pytest.approx((0, 0), abs=1e-9) and slope.abs().max() < 1e-4


def test_style_does_not_ask_where() -> None:
    """Cyclically moved, a picture has the style it had, as long as the network has no borders."""
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, padding_mode="circular"), nn.ReLU()).requires_grad_(False)
    recipe = Recipe({}, {"1": 1.0}, sizes=(1.0,), steps=(1,))
    p = picture(1)
    found = style._Losses(net, p, [(p, 1.0)], recipe)(p.roll((7, 11), (2, 3)))[2]
    assert found == pytest.approx((0, 0), abs=1e-9)


@pytest.mark.parametrize(("optimiser", "steps"), [("lbfgs", 120), ("adam", 150)])
def test_content_is_found_again_from_noise(optimiser: str, steps: int) -> None:
    recipe = Recipe({"0": 1.0}, {}, start="noise", sizes=(1.0,), steps=(steps,), optimiser=optimiser, rate=2.0)
    *_, last = paint(small(), picture(2), [], recipe)
    assert last.content < 0.01
    assert torch.corrcoef(torch.stack([last.picture().flatten(), picture(2).flatten()]))[0, 1] > 0.95


def test_style_comes_over_and_content_stays_by_their_weights() -> None:
    ends = {}
    for beta in (0.01, 100.0):
        moments = list(paint(small(), picture(2), [(10 + 0.5 * picture(3), 1.0)], replace(BOTH, beta=beta)))
        total = [moment.content + beta * moment.style for moment in moments]
        assert all(later <= sooner for sooner, later in pairwise(total)) and total[-1] < 0.9 * total[0]
        ends[beta] = moments[-1]
    assert ends[100.0].style < ends[0.01].style / 3 and ends[100.0].content > 2 * ends[0.01].content


def test_of_two_styles_gram_matrices_are_mixed() -> None:
    one, two = picture(3), 20 + picture(4)
    found = losses(BOTH, picture(2), [(one, 3.0), (two, 1.0)]).grams["1"]
    parts = [losses(BOTH, picture(2), [(there, 1.0)]).grams["1"] for there in (one, two)]
    assert torch.allclose(found, 0.75 * parts[0] + 0.25 * parts[1], rtol=1e-4)


def test_bounds_are_one_or_one_a_channel() -> None:
    for wrong, said in (
        ({"low": (0.0, 0.0)}, "2 bounds for an input of 3 channels"),
        ({"low": 1.0, "high": 0.0}, "above"),
    ):
        with pytest.raises(ValueError, match=said):
            next(paint(small(), picture(2), [(picture(3), 1.0)], replace(BOTH, **wrong)))


def test_coarse_to_fine_and_the_share_of_work() -> None:
    recipe = replace(BOTH, sizes=(0.7, 1.0), steps=(4, 3), low=-50.0, high=50.0)
    moments = list(paint(small(), picture(2, 48, 64), [(picture(3), 1.0)], recipe))
    assert [moment.size for moment in moments] == [0] * 4 + [1] * 3
    assert all(moment.picture().shape == (1, 3, 48, 64) for moment in moments)
    assert moments[-1].done == pytest.approx(1) and moments[-1].picture().abs().max() <= 50


def test_a_leap_of_lbfgs_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The third evaluation says that the loss is infinite: painting goes on from the best picture."""
    real, calls = style._Losses.__call__, []

    def call(self: style._Losses, image: Tensor) -> tuple[float, Tensor, tuple[float, float]]:
        calls.append(image.clone())
        total, slope, worth = real(self, image)
        return (float("nan"), slope, worth) if len(calls) == 3 else (total, slope, worth)

    monkeypatch.setattr(style._Losses, "__call__", call)
    moments = list(paint(small(), picture(2), [(picture(3), 1.0)], replace(BOTH, steps=(10,))))
    assert any(torch.equal(calls[3], sooner) for sooner in calls[:2]) and len(calls) == 12
    assert moments[-1].picture().isfinite().all() and moments[-1].style < moments[0].style


def test_average_pooling_in_a_copy() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(nn.MaxPool2d(3, 2, ceil_mode=True)))
    other = averaged(net)
    assert isinstance(net[1][0], nn.MaxPool2d) and isinstance(other[1][0], nn.AvgPool2d)
    image = picture(1)
    with torch.no_grad():
        assert net(image).shape == other(image).shape and (other(image) <= net(image) + 1e-5).all()


def test_one_pooling_layer_in_two_places_is_changed_in_both() -> None:
    pool = nn.MaxPool2d(2)
    net = averaged(nn.Sequential(nn.Conv2d(1, 1, 3), pool, nn.Conv2d(1, 1, 3), pool))
    assert not any(isinstance(module, nn.MaxPool2d) for module in net.modules())


def test_the_seed_decides_and_the_network_is_left_as_it_was() -> None:
    net = small().train()
    before = state(net)
    recipe = replace(BOTH, start="noise", steps=(3,))
    ends = [list(paint(net, picture(2), [(picture(3), 1.0)], replace(recipe, seed=seed)))[-1].picture() for seed in (1, 1, 2)]  # fmt: skip # noqa: E501
    assert torch.equal(ends[0], ends[1]) and not torch.equal(ends[0], ends[2])
    for _ in paint(net, picture(2), [(picture(3), 1.0)], recipe):
        assert state(net) == before
    assert state(net) == before


def test_errors() -> None:
    for wrong in ({"optimiser": "sgd"}, {"start": "grey"}, {"sizes": (1.0, 0.5)}, {"steps": (0,)}, {"beta": -1.0}):
        with pytest.raises(ValueError):
            replace(BOTH, **wrong)
    with pytest.raises(ValueError, match=r"no layer 'x'.*there are"):
        next(iter(paint(small(), picture(1), [(picture(2), 1.0)], replace(BOTH, content={"x": 1.0}))))
    with pytest.raises(ValueError, match="32 pixels or more"):
        next(iter(paint(small(), picture(1, 20, 90), [(picture(2), 1.0)], BOTH)))
    with pytest.raises(ValueError, match="there must be a style"):
        next(iter(paint(small(), picture(1), [], BOTH)))
