"""Levels: each is stronger than the one below in every number, repeatable, and weak without being silly."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click import Command, UsageError
from click.testing import CliRunner

from engine.commands import gtp, play
from engine.levels import CLOSE, LEVELS, NETWORK, Level, LevelPlayer, level_player, read_level
from engine.player import PolicyPlayer, Style
from engine.player_options import make_player
from engine.policy import LazyPolicy, Policy
from engine.rules import EVEN, Needed
from engine.search import Limits
from engine.search_player import SearchPlayer, StandIn
from gocnn import weights
from gocnn.go import BLACK, WHITE, Board
from gocnn.go.coords import gtp_to_point
from gocnn.go.planes import PLANE_SETS
from gocnn.profile import Profile
from tests.engine.support import ListPolicy, RandomPolicy


def test_every_level_is_there_and_found_in_either_case() -> None:
    names = [f"{kyu}k" for kyu in range(20, 0, -1)] + [f"{dan}d" for dan in range(1, 10)]
    assert list(LEVELS) == names and all(LEVELS[name].name == name for name in names)
    assert read_level(" 9D ") is LEVELS["9d"]
    for wrong in ("21k", "0k", "10d", "", "k", "strong"):
        with pytest.raises(ValueError, match="20k to 1k and 1d to 9d"):
            read_level(wrong)


def test_the_numbers_rise_strictly() -> None:
    for weaker, stronger in pairwise(LEVELS.values()):
        assert stronger.temperature <= weaker.temperature
        assert stronger.blindness <= weaker.blindness
        assert stronger.top_p <= weaker.top_p
        assert stronger.visits >= weaker.visits
        if stronger.searches:
            assert stronger.visits > weaker.visits
        else:
            assert stronger.temperature < weaker.temperature and stronger.blindness < weaker.blindness


def game(player: PolicyPlayer, moves: int, size: int = 9) -> list[int]:
    board = Board(size)
    for _ in range(moves):
        board.play(board.to_move, player.choose(board, board.to_move, Needed(7.5)))
    return [point for _, point in board.moves]


@pytest.mark.parametrize("name", ["20k", "10k", "5k"])
def test_the_same_seed_plays_the_same_game(name: str) -> None:
    def player(seed: int | None) -> LevelPlayer:
        return LevelPlayer(RandomPolicy(), LEVELS[name], Style(seed=seed))

    first = game(player(7), 20)
    assert game(player(7), 20) == first
    assert game(player(8), 20) != first
    assert game(player(None), 20) != game(player(None), 20)


def test_asking_twice_changes_nothing() -> None:
    player, board = LevelPlayer(RandomPolicy(), LEVELS["15k"], Style(seed=3)), Board(9)
    assert len({player.choose(board, BLACK, Needed(7.5)) for _ in range(5)}) == 1


def test_the_strongest_without_a_search_plays_as_the_network_does() -> None:
    assert game(LevelPlayer(RandomPolicy(), LEVELS["1d"]), 40) == game(PolicyPlayer(RandomPolicy()), 40)


class Choices:
    """Three good moves, and all the others next to nothing."""

    good = tuple(gtp_to_point(vertex, 9) for vertex in ("E5", "C3", "G7"))

    def policy(self, boards: list[Board], symmetries: int = 1) -> np.ndarray:
        priors = np.full((len(boards), 82), 0.02 / 79, np.float32)
        priors[:, self.good] = (0.5, 0.3, 0.18)
        return priors


def first_moves(chosen: Level, games: int = 200) -> np.ndarray:
    """How often each good move is played first, and last how often another."""
    policy = Choices()
    counts = np.zeros(4, int)
    for seed in range(games):
        move = LevelPlayer(policy, chosen, Style(seed=seed)).choose(Board(9), BLACK, Needed(7.5))  # type: ignore[arg-type]
        counts[policy.good.index(move) if move in policy.good else 3] += 1
    return counts


def test_weak_players_choose_among_the_moves_that_come_to_mind() -> None:
    shares = {name: first_moves(LEVELS[name]) / 200 for name in ("20k", "12k", "1d")}
    assert shares["1d"].tolist() == [1, 0, 0, 0]
    assert shares["20k"][0] < shares["12k"][0] < 1
    assert (shares["20k"][:3] > 0.15).all()
    # No blunders from nowhere: only where all three are overlooked, with the chance 0.5 ** 3, is it another move.
    assert shares["20k"][3] < 0.05 + 0.5**3


def test_temperature_alone_flattens() -> None:
    only = Level("test", temperature=1.0, top_p=0.9, blindness=0.0, visits=1)
    shares = first_moves(only, 500) / 500
    assert shares == pytest.approx([0.5 / 0.98, 0.3 / 0.98, 0.18 / 0.98, 0], abs=0.07)
    assert shares[3] == 0


def test_the_top_share_cuts_off() -> None:
    only = Level("test", temperature=1.0, top_p=0.6, blindness=0.0, visits=1)
    counts = first_moves(only)
    assert counts[0] > counts[1] > 0 and counts[2] == counts[3] == 0


def test_close_to_the_last_moves_less_is_overlooked() -> None:
    blind = Level("test", temperature=0.0, top_p=0.99, blindness=0.5, visits=1)
    far, close = gtp_to_point("Q4", 19), gtp_to_point("D6", 19)

    def missed(vertex: str) -> int:
        policy = ListPolicy(vertex, "K10", confidence=0.6)
        total = 0
        for seed in range(200):
            board = Board(19)
            board.play(BLACK, gtp_to_point("D4", 19))
            wanted = gtp_to_point(vertex, 19)
            total += LevelPlayer(policy, blind, Style(seed=seed)).choose(board, WHITE, Needed(7.5)) != wanted
        return total

    assert abs(close // 19 - gtp_to_point("D4", 19) // 19) <= CLOSE < abs(far % 19 - gtp_to_point("D4", 19) % 19)
    assert missed("D6") < 30 < missed("Q4")


def test_a_weak_player_ends_its_games_too() -> None:
    board = Board(5)
    player = LevelPlayer(RandomPolicy(), LEVELS["20k"], Style(seed=1))
    while len(board.moves) < 200 and [point for _, point in board.moves[-2:]] != [25, 25]:
        board.play(board.to_move, player.choose(board, board.to_move, EVEN))
    assert len(board.moves) < 200


def test_a_name_gives_the_player_and_loads_nothing() -> None:
    def never() -> Policy:
        raise AssertionError("the network was asked for")

    policy = LazyPolicy(never)

    def searcher(limits: Limits, style: Style) -> SearchPlayer:
        return SearchPlayer(policy, style, limits=limits)

    weak, strong = (level_player(name, policy, Style(seed=1), searcher) for name in ("12k", "3D"))
    assert isinstance(weak, LevelPlayer) and weak.level is LEVELS["12k"]
    assert isinstance(strong, SearchPlayer) and strong.limits.visits == LEVELS["3d"].visits


#: As `make_player` takes them.
OPTIONS: dict[str, Any] = {
    "model": None, "temperature": 0.0, "random_moves": 0, "seed": 1, "resign_behind": None, "profile": None,
    "visits": None, "playouts": None, "seconds": None, "ponder": False, "resign": 0.1, "threads": 1, "batch": 4,
    "root_symmetries": 2, "policy_temperature": 1.2, "fpu": 0.3, "noise": 0.5,
}  # fmt: skip


def test_levels_are_played_by_the_network_that_they_were_measured_with(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []

    def load(model: Path | None, profile: Profile) -> Policy:
        loaded.append(model)
        return StandIn(PLANE_SETS["full"], has_value=True)

    monkeypatch.setattr("engine.policy.load_ready_network", load)
    mine = Path("mine.safetensors")
    for name, model, profile in (("3k", None, None), ("3d", None, None), (None, None, None), ("3k", mine, None),
                                 ("3k", None, "2d")):  # fmt: skip
        _, policy = make_player(**{**OPTIONS, "threads": None, "level": name, "model": model, "profile": profile})
        policy.network()
    measured = weights.named("b6c64")
    assert loaded == [measured, measured, None, mine, None], "None: the one that ships for the case"


def test_a_level_takes_the_other_options_and_no_limit_of_its_own() -> None:
    options = {**OPTIONS, "ponder": True, "temperature": 1.0, "random_moves": 10}
    player, _ = make_player(level="3d", **options)
    assert (player.style.temperature, player.style.random_moves) == (0, 0), "a level says itself what is left to chance"
    assert isinstance(player, SearchPlayer) and player.ponders
    assert player.resignation is not None and player.resignation.winrate == 0.1
    config = player.config
    assert (config.batch, config.root_symmetries, config.noise, config.seed) == (4, 2, 0.5, 1)
    assert (config.policy_temperature, config.fpu) == (1.2, 0.3)
    with pytest.raises(UsageError, match="--ponder needs a search"):
        make_player(level="3k", **options)
    with pytest.raises(UsageError, match="leave the other limits out"):
        make_player(level="3d", **{**options, "visits": 10})


def test_who_does_not_search_yet_would_with_the_same_options() -> None:
    player, _ = make_player(level=None, **OPTIONS)
    searcher = player.searcher
    assert not isinstance(player, SearchPlayer) and isinstance(searcher, SearchPlayer) and searcher is player.searcher
    assert searcher.limits == Limits(visits=1)
    assert searcher.resignation is not None and searcher.resignation.winrate == 0.1
    config = searcher.config
    assert (config.batch, config.root_symmetries, config.noise, config.seed) == (4, 2, 0.5, 1)
    assert make_player(level="3k", **OPTIONS)[0].searcher is None


def test_threads_are_taken_by_whoever_loads_the_network() -> None:
    program = """
import click
from engine.player_options import make_player, player_options

@click.command()
@player_options
def threads(**options):
    policy = make_player(**options)[1]
    policy.start_loading()
    policy.network()
    import torch
    print(torch.get_num_threads())

threads(["--threads", "3"])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "3\n"


@pytest.mark.parametrize("command", [gtp, play])
def test_the_network_that_is_said_to_be_the_default_is_it(command: Command) -> None:
    said = " ".join(CliRunner().invoke(command, ["--help"]).output.split())
    assert f"default: {weights.default().stem.removeprefix('policy-')}, the better one; {NETWORK} with --level" in said


def test_pondering_without_a_search_is_refused() -> None:
    for words in (["--ponder"], ["--ponder", "--visits", "1"]):
        result = CliRunner().invoke(gtp, words)
        assert result.exit_code == 2 and "--ponder needs a search" in result.output
    result = CliRunner().invoke(play, ["--ponder", "--visits", "100"])
    assert result.exit_code == 2 and "No such option" in result.output, "nobody would ponder there"
