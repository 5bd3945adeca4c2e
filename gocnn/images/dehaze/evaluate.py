"""How good the network is where the truth is known: photographs it has not seen, and a scene of known depth.

The scene is the motorcycle of the Middlebury stereo pictures of 2014 (https://doi.org/10.1007/978-3-319-11752-2_3),
which scikit-image carries in its package; depth comes from its true disparity.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from torch import nn

from gocnn import checkpoint
from gocnn.images import datasets, photos
from gocnn.images.dehaze import dark_channel, haze, metrics, network, recipe, restore

NAME = "dehaze"  # of the network that ships
BETAS = (0.8, 1.2, 2.0)
AIRLIGHT = 0.9  # grey
OTHERS = (0.8, 1.0)  # airlights that are tried as well
FOCAL, APART, OFFSET = 994.978, 193.001, 31.086  # pixels, mm and pixels of the motorcycle's cameras at this size
METHODS = ("hazy", "dark channel", "network")


@dataclass(frozen=True)
class Scene:
    """A clean picture, uint8 [H, W, 3], and its depth float32 [H, W], 0 to 1."""

    name: str
    clean: np.ndarray
    depth: np.ndarray


def motorcycle(*, spread: bool = False) -> Scene:
    """The motorcycle in a garage, 500×741, and its depth over that of its farthest point: 0.42 to 1.

    With `spread` the depths are stretched to 0..1. Pixels without a known disparity, which are hidden from one camera,
    get that of the farther of their two neighbours in the row. Raises DataError if scikit-image is not installed.
    """
    try:
        from skimage.data import stereo_motorcycle
    except ImportError:
        raise datasets.DataError("the motorcycle is in the package scikit-image: pip install scikit-image") from None
    left, _, disparity = stereo_motorcycle()
    depth = APART * FOCAL / (filled(disparity) + OFFSET)
    if spread:
        depth = depth - depth.min()
    return Scene("motorcycle", left, (depth / depth.max()).astype(np.float32))


def filled(disparity: np.ndarray) -> np.ndarray:
    """Disparities [H, W] without gaps: what is not finite gets the smaller of its neighbours in the row."""
    known = np.isfinite(disparity)
    columns = np.arange(disparity.shape[1])
    before = np.maximum.accumulate(np.where(known, columns, -1), axis=1)
    after = np.minimum.accumulate(np.where(known, columns, len(columns))[:, ::-1], axis=1)[:, ::-1]
    padded = np.pad(np.where(known, disparity, np.inf), ((0, 0), (1, 1)), constant_values=np.inf)
    rows = np.arange(len(disparity))[:, None]
    return np.asarray(np.minimum(padded[rows, before + 1], padded[rows, after + 1]))


def photographs(held: list[np.ndarray], seed: int = 2) -> list[Scene]:
    """Held-out photographs with depth maps made for them, as their true depths are not known."""
    scenes = []
    for number, clean in enumerate(held):
        rng = np.random.default_rng((seed, number))
        scenes.append(Scene(f"photograph {number}", clean, haze.random_depth(rng, clean / np.float32(255))))
    return scenes


def hazed(scene: Scene, beta: float, airlight: float = AIRLIGHT) -> np.ndarray:
    """The scene under haze, uint8 [H, W, 3]."""
    through = haze.transmission(scene.depth, beta)
    picture = haze.hazy(scene.clean / np.float32(255), through, np.full(3, airlight, np.float32))
    return np.round(255 * np.clip(picture, 0, 1)).astype(np.uint8)


def answers(model: nn.Module, picture: np.ndarray) -> dict[str, np.ndarray]:
    """The hazy picture and what each method makes of it, float64 [H, W, 3], 0 to 1, by the names of `METHODS`."""
    values = picture / np.float32(255)
    found = (values, dark_channel.remove(values).picture, restore.restore(model, picture).picture / 255)
    return dict(zip(METHODS, (np.asarray(one, np.float64) for one in found)))


def scores(
    model: nn.Module, scenes: list[Scene], beta: float, airlight: float = AIRLIGHT
) -> dict[str, tuple[float, float]]:
    """Mean PSNR (dB) and SSIM of each method over scenes under haze."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in METHODS}
    for scene in scenes:
        clean = scene.clean / 255
        for name, picture in answers(model, hazed(scene, beta, airlight)).items():
            found[name].append((metrics.psnr(clean, picture), metrics.ssim(clean, picture)))
    return {name: (float(np.mean([p for p, _ in pairs])), float(np.mean([s for _, s in pairs])))
            for name, pairs in found.items()}  # fmt: skip


def table(model: nn.Module, scenes: list[Scene], airlight: float = AIRLIGHT) -> Iterator[str]:
    """Lines for a reader: each method at each of `BETAS`, and the mean."""
    yield f"{'beta':<6}" + "".join(f"{name:>22}" for name in METHODS)
    rows = []
    for beta in BETAS:
        rows.append(scores(model, scenes, beta, airlight))
        yield f"{beta:<6}" + "".join(f"{p:>12.2f} dB {s:.4f}" for p, s in rows[-1].values())
    means = (np.mean([row[name] for row in rows], axis=0) for name in METHODS)
    yield f"{'mean':<6}" + "".join(f"{p:>12.2f} dB {s:.4f}" for p, s in means)


def unchanged(model: nn.Module, clean: list[np.ndarray]) -> list[float]:
    """PSNR in dB between photographs without haze, uint8 [H, W, 3], and what the network makes of them."""
    return [metrics.psnr(picture / 255, restore.restore(model, picture).picture / 255) for picture in clean]


def knows(model: str) -> bool:
    """Whether this names a network against haze: the one that ships, or a file that training wrote."""
    if model == NAME:
        return True
    try:
        checkpoint.load(model, network.KIND)
    except checkpoint.CheckpointError:
        return False
    return True


def report(model: nn.Module) -> Iterator[str]:
    """Lines with all figures: the motorcycle in haze of several kinds, and photographs that were held out.

    Raises DataError if scikit-image or the photographs are missing.
    """
    _, held = recipe.split(photos.load())
    yield f"motorcycle, depth over the farthest, airlight {AIRLIGHT}: PSNR and SSIM"
    yield from table(model, [motorcycle()], AIRLIGHT)
    for spread in (False, True):
        for airlight in (*OTHERS, AIRLIGHT) if spread else OTHERS:
            yield f"motorcycle, depth {'stretched to 0..1' if spread else 'over the farthest'}, airlight {airlight}"
            yield from table(model, [motorcycle(spread=spread)], airlight)
    yield f"{len(held)} held-out photographs, depths made for them, airlight {AIRLIGHT}"
    yield from table(model, photographs(held), AIRLIGHT)
    kept = unchanged(model, held)
    yield (
        f"held-out photographs without haze against what the network makes of them: median {np.median(kept):.2f} dB, "
        f"least {min(kept):.2f} dB"
    )
