"""The options of every command that has the network play, and the player that they make.

Everything heavy is imported inside the functions, so that `--help` and the engine's first answer come at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gocnn import weights
from gocnn.options import FiniteRange, NetworkFile

if TYPE_CHECKING:
    from engine.player import PolicyPlayer, Style
    from engine.policy import LazyPolicy, Policy
    from engine.search_player import SearchPlayer

Function = TypeVar("Function", bound=Callable[..., Any])

#: As in `gocnn.go.board`, which takes a while to import.
KO_RULES = ("simple", "positional", "situational")


#: How many symmetries of the board are averaged where no option says: two for an instant move, since eight take 14 ms,
#: and eight at the root of a search.
INSTANT_SYMMETRIES, SEARCH_SYMMETRIES = 2, 8


def player_options(command: Function) -> Function:
    """The options of every command that has the network play."""
    options: tuple[Callable[[Function], Function], ...] = (
        click.option(
            "--model",
            type=NetworkFile(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Network to play with: a checkpoint, or b6c64, the faster one that comes with gocnn (default: b8c128, "
            "the better one; b6c64 with --level).",
        ),
        click.option(
            "--temperature",
            type=FiniteRange(min=0),
            default=0.0,
            show_default=True,
            help="0 plays the most probable move, 1 draws moves by their probability (of those searched, by their "
            "visits).",
        ),
        click.option(
            "--random-moves",
            type=click.IntRange(min=0),
            default=0,
            show_default=True,
            metavar="N",
            help="Draw the first N moves of a game, as with a temperature of 1.",
        ),
        click.option("--seed", type=click.IntRange(min=0), help="Make the draws repeatable."),
        click.option(
            "--resign-behind",
            type=FiniteRange(min=0),
            metavar="POINTS",
            help="Resign when behind by this much even at the best count (default: never).",
        ),
        click.option(
            "--level",
            metavar="LEVEL",
            help="Play as a person would, from 20k (weakest) to 1k and 1d to 9d; --temperature and --random-moves "
            "then count for nothing (default: play as well as the other options allow).",
        ),
        click.option(
            "--profile",
            metavar="WHO",
            help="Play as these people do, such as 2d, pro, 1930 or 'pro 1930': with the network that ships for that, "
            "or another that was trained with --profiles. Without a search: who wins it judges badly then.",
        ),
        click.option(
            "--visits",
            type=click.IntRange(min=1),
            metavar="N",
            help="Search each move with N visits, those kept from the last move counted (default: 1, no search).",
        ),
        click.option("--playouts", type=click.IntRange(min=1), metavar="N", help="Search with N new playouts a move."),
        click.option(
            "--seconds",
            "--time",
            type=FiniteRange(min=0, min_open=True),
            metavar="S",
            help="Search S seconds a move. Of several limits the first one counts.",
        ),
        click.option(
            "--resign",
            type=FiniteRange(0, 1),
            default=0.04,
            show_default=True,
            metavar="RATE",
            help="With a search: resign when the win rate is below this three moves in a row; 0 is never.",
        ),
        click.option("--threads", type=click.IntRange(min=1), metavar="N", help="CPU threads (default: all cores)."),
        click.option(
            "--batch", type=click.IntRange(min=1), metavar="N", help="Positions that are evaluated at a time."
        ),
        click.option(
            "--root-symmetries",
            type=click.IntRange(1, 8),
            metavar="N",
            help="Symmetries of the board over which the answer to the position itself is averaged (default: 8 before "
            "a search, 2 without one).",
        ),
        click.option(
            "--policy-temperature",
            type=FiniteRange(0, min_open=True),
            default=1.0,
            show_default=True,
            metavar="T",
            help="In a search, flatten the network's probabilities (above 1) or sharpen them.",
        ),
        click.option(
            "--fpu",
            type=FiniteRange(0, 1),
            default=0.15,
            show_default=True,
            metavar="RATE",
            help="In a search, how much worse than its position a move is thought before it has been tried.",
        ),
        click.option(
            "--noise",
            type=FiniteRange(0, 1),
            default=0.0,
            show_default=True,
            help="Share of random numbers in the probabilities of the moves on the board, so that searches differ.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def make_player(
    model: Path | None,
    temperature: float,
    random_moves: int,
    seed: int | None,
    resign_behind: float | None,
    level: str | None,
    profile: str | None,
    visits: int | None,
    playouts: int | None,
    seconds: float | None,
    resign: float,
    threads: int | None,
    batch: int | None,
    root_symmetries: int | None,
    policy_temperature: float,
    fpu: float,
    noise: float,
    ponder: bool = False,
) -> tuple[PolicyPlayer, LazyPolicy]:
    """A player and its policy, which isn't loaded yet.

    `threads` become torch's, for the whole process, before it is loaded. Raises UsageError for a level or a profile
    that there isn't, and for options that do not go together.
    """
    from engine import levels
    from engine.player import PolicyPlayer, Style
    from engine.policy import LazyPolicy, load_ready_network
    from engine.search_terms import Limits, SearchConfig
    from gocnn.profile import UNKNOWN, Profile

    try:
        plays_as = Profile.read(profile) if profile else UNKNOWN
    except ValueError as error:
        raise click.UsageError(f"--profile: {error}") from None
    if level is not None and plays_as == UNKNOWN:
        model = model or weights.named(levels.NETWORK)

    def load() -> Policy:
        if threads is not None:
            import torch

            torch.set_num_threads(threads)
        network = load_ready_network(model, plays_as)
        player.warm_up(network)
        return network

    policy = LazyPolicy(load)
    style = Style(
        temperature=temperature,
        random_moves=random_moves,
        resign_behind=resign_behind,
        seed=seed,
        symmetries=root_symmetries or INSTANT_SYMMETRIES,
    )

    def searcher(limits: Limits, style: Style = style) -> SearchPlayer:
        from engine.search_player import Resignation, SearchPlayer

        config = SearchConfig(
            root_symmetries=root_symmetries or SEARCH_SYMMETRIES, policy_temperature=policy_temperature, fpu=fpu,
            noise=noise, seed=seed,
        )  # fmt: skip
        return SearchPlayer(
            policy, style, limits=limits, config=replace(config, batch=batch or config.batch),
            resignation=Resignation(winrate=resign) if resign > 0 else None, ponders=ponder,
        )  # fmt: skip

    is_limited = playouts is not None or seconds is not None or (visits is not None and visits > 1)
    player: PolicyPlayer
    if level is not None:
        if is_limited:
            raise click.UsageError("--level decides by itself how much to search: leave the other limits out")
        try:
            player = levels.level_player(level, policy, style, searcher)
        except ValueError as error:
            raise click.UsageError(f"--level: {error}") from None
    elif is_limited:
        player = searcher(Limits(visits, playouts, seconds))
    else:
        player = PolicyPlayer(policy, style, partial(searcher, Limits(visits=1)))
    if ponder and not player.ponders:
        raise click.UsageError("--ponder needs a search: add --visits, --playouts, --seconds, or a --level from 2d")
    return player, policy
