"""What the training of a Go network learns from and is tested on: games of some stores, those tested on left out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import click

from gocnn.batches import Mixture, Source
from gocnn.go.planes import PLANE_SETS
from gocnn.policy import PolicyConfig
from sgf_data import owners as who_owned
from sgf_data.dataset import Positions, Selection
from sgf_data.store import open_store


@dataclass(frozen=True)
class Lessons:
    """What a run learns from and is tested on.

    `drawn` are the positions of `games` and, strewn among them, those of `ended`, games of which only the end is
    learned.
    """

    games: Positions
    ended: Positions | None
    drawn: Source
    test: Positions

    def in_words(self, tested: int) -> str:
        """How much there is, where so many positions are tested at a time."""
        ended = f", and how {len(self.ended.games):,} others ended" if self.ended else ""
        return (
            f"Learning from {len(self.games):,} positions of {len(self.games.games):,} games{ended}, "
            f"testing on {min(tested, len(self.test)):,} of {len(self.test):,}."
        )


def choose(
    network: PolicyConfig, data: Sequence[str], val: Sequence[str], size: int, years: tuple[int, int] | None,
    outcomes: Sequence[str], outcomes_share: float, owners: Sequence[str], owned_weight: int, seed: int,
) -> Lessons:  # fmt: skip
    """Open the stores and choose the games. Raises ValueError or UsageError where nothing can be used."""
    plane_set = PLANE_SETS[network.planes]
    table = open_store(data).moves()
    held_out = open_store(val).moves() if val else table
    learn = Selection(size, years, held_out=None if val else False)
    test_on = Selection(size, None if val else years, held_out=None if val else True)
    known = who_owned.read(*owners) if owners else None
    if not val and len(set(table.opening_key[Selection(size, years).games(table)].tolist())) == 1:
        raise click.UsageError("a single game is too little: one is held out to test on, unless --val names others")
    with named(", ".join(data)):
        games = Positions(
            table, plane_set, learn, exclude=held_out.opening_key if val else None, outcomes=network.value,
            owners=known, owned_weight=owned_weight, profiles=network.profiles, seed=seed,
        )  # fmt: skip
    with named(", ".join(val or data)):
        test = Positions(held_out, plane_set, test_on, augment=False, outcomes=network.value, profiles=network.profiles)
    drawn: Source = games
    ended = None
    if outcomes:
        others = open_store(outcomes).moves()
        with named(", ".join(outcomes)):
            ended = Positions(
                others, plane_set, Selection(size), exclude=held_out.opening_key[test.games], outcomes=True,
                owners=known, profiles=network.profiles, moves=False, seed=seed,
            )  # fmt: skip
        drawn = Mixture(games, ended, outcomes_share)
    for path in owners:
        one = who_owned.read(path)
        if all((one.rows(part.table)[part.games] < 0).all() for part in (games, ended) if part):
            raise click.UsageError(f"{path}: none of the games to be learned from is in it")
    return Lessons(games, ended, drawn, test)


@contextmanager
def named(file: str) -> Iterator[None]:
    """Say in a ValueError which file it is about."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def hash_of(positions: Positions) -> str:
    """Which games they are, in a few letters."""
    return hashlib.sha256(positions.table.game_key[positions.games].tobytes()).hexdigest()[:12]


def hash_of_labels(*parts: Positions) -> str:
    """What is learned of some games besides their moves, in a few letters: how they ended, and who played."""
    digest = hashlib.sha256()
    for part in parts:
        table = part.table
        outcomes = (table.winner, table.komi, table.margin) if part.outcomes else ()
        for labels in (*outcomes, *((table.ranks, table.year) if part.profiles else ())):
            digest.update(labels[part.games].tobytes())
    return digest.hexdigest()[:12]
