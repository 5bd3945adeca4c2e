"""Draw docs/images/play.svg anew, with the network that ships.

python docs/pictures.py
"""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console

from engine.game import Game
from engine.player import PolicyPlayer
from engine.policy import load_network
from engine.terminal import Terminal
from gocnn.go import BLACK
from gocnn.go.coords import gtp_to_point

OPENING = ("Q16", "D4", "Q3", "D16", "R5", "R14")


def play_picture(path: Path) -> None:
    """A board and a hint in the terminal, as SVG."""
    console = Console(record=True, force_terminal=True, color_system="truecolor", width=72, file=io.StringIO())
    game = Game(19)
    for vertex in OPENING:
        game.board.play(game.board.to_move, gtp_to_point(vertex, 19))
    Terminal(game, PolicyPlayer(load_network(None)), BLACK, console).run(iter(["hint"]))
    svg = console.export_svg(title="gocnn play")
    path.write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    images = Path(__file__).parent / "images"
    images.mkdir(exist_ok=True)
    play_picture(images / "play.svg")
