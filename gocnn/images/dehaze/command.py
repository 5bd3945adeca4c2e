"""The `gocnn dehaze` command: photographs in, the same without their haze out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gocnn.options import FiniteRange

if TYPE_CHECKING:
    import numpy as np
    from rich.progress import Progress, TaskID
    from torch import nn

ENDING = "-dehazed.png"
GAP = 8  # pixels between two pictures side by side
LARGEST = 20_000_000  # pixels, for the dark channel, which needs all of the picture at once


@click.command(
    epilog="""\b
Examples:
  gocnn dehaze valley.jpg                          writes valley-dehazed.png beside it
  gocnn dehaze valley.jpg -o clear.jpg --strength 0.7
  gocnn dehaze *.jpg -o clear/ --side-by-side      each before and after, in one picture
"""
)
@click.argument("files", metavar="PHOTO...", nargs=-1, required=True)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="A file for one photograph (PNG, JPEG, WebP, TIFF, BMP), else a folder [NAME-dehazed.png beside each].",
)
@click.option("--side-by-side", is_flag=True, help="Write the photograph before and after, in one picture.")
@click.option(
    "--strength",
    default=1.0,
    show_default=True,
    type=FiniteRange(0, 1.5),
    help="How much of the haze to take off: 0.5 leaves half of it, more than 1 takes off too much.",
)
@click.option(
    "--method",
    default="network",
    show_default=True,
    type=click.Choice(["network", "dark-channel"]),
    help="The network, or the dark channel prior of He et al. 2009, which nothing was learned for.",
)
@click.option("--model", type=click.Path(path_type=Path), help="A network that you trained [the one that ships].")
def dehaze(
    files: tuple[str, ...], out: Path | None, side_by_side: bool, strength: float, method: str, model: Path | None
) -> None:
    """Take the haze off photographs of any size. What has no haze stays much as it is."""
    import numpy as np

    from gocnn.images import making, pictures
    from gocnn.images.dehaze import network

    if method != "network" and (model or strength != 1):
        raise click.UsageError("--model and --strength are for the network")
    try:
        targets = making.targets([Path(file) for file in files], out, ENDING)
        net = network.load(model) if method == "network" else None
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    failed = False
    with making.bar() as progress:
        for file, target in zip(files, targets):
            try:
                picture = pictures.read(file)
                task = progress.add_task(Path(file).name, total=len(picture))
                clear, said = _clear(net, picture, strength, partial(_tell, progress, task))
                progress.remove_task(task)
                shown = np.concatenate((picture, _gap(picture), clear), axis=1) if side_by_side else clear
                making.write(target, shown)
            except (ValueError, OSError) as error:
                text = str(error)
                making.say(progress, f"Error: {text if file in text else f'{file}: {text}'}", err=True)
                failed = True
                continue
            making.say(progress, f"{target}: {said}")
    sys.exit(1 if failed else 0)


def _tell(progress: Progress, task: TaskID, rows: int) -> None:
    progress.update(task, completed=rows)


def _clear(
    net: nn.Module | None, picture: np.ndarray, strength: float, report: Callable[[int], None]
) -> tuple[np.ndarray, str]:
    """The picture without haze, and what was seen in words. Raises PictureError if it is too large for the method."""
    import numpy as np

    from gocnn.images import pictures
    from gocnn.images.dehaze import dark_channel, restore

    if net is not None:
        found = restore.restore(net, picture, strength=strength, report=report)
        clear, through, airlight = found.picture, found.through, found.airlight
    else:
        if picture.shape[0] * picture.shape[1] > LARGEST:
            raise pictures.PictureError(f"the dark channel takes at most {LARGEST // 1_000_000} million pixels")
        removed = dark_channel.remove(picture / np.float32(255))
        clear, through, airlight = np.round(removed.picture * 255).astype(np.uint8), removed.through, removed.airlight
    red, green, blue = np.round(255 * airlight).astype(int).tolist()
    said = f"{1 - float(through.mean()):.0%} of the light was haze's, of colour #{red:02x}{green:02x}{blue:02x}"
    return clear, said


def _gap(picture: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.full((len(picture), GAP, 3), 255, np.uint8)
