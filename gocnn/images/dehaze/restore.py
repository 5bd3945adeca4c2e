"""A photograph of any size without its haze, in bounded memory.

The network looks at a small copy of the whole picture, as haze is a matter of the whole. Its maps are carried to full
size by the guided filter's coefficients, row by row, so that their edges follow those of the large picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from gocnn.images import pictures
from gocnn.images.dehaze import guided, network

SHORTER, LONGER = 192, 480  # pixels of the small copy's sides, at most; about what training shows
RADIUS, EPSILON = 4, 1e-3  # of the guided filter, on the small copy
STRIP = 1_000_000  # pixels that are worked on at a time

Report = Callable[[int], None]


@dataclass(frozen=True)
class Restored:
    """A picture without haze, uint8 [H, W, 3], and what the network saw in the small copy [h, w]."""

    picture: np.ndarray
    through: np.ndarray  # transmission float32 [h, w], 0.05 to 1
    airlight: np.ndarray  # float32 [3], 0 to 1


def restore(
    model: nn.Module, picture: np.ndarray, *, strength: float = 1.0, strip: int = STRIP, report: Report | None = None
) -> Restored:
    """Take the haze off a picture uint8 [H, W, 3] of any size.

    With `strength` 0 the picture stays as it is, with 1 all haze that the network sees is taken off, and between them
    a part of it, as if there were less air. The picture is worked on in strips of about `strip` pixels, which does not
    change what comes out; `report` is called with the rows done.
    """
    height, width = picture.shape[:2]
    small = _small(picture)
    maps, airlight = _look(model, small)
    slopes, offsets = _linear(small, maps, (height, width))
    result = np.empty_like(picture)
    rows = max(1, strip // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        seen = picture[top:bottom].astype(np.float32) / 255
        slope, offset = (_rows(table, top, bottom, height) for table in (slopes, offsets))
        carried = slope * seen.mean(2) + offset  # [4, rows, W]
        result[top:bottom] = _cleared(seen, carried, airlight, strength)
        if report:
            report(bottom)
    return Restored(result, maps[0], airlight)


def _small(picture: np.ndarray) -> np.ndarray:
    """The copy that the network sees, uint8 [h, w, 3]; a picture that is small already is taken as it is."""
    height, width = picture.shape[:2]
    scale = min(1.0, SHORTER / min(height, width), LONGER / max(height, width))
    if scale == 1:
        return picture
    return pictures.resize(picture, max(1, round(height * scale)), max(1, round(width * scale)))


@torch.inference_mode()
def _look(model: nn.Module, small: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Transmission and correction, float32 [4, h, w], and airlight [3] of a picture uint8 [h, w, 3].

    Means of what the network says of the picture and of its mirror image.
    """
    height, width = small.shape[:2]
    sides = [max(2, math.ceil(side / network.MULTIPLE)) * network.MULTIPLE - side for side in (height, width)]
    padded = np.pad(small, ((0, sides[0]), (0, sides[1]), (0, 0)), mode="symmetric")
    planes = torch.from_numpy(np.ascontiguousarray(padded.transpose(2, 0, 1)))[None].float() / 255
    plain, turned = model(planes), model(planes.flip(3))
    maps = [torch.cat((answer.through, answer.correction), 1)[0] for answer in (plain, turned)]
    mean = (maps[0] + maps[1].flip(2)) / 2
    return mean[:, :height, :width].numpy(), ((plain.airlight + turned.airlight)[0] / 2).numpy()


def _linear(small: np.ndarray, maps: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """By what the maps [4, h, w] are linear in the large picture's brightness: slopes and offsets float32 [4, h, W].

    Across they have the large picture's width already. A picture that was not shrunk keeps the maps as they are.
    """
    if small.shape[:2] == size:
        return np.zeros((1, 1, 1), np.float32), maps
    guide = small.mean(2, dtype=np.float64) / 255
    pair = guided.coefficients(guide, maps, RADIUS, EPSILON)
    at, other, share = _between(0, size[1], size[1], small.shape[1])
    wide = [table[..., at] * (1 - share) + table[..., other] * share for table in pair]
    return wide[0].astype(np.float32), wide[1].astype(np.float32)


def _rows(table: np.ndarray, top: int, bottom: int, height: int) -> np.ndarray:
    """Rows `top` to `bottom` - 1, of `height`, of a table [4, h, W] drawn out to that height."""
    at, other, share = _between(top, bottom, height, table.shape[1])
    share = share[:, None]
    return np.asarray(table[:, at] * (1 - share) + table[:, other] * share)


def _between(first: int, last: int, length: int, source: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of which two of `source` pixels each of `length` pixels is made, and the share of the second (float32)."""
    places = np.clip((np.arange(first, last) + 0.5) * source / length - 0.5, 0, source - 1)
    at = places.astype(np.int64)
    return at, np.minimum(at + 1, source - 1), (places - at).astype(np.float32)


def _cleared(seen: np.ndarray, maps: np.ndarray, airlight: np.ndarray, strength: float) -> np.ndarray:
    """uint8 [rows, W, 3] without haze, of a strip float32 and its maps [4, rows, W]."""
    t = np.clip(maps[0], network.LEAST, 1)[..., None]
    correction = strength * (1 - t) * maps[1:].transpose(1, 2, 0)
    found = (seen - airlight) / t**strength + airlight + correction
    return np.clip(np.round(found * 255), 0, 255).astype(np.uint8)
