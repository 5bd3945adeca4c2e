"""Owners at the end of counted games: whom they are believed of, how they are kept, and how they reach a batch."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner

from gocnn.go.planes import PLANE_SETS
from gocnn.go.symmetry import point_maps
from sgf_data import owners
from sgf_data.build import build_store
from sgf_data.commands import data
from sgf_data.dataset import Positions, Selection
from sgf_data.reader import ReadOptions, read_games
from sgf_data.record import GameRecord
from sgf_data.sources import find
from sgf_data.store import MoveTable, StoreError, open_store, store_writer, to_batch

# A finished game on 5x5: Black has the left, White the right, and White's stone on A5 is dead. By area Black has 15
# points to White's 10, by territory 8 and a prisoner to 4.
MOVES = "B[ca];W[da];B[cb];W[db];B[cc];W[dc];B[cd];W[dd];B[bd];W[de];B[ce];W[aa];B[bb];W[ee]"
GAME = f"(;SZ[5]KM[{{komi}}]RE[{{result}}];{MOVES})"


def stored(folder: Path, *texts: str) -> Path:
    for number, text in enumerate(texts):
        (folder / f"{number}.sgf").write_text(text)
    path = folder / "games.arrow"
    build_store(find([str(folder)]), str(path), ReadOptions(sizes=frozenset(range(2, 26))), log=str(folder / "log.csv"))
    return path


def test_a_game_is_believed_if_our_count_is_the_recorded_one(tmp_path: Path) -> None:
    area = 15 - 10
    for komi, result, believed in [("0.5", f"B+{area - 0.5}", True), ("0.5", f"B+{area + 7.5}", False)]:
        folder = tmp_path / result
        folder.mkdir()
        table = open_store(stored(folder, GAME.format(komi=komi, result=result))).moves()
        owner = owners.judge(table, 0)
        assert (owner is not None) == believed
        if owner is not None:
            assert owner.reshape(5, 5).tolist() == [[1, 1, 1, -1, -1]] * 5


@pytest.mark.parametrize(("margin", "believed"), [(5, True), (4, True), (3, False), (6, False)])
def test_area_and_territory_are_believed_where_they_differ(tmp_path: Path, margin: int, believed: bool) -> None:
    """Black fills a point of his own while White passes: five points more by area, four by territory."""
    game = f"(;SZ[5]KM[0.5]RE[B+{margin - 0.5}];{MOVES};B[ac];W[])"
    table = open_store(stored(tmp_path, game)).moves()
    assert (owners.judge(table, 0) is not None) == believed


def test_games_without_a_margin_or_komi_are_not_counted(tmp_path: Path) -> None:
    path = stored(tmp_path, GAME.format(komi="0.5", result="B+R"), f"(;SZ[5]RE[B+3.5];{MOVES};B[];W[])")
    assert len(owners.counted(open_store(path).moves())) == 0


def test_the_command_writes_owners_that_reach_a_batch_turned_and_seen_by_the_player(tmp_path: Path) -> None:
    path = stored(tmp_path, GAME.format(komi="0.5", result="B+4.5"))
    run = CliRunner().invoke(data, ["owners", str(path)])
    assert run.exit_code == 0, run.output
    assert "1 counted games, the owners of 1 believed" in run.output
    known = owners.read(path.with_suffix(".owners.arrow"))
    table = open_store(path).moves()
    positions = Positions(table, PLANE_SETS["full"], Selection(5), owners=known, outcomes=True)
    thrice = Positions(table, PLANE_SETS["full"], Selection(5), owners=known, owned_weight=3)
    assert (len(thrice), len(thrice.games)) == (3 * len(positions), 1)
    planes, _, outcomes, owner = positions.batch(0, 64)
    truth = np.repeat([[1, 1, 1, -1, -1]], 5, axis=0).ravel()
    own = {1: truth, -1: -truth}
    for i in range(64):
        colour = 1 if outcomes[i, 0] > 0 else -1  # komi is what Black must be ahead by
        turned = np.empty((8, 25), int)
        for k, where in enumerate(point_maps(5)[:, :-1]):
            turned[k, where] = own[colour]
        assert (turned == owner[i]).all(1).any()
        # Never own stones in what ends as the opponent's: in this game only the stone on A5 dies.
        mine = planes[i, 0].ravel() > 0  # the first plane of "full": own stones
        assert (owner[i][mine] < 0).sum() <= 1
    assert len({owner[i].tobytes() for i in range(64)}) == 8  # four directions, and either colour


def test_owners_hold_for_a_game_that_another_store_has_turned(tmp_path: Path) -> None:
    path = stored(tmp_path, GAME.format(komi="0.5", result="B+4.5"))
    assert CliRunner().invoke(data, ["owners", str(path), "--jobs", "1"]).exit_code == 0
    known = owners.read(path.with_suffix(".owners.arrow"))
    (game,) = read_games(GAME.format(komi="0.5", result="B+4.5").encode())
    assert isinstance(game, GameRecord)
    for where in point_maps(5):
        with store_writer(tmp_path / "turned.arrow") as writer:
            writer.write(to_batch([replace(game, points=where[game.points].astype(np.int16))]))
        table = open_store(tmp_path / "turned.arrow").moves()
        positions = Positions(
            table, PLANE_SETS["full"], Selection(5), augment=False, shuffle=False, owners=known
        )  # fmt: skip
        truth = np.empty(25, int)
        truth[where[:-1]] = np.repeat([[1, 1, 1, -1, -1]], 5, axis=0).ravel()
        assert positions.batch(0, 2)[2].tolist() == [truth.tolist(), (-truth).tolist()]


def test_a_file_that_does_not_say_how_its_boards_are_turned_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.owners.arrow"
    table = pa.table({"game_key": pa.array([1], pa.uint64()), "owner": pa.array([[1]], pa.list_(pa.int8()))})
    old = table.replace_schema_metadata({"format": owners.FORMAT})
    with pa.ipc.new_file(path, old.schema) as writer:
        writer.write_table(old)
    with pytest.raises(StoreError, match=r"old\.owners\.arrow: an owners file of another version"):
        owners.read(path)


def test_the_command_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    path = stored(
        tmp_path, GAME.format(komi="0.5", result="B+4.5"), GAME.format(komi="0.5", result="B+9.5")[:-1] + ";B[];W[])"
    )
    table = open_store(path).moves()
    done = {int(table.game_key[0]): None}
    owners.write(path.with_suffix(".owners.arrow"), done)
    assert CliRunner().invoke(data, ["owners", str(path)]).exit_code == 0
    found = owners.read(path.with_suffix(".owners.arrow")).by_key()
    assert len(found) == 2 and found[int(table.game_key[0])] is None


@pytest.mark.parametrize("store", [".", "", "none.arrow"])
def test_a_name_that_is_no_stores_is_told_in_a_line(store: str) -> None:
    run = CliRunner().invoke(data, ["owners", store])
    assert run.exit_code == 1 and run.output.startswith("Error: ") and run.output.count("\n") == 1


def test_many_threads_are_kept_busy_and_give_the_games_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = 40
    together = threading.Barrier(jobs)  # passed by all threads at once, or an error

    def judged(table: MoveTable, game: int) -> owners.Owner:
        if game < jobs:
            together.wait(30)
        return None

    monkeypatch.setattr(owners, "judge", judged)
    table = cast(MoveTable, None)
    assert list(owners.judge_all(table, range(200), jobs)) == [(game, None) for game in range(200)]


def test_a_slow_game_holds_no_other_up(monkeypatch: pytest.MonkeyPatch) -> None:
    others = threading.Event()

    def judged(table: MoveTable, game: int) -> owners.Owner:
        if game == 31:
            assert others.wait(30)
        elif game == 33:
            others.set()
        return None

    monkeypatch.setattr(owners, "judge", judged)
    assert len(list(owners.judge_all(cast(MoveTable, None), range(64), 2))) == 64


def test_what_is_done_is_kept_when_the_command_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"(;SZ[5]KM[0.5]RE[B+4.5];{MOVES};B[];W[];C[{n}]B[{p}])" for n, p in enumerate(("ac", "ad", "ae", "ec"))]
    path = stored(tmp_path, *texts)

    def judged(table: MoveTable, game: int) -> owners.Owner:
        if game == 2:
            raise KeyboardInterrupt
        return None

    monkeypatch.setattr(owners, "judge", judged)
    run = CliRunner().invoke(data, ["owners", str(path), "--jobs", "1"])
    assert run.exit_code == 130 and "keeps what is done" in run.output
    assert len(owners.read(path.with_suffix(".owners.arrow")).keys) == 2


def test_games_that_are_not_known_have_no_owners_in_a_batch(tmp_path: Path) -> None:
    path = stored(tmp_path, GAME.format(komi="0.5", result="B+R"))
    owners.write(tmp_path / "none.owners.arrow", {})
    positions = Positions(
        open_store(path).moves(), PLANE_SETS["stones"], Selection(5), owners=owners.read(tmp_path / "none.owners.arrow")
    )
    assert (positions.batch(0, 8)[2] == owners.UNKNOWN_OWNER).all()


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_a_file_that_holds_no_owners_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.owners.arrow"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StoreError, match=r"x\.owners\.arrow"):
        owners.read(path)


def test_several_files_are_read_as_one(tmp_path: Path) -> None:
    ours, theirs = np.ones(25, np.int8), -np.ones(9, np.int8)
    owners.write(tmp_path / "a", {7: ours, 3: None, 5: None})
    owners.write(tmp_path / "b", {2: theirs, 5: theirs})
    found = owners.read(tmp_path / "a", tmp_path / "b")
    assert found.keys.tolist() == [2, 3, 5, 7]
    assert np.array_equal(found.by_key()[7], ours) and np.array_equal(found.by_key()[5], theirs)
    assert found.by_key()[3] is None


def test_by_territory_a_captured_stone_counts_for_who_took_it(tmp_path: Path) -> None:
    """Black takes the dead stone off: eight points to four, and a prisoner."""
    table = open_store(stored(tmp_path, f"(;SZ[5]KM[0.5]RE[B+2.5];{MOVES};B[ba];W[];B[ab];W[])")).moves()
    assert owners.judge(table, 0) is not None


@pytest.mark.parametrize(("margin", "believed"), [(3, True), (4, True), (2, False)])
def test_white_may_have_got_points_for_handicap_stones(tmp_path: Path, margin: int, believed: bool) -> None:
    """Five points more by area, less two or one for two stones."""
    moves = "W[da];B[cc];W[db];B[cd];W[dc];B[bd];W[dd];B[ce];W[de];B[bb];W[aa];B[];W[ee]"
    game = f"(;SZ[5]KM[0.5]HA[2]RE[B+{margin - 0.5}]AB[ca][cb];{moves})"
    assert (owners.judge(open_store(stored(tmp_path, game)).moves(), 0) is not None) == believed
