"""Analysis as clients see it: over a pipe, with other lines coming while it runs."""

from __future__ import annotations

import json
import os
import re
import select
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from engine.analysis_format import CGOS_LETTERS, Request, read_request
from engine.policy import LazyPolicy
from engine.search import Limits
from engine.search_player import SearchPlayer
from gocnn.go import WHITE
from gocnn.go.coords import gtp_to_point
from tests.engine.support import CentrePolicy, make_engine

ANALYSES = ["lz-analyze", "kata-analyze", "analyze", "cgos-analyze"]
PATIENCE = 60.0  # seconds; a first search may have to compile


class Pipe:
    """An engine in a thread, at the other end of two pipes."""

    def __init__(self) -> None:
        stdin, self._to = os.pipe()
        self._from, stdout = os.pipe()
        self.engine = make_engine(CentrePolicy(value=True))
        streams = (open(stdin, "rb", buffering=0), open(stdout, "wb", buffering=0))  # noqa: SIM115
        self._thread = threading.Thread(target=self._run, args=streams)
        self._thread.start()
        self._open, self._rest = True, b""

    def _run(self, stdin: object, stdout: object) -> None:
        with stdin, stdout:  # type: ignore[attr-defined]
            self.engine.run(stdin, stdout)  # type: ignore[arg-type]

    def send(self, text: str) -> None:
        os.write(self._to, text.encode())

    def line(self, patience: float = PATIENCE) -> str:
        """The next line, without its newline."""
        deadline = time.monotonic() + patience
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._from], [], [], deadline - time.monotonic())
            assert ready, f"no line in {patience} s, but {self._rest!r}"
            self._rest += os.read(self._from, 1 << 16)
        line, self._rest = self._rest.split(b"\n", 1)
        return line.decode()

    def answer(self) -> list[str]:
        """The lines up to the next empty one."""
        return list(iter(self.line, ""))

    def end(self) -> bytes:
        """Close the input, wait for the engine, and return what else it had to say."""
        if self._open:
            os.close(self._to)
            self._open = False
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        rest = self._rest
        while chunk := os.read(self._from, 1 << 16):
            rest += chunk
        return rest


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    one = Pipe()
    one.send("boardsize 5\nkomi 0\n")
    assert one.answer() == one.answer() == ["="]
    yield one
    one.end()
    os.close(one._from)


@pytest.mark.parametrize("command", ANALYSES)
def test_the_answer_begins_at_once_goes_on_and_ends_when_more_comes(pipe: Pipe, command: str) -> None:
    pipe.send(f"12 {command} b 2\n")
    assert pipe.line() == "=12"
    told = [pipe.line() for _ in range(3)]
    assert all(line.startswith(("info move ", '{"winrate":')) for line in told)
    pipe.send("13 name\n")
    begin = time.monotonic()
    pipe.answer()
    assert pipe.answer() == ["=13 gocnn"]
    assert time.monotonic() - begin < 1.0


@pytest.mark.parametrize("sent", ["\n", "\r\n", "# a comment\n", "# interrupt\n"])
def test_a_line_that_wants_no_answer_ends_it_too(pipe: Pipe, sent: str) -> None:
    pipe.send("lz-analyze 2\n")
    assert pipe.line() == "="
    pipe.line()
    pipe.send(sent)
    pipe.answer()
    pipe.send("5 komi 6.5\n")
    assert pipe.answer() == ["=5"]


def test_stop_ends_it_and_is_answered(pipe: Pipe) -> None:
    pipe.send("1 kata-analyze w 2\n")
    pipe.line(), pipe.line()
    pipe.send("2 stop\n")
    pipe.answer()
    assert pipe.answer() == ["=2"]


def test_the_end_of_input_ends_it_with_its_empty_line(pipe: Pipe) -> None:
    pipe.send("1 lz-analyze 2\n")
    pipe.line(), pipe.line()
    assert (b"\n" + pipe.end()).endswith(b"\n\n")


def test_while_the_network_is_loaded_an_analysis_waits_but_not_longer_than_its_controller(pipe: Pipe) -> None:
    loading = True
    pipe.engine.session.is_preparing = lambda: loading  # type: ignore[attr-defined]
    pipe.send("1 lz-analyze 2\n")
    time.sleep(0.1)
    pipe.send("2 name\n")
    assert pipe.answer() == ["=1"] and pipe.answer() == ["=2 gocnn"]
    pipe.send("3 lz-analyze 2\n")
    time.sleep(0.1)
    loading = False
    assert pipe.line() == "=3" and pipe.line().startswith("info move ")


def test_an_interrupt_ends_a_move_that_is_thought_about_and_other_lines_wait(pipe: Pipe) -> None:
    """GoGui's ``# interrupt`` is meant for the command before it, not for those that come later."""
    thinking = threading.Event()

    def think(board: object, colour: int, komi: float, *, stop: Callable[[], bool], **_: object) -> int:
        thinking.set()
        while not stop():
            time.sleep(0.01)
        return 12

    pipe.engine.session.player.choose = think  # type: ignore[attr-defined]
    pipe.send("1 genmove b\n2 name\n")
    assert thinking.wait(PATIENCE)
    ready, _, _ = select.select([pipe._from], [], [], 0.2)
    assert not ready
    pipe.send("# interrupt\n")
    assert pipe.answer() == ["=1 C3"] and pipe.answer() == ["=2 gocnn"]
    thinking.clear()
    pipe.send("3 reg_genmove w\n")
    assert thinking.wait(PATIENCE)
    ready, _, _ = select.select([pipe._from], [], [], 0.2)
    assert not ready
    pipe.send("  #   interrupt \r\n")
    assert pipe.answer() == ["=3 C3"]


def test_a_burst_of_analyses_and_moves_is_answered_in_order(pipe: Pipe) -> None:
    """As Lizzie sends them: every move is followed by a new analysis, and nobody waits."""
    for number, (colour, vertex) in enumerate([("B", "C3"), ("W", "B2"), ("B", "D4")]):
        pipe.send(f"{2 * number} play {colour} {vertex}\n{2 * number + 1} lz-analyze 10\n")
    pipe.send("6 undo\n7 undo\n8 name\n")
    heads = [pipe.answer()[0] for _ in range(9)]
    assert heads == [*(f"={n}" for n in range(8)), "=8 gocnn"]


def test_the_line_that_ends_it_may_change_the_board(pipe: Pipe) -> None:
    pipe.send("lz-analyze 2\n")
    pipe.line(), pipe.line()
    pipe.send("play b c3\nlz-analyze w 2\n")
    pipe.answer()
    assert pipe.answer() == ["="]
    assert pipe.line() == "="
    assert " move C3 " not in pipe.line()


FIELDS = {
    "lz-analyze": "move visits winrate prior lcb order",
    "analyze": "move visits winrate scoreLead prior lcb order",
    "kata-analyze": "move visits utility winrate scoreMean scoreStdev scoreLead scoreSelfplay "
    "prior lcb utilityLcb order",
}


def parse(line: str) -> list[dict[str, str]]:
    """The moves of an info line; pv, to its end, in its own words."""
    moves = []
    for part in line.removeprefix("info ").split(" info "):
        head, pv = part.split(" pv ")
        words = head.split()
        moves.append({**dict(zip(words[::2], words[1::2])), "pv": pv})
    return moves


@pytest.mark.parametrize("command", FIELDS)
def test_the_fields_of_a_move(pipe: Pipe, command: str) -> None:
    pipe.send(f"{command} b 2\n")
    assert pipe.line() == "="
    for _ in range(3):
        moves = parse(pipe.line())
    for order, move in enumerate(moves):
        assert list(move) == [*FIELDS[command].split(), "pv"]
        assert move["order"] == str(order) and int(move["visits"]) >= 0
        assert move["pv"].split()[0] == move["move"]
        for name in ("winrate", "lcb", "prior"):
            if command == "kata-analyze":
                assert re.fullmatch(r"[01]\.\d+", move[name]) and 0 <= float(move[name]) <= 1
            else:
                assert re.fullmatch(r"\d+", move[name]) and int(move[name]) <= 10000
    assert len({move["move"] for move in moves}) == len(moves)


def test_ownership_is_the_players_and_comes_last(pipe: Pipe) -> None:
    """CentrePolicy thinks that the whole board is a little the player's: one side's reports are that side's."""
    for command in ("kata-analyze", "analyze", "lz-analyze"):
        pipe.send(f"{command} w interval 2 ownership true maxmoves 2\n")
        assert pipe.line() == "="
        line = pipe.line()
        info, owner = line.split(" ownership ")
        assert len(parse(info)) <= 2
        values = [float(value) for value in owner.split()]
        assert len(values) == 25 and all(-1 <= value <= 1 for value in values)
        pipe.send("\n")
        pipe.answer()


def test_as_many_moves_as_asked_for_the_likeliest_after_those_with_visits(pipe: Pipe) -> None:
    for command in ("kata-analyze", "analyze", "lz-analyze"):
        pipe.send(f"{command} 2 minmoves 22\n")
        assert pipe.line() == "="
        moves = parse(pipe.line())
        assert len({move["move"] for move in moves}) == len(moves) >= 22
        visits = [int(move["visits"]) for move in moves]
        assert visits[0] > 0
        untried = [float(move["prior"]) for move, count in zip(moves, visits) if not count]
        assert untried == sorted(untried, reverse=True)
        pipe.send("stop\n")
        pipe.answer()
        pipe.answer()
    pipe.send("analyze 2 minmoves 22 maxmoves 3\n")
    pipe.line()
    assert len(parse(pipe.line())) == 3
    pipe.send("\n")
    pipe.answer()


def test_root_info(pipe: Pipe) -> None:
    pipe.send("kata-analyze 2 rootInfo true\n")
    pipe.line()
    words = pipe.line().split(" rootInfo ")[1].split()
    assert words[0] == "visits" and words[2] == "utility" and words[4] == "winrate"


def test_only_the_allowed_moves_and_none_of_the_avoided(pipe: Pipe) -> None:
    pipe.send("lz-analyze b 2 allow b A1,b2,PASS 1 avoid w c3 1\n")
    pipe.line()
    assert {move["move"] for move in parse(pipe.line())} <= {"A1", "B2", "pass"}
    pipe.send("lz-analyze 2 avoid b c3,C4 3 avoid b B3 1\n")
    pipe.answer()
    pipe.line()
    for _ in range(3):
        assert not {move["move"] for move in parse(pipe.line())} & {"C3", "C4", "B3"}


def test_forbidden_moves_are_not_in_the_lines_either(pipe: Pipe) -> None:
    pipe.send("lz-analyze b 2 allow b A1,C3,E5 9 allow w A2,B2,pass 9\n")
    pipe.line()
    for _ in range(3):
        for move in parse(pipe.line()):
            line = move["pv"].split()
            assert set(line[:9:2]) <= {"A1", "C3", "E5"} and set(line[1:9:2]) <= {"A2", "B2", "pass"}


def test_what_katago_tells_of_a_line_and_of_owners(pipe: Pipe) -> None:
    flags = "pvVisits true pvEdgeVisits true movesOwnership true movesOwnershipStdev true ownershipStdev true"
    for command in ("kata-analyze", "lz-analyze"):
        pipe.send(f"{command} b 2 {flags} maxmoves 2\n")
        assert pipe.line() == "="
        info, deviations = pipe.line().split(" ownershipStdev ")
        assert len(deviations.split()) == 25
        for part in info.removeprefix("info ").split(" info "):
            words = re.split(r" (pv|pvVisits|pvEdgeVisits|movesOwnership|movesOwnershipStdev) ", part)
            assert words[1::2] == ["pv", "pvVisits", "pvEdgeVisits", "movesOwnership", "movesOwnershipStdev"]
            line, visits, edge_visits, owners, spread = (text.split() for text in words[2::2])
            assert len(line) == len(visits) == len(edge_visits)
            assert f" visits {edge_visits[0]} " in words[0]
            assert len(owners) == len(spread) == 25 and all(0 <= float(value) <= 1 for value in spread)
        pipe.send("\n")
        pipe.answer()


def test_cgos(pipe: Pipe) -> None:
    pipe.send("cgos-analyze w 2\n")
    pipe.line()
    pipe.line()
    told = json.loads(pipe.line())
    assert list(told) == ["winrate", "score", "visits", "moves", "ownership"]
    assert len(told["ownership"]) == 25 and set(told["ownership"]) <= set(CGOS_LETTERS)
    assert list(told["moves"][0]) == ["move", "visits", "winrate", "score", "prior", "pv"]
    assert not told["moves"][0]["pv"].startswith(told["moves"][0]["move"])


@pytest.mark.parametrize(
    "command", ["lz-genmove_analyze", "kata-genmove_analyze", "genmove_analyze", "cgos-genmove_analyze"]
)
def test_a_move_with_its_analysis(pipe: Pipe, command: str) -> None:
    """The last line is the move, the one before it the last report, and the move is played."""
    pipe.send(f"3 {command} b\n")
    head, *told, last = pipe.answer()
    assert head == "=3" and len(told) == 1
    assert told[0].startswith("{" if command.startswith("cgos") else "info move ")
    assert re.fullmatch(r"play [A-E][1-5]", last)
    pipe.send(f"play w {last.split()[1]}\n")
    assert pipe.answer() == ["? illegal move"]


@pytest.mark.parametrize("command", ["lz-genmove_analyze", "cgos-genmove_analyze"])
def test_a_pass_without_a_search_is_told_with_a_look_at_its_own_position(pipe: Pipe, command: str) -> None:
    toy = CentrePolicy(value=True)
    player = SearchPlayer(LazyPolicy(lambda: toy), limits=Limits(visits=8))
    pipe.engine.session.player = player  # type: ignore[attr-defined]
    pipe.send("boardsize 9\nkomi 0\nkata-set-rules tromp-taylor\n" + f"{command} b\nboardsize 5\n")
    assert [pipe.answer()[0] for _ in range(5)] == ["="] * 5
    pipe.send(f"play b C3\nplay w pass\n{command} b\n")
    assert pipe.answer() == pipe.answer() == ["="]
    _, told, last = pipe.answer()
    assert last == "play pass"
    assert not re.search(r"\bC3\b", told), "the stone that stands there is no move"


@pytest.mark.parametrize("command", ["lz-genmove_analyze", "kata-genmove_analyze", "genmove_analyze"])
def test_a_move_is_chosen_among_those_that_are_allowed(pipe: Pipe, command: str) -> None:
    for options, allowed in (("allow b A1,B5 1", {"A1", "B5"}), ("allow b pass 1", {"pass"})):
        pipe.send(f"clear_board\n{command} b {options}\n")
        assert pipe.answer() == ["="]
        assert pipe.answer()[-1].split()[1] in allowed
    pipe.send(f"clear_board\n{command} b\n")
    assert pipe.answer() == ["="]
    best = pipe.answer()[-1].split()[1]
    pipe.send(f"clear_board\n{command} b avoid b {best} 1 avoid w A1 1\n")
    assert pipe.answer() == ["="]
    assert pipe.answer()[-1].split()[1] != best


@pytest.mark.parametrize("command", ["lz-genmove_analyze", "kata-genmove_analyze"])
def test_where_no_move_is_allowed_none_is_played(pipe: Pipe, command: str) -> None:
    everywhere = ",".join(f"{column}{row}" for column in "ABCDE" for row in range(1, 6))
    pipe.send(f"clear_board\n{command} b avoid b pass,{everywhere} 1\nkata-get-rules\n")
    assert pipe.answer() == ["="]
    assert pipe.answer() == ["? no move is allowed"]
    assert pipe.answer()[0].startswith("= {")


def test_what_follows_does_not_cut_a_move_short(pipe: Pipe) -> None:
    toy = CentrePolicy(value=True)
    player = SearchPlayer(LazyPolicy(lambda: toy), limits=Limits(visits=40))
    pipe.engine.session.player = player  # type: ignore[attr-defined]
    pipe.send("kata-genmove_analyze b rootInfo true\n\n# note\nname\n")
    assert "rootInfo visits 40 " in pipe.answer()[1]


@pytest.mark.parametrize(
    "words",
    ["x", "b x", "b 5 5", "interval", "interval -1", "interval x", "maxmoves -2", "ownership", "ownership maybe",
     "allow", "allow b", "allow b C3", "allow b C3 x", "allow green C3 1", "avoid b Z9 1", "avoid b C3,, 1", "-5"],
)  # fmt: skip
@pytest.mark.parametrize("command", [*ANALYSES, "lz-genmove_analyze", "cgos-genmove_analyze"])
def test_what_cannot_be_read_is_refused_before_anything_is_said(command: str, words: str) -> None:
    assert make_engine().answer(f"4 {command} {words}".encode()) == b"?4 syntax error\n\n"


def test_reading_requests() -> None:
    def vertex(text: str) -> int:
        return gtp_to_point(text, 19)

    def read(text: str) -> Request:
        return read_request(text.split(), 19, vertex)

    request = read("WHITE 50 maxmoves 3 ownership true pvVisits true rootInfo true rootInfo false")
    assert (request.colour, request.interval, request.most_moves) == (WHITE, 0.5, 3)
    assert request.flags == {"ownership", "pvVisits"} and request.bans is None
    assert read("").interval is None
    assert read("0").interval == pytest.approx(0.02)
    assert read("12.5").interval == read("interval 12.5").interval == 0.125
    bans = read("avoid b D4 1 avoid b D4,R4 7 allow w D4,pass 2 allow w Q16 3 avoid w pass 5 avoid w A1 99999").bans
    assert bans is not None
    assert {point: bans[0, point] for point in np.flatnonzero(bans[0])} == {vertex("D4"): 7, vertex("R4"): 7}
    assert bans[1, [vertex("D4"), vertex("Q16")]].tolist() == [0, 0]
    assert bans[1, 361] == 5 and bans[1, vertex("A1")] > 400
    assert np.count_nonzero(bans[1] == 3) == 358


def raw(answer: str) -> dict[str, list[float]]:
    """The values of kata-raw-nn by name."""
    values: dict[str, list[float]] = {}
    for word in answer.split():
        if re.fullmatch(r"[a-zA-Z]+", word) and word != "nan":
            values[word] = []
            last = values[word]
        else:
            last.append(float(word))
    return values


def test_what_the_network_says_from_whites_side() -> None:
    engine = make_engine(CentrePolicy(value=True))
    for line in (b"boardsize 5", b"komi 0.5", b"play b c3"):
        engine.answer(line)
    told = raw((engine.answer(b"kata-raw-nn 0") or b"").decode().removeprefix("= "))
    assert told["symmetry"] == [0] and told["whiteWin"] == [0.75] and told["whiteLoss"] == [0.25]
    assert told["whiteLead"] == [pytest.approx(2.5 + 0.5)]
    assert len(told["policy"]) == 25 and np.isnan(told["policy"][12]) and len(told["policyPass"]) == 1
    assert told["whiteOwnership"] == [pytest.approx(0.1)] * 25
    every = (engine.answer(b"kata-raw-nn all") or b"").decode()
    assert every.count("symmetry") == 8
    for bad in (b"kata-raw-nn", b"kata-raw-nn 8", b"kata-raw-nn -1", b"kata-raw-nn x", b"heatmap 9", b"heatmap 1 1"):
        assert engine.answer(bad) == b"? syntax error\n\n"


def test_heatmap_is_in_thousandths() -> None:
    engine = make_engine(CentrePolicy(value=True))
    engine.answer(b"boardsize 3")
    rows = (engine.answer(b"heatmap") or b"").decode().splitlines()[1:]
    board = np.array([row.split() for row in rows[:3]], int)
    assert board.argmax() == 4 and 990 <= board.sum() <= 1010
    assert rows[3:5] == ["pass: 0", "winrate: 0.750000"]
    for mean in (b"heatmap average", b"heatmap avg"):
        assert (engine.answer(mean) or b"").decode().splitlines()[1:] == rows
    assert (engine.answer(b"heatmap all") or b"").decode().count("winrate: ") == 8


def test_a_network_that_is_missing_is_a_refusal() -> None:
    from engine.policy import PolicyError

    engine = make_engine()

    def missing() -> None:
        raise PolicyError("no such network")

    engine.session._network = missing  # type: ignore[attr-defined]
    for command in (b"lz-analyze", b"kata-genmove_analyze b", b"heatmap", b"kata-raw-nn 0", b"gocnn-visits"):
        assert engine.answer(command) == b"? no such network\n\n"
