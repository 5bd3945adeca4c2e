"""The engine for queries: what it answers, in which order, and how it can be interrupted."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from engine import query_engine
from engine.policy import PolicyError
from engine.queries import Settings
from engine.query_command import analysis
from engine.query_engine import KATAGO_LEVEL, QueryEngine
from engine.search import Limits, Search, SearchConfig
from gocnn import weights
from gocnn.go import Board
from gocnn.go.coords import gtp_to_point
from gocnn.profile import Profile
from tests.engine.toys import Toy, by_stones, payoffs

ROOT = Path(__file__).parents[2]
SIZE = 5
POINTS = SIZE * SIZE


def query(name: str, **changes: Any) -> dict[str, Any]:
    fields = {"id": name, "moves": [], "rules": "chinese", "komi": 0.5, "boardXSize": SIZE, "boardYSize": SIZE}
    return fields | {"maxVisits": 20} | changes


def people(profile: Profile, board: Board) -> np.ndarray:
    likely = board.legal_mask(board.to_move) * np.arange(1.0, POINTS + 2)
    return likely / likely.sum()


def engine(toy: Toy | None = None, *, wait_at_end: bool = True) -> QueryEngine:
    return QueryEngine(
        Search(toy or Toy(by_stones), SearchConfig()), people, Settings(Limits(visits=20)),
        version="gocnn test", wait_at_end=wait_at_end,
    )  # fmt: skip


def answers(*lines: dict[str, Any] | bytes, toy: Toy | None = None) -> list[dict[str, Any]]:
    """All that is answered to some lines."""
    text = b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    out = io.BytesIO()
    engine(toy).run(io.BytesIO(text), out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


class Talk:
    """An engine at work on a thread, spoken to line by line."""

    def __init__(self, engine: QueryEngine) -> None:
        out, self._sink = os.pipe()
        source, inside = os.pipe()
        self._in: BinaryIO = open(inside, "wb", buffering=0)  # noqa: SIM115 - closed by `end`
        self._out: BinaryIO = open(out, "rb")  # noqa: SIM115
        self._thread = threading.Thread(target=self._work, args=(engine, source), daemon=True)
        self._thread.start()

    def _work(self, engine: QueryEngine, source: int) -> None:
        with open(source, "rb", buffering=0) as stdin, open(self._sink, "wb") as stdout:
            engine.run(stdin, stdout)

    def say(self, *lines: dict[str, Any]) -> None:
        for line in lines:
            self._in.write(json.dumps(line).encode() + b"\n")

    def hear(self) -> dict[str, Any]:
        return dict(json.loads(self._out.readline()))

    def end(self) -> list[dict[str, Any]]:
        """End the input; all that is still answered."""
        self._in.close()
        left = [json.loads(line) for line in self._out]
        self._out.close()
        self._thread.join()
        return left


@pytest.fixture
def talk() -> Iterator[Talk]:
    found = Talk(engine())
    yield found
    if not found._in.closed:
        found.say({"id": "end", "action": "terminate_all"})
        found.end()


def test_an_answer_has_what_katagos_has() -> None:
    (told,) = answers(query("a", moves=[["B", "C3"]]))
    assert (told["id"], told["turnNumber"], told["isDuringSearch"]) == ("a", 1, False)
    assert set(told) == {"id", "turnNumber", "isDuringSearch", "moveInfos", "rootInfo"}
    assert set(told["rootInfo"]) == {
        "currentPlayer", "scoreLead", "scoreMean", "scoreSelfplay", "scoreStdev", "symHash", "thisHash", "utility",
        "visits", "weight", "winrate",
    }  # fmt: skip
    assert told["rootInfo"]["visits"] == 20 and told["rootInfo"]["currentPlayer"] == "W"
    for order, move in enumerate(told["moveInfos"]):
        assert set(move) == {
            "edgeVisits", "edgeWeight", "lcb", "move", "order", "playSelectionValue", "prior", "pv", "scoreLead",
            "scoreMean", "scoreSelfplay", "scoreStdev", "utility", "utilityLcb", "visits", "weight", "winrate",
        }  # fmt: skip
        assert move["order"] == order and move["visits"] > 0 and move["pv"][0] == move["move"]
        assert move["utility"] == pytest.approx(2 * move["winrate"] - 1, abs=1e-5)
    assert sum(move["visits"] for move in told["moveInfos"]) == 19


def test_values_are_blacks_unless_another_view_is_asked_for() -> None:
    views = {}
    for view in ("BLACK", "WHITE", "SIDETOMOVE"):
        (views[view],) = answers(
            query(
                "a", moves=[["B", "C3"], ["W", "C4"], ["B", "D4"]], komi=-2.5,
                includeOwnership=True, includeMovesOwnership=True, overrideSettings={"reportAnalysisWinratesAs": view},
            )
        )  # fmt: skip
    black, white = views["BLACK"], views["WHITE"]
    assert views["SIDETOMOVE"] == white  # it is White's move
    assert black["rootInfo"]["winrate"] > 0.5 and black["rootInfo"]["scoreLead"] > 0
    assert black["ownership"][gtp("C3")] == 1 and black["ownership"][gtp("C4")] == -1
    for of_black, of_white in ((black["rootInfo"], white["rootInfo"]), *zip(black["moveInfos"], white["moveInfos"])):
        assert of_black["winrate"] == pytest.approx(1 - of_white["winrate"], abs=1e-5)
        assert of_black["scoreLead"] == pytest.approx(-of_white["scoreLead"], abs=1e-5)
        assert of_black["scoreStdev"] == of_white["scoreStdev"]
    for of_black, of_white in zip(black["moveInfos"], white["moveInfos"]):
        assert of_black["lcb"] >= of_black["winrate"] and of_white["lcb"] <= of_white["winrate"]
        assert of_black["ownership"] == [-owner for owner in of_white["ownership"]]
        assert of_black["ownership"][gtp(of_black["move"])] < 0  # White's stone


def gtp(vertex: str) -> int:
    return gtp_to_point(vertex, SIZE)


def test_policy_has_a_place_for_every_point_and_the_pass() -> None:
    (told,) = answers(query("a", moves=[["B", "C3"]], includePolicy=True), toy=Toy(favourites={gtp("D4"): 0.5}))
    policy = told["policy"]
    assert len(policy) == POINTS + 1
    assert policy[gtp("C3")] == -1 and policy.count(-1) == 1
    assert sum(share for share in policy if share >= 0) == pytest.approx(1, abs=1e-4)
    assert policy[gtp("D4")] == max(policy) == told["moveInfos"][0]["prior"]


def test_people_are_foretold_beside_the_search() -> None:
    (told,) = answers(query("a", moves=[["B", "C3"]], overrideSettings={"humanSLProfile": "rank_5k"}))
    assert len(told["humanPolicy"]) == POINTS + 1 and told["humanPolicy"][gtp("C3")] == -1
    for move in told["moveInfos"]:
        assert move["humanPrior"] == told["humanPolicy"][gtp(move["move"]) if move["move"] != "pass" else POINTS]


def test_visits_along_the_expected_moves() -> None:
    (told,) = answers(query("a", includePVVisits=True, maxVisits=200))
    for move in told["moveInfos"]:
        assert len(move["pvVisits"]) == len(move["pvEdgeVisits"]) == len(move["pv"])
        assert move["pvEdgeVisits"][0] == move["visits"]


def test_expected_moves_are_as_many_as_a_query_wants_after_the_first() -> None:
    (whole,), (cut,) = (
        answers(query("a", includePVVisits=True, maxVisits=200, **more)) for more in ({}, {"analysisPVLen": 1})
    )
    assert max(len(move["pv"]) for move in whole["moveInfos"]) > 2
    for one, other in zip(whole["moveInfos"], cut["moveInfos"], strict=True):
        assert all(other[name] == one[name][:2] for name in ("pv", "pvVisits", "pvEdgeVisits"))


def test_no_game_ends_without_a_result() -> None:
    (told,) = answers(query("a", includeNoResultValue=True))
    assert {one["noResultValue"] for one in (told["rootInfo"], *told["moveInfos"])} == {0}


def test_what_is_not_asked_of_owners_changes_nothing_else() -> None:
    (with_owners,), (without,) = (answers(query("a", includeMovesOwnership=wanted)) for wanted in (True, False))
    for one, other in zip(with_owners["moveInfos"], without["moveInfos"], strict=True):
        del one["ownership"], one["scoreStdev"], other["scoreStdev"]
        assert one == other


def test_with_one_visit_no_move_has_been_looked_at() -> None:
    (told,) = answers(query("a", maxVisits=1, includePolicy=True))
    assert told["moveInfos"] == [] and told["rootInfo"]["visits"] == 1 and len(told["policy"]) == POINTS + 1


def test_every_turn_gets_its_answer() -> None:
    moves = [["B", "C3"], ["W", "C4"], ["B", "D4"]]
    told = answers(query("a", moves=moves, analyzeTurns=[0, 1, 2, 3]))
    assert [one["turnNumber"] for one in told] == [0, 1, 2, 3]
    assert [one["rootInfo"]["visits"] for one in told] == 4 * [20]
    assert [one["rootInfo"]["currentPlayer"] for one in told] == ["B", "W", "B", "W"]


ENDLESS = 10_000_000  # visits


def test_a_query_of_higher_priority_is_answered_at_once(talk: Talk) -> None:
    talk.say(query("long", maxVisits=ENDLESS, reportDuringSearchEvery=0.05))
    assert talk.hear()["id"] == "long"
    talk.say(query("soon", moves=[["B", "C3"]], maxVisits=2, priority=5))
    for _ in range(20):
        told = talk.hear()
        if told["id"] == "soon":
            break
    assert told["rootInfo"]["visits"] == 2 and not told["isDuringSearch"]


@pytest.mark.parametrize("bans", [{}, {"avoidMoves": [{"player": "B", "moves": ["A1"], "untilDepth": 3}]}])
def test_a_long_search_gives_way_and_goes_on_where_it_was(
    talk: Talk, monkeypatch: pytest.MonkeyPatch, bans: dict[str, Any]
) -> None:
    monkeypatch.setattr(query_engine, "LONG", 0.3)
    monkeypatch.setattr(query_engine, "SLICE", 0.1)
    talk.say(query("long", maxVisits=ENDLESS, priority=100, reportDuringSearchEvery=0.05, **bans))
    reached = [talk.hear()["rootInfo"]["visits"]]
    others = [
        query(name, moves=[["B", point]], maxVisits=30) for name, point in (("a", "C3"), ("b", "C2"), ("c", "C1"))
    ]
    talk.say(*others)
    answered: list[str] = []
    while len(answered) < len(others) or len(reached) < 30:
        told = talk.hear()
        if told["id"] == "long":
            reached.append(told["rootInfo"]["visits"])
        else:
            assert told["rootInfo"]["visits"] == 30
            answered.append(told["id"])
    assert answered == ["a", "b", "c"]
    assert reached == sorted(reached), "its tree is kept"
    talk.say({"id": "end", "action": "terminate", "terminateId": "long"})
    (last,) = [told for told in talk.end() if told["id"] == "long" and not told["isDuringSearch"]]
    assert last["rootInfo"]["visits"] >= reached[-1]


def test_queries_of_one_priority_keep_their_order(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_engine, "LONG", 0.0)
    monkeypatch.setattr(query_engine, "SLICE", 0.0)
    talk.say(*(query(name, maxVisits=2000) for name in "abc"))
    assert [talk.hear()["id"] for _ in "abc"] == ["a", "b", "c"]


def two_that_are_endless(talk: Talk) -> int:
    """Have a query give way to another of higher priority; returns the visits that it had before."""
    talk.say(query("long", maxVisits=ENDLESS, reportDuringSearchEvery=0.05))
    before = int(talk.hear()["rootInfo"]["visits"])
    talk.say(query("other", maxVisits=ENDLESS, priority=5, reportDuringSearchEvery=0.05))
    while talk.hear()["id"] != "other":
        pass
    return before


def test_a_query_that_gave_way_ends_with_what_it_found(talk: Talk) -> None:
    before = two_that_are_endless(talk)
    talk.say({"id": "end", "action": "terminate", "terminateId": "long"})
    while (told := talk.hear())["id"] != "long" or told["isDuringSearch"]:
        assert "noResults" not in told
    assert told["rootInfo"]["visits"] >= before


def test_a_query_that_gave_way_does_not_go_on_at_the_end_of_input() -> None:
    talk = Talk(engine(wait_at_end=False))
    two_that_are_endless(talk)
    assert {told["id"] for told in talk.end()} <= {"other"}


def test_three_long_queries_all_have_their_turns(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_engine, "LONG", 0.2)
    monkeypatch.setattr(query_engine, "SLICE", 0.1)
    how: dict[str, Any] = {"maxVisits": ENDLESS, "reportDuringSearchEvery": 0.05}
    names = ("a", "b", "c")
    talk.say(*(query(name, moves=[["B", "C3"]][:k], priority=-k, **how) for k, name in enumerate(names)))
    heard = [talk.hear()["id"] for _ in range(60)]
    assert all(heard.count(name) > 5 for name in names), heard


@pytest.mark.parametrize("endless", [1, 2])
def test_below_what_is_endless_long_queries_are_answered_one_after_the_other(
    endless: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes two turns and more, and goes on where it was."""
    monkeypatch.setattr(query_engine, "LONG", 0.2)
    monkeypatch.setattr(query_engine, "SLICE", 0.1)
    talk = Talk(engine(Toy(by_stones, seconds=0.001)))
    talk.say(*(query(f"endless {k}", maxVisits=ENDLESS, reportDuringSearchEvery=0.02) for k in range(endless)))
    low = [
        query(name, moves=[["B", point]], maxVisits=250, priority=-100) for name, point in (("a", "C3"), ("b", "C2"))
    ]
    talk.say(*low, query("lowest", maxVisits=250, priority=-101))
    heard: list[str] = []
    for _ in range(500):
        told = talk.hear()
        heard += [] if told["isDuringSearch"] else [told["id"]]
        if len(heard) == 3:
            break
    assert sorted(heard) == ["a", "b", "lowest"] and heard.index("a") < heard.index("b")
    talk.say({"id": "end", "action": "terminate_all"})
    talk.end()


def test_reports_go_on_where_a_turn_is_shorter_than_the_time_between_them(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_engine, "LONG", 0.2)
    monkeypatch.setattr(query_engine, "SLICE", 0.1)
    talk.say(query("a", maxVisits=ENDLESS, priority=1, reportDuringSearchEvery=0.15))
    talk.say(query("b", maxVisits=ENDLESS, moves=[["B", "C3"]], reportDuringSearchEvery=100))
    for _ in range(6):
        assert talk.hear()["id"] == "a"


def test_positions_have_names_that_their_images_share() -> None:
    one, image, other, white = (
        answers(query("a", moves=moves, initialPlayer=first))[0]["rootInfo"]
        for moves, first in (([["B", "B1"]], "B"), ([["B", "E4"]], "B"), ([["B", "C1"]], "B"), ([["W", "B1"]], "W"))
    )
    assert one["thisHash"] != image["thisHash"] and one["symHash"] == image["symHash"]
    assert len({one["symHash"], other["symHash"], white["symHash"]}) == 3


def test_a_higher_priority_comes_first_and_others_as_they_came(talk: Talk) -> None:
    talk.say(query("long", maxVisits=10**7, reportDuringSearchEvery=0.01))
    assert talk.hear()["isDuringSearch"]
    talk.say(query("low", priority=-1), query("one"), query("two"), query("high", priority=1))
    talk.say({"id": "stop", "action": "terminate", "terminateId": "long"})
    heard = [told["id"] for told in talk.end() if "isDuringSearch" in told and not told["isDuringSearch"]]
    assert heard == ["long", "high", "one", "two", "low"]


def test_a_search_that_runs_is_ended_with_what_it_has(talk: Talk) -> None:
    talk.say(query("a", maxVisits=10**7, reportDuringSearchEvery=0.01))
    while (told := talk.hear())["rootInfo"]["visits"] < 100:
        assert told["isDuringSearch"]
    talk.say({"id": "stop", "action": "terminate", "terminateId": "a", "turnNumbers": [7]})  # not that one
    while talk.hear() != {"id": "stop", "action": "terminate", "terminateId": "a", "turnNumbers": [7]}:
        pass
    assert talk.hear()["isDuringSearch"]
    talk.say({"id": "stop", "action": "terminate", "terminateId": "a"})
    last = talk.end()[-1]
    assert (last["id"], last["isDuringSearch"]) == ("a", False) and last["rootInfo"]["visits"] >= 100


def test_what_waits_is_given_up_without_results(talk: Talk) -> None:
    talk.say(query("long", maxVisits=10**7, reportDuringSearchEvery=0.01))
    talk.hear()
    talk.say(query("a", moves=[["B", "C3"]], analyzeTurns=[0, 1]), query("b"))
    talk.say({"id": "stop", "action": "terminate", "terminateId": "a", "turnNumbers": [1]})
    while "noResults" not in (told := talk.hear()):
        pass
    assert told == {"id": "a", "isDuringSearch": False, "noResults": True, "turnNumber": 1}
    talk.say({"id": "all", "action": "terminate_all"})
    left = [told for told in talk.end() if not told.get("isDuringSearch", False)]
    assert {told["id"] for told in left if told.get("noResults")} == {"a", "b"}
    assert [told["id"] for told in left if "rootInfo" in told] == ["long"]


def test_questions_are_answered_while_a_search_runs(talk: Talk) -> None:
    talk.say(query("long", maxVisits=10**7))
    talk.say({"id": "v", "action": "query_version"})
    told = talk.hear()
    assert told == {
        "id": "v", "action": "query_version", "version": KATAGO_LEVEL, "git_hash": "<omitted>", "engine": "gocnn test"
    }  # fmt: skip
    talk.say({"id": "c", "action": "clear_cache"})
    assert talk.hear() == {"id": "c", "action": "clear_cache"}
    talk.say({"id": "m", "action": "query_models"})
    assert talk.hear()["models"][0]["internalName"] == "gocnn test"


def test_a_search_that_runs_keeps_its_tree_when_what_is_known_is_forgotten(talk: Talk) -> None:
    talk.say(query("a", maxVisits=10**7, reportDuringSearchEvery=0.01))
    while (told := talk.hear())["rootInfo"]["visits"] < 50:
        pass
    talk.say({"id": "c", "action": "clear_cache"})
    while talk.hear() != {"id": "c", "action": "clear_cache"}:
        pass
    assert talk.hear()["rootInfo"]["visits"] > told["rootInfo"]["visits"]
    talk.say({"id": "stop", "action": "terminate", "terminateId": "a"}, query("b", maxVisits=3))
    last = [told for told in talk.end() if not told.get("isDuringSearch", True)]
    assert [told["id"] for told in last] == ["a", "b"]
    assert last[1]["rootInfo"]["visits"] == 3  # and not those of the search before


def test_at_the_end_of_input_what_waits_is_answered_or_left_alone() -> None:
    assert len(answers(*(query(str(number)) for number in range(5)))) == 5
    impatient = Talk(engine(wait_at_end=False))
    impatient.say(query("long", maxVisits=10**7, reportDuringSearchEvery=0.01))
    impatient.hear()
    impatient.say(query("b"))
    assert [told["id"] for told in impatient.end() if not told["isDuringSearch"]] == ["long"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"junk", {"error": "Could not parse input as json: Expecting value: line 1 column 1 (char 0)"}),
        (b"\xff\xfe{}", None),
        (b"[" * 100_000, None),
        (b"[1]", {"error": "Request must be a json object with a string in its field id"}),
        (b'{"id": 3}', {"error": "Request must be a json object with a string in its field id"}),
        (b'{"id": "a"}', {"error": "must be given", "field": "boardXSize", "id": "a"}),
        (b'{"id": "a", "action": "dance"}', {"error": "unknown action: 'dance'", "field": "action", "id": "a"}),
        (b'{"id": "a", "action": "terminate"}', {"error": "must be a string", "field": "terminateId", "id": "a"}),
    ],
)
def test_a_line_that_is_no_query_is_refused_and_the_next_one_answered(line: bytes, told: dict[str, str] | None) -> None:
    refusal, answer = answers(line, query("next"))
    assert answer["id"] == "next" and answer["moveInfos"]
    assert refusal == told if told else refusal["error"].startswith("Could not parse input as json")


def test_a_field_that_means_nothing_is_warned_of_and_the_query_answered() -> None:
    warning, answer = answers(query("a", colour="blue"))
    assert warning == {"id": "a", "field": "colour", "warning": "Unexpected or unused field"}
    assert answer["id"] == "a" and answer["moveInfos"]


def test_a_network_that_fails_on_one_position_does_not_end_the_engine() -> None:
    class Moody(Toy):
        def evaluate_planes(self, planes: np.ndarray, komi: np.ndarray) -> Any:
            if planes.shape[-1] != SIZE:
                raise ValueError("this network plays 5x5 only")
            return super().evaluate_planes(planes, komi)

    first, second = answers(query("big", boardXSize=9, boardYSize=9), query("a"), toy=Moody())
    assert first["id"] == "big" and "5x5 only" in first["error"]
    assert second["id"] == "a" and second["moveInfos"]


def test_bans_hold_and_a_wide_root_looks_at_more() -> None:
    toy = Toy(payoffs(np.zeros((SIZE, SIZE))), favourites={gtp("C3"): 0.9})
    avoid = [{"player": "B", "moves": ["C3"], "untilDepth": 1}]
    (usual,), (banned,), (wide,) = (
        answers(query("a", maxVisits=60, **more), toy=toy)
        for more in ({}, {"avoidMoves": avoid}, {"overrideSettings": {"wideRootNoise": 0.5}})
    )
    assert usual["moveInfos"][0]["move"] == "C3"
    assert "C3" not in [move["move"] for move in banned["moveInfos"]]
    assert len(wide["moveInfos"]) > len(usual["moveInfos"])
    assert wide["moveInfos"][0]["prior"] == usual["moveInfos"][0]["prior"]  # the network's own, all the same


def test_what_one_query_bans_is_not_banned_for_the_next() -> None:
    allow = [{"player": "B", "moves": ["A1"], "untilDepth": 1}]
    (usual,) = answers(query("usual"))
    region, plain = answers(query("region", allowMoves=allow, maxVisits=40), query("usual"))
    assert [move["move"] for move in region["moveInfos"]] == ["A1"]
    assert plain == usual


def test_the_command_as_programs_call_katago() -> None:
    lines = [
        query("a", boardXSize=9, boardYSize=9, moves=[["B", "E5"]], includeOwnership=True, includePolicy=True),
        query("b", boardXSize=9, boardYSize=9, overrideSettings={"humanSLProfile": "rank_3k"}, maxVisits=2),
        query("c", boardXSize=19, boardYSize=13),
    ]
    done = subprocess.run(
        [
            sys.executable, "-m", "gocnn", "analysis", "-model", str(weights.default()), "-config", "analysis.cfg",
            "-override-config", "homeDataDir=/nowhere", "-human-model", "human.bin.gz",
            "-analysis-threads", "2", "--threads", "1",
        ],
        input="\n".join(map(json.dumps, lines)), capture_output=True, text=True, cwd=ROOT, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr == "Started, ready to begin handling requests\n"
    told = {one["id"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert set(told) == {"a", "b", "c"}
    assert told["a"]["rootInfo"]["visits"] == 20 and len(told["a"]["ownership"]) == 81
    assert np.argmax(told["b"]["humanPolicy"]) != 81
    assert told["c"]["field"] == "boardYSize"


def test_a_missing_network_is_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"not a network")
    done = subprocess.run(
        [sys.executable, "-m", "gocnn", "analysis", "--model", str(broken)],
        input="", capture_output=True, text=True, cwd=ROOT, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("Error: ") and "broken.safetensors" in done.stderr and done.stderr.count("\n") == 1


def test_threads_are_those_that_are_asked_for_before_the_network_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    before, seen = torch.get_num_threads(), []

    def load(model: Path | None) -> None:
        seen.append(torch.get_num_threads())
        raise PolicyError("enough")

    monkeypatch.setattr("engine.policy.load_ready_network", load)
    try:
        CliRunner().invoke(analysis, ["--threads", "3"])
    finally:
        torch.set_num_threads(before)
    assert seen == [3]
