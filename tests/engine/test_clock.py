"""The clock: readings of the three commands, budgets, and the promise that no flag falls.

The judge is the referee's clock of benchmarks/clock_games.py, which counts as a server does.
"""

from __future__ import annotations

import math
from random import Random

import pytest
from gtp import FailedCommand
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.clock_games import RefereeClock, play_on_time
from engine.clock import LAG, PLANNED, WARM_UP, Clock, TimeControl
from gocnn.go import BLACK, WHITE
from gocnn.go.coords import point_to_gtp


class Time:
    """A clock on the wall that stands still unless it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


CONTROLS = st.one_of(
    st.builds(lambda main: TimeControl("absolute", main), st.floats(10, 7200)),
    st.builds(
        lambda main, period, periods: TimeControl("byoyomi", main, period, periods=periods),
        st.one_of(st.just(0.0), st.floats(0, 3600)),
        st.floats(0.2, 60),
        st.integers(1, 5),
    ),
    st.builds(
        lambda main, each, stones: TimeControl("canadian", main, each * stones, stones=stones),
        st.one_of(st.just(0.0), st.floats(0, 3600)),
        st.floats(0.15, 60),
        st.integers(1, 30),
    ),
    st.builds(lambda main, add: TimeControl("fischer", main, increment=add), st.floats(2, 3600), st.floats(0.1, 60)),
    st.builds(
        lambda main, add, more, most: TimeControl(
            "fischer-capped", main, increment=add, limit=main + more, per_move=most
        ),
        st.floats(2, 3600),
        st.floats(0.1, 60),
        st.one_of(st.just(math.inf), st.floats(0, 600)),
        st.one_of(st.just(math.inf), st.floats(0.2, 60)),
    ),
)


# Readings


def test_gtp_time_settings() -> None:
    assert TimeControl.from_gtp(60, 0, 0) == TimeControl("absolute", 60)
    assert TimeControl.from_gtp(60, 0, 5) == TimeControl("absolute", 60)
    assert TimeControl.from_gtp(0, 1, 0) == TimeControl("none")
    assert TimeControl.from_gtp(60, 30, 10) == TimeControl("canadian", 60, 30, stones=10)
    with pytest.raises(ValueError, match="0 or more"):
        TimeControl.from_gtp(-1, 0, 0)


@pytest.mark.parametrize("read", [TimeControl.from_kgs, TimeControl.from_kata])
def test_kgs_and_kata_time_settings(read) -> None:  # type: ignore[no-untyped-def]
    assert read(["none"]) == TimeControl("none")
    assert read(["absolute", "300"]) == TimeControl("absolute", 300)
    assert read(["byoyomi", "600", "30.5", "5"]) == TimeControl("byoyomi", 600, 30.5, periods=5)
    assert read(["canadian", "600", "300", "25"]) == TimeControl("canadian", 600, 300, stones=25)


def test_kata_time_settings_know_fischer_clocks() -> None:
    assert TimeControl.from_kata(["fischer", "60", "5.5"]) == TimeControl("fischer", 60, increment=5.5)
    capped = TimeControl.from_kata(["fischer-capped", "60", "5", "120", "-1"])
    assert capped == TimeControl("fischer-capped", 60, increment=5, limit=120)
    assert str(capped) == "fischer-capped 60 5 120 -1"
    for words in (["60", "5", "59", "-1"], ["60", "5", "-1", "0"], ["60", "-5", "-1", "-1"], ["60", "5", "nan", "9"]):
        with pytest.raises(ValueError):
            TimeControl.from_kata(["fischer-capped", *words])


def test_increments_are_saved_up_to_the_limit() -> None:
    now = Time()
    clock = Clock(TimeControl("fischer-capped", 10, increment=5, limit=12), now)
    quick = clock.budget(BLACK, 19, 300)
    clock.start(BLACK)
    now.seconds += 1
    clock.stop(BLACK)
    saved = clock.budget(BLACK, 19, 300)
    assert quick is not None and saved is not None
    assert saved.hard == pytest.approx(12 - LAG)  # without the first move's warm-up
    assert saved.seconds > quick.seconds


@pytest.mark.parametrize(
    "words, reason",
    [
        ([], "no time control"),
        (["fischer", "60", "5"], "unknown time control 'fischer'"),
        (["absolute"], "absolute takes 1 numbers"),
        (["byoyomi", "600", "30", "none"], "periods must be a number"),
        (["byoyomi", "600", "30", "1.5"], "whole number"),
        (["byoyomi", "600", "30", "0"], "at least one period"),
        (["canadian", "600", "30", "0"], "at least one stone"),
        (["absolute", "-1"], "0 or more"),
        (["absolute", "nan"], "0 or more"),
        (["absolute", "inf"], "0 or more"),
        (["canadian", "1", "1", "inf"], "whole number"),
    ],
)
def test_what_cannot_be_read_is_named(words: list[str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        TimeControl.from_kgs(words)


@given(CONTROLS)
def test_a_control_is_written_as_it_is_read(control: TimeControl) -> None:
    again = TimeControl.from_kata(str(control).split())
    assert (again.kind, again.stones, again.periods) == (control.kind, control.stones, control.periods)
    assert (again.increment, again.limit) == pytest.approx((control.increment, control.limit), rel=1e-4)
    assert again.main == pytest.approx(control.main, rel=1e-4)


# The promise


@settings(max_examples=40)
@given(
    control=CONTROLS,
    data=st.data(),
    size=st.sampled_from([9, 13, 19]),
    greed=st.floats(0, 1),
    tell=st.booleans(),
    already=st.floats(0, 0.5),
)
def test_no_flag_falls(
    control: TimeControl, data: st.DataObject, size: int, greed: float, tell: bool, already: float
) -> None:
    """Any thinking up to `hard`, and any lag up to LAG that our own account does not see."""
    lags = data.draw(st.lists(st.floats(0, LAG - 0.001), min_size=1, max_size=7))
    shares = data.draw(st.lists(st.floats(0, 1), min_size=1, max_size=5))
    area = size * size
    most = int(0.6 * area * (1 - already))
    moves = most if control.kind != "absolute" else min(most, int(control.main / LAG) - 25)
    now, referee = Time(), RefereeClock(control)
    clock = Clock(control, now)
    for number in range(max(0, moves)):
        if tell:
            clock.set_left(BLACK, *referee.time_left())
        stones = min(int(area * (already + 2 * number / area)), int(0.9 * area))
        clock.start(BLACK)
        budget = clock.budget(BLACK, size, stones)
        assert budget is not None and 0 <= budget.seconds <= budget.hard
        thinking = budget.hard * max(greed, shares[number % len(shares)])
        now.seconds += thinking
        clock.stop(BLACK)
        referee.move(thinking + lags[number % len(lags)])
        assert not referee.fallen, f"at move {number + 1} of {moves}, {referee.least:.3f} s"


@pytest.mark.parametrize("control", ["300 30 5", "60 10 5", "600 60 10", "300 30 10", "1200 60 3", "10 5 5", "14 2 2"])
@pytest.mark.parametrize("late", [0.0, 0.02, 0.2])
@pytest.mark.parametrize("told", [0, 60])
@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_no_flag_falls_where_no_one_tells_how_many_stones_are_left(
    control: str, late: float, told: int, seed: int | None
) -> None:
    """By our account the main time ends early, and stones are counted from another move than the controller's are."""
    now, referee = Time(), RefereeClock(TimeControl.from_kata(["canadian", *control.split()]))
    clock, random = Clock(referee.control, now), Random(seed)
    for number in range(200):
        if number < told and referee.time_left()[1] == 0:  # then no more, as where a controller tells main time alone
            clock.set_left(BLACK, *referee.time_left())
        clock.start(BLACK)
        budget = clock.budget(BLACK, 19, 2 * number)
        assert budget is not None
        thinking = budget.seconds * (1.0 if seed is None else random.random()) + late
        now.seconds += thinking
        clock.stop(BLACK)
        referee.move(thinking + 0.02)
        assert not referee.fallen, f"at move {number + 1}"


@given(control=CONTROLS)
def test_the_first_move_may_be_slow(control: TimeControl) -> None:
    """What goes by before thinking begins is taken off, and a warm-up after it is provided for."""
    now = Time()
    clock = Clock(control, now)
    clock.start(WHITE)
    now.seconds += 0.05  # waiting for the network
    budget = clock.budget(WHITE, 19, 0)
    assert budget is not None
    assert budget.hard == 0 or budget.hard + 0.05 + WARM_UP + LAG <= control.main + control.period + 1e-9
    now.seconds += 0.1
    clock.stop(WHITE)
    clock.start(WHITE)
    second = clock.budget(WHITE, 19, 1)
    assert second is not None
    # Stones of which no one has told how many are left get an even share of their period at most.
    even = PLANNED * (control.period / control.stones - LAG) if control.kind == "canadian" else math.inf
    assert control.kind == "absolute" or second.hard >= min(budget.hard, even - 1e-9)


@pytest.mark.parametrize("control", ["byoyomi 5 1 3", "byoyomi 0 1 5", "canadian 5 10 10"])
@pytest.mark.parametrize("unseen", [0.0, LAG])
def test_on_a_busy_machine_moves_that_end_late_cost_periods_and_not_the_game(control: str, unseen: float) -> None:
    """Thinking ends 0.2 seconds late, and the clock may not see all of it."""
    now, referee = Time(), RefereeClock(TimeControl.from_kata(control.split()))
    clock = Clock(referee.control, now)
    for number in range(200):
        clock.set_left(BLACK, *referee.time_left())
        clock.start(BLACK)
        budget = clock.budget(BLACK, 19, number)
        assert budget is not None
        now.seconds += budget.seconds + 0.2
        clock.stop(BLACK)
        referee.move(budget.seconds + 0.2 + unseen)
    assert not referee.fallen and referee.used > 0.5 * 200


def test_a_stall_is_forgotten() -> None:
    control = TimeControl("byoyomi", 0, 2, periods=5)
    now = Time()
    clock, seconds = Clock(control, now), []
    for stall in (0, 0, 1.0, *(0,) * 100):
        clock.start(BLACK)
        budget = clock.budget(BLACK, 19, 100)
        assert budget is not None
        seconds.append(budget.seconds)
        now.seconds += budget.seconds + stall
        clock.stop(BLACK)
    assert seconds[3] < seconds[2] - 0.8 and seconds[-1] == pytest.approx(seconds[2], abs=0.02)


def test_no_limit_no_budget() -> None:
    clock = Clock()
    clock.set_left(BLACK, 3, 0)
    assert clock.budget(BLACK, 19, 100) is None
    clock.start(BLACK)
    clock.stop(BLACK)
    assert clock.budget(BLACK, 19, 100) is None


# Sensible use


def use(control: TimeControl, moves: int, size: int = 19, lag: float = 0.02) -> tuple[RefereeClock, list[float]]:
    """A game whose moves take their `seconds`; the referee's clock and the thinking times."""
    now, referee, times = Time(), RefereeClock(control), []
    clock = Clock(control, now)
    for number in range(moves):
        clock.set_left(BLACK, *referee.time_left())
        clock.start(BLACK)
        budget = clock.budget(BLACK, size, 2 * number)
        assert budget is not None
        now.seconds += budget.seconds
        clock.stop(BLACK)
        referee.move(budget.seconds + lag)
        times.append(budget.seconds)
    return referee, times


def test_what_decided_moves_leave_over_is_there_for_the_others() -> None:
    """Nine moves in ten take a quarter of their time, as where a search is decided early, and every tenth takes all."""
    spent = {}
    for share in (1.0, 0.25):
        now, control = Time(), TimeControl("absolute", 600)
        referee, clock = RefereeClock(control), Clock(control, now)
        undecided = []
        for number in range(120):
            clock.start(BLACK)
            budget = clock.budget(BLACK, 19, 2 * number)
            assert budget is not None
            thinking = budget.seconds * (1.0 if number % 10 == 9 else share)
            now.seconds += thinking
            clock.stop(BLACK)
            referee.move(thinking + 0.02)
            if number % 10 == 9:
                undecided.append(budget.seconds)
        assert not referee.fallen
        spent[share] = (referee.used, sum(undecided))
    assert spent[0.25][1] > 2 * spent[1.0][1]
    assert spent[0.25][0] > 0.6 * spent[1.0][0]


@pytest.mark.parametrize(
    "main, size, moves", [(60, 19, 130), (600, 19, 130), (3600, 19, 110), (60, 9, 28), (20, 13, 60)]
)
def test_absolute_time_is_used_evenly(main: float, size: int, moves: int) -> None:
    referee, times = use(TimeControl("absolute", main), moves, size)
    assert 0.5 * main < referee.used < main
    even = main / moves
    assert max(times) < 2.5 * even
    assert min(times[1:]) > 0.2 * even


def test_small_boards_take_a_larger_share() -> None:
    control = TimeControl("absolute", 300)
    shares = []
    for size in (9, 13, 19):
        clock = Clock(control, Time())
        clock.stop(BLACK)
        budget = clock.budget(BLACK, size, 2)
        assert budget is not None
        shares.append(budget.seconds)
    assert shares == sorted(shares, reverse=True) and shares[0] > 3 * shares[2]


def test_a_game_that_is_nearly_over_leaves_more_for_each_move() -> None:
    clock = Clock(TimeControl("absolute", 300), Time())
    early, late = clock.budget(BLACK, 19, 20), clock.budget(BLACK, 19, 240)
    assert early is not None and late is not None and late.seconds > 3 * early.seconds


def test_byoyomi_periods_are_used_and_none_is_lost() -> None:
    control = TimeControl("byoyomi", 30, 10, periods=5)
    referee, times = use(control, 60)
    assert referee.overtime and referee.count == 5
    assert all(8 < seconds < 10 for seconds in times[10:])
    assert times[1] > 8, "main time is extra: no reason to hurry before byo-yomi"


def test_canadian_stones_are_played_evenly() -> None:
    control = TimeControl("canadian", 0, 100, stones=10)
    referee, times = use(control, 100)
    assert all(5 < seconds < 15 for seconds in times[1:])
    assert referee.used > 0.85 * 10 * 100


def test_fischer_increments_are_used() -> None:
    referee, times = use(TimeControl("fischer", 30, increment=5), 150)
    assert referee.used > 0.9 * (30 + 150 * 5)
    assert all(3 < seconds < 10 for seconds in times[1:])
    referee, times = use(TimeControl("fischer-capped", 300, increment=5, limit=300, per_move=4), 50)
    assert all(3 < seconds < 4 for seconds in times[1:])


@pytest.mark.parametrize(
    ("control", "over"),
    [(TimeControl("fischer", 10, increment=0.3), 0.3), (TimeControl("fischer", 60, increment=1), 0.3),
     (TimeControl("absolute", 60), 0.2)],
)  # fmt: skip
def test_moves_that_all_end_late_lose_no_game(control: TimeControl, over: float) -> None:
    now = Time()
    clock = Clock(control, now)
    left = control.main
    for number in range(198):
        budget = clock.budget(BLACK, 19, 2 * number)
        assert budget is not None
        clock.start(BLACK)
        now.seconds += budget.seconds + over
        clock.stop(BLACK)
        left -= budget.seconds + over + 0.02
        assert left > 0, number
        left += control.increment


# time_left


def test_time_left_with_no_stones_is_main_time() -> None:
    clock = Clock(TimeControl("canadian", 600, 60, stones=10), Time())
    clock.stop(BLACK)
    clock.set_left(BLACK, 0, 0)
    assert clock.budget(BLACK, 19, 100).seconds < 6  # type: ignore[union-attr]
    clock.set_left(BLACK, 600, 0)
    main = clock.budget(BLACK, 19, 100)
    clock.set_left(BLACK, 600, 1)  # the last stone of a period
    last = clock.budget(BLACK, 19, 100)
    assert main is not None and last is not None
    assert last.seconds > 500 > 20 > main.seconds


def test_time_left_is_believed_but_for_rounding() -> None:
    now = Time()
    clock = Clock(TimeControl("absolute", 60), now)
    clock.start(BLACK)
    now.seconds += 20.7
    clock.stop(BLACK)  # 39.2 s left on our account
    own = clock.budget(BLACK, 19, 100)
    clock.set_left(BLACK, 40, 0)
    assert clock.budget(BLACK, 19, 100) == own
    clock.set_left(BLACK, 30, 0)
    assert clock.budget(BLACK, 19, 100).hard < own.hard  # type: ignore[union-attr]
    clock.set_left(BLACK, 100, 0)  # time was added
    assert clock.budget(BLACK, 19, 100).hard > own.hard  # type: ignore[union-attr]


def test_the_colours_have_their_own_time() -> None:
    now = Time()
    clock = Clock(TimeControl("absolute", 60), now)
    before = clock.budget(WHITE, 19, 0)
    clock.start(BLACK)
    now.seconds += 50
    clock.stop(BLACK)
    black, white = clock.budget(BLACK, 19, 2), clock.budget(WHITE, 19, 0)
    assert black is not None and white is not None and before is not None
    assert black.hard < white.hard and white.hard >= before.hard
    clock.reset()
    assert clock.budget(BLACK, 19, 0) == white


# The benchmark, with an engine that does nothing but think


class Thinker:
    """Answers GTP; plays the points in order, in its own time, and passes when a third of the board is full."""

    def __init__(self, now: Time, knows_kata: bool = True, heedless: bool = False) -> None:
        self.now = now
        self.clock = Clock(now=now)
        self.knows_kata = knows_kata
        self.heedless = heedless
        self.size = self.moves = 0

    def send(self, command: str) -> str:
        name, *words = command.split()
        self.now.seconds += 0.01
        colour = WHITE if words and words[0].lower()[0] == "w" else BLACK
        if name == "boardsize":
            self.size, self.moves = int(words[0]), 0
        elif name == "kata-time_settings":
            if not self.knows_kata:
                raise FailedCommand("unknown command")
            self.clock.set(TimeControl.from_kata(words))
        elif name == "time_settings":
            self.clock.set(TimeControl.from_gtp(float(words[0]), float(words[1]), int(words[2])))
        elif name == "time_left":
            self.clock.set_left(colour, float(words[1]), int(words[2]))
        elif name == "genmove":
            return self.genmove(colour)
        return ""

    def genmove(self, colour: int) -> str:
        self.clock.start(colour)
        budget = self.clock.budget(colour, self.size, self.moves)
        self.now.seconds += 2.0 if self.heedless else budget.seconds if budget else 1.0
        self.clock.stop(colour)
        self.moves += 1
        point = self.moves * 2
        return point_to_gtp(point, self.size) if point < self.size**2 else "pass"


@pytest.mark.parametrize(
    "control", ["none", "absolute 60", "absolute 20", "byoyomi 10 1 3", "fischer 10 1", "canadian 0 20 10"]
)
@pytest.mark.parametrize("tell", [True, False])
def test_games_under_the_referees_clock(control: str, tell: bool) -> None:
    now = Time()
    for knows_kata in (True, False):
        if control.startswith(("byoyomi", "fischer")) and not knows_kata:
            continue
        played = play_on_time(Thinker(now, knows_kata), TimeControl.from_kata(control.split()), 9, tell=tell, now=now)
        assert played.ended and played.fallen == 0 and played.least > 0


@pytest.mark.parametrize("control", ["absolute 40", "byoyomi 10 1 3", "fischer 10 1", "canadian 0 20 20"])
def test_the_referee_sees_a_flag_fall(control: str) -> None:
    now = Time()
    played = play_on_time(Thinker(now, heedless=True), TimeControl.from_kata(control.split()), 9, now=now)
    assert played.fallen == 2 and played.least < 0
