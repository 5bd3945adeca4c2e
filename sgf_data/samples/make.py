"""Make the sample games: GNU Go against itself, one SGF collection.

    python -m sgf_data.samples.make --games 120

One game is one GNU Go process with its own seed, and the first moves are drawn at random near the
corners, so no two games are alike. Every game goes on until both sides pass and is then counted by
GNU Go (Chinese rules). Games are appended as they end: a run that is broken off is taken up again.
"""

from __future__ import annotations

import datetime
import random
import re
import shutil
import subprocess
from pathlib import Path
from types import TracebackType

import click
from sgfmill import common, sgf

SIZE = 19
KOMI = 7.5
OPENING = 4  # moves drawn at random, one in each corner
MOST_MOVES = 500  # a game that is longer is thrown away
COLLECTION = Path(__file__).with_name("gnugo-selfplay.sgf")
OPTIONS = ("--mode", "gtp", "--chinese-rules", "--positional-superko", "--never-resign")


class GnuGo:
    """GNU Go on a pipe, for one game. Use as a context manager; `ask` sends a GTP command."""

    def __init__(self, level: int, seed: int) -> None:
        """Start the program. Raises FileNotFoundError if it isn't installed."""
        # Debian keeps games out of root's path.
        program = shutil.which("gnugo") or "/usr/games/gnugo"
        self.process = subprocess.Popen(
            [program, *OPTIONS, "--level", str(level), "--seed", str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, command: str) -> str:
        """The answer to `command`, without its status. Raises RuntimeError for a refusal."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        lines = []
        while (line := self.process.stdout.readline()).strip():
            lines.append(line)
        answer = "".join(lines).strip()
        if not answer.startswith("="):
            raise RuntimeError(f"GNU Go: {command}: {answer or 'no answer'}")
        return answer[1:].strip()

    def __enter__(self) -> GnuGo:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.communicate()


def random_opening(rng: random.Random) -> list[str]:
    """One GTP vertex in each corner, on the third to fifth lines, the corners in random order."""
    vertices = []
    for low_row, low_column in rng.sample([(0, 0), (0, 1), (1, 0), (1, 1)], OPENING):
        row, column = rng.randint(2, 4), rng.randint(2, 4)
        vertices.append(
            common.format_vertex((row if low_row else SIZE - 1 - row, column if low_column else SIZE - 1 - column))
        )
    return vertices


def play_game(level: int, seed: int) -> tuple[list[str], str] | None:
    """Play one game: its GTP vertices from Black's first move on, and its SGF result.

    None if the game did not end within MOST_MOVES.
    """
    opening = random_opening(random.Random(seed))
    moves: list[str] = []
    with GnuGo(level, seed) as engine:
        for command in (f"boardsize {SIZE}", "clear_board", f"komi {KOMI}"):
            engine.ask(command)
        while moves[-2:] != ["PASS", "PASS"]:
            if len(moves) == MOST_MOVES:
                return None
            colour = "black" if len(moves) % 2 == 0 else "white"
            if len(moves) < OPENING:
                vertex = opening[len(moves)]
                engine.ask(f"play {colour} {vertex}")
            else:
                vertex = engine.ask(f"genmove {colour}")
            moves.append(vertex)
        return moves, engine.ask("final_score")


def as_sgf(moves: list[str], result: str, level: int, seed: int, date: str) -> bytes:
    """The game as an SGF game tree on lines of its own."""
    game = sgf.Sgf_game(size=SIZE)
    root = game.get_root()
    for player in "BW":
        root.set("P" + player, "GNU Go 3.8")
    root.set("KM", KOMI)
    root.set("RE", result)
    root.set("RU", "Chinese")
    root.set("DT", date)
    root.set("AP", ("gocnn sample games", "1"))
    root.set(
        "GC",
        f"GNU Go 3.8 against itself at level {level}, seed {seed}; "
        f"the first {OPENING} moves were drawn at random. CC0.",
    )
    for number, vertex in enumerate(moves):
        move = common.move_from_vertex(vertex, SIZE)
        game.extend_main_sequence().set_move("b" if number % 2 == 0 else "w", move)
    return bytes(game.serialise(wrap=100)).strip() + b"\n\n"


@click.command()
@click.option("--games", default=120, show_default=True, type=click.IntRange(1))
@click.option("--level", default=1, show_default=True, type=click.IntRange(0, 10))
@click.option("--date", default=lambda: datetime.date.today().isoformat(), help="DT of new games.")
@click.option("-o", "--output", default=COLLECTION, type=click.Path(path_type=Path))
def main(games: int, level: int, date: str, output: Path) -> None:
    """Bring the collection up to GAMES games.

    \b
    Example:
      python -m sgf_data.samples.make --games 120 -o gnugo-selfplay.sgf
    """
    seeds = re.findall(rb"seed (\d+)", output.read_bytes()) if output.exists() else []
    made, seed = len(seeds), int(seeds[-1]) + 1 if seeds else 1
    while made < games:
        try:
            played = play_game(level, seed)
        except FileNotFoundError:
            raise click.ClickException("GNU Go (gnugo) is not installed") from None
        if played is not None:
            with output.open("ab") as collection:
                collection.write(as_sgf(*played, level, seed, date))
            made += 1
            click.echo(f"game {made} of {games}: {len(played[0])} moves, {played[1]}", err=True)
        seed += 1


if __name__ == "__main__":
    main()
