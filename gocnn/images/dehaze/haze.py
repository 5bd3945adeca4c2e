"""What haze does to a photograph, and depth maps to try it with where the true depth is not known.

The atmospheric scattering model (Koschmieder 1924; Narasimhan & Nayar 2002, https://doi.org/10.1023/A:1016328200723):
of the light J of a scene only the share t = exp(-beta d) comes through d of haze, and airlight A takes the place of the
rest, I = J t + A (1 - t). Pictures are float32 [H, W, 3], 0 to 1; transmissions and depths [H, W].
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

WORK = 96  # pixels of the longer side on which a depth map's objects are found
SHALLOW = 1.5  # inverse depth that is added everywhere at most; the nearest plane's is 1
DEEP = 0.05  # and at least, lest a plane be infinitely far


def transmission(depth: np.ndarray, beta: float) -> np.ndarray:
    """The share of light that comes through, exp(-beta d), 0 to 1: float32 [H, W] of depths 0 or more."""
    return np.exp(-beta * depth.astype(np.float32))


def hazy(clean: np.ndarray, through: np.ndarray, airlight: np.ndarray) -> np.ndarray:
    """The scene behind haze of transmission `through` [H, W], under airlight [3]."""
    t = through[..., None]
    return np.asarray(clean * t + airlight.astype(np.float32) * (1 - t), np.float32)


def clear(picture: np.ndarray, through: np.ndarray, airlight: np.ndarray, least: float = 0.05) -> np.ndarray:
    """The scene that `hazy` was given, not limited to 0..1; transmissions below `least` are taken for `least`."""
    t = np.maximum(through, least)[..., None]
    return np.asarray((picture - airlight) / t + airlight, np.float32)


def random_airlight(rng: np.random.Generator) -> np.ndarray:
    """Airlight as it is by day: nearly grey, 0.7 to 1.0, with a slight tint; float32 [3]."""
    grey = rng.uniform(0.7, 1.0)
    return np.clip(grey + rng.normal(0, 0.02, 3), 0.6, 1.0).astype(np.float32)


def random_depth(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """A depth map such as the photograph might have: float32 [H, W], 0 to 1, the farthest at 1.

    Behind stands a scene of planes (a ground that runs to the horizon, or a room), of which a plane's inverse depth is
    linear in the picture. Before it stand objects: parts of one colour and place, each as far as the ground where it
    stands. Bright parts that touch the upper border may be sky, which is farthest. Slow waves are laid over all. One
    map in twelve is level.
    """
    height, width = picture.shape[:2]
    if rng.random() < 1 / 12:
        return np.ones((height, width), np.float32)
    colours = _smooth(picture)
    small = colours.shape[:2]
    inverse = _planes(rng, *small)
    inverse = _with_objects(rng, inverse, _parts(rng, colours), colours)
    inverse = inverse * np.exp(rng.uniform(0, 0.3) * _waves(rng, *small))
    depth = 1 / (inverse + np.exp(rng.uniform(np.log(DEEP), np.log(SHALLOW))))
    depth = depth / np.quantile(depth, rng.uniform(0.9, 1.0))
    depth = np.minimum(depth, rng.uniform(1.0, 1.5))
    if rng.random() < 0.5:  # as depth maps are often normalised: the nearest point at 0
        depth = depth - depth.min() * rng.uniform(0.5, 1.0)
    depth = np.maximum(depth, 0) / max(float(depth.max()), 1e-6)
    return depth_like(depth, height, width)


def depth_like(depth: np.ndarray, height: int, width: int) -> np.ndarray:
    """A depth map in another size, float32 [height, width], smooth between its pixels."""
    image = Image.fromarray(depth.astype(np.float32))
    return np.array(image.resize((width, height), Image.Resampling.BILINEAR))


def _planes(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Inverse depth [H, W], 0 to 1, of some planes: of several the nearest is seen."""
    y, x = np.meshgrid(np.linspace(0, 1, height), np.linspace(-0.5, 0.5, width), indexing="ij")
    horizon, tilt = rng.uniform(-0.5, 0.6), rng.normal(0, 0.15)
    planes = [(y - horizon + tilt * x) / (1 - horizon)]  # the ground, or a floor
    if rng.random() < 0.6:
        planes.append(np.full_like(y, rng.uniform(0.05, 0.7)))  # a wall behind
    for side in (-1, 1):
        if rng.random() < 0.3:  # walls beside
            planes.append(side * x * rng.uniform(0.5, 2.0) + rng.uniform(-0.3, 0.2))
    if rng.random() < 0.25:  # a ceiling, or leaves above
        planes.append((rng.uniform(0.1, 0.5) - y) * rng.uniform(0.5, 1.5))
    inverse = np.maximum(np.max(planes, axis=0), 0)
    return np.asarray(inverse / max(float(inverse.max()), 1e-6))


def _smooth(picture: np.ndarray) -> np.ndarray:
    """The picture at most `WORK` pixels long, float32 [h, w, 3], without fine texture."""
    height, width = picture.shape[:2]
    scale = min(1.0, WORK / max(height, width))
    image = Image.fromarray(np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8))
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    return np.asarray(image.resize(size, Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(1)), np.float32) / 255


def _parts(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """A picture [H, W, 3] in parts of like colour and place: int [H, W], the number of each pixel's.

    Each pixel belongs to the nearest of some pixels drawn at random, by colour and place (as the superpixels of SLIC,
    https://doi.org/10.1109/TPAMI.2012.120, before their first step).
    """
    height, width = colours.shape[:2]
    y, x = np.meshgrid(np.arange(height) / height, np.arange(width) / height, indexing="ij")
    weight = rng.uniform(0.4, 2.0)
    features = np.concatenate((colours * weight, y[..., None], x[..., None]), axis=2).reshape(-1, 5).astype(np.float32)
    centres = features[rng.integers(len(features), size=rng.integers(5, 40))]
    distances = np.square(centres).sum(1) - 2 * features @ centres.T
    return distances.argmin(1).reshape(height, width)


def _with_objects(rng: np.random.Generator, inverse: np.ndarray, parts: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Inverse depth with some parts standing upright before what is behind them, and some of them sky."""
    upright = rng.uniform(0, 0.9)
    skies = rng.random() < 0.6
    height = len(parts)
    result = inverse.copy()
    for part in range(int(parts.max()) + 1):
        inside = parts == part
        if not inside.any():
            continue
        rows = np.flatnonzero(inside.any(1))
        colour = colours[inside].mean(0)
        if skies and rows[0] == 0 and rows[-1] < 0.75 * height and colour.mean() > 0.5 and colour[2] >= colour[0] - 0.1:
            result[inside] = 0
        elif rng.random() < upright:
            foot = float(np.median(inverse[rows[-1]][inside[rows[-1]]]))
            nearer = 1 + rng.exponential(0.2)
            result[inside] = np.maximum(foot * nearer, inverse[inside])
    return result


def _waves(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Slow noise [H, W], about -1 to 1."""
    cells = rng.normal(0, 0.6, (rng.integers(2, 6), rng.integers(2, 6))).astype(np.float32)
    return np.array(Image.fromarray(cells).resize((width, height), Image.Resampling.BICUBIC))
