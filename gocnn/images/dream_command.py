"""The `gocnn dream` command: a photograph in, what the network sees in it out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gocnn.options import FiniteRange

if TYPE_CHECKING:
    import numpy as np

ENDING = "-dream.png"
LARGEST = 1024  # pixels of the longer side, without --size
FRAMES, FRAME_SIDE = 40, 480  # of an animation: how many at most, and their longer side in pixels


@click.command(
    epilog="""\b
Examples:
  gocnn dream sky.jpg                              writes sky-dream.png beside it
  gocnn dream sky.jpg --layer fire5 --octaves 3    textures
  gocnn dream sky.jpg --layer fire8:37 --layer fire8 -o dogs.jpg
  gocnn dream sky.jpg --class goldfish --steps 40
  gocnn dream sky.jpg --guide flowers.jpg --gif
"""
)
@click.argument("photo", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="A PNG, JPEG, WebP, TIFF or BMP file [PHOTO-dream.png]."
)
@click.option(
    "--layer", "layers", multiple=True, metavar="NAME[:CHANNEL,...]",
    help="What is exaggerated: conv1, fire2 to fire9 or conv10, or channels of it; several times for several "
    "[fire7 and fire8].",
)  # fmt: skip
@click.option("--class", "classes", multiple=True, metavar="NAME", help="One of ImageNet's classes, likewise.")
@click.option("--guide", type=click.Path(path_type=Path), help="Dream of what is on this picture, by whole layers.")
@click.option("--octaves", default=5, show_default=True, type=click.IntRange(1, 12), help="Sizes to dream in.")
@click.option(
    "--ratio", default=1.4, show_default=True, type=FiniteRange(1.05, 4), help="How much larger each size is."
)
@click.option("--steps", default=20, show_default=True, type=click.IntRange(1), help="In every octave.")
@click.option(
    "--rate", default=2.0, show_default=True, type=FiniteRange(0, min_open=True),
    help="How far a step changes the picture, of 255.",
)  # fmt: skip
@click.option(
    "--jitter", default=32, show_default=True, type=click.IntRange(0), help="Pixels to move the picture by, each step."
)
@click.option(
    "--smoothing", default="laplacian", show_default=True, type=click.Choice(["laplacian", "gaussian", "none"]),
    help="How the gradient is smoothed.",
)  # fmt: skip
@click.option("--wild", is_flag=True, help="Any colours; without it, colours vary as in photographs.")
@click.option(
    "--size", type=click.IntRange(64, 10000), help=f"Longer side, in pixels [the photograph's, {LARGEST} at most]."
)
@click.option(
    "--tile", default=1024, show_default=True, type=click.IntRange(64),
    help="Show larger pictures to the network in tiles of so many pixels; less needs less memory.",
)  # fmt: skip
@click.option("--gif", is_flag=True, help="Write how the dream grows, an animated GIF beside the picture.")
@click.option(
    "--zoom", default=0, metavar="FRAMES", type=click.IntRange(0, 1000), help="Write a GIF that falls into the dream."
)
@click.option("--seed", default=0, show_default=True, help="Another one, another dream.")
def dream(
    photo: Path, out: Path | None, layers: tuple[str, ...], classes: tuple[str, ...], guide: Path | None, octaves: int,
    ratio: float, steps: int, rate: float, jitter: int, smoothing: str, wild: bool, size: int | None, tile: int,
    gif: bool, zoom: int, seed: int,
) -> None:  # fmt: skip
    """Deep Dream: the network exaggerates what it sees in a photograph.

    The activations of a layer that are positive are made more positive and the negative more negative, and the picture
    is changed so. Early layers draw textures, later ones eyes and heads. Ctrl-C keeps what has been dreamt so far.
    """
    from gocnn.device import keep_memory
    from gocnn.images import dreams, making, models, pictures

    try:
        more = [".gif"] * gif + ["-zoom.gif"] * bool(zoom)
        place = making.target(out, [photo, *([guide] if guide else [])], ENDING, more)
        picture = making.sized(pictures.read(photo), size, LARGEST, str(photo))
        if zoom and min(_frame(picture).shape[:2]) < making.SHORTEST:
            raise ValueError(f"{photo}: too thin for --zoom, whose longer side has {FRAME_SIDE} pixels at the most")
        model = models.load("squeezenet").model
        wanted = dreams.targets(model, layers, classes, pictures.read(guide) if guide else None)
        settings = {"mix": None} if wild else {}
        how = dreams.recipe(octaves=octaves, ratio=ratio, steps=steps, rate=rate, jitter=jitter, smoothing=smoothing,
                            tile=tile, seed=seed, **settings)  # fmt: skip
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    keep_memory()
    every = -(-octaves * steps // FRAMES)
    frames = [_frame(picture)]

    def keep(number: int, moment: dreams.Moment) -> None:
        if gif and number % every == 0:
            frames.append(_frame(dreams.drawn(moment)))

    try:
        moment, stopped = making.followed("dreaming", dreams.dreaming(model, picture, wanted, how), keep)
        last = dreams.drawn(moment)
        making.write(place, last)
        told = f"{click.format_filename(place)}: {last.shape[1]}×{last.shape[0]}"
        click.echo(told + f", stopped at {moment.done:.0%}" * stopped)
        if gif:
            _animate(place.with_suffix(".gif"), [*frames, *[_frame(last)] * 5])
        if zoom and not stopped:
            falling = [_frame(last)]
            with making.bar() as progress:
                task = progress.add_task("zooming", total=zoom)
                try:
                    for frame in dreams.zooming(model, falling[0], wanted, how):
                        falling.append(frame)
                        progress.advance(task)
                        if len(falling) > zoom:
                            break
                except KeyboardInterrupt:
                    stopped = True
            _animate(place.with_name(place.stem + "-zoom.gif"), falling)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    sys.exit(130 if stopped else 0)


def _frame(picture: np.ndarray) -> np.ndarray:
    from gocnn.images import pictures

    height, width = picture.shape[:2]
    scale = min(1.0, FRAME_SIDE / max(height, width))
    return pictures.resize(picture, max(1, round(height * scale)), max(1, round(width * scale)))


def _animate(place: Path, frames: list[np.ndarray]) -> None:
    from gocnn.visualize import drawing

    drawing.save_animation(frames, place, seconds=0.1)
    click.echo(f"{click.format_filename(place)}: {len(frames)} pictures")
