"""The command `gocnn analysis`: an engine for programs that send queries to KataGo's analysis engine."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from gocnn.options import NetworkFile

if TYPE_CHECKING:
    import numpy as np

    from engine.search import Network
    from gocnn.evaluator import Evaluator
    from gocnn.go import Board
    from gocnn.profile import Profile


@click.command(
    epilog="""\b
Examples:
  gocnn analysis
  gocnn analysis --visits 1000 --threads 2
  gocnn analysis < queries.jsonl > answers.jsonl
\b
A query:
  {"id": "1", "moves": [["B", "Q16"], ["W", "D4"]], "rules": "japanese", "komi": 6.5,
   "boardXSize": 19, "boardYSize": 19, "analyzeTurns": [0, 1, 2]}
(on one line)
"""
)
@click.option(
    "--model",
    "-model",
    type=NetworkFile(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Network to search with: a checkpoint, or b6c64, the faster one that comes with gocnn (default: b8c128, the "
    "better one).",
)
@click.option(
    "--visits", type=click.IntRange(min=1), default=200, show_default=True, metavar="N",
    help="For each position whose query says nothing of maxVisits.",
)  # fmt: skip
@click.option(
    "--winrates-for", type=click.Choice(["black", "white", "sidetomove"]), default="black", show_default=True,
    help="Whose win rates, leads and owners are told.",
)  # fmt: skip
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="CPU threads (default: all cores).")
@click.option("--batch", type=click.IntRange(min=1), metavar="N", help="Positions that are evaluated together.")
@click.option(
    "--quit-without-waiting", "-quit-without-waiting", is_flag=True,
    help="End with the input, whatever still waits to be answered.",
)  # fmt: skip
@click.option(
    "--config", "-config", "--override-config", "-override-config", "--human-model", "-human-model",
    "--analysis-threads", "-analysis-threads", multiple=True, expose_value=False, metavar="TEXT",
    help="Taken and not looked at: programs that start KataGo themselves name its settings.",
)  # fmt: skip
def analysis(
    model: Path | None,
    visits: int,
    winrates_for: str,
    threads: int | None,
    batch: int | None,
    quit_without_waiting: bool,
) -> None:
    """Answer queries about positions, in JSON, as KataGo's analysis engine does.

    This is the line for KaTrain, and for programs that review many games at once: each line of input
    is a query, each line of output an answer. Queries are those of KataGo's documentation
    (docs/Analysis_Engine.md there); docs/clients.md says how they are understood.
    """
    from dataclasses import replace

    from engine.policy import LazyPolicy, PolicyError, load_ready_network
    from engine.protocol import run_on_standard_streams
    from engine.queries import PERSPECTIVES, Settings
    from engine.query_engine import QueryEngine
    from engine.search import Limits, Search, SearchConfig
    from engine.search_player import SearchPlayer
    from gocnn import __version__

    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    config = SearchConfig(root_symmetries=8)
    perspective = PERSPECTIVES[winrates_for.upper()]
    settings = Settings(Limits(visits), replace(config, batch=batch or config.batch), perspective)
    try:
        network = load_ready_network(model)
    except PolicyError as error:
        raise click.ClickException(str(error)) from None
    # Or what has to be compiled, after an installation, would take the seconds that a query is given.
    SearchPlayer(LazyPolicy(lambda: network), limits=settings.limits, config=settings.config).warm_up(network)
    search = Search(cast("Network", network), settings.config)
    engine = QueryEngine(
        search, foretell, settings, version=f"gocnn {__version__}", wait_at_end=not quit_without_waiting
    )
    click.echo("Started, ready to begin handling requests", err=True)  # KataGo's words, which some programs wait for
    run_on_standard_streams(engine.run)


def foretell(profile: Profile, board: Board) -> np.ndarray:
    """float32 [N*N + 1]: how likely each move is one of these people, by the network that ships for that."""
    policy: np.ndarray = _network_of(profile).policy([board], symmetries=8)[0]
    policy *= board.legal_mask(board.to_move)
    return policy / policy.sum()


@functools.lru_cache(maxsize=4)
def _network_of(profile: Profile) -> Evaluator:
    from gocnn.evaluator import Evaluator

    return Evaluator.load(profile=profile)
