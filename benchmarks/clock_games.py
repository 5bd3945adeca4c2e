"""Does the engine ever lose on time? Games against itself under a referee's clock, through GTP.

    python benchmarks/clock_games.py --games 10 "absolute 60" "byoyomi 10 2 3" "canadian 10 20 10"

A control is written as for kata-time_settings; the engine searches for as long as its clock lets it. The referee times
every genmove from the moment it is sent until its answer is there, the slow first move included, and counts as
servers do. Prints each game's flags fallen, the least time that a flag was ever away from falling, and the time used;
exit status 1 if a flag fell.
"""

from __future__ import annotations

import math
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import click

from engine.client import FailedCommand, GtpClient
from engine.clock import TimeControl
from engine.game import Game
from engine.referee import GTP_NAMES, LETTERS
from gocnn.go import BLACK, WHITE
from gocnn.go.coords import gtp_to_point

ENGINE = "-m gocnn gtp --visits 1000000 --random-moves 10"  # the clock is what ends each search


class RefereeClock:
    """One player's time as a server counts it; knows nothing of `engine.clock.Clock`."""

    def __init__(self, control: TimeControl) -> None:
        self.control = control
        self.main = control.main
        self.period = control.period
        self.count = control.periods or control.stones
        self.overtime = control.kind in ("byoyomi", "canadian") and not control.main
        self.fallen = False
        self.least = math.inf  # seconds to the fall of the flag, at the worst moment
        self.used = 0.0

    def move(self, seconds: float) -> None:
        """A move took `seconds`."""
        self.used += seconds
        kind = self.control.kind
        if kind == "none":
            return
        if not self.overtime:
            self.main -= seconds
            if kind in ("absolute", "fischer", "fischer-capped"):
                self.fallen |= self.main < 0 or seconds > self.control.per_move
                self.least = min(self.least, self.main, self.control.per_move - seconds)
                self.main = min(self.main + self.control.increment, self.control.limit)
                return
            if self.main >= 0:
                periods = self.control.period * (self.count if kind == "byoyomi" else 1)
                self.least = min(self.least, self.main + periods)
                return
            self.overtime, seconds, self.main = True, -self.main, 0.0
        if kind == "byoyomi":
            while seconds > self.control.period:
                seconds -= self.control.period
                self.count -= 1
            self.fallen |= self.count < 1
            self.least = min(self.least, self.control.period * self.count - seconds)
            self.count = max(self.count, 1)  # the game goes on in the last period
        else:
            self.period -= seconds
            self.count -= 1
            self.fallen |= self.period < 0
            self.least = min(self.least, self.period)
            if self.count == 0:
                self.period, self.count = self.control.period, self.control.stones

    def time_left(self) -> tuple[int, int]:
        """The two numbers of GTP's time_left: seconds, rounded, and stones or periods, 0 in main time."""
        if not self.overtime:
            return round(self.main), 0
        return round(self.control.period if self.control.kind == "byoyomi" else self.period), self.count


class Player(Protocol):
    """An engine that is sent GTP commands."""

    def send(self, command: str) -> str:
        """The text of the answer; raises FailedCommand."""


@dataclass(frozen=True)
class Played:
    """A game's moves and the two clocks at its end. `ended`: with two passes or a resignation."""

    moves: int
    ended: bool
    clocks: dict[int, RefereeClock]

    @property
    def fallen(self) -> int:
        """How many flags of the two have fallen."""
        return sum(clock.fallen for clock in self.clocks.values())

    @property
    def least(self) -> float:
        """The least time that a flag was away from falling, in seconds."""
        return min(clock.least for clock in self.clocks.values())


def time_commands(control: TimeControl) -> tuple[str, str | None]:
    """How to tell an engine of a control: by kata-time_settings, and by GTP's own command where it can say it."""
    plain = {
        "none": "time_settings 0 1 0",
        "absolute": f"time_settings {control.main:g} 0 0",
        "canadian": f"time_settings {control.main:g} {control.period:g} {control.stones}",
    }
    return f"kata-time_settings {control}", plain.get(control.kind)


def play_on_time(
    player: Player, control: TimeControl, size: int, *, tell: bool = True, now: Callable[[], float] = time.monotonic
) -> Played:
    """One game of a player against itself; the game goes on when a flag falls. `tell`: send time_left before moves."""
    ours, plain = time_commands(control)
    for command in (f"boardsize {size}", "clear_board", "komi 7.5"):
        player.send(command)
    try:
        player.send(ours)
    except FailedCommand:
        if plain is None:
            raise
        player.send(plain)
    game = Game(size)
    board = game.board
    clocks = {colour: RefereeClock(control) for colour in (BLACK, WHITE)}
    while not game.is_over and len(board.moves) < 3 * size * size:
        colour = board.to_move
        if tell and control.kind != "none":
            seconds, stones = clocks[colour].time_left()
            player.send(f"time_left {LETTERS[colour]} {seconds} {stones}")
        begin = now()
        answer = player.send(f"genmove {GTP_NAMES[colour]}")
        clocks[colour].move(now() - begin)
        if answer.lower() == "resign":
            return Played(len(board.moves), True, clocks)
        board.play(colour, gtp_to_point(answer, size))
    return Played(len(board.moves), game.is_over, clocks)


@click.command()
@click.argument("controls", nargs=-1, required=True, metavar="CONTROL...")
@click.option("--games", default=10, show_default=True, type=click.IntRange(1), help="Games for each control.")
@click.option("--size", default=19, show_default=True, type=click.IntRange(2, 25))
@click.option("--engine", metavar="CMD", help=f"The engine (default: `python {ENGINE}`).")
@click.option("--tell/--no-tell", default=True, show_default=True, help="Send time_left before every move.")
@click.option("--fresh", is_flag=True, help="A new process for every game, whose first move is slow.")
def main(controls: tuple[str, ...], games: int, size: int, engine: str | None, tell: bool, fresh: bool) -> None:
    """Play games on time against itself for each CONTROL."""
    command = engine or shlex.join([sys.executable, *ENGINE.split()])
    flags = 0
    try:
        wanted = [TimeControl.from_kata(words.split()) for words in controls]
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="CONTROL") from error
    for control in wanted:
        lengths, least, used = [], math.inf, []
        client: GtpClient | None = None
        fallen = 0
        for number in range(1, games + 1):
            client = client or GtpClient(command, timeout=3600)
            played = play_on_time(client, control, size, tell=tell)
            if fresh:
                client.close()
                client = None
            seconds = [clock.used for clock in played.clocks.values()]
            print(
                f"{control}: game {number}: {played.moves} moves{'' if played.ended else ', NOT ENDED'}, "
                f"{played.fallen} flags fallen, least time left {played.least:.2f} s, "
                f"used {seconds[0]:.1f} s and {seconds[1]:.1f} s",
                flush=True,
            )
            lengths.append(played.moves)
            used += seconds
            least = min(least, played.least)
            fallen += played.fallen
        if client is not None:
            client.close()
        print(
            f"{control}: {games} games of {min(lengths)} to {max(lengths)} moves, {fallen} flags fallen, "
            f"least time left {least:.2f} s, mean use {sum(used) / len(used):.1f} s a player"
        )
        flags += fallen
    raise SystemExit(1 if flags else 0)


if __name__ == "__main__":
    main()
