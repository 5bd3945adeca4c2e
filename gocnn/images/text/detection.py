"""How the detector is trained: crops of rendered scenes at several scales, through the one training loop."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from gocnn import training
from gocnn.images import pictures, running
from gocnn.images.text import detector, regions, scoring
from gocnn.images.text.scenes import Scene, Scenes, digest, split

SIDE = 320  # pixels of a training crop
SCALES = (0.62, 1.6)  # by which a scene is resized
CROPS = 3  # of each scene, since drawing one costs as much as learning from one
HARD = 3.0  # cells of background a cell of text: those that look most like text
FEWEST_HARD = 400  # cells of background a picture, where there is little text or none
WATCHED = 48  # scenes of held-out fonts and photographs that a run is watched on
WATCH_SEED = 1


class Crops:
    """Crops of scenes with their maps, as an endless row of samples.

    Sample number ``i`` is a pure function of the scenes, the seed and ``i``, as `gocnn.training` wants it.
    """

    def __init__(self, scenes: Scenes, *, side: int = SIDE, seed: int = 0) -> None:
        self.scenes, self.side, self.seed = scenes, side, seed
        self._scene = lru_cache(maxsize=2)(scenes.scene)

    def __len__(self) -> int:
        return 20_000

    def batch(self, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Samples ``first`` to ``first + count - 1``: uint8 [count, 3, S, S], and float32 [count, 6, S / 2, S / 2].

        The targets are those of `regions.Maps`: core, directions and weight.
        """
        images, targets = [], []
        for number in range(first, first + count):
            image, words = self.crop(number)
            maps = regions.maps_of(words, self.side, self.side)
            images.append(image.transpose(2, 0, 1))
            targets.append(np.concatenate([maps.core[None], maps.directions, maps.weight[None]]))
        return np.stack(images), np.stack(targets)

    def crop(self, number: int) -> tuple[np.ndarray, list[np.ndarray]]:
        """Sample `number` as a picture, uint8 [S, S, 3], and the quads of its words, which may stick out of it."""
        rng = np.random.default_rng((self.seed, number))
        return cropped(self._scene(number // CROPS), self.side, rng)


def cropped(scene: Scene, side: int, rng: np.random.Generator) -> tuple[np.ndarray, list[np.ndarray]]:
    """A part of a scene at another scale, mostly one with a word in it: uint8 [side, side, 3] and the quads."""
    shortest = min(scene.image.shape[:2])
    scale = max(float(np.exp(rng.uniform(*np.log(SCALES)))), side / shortest)
    take = min(int(side / scale), shortest)
    room = np.array(scene.image.shape[1::-1]) - take
    corner = rng.uniform(0, 1, 2) * room
    if scene.words and rng.random() < 0.8:
        around = scene.words[rng.integers(len(scene.words))].quad.mean(0)
        corner = around - rng.uniform(0.15, 0.85, 2) * take
    left, top = np.clip(corner, 0, room).astype(int)
    image = scene.image[top : top + take, left : left + take]
    words = [(word.quad - np.array([left, top], np.float32)) * np.float32(side / take) for word in scene.words]
    return pictures.resize(np.ascontiguousarray(image), side, side), words


def loss(model: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """What the detector is to make small; inputs float [B, 3, H, W], 0 to 255, and targets [B, 6, H / 2, W / 2].

    The cross-entropy of text and of the hardest background, each on the mean; the overlap of all cores (Dice, Milletari
    et al., arXiv 1606.04797); and the squared error of the directions within cores.
    """
    maps = model(inputs / 255).float()
    logits, core, weight = maps[:, 0], targets[:, 0], targets[:, 5]
    entropy = binary_cross_entropy_with_logits(logits, core, reduction="none")
    text = (core > 0).float()
    mass = (text * weight).sum().clamp(min=1)
    on_text = (entropy * text * weight).sum() / mass
    background = ((1 - text) * weight * entropy).flatten()
    kept = int(max(HARD * float(text.sum()), FEWEST_HARD * len(maps)))
    on_background = background.topk(min(kept, background.numel())).values.mean()
    counted = (weight > 0).float()
    probability = logits.sigmoid() * counted
    dice = 1 - 2 * (probability * core).sum() / (probability.square().sum() + core.square().sum()).clamp(min=1)
    directed = targets[:, 1:5]
    inside = (directed[:, :2].square().sum(1) > 0.5).float() * weight
    off = ((maps[:, 1:] - directed).square().sum(1) * inside).sum() / inside.sum().clamp(min=1)
    return on_text + on_background + dice + 0.5 * off


@torch.no_grad()
def watched(model: nn.Module, scenes: list[Scene]) -> training.Metrics:
    """Precision, recall and F1 of the boxes found in scenes."""
    count = scoring.Count()
    for scene in scenes:
        found = [scoring.Reading(region.quad) for region in detector.detect(model, scene.image)]
        count += scoring.compare(found, [scoring.Reading(word.quad) for word in scene.words])[0]
    return {"precision": count.precision, "recall": count.recall, "f1": count.f1}


def train(
    out: Path, *, minutes: float | None = 75, samples: int | None = None, batch: int = 8, lr: float = 2e-3,
    init: Path | None = None, seed: int = 0, resume: bool = False,
) -> training.Metrics:  # fmt: skip
    """Train the detector on scenes drawn with this machine's fonts and photographs, from random weights or from a file.

    Returns the last figures on fonts and photographs held out. Raises DataError, CheckpointError for `init`, and what
    `running.train` does.
    """
    fonts, photographs = split("train")
    crops = Crops(Scenes(fonts, photographs, seed=seed), seed=seed)
    held_out = Scenes(*split("test"), seed=WATCH_SEED)
    watch = [held_out.scene(k) for k in range(WATCHED)]
    settings = training.TrainingConfig(
        minutes=minutes, samples=samples, batch=batch, optimizer="adamw", lr=lr, weight_decay=0.02, warmup=0.02,
        clip=5.0, ema=0.998, seed=seed, precision="fp32", checkpoint_minutes=3, validate_minutes=5,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = detector.load(init) if init else detector.Detector()
    identity = {"network": "text-detector", "fonts": len(fonts), "photographs": len(photographs),
                "sum": digest(fonts, photographs)}  # fmt: skip
    return running.train(
        out, model, settings, crops, partial(watched, scenes=watch), detector.save, identity=identity, loss=loss,
        init=init, resume=resume,
    )  # fmt: skip
