"""First-layer filters of five networks: large colour ones that learned from photographs, before and after, and those of
the networks for a thousand classes, for digits and for Go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import fold

from gocnn import policy, weights
from gocnn.demos import Say, Shown, hang, together
from gocnn.images import models, photos, samples, sparse
from gocnn.visualize import drawing, tuning
from gocnn.visualize.filters import filters

DIRECTED, COLOURED, GREY, SMOOTH = 0.5, 0.5, 0.1, 0.3  # of `tuning`, all 0 to 1; noise has about 0.07, 0.67, 0.67, 1
PHOTOGRAPH = "chelsea"
PAPER = (0.62, 0.76, 0.92)  # between filters that may be white at their edges
BANDS, COLUMNS = 2, 16  # of filters of the Go network


def make(out: Path, say: Say, model: Path | None = None) -> Shown:
    """The demo, with the colour filters that ship or those in a file that `sparse.train` wrote."""
    learned = sparse.load(model)
    source = click.format_filename(model) if model else ""
    colour = _before_and_after(out, learned, say, source)
    return together((colour, _photograph(out, learned, say, source), _others(out, say), _go(out, say)))


def kinds(drawn: np.ndarray) -> dict[str, int]:
    """How many of the filters [K, H, W, 3], drawn from 0 to 1, are grey edges, coloured edges and blobs of colour."""
    weight = drawn - 0.5
    directed = tuning.directedness(weight) > DIRECTED
    colour = tuning.colourfulness(weight)
    return {
        "edges": int(directed.sum()),
        "grey edges": int((directed & (colour < GREY)).sum()),
        "coloured edges": int((directed & (colour > COLOURED)).sum()),
        "blobs of colour": int((~directed & (colour > COLOURED) & (tuning.roughness(weight) < SMOOTH)).sum()),
    }


def sheet(drawn: np.ndarray, columns: int, *, apart: Sequence[float] = (1, 1, 1)) -> np.ndarray:
    """Pictures [K, H, W, 1 or 3] in rows on one sheet, a pixel apart: [rows (H + 1) - 1, columns (W + 1) - 1, 3].

    `apart` is the sheet's colour, white if none is given.
    """
    count, height, width, _ = drawn.shape
    rows = -(-count // columns)
    laid = np.tile(np.asarray(apart, np.float64), (rows * columns, height + 1, width + 1, 1))
    laid[:count, :height, :width] = drawn
    whole = laid.reshape(rows, columns, height + 1, width + 1, 3).swapaxes(1, 2)
    return whole.reshape(rows * (height + 1), columns * (width + 1), 3)[:-1, :-1]


def _before_and_after(out: Path, learned: nn.Module, say: Say, source: str) -> Shown:
    """The 96 filters of 11×11×3 as chance made them and as photographs did; `source` is the file they are from."""
    figure, cells = drawing.canvas(1, 2, cell=3.6, wide=1.5)
    found = {}
    if source:
        say(f"trained: {source}")
    for axes, name, model in ((cells[0, 0], "untrained", sparse.untrained()), (cells[0, 1], "trained", learned)):
        shown = filters(model, "conv1", scale="own", order="colour")
        found[name] = kinds(shown)
        drawing.show(axes, sheet(shown, 12), title=f"{name}: {found[name]['edges']} of {len(shown)} are edges")
        axes.axis("off")
        say(f"{name:<9}  " + ", ".join(f"{count} {kind}" for kind, count in found[name].items()))
    caption = (
        "A first layer of AlexNet's kind, 96 filters of 11×11 pixels and three colours, before and after it learned "
        "from photographs; the most colourful first, each on its own scale, grey is zero. It was told nothing of edges "
        "or colours, only to draw patches again with five of its filters. "
        f"{found['trained']['grey edges']} filters became edges in black and white, "
        f"{found['trained']['coloured edges']} edges between colours, "
        f"{found['trained']['blobs of colour']} plain blobs of colour."
    ) + f" The trained ones are those of {source}." * bool(source)
    return Shown((hang(figure, out / "filters-colour.png", caption),), {"colour": found})


def _photograph(out: Path, learned: nn.Module, say: Say, source: str) -> Shown:
    """A photograph, how it is given to the layer, and what five filters at a place, of file `source`, make of it."""
    picture = samples.photograph(PHOTOGRAPH)
    white = photos.whitened(picture)
    drawn, share = redrawn(learned, white)
    say(f"{PHOTOGRAPH}: five of {sparse.FILTERS} filters at each place draw {share:.0%} of what there is to see")
    figure, cells = drawing.canvas(1, 3, cell=2.5, wide=1.5)
    limit = float(np.quantile(np.abs(white), 0.99))
    drawing.show(cells[0, 0], picture, title="the photograph")
    for axes, values, title in (
        (cells[0, 1], white, "as the layer is given it"),
        (cells[0, 2], drawn, "drawn again by its filters"),
    ):
        drawing.show(axes, np.clip(0.5 + values.transpose(1, 2, 0) / (2 * limit), 0, 1), title=title)
    caption = (
        f"A photograph{' that the filters have not learned from' * (not source)}. Shades that change slowly are "
        "weakened and colours strengthened before the layer sees it. At every fourth pixel the five filters that "
        "answer most strongly draw their 11×11 pixels, of which each pixel shows the mean: "
        f"{share:.0%} of the variance is there again"
    ) + (
        f". The filters are those of {source}." if source else ", so edges and blobs are what this picture is made of."
    )
    return Shown((hang(figure, out / "filters-photograph.png", caption),), {"redrawn": round(share, 3)})


def redrawn(model: nn.Module, white: np.ndarray) -> tuple[np.ndarray, float]:
    """A whitened photograph [3, H, W] as the strongest filters draw it, and the share of its variance that this is.

    Where patches overlap their mean is taken; what is left over at the right and below, less than a stride, is cut off.
    """
    side, step = sparse.KERNEL, sparse.STRIDE
    height, width = ((length - side) // step * step + side for length in white.shape[1:])
    given = torch.from_numpy(white[None, :, :height, :width])

    def together(parts: Tensor) -> Tensor:
        return fold(parts.flatten(2), (height, width), side, stride=step)

    with torch.no_grad():
        again = model(given)
        drawn = together(again) / together(torch.ones_like(again))
    return drawn[0].numpy(), 1 - float((drawn - given).square().sum() / given.square().sum())


def _others(out: Path, say: Say) -> Shown:
    """The first layers of SqueezeNet and of the network for digits, 3×3 both."""
    photographs = filters(models.load("squeezenet").model, "conv1", scale="own", order="colour")[..., ::-1]
    digits = filters(models.load("digits").model, "conv1", scale="own", order="strength")
    found = kinds(photographs)
    say(f"squeezenet  {found['edges']} edges, {found['blobs of colour']} blobs of colour in {len(photographs)} filters")
    figure, cells = drawing.canvas(1, 2, cell=4.2)
    for axes, shown, columns, title in (
        (cells[0, 0], photographs, 8, "photographs, a thousand classes: 64 of 3×3×3"),
        (cells[0, 1], digits, 5, "digits: 25 of 3×3"),
    ):
        fine = shown.repeat(4, axis=1).repeat(4, axis=2)  # of squares, so that a pixel between filters is little
        drawing.show(axes, sheet(fine, columns, apart=PAPER), title=title)
        axes.axis("off")
    caption = (
        "Small first layers, each filter on its own scale. Left SqueezeNet, which learned a thousand classes of "
        f"photographs: even in 3×3 pixels {found['edges']} of its filters are edges and {found['blobs of colour']} "
        "blobs of colour. Right the network that reads digits: a filter answers to strokes and their borders in one "
        "direction; there is no colour, so there is none in it."
    )
    return Shown((hang(figure, out / "filters-small.png", caption),), {"squeezenet": found, "digits": len(digits)})


def _go(out: Path, say: Say) -> Shown:
    """The Go network's first layer on its two planes of stones, the filters first that stones move most."""
    weight = filters(policy.load(weights.default()), "stem")[..., :2] - 0.5  # [F, 5, 5, 2]
    strongest = weight[np.argsort(-np.square(weight).sum((1, 2, 3)), kind="stable")][: BANDS * COLUMNS]
    inner = float(np.square(weight[:, 1:4, 1:4]).sum() / np.square(weight).sum())
    against = int(sum(np.corrcoef(f[..., 0].ravel(), f[..., 1].ravel())[0, 1] < 0 for f in weight))
    say(f"go stem: {inner:.0%} of the energy on stones is in the inner 3×3 points, 36% would be even")
    figure, cells = drawing.canvas(2 * BANDS, COLUMNS, cell=0.78)
    for number, picture in enumerate(strongest):
        band, column = divmod(number, COLUMNS)
        for plane, name in enumerate(("own", "opponent")):
            axes = cells[2 * band + plane, column]
            drawing.show(axes, picture[..., plane], colours=drawing.DIVERGING, limit=float(np.abs(picture).max()))
            if not column:
                axes.set_ylabel(name, fontsize=8)
    caption = (
        f"The {len(strongest)} of the Go network's {len(weight)} first filters, 5×5 points, that stones move most: the "
        "weights on one's own stones and below them on the opponent's; red is above zero, blue below. A position is an "
        "image of stones, so no edges are here, but points with their neighbours, pairs and crosses: "
        f"{inner:.0%} of the weights' energy is in the inner 3×3 points. In {against} of {len(weight)} filters the two "
        "colours count against each other."
    )
    exhibit = hang(figure, out / "filters-go.png", caption)
    return Shown((exhibit,), {"go": {"inner": round(inner, 3), "against": against}})
