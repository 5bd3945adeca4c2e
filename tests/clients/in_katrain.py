"""Plays and reviews with KaTrain's own game, engine and players; prints as JSON what it saw. Run by test_katrain.py."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

os.environ |= {"KIVY_NO_ARGS": "1", "KIVY_NO_CONSOLELOG": "1", "KIVY_NO_FILELOG": "1"}  # before kivy is imported

from katrain.core.ai import generate_ai_move
from katrain.core.base_katrain import KaTrainBase
from katrain.core.constants import OUTPUT_ERROR, OUTPUT_INFO
from katrain.core.engine import KataGoEngine
from katrain.core.game import Game
from pysgf import Move


class KaTrain(KaTrainBase):  # type: ignore[misc]
    """The program without its window."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        super().__init__(force_package_config=True, debug_level=0)

    def log(self, message: object, level: int = OUTPUT_INFO) -> None:
        if level == OUTPUT_ERROR:
            self.errors.append(str(message))

    def __call__(self, *message: object, **_: object) -> None:
        self.errors.append(str(message))


def settle(engine: Any) -> None:
    """Wait until all that was asked has been answered."""
    time.sleep(0.5)  # until it is on its way
    engine.wait_to_finish()


def main() -> None:
    katrain = KaTrain()
    settings = {**katrain.config("engine"), "backend": "custom", "altcommand": sys.argv[1]}
    engine = KataGoEngine(katrain, settings | {"max_visits": 40, "fast_visits": 10})
    game = katrain.game = Game(katrain, engine, analyze_fast=False)
    for player, vertex in (("B", "D4"), ("W", "Q16"), ("B", "Q4"), ("W", "D16"), ("B", "C17")):
        game.play(Move.from_gtp(vertex, player=player))
    settle(engine)
    seen: dict[str, Any] = {"visits": [], "owners": [], "policies": []}
    node = game.root
    while node:
        seen["visits"].append(node.root_visits)
        seen["owners"].append(len(node.ownership or []))
        seen["policies"].append(len(node.policy or []))
        last, node = node, node.children[0] if node.children else None
    seen["best"] = [move["move"] for move in last.candidate_moves]
    last.analyze(engine, find_alternatives=True, time_limit=False)
    settle(engine)
    seen["with alternatives"] = [move["move"] for move in last.candidate_moves]
    last.analyze(engine, ponder=True)
    time.sleep(3)
    seen["people"] = generate_ai_move(game, "ai:human", katrain.config("ai/ai:human"))[0].gtp()  # while it ponders
    engine.stop_pondering()
    settle(engine)
    seen["pondered"] = last.root_visits
    process = engine.katago_process
    engine.shutdown(finish=False)
    seen["ended"] = process.wait(10)
    seen["errors"] = katrain.errors
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
