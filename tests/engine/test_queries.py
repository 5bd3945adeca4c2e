"""Queries: what they ask for, read as KataGo's documentation of its analysis engine says."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.queries import PARTS, Query, QueryError, Settings, Task, read_query
from engine.rules import Needed, Rules
from engine.search_terms import Limits
from gocnn.go import BLACK, WHITE
from gocnn.go.coords import gtp_to_point
from gocnn.profile import Profile
from tests.engine.support import REPEATS

SETTINGS = Settings(Limits(visits=77))


def read(**changes: Any) -> Query:
    fields = {"id": "a", "moves": [], "rules": "chinese", "komi": 7.5, "boardXSize": 9, "boardYSize": 9} | changes
    return read_query({name: value for name, value in fields.items() if value is not None}, SETTINGS)


def refused(**changes: Any) -> tuple[str, str | None]:
    with pytest.raises(QueryError) as error:
        read(**changes)
    return str(error.value), error.value.field


def komi_of(task: Task) -> float:
    """What White gets, for handicap stones too."""
    rules = Rules(scoring="territory" if task.needed.by_pass else "area")
    return task.needed.lead - rules.needed(task.board, 0.0).lead


def test_the_documentations_example() -> None:
    text = (
        '{"id":"foo","initialStones":[["B","Q4"],["B","C4"]],"moves":[["W","P5"],["B","P6"]],"rules":"tromp-taylor",'
        '"komi":7.5,"boardXSize":19,"boardYSize":19,"analyzeTurns":[0,1,2]}'
    )
    query = read_query(json.loads(text), SETTINGS)
    assert query.unused == ()
    assert [(task.query, task.turn, komi_of(task)) for task in query.tasks] == [
        ("foo", turn, 7.5) for turn in (0, 1, 2)
    ]
    assert [task.board.to_move for task in query.tasks] == [WHITE, BLACK, WHITE]
    assert [int(np.abs(task.board.stones).sum()) for task in query.tasks] == [2, 3, 4]
    board = query.tasks[2].board
    assert (board.ko, board.suicide) == ("positional", True)
    assert board.moves == [(WHITE, gtp_to_point("P5", 19)), (BLACK, gtp_to_point("P6", 19))]


def test_what_a_short_query_leaves_to_us() -> None:
    (task,) = read(moves=[["B", "C3"], ["w", "pass"]]).tasks
    assert (task.turn, task.priority, task.board.to_move) == (2, 0, BLACK)
    assert (task.settings.limits, task.settings.perspective) == (Limits(visits=77), BLACK)
    assert task.bans is None and task.every is None and task.human is None and task.parts == frozenset()


@pytest.mark.parametrize(("rules", "komi"), [("japanese", 6.5), ("chinese", 7.5), ({"scoring": "TERRITORY"}, 6.5)])
def test_a_komi_that_is_not_given_is_the_usual_one(rules: object, komi: float) -> None:
    assert komi_of(read(rules=rules, komi=None).tasks[0]) == komi


def test_locations_by_numbers_count_from_the_top_left() -> None:
    (task,) = read(moves=[["B", "(0,0)"], ["W", "(8, 1)"]]).tasks
    assert task.board.moves == [(BLACK, gtp_to_point("A9", 9)), (WHITE, gtp_to_point("J8", 9))]


@pytest.mark.parametrize(
    ("first", "moves", "to_move"),
    [(None, [], BLACK), ("W", [], WHITE), (None, [["W", "C3"]], WHITE), ("white", [["B", "C3"]], BLACK)],
)
def test_who_is_to_move_at_the_start(first: str | None, moves: list[list[str]], to_move: int) -> None:
    assert read(initialPlayer=first, moves=moves, analyzeTurns=[0]).tasks[0].board.to_move == to_move


def test_after_handicap_stones_white_is_to_move() -> None:
    stones = [["B", "D4"], ["B", "G7"]]
    assert read(initialStones=stones, moves=[]).tasks[0].board.to_move == WHITE
    assert read(initialStones=stones[:1], moves=[]).tasks[0].board.to_move == BLACK
    assert read(initialStones=[*stones, ["W", "C3"]], moves=[]).tasks[0].board.to_move == BLACK


def test_handicap_stones_count_for_komi_where_territory_is_counted() -> None:
    stones = [["B", "D4"], ["B", "G7"], ["B", "G3"]]
    by_area, by_territory = (
        read(initialStones=stones, moves=[], komi=0.5, rules=rules).tasks[0].needed for rules in ("chinese", "japanese")
    )
    assert by_area == Needed(0.5 + 3) and by_territory == Needed(0.5 + 3 - 1 + 0.5, by_pass=1)


@pytest.mark.parametrize(
    ("rules", "bonus", "stones", "moves", "points"),
    [
        ("chinese", None, ["C3", "G7"], [], 2),
        ("aga", None, ["C3", "G7"], [], 1),
        ("japanese", None, ["C3", "G7"], [], 0),
        ("japanese", "N", ["C3", "G7"], [], 2),
        ("chinese", "0", ["C3", "G7"], [], 0),
        ("chinese", 0, ["C3", "G7"], [], 0),
        ("chinese", None, ["C3"], [], 0),
        ("chinese", None, [], [["B", "C3"], ["B", "G7"], ["B", "E5"], ["W", "C7"]], 3),
        ("chinese", None, [], [["B", "C3"], ["W", "G7"]], 0),
    ],
)
def test_white_has_points_for_handicap_stones_as_the_rules_say(
    rules: str, bonus: object, stones: list[str], moves: list[list[str]], points: int
) -> None:
    query = read(rules=rules, whiteHandicapBonus=bonus, initialStones=[["B", stone] for stone in stones], moves=moves)
    assert komi_of(query.tasks[0]) == 7.5 + points


def test_a_position_with_white_stones_is_no_handicap() -> None:
    assert komi_of(read(initialStones=[["B", "C3"], ["B", "G7"], ["W", "E5"]]).tasks[0]) == 7.5


def test_priorities_are_one_for_all_or_each_their_own() -> None:
    moves = [["B", "C3"], ["W", "G7"]]
    assert [task.priority for task in read(moves=moves, analyzeTurns=[0, 2], priority=3).tasks] == [3, 3]
    assert [task.priority for task in read(moves=moves, analyzeTurns=[0, 2], priorities=[5, -1]).tasks] == [5, -1]
    too_few = refused(moves=moves, analyzeTurns=[0, 2], priorities=[5])
    assert too_few == ("must be as many as analyzeTurns", "priorities")


def test_bans_are_by_colour_and_depth() -> None:
    query = read(
        avoidMoves=[
            {"player": "B", "moves": ["C3", "pass"], "untilDepth": 4},
            {"player": "B", "moves": ["C3"], "untilDepth": 2},
        ],
        allowMoves=[{"player": "W", "moves": ["G7"], "untilDepth": 1}],
    )
    bans = query.tasks[0].bans
    assert bans is not None
    assert {int(p): int(bans[0, p]) for p in np.flatnonzero(bans[0])} == {gtp_to_point("C3", 9): 4, 81: 4}
    assert np.flatnonzero(bans[1] == 0).tolist() == [gtp_to_point("G7", 9)] and bans[1].max() == 1


def test_limits_and_settings_of_one_query() -> None:
    (task,) = read(
        maxVisits=50, rootPolicyTemperature=2.0, reportDuringSearchEvery=0.5,
        overrideSettings={
            "maxTime": 8.0, "maxVisits": 999, "maxPlayouts": 40, "wideRootNoise": 0.25, "rootNumSymmetriesToSample": 2,
            "reportAnalysisWinratesAs": "sidetomove", "humanSLProfile": "rank_3k",
        },
    ).tasks  # fmt: skip
    assert task.settings.limits == Limits(visits=50, descents=40, seconds=8.0)
    assert (task.settings.config.root_temperature, task.settings.config.root_symmetries) == (4.0, 2)
    assert (task.settings.perspective, task.every, task.human) == (0, 0.5, Profile.read("3k"))


@pytest.mark.parametrize(
    ("name", "profile"),
    [("rank_9d", "9d"), ("preaz_5k", "5k"), ("rank_2d_5k", "2d"), ("proyear_1930", "pro 1930")],
)
def test_people_by_katagos_names(name: str, profile: str) -> None:
    assert read(overrideSettings={"humanSLProfile": name}).tasks[0].human == Profile.read(profile)


def test_moves_that_were_played_may_repeat_a_position() -> None:
    moves = [move.upper().split() for move in REPEATS.split(", ")]
    query = read(boardXSize=3, boardYSize=3, rules="tromp-taylor", moves=moves, analyzeTurns=[0, len(moves)])
    board = query.tasks[-1].board.copy()
    assert len(board.moves) == len(moves)
    board.undo()
    assert board.why_illegal(BLACK, gtp_to_point("C3", 3)) == "superko", "what is searched is held to the rules"


def test_parts_of_the_answer() -> None:
    assert read(**dict.fromkeys(PARTS, True)).tasks[0].parts == frozenset(PARTS.values())
    assert read(**dict.fromkeys(PARTS, False)).tasks[0].parts == frozenset()


def test_what_means_nothing_here_is_named() -> None:
    query = read(
        colour="blue", overrideSettings={"cpuctExploration": 2},
        avoidMoves=[{"player": "B", "moves": ["C3"], "untilDepth": 1, "why": "so"}],
    )  # fmt: skip
    assert sorted(query.unused) == ["avoidMoves.why", "colour", "overrideSettings.cpuctExploration"]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"moves": None}, "moves", "must be given"),
        ({"moves": "C3"}, "moves", "must be a list"),
        ({"moves": [["B"]]}, "moves", "[player, location]"),
        ({"moves": [["B", 3]]}, "moves", "[player, location]"),
        ({"moves": [["X", "C3"]]}, "moves", "not a player: 'X'"),
        ({"moves": [["B", "I3"]]}, "moves", "not a location on 9x9: 'I3'"),
        ({"moves": [["B", "(9,0)"]]}, "moves", "not a location on 9x9: '(9,0)'"),
        ({"moves": [["B", "C3"], ["W", "C3"]]}, "moves", "Illegal move 1: C3"),
        ({"initialStones": [["B", "pass"]]}, "initialStones", "a pass is no stone"),
        ({"initialStones": [["B", "A1"], ["W", "A2"], ["W", "B1"]]}, "initialStones", "no liberty"),
        ({"initialPlayer": "X"}, "initialPlayer", "not a player"),
        ({"rules": "stone_scoring"}, "rules", "'stone_scoring'"),
        ({"rules": 3}, "rules", "no rules"),
        ({"rules": {"ko": "SPIRAL"}}, "rules", "no rules"),
        ({"whiteHandicapBonus": "M"}, "whiteHandicapBonus", "0, N or N-1"),
        ({"komi": "7.5"}, "komi", "must be a number"),
        ({"komi": 7.25}, "komi", "half-integer"),
        ({"komi": 151}, "komi", "-150 to 150"),
        ({"komi": float("nan")}, "komi", "-150 to 150"),
        ({"boardXSize": 26}, "boardXSize", "2 to 25"),
        ({"boardXSize": True}, "boardXSize", "whole number"),
        ({"boardYSize": 13}, "boardYSize", "unequal"),
        ({"analyzeTurns": [1]}, "analyzeTurns", "0 to 0"),
        ({"analyzeTurns": [0.0]}, "analyzeTurns", "whole numbers"),
        ({"maxVisits": 0}, "maxVisits", "1 or more"),
        ({"analysisPVLen": -1}, "analysisPVLen", "0 or more"),
        ({"reportDuringSearchEvery": 0}, "reportDuringSearchEvery", "0.001 or more"),
        ({"includePolicy": 1}, "includePolicy", "true or false"),
        ({"avoidMoves": ["C3"]}, "avoidMoves", "list of objects"),
        ({"avoidMoves": [{"player": "B", "moves": ["C3"]}]}, "avoidMoves.untilDepth", "must be given"),
        ({"allowMoves": [{"player": "B", "moves": [3], "untilDepth": 1}]}, "allowMoves.moves", "strings"),
        ({"overrideSettings": 3}, "overrideSettings", "an object"),
        ({"overrideSettings": {"maxTime": "8"}}, "overrideSettings.maxTime", "a number"),
        ({"overrideSettings": {"maxVisits": 0}}, "overrideSettings.maxVisits", "1 or more"),
        ({"overrideSettings": {"humanSLProfile": "dan"}}, "overrideSettings.humanSLProfile", "'dan'"),
        (
            {"overrideSettings": {"reportAnalysisWinratesAs": "RED"}},
            "overrideSettings.reportAnalysisWinratesAs",
            "one of BLACK, WHITE, SIDETOMOVE",
        ),
    ],
)
def test_mistakes_are_named_with_their_field(changes: dict[str, Any], field: str, words: str) -> None:
    text, where = refused(**changes)
    assert where == field and words in text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["B", "C3", "pass", "", "japanese"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
FIELDS = (
    "moves", "initialStones", "initialPlayer", "rules", "komi", "whiteHandicapBonus", "boardXSize", "boardYSize",
    "analyzeTurns", "maxVisits", "rootPolicyTemperature", "avoidMoves", "allowMoves", "overrideSettings", "priority",
    "priorities", "reportDuringSearchEvery", "includeOwnership", "id",
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(FIELDS), JSON, min_size=1, max_size=4))
def test_whatever_a_field_holds_is_read_or_refused(changes: dict[str, Any]) -> None:
    try:
        query = read(**changes)
    except QueryError as error:
        assert str(error)
    else:
        assert all(task.board.size == 9 for task in query.tasks)
