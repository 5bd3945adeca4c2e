"""Nothing is left to compile once a player is warm: on a clock, half a minute of compiling would lose the game."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: Loads a network as the engine does, plays a game, and names the compiled functions that were first called in it,
#: or first with such arguments.
GAME = """
import gc, sys
from numba.core.registry import CPUDispatcher
from engine.rules import Needed
from engine.game import Game
from engine.handlers import gtp_engine
from engine.session import Session
from engine.player import RESIGN
from engine.player_options import make_player

def called():
    found = {
        f"{f.__module__}.{f.__name__}/{len(f.signatures)}"
        for f in gc.get_objects() if isinstance(f, CPUDispatcher) and f.signatures
    }
    return {name for name in found if name.startswith(("gocnn.", "engine."))}

visits, level, analyses = int(sys.argv[1]), sys.argv[2] or None, len(sys.argv) > 3
player, policy = make_player(
    None, 0.0, 8, 1, None, level, None, visits=visits, playouts=None, seconds=None, ponder=False, resign=0.04,
    threads=1, batch=None, root_symmetries=8, policy_temperature=1.0, fpu=0.15, noise=0.0,
)
policy.network()
before = called()
game = Game(9, 7.5)
while not game.is_over and len(game.board.moves) < 120:
    colour = game.board.to_move
    hurry = len(game.board.moves) % 10 == 9  # with no time at all, and nothing known of the position
    if hurry and visits > 1:
        player.search.forget()
    move = player.choose(game.board, colour, Needed(game.komi), seconds=0.0 if hurry else None)
    if move == RESIGN:
        break
    game.board.play(colour, move)
assert before and len(game.board.moves) > 20
if analyses:
    player.warm_up_for_analysis(policy.network())
    before = called()
    session = Session(player, policy.network)
    engine = gtp_engine(session, "1.0")
    for line in ("boardsize 9", "kata-genmove_analyze b ownership true", "cgos-genmove_analyze w", "gocnn-search"):
        assert engine.answer(line.encode()).startswith(b"="), line
print(*sorted(called() - before))
print(*sorted(name for name in called() if not name.endswith("/1")))
"""

#: Small functions that are called with several kinds of numbers.
SEVERAL = {"gocnn.go.core.stone_key", "gocnn.go.core.to_cell"}


@pytest.mark.slow
@pytest.mark.parametrize("words", [("1", ""), ("20", ""), ("1", "12k"), ("1", "", "and analyses")])
def test_a_game_calls_nothing_that_was_not_called_in_the_warm_up(words: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-c", GAME, *words], capture_output=True, text=True, timeout=500, check=True)
    first_called, more_than_once = done.stdout.split("\n")[:2]
    assert first_called == ""
    # numba compiles anew for each type of argument, and a literal 0, an int16 and an int64 are three.
    assert {name.split("/")[0] for name in more_than_once.split()} <= SEVERAL
