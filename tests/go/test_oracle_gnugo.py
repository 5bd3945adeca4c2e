"""The board against GNU Go over GTP: legality, captures, stones, scores and handicap placement."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from gocnn.go import BLACK, WHITE, Board
from gocnn.go.coords import gtp_to_point, point_to_gtp
from gocnn.go.handicap import fixed_handicap
from tests.go.support import GnuGo, gnugo_path, plain_play, random_point

pytestmark = [
    pytest.mark.gnugo,
    pytest.mark.skipif(gnugo_path() is None, reason="GNU Go is not installed (apt install gnugo)"),
]

NAMES = {BLACK: "black", WHITE: "white"}
KO = {
    "simple": "--simple-ko",
    "positional": "--positional-superko",
    "situational": "--situational-superko",
}
SUICIDE = {False: "--forbid-suicide", True: "--allow-all-suicide"}


def points(answer: str, size: int) -> set[int]:
    """The points of a list of vertices."""
    return {gtp_to_point(vertex, size) for vertex in answer.split()}


def compare(engine: GnuGo, board: Board, move: str | None = None) -> None:
    """Send a `play` command and assert that GNU Go has our stones, legal moves and prisoners."""
    questions = [
        f"{word} {NAMES[colour]}" for word in ("list_stones", "all_legal", "captures") for colour in (BLACK, WHITE)
    ]
    answers = engine.ask(*([move] if move else []), *questions)[-len(questions) :]
    stones = board.stones
    for colour, standing, legal, captures in zip((BLACK, WHITE), answers[0:2], answers[2:4], answers[4:6], strict=True):
        assert points(standing, board.size) == set(np.flatnonzero(stones == colour).tolist())
        ours = set(np.flatnonzero(board.legal_mask(colour)[:-1]).tolist())
        theirs = points(legal, board.size)
        assert ours <= theirs, f"{board}\n{NAMES[colour]}: {legal}"
        for point in theirs - ours:
            # GNU Go 3.8 does not look for repetition where a move is suicide; superko rules do.
            assert board.ko != "simple" and plain_play(stones, colour, point).lost, f"{board}"
            assert board.why_illegal(colour, point) == "superko"
        assert int(captures) == board.prisoners[colour]


@pytest.mark.parametrize("suicide", [False, True], ids=["no-suicide", "suicide"])
@pytest.mark.parametrize("ko", KO)
def test_random_games(ko: str, suicide: bool) -> None:
    """Small boards are full of kos, repetitions and suicides; the colours sometimes repeat."""
    rng = np.random.default_rng(len(ko) * 2 + suicide)
    seen = set()
    with GnuGo(KO[ko], SUICIDE[suicide]) as engine:
        for size, length in [(2, 40)] * 6 + [(3, 80), (4, 120), (5, 150)] * 9 + [(7, 200)] * 4:
            board = Board(size, ko=ko, suicide=suicide)
            engine.ask(f"boardsize {size}", "clear_board")
            for _ in range(length):
                colour = board.to_move if rng.random() < 0.97 else -board.to_move
                point = random_point(rng, board, colour, passes=0.02)
                board.play(colour, point)
                compare(engine, board, f"play {NAMES[colour]} {point_to_gtp(point, size)}")
                seen |= {board.why_illegal(c, p) for c in NAMES for p in range(size * size)}
    wanted = {"occupied", "ko"} | (set() if suicide else {"suicide"})
    assert wanted | (set() if ko == "simple" else {"superko"}) <= seen


@pytest.mark.parametrize("size", [9, 13, 19])
def test_random_games_on_usual_sizes(size: int) -> None:
    rng = np.random.default_rng(size)
    board = Board(size, ko="positional")
    with GnuGo(KO["positional"], SUICIDE[False]) as engine:
        engine.ask(f"boardsize {size}", "clear_board")
        for number in range(450):  # GNU Go remembers 500 moves for superko
            colour = board.to_move
            point = random_point(rng, board, colour)
            board.play(colour, point)
            move = f"play {NAMES[colour]} {point_to_gtp(point, size)}"
            if number % 10 == 9:
                compare(engine, board, move)
            else:
                engine.ask(move)


def finished_games(seed: int) -> Iterator[Board]:
    """Random games played until neither side has a move but its own eyes, on several sizes.

    Only those where every point is unconditionally alive for one side: there no dead stones remain.
    """
    rng = np.random.default_rng(seed)
    for size in (5, 6, 7, 9) * 4:
        board = Board(size)
        while [point for _, point in board.moves[-2:]] != [board.pass_point] * 2:
            colour = board.to_move
            legal = np.flatnonzero(board.legal_mask(colour)[:-1]).tolist()
            useful = [point for point in legal if not board.is_own_eye(colour, point)]
            board.play(colour, int(rng.choice(useful)) if useful else board.pass_point)
        if (board.pass_alive(BLACK) | board.pass_alive(WHITE)).all():
            yield board


@pytest.mark.parametrize("rules", ["chinese", "japanese"])
def test_scores_of_finished_games(rules: str) -> None:
    compared = 0
    with GnuGo(f"--{rules}-rules", KO["positional"]) as engine:
        for board in finished_games(seed=8):
            engine.ask(f"boardsize {board.size}", "clear_board", "komi 6.5")
            engine.ask(*(f"play {NAMES[c]} {point_to_gtp(p, board.size)}" for c, p in board.moves))
            result = engine.ask("final_score")[0]
            theirs = float(result[2:]) * (1 if result[0] == "B" else -1)
            ours = board.area_score(6.5) if rules == "chinese" else board.territory_score(6.5)
            assert ours == theirs, f"{board}\n{board.prisoners}"
            compared += 1
    assert compared >= 8


def test_fixed_handicap() -> None:
    """GNU Go's table is GTP's, but for 12x12: GTP has the third line there, GNU Go the fourth."""
    with GnuGo() as engine:
        for size in [*range(5, 12), *range(13, 20)]:
            for stones in range(2, 10):
                engine.ask(f"boardsize {size}", "clear_board")
                try:
                    theirs = points(engine.ask(f"fixed_handicap {stones}")[0], size)
                except ValueError:
                    with pytest.raises(ValueError):
                        fixed_handicap(size, stones)
                else:
                    assert set(fixed_handicap(size, stones)) == theirs, (size, stones)
