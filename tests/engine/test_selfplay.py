"""Games of a network with itself: legal, played to the end, counted rightly, and kept whatever happens."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from engine import selfplay_command
from engine.game import format_score
from engine.selfplay import SelfPlay, play
from engine.selfplay_command import selfplay
from gocnn.evaluator import Evaluator
from gocnn.go import Board
from gocnn.go.counting import settle
from gocnn.go.ownership import SURE, ownership
from sgf_data.record import GameRecord
from sgf_data.store import open_store


class Even:
    """A policy that likes every point as much; remembers how many boards it was asked about at once."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def policy(self, boards: Sequence[Board], symmetries: int = 1) -> np.ndarray:
        self.asked.append(len(boards))
        points = boards[0].pass_point + 1
        return np.full((len(boards), points), 1 / points, np.float32)


def replayed(record: GameRecord) -> Board:
    board = Board(record.size, ko="positional")
    for colour, point in zip(record.colours.tolist(), record.points.tolist()):
        assert point == board.pass_point or not board.is_own_eye(colour, point)
        board.play(colour, point)  # raises IllegalMove
    return board


def test_games_are_legal_settled_and_counted_by_area() -> None:
    config = SelfPlay(games=8, at_once=3, size=7, komi=4.5, most=3.0, seed=1)
    policy = Even()
    games = list(play(policy, config))
    assert len(games) == 8 and max(policy.asked) == 3 and policy.asked[-1] < 3
    settled = 0
    for record in games:
        board = replayed(record)
        assert len(record.points) < 3 * 49 + 1
        assert record.result == format_score(settle(board).area - 4.5)
        settled += bool(np.mean(np.abs(ownership(board)) < SURE) <= 0.05)
    assert settled >= 6  # others end because they grow too long
    assert len({record.points.tobytes() for record in games}) == 8
    assert {record.result[0] for record in games if record.result} == {"B", "W"}


def test_a_seed_gives_the_same_games() -> None:
    first, again, other = (
        [record.points.tolist() for record in play(Even(), SelfPlay(games=2, size=5, seed=seed))] for seed in (3, 3, 4)
    )
    assert first == again != other


class Favourite(Even):
    """Prefers points in their order by a little."""

    def policy(self, boards: Sequence[Board], symmetries: int = 1) -> np.ndarray:
        found = np.arange(boards[0].pass_point + 1, 0, -1, dtype=np.float32)
        return np.tile(found / found.sum(), (len(boards), 1))


def test_cold_sides_play_the_first_choice() -> None:
    (record,) = play(Favourite(), SelfPlay(games=1, size=5, opening=0, warmest=0.0))
    assert record.points[:6].tolist() == [0, 1, 2, 3, 4, 5]


def test_the_command_writes_a_store_that_says_who_won(tmp_path: Path) -> None:
    path = tmp_path / "games.arrow"
    done = CliRunner().invoke(selfplay, ["--games", "3", "--size", "5", "--komi", "2.5", "-o", str(path)])
    assert done.exit_code == 0 and "games.arrow: 3 games" in done.output
    table = open_store(path).moves()
    assert len(table.size) == 3 and (table.komi == 2.5).all()
    assert (np.sign(table.margin) == table.winner).all() and not np.isnan(table.margin).any()


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (KeyboardInterrupt(), 130, ""),
        (torch.OutOfMemoryError("CUDA out of memory.\nIt was tried to..."), 1, "Error: CUDA out of memory.\n"),
        (MemoryError(), 1, "Error: out of memory\n"),
        (ValueError("no such thing"), 1, "Error: no such thing\n"),
    ],
)
def test_what_has_ended_is_kept_when_it_is_stopped_or_an_error_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int, told: str
) -> None:
    path = tmp_path / "games.arrow"
    asked = 0
    answer = Evaluator.policy

    def fails(self: Evaluator, boards: Sequence[Board], symmetries: int = 1) -> np.ndarray:
        nonlocal asked
        asked += 1
        if asked > 120:
            raise error
        return answer(self, boards, symmetries)

    monkeypatch.setattr(Evaluator, "policy", fails)
    done = CliRunner().invoke(selfplay, ["--games", "90", "--at-once", "2", "--size", "5", "-o", str(path)])
    assert done.exit_code == status and done.output.endswith(told)
    assert 0 < len(open_store(path)) < 90


def test_what_has_ended_is_kept_from_time_to_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "games.arrow"
    kept: list[int] = []
    answer = Evaluator.policy

    def watched(self: Evaluator, boards: Sequence[Board], symmetries: int = 1) -> np.ndarray:
        kept.append(len(open_store(path)) if path.exists() else 0)
        return answer(self, boards, symmetries)

    monkeypatch.setattr(Evaluator, "policy", watched)
    monkeypatch.setattr(selfplay_command, "KEPT_EVERY", 0.0)
    done = CliRunner().invoke(selfplay, ["--games", "3", "--at-once", "1", "--size", "5", "-o", str(path)])
    assert done.exit_code == 0 and sorted(set(kept)) == [0, 1, 2] and len(open_store(path)) == 3


def test_a_store_that_exists_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "games.arrow"
    command = ["--size", "5", "-o", str(path), "--games"]
    assert CliRunner().invoke(selfplay, [*command, "2"]).exit_code == 0
    again = CliRunner().invoke(selfplay, [*command, "1"])
    assert again.exit_code == 1 and again.output.startswith(f"Error: {path} exists: take another name")
    assert len(open_store(path)) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_given_one_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    monkeypatch.setattr(selfplay_command, "KEPT_EVERY", 0.0)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        done = CliRunner().invoke(selfplay, ["--games", "2", "--at-once", "1", "--size", "5", "-o", str(pipe)])
        written = reader.communicate(timeout=30)[0]
    assert done.exit_code == 0
    (tmp_path / "games.arrow").write_bytes(written)
    assert written.count(b"ARROW1") == 2 and len(open_store(tmp_path / "games.arrow")) == 2


def test_a_folder_that_is_not_there_is_named_before_anything_is_played(tmp_path: Path) -> None:
    done = CliRunner().invoke(selfplay, ["--size", "5", "-o", str(tmp_path / "none" / "games.arrow")])
    assert done.exit_code == 1 and "none" in done.output and "Traceback" not in done.output
