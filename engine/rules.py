"""Rule sets: what may be repeated, how a game is counted, what White gets for handicap stones.

Names and fields are those of KataGo's GTP extensions (`kata-set-rules`, `kgs-rules`), as far as they can be played
here: without a button, and without a tax on every group.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gocnn.go import BLACK, WHITE, Board
from gocnn.go.board import KO_RULES

SCORINGS = ("area", "territory")
BONUSES = ("0", "N-1", "N")


class Needed(NamedTuple):
    """The lead in area that Black must exceed to win: what searches, players and networks go by."""

    lead: float  # in points, komi, stones for handicap and prisoners counted (`Rules.needed`)
    by_pass: float = 0.0  # each pass of Black's makes it so much less, each of White's more: 1 by territory, else 0

    def if_ended_by(self, colour: int) -> Needed:
        """The same if `colour` ends the game now by a second pass: it is known then who plays last."""
        return self._replace(lead=self.lead - colour * self.by_pass / 2)


#: Any lead wins.
EVEN = Needed(0.0)


@dataclass(frozen=True)
class Rules:
    """One rule set.

    `bonus` is what White gets at the end for N handicap stones: "0", "N-1" or "N" points. With `friendly_pass` the
    players agree on dead stones when both have passed; without, all stones count as they stand, and dead ones must have
    been taken off by then.
    """

    ko: str = "positional"
    scoring: str = "area"
    suicide: bool = False
    bonus: str = "0"
    friendly_pass: bool = True

    def __post_init__(self) -> None:
        if self.ko not in KO_RULES or self.scoring not in SCORINGS or self.bonus not in BONUSES:
            raise ValueError(f"no such rules: {self}")

    @property
    def by_territory(self) -> bool:
        """Whether stones are no points."""
        return self.scoring == "territory"

    def compensation(self, handicap: int) -> int:
        """White's points for that many handicap stones; one stone is none."""
        return {"0": 0, "N-1": handicap - 1, "N": handicap}[self.bonus] if handicap >= 2 else 0

    def needed(self, board: Board, komi: float) -> Needed:
        """The lead in area that Black must exceed to win with this komi, White's points for handicap stones in it.

        By area it is komi. By territory a stone is no point, so the side that has put more stones on the board (Black,
        after a handicap) needs as many points of area more. Who plays last is not known yet, and is worth half a point
        either way (`Needed.if_ended_by`).
        """
        if not self.by_territory:
            return Needed(komi)
        more = int(board.stones.sum(dtype=np.int64)) - board.prisoners[BLACK] + board.prisoners[WHITE]
        return Needed(komi + more - (board.to_move == WHITE) + 0.5, by_pass=1.0)

    @property
    def sgf_name(self) -> str:
        """The nearest of the names that SGF's RU knows."""
        if self.by_territory:
            return "Japanese"
        if self.suicide and self.ko == "situational":
            return "NZ"
        if self.suicide:
            return "GOE" if self.friendly_pass else "Tromp-Taylor"
        return "AGA" if self.bonus == "N-1" else "Chinese"

    def sgf_name_with(self, handicap: int) -> str:
        """That name, or none where White would get other points for so many handicap stones by it."""
        named = NAMED[_key(self.sgf_name)]
        return self.sgf_name if named.compensation(handicap) == self.compensation(handicap) else ""

    def to_json(self) -> str:
        """As `kata-get-rules` answers."""
        fields = {
            "friendlyPassOk": self.friendly_pass,
            "hasButton": False,
            "ko": self.ko.upper(),
            "scoring": self.scoring.upper(),
            "suicide": self.suicide,
            "tax": "SEKI" if self.by_territory else "NONE",
            "whiteHandicapBonus": self.bonus,
        }
        return json.dumps(fields, separators=(",", ":"))

    def changed(self, fields: Mapping[str, object]) -> Rules:
        """These rules with some fields, named as in `to_json`, changed. Raises ValueError for what can't be played."""
        rules = self
        for name, value in fields.items():
            if name == "ko" and isinstance(value, str):
                rules = dataclasses.replace(rules, ko=value.lower())
            elif name == "scoring" and isinstance(value, str):
                rules = dataclasses.replace(rules, scoring=value.lower())
            elif name == "suicide" and isinstance(value, bool):
                rules = dataclasses.replace(rules, suicide=value)
            elif name == "friendlyPassOk" and isinstance(value, bool):
                rules = dataclasses.replace(rules, friendly_pass=value)
            elif name == "whiteHandicapBonus" and isinstance(value, (str, int)):
                rules = dataclasses.replace(rules, bonus=str(value))
            elif name not in ("tax", "hasButton"):
                raise ValueError(f"unknown rule {name!r}, or a value that it can't have")
        tax = "SEKI" if rules.by_territory else "NONE"
        if fields.get("hasButton", False) is not False or fields.get("tax", tax) != tax:
            raise ValueError("games with a button or such a tax can't be counted here")
        return rules


#: The rules of a session that isn't told any.
STANDARD = Rules()

#: Rule sets by the names that clients use.
NAMED = {
    "tromp-taylor": Rules(suicide=True, friendly_pass=False),
    "cgos": Rules(friendly_pass=False),  # its server counts by Tromp-Taylor, and takes suicide for illegal
    "chinese": Rules(ko="simple", bonus="N"),
    "chinese-ogs": Rules(bonus="N"),
    "chinese-kgs": Rules(bonus="N"),
    "japanese": Rules(ko="simple", scoring="territory"),
    "korean": Rules(ko="simple", scoring="territory"),
    "aga": Rules(ko="situational", bonus="N-1"),
    "bga": Rules(ko="situational", bonus="N-1"),
    "new-zealand": Rules(ko="situational", suicide=True),
    "ing": Rules(suicide=True),  # his rules of ko are his own; superko is the nearest to them
}


#: Other names of the same: KataGo's and those of records.
ALIASES = {
    "tt": "tromp-taylor", "nz": "new-zealand", "newzealand": "new-zealand", "french": "bga",
    "jp": "japanese", "cn": "chinese", "kr": "korean", "goe": "ing",
    "ing-goe": "ing", "jpn": "japanese",
}  # fmt: skip


def _named(text: str) -> Rules | None:
    """The rules of a name, in either case and with ``-``, ``_`` or a blank; None for another text."""
    return NAMED.get(_key(text))


def _key(text: str) -> str:
    name = text.strip().lower().replace("_", "-").replace(" ", "-")
    return ALIASES.get(name, name)


def read_rules(text: str) -> Rules:
    """Rules from a name or from a JSON object. Raises ValueError."""
    named = _named(text)
    if named is not None:
        return named
    try:
        fields = json.loads(text)  # its error is a ValueError
    except RecursionError:
        raise ValueError("brackets within brackets") from None
    if not isinstance(fields, dict):
        raise ValueError(f"no rules: {text!r}")
    return Rules().changed(fields)


def read_rule(rules: Rules, name: str, text: str) -> Rules:
    """`rules` with one field changed, its value as a word: ``ko SIMPLE``, ``suicide true``. Raises ValueError."""
    value: object = {"true": True, "false": False}.get(text.lower(), text)
    return rules.changed({name: value})


def rules_of_record(text: str, now: Rules, handicap: int = 2) -> Rules:
    """The rules that a record names in its RU; those in use where it names none that we know.

    SGF has few names, and writes what is in use by the nearest of them (`Rules.sgf_name`): where that is what the
    record says, only White's points for handicap stones change, and those only if it has a `handicap`.
    """
    found = _named(text)
    if found is None or (found.sgf_name == now.sgf_name and handicap < 2):
        return now
    return dataclasses.replace(now, bonus=found.bonus) if found.sgf_name == now.sgf_name else found
