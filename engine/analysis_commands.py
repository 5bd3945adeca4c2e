"""GTP commands that analyse: searches that report while they run, and what the network says without one.

An analysis goes on until the controller sends anything more, be it an empty line, or goes away. A move with its
analysis takes as long as one without.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.analysis_format import INTERVAL, Request, cgos_line, kata_line, leela_line, read_request
from engine.protocol import SYNTAX_ERROR, GtpError, Reply, read_int
from engine.search_terms import Limits, Report
from engine.session import Session, policy_errors
from gocnn.go import WHITE
from gocnn.go.symmetry import SYMMETRIES

if TYPE_CHECKING:
    from gocnn.evaluator import Evaluation

#: Seconds between two looks at the input while there is nothing to search, or nothing to search with yet.
_PAUSE = 0.02


class Format(NamedTuple):
    """How a client wants a report: as a line, and whether that tells who owns the points without being asked."""

    line: Callable[[Report, Request, int], str]
    tells_owners: bool = False


LEELA, KATA, CGOS = Format(leela_line), Format(kata_line), Format(cgos_line, tells_owners=True)
SABAKI = Format(partial(leela_line, lead=True))


class AnalysisCommands:
    """A handler for `engine.protocol.GtpEngine`."""

    def __init__(self, session: Session) -> None:
        self.session = session

    # Analysis without a move.

    def cmd_lz__analyze(self, reply: Reply, *words: str) -> None:
        """Analyse in Leela Zero's format."""
        self._analyse(reply, words, LEELA)

    def cmd_kata__analyze(self, reply: Reply, *words: str) -> None:
        """Analyse in KataGo's format."""
        self._analyse(reply, words, KATA)

    def cmd_analyze(self, reply: Reply, *words: str) -> None:
        """Analyse in Leela Zero's format with the lead in points, which Sabaki shows."""
        self._analyse(reply, words, SABAKI)

    def cmd_cgos__analyze(self, reply: Reply, *words: str) -> None:
        """Analyse in CGOS's format."""
        self._analyse(reply, words, CGOS)

    def _analyse(self, reply: Reply, words: tuple[str, ...], form: Format) -> None:
        request = self._read(words)
        session = self.session
        session.prepare()
        while session.is_preparing() and not reply.unwanted:
            time.sleep(_PAUSE)
        if not session.is_preparing():  # what can't be looked at is refused before the answer begins
            session.run_search(request.colour, limits=Limits(visits=1), bans=request.bans, owners=False)
        reply.begin()

        def tell(report: Report) -> None:
            if not reply.unwanted and report.moves:
                reply.say(form.line(report, request, session.board.size))

        if reply.unwanted:
            return
        found = session.run_search(
            request.colour,
            stop=lambda: reply.unwanted,
            report=tell,
            every=request.interval or INTERVAL,
            bans=request.bans,
            owners=form.tells_owners or request.wants_owners,
        )
        tell(found)  # the memory is full, or there is nothing to search
        while not reply.unwanted:
            time.sleep(_PAUSE)

    # Moves with their analysis.

    def cmd_lz__genmove_analyze(self, reply: Reply, *words: str) -> str:
        """Play a move, and report in Leela Zero's format what was thought."""
        return self._genmove(reply, words, LEELA)

    def cmd_kata__genmove_analyze(self, reply: Reply, *words: str) -> str:
        """Play a move, and report in KataGo's format what was thought."""
        return self._genmove(reply, words, KATA)

    def cmd_genmove_analyze(self, reply: Reply, *words: str) -> str:
        """Play a move, and report in Leela Zero's format with the lead in points."""
        return self._genmove(reply, words, SABAKI)

    def cmd_cgos__genmove_analyze(self, reply: Reply, *words: str) -> str:
        """Play a move, and report in CGOS's format what was thought."""
        return self._genmove(reply, words, CGOS)

    def _genmove(self, reply: Reply, words: tuple[str, ...], form: Format) -> str:
        """Without an interval only the last report is sent; with or without, it is the line before the move."""
        request = self._read(words)
        session = self.session
        colour = request.colour or session.board.to_move

        def tell(report: Report) -> None:
            if report.moves:
                reply.say(form.line(report, request, session.board.size))

        with session.timed(colour):
            move, found = session.think_aloud(
                colour,
                stop=lambda: reply.interrupted,
                report=tell if request.interval else None,
                every=request.interval or INTERVAL,
                bans=request.bans,
            )
            reply.begin()
            tell(found)
            return f"play {session.play(colour, move)}"

    def _read(self, words: tuple[str, ...]) -> Request:
        try:
            return read_request(words, self.session.board.size, self.session.vertex)
        except ValueError:
            raise GtpError(SYNTAX_ERROR) from None

    # The network alone.

    def cmd_kata__raw__nn(self, which: str) -> str:
        """What the network says of the board turned by a symmetry (0 to 7, or all); White's side, as in KataGo."""
        return "\n".join(self._raw(symmetry) for symmetry in _symmetries(which))

    def _raw(self, symmetry: int) -> str:
        session = self.session
        board, size = session.board, session.board.size
        with policy_errors():
            found = session.network.evaluate([board], session.needed.lead, symmetry)
        side = 1 if board.to_move == WHITE else -1
        lines = [f"symmetry {symmetry}"]
        if found.winrate is not None and found.lead is not None:
            winrate, lead = float(found.winrate[0]), side * float(found.lead[0])
            white = winrate if board.to_move == WHITE else 1 - winrate
            lines += [f"whiteWin {white:.6f}", f"whiteLoss {1 - white:.6f}", "noResult 0.000000"]
            lines += [f"whiteLead {lead:.3f}", f"whiteScoreSelfplay {lead:.3f}"]
        legal = board.legal_mask(board.to_move)
        policy = np.where(legal, found.policy[0], np.nan)
        lines += ["policy", *_rows(policy[:-1].reshape(size, size), "{:.6f}"), f"policyPass {policy[-1]:.6f}"]
        if found.owner is not None:
            lines += ["whiteOwnership", *_rows(side * found.owner[0].reshape(size, size), "{:.6f}")]
        return "\n".join(lines)

    def cmd_heatmap(self, which: str = "0") -> str:
        """The policy in thousandths as a board, as Leela Zero writes it: by one symmetry, by all, or their average."""
        session = self.session
        average = which.lower() in ("average", "avg")
        with policy_errors():
            found = [
                session.network.evaluate([session.board], session.needed.lead, symmetry)
                for symmetry in _symmetries("all" if average else which)
            ]
        boards = [found] if average else [[one] for one in found]
        return "\n".join(_heatmap(board, session.board.size) for board in boards)


def _heatmap(found: Sequence[Evaluation], size: int) -> str:
    """The mean of some answers to one position, as Leela Zero writes it."""
    policy = np.rint(1000 * np.mean([one.policy[0] for one in found], 0)).astype(int)
    lines = ["", *_rows(policy[:-1].reshape(size, size), "{:4d}"), f"pass: {policy[-1]}"]
    winrates = [float(one.winrate[0]) for one in found if one.winrate is not None]
    if winrates:
        lines.append(f"winrate: {np.mean(winrates):.6f}")
    return "\n".join(lines)


def _symmetries(which: str) -> list[int]:
    """The symmetries that ``0`` to ``7`` or ``all`` mean. Raises GtpError."""
    if which.lower() == "all":
        return list(range(SYMMETRIES))
    try:
        number = read_int(which)
    except ValueError:
        number = -1
    if not 0 <= number < SYMMETRIES:
        raise GtpError(SYNTAX_ERROR)
    return [number]


def _rows(values: np.ndarray, form: str) -> list[str]:
    return [" ".join(form.format(value) for value in row) for row in values]
