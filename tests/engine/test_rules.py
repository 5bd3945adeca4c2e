"""Rule sets, and what follows from them: compensation, counting, and dead stones that must be taken off."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cleanup import capturing_move
from engine.game import format_score
from engine.levels import LevelPlayer, read_level
from engine.player import RESIGN, PolicyPlayer
from engine.policy import LazyPolicy
from engine.protocol import GtpEngine
from engine.rules import EVEN, NAMED, STANDARD, Needed, Rules, read_rule, read_rules
from engine.search import Limits
from engine.search_player import SearchPlayer
from gocnn.go import BLACK, WHITE, Board
from gocnn.go.coords import gtp_to_point
from gocnn.go.counting import settle
from tests.engine.support import REPEATS, CentrePolicy, make_engine

# Black holds the left, White the right; the stones on the other side are dead.
FINISHED = """
. X . X O . O . .
X . O X O O . O .
. X . X X O . . O
X . X . X O . X .
. X X X X O O . .
X X . . X X O . O
. X X X . X O O .
X . X . X X O . O
. X . X . X O O .
"""


def ask(engine: GtpEngine, line: str) -> str:
    return (engine.answer(line.encode()) or b"").decode().rstrip("\n")


def position(engine: GtpEngine, rows: str) -> Board:
    """Set up a position on the engine's board."""
    board = Board.from_ascii(rows)
    engine.answer(f"boardsize {board.size}".encode())
    stones = board.stones.ravel()
    points = [int(point) for point in stones.nonzero()[0]]
    engine.session.game.setup(points, [int(stones[point]) for point in points])  # type: ignore[attr-defined]
    return board


@pytest.mark.parametrize("name", NAMED)
def test_names_and_their_json_are_the_same_rules(name: str) -> None:
    rules = read_rules(name.upper().replace("-", "_"))
    assert rules == NAMED[name] == read_rules(rules.to_json())
    assert set(json.loads(rules.to_json())) == {
        "friendlyPassOk", "hasButton", "ko", "scoring", "suicide", "tax", "whiteHandicapBonus",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "stone-scoring", "{}x", "[]", '"chinese"', '{"ko":"NONE"}', '{"suicide":"yes"}', '{"hasButton":true}',
             '{"tax":"ALL"}', '{"scoring":"TERRITORY","tax":"NONE"}', '{"whiteHandicapBonus":2}', '{"sun":1}']
)  # fmt: skip
def test_rules_that_cannot_be_played_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_rules(text)


def test_one_field() -> None:
    assert read_rule(STANDARD, "ko", "situational") == Rules(ko="situational")
    assert read_rule(STANDARD, "friendlyPassOk", "False") == Rules(friendly_pass=False)
    with pytest.raises(ValueError):
        read_rule(STANDARD, "ko", "true")


@pytest.mark.parametrize(("bonus", "points"), [("0", [0, 0, 0, 0]), ("N-1", [0, 0, 1, 3]), ("N", [0, 0, 2, 4])])
def test_compensation(bonus: str, points: list[int]) -> None:
    assert [Rules(bonus=bonus).compensation(stones) for stones in (0, 1, 2, 4)] == points


@pytest.mark.parametrize(
    ("rules", "score"),
    [
        ("chinese", "B+5.5"),  # 47 points against 34, less komi
        ("tromp-taylor", "B+10.5"),  # 44 against 26: the points beside C8 and H6 are nobody's, those two their own
    ],
)
def test_final_score_by_rules(rules: str, score: str) -> None:
    engine = make_engine()
    position(engine, FINISHED)
    assert ask(engine, f"kata-set-rules {rules}") == "="
    assert ask(engine, "final_score") == f"= {score}"


def test_dead_stones_are_taken_off_before_passing_where_all_stones_count() -> None:
    """The opponent passes all the time; nothing of his is left where he can't live when the engine passes, too."""
    engine = make_engine()
    position(engine, FINISHED)
    ask(engine, "kata-set-rules tromp-taylor")
    ask(engine, "komi 22.5")  # lost as the stones stand
    for _ in range(20):
        ask(engine, "play w pass")
        if ask(engine, "genmove b") == "= pass":
            break
    else:
        pytest.fail("no pass in 20 moves")
    assert not any("O" in row[:4] for row in engine.session.board.to_ascii().splitlines())  # type: ignore[attr-defined]
    assert ask(engine, "kata-set-rules chinese") == "="
    assert ask(engine, "play w pass") == "=" and ask(engine, "genmove b") == "= pass"


@pytest.mark.parametrize("searches", [False, True])
def test_cleanup_asked_for_by_the_server(searches: bool) -> None:
    engine = make_engine()
    if searches:
        policy = LazyPolicy(lambda: CentrePolicy(value=True))
        engine.session.player = SearchPlayer(policy, limits=Limits(visits=20))  # type: ignore[attr-defined]
    position(engine, FINISHED)
    ask(engine, "play b pass")
    moves = []
    for _ in range(8):
        moves.append(ask(engine, "kgs-genmove_cleanup w").removeprefix("= "))
        ask(engine, "play b pass")
    assert "pass" in moves
    assert not any("X" in row[6:] for row in engine.session.board.to_ascii().splitlines())  # type: ignore[attr-defined]


def test_capturing_move() -> None:
    board = Board.from_ascii("""
        . X O . .
        X X O O O
        O O . . .
        . . . X .
        . . . . .
    """)
    dead = [gtp_to_point("D2", 5)]
    move = capturing_move(board, WHITE, dead)
    assert move in {gtp_to_point(vertex, 5) for vertex in ("C2", "E2", "D1", "D3")}
    # Three black stones with one liberty, at A5: taken at once, though that is an eye's shape.
    black = [gtp_to_point(vertex, 5) for vertex in ("B5", "A4", "B4")]
    assert capturing_move(board, WHITE, [*dead, *black]) == gtp_to_point("A5", 5)
    assert capturing_move(board, WHITE, []) is None


THREE_POINT_EYE = """
. X . O X . X
O O O O X X .
X X X X X X X
X X X X X X X
X X X X . X X
X X X X X X X
X X X X X X X
"""
TWO_POINT_EYE = """
. . O X X . X
O O O X X X .
X X X X X X X
X X X X X X X
X X X X . X X
X X X X X X X
X X X X X X X
"""


@pytest.mark.parametrize("rows", [THREE_POINT_EYE, TWO_POINT_EYE])
@pytest.mark.parametrize("fights", [False, True])
def test_a_group_with_one_eye_is_taken_from_inside(rows: str, fights: bool) -> None:
    """The stones that it takes to do so are lost for a moment, where the other side takes what it can."""
    board = Board.from_ascii(rows)
    for _ in range(12):
        found = settle(board)
        dead = found.points(found.dead & (found.stones == WHITE))
        if not dead:
            break
        move = capturing_move(board, BLACK, dead)
        assert move is not None
        board.play(BLACK, move)
        takes = [p for p in range(49) if board.is_legal(WHITE, p) and _captures(board, p)]
        board.play(WHITE, takes[0] if fights and takes else board.pass_point)
    assert WHITE not in board.stones


def _captures(board: Board, point: int) -> bool:
    after = board.copy()
    after.play(WHITE, point)
    return after.prisoners[WHITE] > board.prisoners[WHITE]


def test_of_several_points_inside_the_one_is_taken_that_kills() -> None:
    board = Board.from_ascii(THREE_POINT_EYE.replace("X", ".", 1))  # whoever plays at B7 first decides
    chain = board.chain(gtp_to_point("A6", 7))
    assert capturing_move(board, BLACK, chain) == gtp_to_point("B7", 7)


def test_pondering_ends_with_the_game() -> None:
    class Pondering(SearchPlayer):
        boards: ClassVar[list[int]] = []

        def ponder(self, board: Board, needed: Needed, stop: object) -> None:
            self.boards.append(len(board.moves))

    engine = make_engine()
    session = engine.session  # type: ignore[attr-defined]
    session.player = player = Pondering(LazyPolicy(CentrePolicy), limits=Limits(visits=10), ponders=True)
    session.ponder(lambda: False)
    assert player.boards == [], "the engine has not moved"
    session.play(BLACK, 40)
    session.ponder(lambda: False)
    session.play(WHITE, session.board.pass_point)
    session.ponder(lambda: False)
    assert player.boards == [1, 2]
    session.play(BLACK, session.board.pass_point)
    session.ponder(lambda: False)
    session.play(BLACK, RESIGN)
    session.ponder(lambda: False)
    assert player.boards == [1, 2], "the game is over"


@pytest.mark.parametrize("command", ["stop", "kgs-game_over", "cgos-gameover W+Time"])
def test_pondering_ends_where_it_is_told_to(command: str) -> None:
    class Pondering(SearchPlayer):
        pondered = 0

        def ponder(self, board: Board, komi: float, stop: object, **how: object) -> None:
            self.pondered += 1

    engine = make_engine()
    session = engine.session  # type: ignore[attr-defined]
    session.player = player = Pondering(LazyPolicy(CentrePolicy), limits=Limits(visits=1), ponders=True)
    for line, pondered in (("genmove b", 1), ("time_left b 60 0", 2), (command, 2), ("play w c3", 2), ("genmove b", 3)):
        assert ask(engine, line).startswith("=")
        session.ponder(lambda: False)
        assert player.pondered == pondered, line


def test_a_player_without_a_search_can_be_given_one() -> None:
    engine = make_engine()
    session = engine.session  # type: ignore[attr-defined]
    policy = LazyPolicy(CentrePolicy)
    session.player = PolicyPlayer(policy, make_searcher=lambda: SearchPlayer(policy, limits=Limits(visits=1)))
    assert ask(engine, "kata-get-param maxVisits") == "= 1"
    assert ask(engine, "kata-set-param maxVisits 8") == "="
    assert ask(engine, "genmove b").startswith("= ")
    assert session.player.report.visits == 8
    assert session.player.search is session.search, "an analysis profits from the same tree"


def test_limits_of_the_search() -> None:
    engine = make_engine()
    session = engine.session  # type: ignore[attr-defined]
    session.player = LevelPlayer(CentrePolicy(), read_level("5k"))
    for line in ("kata-get-param maxVisits", "kata-set-param maxVisits 5"):
        assert ask(engine, line) == "? the player does not search"
    assert ask(engine, "kata-list-params") == "="
    session.player = SearchPlayer(LazyPolicy(CentrePolicy), limits=Limits(visits=10))
    assert ask(engine, "kata-list-params") == "= maxVisits maxPlayouts maxTime"
    answers = [ask(engine, f"kata-get-param {name}") for name in ("maxVisits", "maxPlayouts", "maxTime")]
    assert answers == ["= 10", "=", "="]
    assert ask(engine, "kata-set-param maxTime 1.5") == ask(engine, "kata-set-param maxVisits 0") == "="
    assert session.player.limits == Limits(seconds=1.5)
    for line in ("maxTime 0", "maxVisits -1", "maxVisits 0.5"):
        assert ask(engine, f"kata-set-param {line}") == "? not a limit"
    assert ask(engine, "kata-set-param maxVisits x") == ask(engine, "kata-set-param maxVisits") == "? syntax error"
    assert ask(engine, "kata-set-param playoutDoublingAdvantage 1") == "? unknown parameter"
    assert session.player.limits == Limits(seconds=1.5)
    assert ask(engine, "kata-set-param maxVisits 1e20") == ask(engine, "kata-set-param maxPlayouts 5") == "="
    assert ask(engine, "genmove b").startswith("= ")


@pytest.mark.parametrize(
    ("rules", "name"),
    [
        ("chinese", "Chinese"), ("tromp-taylor", "Tromp-Taylor"), ("japanese", "Japanese"), ("korean", "Japanese"),
        ("aga", "AGA"), ("new-zealand", "NZ"), ("ing", "GOE"),
    ],
)  # fmt: skip
def test_records_name_the_nearest_rules_that_sgf_knows(rules: str, name: str) -> None:
    assert NAMED[rules].sgf_name == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("NZ", "new-zealand"), ("NewZealand", "new-zealand"), ("new zealand", "new-zealand"), ("french", "bga"),
        ("Tromp_Taylor", "tromp-taylor"), ("tt", "tromp-taylor"), ("jp", "japanese"), ("GOE", "ing"),
        ("Ing Goe", "ing"), ("JPN", "japanese"),
    ],
)  # fmt: skip
def test_rules_have_other_names(text: str, name: str) -> None:
    assert read_rules(text) == NAMED[name]


def test_a_game_with_suicide_survives_being_written_and_read(tmp_path: Path) -> None:
    engine = make_engine()
    for line in ("boardsize 5", "kata-set-rules tromp-taylor", "play w A3", "play w B2", "play w B1", "play b A1"):
        assert ask(engine, line) == "="
    for line in ("play w E5", "play b A2"):  # the second is suicide of two
        assert ask(engine, line) == "="
    (tmp_path / "game.sgf").write_text(ask(engine, "printsgf").removeprefix("= "))
    board = ask(engine, "showboard")
    other = make_engine()
    assert ask(other, f"loadsgf {tmp_path / 'game.sgf'}") == "="
    assert ask(other, "kata-get-rules") == f"= {NAMED['tromp-taylor'].to_json()}"
    assert ask(other, "showboard") == board


RECORD = "(;GM[1]FF[4]SZ[5]KM[0.5]RU[%s]AB[ca][cb][cc][cd][ce]AW[da][db][dc][dd][de][ae];B[];W[])"


@pytest.mark.parametrize(
    "named, rules",
    [("Japanese", "japanese"), ("korean", "korean"), ("AGA", "aga"), ("NZ", "new-zealand"), ("GOE", "ing")],
)
def test_a_record_brings_its_rules(tmp_path: Path, named: str, rules: str) -> None:
    path = tmp_path / "game.sgf"
    path.write_text(RECORD % named)
    engine = make_engine()
    assert ask(engine, f"loadsgf {path}") == "="
    assert ask(engine, "kata-get-rules") == f"= {NAMED[rules].to_json()}"
    assert ask(engine, "final_score") == ("= B+5.5" if NAMED[rules].scoring == "territory" else "= B+4.5")


@pytest.mark.parametrize("named", ["", "some rules"])
def test_rules_stay_where_the_record_names_none(tmp_path: Path, named: str) -> None:
    path = tmp_path / "game.sgf"
    path.write_text(RECORD % named)
    engine = make_engine()
    assert ask(engine, f"loadsgf {path}") == "="
    assert ask(engine, "kata-get-rules") == f"= {STANDARD.to_json()}"


def test_what_a_record_does_not_name_is_what_was_set_and_not_what_the_record_before_it_had(tmp_path: Path) -> None:
    named, bare = tmp_path / "named.sgf", tmp_path / "bare.sgf"
    named.write_text(RECORD % "Japanese")
    bare.write_text("(;SZ[5];B[cc])")
    engine = make_engine()

    def terms(*lines: str) -> tuple[str, str]:
        for line in lines:
            assert ask(engine, line) == "="
        return ask(engine, "get_komi"), ask(engine, "kata-get-rules")

    japanese, aga = (f"= {NAMED[name].to_json()}" for name in ("japanese", "aga"))
    assert terms(f"loadsgf {named}") == ("= 0.5", japanese)
    assert terms(f"loadsgf {bare}") == ("= 7.5", f"= {STANDARD.to_json()}")
    terms("komi 6.5", "kata-set-rules aga")
    assert terms(f"loadsgf {named}") == ("= 0.5", japanese)
    assert terms(f"loadsgf {bare}") == ("= 6.5", aga)
    for new_game in ("clear_board", "boardsize 7"):
        assert terms(f"loadsgf {named}", new_game) == ("= 6.5", aga)
    assert engine.session.board.ko == "situational"  # type: ignore[attr-defined]
    assert terms(f"loadsgf {named}", "komi 1.5", "clear_board") == ("= 1.5", aga)
    assert terms(f"loadsgf {named}", "kata-set-rules japanese", "clear_board") == ("= 1.5", japanese)


def test_where_a_record_names_the_rules_in_use_white_gets_the_points_for_handicap_stones(tmp_path: Path) -> None:
    path = tmp_path / "game.sgf"
    path.write_text((RECORD % "Chinese").replace("GM[1]", "GM[1]HA[5]"))
    engine = make_engine()
    assert ask(engine, f"loadsgf {path}") == "="
    assert ask(engine, "kata-get-rules") == f"= {dataclasses.replace(STANDARD, bonus='N').to_json()}"
    assert ask(engine, "final_score") == "= W+0.5", "by 4.5 points without"
    path.write_text(ask(engine, "printsgf").removeprefix("= "))
    other = make_engine()
    assert ask(other, f"loadsgf {path}") == "="
    assert ask(other, "kata-get-rules") == ask(engine, "kata-get-rules")


@pytest.mark.parametrize(
    "moves", ["play b b2, play b d4, play w c3", "gogui-setup b b2 b d4, play w c3", "loadsgf FOLDER/stated.sgf"]
)
def test_a_handicap_that_was_not_placed_as_one_is_read_again_as_it_counted(tmp_path: Path, moves: str) -> None:
    (tmp_path / "stated.sgf").write_text("(;SZ[5]HA[2]KM[0.5];B[aa];W[bb];B[cc])")
    engine = make_engine()
    for line in ("boardsize 5", "kata-set-rules chinese", "komi 0.5", *moves.split(", ")):
        assert ask(engine, line.replace("FOLDER", str(tmp_path))).startswith("="), line
    assert engine.session.game.handicap == 2  # type: ignore[attr-defined]
    before = ask(engine, "final_score")
    (tmp_path / "game.sgf").write_text(ask(engine, "printsgf").removeprefix("= "))
    assert ask(engine, f"loadsgf {tmp_path / 'game.sgf'}") == "="
    assert ask(engine, "final_score") == before


def test_territory_is_counted_where_stones_count_as_they_stand() -> None:
    engine = make_engine()
    rows = [("b", "a2 b2 b1 c1 d1 a1"), ("w", "a3 b3 c3 d2 e1")]
    assert ask(engine, "boardsize 5") == ask(engine, "komi 0") == "="
    for colour, vertices in rows:
        for vertex in vertices.split():
            assert ask(engine, f"play {colour} {vertex}") == "="
    board = engine.session.board  # type: ignore[attr-defined]
    for rules, score in ((NAMED["japanese"], board.territory_score()), (NAMED["chinese"], board.area_score())):
        fields = dataclasses.replace(rules, bonus="0", friendly_pass=False).to_json()
        assert ask(engine, f"kata-set-rules {fields}") == "="
        assert ask(engine, "final_score") == f"= {format_score(score)}"
    assert board.territory_score() != board.area_score()


def test_a_record_names_no_rules_by_which_white_would_get_other_points(tmp_path: Path) -> None:
    path = tmp_path / "game.sgf"
    engine = make_engine()
    for rules, name in ((STANDARD, ""), (NAMED["chinese"], "RU[Chinese]"), (NAMED["japanese"], "RU[Japanese]")):
        assert ask(engine, f"kata-set-rules {rules.to_json()}") == ask(engine, "clear_board") == "="
        assert "RU[Chinese]" in ask(engine, "printsgf") or rules.scoring == "territory"
        assert ask(engine, "fixed_handicap 2").startswith("=")
        path.write_text(ask(engine, "printsgf").removeprefix("= "))
        assert ("RU[" not in path.read_text()) if not name else name in path.read_text()
        assert ask(engine, f"loadsgf {path}") == "="
        assert ask(engine, "kata-get-rules") == f"= {rules.to_json()}"


def test_a_record_of_a_game_without_handicap_leaves_the_rules_that_it_was_written_by(tmp_path: Path) -> None:
    path = tmp_path / "game.sgf"
    engine = make_engine()
    for rules in ("cgos", STANDARD.to_json()):
        assert ask(engine, f"kata-set-rules {rules}") == ask(engine, "clear_board") == "="
        before = ask(engine, "kata-get-rules")
        path.write_text(ask(engine, "printsgf").removeprefix("= "))
        assert ask(engine, f"loadsgf {path}") == "="
        assert ask(engine, "kata-get-rules") == before


def test_a_game_that_repeated_a_position_goes_on_by_other_rules_and_is_loaded(tmp_path: Path) -> None:
    engine = make_engine()
    for line in ("boardsize 3", "kata-set-rules japanese", *(f"play {move}" for move in REPEATS.split(", "))):
        assert ask(engine, line) == "=", line
    path = tmp_path / "game.sgf"
    path.write_text(ask(engine, "printsgf").removeprefix("= ").replace("Japanese", "Chinese"))
    assert ask(engine, "kata-set-rules tromp-taylor") == "="
    assert ask(engine, "undo") == "="
    assert ask(engine, "play b C3") == "? illegal move", "what is played now is held to them"
    other = make_engine()
    assert ask(other, f"loadsgf {path}") == "="
    assert ask(other, "undo") == "="
    assert ask(other, "play b C3") == "? illegal move"


def test_stones_that_black_plays_first_are_a_handicap_too() -> None:
    engine = make_engine()
    session = engine.session  # type: ignore[attr-defined]
    for line in ("boardsize 9", "kata-set-rules chinese", "komi 0.5", "play b C3"):
        assert ask(engine, line) == "="
    assert session.komi == 0.5, "one stone is no handicap"
    for line in ("play b G7", "play w E5", "play b D5"):
        assert ask(engine, line) == "="
    assert session.komi == 2.5
    for line in ("clear_board", "gogui-setup b C3 b G7 b C7"):
        assert ask(engine, line) == "="
    assert session.komi == 3.5
    assert ask(engine, "gogui-setup w E5") == "=" and session.komi == 0.5


def test_whoever_is_asked_about_is_to_move_where_territory_is_counted() -> None:
    """Who plays last is worth half a point, and it must be the half of the player whose move is looked at."""
    engine = make_engine()
    session = engine.session  # type: ignore[attr-defined]
    assert ask(engine, "boardsize 5") == ask(engine, "kata-set-rules japanese") == ask(engine, "komi 6.5") == "="
    told: list[Needed] = []

    class Listener(PolicyPlayer):
        def choose(self, board: Board, colour: int, needed: Needed = EVEN, **how: object) -> int:
            told.append(needed)
            return board.pass_point

        @property
        def searcher(self) -> Any:
            return SimpleNamespace(search=self)

        def run(self, board: Board, needed: Needed, limits: Limits) -> None:
            told.append(needed)

    session.player = Listener(CentrePolicy())
    board = Board(5)
    for colour, letter in ((BLACK, "b"), (WHITE, "w")):
        board.to_move = colour
        assert ask(engine, f"reg_genmove {letter}") == "= pass"
        session.run_search(colour)
        assert [told.pop(), told.pop()] == [NAMED["japanese"].needed(board, 6.5)] * 2


def test_all_stones_live_where_the_players_do_not_agree_on_dead_ones(tmp_path: Path) -> None:
    path = tmp_path / "game.sgf"
    path.write_text(RECORD % "Chinese")
    engine = make_engine()
    assert ask(engine, f"loadsgf {path}") == "="
    assert ask(engine, "final_status_list dead") == "= A1"
    assert ask(engine, "kata-set-rules tromp-taylor") == "="
    assert ask(engine, "final_score") == "= W+6.5"
    assert ask(engine, "final_status_list dead") == ask(engine, "final_status_list seki") == "="
    assert "A1" in ask(engine, "final_status_list alive").split()


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), handicap=st.sampled_from([0, 2, 5, 9]), passes=st.booleans())
def test_what_is_needed_by_area_is_what_wins_by_territory(seed: int, handicap: int, passes: bool) -> None:
    random, board = np.random.default_rng(seed), Board(7)
    board.setup(list(range(8, 8 + handicap)), [BLACK] * handicap)
    board.to_move = WHITE if handicap else BLACK
    for _ in range(int(random.integers(20, 120))):
        moves = [p for p in np.flatnonzero(board.legal_mask(board.to_move)) if not board.is_own_eye(board.to_move, p)]
        board.play(board.to_move, int(random.choice(moves if passes else moves[:-1] or moves)))
    found = settle(board)
    nothing = np.zeros_like(found.seki)
    found = dataclasses.replace(found, seki=nothing, to_fill=nothing)  # eyes and points that count by area alone
    difference = found.area - found.territory(board.prisoners)
    for komi in (0.5, 6.5):
        assert STANDARD.needed(board, komi) == Needed(komi)
        by_territory = NAMED["japanese"].needed(board, komi)
        assert abs(by_territory.lead - komi - difference) == 0.5 and by_territory.by_pass == 1


def test_a_game_that_handicap_stones_decide_is_judged_by_its_rules() -> None:
    engine = make_engine()
    lines = ["boardsize 9", "kata-set-rules japanese", "komi 0.5", "set_free_handicap B2 B4 B6 B8 C2 C4 C6 C8 D3"]
    for line in lines:
        assert ask(engine, line).startswith("="), line
    assert engine.session.komi == 0.5  # type: ignore[attr-defined]
    assert engine.session.needed.lead == 0.5 + 8 + 0.5  # type: ignore[attr-defined]
