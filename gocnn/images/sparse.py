"""A layer of large colour filters that learns from photographs, without labels, to say much with few of them.

AlexNet's first layer (Krizhevsky et al. 2012, https://doi.org/10.1145/3065386) has filters of 11×11 pixels and three
colours; a thousand classes and a million photographs made edges, gratings and blobs of colour of them. Minutes on a CPU
and a hundred photographs do the same with another task, a k-sparse autoencoder (Makhzani & Frey 2014, arXiv 1312.5663):
of 96 filters only the five that answer most strongly may speak, and from what they say the patch is drawn again.
What needs fewest words is what photographs are made of (Olshausen & Field 1996, https://doi.org/10.1038/381607a0).
"""

from __future__ import annotations

import hashlib
import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor, nn
from torch.nn.functional import conv2d, unfold

from gocnn import checkpoint, training, weights
from gocnn.conv import ConvBlock
from gocnn.images import photos, running

KIND = "sparse"  # of checkpoint
SHIPPED = "filters.safetensors"
FILTERS, KERNEL, STRIDE, KEPT = 96, 11, 4, 5
PATCHES_PER_PHOTOGRAPH = 1000  # in an epoch
WATCHED = 10  # every tenth photograph is held out, to watch a run on
ROW = 16  # consecutive samples are of one photograph


class SparseFilters(nn.Module):
    """Whitened photographs float [B, 3, H, W] -> their patches drawn again, [B, 363, h, w]; 34,944 weights.

    `conv1` has AlexNet's shape, 96 filters of 11×11×3 in steps of 4: h = (H - 11) // 4 + 1. At each place the `KEPT`
    largest of its outputs are kept, and the patch is the sum of those filters, each as strong as its output.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = ConvBlock(3, FILTERS, KERNEL, stride=STRIDE, padding="valid")
        nn.init.normal_(self.conv1.conv.weight, std=0.01)  # as AlexNet's
        nn.init.zeros_(self.conv1.conv.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        code = strongest(self.conv1(x), KEPT)  # [B, 96, h, w]
        return conv2d(code, self.conv1.conv.weight.flatten(1).T[:, :, None, None])


def strongest(code: Tensor, count: int) -> Tensor:
    """The `count` largest of the channels at each place, and what equals the last of them; the others 0.

    float [B, C, h, w] to the same shape.
    """
    return torch.where(code >= code.topk(count, 1).values[:, -1:], code, 0)


def patches(x: Tensor) -> Tensor:
    """The patches that the filters see, as `SparseFilters` draws them: float [B, 3, H, W] -> [B, 363, h, w]."""
    rows = (x.shape[2] - KERNEL) // STRIDE + 1
    return unfold(x, KERNEL, stride=STRIDE).unflatten(2, (rows, -1))


def squared_error(model: nn.Module, inputs: Tensor) -> Tensor:
    """The loss: the mean square of what the patches drawn again lack."""
    return torch.square(model(inputs) - patches(inputs)).mean()


class Patches:
    """Patches of 11×11 pixels from whitened photographs, as an endless row of samples.

    Sample number ``i`` is a pure function of the seed and ``i``, as `gocnn.training` wants it to resume a run.
    """

    def __init__(self, photographs: list[np.ndarray], seed: int = 0) -> None:
        """Take photographs float32 [3, H, W] of `photos.whitened`."""
        self.seed = seed
        self._windows = [sliding_window_view(p, (KERNEL, KERNEL), (1, 2)) for p in photographs]  # [3, H', W', 11, 11]

    def __len__(self) -> int:
        return PATCHES_PER_PHOTOGRAPH * len(self._windows)

    def batch(self, first: int, count: int) -> tuple[np.ndarray]:
        """Samples ``first`` to ``first + count - 1``: float32 [count, 3, 11, 11]."""
        rows = range(first // ROW, -(-(first + count) // ROW))
        drawn = np.concatenate([self._row(row) for row in rows])
        return (drawn[first - rows[0] * ROW :][:count],)

    def _row(self, row: int) -> np.ndarray:
        rng = np.random.default_rng((self.seed, row))
        windows = self._windows[rng.integers(len(self._windows))]
        down, across = (rng.integers(side, size=ROW) for side in windows.shape[1:3])
        return np.ascontiguousarray(windows[:, down, across].swapaxes(0, 1))


@torch.no_grad()
def explained(model: nn.Module, sample: Tensor) -> training.Metrics:
    """How well patches float [N, 3, 11, 11] are drawn again, and by how many filters.

    "explained" is the share of their variance, 0 to 1 (below 0 if nothing would be better), "unused" how many of the
    filters are never among the strongest.
    """
    sample = sample.to(next(model.parameters()).device)
    code = strongest(model.get_submodule("conv1")(sample), KEPT)
    lacking = float(squared_error(model, sample)) / float(sample.square().mean())
    return {"explained": 1 - lacking, "unused": int((code.amax((0, 2, 3)) == 0).sum())}


def untrained(seed: int = 0) -> SparseFilters:
    """The network as a run of `train` with that seed finds it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SparseFilters().eval()


def train(out: Path, *, epochs: float = 20, seed: int = 0, resume: bool = False) -> training.Metrics:
    """Train the filters on the photographs in the cache.

    Returns the last figures on patches of photographs that are held out. Raises ValueError for photographs that are
    missing (DataError) or too few, and what `running.train` does.
    """
    found = photos.load()
    if len(found) < 2:
        raise ValueError("one photograph is not enough: the run is watched on others than it learns from")
    digest = hashlib.sha256(b"".join(p.tobytes() for p in found)).hexdigest()
    white = [photos.whitened(p) for p in found]
    learn = Patches([p for k, p in enumerate(white) if k % WATCHED], seed)
    watch = torch.from_numpy(Patches(white[::WATCHED], seed).batch(0, 4096)[0])
    settings = training.TrainingConfig(
        samples=round(epochs * len(learn)), batch=512, optimizer="adamw", lr=4e-3, weight_decay=0.0, warmup=0.03,
        seed=seed, precision="fp32", checkpoint_minutes=1, validate_minutes=1,
    )  # fmt: skip
    return running.train(
        out, untrained(seed), settings, learn, partial(explained, sample=watch), save, loss=squared_error,
        resume=resume, identity={"network": "sparse", "photographs": len(found), "sum": digest[:16]},
    )  # fmt: skip


def save(path: str | os.PathLike[str], model: nn.Module, card: dict[str, Any]) -> None:
    """Write the filters in half precision with what is known of their making. Raises OSError."""
    checkpoint.save(path, KIND, {"card": card}, checkpoint.in_half(model))


def load(path: str | os.PathLike[str] | None = None) -> SparseFilters:
    """The network that ships, or the one in a file that `save` wrote, in eval mode. Raises CheckpointError."""
    return checkpoint.restored(SparseFilters(), path or weights.shipped(SHIPPED), KIND)
