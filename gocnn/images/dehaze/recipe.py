"""How the network is trained: clean photographs, and haze laid over them that is never twice the same."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from gocnn import training
from gocnn.images import photos, running, samples
from gocnn.images.dehaze import haze, metrics, network

SIDE = 128  # pixels of a training picture
SMALLEST = 0.55  # of a photograph's size, to which it may be shrunk before a piece is cut out
THICKEST = 2.6  # beta, for depths of 0 to 1
CLEAR = 0.06  # share of the samples without any haze
HELD_OUT = 5  # every fifth photograph
ALIKE = 0.95  # correlation of two thumbnails of one photograph
FAINT = 3e-4  # mean squared error of a picture (35 dB) below which it is hardly worth more
WATCHED = 48  # hazy pictures of held-out photographs that a run is watched on


class Hazes:
    """Pieces of photographs under haze, as an endless row of samples, each a pure function of the seed and its number.

    A piece is shrunk, mirrored and recoloured at random, given a depth map by `haze.random_depth`, and hazed with beta
    0 to `THICKEST` and random airlight; then come noise and rounding to 8 bits.
    """

    def __init__(self, photographs: list[np.ndarray], seed: int = 0, side: int | None = None) -> None:
        """Take photographs uint8 [H, W, 3] with sides of `side` pixels (`SIDE`) or more."""
        self.photographs, self.seed, self.side = photographs, seed, side or SIDE

    def __len__(self) -> int:
        return 100 * len(self.photographs)

    def batch(self, first: int, count: int) -> tuple[np.ndarray, ...]:
        """Samples ``first`` to ``first + count - 1``.

        Hazy and clean pictures float32 [count, 3, side, side], 0 to 1; transmissions [count, 1, side, side]; airlights
        [count, 3].
        """
        drawn = [self._sample(number) for number in range(first, first + count)]
        seen, clean, through, airlight = (np.stack(parts) for parts in zip(*drawn))
        planes = (np.ascontiguousarray(stack.transpose(0, 3, 1, 2)) for stack in (seen, clean))
        return (*planes, through[:, None], airlight)

    def _sample(self, number: int) -> tuple[np.ndarray, ...]:
        rng = np.random.default_rng((self.seed, number))
        clean = self._piece(rng)
        depth = haze.random_depth(rng, clean)
        beta = 0.0 if rng.random() < CLEAR else rng.uniform(0.05, THICKEST)
        through, airlight = haze.transmission(depth, beta), haze.random_airlight(rng)
        seen = haze.hazy(clean, through, airlight)
        if rng.random() < 0.5:
            seen = seen + rng.normal(0, rng.uniform(0, 0.015), seen.shape).astype(np.float32)
        return np.round(np.clip(seen, 0, 1) * 255) / np.float32(255), clean, through, airlight

    def _piece(self, rng: np.random.Generator) -> np.ndarray:
        """A piece of one of the photographs, float32 [side, side, 3]."""
        picture = self.photographs[rng.integers(len(self.photographs))]
        shorter = min(picture.shape[:2])
        reach = rng.uniform(min(1.0, self.side / shorter), min(1.0, self.side / shorter / SMALLEST))
        cut = min(shorter, round(self.side / max(reach, self.side / shorter)))
        top, left = (rng.integers(length - cut + 1) for length in picture.shape[:2])
        image = Image.fromarray(picture).resize(
            (self.side, self.side), Image.Resampling.BOX, box=(left, top, left + cut, top + cut)
        )
        piece = np.asarray(image, np.float32) / 255
        if rng.random() < 0.5:
            piece = piece[:, ::-1]
        return recoloured(rng, piece)


def recoloured(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """A picture float32 [H, W, 3], 0 to 1, in another light: brightness, contrast, saturation and tint differ."""
    if rng.random() < 0.2:
        return np.ascontiguousarray(picture)
    grey = picture.mean(2, keepdims=True)
    picture = grey + (picture - grey) * rng.uniform(0.5, 1.4)
    picture = np.clip(picture * rng.normal(1, 0.07, 3), 0, 1) ** np.exp(rng.normal(0, 0.25))
    low, high = rng.uniform(0, 0.04), rng.uniform(0.9, 1.0)
    return np.asarray(low + (high - low) * picture, np.float32)


def split(photographs: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Photographs to learn from, and those held out: every fifth, and whatever is a sample that ships."""
    shipped = [thumbnail(samples.photograph(name)) for name in samples.NAMES]
    held = [
        number % HELD_OUT == 0 or any(float(thumbnail(p) @ sample) > ALIKE for sample in shipped)
        for number, p in enumerate(photographs)
    ]
    return [p for p, out in zip(photographs, held) if not out], [p for p, out in zip(photographs, held) if out]


def thumbnail(picture: np.ndarray) -> np.ndarray:
    """A photograph as a vector of length 1 that is much the same for each of its copies: float64 [192]."""
    small = np.asarray(Image.fromarray(picture).resize((8, 8), Image.Resampling.BOX), np.float64).ravel()
    small = small - small.mean()
    return np.asarray(small / max(float(np.linalg.norm(small)), 1e-9))


def loss(model: nn.Module, seen: Tensor, clean: Tensor, through: Tensor, airlight: Tensor) -> Tensor:
    """How far the pictures are from the clean ones (PSNR and SSIM), and the model's parts from the truth.

    In decibels a picture in thin haze counts as much as one in thick haze, whose errors are ten times larger.
    """
    answer = model(seen)
    found = network.recovered(seen, answer)
    thick = 1 - through.mean((1, 2, 3))  # without haze its colour means nothing
    colour = ((answer.airlight - airlight).abs().mean(1) * thick).mean()
    errors = (found - clean).square().mean((1, 2, 3))
    apart = 0.03 * (errors / FAINT).log1p().mean() + 0.1 * (1 - metrics.similarity(found, clean, stride=3))
    return apart + 0.15 * (answer.through - through).abs().mean() + 0.1 * colour


@torch.no_grad()
def quality(model: nn.Module, tensors: tuple[Tensor, ...]) -> training.Metrics:
    """Mean PSNR (dB) of hazy pictures and of the same without haze, and mean errors of transmission and airlight."""
    device = next(model.parameters()).device
    seen, clean, through, airlight = (tensor.to(device) for tensor in tensors)
    answers = [model(part) for part in seen.split(12)]
    found = torch.cat([network.recovered(part, answer) for part, answer in zip(seen.split(12), answers)]).clamp(0, 1)
    hazy = seen.sub(clean).square().mean((1, 2, 3)) > 1e-4  # those that had haze
    error, before = (found - clean)[hazy].square().mean((1, 2, 3)), (seen - clean)[hazy].square().mean((1, 2, 3))
    missed = torch.cat([answer.through for answer in answers]) - through
    colour = (torch.cat([answer.airlight for answer in answers]) - airlight)[hazy]
    return {
        "psnr": float((-10 * error.log10()).mean()), "psnr_hazy": float((-10 * before.log10()).mean()),
        "transmission_error": float(missed.abs().mean()), "airlight_error": float(colour.abs().mean()),
    }  # fmt: skip


def train(
    out: Path, *, minutes: float = 40, init: Path | None = None, seed: int = 0, resume: bool = False
) -> training.Metrics:
    """Train the network on the photographs in the cache, from random weights or from those in the file `init`.

    Returns the last figures on held-out photographs. Raises ValueError for photographs that are missing (DataError) or
    too few, CheckpointError for `init`, and what `running.train` does.
    """
    found = photos.load()
    learn, held = split(found)
    if not learn or not held:
        raise ValueError("too few photographs: the run is watched on others than it learns from")
    digest = hashlib.sha256(b"".join(p.tobytes() for p in learn)).hexdigest()
    settings = training.TrainingConfig(
        minutes=minutes, batch=12, optimizer="muon", lr=1e-3, muon_lr=2e-3, weight_decay=0.01, warmup=0.03, ema=0.995,
        seed=seed, precision="fp32", checkpoint_minutes=2, validate_minutes=4,
    )  # fmt: skip
    watch = tuple(torch.from_numpy(a) for a in Hazes(held, seed=1).batch(0, WATCHED))
    return running.train(
        out, network.load(init) if init else network.untrained(seed), settings, Hazes(learn, seed),
        partial(quality, tensors=watch), network.save, loss=loss, init=init, resume=resume,
        identity={"network": "dehaze", "photographs": len(learn), "sum": digest[:16]},
    )  # fmt: skip
