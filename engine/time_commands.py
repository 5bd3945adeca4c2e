"""GTP commands on time: they tell the session's clock what there is and what is left."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from engine.clock import KINDS, TimeControl
from engine.protocol import SYNTAX_ERROR, Colour, GtpError
from engine.session import Session


class TimeCommands:
    """A handler for `engine.protocol.GtpEngine`."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def cmd_time_settings(self, main_time: float, byo_yomi_time: float, byo_yomi_stones: int) -> None:
        """Main time, and stones to play in each byo-yomi time; byo-yomi time for no stones means no limit."""
        self._set(lambda: TimeControl.from_gtp(main_time, byo_yomi_time, byo_yomi_stones))

    def cmd_kgs__time_settings(self, *words: str) -> None:
        """none, absolute MAIN, byoyomi MAIN PERIOD PERIODS, or canadian MAIN PERIOD STONES."""
        self._set(lambda: TimeControl.from_kgs(words))

    def cmd_kata__time_settings(self, *words: str) -> None:
        """As kgs-time_settings, or fischer MAIN INCREMENT, or fischer-capped MAIN INCREMENT LIMIT PER_MOVE."""
        self._set(lambda: TimeControl.from_kata(words))

    def cmd_kata__list_time_settings(self) -> str:
        """What kata-time_settings knows."""
        return " ".join(KINDS)

    def _set(self, read: Callable[[], TimeControl]) -> None:
        try:
            control = read()
        except (ValueError, OverflowError):
            raise GtpError(SYNTAX_ERROR) from None
        self.session.clock.set(control)
        if control.kind != "none":
            with contextlib.suppress(GtpError):  # told again where the network is needed
                _ = self.session.network  # loaded before a clock runs, not on the time of the first move

    def cmd_time_left(self, colour: Colour, time: float, stones: int) -> None:
        """What is left of a player's main time (no stones), or of the period in which so many are still to play."""
        if stones < 0:
            raise GtpError(SYNTAX_ERROR)
        self.session.clock.set_left(colour, max(0.0, time), stones)
