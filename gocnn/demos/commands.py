"""The `gocnn demo` command: the lecture's pictures, one by one or all, and the gallery that shows them."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path

import click

from gocnn.demos import DEMOS


def _list(ctx: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted:
        width = max(map(len, DEMOS))
        for name, about in DEMOS.items():
            click.echo(f"{name:<{width}}  {about.line}")
        ctx.exit()


@click.command(
    epilog="""\b
Examples:
  gocnn demo --list
  gocnn demo convolution
  gocnn demo saliency occlusion --out pictures/
  gocnn demo all --out gallery/
  gocnn demo filters --filters runs/photos/network.safetensors
"""
)
@click.argument("names", metavar="NAME...", nargs=-1, required=True, type=click.Choice([*DEMOS, "all"]))
@click.option(
    "-o",
    "--out",
    default="gallery",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the pictures and of index.html, which shows them; it is made if need be.",
)
@click.option(
    "--filters",
    type=click.Path(path_type=Path),
    help="For the demo of that name: filters that `gocnn images train photos` made [those that ship].",
)
@click.option("--list", is_flag=True, is_eager=True, expose_value=False, callback=_list, help="Name them and stop.")
def demo(names: tuple[str, ...], out: Path, filters: Path | None) -> None:
    """Make the lecture's pictures: from a 3×3 filter on a 6×6 image to what a network has learned.

    Each demo writes its pictures and its numbers into the folder and says what it found; index.html shows all that the
    folder holds. With `all`, a demo that lacks something is named and left out, and the exit status is 1.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from gocnn.demos.gallery import make_into, write_page

    wanted = list(DEMOS) if "all" in names else list(dict.fromkeys(names))
    if filters and "filters" not in wanted:
        raise click.UsageError("--filters is for the demo of that name")
    failed: list[str] = []
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
        console=Console(stderr=True), disable=not sys.stderr.isatty(), redirect_stdout=sys.stdout.isatty(),
    )  # fmt: skip
    try:
        out.mkdir(parents=True, exist_ok=True)
        with bar:
            task = bar.add_task("", total=len(wanted))
            for name in wanted:
                bar.update(task, description=name)
                begun = time.perf_counter()
                try:
                    settings = {"model": filters} if filters and name == "filters" else {}
                    shown = make_into(out, name, click.echo, **settings)
                except BrokenPipeError:  # nobody reads on: no demo's fault
                    raise
                except (ValueError, OSError) as error:
                    failed.append(f"{name}: {error}")
                else:
                    pictures = ", ".join(exhibit.file for exhibit in shown.exhibits)
                    click.echo(f"{name}: {pictures} ({time.perf_counter() - begun:.1f} s)", err=True)
                bar.advance(task)
        click.echo(f"{write_page(out)}: the gallery", err=True)
    except BrokenPipeError:
        raise
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        with contextlib.suppress(ValueError, OSError):
            write_page(out)
        click.echo(f"stopped; {out} keeps the pictures made so far", err=True)
        sys.exit(130)
    finally:
        for line in failed:
            click.echo(f"Error: {line}", err=True)
    sys.exit(1 if failed else 0)
