"""Analysis in the formats that clients read: Leela Zero's, KataGo's and CGOS's.

What each writes on a line, all from the view of the player to move:

    lz-analyze    info move D4 visits 12 winrate 5120 prior 2100 lcb 4980 order 0 pv D4 Q16 info move ...
    kata-analyze  info move D4 visits 12 ... winrate 0.512000 scoreLead 1.25 ... pv D4 Q16 ... ownership 0.1 -0.2 ...
    cgos-analyze  {"winrate":0.512,"score":1.25,"visits":24,"moves":[{"move":"D4", ...}, ...],"ownership":"fgh..."}

Clients tell the first two apart by the point in the win rate, so a fraction always has one. `pv` comes last of a move,
for it is read to the end.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from engine.protocol import read_colour, read_int
from gocnn.go.coords import point_to_gtp

if TYPE_CHECKING:
    from engine.search import MoveReport, Report

#: Between two reports if the controller doesn't say, and the least that it may ask for.
INTERVAL, SHORTEST = 0.5, 0.02

#: CGOS writes an owner as one of 63 letters, -1 the first and +1 the last.
CGOS_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+"

#: KataGo's yes-or-no options. Those that we have nothing to say to are taken, and change nothing.
FLAGS = ("ownership", "rootInfo", "ownershipStdev", "movesOwnership", "movesOwnershipStdev", "pvVisits", "pvEdgeVisits")


@dataclass
class Request:
    """What an analysis command asks for. Times in seconds; `only` None: all moves."""

    colour: int | None = None
    interval: float | None = None
    least_moves: int = 0
    most_moves: int | None = None
    ownership: bool = False
    root_info: bool = False
    only: set[int] | None = None
    avoid: set[int] = field(default_factory=set)


def read_request(words: Sequence[str], to_move: int, vertex: Callable[[str], int]) -> Request:
    """Read ``[COLOUR] [CENTISECONDS] [KEY VALUE ...]``, as Leela Zero and KataGo define them.

    The keys are interval, maxmoves, minmoves, FLAGS, and ``allow|avoid COLOUR VERTEX,... DEPTH``, which hold for the
    next move if it is that colour's. Raises ValueError for anything else.
    """
    request, left = Request(), list(words)
    if left and left[0].lower() in ("b", "w", "black", "white"):
        request.colour = read_colour(left.pop(0))
    if left and left[0].isascii() and left[0].isdigit():
        request.interval = _interval(left.pop(0))
    while left:
        key = left.pop(0)
        if key in ("allow", "avoid"):
            if len(left) < 3:
                raise ValueError(f"{key} needs a colour, vertices and a depth")
            colour, chosen = read_colour(left[0]), {vertex(word) for word in left[1].split(",")}
            read_int(left[2])
            del left[:3]
            if colour != (request.colour or to_move):
                continue
            if key == "avoid":
                request.avoid |= chosen
            else:
                request.only = (request.only or set()) | chosen
        else:
            _set_option(request, key, left.pop(0) if left else "")
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
        wanted = value.lower() == "true"
        if key == "ownership":
            request.ownership = wanted
        elif key == "rootInfo":
            request.root_info = wanted
    else:
        raise ValueError(f"not an option of analysis: {key} {value}")


def _interval(text: str) -> float:
    centiseconds = read_int(text)
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
            f"pv {_line(found.pv, size)}"
        )

    parts = [one(found, order) for order, found in enumerate(_listed(report, request))]
    if request.ownership:
        parts.append(_ownership(report))
    return " ".join(parts)


def kata_line(report: Report, request: Request, size: int) -> str:
    """A report as KataGo writes it: win rates and priors are fractions, and the lead is in points.

    Utility is the win rate from -1 to 1. The spread of the score is that of independent points owned as the report
    says, which is less than the true one.
    """
    spread = math.sqrt(float((1 - np.square(report.owner, dtype=np.float64)).clip(0).sum()))

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
            f"pv {_line(found.pv, size)}"
        )
    if request.root_info:
        parts.append(f"rootInfo visits {report.visits} {values(report.winrate, report.lead)}")
    if request.ownership:
        parts.append(_ownership(report))
    return " ".join(parts)


def cgos_line(report: Report, request: Request, size: int) -> str:
    """A report as CGOS keeps it beside a move: one line of JSON. A move's `pv` is what follows it."""
    moves = [
        {
            "move": point_to_gtp(found.move, size),
            "visits": found.visits,
            "winrate": round(found.winrate, 4),
            "score": round(found.lead, 3),
            "prior": round(found.prior, 6),
            "pv": _line(found.pv[1:], size),
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


def _ownership(report: Report) -> str:
    """KataGo's owners of all points, row by row from the top."""
    return "ownership " + " ".join(f"{value:.4f}" for value in report.owner.ravel())


def _in_10000(share: float) -> int:
    return round(10000 * min(1.0, max(0.0, share)))


def _line(points: Sequence[int], size: int) -> str:
    return " ".join(point_to_gtp(point, size) for point in points)
