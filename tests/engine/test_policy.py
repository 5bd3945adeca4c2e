"""Loading a network: once, in the background, and with the error where it is used."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from engine.game import Game
from engine.player import PolicyPlayer, Style
from engine.policy import LazyPolicy, Policy, PolicyError, load_network, load_ready_network
from engine.rules import Needed
from gocnn.go import Board
from gocnn.weights import default
from tests.engine.support import CentrePolicy


def test_it_is_loaded_once_whoever_asks_first() -> None:
    loads: list[str] = []
    begin = threading.Event()

    def load() -> Policy:
        begin.wait(10)
        loads.append(threading.current_thread().name)
        return CentrePolicy()

    lazy = LazyPolicy(load)
    lazy.start_loading()
    lazy.start_loading()
    begin.set()
    assert lazy.policy([Board(5), Board(5)]).shape == (2, 26)
    lazy.start_loading()
    assert len(loads) == 1


def test_what_comes_after_the_loading_holds_nobody_up_and_is_done_once() -> None:
    begin, done = threading.Event(), []

    def then(network: Policy) -> None:
        begin.wait(10)
        done.append(network)

    lazy = LazyPolicy(CentrePolicy)
    assert lazy.policy([Board(5)]).shape == (1, 26)  # loaded before anybody prepares anything
    lazy.start_loading(then)
    assert lazy.is_preparing
    assert lazy.policy([Board(5)]).shape == (1, 26)
    lazy.start_loading(then)
    begin.set()
    assert lazy._loader is not None
    lazy._loader.join(10)
    assert not lazy.is_preparing
    lazy.start_loading(then)
    assert len(done) == 1


def test_an_error_in_the_background_is_met_where_the_policy_is_used() -> None:
    def load() -> Policy:
        raise PolicyError("no such file")

    lazy = LazyPolicy(load)
    lazy.start_loading()
    for _ in range(2):
        with pytest.raises(PolicyError, match="no such file"):
            lazy.policy([Board(5)])


def test_a_board_the_network_cannot_play() -> None:
    class Only19:
        def policy(self, boards: Sequence[Board], symmetries: int = 1) -> np.ndarray:
            raise ValueError("plays 19x19 boards only")

    with pytest.raises(PolicyError, match="19x19"):
        LazyPolicy(Only19).policy([Board(5)])


def test_a_file_that_is_no_network(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a network")
    with pytest.raises(PolicyError, match=r"notes\.txt"):
        load_network(path)


@pytest.mark.slow
@pytest.mark.skipif(not default().exists(), reason="no network is shipped in gocnn/weights")
def test_the_shipped_network_ends_its_games() -> None:
    """benchmarks/selfplay_endings.py plays a hundred."""
    network = load_ready_network(None)
    for size, most in ((9, 150), (19, 500)):
        player = PolicyPlayer(network, Style(random_moves=10, seed=1))
        game = Game(size)
        while not game.is_over and len(game.board.moves) < most:
            colour = game.board.to_move
            game.board.play(colour, player.choose(game.board, colour, Needed(game.komi)))
        assert game.is_over
