"""Which unit an instrument asks for, however it is named, and that it gets an answer in a caller's inference mode."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gocnn.visualize import dream, style
from gocnn.visualize.gradcam import gradcam, over_images
from gocnn.visualize.integrated import integrated
from gocnn.visualize.maximize import Ascent, maximize
from gocnn.visualize.saliency import saliency
from gocnn.visualize.units import chosen
from tests.visualize.subjects import small


def test_the_loudest_map_of_half_precision() -> None:
    """Both sums are beyond what float16 can hold."""
    maps = torch.ones(1, 2, 300, 300, dtype=torch.float16) * torch.tensor([1.0, 2.0]).view(1, 2, 1, 1).half()
    assert chosen(maps, None) == [1]


@pytest.mark.parametrize("unit", [2, np.int64(2), np.array(2), torch.tensor(2)])
def test_one_unit_for_all_is_a_number_of_any_kind(unit: int) -> None:
    assert chosen(torch.zeros(3, 4), unit) == [2, 2, 2]


@pytest.mark.parametrize("units", [[2, 0], (2, 0), np.array([2, 0]), torch.tensor([2, 0])])
def test_one_unit_for_each(units: list[int]) -> None:
    assert chosen(torch.zeros(2, 4), units) == [2, 0]


def dreamt(net: nn.Module, image: Tensor) -> np.ndarray:
    large = image[:1].repeat(1, 1, 5, 5)
    *_, last = dream.dream(net, large, [dream.Target(("0",))], dream.Recipe(steps=1, octaves=1))
    return last.picture().numpy()


def painted(net: nn.Module, image: Tensor) -> np.ndarray:
    large = image[:1].repeat(1, 1, 5, 5)
    *_, last = style.paint(net, large, [(large + 1, 1.0)], style.Recipe({"0": 1.0}, {"1": 1.0}, steps=(1, 1), tile=32))
    return last.picture().numpy()


INSTRUMENTS: dict[str, Callable[[nn.Module, Tensor], np.ndarray]] = {
    "gradient": saliency,
    "smooth": lambda net, images: saliency(net, images, method="smooth", samples=2),
    "guided": lambda net, images: saliency(net, images, method="guided"),
    "integrated": lambda net, images: integrated(net, images, steps=3).shares,
    "gradcam": lambda net, images: gradcam(net, "0", images, signed=True),
    "over images": lambda net, images: over_images(net, "0", images, signed=True),
    "maximize": lambda net, images: maximize(net, (1, 8, 8), [0], ascent=Ascent(steps=2, blur=1.0)).images,
    "dream": dreamt,
    "style": painted,
}


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_in_inference_mode_an_instrument_finds_what_it_finds_outside(name: str) -> None:
    net, images = small(), torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    expected = INSTRUMENTS[name](net, images)
    with torch.inference_mode():
        assert np.array_equal(INSTRUMENTS[name](net, images), expected)
        made = images.clone()  # which no graph can save, even outside
        assert np.array_equal(INSTRUMENTS[name](net, made), expected) and torch.is_inference_mode_enabled()
    assert np.array_equal(INSTRUMENTS[name](net, made), expected)
