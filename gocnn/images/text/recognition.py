"""How the recogniser is trained: words drawn as they are needed, CTC, through the one training loop."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType

import numpy as np
import torch
from torch import Tensor, nn

from gocnn import training
from gocnn.images import running
from gocnn.images.text import recogniser, scenes, voting
from gocnn.images.text.alphabet import BLANK, encode
from gocnn.images.text.fonts import Font
from gocnn.images.text.recogniser import Recogniser
from gocnn.images.text.words import LONGEST, vocabulary

CHUNK = 1024  # crops that are drawn, sorted by width and dealt into batches together
POOL = 512  # chunks, after which they come again, changed a little
WIDEST = 320  # columns of a crop before it is narrowed; wider ones are squeezed
NARROWINGS = 0.6, 0.9  # of a crop's width: what `voting.NARROWINGS` are within
RATE = 2e-3  # of learning, at its peak
AHEAD = 2  # chunks drawn ahead by another process

Crop = tuple[str, np.ndarray]


class Drawer:
    """Draws the crops of a chunk, a pure function of the seed and its number."""

    def __init__(self, fonts: Sequence[Font], photographs: Sequence[np.ndarray], seed: int) -> None:
        self.chooser, self.photographs, self.words = scenes.Chooser(fonts), photographs, vocabulary()
        self.seed = seed

    def draw(self, chunk: int, count: int) -> list[Crop]:
        """Texts and narrowed crops uint8 [32, W]."""
        rng = np.random.default_rng((self.seed, chunk))
        crops: list[Crop] = []
        while len(crops) < count:
            drawn = scenes.draw_crops(rng, self.chooser, self.photographs, self.words)
            crops += [(text, recogniser.narrowed(crop, WIDEST, rng.uniform(*NARROWINGS))) for text, crop in drawn]
        return crops[:count]


_drawer: Drawer | None = None  # of a process that does nothing but draw


def _begin(drawer: Drawer) -> None:
    global _drawer
    _drawer = drawer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that trains, which saves


def _draw(chunk: int, count: int) -> list[Crop]:
    assert _drawer is not None
    return _drawer.draw(chunk, count)


class Crops:
    """Words as an endless row of training samples; a context, for the process that draws ahead.

    A batch holds words of like width. After `pool` chunks the same words come again, changed a
    little. Sample ``i`` is a pure function of the seed and ``i``, as `gocnn.training` wants it to resume a run.
    """

    def __init__(self, drawer: Drawer, *, pool: int = POOL, ahead: int = AHEAD) -> None:
        self.drawer, self.pool, self.ahead = drawer, pool, ahead
        self._drawn: dict[int, list[Crop]] = {}
        self._waited: dict[int, Future[list[Crop]]] = {}
        self._process: ProcessPoolExecutor | None = None
        self._now: tuple[int, list[Crop]] = (-1, [])

    def __enter__(self) -> Crops:
        self._process = ProcessPoolExecutor(1, get_context("spawn"), _begin, (self.drawer,))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process:
            self._process.shutdown(cancel_futures=True)
            self._process = None

    def __len__(self) -> int:
        return self.pool * CHUNK

    def batch(self, first: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Samples ``first`` to ``first + count - 1``, of one chunk; `count` divides its 1024.

        Inputs float32 [count, 1, 32, W] and classes int64 [count, 20]; then, int64 [count] each, how many classes there
        are and how many steps an input has.
        """
        chunk, place = divmod(first, CHUNK)
        if self._now[0] != chunk:
            self._now = chunk, self._ordered(chunk, count)
        return as_batch(self._now[1][place : place + count])

    def _ordered(self, chunk: int, count: int) -> list[Crop]:
        """A chunk's crops by width, the batches of `count` among them in random order."""
        round_, number = divmod(chunk, self.pool)
        rng = np.random.default_rng((self.drawer.seed, chunk, 1))
        crops = [(text, _changed(rng, crop) if round_ else crop) for text, crop in self._chunk(number)]
        widths = np.array([crop.shape[1] for _, crop in crops]) + rng.random(len(crops))
        batches = rng.permutation(np.argsort(widths).reshape(-1, count))
        return [crops[k] for k in batches.ravel()]

    def _chunk(self, number: int) -> list[Crop]:
        if self._process:
            for later in range(number, number + 1 + self.ahead):
                if later % self.pool not in self._drawn and later % self.pool not in self._waited:
                    self._waited[later % self.pool] = self._process.submit(_draw, later % self.pool, CHUNK)
        if number not in self._drawn:
            waited = self._waited.pop(number, None)
            self._drawn[number] = waited.result() if waited else self.drawer.draw(number, CHUNK)
        return self._drawn[number]


def _changed(rng: np.random.Generator, crop: np.ndarray) -> np.ndarray:
    """A crop as it comes again: stretched, slanted and moved up or down a little, dark made light in half of the cases,
    grain in half."""
    from PIL import Image

    height, old = crop.shape
    width = max(8, round(old * rng.uniform(0.88, 1.12)))
    slant, tall = rng.uniform(-0.12, 0.12), rng.uniform(0.92, 1.06)
    shift = (1 - tall) * height / 2 + rng.uniform(-1, 1)
    back = (old / width, slant, -slant * height / 2, 0, tall, shift)
    edge = int(np.median(crop[:, [0, -1]]))
    moved = Image.fromarray(crop).transform((width, height), Image.Transform.AFFINE, back, Image.Resampling.BILINEAR,
                                            fillcolor=edge)  # fmt: skip
    crop = np.asarray(moved)
    if rng.random() < 0.5:
        crop = 255 - crop
    if rng.random() < 0.5:
        grain = rng.integers(-8, 9, crop.shape, np.int16)
        crop = np.clip(crop + grain, 0, 255).astype(np.uint8)
    return crop


def as_batch(crops: Sequence[Crop]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Texts and crops uint8 [32, W] as what `Crops.batch` returns."""
    inputs = recogniser.padded([recogniser.standardised(crop) for _, crop in crops])
    classes = np.full((len(crops), LONGEST), BLANK, np.int64)
    for row, (text, _) in zip(classes, crops):
        row[: len(text)] = encode(text)
    lengths = np.array([len(text) for text, _ in crops])
    return inputs, classes, lengths, np.array([recogniser.steps(crop.shape[1]) for _, crop in crops])


def ctc_loss(model: nn.Module, inputs: Tensor, classes: Tensor, lengths: Tensor, steps: Tensor) -> Tensor:
    """Mean nats a character of the texts, given as `Crops.batch` gives them."""
    log_shares = model(inputs).float().log_softmax(2).transpose(0, 1)  # [T, B, classes]
    loss: Tensor = nn.functional.ctc_loss(log_shares, classes, steps, lengths, BLANK, zero_infinity=True)
    return loss


def test(model: nn.Module, crops: Sequence[Crop]) -> training.Metrics:
    """How a recogniser reads crops uint8 [H, W, 3] or [H, W]: what `shares` returns, and "tested"."""
    said = [text for text, _ in voting.read_words(model, [crop for _, crop in crops])]
    return {**shares(said, [text for text, _ in crops]), "tested": len(crops)}


def shares(said: Sequence[str], true: Sequence[str]) -> training.Metrics:
    """The shares of words that are right in full ("top1"), but for the case of letters ("any_case"), and in letters of
    any case and digits alone ("letters")."""

    def share(change: Callable[[str], str]) -> float:
        return float(np.mean([change(a) == change(b) for a, b in zip(said, true)]))

    def letters(text: str) -> str:
        return "".join(c for c in text.lower() if c.isalnum())

    return {"top1": share(str), "any_case": share(str.lower), "letters": share(letters)}


def test_crops(count: int) -> list[Crop]:
    """Words cut out of whole scenes of the test part by their true corners: crops uint8 [32, W, 3].

    Raises DataError if photographs or fonts are missing.
    """
    from gocnn.images.text import quads

    drawn = scenes.Scenes(*scenes.split("test"), seed=1_000_000)
    crops: list[Crop] = []
    index = 0
    while len(crops) < count:
        scene = drawn.scene(index)
        # No more than eight of one picture, lest pages of one face count for all.
        chosen = np.random.default_rng(index).permutation(len(scene.words))[:8]
        crops += [(scene.words[k].text, quads.rectify(scene.image, scene.words[k].quad)) for k in chosen]
        index += 1
    return crops[:count]


def config(minutes: float, seed: int = 0, rate: float = RATE) -> training.TrainingConfig:
    """The settings: Muon at twice the `rate` for the filters of the blocks, AdamW for the rest, batches of 64."""
    return training.TrainingConfig(
        minutes=minutes, batch=64, optimizer="muon", lr=rate, muon_lr=2 * rate, weight_decay=0.02, warmup=0.02,
        ema=0.998, seed=seed, precision="fp32", checkpoint_minutes=3, validate_minutes=6,
    )  # fmt: skip


def train(
    out: Path, *, minutes: float = 75, seed: int = 0, resume: bool = False, init: Path | None = None,
    device: str | None = None,
) -> training.Metrics:  # fmt: skip
    """Train a recogniser on words drawn with the training fonts and photographs, from the weights of `init`, if given,
    at half the rates.

    Returns the last figures on words of the test fonts and photographs. Raises DataError, CheckpointError for `init`,
    and what `running.train` does.
    """
    fonts, photographs = scenes.split("train")
    watched = test_crops(600)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = recogniser.load(init) if init else Recogniser()
    settings = config(minutes, seed, RATE / 2 if init else RATE)
    identity = {"network": recogniser.KIND, "fonts": len(fonts), "photographs": len(photographs),
                "sum": scenes.digest(fonts, photographs)}  # fmt: skip
    with Crops(Drawer(fonts, photographs, seed)) as source:
        return running.train(
            out, model, settings, source, partial(test, crops=watched), recogniser.save, identity=identity,
            loss=ctc_loss, init=init, resume=resume, device=device,
        )  # fmt: skip
