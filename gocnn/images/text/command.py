"""The `gocnn read` command: photographs in, their words out."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

import click

from gocnn.images.text import SURE
from gocnn.options import FiniteRange

ENDING = "-read.png"


@click.command(
    epilog="""\b
Examples:
  gocnn read sign.jpg                     prints the words, line by line
  gocnn read sign.jpg --out read.png      draws their boxes, and the words where they stand
  gocnn read *.jpg --json > words.json    with boxes and confidences
"""
)
@click.argument("files", metavar="PHOTO...", nargs=-1, required=True)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Draw the words: a file for one photograph (PNG, JPEG, WebP, TIFF, BMP), else a folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: words in lines, with corners and confidences.")
@click.option(
    "--sure",
    default=SURE,
    show_default=True,
    type=FiniteRange(0, 1),
    help="Leave out words that detector and recogniser together are less sure of.",
)
@click.option(
    "--longest",
    default=1600,
    show_default=True,
    type=click.IntRange(64, 4000),
    help="Look at larger pictures in this size, in pixels. More finds smaller text, and takes longer.",
)
@click.option("--detector", type=click.Path(path_type=Path), help="A detector that you trained [the one that ships].")
@click.option("--recogniser", type=click.Path(path_type=Path), help="A recogniser that you trained, likewise.")
@click.option("--language", type=click.Path(path_type=Path), help="A language that you trained, likewise.")
def read(
    files: tuple[str, ...], out: Path | None, as_json: bool, sure: float, longest: int, detector: Path | None,
    recogniser: Path | None, language: Path | None,
) -> None:  # fmt: skip
    """Find the words in photographs and read them: Latin letters, digits and ASCII punctuation."""

    from gocnn.images import making, pictures
    from gocnn.images.text import detector as detectors
    from gocnn.images.text import language as languages
    from gocnn.images.text import reading, voting
    from gocnn.images.text import recogniser as recognisers

    try:
        given = [Path(file) for file in files]
        targets = making.targets(given, out, ENDING) if out else [None] * len(files)
        finder = detectors.load(detector)
        reader = voting.reader(recognisers.load(recogniser), languages.load(language))
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    failed = stopped = False
    told = []
    with making.bar() as progress, contextlib.suppress(KeyboardInterrupt):
        stopped = True  # until the end is reached
        task = progress.add_task("reading", total=len(files))
        for file, target in zip(files, targets):
            try:
                picture = pictures.read(file)
                lines = reading.read(finder, reader, picture, longest=longest, sure=sure)
                if target:
                    making.write(target, reading.draw(picture, lines))
            except (ValueError, OSError) as error:
                text = str(error)
                making.say(progress, f"Error: {text if file in text else f'{file}: {text}'}", err=True)
                failed = True
                continue
            finally:
                progress.advance(task)
            if as_json:
                told.append({"file": file, "width": picture.shape[1], "height": picture.shape[0],
                             "lines": reading.as_json(lines)})  # fmt: skip
                continue
            if len(files) > 1:
                making.say(progress, f"{file}:")
            for line in lines:
                making.say(progress, " ".join(word.text for word in line))
            if not lines:
                making.say(progress, f"{file}: no words found", err=True)
        stopped = False
    if as_json:
        click.echo(click.format_filename(json.dumps(told, indent=1, ensure_ascii=False)))
    sys.exit(130 if stopped else 1 if failed else 0)
