"""Photographs to learn first-layer filters from: out of archives into the cache, and as a network is given them.

The photographs of GCompris, a collection of games for children, are free and come with Debian: animals, monuments and
musicians by many hands. Any folder of pictures will do as well.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping

import numpy as np
import safetensors.numpy

from gocnn.images import datasets, pictures

NAME = "photos"  # in the cache
SIDE = 256  # of a kept photograph: its shorter side, in pixels
LONGEST = 2.5  # times its shorter side
FLAT = 12  # standard deviation, of 255, below which a picture shows nothing

#: Activities of GCompris whose pictures are photographs, and the files of the package that hold them.
ACTIVITIES = ("erase", "explore_farm_animals", "explore_monuments", "explore_world_animals", "explore_world_music")
RESOURCES = tuple(f"gcompris-qt/rcc/{activity}.rcc" for activity in ACTIVITIES)

#: Directions in the cube of red, green and blue: brightness, blue against yellow, and red against green. Photographs
#: vary in these independently (Ruderman et al. 1998, https://doi.org/10.1364/JOSAA.15.002036), and far less in colour.
COLOUR_AXES = np.array([[1, 1, 1], [-1, -1, 2], [1, -1, 0]]) / np.sqrt([[3], [6], [2]])
COLOUR_GAINS = np.array([1.0, 3.0, 4.5])
FINEST = 0.3  # waves a pixel; what is finer is mostly noise
LIMIT = 6.0  # standard deviations


def collect(files: Mapping[str, bytes]) -> dict[str, np.ndarray]:
    """The photographs in picture files and GCompris's resource files, by name: uint8 [H, W, 3], shorter side 256.

    Files are looked at one at a time. Left out is what cannot be read, is no JPEG, PNG or WebP, is neither
    grey nor RGB of 8 bits each, is smaller, longer than `LONGEST` or of one shade. Raises DataError if nothing is left.
    """
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    kept = {}
    for name in track(sorted(files), "looking at pictures", console=console, transient=True,
                      disable=not console.is_terminal):  # fmt: skip
        try:
            data = files[name]
        except OSError:
            continue
        stem = name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        for number, picture in enumerate(_embedded(data) if name.endswith(".rcc") else [data]):
            pixels = _photograph(picture)
            if pixels is not None:
                key = f"{stem}-{number:03}"
                kept[key if key not in kept else f"{name}-{number:03}"] = pixels
    if not kept:
        raise datasets.DataError(f"no photographs of {SIDE}×{SIDE} pixels or more are there")
    return kept


def _photograph(data: bytes) -> np.ndarray | None:
    """The photograph in a picture file, as `collect` keeps it, or None."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow finds odd about a file
            with Image.open(io.BytesIO(data), formats=("JPEG", "WEBP", "PNG")) as opened:
                small = min(opened.size) < SIDE
                if small or max(opened.size) > LONGEST * min(opened.size) or opened.mode not in ("RGB", "L"):
                    return None
                opened.draft(None, (4 * SIDE, 4 * SIDE))  # a JPEG file can be read at a half, a quarter or an eighth
                image = pictures.upright(opened)
                scale = SIDE / min(image.size)
                width, height = (round(scale * side) for side in image.size)
                pixels = np.array(image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS))
    except Exception:  # of no picture, or a damaged one: Pillow's decoders raise errors of every kind
        return None
    return pixels if pixels.std() >= FLAT else None


def _embedded(data: bytes) -> list[bytes]:
    """The JPEG and WebP files in a Qt resource file; before each stands its length in four bytes."""
    found = []
    for match in re.finditer(rb"(?s)\xff\xd8\xff|RIFF....WEBP", data):
        start = match.start()
        length = int.from_bytes(data[max(start - 4, 0) : start], "big")
        if 12 < length <= len(data) - start:
            found.append(data[start : start + length])
    return found


def load() -> list[np.ndarray]:
    """The photographs in the cache, uint8 [H, W, 3], in the order of their names.

    Raises DataError if none have been fetched or the file is damaged.
    """
    place = datasets.path(NAME)
    with datasets.reading(place, NAME, "photographs"):
        found = safetensors.numpy.load_file(place)
    if not found or any(p.dtype != np.uint8 or p.ndim != 3 or p.shape[2] != 3 for p in found.values()):
        raise datasets.DataError(f"{place}: holds no photographs; `gocnn images fetch {NAME}` fetches photographs")
    return [found[name] for name in sorted(found)]


def whitened(picture: np.ndarray) -> np.ndarray:
    """A photograph with its edges and colours brought out: uint8 [H, W, 3] -> float32 [3, H, W], about -6 to 6.

    In photographs brightness falls as one over the frequency, so that a network would see little but broad shades.
    Each frequency f (waves a pixel) is multiplied by f exp(-(f/0.3)^4), which makes all up to about 0.3 equally strong
    and takes finer ones out (Olshausen & Field 1997, https://doi.org/10.1016/S0042-6989(97)00169-7). Colour differences
    are multiplied by `COLOUR_GAINS`. The result has mean 0 and standard deviation 1. Raises PictureError for a
    picture of one shade.
    """
    values = picture.astype(np.float32) / 255
    margin = min(16, min(picture.shape[:2]) - 1)  # mirrored, lest the picture's border be an edge
    values = np.pad(values, ((margin, margin), (margin, margin), (0, 0)), mode="reflect")
    height, width = values.shape[:2]
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    gain = frequency * np.exp(-((frequency / FINEST) ** 4))
    flat = np.fft.irfft2(np.fft.rfft2(values, axes=(0, 1)) * gain[..., None], s=(height, width), axes=(0, 1))
    flat = flat[margin : height - margin, margin : width - margin]
    flat = flat @ (COLOUR_AXES.T @ np.diag(COLOUR_GAINS) @ COLOUR_AXES)
    deviation = float(flat.std())
    if deviation < 1e-6:
        raise pictures.PictureError("nothing is to be seen on the picture: it is of one shade")
    return np.ascontiguousarray(np.clip(flat / deviation, -LIMIT, LIMIT).transpose(2, 0, 1), np.float32)
