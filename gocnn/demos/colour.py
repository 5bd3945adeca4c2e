"""Two filters on a colour photograph: each is as deep as the picture, three times 3×3, and gives one map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from gocnn.conv import ConvBlock
from gocnn.demos import Say, Shown, hang
from gocnn.images import pictures, samples
from gocnn.visualize import drawing

PHOTOGRAPH, SIDE = "astronaut", 120  # and its size in pixels
PLANES = ("red", "green", "blue")
_EDGE = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
_FLAT = [[1, 1, 1], [1, 1, 1], [1, 1, 1]]
#: name -> weights [3, 3, 3], a 3×3 for each colour; they are small whole numbers, so that they can be read.
FILTERS: dict[str, np.ndarray] = {
    "upright edges, of any colour": np.array([_EDGE, _EDGE, _EDGE]),
    "orange, in any shape": np.array(_FLAT) * np.array([2, -1, -1])[:, None, None],
}


def compute() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The picture [3, H, W], 0 to 1; the filters' maps [2, H - 2, W - 2]; each colour's part in them [2, 3, ...]."""
    picture = pictures.crop(samples.photograph(PHOTOGRAPH), SIDE, SIDE)
    image = torch.from_numpy(picture.transpose(2, 0, 1).copy()).float() / 255
    weights = torch.from_numpy(np.stack(list(FILTERS.values()))).float()
    conv = ConvBlock(3, len(FILTERS), 3, padding="valid", bias=False).conv
    with torch.no_grad():
        conv.weight.copy_(weights)
        maps = conv(image[None])[0]
        alone = [conv(image[None] * (torch.arange(3) == plane)[:, None, None])[0] for plane in range(3)]
    return image.numpy(), maps.numpy(), torch.stack(alone, 1).numpy()


def make(out: Path, say: Say) -> Shown:
    image, maps, parts = compute()
    figure, cells = drawing.canvas(1 + len(FILTERS), 4, cell=2.5, wide=1.05)
    for plane, name in enumerate(PLANES):
        tinted = np.zeros((*image.shape[1:], 3))
        tinted[..., plane] = image[plane]
        drawing.show(cells[0, plane], tinted, title=f"{name} plane")
    drawing.show(cells[0, 3], image.transpose(1, 2, 0), title="the picture: three planes")
    strongest = {}
    for row, (name, weights) in enumerate(FILTERS.items(), 1):
        one, shares = maps[row - 1], parts[row - 1]
        top, left = np.unravel_index(one.argmax(), one.shape)
        at = [round(float(value), 2) for value in shares[:, top, left]]
        strongest[name] = {"value": round(float(one.max()), 2), "parts": at, "place": [int(top), int(left)]}
        say(f"{name}: {', '.join(f'{p} {v:.2f}' for v, p in zip(at, PLANES))}, together {one.max():.2f} at most")
        for plane, axes in enumerate(cells[row, :3]):
            title = f"filter {row}: its {PLANES[plane]} slice"
            drawing.numbers(axes, weights[plane], limit=float(np.abs(weights).max()), title=title, size=12)
        peak = float(np.abs(one).max())
        drawing.show(cells[row, 3], one, title=f"its map: {name}", colours=drawing.DIVERGING, limit=peak)
    caption = (
        "A colour picture is three planes, and so a filter has a depth of three: 27 weights, not 9. Each slice is laid "
        "on its own plane, and all 27 products are added into one number, so that a filter still gives one map (red "
        "above zero, blue below). The first filter finds upright edges whatever their colour; the second cannot see "
        "shapes, but finds the orange of the suit and the red of the flag: colour decides, since its slices differ."
    )
    numbers = {"weights a filter": next(iter(FILTERS.values())).size, "strongest": strongest}
    return Shown((hang(figure, out / "colour.png", caption),), numbers)
