"""Analysis in the formats that clients read: Leela Zero's, KataGo's and CGOS's.

What each writes on a line, all from the view of the player to move:

    lz-analyze    info move D4 visits 12 winrate 5120 prior 2100 lcb 4980 order 0 pv D4 Q16 info move ...
    kata-analyze  info move D4 visits 12 ... winrate 0.512000 scoreLead 1.25 ... pv D4 Q16 ... ownership 0.1 -0.2 ...
    cgos-analyze  {"winrate":0.512,"score":1.25,"visits":24,"moves":[{"move":"D4", ...}, ...],"ownership":"fgh..."}

Clients tell the first two apart by the point in the win rate, so a fraction always has one. `pv` comes last of a move,
for it is read to the end, unless more is asked for by FLAGS.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from engine.bans import Bans
from engine.protocol import read_colour, read_float, read_int
from gocnn.go.coords import point_to_gtp, points_to_gtp

if TYPE_CHECKING:
    from engine.search_terms import MoveReport, Owners, Report

#: Between two reports if the controller doesn't say, and the least that it may ask for.
INTERVAL, SHORTEST = 0.5, 0.02

#: CGOS writes an owner as one of 63 letters, -1 the first and +1 the last.
CGOS_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+"

#: KataGo's yes-or-no options.
FLAGS = ("ownership", "rootInfo", "ownershipStdev", "movesOwnership", "movesOwnershipStdev", "pvVisits", "pvEdgeVisits")

#: Those of them for which a search must say who owns the points.
OWNER_FLAGS = frozenset(flag for flag in FLAGS if "wnership" in flag)


@dataclass
class Request:
    """What an analysis command asks for. Times in seconds; `flags` are those of FLAGS that are wanted.

    `bans`: None, or int16 [2, N*N + 1] as in `engine.search.Search.run`.
    """

    colour: int | None = None
    interval: float | None = None
    least_moves: int = 0
    most_moves: int | None = None
    flags: set[str] = field(default_factory=set)
    bans: np.ndarray | None = None

    @property
    def wants_owners(self) -> bool:
        """Whether a report must tell more of owners than the network says of the position."""
        return bool(self.flags & OWNER_FLAGS)


def read_request(words: Sequence[str], size: int, vertex: Callable[[str], int]) -> Request:
    """Read ``[COLOUR] [CENTISECONDS] [KEY VALUE ...]``, as Leela Zero and KataGo define them, for a board of a size.

    The keys are interval, maxmoves, minmoves, FLAGS, and ``allow|avoid COLOUR VERTEX,... DEPTH``: what that colour may
    play alone, or not at all, in so many moves from here on. Of several ``allow`` for one colour each allows more.
    Raises ValueError for anything else.
    """
    request, left, bans = Request(), list(words), Bans(size)
    if left and left[0].lower() in ("b", "w", "black", "white"):
        request.colour = read_colour(left.pop(0))
    if left and left[0].isascii() and left[0][:1].isdigit():
        request.interval = _interval(left.pop(0))
    while left:
        key = left.pop(0)
        if key in ("allow", "avoid"):
            if len(left) < 3:
                raise ValueError(f"{key} needs a colour, vertices and a depth")
            ban = bans.avoid if key == "avoid" else bans.allow
            ban(read_colour(left[0]), [vertex(word) for word in left[1].split(",")], read_int(left[2]))
            del left[:3]
        else:
            _set_option(request, key, left.pop(0) if left else "")
    request.bans = bans.array()
    return request


def _set_option(request: Request, key: str, value: str) -> None:
    if key == "interval":
        request.interval = _interval(value)
    elif key in ("minmoves", "maxmoves"):
        number = read_int(value)
        if number < 0:
            raise ValueError(f"{key} must be 0 or more")
        if key == "maxmoves":
            request.most_moves = number
        else:
            request.least_moves = number
    elif key in FLAGS and value.lower() in ("true", "false"):
        if value.lower() == "true":
            request.flags.add(key)
        else:
            request.flags.discard(key)
    else:
        raise ValueError(f"not an option of analysis: {key} {value}")


def _interval(text: str) -> float:
    centiseconds = read_float(text)
    if centiseconds < 0:
        raise ValueError("an interval must be 0 or more")
    return max(SHORTEST, centiseconds / 100)


def leela_line(report: Report, request: Request, size: int, lead: bool = False) -> str:
    """A report as Leela Zero writes it: win rates, priors and bounds are whole numbers out of 10000.

    With `lead`, each move has KataGo's ``scoreLead`` too, which Sabaki shows.
    """

    def one(found: MoveReport, order: int) -> str:
        score = f" scoreLead {found.lead:.3f}" if lead else ""
        return (
            f"info move {point_to_gtp(found.move, size)} visits {found.visits} winrate {_in_10000(found.winrate)}"
            f"{score} prior {_in_10000(found.prior)} lcb {_in_10000(found.lcb)} order {order} "
            f"{_continuation(found, request, size)}"
        )

    parts = [one(found, order) for order, found in enumerate(_listed(report, request))]
    return " ".join(parts + _owners(report.owners, request, "ownership"))


def kata_line(report: Report, request: Request, size: int) -> str:
    """A report as KataGo writes it: win rates and priors are fractions, and the lead is in points.

    Utility is the win rate from -1 to 1.
    """
    spread = score_spread(report.owner)

    def values(winrate: float, lead: float) -> str:
        return (
            f"utility {2 * winrate - 1:.6f} winrate {winrate:.6f} scoreMean {lead:.3f} scoreStdev {spread:.3f} "
            f"scoreLead {lead:.3f} scoreSelfplay {lead:.3f}"
        )

    parts = []
    for order, found in enumerate(_listed(report, request)):
        lcb = min(1.0, max(0.0, found.lcb))
        parts.append(
            f"info move {point_to_gtp(found.move, size)} visits {found.visits} {values(found.winrate, found.lead)} "
            f"prior {found.prior:.6f} lcb {lcb:.6f} utilityLcb {2 * lcb - 1:.6f} order {order} "
            f"{_continuation(found, request, size)}"
        )
    if "rootInfo" in request.flags:
        parts.append(f"rootInfo visits {report.visits} {values(report.winrate, report.lead)}")
    return " ".join(parts + _owners(report.owners, request, "ownership"))


def score_spread(owner: np.ndarray) -> float:
    """The standard deviation of a score, in points: that of independent points owned so, less than the true one."""
    return math.sqrt(float((1 - np.square(owner, dtype=np.float64)).clip(0).sum()))


def cgos_line(report: Report, request: Request, size: int) -> str:
    """A report as CGOS keeps it beside a move: one line of JSON. A move's `pv` is what follows it."""
    moves = [
        {
            "move": point_to_gtp(found.move, size),
            "visits": found.visits,
            "winrate": round(found.winrate, 4),
            "score": round(found.lead, 3),
            "prior": round(found.prior, 6),
            "pv": points_to_gtp(found.pv[1:], size),
        }
        for found in _listed(report, request)
    ]
    steps = len(CGOS_LETTERS) - 1
    owner = "".join(CGOS_LETTERS[round((min(1.0, max(-1.0, float(p))) + 1) / 2 * steps)] for p in report.owner.ravel())
    told = {
        "winrate": round(report.winrate, 4),
        "score": round(report.lead, 3),
        "visits": report.visits,
        "moves": moves,
        "ownership": owner,
    }
    return json.dumps(told, separators=(",", ":"))


def _listed(report: Report, request: Request) -> tuple[MoveReport, ...]:
    """The moves to speak of: those with visits, and if these are fewer than asked for, the likeliest others."""
    wanting = max(0, request.least_moves - len(report.moves))
    return (report.moves + report.untried[:wanting])[: request.most_moves]


def _continuation(found: MoveReport, request: Request, size: int) -> str:
    """What comes last of a move: its continuation, and what KataGo's options ask to know of that."""
    parts = ["pv", points_to_gtp(found.pv, size)]
    for key, visits in (("pvVisits", found.pv_visits), ("pvEdgeVisits", found.pv_edge_visits)):
        if key in request.flags and visits:
            parts += [key, *map(str, visits)]
    if found.owners is not None:
        parts += _owners(found.owners, request, "movesOwnership")
    return " ".join(parts)


def _owners(owners: Owners, request: Request, key: str) -> list[str]:
    """KataGo's owners of all points, row by row from the top, and their deviations: as far as they are asked for."""
    return [
        " ".join([name, *(f"{value:.4f}" for value in values.ravel())])
        for name, values in ((key, owners.mean), (f"{key}Stdev", owners.deviation))
        if name in request.flags
    ]


def _in_10000(share: float) -> int:
    return round(10000 * min(1.0, max(0.0, share)))
