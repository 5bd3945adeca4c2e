"""How the small image networks are trained: data, augmentation and settings, through the one training loop."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import affine_grid, grid_sample

from gocnn import training
from gocnn.images import datasets, models, running

HELD_OUT = 12  # one in so many training images is what a run is watched on; the test set is left alone until the end


@dataclass(frozen=True)
class Augmentation:
    """How far a training image may be moved; each sample draws evenly from plus and minus these."""

    shift: float = 0.0  # pixels
    turn: float = 0.0  # degrees
    stretch: float = 0.0  # 0.1 is from 0.9 to 1.1 of the size, each side on its own
    mirror: bool = False


AUGMENTATION = {
    "digits": Augmentation(shift=2, turn=12, stretch=0.1),
    # Clothes are centred well, and to shift or stretch them blurs their texture: that costs more than it gives.
    "fashion": Augmentation(mirror=True),
}


class Pictures:
    """Grey images as an endless row of samples: every image once an epoch, in a new order and moved anew each time.

    Sample number ``i`` is a pure function of the seed and ``i``, as `gocnn.training` wants it to resume a run.
    """

    def __init__(
        self, images: np.ndarray, labels: np.ndarray, augmentation: Augmentation | None = None, *,
        shuffle: bool = True, seed: int = 0,
    ) -> None:  # fmt: skip
        """Take images uint8 [N, H, W] and labels int64 [N]."""
        self.images, self.labels = images, labels
        self.augmentation, self.shuffle, self.seed = augmentation, shuffle, seed
        self._drawn = lru_cache(maxsize=2)(self._draw)

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Samples ``first`` to ``first + count - 1``: float32 [count, 1, H, W], 0 to 1, and labels int64 [count]."""
        samples = np.arange(first, first + count)
        epochs, places = np.divmod(samples, len(self))
        chosen = np.empty(count, np.int64)
        moves = np.empty((count, 6), np.float32)
        for epoch in np.unique(epochs):
            here = epochs == epoch
            order, by = self._drawn(int(epoch))
            chosen[here], moves[here] = order[places[here]], by[places[here]]
        inputs = self.images[chosen, None].astype(np.float32) / 255
        if self.augmentation:
            inputs = moved(inputs, moves, self.augmentation)
        return inputs, self.labels[chosen]

    def _draw(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """The order of an epoch, and how each of its samples is moved."""
        rng = np.random.default_rng((self.seed, epoch))
        order = rng.permutation(len(self)) if self.shuffle else np.arange(len(self))
        return order, rng.uniform(-1, 1, (len(self), 6)).astype(np.float32)


def moved(images: np.ndarray, by: np.ndarray, most: Augmentation) -> np.ndarray:
    """Images float32 [B, 1, H, W] shifted, turned, stretched and mirrored, paper (0) coming in from outside.

    `by` float32 [B, 6], -1 to 1: the shares of the `most` allowed down, right, in turn, in height and in width, and
    whether to mirror (above 0).
    """
    height, width = images.shape[2:]
    angle = np.radians(by[:, 2] * most.turn)
    tall, wide = 1 + by[:, 3] * most.stretch, 1 + by[:, 4] * most.stretch
    mirrored = np.where((by[:, 5] > 0) & most.mirror, -1.0, 1.0)
    # affine_grid maps places of the result to places of the source, in units of half a side.
    maps = np.zeros((len(images), 2, 3), np.float32)
    maps[:, 0, 0], maps[:, 0, 1] = np.cos(angle) / wide * mirrored, np.sin(angle) / wide * mirrored
    maps[:, 1, 0], maps[:, 1, 1] = -np.sin(angle) / tall, np.cos(angle) / tall
    maps[:, 0, 2], maps[:, 1, 2] = by[:, 1] * most.shift * 2 / width, by[:, 0] * most.shift * 2 / height
    grid = affine_grid(torch.from_numpy(maps), list(images.shape), align_corners=False)
    return grid_sample(torch.from_numpy(images), grid, align_corners=False).numpy()


def config(epochs: float, images: int, seed: int = 0) -> training.TrainingConfig:
    """The settings of all small image networks: AdamW, batches of 128, the first fortieth for warm-up."""
    return training.TrainingConfig(
        samples=round(epochs * images), batch=128, optimizer="adamw", lr=2e-3, weight_decay=0.02, warmup=0.025,
        ema=0.999, seed=seed, precision="fp32", checkpoint_minutes=3, validate_minutes=10,
    )  # fmt: skip


def train(
    task: str, out: Path, *, dense: bool = False, augment: bool = True, epochs: float = 12, seed: int = 0,
    resume: bool = False, device: str | None = None,
) -> training.Metrics:  # fmt: skip
    """Train the lecture's network, or the fully-connected one, on "digits" or "fashion".

    Returns the last figures on the held-out images. Raises DataError, and what `running.train` does.
    """
    images, labels = datasets.load(task, "train")
    first = len(images) - len(images) // HELD_OUT
    learn = Pictures(images[:first], labels[:first], AUGMENTATION[task] if augment else None, seed=seed)
    watch = Pictures(images[first:], labels[first:], shuffle=False)
    network = "dense" if dense else "lecture"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = models.build(network)

    def validate(model: nn.Module) -> training.Metrics:
        return training.classify(model, watch, next(model.parameters()).device)

    def save(path: Path, model: nn.Module, card: dict[str, Any]) -> None:
        models.save(path, network, task, model, card)

    return running.train(
        out, model, config(epochs, len(learn), seed), learn, validate, save, resume=resume, device=device,
        identity={"network": network, "task": task, "augment": augment, "images": len(learn)},
    )  # fmt: skip
