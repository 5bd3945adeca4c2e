"""Queries to an analysis engine: one line of JSON in, positions to be searched out.

They are those of KataGo's engine (https://github.com/lightvector/KataGo/blob/master/docs/Analysis_Engine.md), which
programs such as KaTrain send. What is asked for and not known here is answered with a warning, never in silence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from engine.analysis_format import OWNER_FLAGS
from engine.bans import Bans
from engine.protocol import read_colour
from engine.rules import Needed, Rules, read_rules
from engine.search_terms import Limits, SearchConfig
from gocnn.go import BLACK, WHITE, Board, IllegalMove
from gocnn.go.coords import gtp_to_point, point_to_gtp
from gocnn.go.handicap import handicap_of
from gocnn.profile import Profile

T = TypeVar("T")

#: Parts of an answer that are there if a query says so: its names for them, and those of `kata-analyze`.
PARTS = {
    "includeOwnership": "ownership",
    "includeOwnershipStdev": "ownershipStdev",
    "includeMovesOwnership": "movesOwnership",
    "includeMovesOwnershipStdev": "movesOwnershipStdev",
    "includePolicy": "policy",
    "includePVVisits": "pvVisits",
    "includeNoResultValue": "noResult",
}
PERSPECTIVES = {"BLACK": BLACK, "WHITE": WHITE, "SIDETOMOVE": 0}  # whose win rates are told; 0: who is to move
KATAGO_MOST_KOMI = 150.0


class QueryError(Exception):
    """A query can't be answered; `field` is the part of it that is wrong, None for the whole."""

    def __init__(self, text: str, field: str | None = None) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True)
class Settings:
    """How positions are searched where a query doesn't say, and whose win rates are told (a value of PERSPECTIVES)."""

    limits: Limits = field(default_factory=lambda: Limits(visits=200))
    config: SearchConfig = field(default_factory=lambda: SearchConfig(root_symmetries=8))
    perspective: int = BLACK


@dataclass(frozen=True, eq=False, kw_only=True)
class Task:
    """One position that a query wants to have searched."""

    query: str  # its id
    turn: int  # moves that led to the position
    priority: int
    board: Board  # as it is then
    needed: Needed  # by the rules, komi and points for handicap stones counted
    settings: Settings
    bans: np.ndarray | None  # as in `engine.search.Search.run`
    parts: frozenset[str]  # of PARTS' values
    every: float | None  # seconds between two reports of a search that runs
    human: Profile | None  # whose moves are to be foretold, too
    most_moves: int | None  # that are told of what a move leads to

    @property
    def wants_owners(self) -> bool:
        """Whether the answer must tell who owns the points."""
        return bool(self.parts & OWNER_FLAGS)


@dataclass(frozen=True)
class Query:
    """What a line asks for, and the names of the fields that mean nothing here."""

    tasks: tuple[Task, ...]
    unused: tuple[str, ...]


def read_query(given: Mapping[str, Any], settings: Settings) -> Query:
    """What the fields of a query ask for, by `settings` where they don't say. Raises QueryError."""
    fields = _Fields(given)
    query = str(fields.take("id", str))
    size = _read_size(fields)
    rules = _read_rules(fields)
    komi = _read_komi(fields, rules)
    stones = _read_stones("initialStones", fields.take("initialStones", list, []), size)
    moves = _read_stones("moves", fields.take("moves", list), size, passes=True)
    first = fields.take("initialPlayer", str, None)
    placed = [colour for colour, _ in stones]
    usual = WHITE if handicap_of(placed, (), size) else BLACK
    to_move = _colour(first, "initialPlayer") if first is not None else moves[0][0] if moves else usual
    turns = fields.numbers("analyzeTurns", [len(moves)], 0, len(moves))
    priorities = fields.numbers("priorities", [fields.take("priority", int, 0)] * len(turns), -math.inf, math.inf)
    if len(priorities) != len(turns):
        raise QueryError("must be as many as analyzeTurns", "priorities")
    every = fields.take("reportDuringSearchEvery", float, None, least=0.001)
    bans = _read_bans(fields, size)
    parts = frozenset(part for name, part in PARTS.items() if fields.take(name, bool, False))
    settings, human = _read_settings(fields, settings)
    after_first = fields.take("analysisPVLen", int, None, least=0)
    komi += rules.compensation(handicap_of(placed, moves, size))
    boards = _boards(size, rules, to_move, stones, moves, turns)
    tasks = tuple(
        Task(
            query=query,
            turn=turn,
            priority=priority,
            board=boards[turn],
            needed=rules.needed(boards[turn], komi),
            settings=settings,
            bans=bans,
            parts=parts,
            every=every,
            human=human,
            most_moves=None if after_first is None else 1 + after_first,
        )
        for turn, priority in zip(turns, priorities, strict=True)
    )
    return Query(tasks, tuple(fields.unused()))


class _Fields:
    """The fields of a JSON object, each taken out once; what is left at the end was not understood."""

    NEEDED = object()

    def __init__(self, fields: Mapping[str, Any], prefix: str = "") -> None:
        self._left = dict(fields)
        self._prefix = prefix
        self._inner: list[_Fields] = []

    def take(
        self, name: str, kind: type[T], default: Any = NEEDED, *, least: float = -math.inf, most: float = math.inf
    ) -> Any:
        """The value of a field, which must be of a kind (a whole number is also a float) and within bounds.

        `default` is taken for one that is not there. Raises QueryError.
        """
        where = self._prefix + name
        if name not in self._left:
            if default is self.NEEDED:
                raise QueryError("must be given", where)
            return default
        value = self._left.pop(name)
        if kind is float and isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 2**53:
            value = float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise QueryError(f"must be {_KINDS[kind]}", where)
        if isinstance(value, int | float) and not least <= value <= most:  # NaN is nowhere
            bounds = f"{least:g} to {most:g}" if most < math.inf else f"{least:g} or more"
            raise QueryError(f"must be {bounds}", where)
        return value

    def numbers(self, name: str, default: Sequence[int], least: float, most: float) -> list[int]:
        """A list of whole numbers. Raises QueryError."""
        values = self.take(name, list, default)
        for value in values:
            if type(value) is not int or not least <= value <= most:
                raise QueryError(f"must be whole numbers from {least:g} to {most:g}", self._prefix + name)
        return list(values)

    def inner(self, name: str) -> _Fields:
        """The fields of an object in a field; none if it is not there."""
        return self._within(self.take(name, dict, {}), name)

    def inner_each(self, name: str) -> list[_Fields]:
        """The fields of each object in a list of them; an empty list if it is not there."""
        return [self._within(one, name) for one in self.take(name, list, [])]

    def _within(self, value: object, name: str) -> _Fields:
        where = self._prefix + name
        if not isinstance(value, dict):
            raise QueryError("must be a list of objects", where)
        self._inner.append(_Fields(value, f"{where}."))
        return self._inner[-1]

    def unused(self) -> list[str]:
        """The names of the fields that have not been taken, here and within."""
        return [self._prefix + name for name in self._left] + [name for one in self._inner for name in one.unused()]


_KINDS = {
    str: "a string", int: "a whole number", float: "a number", bool: "true or false", list: "a list", dict: "an object"
}  # fmt: skip


def _read_size(fields: _Fields) -> int:
    width, height = (int(fields.take(name, int, least=2, most=25)) for name in ("boardXSize", "boardYSize"))
    if width != height:
        raise QueryError("boards of unequal sides can't be played here", "boardYSize")
    return width


def _read_rules(fields: _Fields) -> Rules:
    given = fields.take("rules", object)
    try:
        rules = Rules().changed(given) if isinstance(given, dict) else read_rules(given)
    except (ValueError, AttributeError):
        raise QueryError(f"no rules that can be played by here: {given!r}", "rules") from None
    bonus = fields.take("whiteHandicapBonus", object, rules.bonus)
    try:
        return rules.changed({"whiteHandicapBonus": bonus})
    except ValueError:
        raise QueryError("must be 0, N or N-1", "whiteHandicapBonus") from None


def _read_komi(fields: _Fields, rules: Rules) -> float:
    usual = 6.5 if rules.by_territory else 7.5
    komi = float(fields.take("komi", float, usual, least=-KATAGO_MOST_KOMI, most=KATAGO_MOST_KOMI))
    if (2 * komi) % 1:
        raise QueryError("must be an integer or half-integer", "komi")
    return komi


def _read_stones(name: str, given: Sequence[Any], size: int, *, passes: bool = False) -> list[tuple[int, int]]:
    """(colour, point) of each stone or move that is given in a field."""
    found = []
    for pair in given:
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(word, str) for word in pair)):
            raise QueryError('must be a list of [player, location], both strings, such as ["B", "D4"]', name)
        point = _point(pair[1], size, name)
        if point == size * size and not passes:
            raise QueryError("a pass is no stone", name)
        found.append((_colour(pair[0], name), point))
    return found


def _colour(text: str, name: str) -> int:
    try:
        return read_colour(text)
    except ValueError:
        raise QueryError(f"not a player: {text!r}", name) from None


def _point(text: str, size: int, name: str) -> int:
    """The point of a GTP vertex, or of ``(x,y)``, which count from 0 at the top left."""
    numbers = re.fullmatch(r"\(\s*([0-9]{1,2})\s*,\s*([0-9]{1,2})\s*\)", text)
    try:
        if not numbers:
            return gtp_to_point(text, size)
        column, row = map(int, numbers.groups())
        if column < size and row < size:
            return row * size + column
    except ValueError:
        pass
    raise QueryError(f"not a location on {size}x{size}: {text!r}", name)


def _read_bans(fields: _Fields, size: int) -> np.ndarray | None:
    bans = Bans(size)
    for name, ban in (("avoidMoves", bans.avoid), ("allowMoves", bans.allow)):
        for inner in fields.inner_each(name):
            colour = _colour(inner.take("player", str), f"{name}.player")
            words = inner.take("moves", list)
            if not all(isinstance(word, str) for word in words):
                raise QueryError("must be a list of strings", f"{name}.moves")
            points = [_point(word, size, f"{name}.moves") for word in words]
            ban(colour, points, inner.take("untilDepth", int, least=1))
    return bans.array()


def _read_settings(fields: _Fields, settings: Settings) -> tuple[Settings, Profile | None]:
    """What a query says of how to search, itself or in its ``overrideSettings``."""
    limits, config, perspective = settings.limits, settings.config, settings.perspective
    more = fields.inner("overrideSettings")
    visits = fields.take("maxVisits", int, more.take("maxVisits", int, limits.visits, least=1), least=1)
    limits = Limits(
        visits=visits,
        descents=more.take("maxPlayouts", int, limits.descents, least=1),
        seconds=more.take("maxTime", float, limits.seconds, least=0),
    )
    wide = more.take("wideRootNoise", float, 0.0, least=0, most=10)
    temperature = more.take("rootPolicyTemperature", float, 1.0, least=0.01, most=100)
    temperature = fields.take("rootPolicyTemperature", float, temperature, least=0.01, most=100)
    # What KataGo's noise does to probabilities before it adds any.
    config = replace(config, root_temperature=temperature * (1 + 4 * wide))
    symmetries = more.take("rootNumSymmetriesToSample", int, config.root_symmetries, least=1, most=8)
    config = replace(config, root_symmetries=symmetries)
    named = more.take("reportAnalysisWinratesAs", str, None)
    if named is not None:
        if named.upper() not in PERSPECTIVES:
            raise QueryError(f"must be one of {', '.join(PERSPECTIVES)}", "overrideSettings.reportAnalysisWinratesAs")
        perspective = PERSPECTIVES[named.upper()]
    name = more.take("humanSLProfile", str, "")
    return Settings(limits, config, perspective), _profile(name) if name else None


def _profile(name: str) -> Profile:
    """The profile that one of KataGo's is nearest to: ``rank_3k``, ``preaz_2d`` or ``proyear_1930``."""
    kind, _, who = name.partition("_")
    try:
        if kind in ("rank", "preaz"):
            return Profile.read(who.partition("_")[0])
        if kind == "proyear":
            return Profile.read(f"pro {who}")
    except ValueError:
        pass
    raise QueryError(f"no such profile is known: {name!r}", "overrideSettings.humanSLProfile")


def _boards(
    size: int, rules: Rules, to_move: int, stones: Sequence[tuple[int, int]], moves: Sequence[tuple[int, int]],
    turns: Sequence[int],
) -> dict[int, Board]:  # fmt: skip
    """The board at each turn that is wanted."""
    board = Board(size, ko=rules.ko, suicide=rules.suicide)
    board.to_move = to_move
    if stones:
        board.setup([point for _, point in stones], [colour for colour, _ in stones])
    if (board.liberties() == 0)[board.stones != 0].any():
        raise QueryError("a stone has no liberty", "initialStones")
    found = {}
    wanted = set(turns)
    for turn in range(len(moves) + 1):
        if turn in wanted:
            found[turn] = board.copy()
            if turn < len(moves):
                found[turn].to_move = moves[turn][0]
        if turn < len(moves):
            try:
                board.play(*moves[turn], by_record=True)  # as KataGo takes what was played
            except IllegalMove as error:
                raise QueryError(
                    f"Illegal move {turn}: {point_to_gtp(moves[turn][1], size)} ({error})", "moves"
                ) from None
    return found
