"""The session behind the commands: what holds from one command to the next, at the edges of what can be asked."""

from __future__ import annotations

import re

import pytest

from engine.player import PolicyPlayer
from engine.policy import LazyPolicy
from engine.protocol import GtpEngine
from engine.search import Limits
from engine.search_player import SearchPlayer
from gocnn.evaluator import Evaluator
from gocnn.go import BLACK, Board
from gocnn.policy import PolicyConfig, build
from tests.engine.support import CentrePolicy, make_engine
from tests.go.support import SEKI


def ask(engine: GtpEngine, line: str) -> str:
    return (engine.answer(line.encode()) or b"").decode().rstrip("\n")


def ask_all(engine: GtpEngine, *lines: str) -> str:
    """The last of the answers; none may be a refusal."""
    for line in lines:
        answer = ask(engine, line)
        assert answer.startswith("="), (line, answer)
    return answer


@pytest.mark.parametrize("change", ["kata-set-rules japanese", "kgs-rules aga", "kata-set-rule ko SIMPLE"])
def test_whose_turn_it_is_does_not_depend_on_the_rules(change: str) -> None:
    engine = make_engine()
    ask_all(engine, "boardsize 9", "play b c3", "gogui-setup_player b", change)
    assert "Black to move" in ask(engine, "showboard")
    assert ask(engine, "gg-undo 1") == "="


def test_a_parameter_that_is_read_or_refused_changes_nothing() -> None:
    engine = make_engine()
    policy = LazyPolicy(CentrePolicy)
    session = engine.session  # type: ignore[attr-defined]
    session.player = player = PolicyPlayer(policy, make_searcher=lambda: SearchPlayer(policy, limits=Limits(visits=1)))
    assert ask(engine, "kata-get-param maxVisits") == "= 1"
    assert ask(engine, "kata-set-param maxVisits -1") == "? not a limit"
    assert session.player is player
    ask_all(engine, "kata-set-param maxVisits 1234567")
    assert isinstance(session.player, SearchPlayer)
    assert ask(engine, "kata-get-param maxVisits") == "= 1234567"


def test_komi_is_told_and_counted_in_full() -> None:
    engine = make_engine()
    ask_all(engine, "boardsize 5", "komi 1234567.5")
    assert ask(engine, "get_komi") == "= 1234567.5"
    assert ask(engine, "final_score") == "= W+1234567.5"
    assert "komi 1234567.5" in ask(engine, "showboard")
    assert ask(engine, "genmove b").startswith("= ")


def test_a_position_that_is_set_up_has_no_handicap_left() -> None:
    engine = make_engine()
    ask_all(engine, "boardsize 9", "kata-set-rules chinese", "komi 0.5", "fixed_handicap 4")
    session = engine.session  # type: ignore[attr-defined]
    assert session.komi == 4.5
    ask_all(engine, "gogui-setup w e5")
    assert session.komi == 0.5
    assert "HA" not in ask(engine, "printsgf")


FINISHED = "tests/data/gtp/finished.sgf"


def test_a_pass_is_answered_where_stones_count_as_they_stand_and_the_game_is_won() -> None:
    engine = make_engine()
    ask_all(engine, f"loadsgf {FINISHED}", "kata-set-rules cgos", "komi 0")
    lead = engine.session.score()  # type: ignore[attr-defined]
    dead = engine.session.count().dead.any()  # type: ignore[attr-defined]
    assert dead, "or agreement and none were the same"
    ask_all(engine, f"komi {lead - 3.5}", "play w pass")
    assert ask(engine, "reg_genmove b") == "= pass"
    ask_all(engine, f"komi {lead + 3.5}")
    assert ask(engine, "reg_genmove b") != "= pass", "there is still something to be taken"
    ask_all(engine, "undo", f"komi {lead - 3.5}")
    assert ask(engine, "reg_genmove b") != "= pass", "White has not passed"


def test_suicide_is_illegal_by_the_rules_of_cgos_where_all_stones_count() -> None:
    engine = make_engine()
    ask_all(engine, "boardsize 5", "kata-set-rules cgos", "play w a2", "play w b1")
    assert ask(engine, "play b a1") == "? illegal move"
    assert ask(engine, "kata-get-rules").count("POSITIONAL") == 1
    session = engine.session  # type: ignore[attr-defined]
    assert not session.rules.friendly_pass


def test_a_network_for_another_board_is_a_refusal_everywhere() -> None:
    network = build(PolicyConfig(kind="dense", blocks=1, channels=4, board_size=9, planes="stones"), seed=1)
    engine = make_engine(Evaluator(network))
    assert ask(engine, "boardsize 7") == "="
    for line in (
        "genmove b", "kata-raw-nn 0", "heatmap", "lz-analyze b 10", "kata-genmove_analyze b", "gocnn-policy",
        "gocnn-value", "gocnn-visits",
    ):  # fmt: skip
        assert re.fullmatch(r"\? this fully-connected network plays 9x9 boards, not 7x7", ask(engine, line)), line


def test_what_gogui_draws_of_a_search() -> None:
    engine = make_engine(CentrePolicy(value=True))
    ask_all(engine, "boardsize 5", "play b c3")
    rows = ask(engine, "gocnn-visits").removeprefix("= ").strip().split("\n")
    labels = [row.split() for row in rows]
    assert len(labels) == 5 and all(len(row) == 5 for row in labels)
    assert labels[2][2] == '""', "a stone stands there"
    visits = sum(int(label) for row in labels for label in row if label != '""')
    assert visits > 50
    drawing = ask(engine, "gocnn-search").removeprefix("= ").split("\n")
    assert all(re.fullmatch(r"COLOR #[0-9a-f]{6} [A-E][1-5]|LABEL [A-E][1-5] \d+", line) for line in drawing[:-1])
    assert re.fullmatch(
        r"TEXT White wins \d+\.\d %, leads by -?\d+\.\d, best ([A-E][1-5]|pass), \d+ visits", drawing[-1]
    )
    line = ask(engine, "gocnn-pv").removeprefix("= ").split()
    assert line and all(re.fullmatch(r"[A-E][1-5]|pass", vertex) for vertex in line)


def test_a_seki_is_told_chain_by_chain() -> None:
    engine = make_engine()
    board = Board.from_ascii(SEKI)
    ask_all(engine, "boardsize 9")
    stones = board.stones.ravel()
    points = [int(point) for point in stones.nonzero()[0]]
    engine.session.game.setup(points, [int(stones[point]) for point in points])  # type: ignore[attr-defined]
    told = {status: ask(engine, f"final_status_list {status}")[1:].strip() for status in ("alive", "seki", "dead")}
    count = engine.session.count()  # type: ignore[attr-defined]
    for status, mask in (("seki", count.seki & ~count.dead), ("dead", count.dead)):
        named = {vertex for line in told[status].split("\n") for vertex in line.split()}
        assert len(named) == len(count.points(mask))
    assert told["seki"] and len(told["seki"].split("\n")) >= 2
    everything = " ".join(told.values()).split()
    assert len(everything) == len(set(everything)) == len(points)


def test_the_largest_board_is_played_on() -> None:
    engine = make_engine(CentrePolicy(value=True))
    ask_all(engine, "boardsize 25")
    assert ask(engine, "genmove b") == "= N13"
    assert "info move" in ask_all(engine, "kata-genmove_analyze w")
    engine.session.player = SearchPlayer(LazyPolicy(lambda: CentrePolicy(value=True)), limits=Limits(visits=20))  # type: ignore[attr-defined]
    assert ask(engine, "genmove b").startswith("= ")
    assert len(engine.session.board.moves) == 3  # type: ignore[attr-defined]
    assert engine.session.board.moves[0][0] == BLACK  # type: ignore[attr-defined]


def test_the_processor_time_only_grows() -> None:
    engine = make_engine()
    before = float(ask(engine, "cputime").removeprefix("= "))
    sum(i * i for i in range(200_000))
    assert float(ask(engine, "cputime").removeprefix("= ")) >= before > 0
