"""Do the network's games against itself end? Every one should, with two passes, inside 500 moves.

    python benchmarks/selfplay_endings.py --games 100

The first moves are drawn by the policy's probabilities, so that no two games are alike. Prints each
game's length and how it ended, then the distribution; exit status 1 if a game did not end.
"""

from __future__ import annotations

import time
from pathlib import Path

import click
import numpy as np

from engine.game import Game, format_score
from engine.player import PolicyPlayer, Style
from engine.policy import load_network
from engine.rules import Needed
from engine.sgf import game_to_sgf


def play_out(player: PolicyPlayer, size: int, most: int) -> Game:
    """One game of the player against itself, at most `most` moves long."""
    game = Game(size)
    while not game.is_over and len(game.board.moves) < most:
        colour = game.board.to_move
        game.board.play(colour, player.choose(game.board, colour, Needed(game.komi)))
    return game


@click.command()
@click.option("--games", default=100, show_default=True, type=click.IntRange(1))
@click.option("--size", default=19, show_default=True, type=click.IntRange(2, 25))
@click.option("--most", default=500, show_default=True, help="The most moves a game may take.")
@click.option("--random-moves", default=20, show_default=True, help="Moves drawn at random.")
@click.option("--model", type=click.Path(exists=True, path_type=Path), help="Checkpoint file.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Directory for SGF files.")
def main(games: int, size: int, most: int, random_moves: int, model: Path | None, output: Path | None) -> None:
    """Play GAMES games of the network against itself."""
    policy = load_network(model)
    lengths, ended, begin = [], 0, time.perf_counter()
    for number in range(1, games + 1):
        player = PolicyPlayer(policy, Style(random_moves=random_moves, symmetries=4, seed=number))
        game = play_out(player, size, most)
        result = format_score(game.score())
        lengths.append(len(game.board.moves))
        ended += game.is_over
        how = "two passes" if game.is_over else "NOT ENDED"
        print(f"game {number:3d}: {lengths[-1]:3d} moves, {how}, {result}", flush=True)
        if output:
            output.mkdir(parents=True, exist_ok=True)
            sgf = game_to_sgf(game, black="gocnn", white="gocnn", result=result)
            (output / f"{number:03d}.sgf").write_bytes(sgf)
    seconds = time.perf_counter() - begin
    low, middle, high = np.percentile(lengths, [0, 50, 100])
    print(f"{ended} of {games} games ended with two passes within {most} moves")
    print(f"moves a game: {low:.0f} to {high:.0f}, median {middle:.0f}")
    print(f"{1000 * seconds / sum(lengths):.1f} ms a move")
    raise SystemExit(0 if ended == games else 1)


if __name__ == "__main__":
    main()
