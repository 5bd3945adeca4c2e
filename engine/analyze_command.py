"""The command `gocnn analyze`: a game record in, the same record with notes and a picture out.

Everything heavy is imported inside the functions, so that `--help` comes at once.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gocnn.options import FiniteRange, NetworkFile
from sgf_data.values import MOST_KOMI

if TYPE_CHECKING:
    from engine.analyze import Judgement, Looker
    from engine.rules import Rules
    from sgf_data.annotate import AnnotatedGame

VISITS = 50
VALUELESS = (
    "This network has no value head, so it cannot say who is ahead: moves are judged by its policy alone, by rank and "
    "probability. Give --visits N for win rates by random playouts, which are rough."
)


@dataclass(frozen=True)
class _Plan:
    """Where to read and write, and how to look."""

    source: Path
    target: Path
    picture: Path | None
    how: str
    komi: float
    rules: Rules
    count: int


@click.command(
    epilog="""\b
Examples:
  gocnn analyze game.sgf
  gocnn analyze game.sgf --visits 400 -o reviewed.sgf
  gocnn analyze game.sgf --quick
  gocnn analyze collection.sgf --game 7 --json > game7.json
"""
)
@click.argument("file", metavar="FILE.sgf", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="The record with notes (default: NAME.analyzed.sgf beside the input). The picture goes beside it.",
)  # fmt: skip
@click.option("--visits", type=click.IntRange(min=2), metavar="N", help=f"Visits a position (default: {VISITS}).")
@click.option("--quick", is_flag=True, help="No search: one look of the network at each position.")
@click.option(
    "--model", type=NetworkFile(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
    help="Network to analyse with: a checkpoint, or b6c64, the faster one that comes with gocnn (default: b8c128, the "
    "better one).",
)  # fmt: skip
@click.option(
    "--komi", type=FiniteRange(-MOST_KOMI, MOST_KOMI),
    help="This komi instead of the record's (where that has none: 7.5, or 0.5 with handicap).",
)  # fmt: skip
@click.option(
    "--rules", metavar="NAME",
    help="These rules instead of the record's: chinese, japanese, aga and so on (where it names none we know: area "
    "scoring).",
)  # fmt: skip
@click.option("--game", type=click.IntRange(min=1), metavar="N", help="Which game of a file that holds several.")
@click.option("--mistakes", type=click.IntRange(min=0), default=5, show_default=True, metavar="N",
              help="Mistakes listed for each player.")  # fmt: skip
@click.option("--graph/--no-graph", default=True, show_default=True, help="Draw the course of the game as PNG.")
@click.option("--json", "machine", is_flag=True, help="Write JSON to stdout in place of the tables.")
def analyze(
    file: Path,
    output: Path | None,
    visits: int | None,
    quick: bool,
    model: Path | None,
    komi: float | None,
    rules: str | None,
    game: int | None,
    mistakes: int,
    graph: bool,
    machine: bool,
) -> None:
    """Evaluate every move of a game and write the record back with what was found.

    Each move of the main line gets a comment with the chance to win, the lead, the engine's move and what the move
    played lost; mistakes get the engine's line as a variation, and Sabaki shows the win rates as its graph. A picture
    of the game's course goes beside the record. Existing comments, variations and text encodings stay as they are;
    notes of an earlier analysis are replaced. Ctrl-C keeps what is done.
    """
    from rich.console import Console

    from engine.game import usual_komi
    from engine.rules import STANDARD, read_rules, rules_of_record
    from engine.sgf import read_file
    from sgf_data.annotate import read_annotated

    if quick and visits is not None:
        raise click.UsageError("--quick and --visits exclude each other.")
    try:
        wanted = read_rules(rules) if rules else None
    except ValueError:
        raise click.UsageError(f"--rules: there are no rules named {rules!r}") from None

    def rules_by(named: str) -> Rules:
        return wanted or rules_of_record(named, STANDARD)

    errors = Console(stderr=True)
    try:
        record, games = read_annotated(read_file(file), game, lambda named: rules_by(named).suicide)
        if not record.steps:
            raise ValueError("the game has no moves")
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{file}: {error}") from None
    for line in _remarks(record, games, game):
        errors.print(line, highlight=False, markup=False, soft_wrap=True)
    if komi is None:
        komi = record.komi if record.komi is not None else usual_komi(record.handicap_stones)
    suffix = f"{'' if games == 1 else f'.{game or 1}'}.analyzed.sgf"
    target = output or file.with_name(file.stem + suffix)
    if games != 1 and target.exists() and target.samefile(file):
        more = f"{games} games" if games else "more than the one game that can be read"
        raise click.UsageError(f"{target} holds {more}; the one with notes would replace all: take another name")
    if graph and target.suffix == ".png":
        raise click.UsageError(f"{target} is its picture's name: take another one for the record, or add --no-graph")
    if not os.access(target.parent, os.W_OK):  # before all the work, not after it
        raise click.ClickException(f"{target}: its directory is not there, or may not be written to")
    try:
        looker, how = _looker(model, visits, quick, errors)
        picture = target.with_suffix(".png") if graph else None
        plan = _Plan(file, target, picture, how, komi, rules_by(record.rules), mistakes)
        judgements, interrupted = _judge(record, looker, plan, errors)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    if not judgements:
        click.echo("stopped before the first move was done; nothing is written", err=True)
        sys.exit(130)
    try:
        _write(record, judgements, plan)
    except OSError as error:
        raise click.ClickException(f"{error.filename2 or target}: {error.strerror}") from None
    _report(record, judgements, plan, machine, complete=not interrupted and record.stopped is None)
    written = " and ".join(str(path) for path in (plan.target, plan.picture) if path)
    click.echo(f"{'stopped; ' if interrupted else ''}{len(judgements)} moves are in {written}", err=True)
    sys.exit(130 if interrupted else 0)


def _remarks(record: AnnotatedGame, games: int | None, game: int | None) -> Iterator[str]:
    if games is None:
        yield "Something below the first game can't be read, and is left out."
    elif games > 1 and game is None:
        yield f"The file holds {games} games; this is the first (--game N for another)."
    if record.stopped:
        yield f"The game is analysed up to its move {len(record.steps)}: {record.stopped}."


def _looker(model: Path | None, visits: int | None, quick: bool, errors: Any) -> tuple[Looker, str]:
    """What judges the positions, and its name. Raises ValueError for a file that is no network."""
    from engine.analyze import PolicyLooker, SearchLooker
    from gocnn.evaluator import Evaluator
    from gocnn.weights import default

    evaluator = Evaluator.load(model)
    name = (model or default()).name
    if not evaluator.has_value and visits is None:
        if not quick:
            errors.print(VALUELESS, highlight=False, markup=False, soft_wrap=True)
        quick = True
    if quick:
        return PolicyLooker(evaluator), f"{name}, one look a position"
    visits = visits or VISITS
    return SearchLooker(evaluator, visits), f"{name}, {visits} visits a position"


def _judge(record: AnnotatedGame, looker: Looker, plan: _Plan, errors: Any) -> tuple[list[Judgement], bool]:
    """The judgements of all moves, or of those that were done when Ctrl-C came (then True)."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from engine.analyze import judge

    komi = plan.komi + plan.rules.compensation(record.handicap_stones)
    judgements: list[Judgement] = []
    progress = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("moves"), TimeElapsedColumn(),
        TextColumn("ETA"), TimeRemainingColumn(elapsed_when_finished=True),
        console=errors, disable=not sys.stderr.isatty(),
    )  # fmt: skip
    try:
        with progress:
            bar = progress.add_task(plan.source.name, total=len(record.steps))
            for judgement in judge(record.steps, record.final, komi, looker, plan.rules):
                judgements.append(judgement)
                progress.advance(bar)
    except KeyboardInterrupt:
        return judgements, True
    return judgements, False


def _write(record: AnnotatedGame, judgements: Sequence[Judgement], plan: _Plan) -> None:
    """The record with notes, and the picture. Raises OSError."""
    from engine.analyze_graph import caption, graph
    from engine.analyze_notes import game_note, move_note, properties, variation_note
    from gocnn.atomic import write_atomically
    from gocnn.visualize.drawing import save

    for step, judgement in zip(record.steps, judgements):
        record.note(step.node, move_note(judgement, record.size), **properties(judgement))
        if judgement.mistake:
            record.add_variation(step, judgement.before.line, *variation_note(judgement, record.size))
    terms = f"{plan.how}, komi {plan.komi:g}, {plan.rules.scoring} scoring"
    record.note(0, game_note(judgements, record.size, terms, plan.count))
    write_atomically(plan.target, record.to_bytes())
    if plan.picture:
        save(graph(judgements, record.size), plan.picture, caption(judgements, _players(record), plan.how))


def _players(record: AnnotatedGame) -> dict[int, str]:
    from engine.game import NAMES
    from gocnn.go import BLACK, WHITE

    named = {BLACK: (record.black, record.black_rank), WHITE: (record.white, record.white_rank)}
    return {colour: f"{name} {rank}".strip() if name else NAMES[colour] for colour, (name, rank) in named.items()}


def _report(
    record: AnnotatedGame, judgements: Sequence[Judgement], plan: _Plan, machine: bool, *, complete: bool
) -> None:
    """Tables, or JSON, on stdout."""
    from dataclasses import asdict

    from rich.console import Console

    from engine.analyze import summarise
    from engine.analyze_notes import as_json, print_tables
    from engine.game import NAMES

    players = _players(record)
    if not machine:
        titled = {colour: f"{NAMES[colour]}, {player}" for colour, player in players.items()}
        shown = {colour: NAMES[colour] if players[colour] == NAMES[colour] else titled[colour] for colour in players}
        print_tables(judgements, record.size, shown, plan.count, Console())
        return
    document = {
        "file": str(plan.source),
        "written": str(plan.target),
        "picture": str(plan.picture) if plan.picture else None,
        "engine": plan.how,
        "size": record.size,
        "komi": plan.komi,
        "rules": json.loads(plan.rules.to_json()),
        "handicap": record.handicap_stones,
        "result": record.result,
        "complete": complete,
        "players": {
            NAMES[colour].lower(): {"name": player, **asdict(summarise(judgements, colour))}
            for colour, player in players.items()
        },
        "moves": as_json(judgements, record.size),
    }
    click.echo(json.dumps(document, indent=1))
