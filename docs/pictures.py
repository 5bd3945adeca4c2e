"""Draw the pictures of the README anew, with the shipped network.

    python docs/pictures.py
"""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from engine.game import Game
from engine.player import PolicyPlayer
from engine.policy import load_network
from engine.terminal import Terminal
from gocnn.go import BLACK

WORDS = ("D4", "Q3", "F17", "hint")


def play_picture(path: Path) -> None:
    """The first moves of a game in the terminal, as SVG."""
    console = Console(record=True, force_terminal=True, color_system="truecolor", width=64, file=io.StringIO())
    terminal = Terminal(Game(19), PolicyPlayer(load_network(None)), BLACK, console)
    terminal.run(iter(WORDS[:-2]))
    console.export_text()  # forget what the first moves looked like
    terminal.run(iter(WORDS[-2:]))
    console.save_svg(str(path), title="gocnn play")


if __name__ == "__main__":
    images = Path(__file__).parent / "images"
    images.mkdir(exist_ok=True)
    play_picture(images / "play.svg")
