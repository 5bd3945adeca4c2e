"""The `gocnn data` commands: build a game store, and see what is in one."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from sgf_data.owners_command import owners
from sgf_data.show import show

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from sgf_data.build import BuildReport
    from sgf_data.reader import ReadOptions
    from sgf_data.summary import Summary

# Everything else is imported by the commands that need it: `gocnn data --help` should be instant.


@click.group(
    epilog="""\b
Examples:
  gocnn data build my-games.zip more-games/ -o games.arrow
  gocnn data info games.arrow
  gocnn data show game.sgf --move 50
  gocnn data owners games.arrow
"""
)
def data() -> None:
    """Build and inspect game stores from SGF collections."""


data.add_command(owners)
data.add_command(show)


@data.command(
    epilog="""\b
Examples:
  gocnn data build my-games.zip -o games.arrow
  gocnn data build kgs/ pro.tar.xz game.sgf -o games.arrow --size 19
  gocnn data build pro.tar.xz -o train.arrow --exclude validation.arrow
"""
)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, type=click.Path())
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, writable=True),
    help="The store to write, for instance games.arrow.",
)
@click.option(
    "--size",
    "sizes",
    multiple=True,
    type=click.IntRange(2, 25),
    help="Keep boards of this size only; can be given several times.  [default: all, 2 to 25]",
)
@click.option(
    "--keep-legal-part",
    is_flag=True,
    help="Keep the moves before an illegal one, or before the place where a record breaks off, "
    "instead of leaving the game out.",
)
@click.option("--allow-suicide", is_flag=True, help="Take suicide for a legal move.")
@click.option(
    "--exclude",
    metavar="STORE",
    multiple=True,
    type=click.Path(),
    help="Leave out games that are also in this store, by their first 50 moves; can be given several times.",
)
@click.option(
    "--log",
    type=click.Path(dir_okay=False),
    help="Where to list what was left out, as CSV.  [default: OUTPUT.rejected.csv]",
)
@click.option("--jobs", type=click.IntRange(1), help="Worker processes.  [default: one for each core]")
def build(
    sources: Sequence[str],
    output: str,
    sizes: Sequence[int],
    keep_legal_part: bool,
    allow_suicide: bool,
    exclude: Sequence[str],
    log: str | None,
    jobs: int | None,
) -> None:
    """Read SGF files into a game store.

    A SOURCE is an .sgf file (or .sgf.gz, .sgf.bz2, .sgf.xz), a directory (with all below it), or a .zip or
    .tar(.gz|.bz2|.xz) archive of such files, which is not unpacked. Broken games and second records of the same
    game, turned and mirrored ones included, are left out and listed in the log.

    The exit status is 1 if no game was kept or a source could not be read, and 130 after Ctrl-C.
    """
    from sgf_data.reader import ReadOptions

    options = ReadOptions(frozenset(sizes or range(2, 26)), keep_legal_part, allow_suicide)
    try:
        report = _build(sources, output, options, exclude, log or f"{output}.rejected.csv", jobs)
    except KeyboardInterrupt:
        click.echo(f"Interrupted; {output} was not written.", err=True)
        sys.exit(130)
    for failed in report.unreadable:
        click.echo(f"Error: cannot read {failed.source}: {failed.detail}", err=True)
    if not report.kept:
        click.echo(f"Error: no game to keep; {output} was not written.", err=True)
    sys.exit(0 if report.kept and not report.unreadable else 1)


def _build(
    sources: Sequence[str],
    output: str,
    options: ReadOptions,
    exclude: Sequence[str],
    log: str,
    jobs: int | None,
) -> BuildReport:
    """The work of `build`, with its errors told as those of a command."""
    from concurrent.futures.process import BrokenProcessPool

    from rich.console import Console

    from sgf_data.build import build_store
    from sgf_data.sources import find
    from sgf_data.store import StoreError

    files = find(sources)
    read = {os.path.realpath(file.path) for file in files}
    for place in (output, log):
        if os.path.realpath(place) in read:
            raise click.UsageError(f"{place} is one of the records to read: name another file to write")
    if os.path.realpath(output) == os.path.realpath(log):
        raise click.UsageError(f"{log} cannot hold both the store and the log")
    try:
        with _progress(Console(stderr=True)) as progress:
            task = progress.add_task("reading", total=sum(file.size for file in files), games=0)

            def advance(consumed: int, report: BuildReport) -> None:
                progress.update(task, completed=consumed, games=report.read)

            report = build_store(files, output, options, log=log, exclude=exclude, jobs=jobs, progress=advance)
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        where = error.filename2 or error.filename or output
        raise click.ClickException(f"cannot write {where}: {error.strerror or error}") from error
    except BrokenProcessPool as error:
        message = "a worker process has died, perhaps for want of memory; try fewer with --jobs"
        raise click.ClickException(message) from error
    _print_report(report, output, log)
    return report


def _progress(console: Console) -> Progress:
    """A bar over the bytes of the files on disk, with games read, games a second and time left."""
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class GamesColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            games = task.fields["games"]
            return Text(f"{games:,} games, {games / (task.elapsed or 1):,.0f}/s")

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        GamesColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def _print_report(report: BuildReport, output: str, log: str) -> None:
    """Print what was kept and left out; on standard error where standard output may be the store."""
    from rich.console import Console

    from gocnn.atomic import AtomicFile

    aside = AtomicFile(output).is_special
    table = _table("left out because", "games")
    for reason, games in report.left_out.most_common():
        table.add_row(reason.value, f"{games:,}")
    if report.left_out:
        Console(stderr=aside).print(table)
    click.echo(
        f"{report.read:,} read = {report.kept:,} kept + {report.duplicates:,} duplicates + "
        f"{report.rejected:,} rejected",
        err=aside,
    )
    if report.kept:
        click.echo(f"{output}: {report.kept:,} games, {report.moves:,} moves", err=aside)
    click.echo(f"{log}: what was left out, and why", err=aside)


@data.command(
    epilog="""\b
Examples:
  gocnn data info games.arrow
  gocnn data info kgs.arrow pro.arrow --plot games.png
"""
)
@click.argument("stores", metavar="STORE...", nargs=-1, required=True, type=click.Path())
@click.option("--plot", metavar="FILE.png", type=click.Path(dir_okay=False), help="Draw a picture as well.")
def info(stores: Sequence[str], plot: str | None) -> None:
    """Print what is in game stores: games, moves, sizes, ranks, years, results.

    Several stores are counted together.
    """
    from rich.console import Console

    from sgf_data.store import StoreError, open_store
    from sgf_data.summary import draw, summarise

    try:
        store = open_store(stores)
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    console = Console()
    names = ", ".join(stores)
    summary = summarise(store)
    click.echo(f"{names}: {summary.games:,} games, {summary.moves:,} moves")
    _print_summary(console, summary)
    if plot:
        try:
            draw(store, plot)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise click.ClickException(f"cannot draw {plot}: {reason}") from error


def _print_summary(console: Console, summary: Summary, most: int = 12) -> None:
    """Tables side by side; of handicaps, komis and ranks, the `most` frequent ones."""
    from rich.columns import Columns

    from sgf_data.summary import RESULTS, by_decade, rank_order

    sizes = [(f"{size}×{size}", n) for size, n in summary.sizes.most_common()]
    results = [(kind, summary.results[kind]) for kind in RESULTS if summary.results[kind]]
    handicaps = [(str(h) if h else "none", n) for h, n in sorted(summary.handicaps.items())]
    komis = [("none" if k is None else f"{k:g}", n) for k, n in summary.komis.most_common()]
    chief = summary.ranks.most_common(most)
    ranks = [(rank or "unknown", n) for rank, n in sorted(chief, key=lambda r: rank_order(r[0]))]
    rest = sum(summary.ranks.values()) - sum(n for _, n in ranks)
    tables = [
        _counts("size", sizes, most),
        _counts("result", results, len(RESULTS)),
        _counts("years", by_decade(summary.years), 30),
        _counts("rank", ranks + ([("others", rest)] if rest else []), most + 1, "players"),
        _counts("komi", komis, most),
        _counts("handicap", handicaps, most),
    ]
    console.print(Columns(tables, padding=(0, 3)))


def _counts(name: str, rows: Sequence[tuple[str, int]], most: int, what: str = "games") -> Table:
    from rich.text import Text

    table = _table(name, what)
    for label, games in rows[:most]:
        table.add_row(Text(label), f"{games:,}")
    if rows[most:]:
        table.add_row("others", f"{sum(games for _, games in rows[most:]):,}")
    return table


def _table(*columns: str) -> Table:
    """An open table: the first column text, the others numbers."""
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table
