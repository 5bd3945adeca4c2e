"""The `gocnn evaluate` command: a network tested on the positions of game stores.

It stands here since `gocnn` itself, where networks are, knows no stores.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gocnn.options import NetworkFile
from sgf_data.options import YearRange


@click.command(
    epilog="""
\b
Examples:
  gocnn evaluate --val pro-2022.arrow
  gocnn evaluate runs/mine/network.safetensors pro-2022.arrow
  gocnn evaluate runs/mine/network.safetensors --val games.arrow --held-out
  gocnn evaluate runs/mine/network.safetensors --val pro-2022.arrow --exclude games.arrow
  gocnn evaluate --val pro-2022.arrow --count 20000 --symmetries 8 --plot accuracy.png
  gocnn evaluate --val pro.arrow --years 2011-2021 --count 20000
"""
)
@click.argument("network", required=False, type=NetworkFile())
@click.argument("stores", nargs=-1, type=click.Path())
@click.option("--val", multiple=True, type=click.Path(), help="Game store to test on, as after a network; repeatable.")
@click.option("--exclude", multiple=True, type=click.Path(), help="Leave out games that are also in this store.")
@click.option(
    "--held-out", is_flag=True,
    help="Test only on the games that `gocnn train` does not learn from where it is given exactly these stores as "
    "--data and no --val (with the same --size and --years).",
)  # fmt: skip
@click.option("--size", default=19, show_default=True, help="Board size of the games to test on.")
@click.option("--years", type=YearRange(), help="Test only on games of these years.")
@click.option("--count", type=click.IntRange(1), help="Test this many positions, drawn at random, instead of all.")
@click.option(
    "--symmetries", default=1, show_default=True, type=click.IntRange(1, 8), metavar="N",
    help="Ask about so many symmetries of each position, and take the mean.",
)  # fmt: skip
@click.option(
    "--profile", metavar="WHO",
    help="Tell a network with profiles (by default the one that ships with them) that these people play, such as 2d or "
    "'pro 1930', whoever the records name.",
)  # fmt: skip
@click.option(
    "--plot", type=click.Path(dir_okay=False), metavar="FILE.png", help="Draw accuracy by phase, and calibration."
)
@click.option("--device", default=None, help="cuda, cuda:1, mps or cpu; by default the best there is.")
@click.option("--precision", type=click.Choice(["auto", "bf16", "fp32"]), default="auto", show_default=True)
def evaluate(
    network: str | None, stores: tuple[str, ...], val: tuple[str, ...], exclude: tuple[str, ...], held_out: bool,
    size: int, years: tuple[int, int] | None, count: int | None, symmetries: int, profile: str | None, plot: str | None,
    device: str | None, precision: str,
) -> None:  # fmt: skip
    """Test a network (by default b8c128, the better one that ships) on every position of game stores.

    Prints how often the move that was played is its first, or among its first five, and for a network with a value head
    how often it knows the winner: of all positions, and by the stones on the board.
    """
    import numpy as np
    from rich.console import Console
    from rich.progress import Progress

    from gocnn import examination, policy, weights
    from gocnn.device import named_device
    from gocnn.device import precision as dtype_of
    from gocnn.evaluator import Evaluator
    from gocnn.profile import UNKNOWN, Profile
    from gocnn.visualize import drawing
    from sgf_data.dataset import Positions, Selection
    from sgf_data.store import open_store

    stores += val
    if not stores:
        raise click.UsageError("Name a game store to test on: gocnn evaluate NETWORK STORE, or --val STORE.")
    try:
        where = named_device(device)
        network = network or str(weights.default(told_who_plays=profile is not None))
        judge = Evaluator(
            policy.load(network), where, dtype_of(precision, where),
            profile=Profile.read(profile) if profile else UNKNOWN,
        )  # fmt: skip
        of_records = judge.has_profiles and profile is None
        also = np.concatenate([open_store(path).moves().opening_key for path in exclude]) if exclude else None
        test = Positions(
            open_store(stores).moves(), judge.plane_set, Selection(size, years, held_out or None),
            exclude=also, shuffle=count is not None, augment=False, outcomes=judge.has_value, profiles=of_records,
        )  # fmt: skip
        with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
            task = bar.add_task("positions", total=min(count or len(test), len(test)))
            verdicts = examination.examine(
                judge, test, count=count, symmetries=symmetries, profiles=of_records,
                report=lambda done: bar.update(task, completed=done),
            )  # fmt: skip
        metrics = verdicts.metrics()
        views = "one pass each" if symmetries == 1 else f"the mean of {symmetries} symmetries"
        views += ", told who plays" if of_records else f", told that {judge.profile} plays" if profile else ""
        click.echo(
            f"{metrics['tested']:,} positions of {len(test.games):,} games, {views}: top-1 {metrics['top1']:.2%}, "
            f"top-5 {metrics['top5']:.2%}, cross-entropy {metrics['cross_entropy']:.4f} nats"
        )
        if "judged" in metrics:
            click.echo(
                f"winner right in {metrics['winner']:.2%} of {metrics['judged']:,} positions whose game has a winner "
                f"and a komi, {metrics['winner_nats']:.4f} nats"
                + (f"; lead wrong by {metrics['lead_error']:.1f} points on the mean" if "lead_error" in metrics else "")
            )
        for stones, part in verdicts.phases():
            of = part.metrics()
            winner = f", winner {of['winner']:.2%}, {of['winner_nats']:.4f} nats" if "judged" in of else ""
            phase = f"{stones.start:3}-{stones.stop - 1:3} stones"
            click.echo(f"  {phase}: {of['top1']:6.2%} of {len(part.place):,}{winner}")
        if plot:
            caption = f"{Path(network).name}: {metrics['tested']:,} positions, {views}."
            drawing.save(examination.picture(verdicts), plot, caption)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
