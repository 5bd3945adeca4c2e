"""GTP commands on rules and the player's limits, and those of the servers KGS and CGOS around a game."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.game import number_text
from engine.protocol import GtpError
from engine.rules import NAMED, Rules, read_rule, read_rules
from engine.session import Session

if TYPE_CHECKING:
    from engine.search_player import SearchPlayer

#: KataGo's names for the limits of a search, and the fields of Limits.
PARAMETERS = {"maxVisits": "visits", "maxPlayouts": "descents", "maxTime": "seconds"}

#: What `kgs-rules` may be told.
KGS_RULES = {"chinese": "chinese-kgs", "aga": "aga", "japanese": "japanese", "new_zealand": "new-zealand"}


class RulesCommands:
    """A handler for `engine.protocol.GtpEngine`."""

    def __init__(self, session: Session) -> None:
        self.session = session

    # Rules.

    def cmd_kata__get__rules(self) -> str:
        """The rules in use, as a JSON object."""
        return self.session.rules.to_json()

    def cmd_kata__set__rules(self, *words: str) -> None:
        """Play by the rules of a name, such as tromp-taylor, chinese or japanese, or of a JSON object."""
        self._use(lambda: read_rules(" ".join(words)))

    def cmd_kata__set__rule(self, name: str, value: str) -> None:
        """Change one field of the rules, such as ``ko SIMPLE``."""
        self._use(lambda: read_rule(self.session.rules, name, value))

    def cmd_kgs__rules(self, name: str) -> None:
        """Play by chinese, aga, japanese or new_zealand rules, as KGS has them."""
        if name.lower() not in KGS_RULES:
            raise GtpError("unknown rules")
        self._use(lambda: NAMED[KGS_RULES[name.lower()]])

    def _use(self, read: Callable[[], Rules]) -> None:
        try:
            rules = read()
        except ValueError:
            raise GtpError("unknown rules") from None
        self.session.use_rules(rules)

    # The player.

    def cmd_kata__list__params(self) -> str:
        """What `kata-get-param` and `kata-set-param` know: nothing, where the player does not search."""
        return "" if self.session.player.searcher is None else " ".join(PARAMETERS)

    def cmd_kata__get__param(self, name: str) -> str:
        """How much the player may search for a move; nothing where there is no limit."""
        value = getattr(self._searcher.limits, self._field(name))
        return "" if value is None else number_text(value)

    def cmd_kata__set__param(self, name: str, value: float) -> None:
        """Change that; 0 is no limit. One of them must be left."""
        field, player = self._field(name), self._searcher
        wanted: Any = None if value == 0 else value if field == "seconds" else int(value)
        limits = dataclasses.replace(player.limits, **{field: wanted})
        unlimited = (limits.visits, limits.descents, limits.seconds) == (None, None, None)
        if value < 0 or unlimited or (field != "seconds" and value % 1):
            raise GtpError("not a limit")
        player.limits = limits
        self.session.player = player

    def _field(self, name: str) -> str:
        if name not in PARAMETERS:
            raise GtpError("unknown parameter")
        return PARAMETERS[name]

    @property
    def _searcher(self) -> SearchPlayer:
        player = self.session.player.searcher
        if player is None:
            raise GtpError("the player does not search")
        return player

    # Servers.

    # There is no `kgs-chat`: kgsGtp crashes from version 3.5.20 on where an engine has it.

    def cmd_kgs__game_over(self) -> None:
        """The game on KGS is over: no more is thought about it."""
        self.session.rest()

    def cmd_cgos__opponent_name(self, *words: str) -> None:
        """Who plays against us on CGOS: nothing to do."""

    def cmd_cgos__opponent_rating(self, *words: str) -> None:
        """How strong they are: nothing to do."""

    def cmd_cgos__gameover(self, *words: str) -> None:
        """How the game on CGOS ended: no more is thought about it."""
        self.session.rest()
