"""The board against sgfmill's, position by position, on real and on random games.

The real games are the samples; with GOCNN_GAMES set to an SGF file, directory or archive (or
several, separated like PATH), all the games in there too:

    GOCNN_GAMES=pro-2022.tar.xz python -m pytest tests/go/test_oracle_sgfmill.py -s
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from sgfmill import boards

from gocnn.go import BLACK, EMPTY, WHITE, Board, IllegalMove, replay
from tests.go.support import (
    SAMPLES,
    Game,
    games_to_replay,
    plain_play,
    random_point,
    real_games,
)

VALUES = {"b": BLACK, "w": WHITE, None: EMPTY}
LETTERS = {BLACK: "b", WHITE: "w"}


def stones_of(theirs: boards.Board) -> np.ndarray:
    """sgfmill's position as int8 [size, size], row 0 at the top (sgfmill's is at the bottom)."""
    flat = [VALUES[stone] for row in reversed(theirs.board) for stone in row]
    return np.array(flat, np.int8).reshape(theirs.side, theirs.side)


def play_there(theirs: boards.Board, colour: int, point: int) -> int | None:
    """Play on sgfmill's board; the point its simple ko bans, or None."""
    size = theirs.side
    row, column = divmod(point, size)
    ko = theirs.play(size - 1 - row, column, LETTERS[colour])
    return None if ko is None else (size - 1 - ko[0]) * size + ko[1]


def compare(game: Game) -> tuple[int, str | None]:
    """Replay a game on both boards; the moves that were legal, and why the next was not, if any.

    Asserts that stones, ko, captures and prisoners agree after every move, and that an illegal move
    is illegal by sgfmill's board too.
    """
    ours, theirs = Board(game.size, ko="simple"), boards.Board(game.size)
    for colour, point in game.setup:
        row, column = divmod(point, game.size)
        theirs.board[game.size - 1 - row][column] = LETTERS[colour]
    ours.setup([p for _, p in game.setup], [c for c, _ in game.setup])
    before = stones_of(theirs)
    assert np.array_equal(ours.stones, before), game.name
    banned, banned_to, taken = None, EMPTY, {BLACK: 0, WHITE: 0}
    for number, (colour, point) in enumerate(game.moves, 1):
        where = f"{game.name}, move {number}"
        try:
            captured = ours.play(colour, point)
        except IllegalMove as illegal:
            if illegal.reason == "occupied":
                assert before.ravel()[point] != EMPTY, where
            elif illegal.reason == "suicide":
                assert plain_play(before, colour, point).lost, where
            else:
                assert illegal.reason == "ko" and point == banned and colour == banned_to, where
            assert np.array_equal(ours.stones, before), where
            return number - 1, illegal.reason
        if point == ours.pass_point:
            banned = None
        else:
            assert (point, colour) != (banned, banned_to), where
            banned, banned_to = play_there(theirs, colour, point), -colour
        after = stones_of(theirs)
        assert np.array_equal(ours.stones, after), where
        assert ours.ko_point == banned, where
        assert captured == np.count_nonzero(before == -colour) - np.count_nonzero(after == -colour), where
        taken[colour] += captured
        assert ours.prisoners == taken, where
        before = after
    return len(game.moves), None


def check_compiled(game: Game) -> tuple[int, str | None]:
    """What `replay.check` says of a game."""
    colours, points = np.array(game.moves, np.int16).reshape(-1, 2).T
    setup_colours, setup_points = np.array(game.setup, np.int16).reshape(-1, 2).T
    moves = replay.Moves(
        np.ascontiguousarray(points),
        colours.astype(np.int8),
        np.zeros(len(game.setup), np.int16),
        np.ascontiguousarray(setup_points),
        setup_colours.astype(np.int8),
    )
    return replay.check(game.size, moves)


@pytest.mark.parametrize("source", games_to_replay(), ids=lambda path: path.name)
def test_real_games(source: Path) -> None:
    counts: dict[str, int] = {}
    games = positions = 0
    for game in real_games(source):
        legal, reason = compare(game)
        assert check_compiled(game) == (legal, reason), game.name
        games, positions = games + 1, positions + legal
        if reason:
            counts[reason] = counts.get(reason, 0) + 1
    print(f"{source.name}: {games} games, {positions} positions agree; illegal: {counts}")
    assert games >= 1
    if source == SAMPLES:
        assert games >= 100
        assert not counts


@pytest.mark.parametrize("size", [2, 3, 4, 5, 7, 9, 13, 19, 25])
def test_random_games(size: int) -> None:
    rng = np.random.default_rng(size)
    for _ in range(3 if size > 9 else 12):
        board = Board(size, ko="simple")
        moves = []
        for colour in itertools.islice(itertools.cycle((BLACK, WHITE)), min(3 * size * size, 600)):
            if rng.random() < 0.05:
                colour = -colour  # handicap games and free placement: colours need not alternate
            point = random_point(rng, board, colour)
            board.play(colour, point)
            moves.append((colour, point))
        game = Game(f"random {size}x{size}", size, [], moves)
        assert compare(game) == (len(moves), None)
        assert check_compiled(game) == (len(moves), None)
