"""How often the engine's final score is the one that the players counted, on finished games of a store.

    python benchmarks/final_scores.py pro-2022.arrow pro.arrow --from-year 2015
    python benchmarks/final_scores.py kgs.arrow --games 1000
    python benchmarks/final_scores.py kgs.arrow --games 200 --gnugo

A record must have a margin that its komi allows (so many points and as many halves), and be finished: both players
passed at its end, or by our own count no neutral point is left to fill. Where it names no rules, games with a komi of
7.5 or 8 are counted by area and others by territory, unless the margin is none that area scoring can give: with all
points somebody's, the areas differ by an odd number on a board of 361. The first figure takes that for granted, the
second takes either count. With `--gnugo` GNU Go counts the same positions by the same rules.

By territory the moves on record decide whether a margin is odd or even, whoever owns what: each dead stone and each
point that changes hands moves it by two. Where the recorded one has the wrong parity the record ends before the game
does, as many do when the players go on to the neutral points and to the moves that protect against them without a
scribe. Such records are counted in both first figures, and left out of a third.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from typing import NamedTuple

import click
import numpy as np
from rich.console import Console
from rich.progress import track

from engine.client import EngineFailure, FailedCommand, GtpClient
from engine.rules import NAMED, STANDARD, Rules, rules_of_record
from gocnn.go import BLACK
from gocnn.go.coords import point_to_gtp
from gocnn.go.counting import Count, settle
from gocnn.go.handicap import handicap_of
from sgf_data.owners import counted
from sgf_data.record import GameRecord, position
from sgf_data.store import StoreError, open_store


@dataclass(frozen=True)
class Score:
    """A finished game: what was recorded and what we count, from Black's side with komi."""

    record: GameRecord
    komi: float
    recorded: float
    found: Count
    prisoners: dict[int, int]

    @property
    def rules(self) -> Rules:
        """Those that the record names, or those that its komi is usual for."""
        by_area = self.komi in (7.5, 8) and self._area_can_be_as_recorded()
        return rules_of_record(self.record.rules, STANDARD if by_area else NAMED["japanese"])

    @property
    def compensation(self) -> int:
        """White's points for handicap stones."""
        moves = list(zip(self.record.colours.tolist(), self.record.points.tolist()))
        handicap = handicap_of(self.record.setup_colours[self.record.setup_at == 0].tolist(), moves, self.record.size)
        return self.rules.compensation(handicap)

    @property
    def area(self) -> float:
        return self.found.area - self.komi - self.compensation

    @property
    def territory(self) -> float:
        return self.found.territory(self.prisoners) - self.komi

    @property
    def by_rules(self) -> float:
        return self.area if self.rules.scoring == "area" else self.territory

    @property
    def lacks_moves(self) -> bool:
        """Whether nobody can win by the recorded margin by territory after the recorded moves.

        Territory is area less the stones that each side has played, so that it is as odd or even as these and the
        points that count for anybody.
        """
        if self.rules.scoring == "area":
            return False
        record, found = self.record, self.found
        colours = np.concatenate([record.setup_colours, record.colours[record.points < record.size**2]])
        in_seki = found.seki & ((found.stones == 0) | found.dead)
        points = np.count_nonzero(found.owner[~in_seki])
        return bool((self.recorded + self.komi + int(colours.sum(dtype=np.int64)) - points) % 2)

    @property
    def contradicts_itself(self) -> bool:
        """Whether the record names rules by which nobody can win by its margin."""
        named = bool(self.record.rules) and self.rules.scoring == "area"
        return named and not self._area_can_be_as_recorded(self.compensation)

    def _area_can_be_as_recorded(self, compensation: int = 0) -> bool:
        points = np.count_nonzero(self.found.owner)
        return bool((self.recorded + self.komi + compensation - points) % 2 == 0)


def both_passed(record: GameRecord) -> bool:
    return record.points[-2:].tolist() == [record.size**2] * 2


def score_of_gnugo(engine: GtpClient, score: Score) -> float:
    """GNU Go's final score of the game, from Black's side; its set-up must be handicap stones alone."""
    record = score.record
    engine.send(f"boardsize {record.size}")
    engine.send("clear_board")
    engine.send(f"komi {score.komi + score.compensation:g}")
    placed = zip(record.setup_colours.tolist(), record.setup_points.tolist())
    for colour, point in (*placed, *zip(record.colours.tolist(), record.points.tolist())):
        engine.send(f"play {'b' if colour == BLACK else 'w'} {point_to_gtp(point, record.size)}")
    winner, _, margin = engine.send("final_score", timeout=120).partition("+")
    return 0.0 if winner == "0" else float(margin) * (1 if winner == "B" else -1)


class Counted(NamedTuple):
    """How many scores GNU Go was asked about, counts as recorded, and counts so where we do not."""

    asked: int
    as_recorded: int
    alone: int


def counted_by_gnugo(scores: list[Score], console: Console) -> Counted:
    """Have GNU Go count the scores whose set-up is handicap stones alone."""
    as_recorded = alone = asked = 0
    plain = [
        score for score in scores if (score.record.setup_colours == BLACK).all() and not score.record.setup_at.any()
    ]
    program = shutil.which("gnugo") or "/usr/games/gnugo"
    with (
        GtpClient(f"{program} --mode gtp --level 10 --japanese-rules") as by_territory,
        GtpClient(f"{program} --mode gtp --level 10 --chinese-rules --positional-superko") as by_area,
    ):
        for score in track(plain, "GNU Go", console=console, disable=not sys.stderr.isatty()):
            try:
                found = score_of_gnugo(by_area if score.rules.scoring == "area" else by_territory, score)
            except FailedCommand:  # it has rules of its own for a move or two
                continue
            asked += 1
            as_recorded += found == score.recorded
            alone += found == score.recorded != score.by_rules
    return Counted(asked, as_recorded, alone)


@click.command()
@click.argument("stores", nargs=-1, required=True)
@click.option("--from-year", default=0, help="Only games from this year on.")
@click.option("--games", default=2000, show_default=True, help="Counted games to look at, drawn at random.")
@click.option("--misses/--no-misses", default=True, help="List the finished games that are counted otherwise.")
@click.option("--gnugo", is_flag=True, help="Have GNU Go count the finished games, too: seconds each.")
def main(stores: tuple[str, ...], from_year: int, games: int, misses: bool, gnugo: bool) -> None:
    """Count the finished games of STORES and compare with their results."""
    try:
        store = open_store(stores)
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    table = store.moves()
    chosen = counted(table)
    chosen = chosen[(table.size[chosen] == 19) & (table.year[chosen] >= from_year)]
    chosen = np.random.default_rng(1).permutation(chosen)[:games]
    impossible = unfinished = 0
    scores = []
    console = Console(stderr=True)
    for game in track(chosen.tolist(), "games", console=console, disable=not sys.stderr.isatty()):
        record = store.record(game)
        recorded, komi = float(table.margin[game]), float(table.komi[game])
        if (recorded + komi) % 1:
            impossible += 1
            continue
        board = position(record, len(record.points))
        found = settle(board)
        if found.open_points and not both_passed(record):
            unfinished += 1
            continue
        scores.append(Score(record, komi, recorded, found, board.prisoners))
    contradicting = sum(score.contradicts_itself for score in scores)
    right = sum(score.by_rules == score.recorded for score in scores)
    either = sum(score.recorded in (score.area, score.territory) for score in scores)
    whole = [score for score in scores if not score.lacks_moves]
    right_whole = sum(score.by_rules == score.recorded for score in whole)
    total = max(len(scores), 1)
    print(f"{len(chosen):,} counted games: {impossible} with an impossible margin, {unfinished:,} unfinished")
    print(f"{len(scores)} finished: {right / total:.1%} as recorded, {either / total:.1%} by area or territory")
    print(
        f"{len(scores) - len(whole)} of them lack moves: by territory nobody can win by that margin after those on "
        f"record. Of the other {len(whole)}: {right_whole / max(len(whole), 1):.1%} as recorded"
    )
    print(
        f"{contradicting} of the {len(scores)} finished name area rules by which, with the neutral points counted, "
        "nobody wins by that margin"
    )
    if gnugo:
        try:
            theirs = counted_by_gnugo(scores, console)
        except EngineFailure as error:
            raise click.ClickException(str(error)) from error
        share = theirs.as_recorded / max(theirs.asked, 1)
        print(f"GNU Go: {share:.1%} of {theirs.asked}, among them {theirs.alone} that we count otherwise")
    for score in scores if misses else ():
        if score.by_rules != score.recorded:
            print(
                f"  recorded {score.recorded:+g}, counted {score.by_rules:+g} (area {score.area:+g}, territory "
                f"{score.territory:+g}), komi {score.komi:g}, {score.record.rules or 'rules unknown'}"
                f"{', lacks moves' * score.lacks_moves}: "
                f"{score.record.source}"
            )


if __name__ == "__main__":
    main()
