"""The clock: what time there is, what has been used, and how long the next move may take.

The kinds of time control: none; absolute (all moves in one time); Japanese byo-yomi (after the main time, `periods`
times `period` seconds, of which one is lost each time that a move takes it up); Canadian (after the main time, `stones`
moves in every `period` seconds); Fischer (each move adds `increment` seconds to the main time, in the capped kind up to
`limit`, and no move may take longer than `per_move`).

The clock keeps its own account, on which every move costs LAG more than it took: what happens between the controller's
clock and ours. A controller's `time_left` is believed where it differs by more than rounding to seconds. On a busy
machine thinking ends late; by how much is learned from the moves before. All times are in seconds.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gocnn.go.core import BLACK, WHITE

#: What a move costs besides its thinking, at most: the way to the controller and back, and the end of a search.
LAG = 0.1

#: What the first move of a process costs on top of that, while compiled code and the network warm up.
WARM_UP = 2.0

#: `time_left` is a whole number and may say this much more than there is.
ROUNDING = 1.0

#: Moves of both players that a game takes, as a share of the board's points: usually, and at the least still to come;
#: then the same for the longest games, whose every move must still find its LAG.
USUAL, AT_LEAST = 0.75, 0.12
LONGEST, LONGEST_AT_LEAST = 1.1, 0.2

#: A hard move may take this many times the usual share.
STRETCH = 3.0

#: The part of a byo-yomi period that is planned; the rest is left for a search that stops late.
PLANNED = 0.95

#: After a move that ended too late, WARY times the delay is kept free in the next ones; it shrinks by FADING with each.
WARY, FADING = 1.5, 0.95

#: The weight of the newest move in two running means, which count in main time: of how late moves end, and of how much
#: of their planned time they use.
NEWS = 0.1


@dataclass(frozen=True)
class TimeControl:
    """The time of one player. `kind` is one of `KINDS`.

    All are seconds but `stones`, which belongs to canadian, and `periods`, to byoyomi; both are at least 1 there.
    """

    kind: str = "none"
    main: float = 0.0
    period: float = 0.0
    stones: int = 0
    periods: int = 0
    increment: float = 0.0
    limit: float = math.inf
    per_move: float = math.inf

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown time control {self.kind!r}; there are {', '.join(KINDS)}")
        if not all(math.isfinite(value) and value >= 0 for value in (self.main, self.period, self.increment)):
            raise ValueError("times must be 0 or more seconds")
        if not (self.limit >= self.main and self.per_move > 0):
            raise ValueError("the limit must be the main time or more, and a move's time more than nothing")
        if self.kind == "byoyomi" and self.periods < 1:
            raise ValueError("byo-yomi needs at least one period")
        if self.kind == "canadian" and self.stones < 1:
            raise ValueError("canadian byo-yomi needs at least one stone")

    @classmethod
    def from_gtp(cls, main: float, byo_time: float, byo_stones: int) -> TimeControl:
        """What GTP's `time_settings` means: no byo-yomi time is absolute, byo-yomi time for no stones no limit.

        Raises ValueError for negative numbers.
        """
        if min(main, byo_time, byo_stones) < 0:
            raise ValueError("times must be 0 or more seconds")
        if byo_time == 0:
            return cls("absolute", main)
        if byo_stones == 0:
            return cls("none")
        return cls("canadian", main, byo_time, stones=byo_stones)

    @classmethod
    def from_kgs(cls, words: Sequence[str]) -> TimeControl:
        """What `kgs-time_settings` is given, such as ``byoyomi 600 30 5``; KINDS has the numbers of each kind.

        Raises ValueError, which says what is wrong.
        """
        return cls._from_words(words, KGS_KINDS)

    @classmethod
    def from_kata(cls, words: Sequence[str]) -> TimeControl:
        """What `kata-time_settings` is given: as `from_kgs`, and the Fischer kinds, where -1 is no limit."""
        return cls._from_words(words, KINDS)

    @classmethod
    def _from_words(cls, words: Sequence[str], kinds: dict[str, tuple[str, ...]]) -> TimeControl:
        if not words:
            raise ValueError("no time control is named")
        kind, numbers = words[0].lower(), words[1:]
        wanted = kinds.get(kind)
        if wanted is None:
            raise ValueError(f"unknown time control {words[0]!r}; there are {', '.join(kinds)}")
        if len(numbers) != len(wanted):
            raise ValueError(f"{kind} takes {len(wanted)} numbers ({' '.join(wanted)}), not {len(numbers)}")
        values = {name: _number(word, name) for name, word in zip(wanted, numbers)}
        counts = {name: int(values.pop(name)) for name in ("stones", "periods") if name in values}
        return cls(kind, **values, **counts)  # type: ignore[arg-type]

    def __str__(self) -> str:
        """As `from_kata` reads it."""
        values = (getattr(self, name) for name in KINDS[self.kind])
        return " ".join((self.kind, *(f"{value:g}" if value < math.inf else "-1" for value in values)))


#: The kinds of time control, and the numbers that describe each, in the order of kgs-time_settings.
KGS_KINDS: dict[str, tuple[str, ...]] = {
    "none": (),
    "absolute": ("main",),
    "byoyomi": ("main", "period", "periods"),
    "canadian": ("main", "period", "stones"),
}

#: The same of kata-time_settings.
KINDS = KGS_KINDS | {
    "fischer": ("main", "increment"),
    "fischer-capped": ("main", "increment", "limit", "per_move"),
}


def _number(word: str, name: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise ValueError(f"{name} must be a number, not {word!r}") from None
    if name in ("stones", "periods") and not value.is_integer():
        raise ValueError(f"{name} must be a whole number, not {word!r}")
    return math.inf if name in ("limit", "per_move") and value < 0 else value


@dataclass(frozen=True)
class Budget:
    """How long a move should take from now on, `seconds`, and how long it may take before a flag could fall, `hard`."""

    seconds: float
    hard: float


@dataclass
class _Account:
    """One colour's time. `overtime` says whether the main time is used up; `count` is periods or stones left.

    Since each move costs LAG more here than on the controller's clock, our main time may end some moves before it does
    there, and our first period begin with another stone. `in_step`: both count its stones from the same move, as there
    was no main time, or the controller has told us.
    """

    main: float
    left: float  # of the present period
    count: int
    overtime: bool = False
    in_step: bool = False
    moves: int = 0


class Clock:
    """Both colours' time. Call `start` when a move is asked for, `budget` when thinking begins, `stop` at its end."""

    def __init__(self, control: TimeControl = TimeControl(), now: Callable[[], float] = time.monotonic) -> None:
        """`now` returns seconds."""
        self._now = now
        self._warm_up = WARM_UP
        self._late = 0.0  # by how much a move took longer than it should have, lately
        self._usually_late = 0.0  # and by how much they do so on the mean
        self._needed = 1.0  # the share of its time that a move takes on the mean
        self._planned: dict[int, float] = {}  # when the present move should end
        self._started: dict[int, float] = {}
        self.set(control)

    def set(self, control: TimeControl) -> None:
        """Begin a game under another time control."""
        self.control = control
        self.reset()

    def reset(self) -> None:
        """Begin another game under the same time control."""
        control = self.control
        self._started.clear()
        self._planned.clear()
        at_once = self._has_periods and not control.main
        self._accounts = {
            colour: _Account(control.main, control.period, self._full_count, overtime=at_once, in_step=at_once)
            for colour in (BLACK, WHITE)
        }

    @property
    def _has_periods(self) -> bool:
        return self.control.kind in ("byoyomi", "canadian")

    @property
    def _full_count(self) -> int:
        """Periods at the beginning, or stones of a period."""
        return self.control.periods or self.control.stones

    def set_left(self, colour: int, seconds: float, stones: int) -> None:
        """Take over what the controller says is left of the main time (`stones` 0), or of a period.

        In the latter case `stones` is the number of stones still to play in it (canadian), or of periods with this one
        (byoyomi). Ignored where there is no limit.
        """
        account = self._accounts[colour]
        if stones <= 0 or not self._has_periods:
            account.main = _believed(seconds, None if account.overtime else account.main)
            account.left, account.count = self.control.period, self._full_count
            account.overtime = self._has_periods and account.main == 0
            account.in_step = False
            return
        same = account.overtime and (account.count == stones or self.control.kind == "byoyomi")
        account.left = _believed(seconds, account.left if same else None)
        account.main, account.overtime, account.in_step, account.count = 0.0, True, True, stones

    def start(self, colour: int) -> None:
        """`colour` is asked for a move."""
        self._started[colour] = self._now()

    def stop(self, colour: int) -> None:
        """`colour` has moved; without a `start` only the lag is counted."""
        now = self._now()
        started, planned = self._started.pop(colour, now), self._planned.pop(colour, now)
        used = now - started + LAG
        late = 0.0 if self._warm_up else now - planned
        if planned > started and not self._warm_up:
            self._needed += NEWS * (min(1.0, (now - started) / (planned - started)) - self._needed)
        self._late = max(FADING * self._late, late)
        self._usually_late += NEWS * (max(0.0, late) - self._usually_late)
        self._warm_up = 0.0
        account = self._accounts[colour]
        account.moves += 1
        if not account.overtime:
            account.main -= used
            if account.main > 0 or not self._has_periods:
                account.main = min(max(0.0, account.main) + self.control.increment, self.control.limit)
                return
            used, account.main, account.overtime = -account.main, 0.0, True
        if self.control.kind == "byoyomi":
            lost = int(used / account.left) if account.left else 1
            account.count = max(1, account.count - lost)
            account.left = self.control.period
        else:
            account.left, account.count = max(0.0, account.left - used), account.count - 1
            if account.count <= 0:
                account.left, account.count = self.control.period, self.control.stones

    def budget(self, colour: int, board_size: int, stones_on_board: int) -> Budget | None:
        """How long `colour` may still think about its move; None without a limit.

        What has gone by since `start` is taken off.
        """
        if self.control.kind == "none":
            return None
        account = self._accounts[colour]
        played = max(stones_on_board, 2 * account.moves)
        if account.overtime:
            spare = min(WARY * self._late, account.left / 2)
            aim, hard = self._in_period(account.left - spare, account.count)
            if self.control.kind == "canadian" and not account.in_step:
                # So many moves in a row must fit into a period, with whichever of them it begins.
                even = PLANNED * max(0.0, self.control.period / self.control.stones - LAG - self._late)
                aim, hard = min(aim, even), min(hard, even)
        else:
            aim, hard = self._in_main(account.main, board_size * board_size, played)
        # Where searches end early, there is more for those that do not.
        aim = max(aim, min(aim / max(self._needed, 1 / STRETCH), PLANNED * hard))
        gone = self._now() - self._started[colour] if colour in self._started else 0.0
        hard = max(0.0, hard - gone - self._warm_up)
        seconds = max(0.0, min(aim - gone, hard))
        self._planned[colour] = self._now() + seconds
        return Budget(seconds, hard)

    def _in_main(self, left: float, area: int, played: int) -> tuple[float, float]:
        """Aim and limit in main time, of which `left` is left. `played`: moves of both players so far."""
        expected = max(1.0, max(USUAL * area - played, AT_LEAST * area) / 2)
        if not self._has_periods:
            still = max(LONGEST * area - played, LONGEST_AT_LEAST * area) / 2
            lag = LAG + self._usually_late
            gain = self.control.increment - lag  # of a move that takes no thinking
            most = max(0.0, left - lag + min(0.0, gain * still))
            aim = most / expected + max(0.0, gain)
            most = min(most, self.control.per_move - lag)
            return min(aim, most), min(STRETCH * aim, most)
        # Main time is extra: no move of it should be quicker than those that come when it is used up. The last one may
        # run on into the first period.
        later, most = self._in_period(self.control.period, self._full_count)
        aim = max(0.0, left / expected - LAG, min(later, left + later - ROUNDING))
        most = max(0.0, left + most - ROUNDING)
        return min(aim, most), min(STRETCH * aim, most)

    def _in_period(self, left: float, count: int) -> tuple[float, float]:
        """Aim and limit in a period, of which `left` is left. `count`: its stones (canadian)."""
        if self.control.kind == "byoyomi":
            # Periods to spare are kept: a stall then costs one of them and not the game.
            hard = max(0.0, left - LAG)
            return PLANNED * hard, hard
        spare = max(0.0, left - LAG * count)
        aim = PLANNED * spare / count
        return aim, min(STRETCH * aim, spare)


def _believed(reported: float, known: float | None) -> float:
    """What is surely left by the controller's word and by our account, None if it says nothing of this period."""
    if known is not None and known <= reported <= known + ROUNDING:
        return known
    return max(0.0, reported - ROUNDING)
