"""What the rules' tests share: a plain model of the rules, GNU Go on a pipe, and real games."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from sgfmill import sgf

from gocnn.go import BLACK, EMPTY, WHITE, Board

SAMPLES = Path(__file__).parents[2] / "sgf_data" / "samples" / "games.sgf"

#: A game that is over with stones on little more than a third of the points: nobody can live in what is left open.
SPARSE = """
. . . . . . . . .
. X . . . . . . .
. . . . . X . X .
X X . X . . . . .
X O X X X . . X X
O O O X O X X X O
. . O O O O O O O
. . . . . . . . .
. . . . . . . . .
"""

#: A finished game on 9x9: White's stone on B8 and Black's on H6 and H5 are dead, and Black has 15 points more.
FINISHED = """
. . X X O O . . .
. O X . X O O . .
. . X X X O . . .
. X . . X O . X .
. . X . X O O X .
. . X X X X O . .
. . X . . X O . .
X . X X . X O O .
. X . . X X O . .
"""

#: Each side has one eye, and they share the liberty E9: whoever plays there is taken.
SEKI = """
O X . X . O . O X
O X X X X O O O X
O O O O O X X X X
. . . . O X . . .
. . . . O X . . .
. . . . O X . . .
. . . . O X . . .
. . . . O X . . .
. . . . O X . . .
"""


# --- the rules, as plainly as they can be written ---


def neighbours(point: int, size: int) -> list[int]:
    """The points beside a point."""
    row, column = divmod(point, size)
    return [
        r * size + c
        for r, c in ((row - 1, column), (row, column - 1), (row, column + 1), (row + 1, column))
        if 0 <= r < size and 0 <= c < size
    ]


def flood(stones: np.ndarray, point: int) -> tuple[set[int], set[int]]:
    """The connected points of one value around `point`, and the points beside them."""
    size, flat = len(stones), stones.ravel()
    chain, border, todo = {point}, set(), [point]
    while todo:
        for other in neighbours(todo.pop(), size):
            if flat[other] != flat[point]:
                border.add(other)
            elif other not in chain:
                chain.add(other)
                todo.append(other)
    return chain, border


def liberties_of(stones: np.ndarray, point: int) -> set[int]:
    """The liberties of the chain on `point`."""
    return {other for other in flood(stones, point)[1] if stones.ravel()[other] == EMPTY}


@dataclass
class Outcome:
    """What a play leads to: the new stones, the opponent's that were taken, the own ones lost."""

    stones: np.ndarray
    captured: set[int]
    lost: set[int]


def plain_play(stones: np.ndarray, colour: int, point: int) -> Outcome:
    """Play on an empty point with no rule but capture; suicide is played. `stones` is unchanged."""
    after = stones.copy()
    flat = after.ravel()
    flat[point] = colour
    captured: set[int] = set()
    for other in neighbours(point, len(stones)):
        if flat[other] == -colour and not liberties_of(after, other):
            captured |= flood(after, other)[0]
    flat[list(captured)] = EMPTY
    lost = set() if liberties_of(after, point) else flood(after, point)[0]
    flat[list(lost)] = EMPTY
    return Outcome(after, captured, lost)


def random_point(rng: np.random.Generator, board: Board, colour: int, passes: float = 0.01) -> int:
    """A legal point drawn at random, preferring captures and ataris, so that fights go on."""
    legal = np.flatnonzero(board.legal_mask(colour)[:-1])
    if not legal.size or rng.random() < passes:
        return board.pass_point
    if rng.random() < 0.3:
        stones, libs = board.stones.ravel(), board.liberties().ravel()
        hot = [p for p in legal if any(stones[n] != EMPTY and libs[n] <= 2 for n in neighbours(int(p), board.size))]
        if hot:
            return int(rng.choice(hot))
    return int(rng.choice(legal))


# --- GNU Go ---


def gnugo_path() -> str | None:
    """Where GNU Go is, or None. Debian puts it into /usr/games, which root's path often lacks."""
    return shutil.which("gnugo") or shutil.which("/usr/games/gnugo")


class GnuGo:
    """GNU Go on a pipe. Use as a context manager."""

    def __init__(self, *options: str) -> None:
        program = gnugo_path()
        assert program is not None
        self.process = subprocess.Popen(
            [program, "--mode", "gtp", "--level", "1", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, *commands: str) -> list[str]:
        """Send commands at one go; their answers, without the status. ValueError for a refusal."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("\n".join(commands) + "\n")
        self.process.stdin.flush()
        answers = []
        for command in commands:
            lines = []
            while (line := self.process.stdout.readline()).strip():
                lines.append(line)
            answer = "".join(lines)
            if not answer.startswith("="):
                raise ValueError(f"{command}: {answer or 'GNU Go is gone'}")
            answers.append(answer[1:].strip())
        return answers

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


# --- real games ---


def sgf_texts(source: Path) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of every .sgf in a file, a directory, a zip or a tar archive."""
    if source.is_dir():
        for path in sorted(source.rglob("*.sgf")):
            yield str(path), path.read_bytes()
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            for name in archive.namelist():
                if name.lower().endswith(".sgf"):
                    yield name, archive.read(name)
    elif source.suffix.lower() == ".sgf":
        yield str(source), source.read_bytes()
    else:
        with tarfile.open(source) as archive:
            for member in archive:
                if member.isfile() and member.name.lower().endswith(".sgf"):
                    content = archive.extractfile(member)
                    assert content is not None
                    yield member.name, content.read()


@dataclass
class Game:
    """The main line of a record: its set-up at the root, then (colour, point) with pass size²."""

    name: str
    size: int
    setup: list[tuple[int, int]]  # (colour, point)
    moves: list[tuple[int, int]]


COLOURS = {"b": BLACK, "w": WHITE}


def read_game(name: str, tree: sgf.Sgf_game) -> Game | None:
    """A game from sgfmill's tree; None if it has set-up after the root, or moves off the board."""
    size = tree.get_size()
    try:
        black, white, _ = tree.get_root().get_setup_stones()
        setup = [
            (colour, (size - 1 - row) * size + column)
            for colour, points in ((BLACK, black), (WHITE, white))
            for row, column in sorted(points)
        ]
        moves = []
        for node in tree.get_main_sequence():
            if node.has_setup_stones() and node is not tree.get_root():
                return None
            colour, move = node.get_move()
            if colour is not None:
                point = size * size if move is None else (size - 1 - move[0]) * size + move[1]
                moves.append((COLOURS[colour], point))
    except ValueError:
        return None
    return Game(name, size, setup, moves)


def split_collection(text: bytes) -> Iterator[bytes]:
    """The game trees of a collection whose games begin with "(;" at the start of a line or file."""
    text = b"\n" + text.replace(b"\r", b"")
    for part in text.split(b"\n(;")[1:]:
        yield b"(;" + part


def real_games(source: Path, most: int | None = None) -> Iterator[Game]:
    """The games of a source that sgfmill can read, at most `most`. Broken files are passed over."""
    found = 0
    for name, text in sgf_texts(source):
        for number, one in enumerate(split_collection(text), 1):
            try:
                game = read_game(f"{name}#{number}", sgf.Sgf_game.from_bytes(one))
            except (ValueError, LookupError):
                continue
            if game is not None:
                yield game
                found += 1
                if found == most:
                    return


def games_to_replay() -> list[Path]:
    """GNU Go's sample games, and what the environment variable GOCNN_GAMES names."""
    sources = [SAMPLES] if SAMPLES.exists() else []
    named = os.environ.get("GOCNN_GAMES")
    return sources + ([Path(part) for part in named.split(os.pathsep)] if named else [])
