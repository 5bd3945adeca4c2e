"""The `gocnn style` command: a photograph and a painting in, the photograph painted so out."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import click

from gocnn.options import FiniteRange

ENDING = "-style.png"
LARGEST = 512  # pixels of the longer side, without --size


@click.command(
    epilog="""\b
Examples:
  gocnn images fetch paintings
  gocnn style me.jpg cafe-terrace                  writes me-style.png beside it
  gocnn style me.jpg waves.jpg --style-weight 100 --colours matched -o waves-me.jpg
  gocnn style me.jpg waves.jpg night-cafe:0.5      two styles, twice as much of the first
  gocnn style me.jpg harvest --network vgg16       slower, coarser strokes; fetch vgg16 first
  gocnn style me.jpg harvest --size 1600 --tile 512
"""
)
@click.argument("content", type=click.Path(path_type=Path))
@click.argument("styles", metavar="STYLE[:SHARE]...", nargs=-1, required=True)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="A PNG, JPEG, WebP, TIFF or BMP file [CONTENT-style.png]."
)
@click.option(
    "--network", default="squeezenet", show_default=True, metavar="squeezenet|vgg16|FILE.pth",
    help="The network that ships, the one that `gocnn images fetch vgg16` fetches, or torchvision's vgg16 or vgg19.",
)  # fmt: skip
@click.option("--style-weight", type=FiniteRange(0), help="beta; alpha, the content's, is 1 [20, with VGG 8].")
@click.option("--content-layers", metavar="NAME[:WEIGHT],...", help="Layers of the content, with their weights v.")
@click.option("--style-layers", metavar="NAME[:WEIGHT],...", help="Layers of the style, with their weights w.")
@click.option("--pooling", default="average", show_default=True, type=click.Choice(["average", "max"]))
@click.option(
    "--size", type=click.IntRange(64, 10000), help=f"Longer side, in pixels [the photograph's, {LARGEST} at most]."
)
@click.option(
    "--style-size", default=1.0, show_default=True, type=FiniteRange(0.1, 10),
    help="Longer side of the style, of the picture's: more gives larger strokes.",
)  # fmt: skip
@click.option(
    "--steps", default=100, show_default=True, type=click.IntRange(1), help="In the smallest size; fewer in larger."
)
@click.option("--optimiser", default="lbfgs", show_default=True, type=click.Choice(["lbfgs", "adam"]))
@click.option("--init", default="content", show_default=True, type=click.Choice(["content", "noise"]))
@click.option(
    "--colours", "colour", default="style", show_default=True, type=click.Choice(["style", "brightness", "matched"]),
    help="The style's; the photograph's, painting its brightness only; or the photograph's, put into the style first.",
)  # fmt: skip
@click.option("--smoothness", default=1e-3, show_default=True, type=FiniteRange(0), help="Weight of smoothness.")
@click.option(
    "--tile", default=768, show_default=True, type=click.IntRange(64),
    help="Show larger pictures to the network in tiles of so many pixels; less needs less memory.",
)  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="Seed of the noise.")
def style(
    content: Path, styles: tuple[str, ...], out: Path | None, network: str, style_weight: float | None,
    content_layers: str | None, style_layers: str | None, pooling: str, size: int | None, style_size: float,
    steps: int, optimiser: str, init: str, colour: str, smoothness: float, tile: int, seed: int,
) -> None:  # fmt: skip
    """Deep Style: paint a photograph as another picture is painted.

    STYLE is a picture file or the name of a fetched painting. The picture is sought whose activations are like the
    photograph's, and whose Gram matrices are like the style's. Ctrl-C keeps what has been painted so far.
    """
    from gocnn.device import keep_memory
    from gocnn.images import making, pictures
    from gocnn.images import styles as styling

    try:
        named = [Path(_share(name)[0]) for name in styles]
        place = making.target(out, [content, *named], ENDING)
        photograph = making.sized(pictures.read(content), size, LARGEST, str(content))
        longer = max(photograph.shape[:2])
        given = []
        for name in styles:
            file, share = _share(name)
            wanted = round(longer * style_size)
            style = making.sized(styling.picture(file), wanted, longer, file, "--style-size")
            given.append((style, share))
        who = styling.painter(network, pooling)
        settings = {
            "optimiser": optimiser, "start": init, "variation": smoothness, "seed": seed, "tile": -(-tile // 16) * 16,
        }  # fmt: skip
        if style_weight is not None:
            settings["beta"] = style_weight
        if content_layers is not None:
            settings["content"] = styling.weights(content_layers)
        if style_layers is not None:
            settings["style"] = styling.weights(style_layers)
        how = styling.recipe(who, longer, steps, **settings)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    keep_memory()
    try:
        moment, stopped = making.followed("painting", styling.painting(who, photograph, given, how, colour))
        last = styling.drawn(moment, photograph, colour)
        making.write(place, last)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    losses = f"content {moment.content:.3f}, style {moment.style:.4f} of an empty sheet's"
    told = f"{click.format_filename(place)}: {last.shape[1]}×{last.shape[0]}, {losses}"
    click.echo(told + f", stopped at {moment.done:.0%}" * stopped)
    sys.exit(130 if stopped else 0)


def _share(given: str) -> tuple[str, float]:
    """A style and its share, 1 if none is given; a colon of a file's own name is left to it. Raises ValueError."""
    name, colon, number = given.rpartition(":")
    if not colon or Path(given).exists():
        return given, 1.0
    try:
        share = float(number)
    except ValueError:
        return given, 1.0
    if not 0 < share < math.inf:
        raise ValueError(f"{given}: a share must be more than nothing, and finite")
    return name, share
