"""What the commands that make pictures share: the size to work in, where the result goes, and how far the work is."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import click
import numpy as np

from gocnn.atomic import write_atomically
from gocnn.images import photos, pictures

if TYPE_CHECKING:
    from rich.progress import Progress
    from torch import Tensor


class Moment(Protocol):
    """Where the making of a picture is."""

    @property
    def done(self) -> float:
        """The share of the work that is done, 0 to 1."""


M = TypeVar("M", bound=Moment)

FORMATS = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP",
}  # fmt: skip
SHORTEST = 64  # pixels of the shorter side, for a network to see something
#: Of what `as_input` makes of a picture, a channel each, for a `Recipe`.
BOUNDS = {"low": tuple((-pictures.BGR_MEANS).tolist()), "high": tuple((255 - pictures.BGR_MEANS).tolist())}

#: What a gradient's pixels (blue, green, red) are multiplied by so that a picture climbs in the colours of photographs,
#: whose brightness varies more than their colours (see `photos.COLOUR_AXES`).
_SPREADS = np.diag([1.0, 0.25, 0.12])  # variances
NATURAL = tuple(map(tuple, (photos.COLOUR_AXES.T @ _SPREADS @ photos.COLOUR_AXES)[::-1, ::-1].tolist()))


def sized(
    picture: np.ndarray, size: int | None, most: int, what: str = "the picture", remedy: str = "--size"
) -> np.ndarray:
    """uint8 [H, W, 3] with its longer side at `size` pixels; without a size as it is, or at `most` if it is longer.

    Raises PictureError if the shorter side is then below `SHORTEST`, in words about `what` and the option that helps.
    """
    height, width = picture.shape[:2]
    longer = size or min(most, max(height, width))
    scale = longer / max(height, width)
    height, width = (max(1, round(side * scale)) for side in (height, width))
    if min(height, width) < SHORTEST:
        least = f"{what} is too small: {width}×{height} pixels, and the shorter side must have {SHORTEST} or more"
        raise pictures.PictureError(f"{least}; {remedy} enlarges it")
    return picture if picture.shape[:2] == (height, width) else pictures.resize(picture, height, width)


def as_input(picture: np.ndarray) -> Tensor:
    """A picture of any size as SqueezeNet and VGG are given it: uint8 [H, W, 3] -> float32 [1, 3, H, W].

    Blue, green, red, less their means over ImageNet; `pictures.from_squeezenet` is the way back.
    """
    import torch

    inputs = (picture[..., ::-1] - pictures.BGR_MEANS).transpose(2, 0, 1)[None]
    return torch.from_numpy(np.ascontiguousarray(inputs, np.float32))


def target(out: Path | None, given: Sequence[Path], ending: str, more: Sequence[str] = ()) -> Path:
    """Where a picture goes: `out`, or beside the first one `given` under its name with an `ending` like "-dream.png".

    Others may go beside it, whose names are its own with the endings `more` ("-zoom.gif"). Raises ValueError for a
    format that cannot be written, a folder that cannot be written into, or if one of them is a picture that is given.
    """
    place = out or given[0].with_name(given[0].stem + ending)
    if place.suffix.lower() not in FORMATS:
        raise ValueError(f"{place}: cannot write {place.suffix or 'without an ending'}; there are {', '.join(FORMATS)}")
    if place.is_dir():
        raise ValueError(f"{place}: a folder")
    _demand_room(place)
    for written in (place, *(place.with_name(place.stem + ending) for ending in more)):
        if written.resolve() in {file.resolve() for file in given}:
            raise ValueError(f"{written}: would be written over a picture that was given")
    return place


def _demand_room(place: Path) -> None:
    """Raise ValueError if a file's folder is not there, or cannot be written into."""
    folder = place.absolute().parent
    if not folder.is_dir():
        raise ValueError(f"{place}: its folder is not there")
    if not os.access(folder, os.W_OK):
        raise ValueError(f"{place}: its folder cannot be written into")


def targets(files: Sequence[Path], out: Path | None, ending: str) -> list[Path]:
    """Where each of several pictures goes: the file `out`, the folder `out`, which is made if need be, or beside it.

    In a folder and beside it is called as the picture is, with an `ending` like "-read.png". Raises ValueError for a
    format or in a folder that cannot be written, or if two would go to one place or one onto a picture that is given;
    OSError.
    """
    if out is None:
        places = [file.with_name(file.stem + ending) for file in files]
    elif out.suffix and not out.is_dir():
        if out.suffix.lower() not in FORMATS:
            raise ValueError(
                f"{out}: cannot write {out.suffix}; there are {', '.join(FORMATS)}, and folders that exist"
            )
        if len(files) > 1:
            raise ValueError(f"{out}: one file for {len(files)} photographs; give a folder")
        places = [out]
    else:
        out.mkdir(parents=True, exist_ok=True)
        places = [out / (file.stem + ending) for file in files]
    given = {file.resolve() for file in files}
    for number, place in enumerate(places):
        _demand_room(place)
        if place.resolve() in [other.resolve() for other in places[:number]]:
            raise ValueError(f"{place}: two photographs would go there")
        if place.resolve() in given:
            raise ValueError(f"{place}: would be written over a photograph that is to be read")
    return places


def write(place: Path, picture: np.ndarray) -> None:
    """Write a picture, uint8 [H, W, 3], all or nothing, in the format of the file's ending. Raises OSError."""
    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(picture).save(data, FORMATS[place.suffix.lower()], quality=95)
    write_atomically(place, data.getvalue())


def followed(
    task: str, moments: Iterable[M], each: Callable[[int, M], None] = lambda number, moment: None
) -> tuple[M, bool]:
    """Follow a picture that is being made, with a bar; returns its last moment, and whether Ctrl-C stopped it there.

    A moment says in `done` how far it is, 0 to 1; `each` is called with every one and its number, from 1. Before the
    first one Ctrl-C ends the program.
    """
    last = None
    try:
        with bar() as progress:
            shown = progress.add_task(task, total=1.0)
            for number, last in enumerate(moments, 1):
                progress.update(shown, completed=last.done)
                each(number, last)
    except KeyboardInterrupt:
        if last is None:
            click.echo("stopped before the first step; nothing was written", err=True)
            sys.exit(130)
        return last, True
    assert last is not None, "there is at least one step"
    return last, False


def say(progress: Progress, text: str, err: bool = False) -> None:
    """Print a line on stdout (`err`: stderr), above the bar where both are on the screen."""
    text = click.format_filename(text)  # file names may hold what no terminal takes
    if not progress.disable and (err or sys.stdout.isatty()):
        progress.console.print(text, markup=False, highlight=False, soft_wrap=True)
    else:
        click.echo(text, err=err)


def bar() -> Progress:
    """A progress bar on stderr with what is left of the time; nothing is drawn where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import TimeRemainingColumn as Remaining

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), Remaining())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
