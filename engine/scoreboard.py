"""A match on the screen: a running score while it is played, a table at the end."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from engine.match import Match, Result, Tally

SHOWN = 12  # of the numbers of games that had a difficulty


def play_with_progress(match: Match, games: int, jobs: int, console: Console) -> None:
    """Play what remains of a match, a line for each game and a bar below.

    Raises what Match.play raises; what was finished by then is kept.
    """
    progress = Progress(
        TextColumn("A's win rate {task.fields[score]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("games"),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=console,
    )
    done = games - len(match.remaining(games))
    with progress:
        bar = progress.add_task("match", total=games, completed=done, score=str(Tally.of(match.results)))
        for result in match.play(games, jobs):
            progress.console.print(describe(result), highlight=False, markup=False, soft_wrap=True)
            progress.update(bar, advance=1, score=str(Tally.of(match.results)))


def describe(result: Result) -> str:
    """One game in one line."""
    winner = f"{result.winner} wins" if result.winner else "draw"
    line = (
        f"game {result.number}: {winner}, {result.result} ({result.settled}), "
        f"A was {'Black' if result.black == 'A' else 'White'}, {result.moves} moves, "
        f"{result.seconds:.1f} s"
    )
    return f"{line}; {result.note}" if result.note else line


def print_summary(match: Match, console: Console) -> None:
    """The results of all finished games: in all, by colour, and by how the games were settled."""
    results = match.results
    console.print(f"A: {match.plan.a}\nB: {match.plan.b}", highlight=False, markup=False, soft_wrap=True)
    table = Table()
    table.add_column("A's games")
    for heading in ("games", "wins", "draws", "losses", "win rate", "95 % Wilson interval"):
        table.add_column(heading, justify="right")
    rows = {
        "all": results,
        "as Black": [result for result in results if result.black == "A"],
        "as White": [result for result in results if result.black == "B"],
    }
    for name, some in rows.items():
        tally = Tally.of(some)
        low, high = tally.interval
        table.add_row(
            name,
            str(tally.games),
            str(tally.wins),
            str(tally.draws),
            str(tally.games - tally.wins - tally.draws),
            f"{100 * tally.rate:.1f} %" if tally.games else "",
            f"{100 * low:.1f} – {100 * high:.1f} %" if tally.games else "",
        )
    console.print(table)

    ways = Counter(result.settled for result in results)
    if ways:
        settled = ", ".join(f"{way} {count}" for way, count in ways.most_common())
        console.print(f"Settled by: {settled}", highlight=False, soft_wrap=True)
    known = [result.played for result in results if result.played]
    if len(set(known)) < len(known):
        console.print(
            f"Only {len(set(known))} of {len(known)} games are different, so that the interval is too narrow; "
            "--opening-moves, or an engine's --random-moves, make them differ",
            highlight=False,
            soft_wrap=True,
        )
    disputed = [result.number for result in results if result.disputed]
    if disputed:
        console.print(
            f"The engines disagreed on the score of {len(disputed)} games: {_numbers(disputed)}",
            highlight=False,
        )
    for label in "AB":
        lost = [result.number for result in results if result.settled == "forfeit" and result.winner != label]
        if lost:
            console.print(
                f"{label} forfeited {len(lost)} games: {_numbers(lost)}",
                highlight=False,
                soft_wrap=True,
            )
    console.print(f"Games and results are in {match.directory}", highlight=False, markup=False, soft_wrap=True)


def _numbers(numbers: list[int]) -> str:
    """The first of some game numbers, in order."""
    shown = ", ".join(map(str, sorted(numbers)[:SHOWN]))
    return f"{shown}, …" if len(numbers) > SHOWN else shown
