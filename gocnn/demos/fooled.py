"""Ten digits imagined by the network that reads digits: without a constraint, with L1, and with L2.

How much a picture looks like its digit is measured by something that knows nothing of the network: its correlation with
the most similar real digit of that class, of those that come with the package.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gocnn.demos import Exhibit, Say, Shown, hang
from gocnn.images import datasets, models
from gocnn.visualize import drawing
from gocnn.visualize.maximize import Ascent, Maximized, blurred, maximize

#: Without a constraint the log probability climbs from a noise that all ten share, and no value is forbidden. With one
#: it is the logit y_i less the penalty, with ink between 0 and 1 as in the data, from nearly empty paper; the network
#: sees each step from up to three pixels aside, since a digit is one wherever it stands.
PANELS = {
    "none": ("log probability", Ascent(steps=200, rate=0.02, noise=0.5)),
    "l1": ("activation", Ascent(steps=300, penalty="l1", strength=0.07, jitter=3, noise=0.1, low=0, high=1)),
    "l2": ("activation", Ascent(steps=300, penalty="l2", strength=0.2, jitter=3, noise=0.1, low=0, high=1)),
}
_CLIMBED = {
    "none": "log p(i): no constraint",
    "l1": "y_i − 0.07 Σ|x|: as little ink as will do",
    "l2": "y_i − 0.2 Σ x²: much ink nowhere",
}
_SEEN = {
    "none": "To us all ten are the same noise. The network is easily fooled: nothing in its training showed it what "
    "is no digit.",
    "l1": "Each bit of ink costs the same, so ink is only where it counts: strokes, and a digit in most cases.",
    "l2": "Dark ink costs most, so it is spread: the same strokes, thinner, in softer greys.",
}


def imagine(panel: str) -> Maximized:
    """The ten pictures of a panel of `PANELS`, digit 0 first."""
    objective, ascent = PANELS[panel]
    network = models.load("digits")
    return maximize(network.model, (1, 28, 28), range(10), objective=objective, ascent=ascent)


def likeness(images: np.ndarray, digits: Sequence[int]) -> np.ndarray:
    """How much each image, float [N, 1, 28, 28], looks like its digit: float [N], -1 to 1.

    The highest correlation with a shipped digit of that class, both blurred by a pixel, lest a stroke that is a pixel
    aside count for nothing.
    """
    known, labels = datasets.shipped("digits")
    alike = _standard(images[:, 0]) @ _standard(known / 255).T
    return np.array([row[labels == digit].max() for row, digit in zip(alike, digits)])


def real_likeness() -> float:
    """What `likeness` is for a real digit and the others of its class, on average."""
    known, labels = datasets.shipped("digits")
    alike = _standard(known / 255) @ _standard(known / 255).T
    np.fill_diagonal(alike, -1)
    return float(np.mean([row[labels == digit].max() for row, digit in zip(alike, labels)]))


def _standard(pictures: np.ndarray) -> np.ndarray:
    """[N, pixels]: blurred by a pixel, of mean 0 and norm 1, so that a product of two is their correlation."""
    soft = blurred(torch.as_tensor(pictures, dtype=torch.float32)[:, None], 1.0).flatten(1).numpy()
    soft = soft - soft.mean(1, keepdims=True)
    return np.asarray(soft / np.linalg.norm(soft, axis=1, keepdims=True))


def make(out: Path, say: Say) -> Shown:
    real = real_likeness()
    exhibits = []
    numbers: dict[str, Any] = {"likeness of real digits": round(real, 2)}
    for panel in PANELS:
        found = imagine(panel)
        assert found.probabilities is not None  # the units are the network's outputs
        sure, alike = found.probabilities, likeness(found.images, range(10))
        numbers[panel] = {
            "confidence": [round(float(p), 5) for p in sure],
            "logit": [round(float(y), 2) for y in found.activations],
            "empty paper": round(float((np.abs(found.images) < 0.01).mean()), 3),
            "likeness": [round(float(c), 2) for c in alike],
            "range": [round(float(found.images.min()), 2), round(float(found.images.max()), 2)],
        }
        say(
            f"{panel:<4}  confidence {sure.min():.2%} to {sure.max():.2%}, "
            f"likeness to a real digit {alike.mean():.2f} (real digits to one another: {real:.2f})"
        )
        exhibits.append(_draw(out, panel, found, sure, float(alike.mean()), real))
    return Shown(tuple(exhibits), numbers)


def _draw(out: Path, panel: str, found: Maximized, sure: np.ndarray, alike: float, real: float) -> Exhibit:
    titles = [f"{digit}: {p:.2%}" for digit, p in enumerate(sure)]
    figure = drawing.grid([image[0] for image in found.images], columns=5, titles=titles, cell=1.5)
    figure.suptitle(_CLIMBED[panel], fontsize=10)
    caption = (
        f"What the network takes for the digits 0 to 9, each with its confidence ({sure.min():.2%} at least). "
        f"{_SEEN[panel]} Likeness to the nearest real digit: {alike:.2f} on average; of real digits to one another, "
        f"{real:.2f}."
    )
    return hang(figure, out / f"fooled-{panel}.png", caption)
