"""What the levels are worth: matches between neighbours and against GNU Go, and a table of Elo differences.

    python benchmarks/levels.py --games 100 -o matches/levels
    python benchmarks/levels.py --levels 20k,12k,4k --games 10

Every level plays the next one of the list and GNU Go at levels 1 and 10; games begin with four random moves, the same
for both colours. A pair of which one wins all of the first games is not played further, since more of them would tell
little. All results are kept in the directory, and the same command goes on where it was stopped. The ratings are those
of Bradley and Terry (engine.ratings), the last of GNU Go's levels being 0. Exit status 1 if the order is not monotone.
"""

from __future__ import annotations

import itertools
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from engine.client import EngineFailure
from engine.levels import LEVELS
from engine.match import Match, MatchError, Plan, Tally
from engine.ratings import Rating, rate
from engine.referee import Terms
from engine.scoreboard import play_with_progress


def engines(names: list[str], gnugo: str | None, levels: list[int], options: str) -> dict[str, str]:
    """The command of each player, GNU Go at some `levels` among them."""
    ours = shlex.join([sys.executable, "-m", "gocnn", "gtp", "--level"])
    found = {name: f"{ours} {name} {options}".strip() for name in names}
    if gnugo:
        for level in levels:
            found[f"GNU Go {level}"] = f"{gnugo} --mode gtp --chinese-rules --positional-superko --level {level}"
    return found


def pairs(names: list[str], gnugo_levels: list[int]) -> Iterator[tuple[str, str]]:
    """Who meets whom: the stronger of two neighbours and the weaker; each level and GNU Go's."""
    for weaker, stronger in itertools.pairwise(names):
        yield stronger, weaker
    for level in gnugo_levels:
        yield from ((name, f"GNU Go {level}") for name in names)


def played(match: Match, games: int, enough: int, jobs: int, console: Console) -> Tally:
    """The results of a match, played to its end unless one side has won all of the first `enough` games."""
    for count in (min(enough, games), games):
        play_with_progress(match, count, jobs, console)
        tally = Tally.of(match.results[:count])
        if tally.points in (0, tally.games):
            break
    return tally


def out_of_order(ratings: list[Rating], names: list[str]) -> list[tuple[str, str]]:
    """Neighbours of which the weaker by name is rated as high as the stronger, or higher."""
    elo = {rating.player: rating.elo for rating in ratings}
    return [(a, b) for a, b in itertools.pairwise(names) if elo[a] > elo[b] - 1e-6]


def table_of(ratings: list[Rating], matches: dict[tuple[str, str], Tally]) -> Table:
    """Each player's Elo, and a level's share of the points against the level below it."""
    table = Table(title="Elo, against the anchor at 0")
    for heading in ("player", "Elo", "95 % interval", "games", "against the level below"):
        table.add_column(heading, justify="left" if heading == "player" else "right")
    below = {stronger: tally for (stronger, weaker), tally in matches.items() if weaker in LEVELS}
    for rating in sorted(ratings, key=lambda rating: rating.elo):
        interval = f"{rating.elo - rating.margin:+.0f} to {rating.elo + rating.margin:+.0f}" if rating.margin else ""
        tally = below.get(rating.player)
        table.add_row(rating.player, f"{rating.elo:+.0f}", interval, str(rating.games), str(tally) if tally else "")
    return table


@click.command()
@click.option("--levels", default=",".join(LEVELS), metavar="NAMES", help="Levels, with commas (default: all).")
@click.option("--games", default=10, show_default=True, type=click.IntRange(1), help="Games of each pair.")
@click.option("--enough", default=6, show_default=True, metavar="N", help="Stop a pair after N games that one has won.")
@click.option("--gnugo", default="1,10", show_default=True, metavar="LEVELS", help="GNU Go's, with commas, or none.")
@click.option("--size", default=19, show_default=True, type=click.IntRange(5, 19))
@click.option("--options", default="", metavar="WORDS", help="Further options of every `gocnn gtp`.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1), help="Games at the same time.")
@click.option("--seed", default=1, show_default=True, help="For the openings.")
@click.option("-o", "--output", default=Path("matches/levels"), show_default=True, type=click.Path(path_type=Path))
def main(
    levels: str, games: int, enough: int, gnugo: str, size: int, options: str, jobs: int, seed: int, output: Path
) -> None:
    """Play the levels against one another and against GNU Go."""
    wanted = {name.strip().lower() for name in levels.split(",")}
    if unknown := wanted - set(LEVELS):
        raise click.BadParameter(f"there is no level {min(unknown)}: {', '.join(LEVELS)}", param_hint="--levels")
    names = sorted(wanted, key=list(LEVELS).index)
    others = [] if gnugo == "none" else [int(level) for level in gnugo.split(",")]
    if len(names) + len(others) < 2:
        raise click.UsageError("one player alone has no games: give two levels, or leave GNU Go in")
    program = (shutil.which("gnugo") or shutil.which("/usr/games/gnugo")) if others else None
    if others and program is None:
        raise click.ClickException("GNU Go is not installed (apt install gnugo); `--gnugo none` plays without it")
    commands = engines(names, program, others, options)
    arbiter = f"{program} --mode gtp --chinese-rules --positional-superko" if program else None
    terms = Terms(size=size, komi=7.5, max_moves=3 * size * size, timeout=600.0)
    console = Console(stderr=True)
    tallies: dict[tuple[str, str], Tally] = {}
    for a, b in pairs(names, others):
        plan = Plan(commands[a], commands[b], terms, opening_moves=4, seed=seed, arbiter=arbiter)
        try:
            match = Match(plan, output / f"{a}-{b}".replace(" ", ""))
            tallies[a, b] = played(match, games, enough, jobs, console)
        except (MatchError, EngineFailure) as error:
            raise click.ClickException(str(error)) from error
        print(f"{a} against {b}: {tallies[a, b]} of {tallies[a, b].games} games", flush=True)
    points = {pair: (tally.points, tally.games) for pair, tally in tallies.items()}
    ratings = rate(points, f"GNU Go {others[-1]}" if others else names[-1])
    Console().print(table_of(ratings, tallies))
    wrong = out_of_order(ratings, names)
    print("the order is monotone" if not wrong else f"out of order: {', '.join(f'{a} over {b}' for a, b in wrong)}")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
