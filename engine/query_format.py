"""Answers to the queries of `engine.queries`, as JSON objects of the form that KataGo's analysis engine gives them."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from engine.analysis_format import score_spread
from engine.queries import Task
from engine.search_terms import MoveReport, Owners, Report
from gocnn.go import BLACK, Board
from gocnn.go.coords import point_to_gtp
from gocnn.go.symmetry import SYMMETRIES, point_maps

Answer = dict[str, Any]


def answer(task: Task, report: Report, *, during: bool, human: np.ndarray | None = None) -> Answer:
    """What a search found of a task's position; `during` says that it goes on.

    `human` float [N*N + 1] is how likely each move is one of the people that the task asks for.
    """
    board = task.board
    legal = board.legal_mask(board.to_move)
    side = 1 if task.settings.perspective in (0, board.to_move) else -1
    moves = [move for move in report.moves if move.visits]
    told: Answer = {
        "id": task.query,
        "isDuringSearch": during,
        "moveInfos": [_move(move, order, task, side, report.owner, human) for order, move in enumerate(moves)],
        "rootInfo": {
            "currentPlayer": "B" if board.to_move == BLACK else "W",
            **_hashes(board),
            **_values(report.winrate, report.lead, report.owner, side),
            "visits": report.visits,
            "weight": report.visits,
            **_no_result(task),
        },
        "turnNumber": task.turn,
        **_owners(report.owners, task, side, "ownership"),
    }
    if "policy" in task.parts:
        told["policy"] = _policy(report.priors, legal)
    if human is not None:
        told["humanPolicy"] = _policy(human, legal)
    return told


def given_up(task: Task) -> Answer:
    """What is said of a position that was to be left alone before it was looked at."""
    return {"id": task.query, "isDuringSearch": False, "noResults": True, "turnNumber": task.turn}


def _move(move: MoveReport, order: int, task: Task, side: int, root: np.ndarray, human: np.ndarray | None) -> Answer:
    size = task.board.size
    lcb = move.lcb if side > 0 else 1 - move.lcb  # to the other side it is a bound from above
    told: Answer = {
        "move": point_to_gtp(move.move, size),
        "order": order,
        "visits": move.visits,
        **dict.fromkeys(("edgeVisits", "weight", "edgeWeight", "playSelectionValue"), move.visits),
        "prior": _rounded(move.prior),
        "lcb": _rounded(lcb),
        "utilityLcb": _rounded(2 * lcb - 1),
        **_values(move.winrate, move.lead, root if move.owners is None else move.owners.mean, side),
        "pv": [point_to_gtp(point, size) for point in move.pv[: task.most_moves]],
        **_no_result(task),
    }
    if human is not None:
        told["humanPrior"] = _rounded(human[move.move])
    if "pvVisits" in task.parts:
        visits = {"pvVisits": move.pv_visits, "pvEdgeVisits": move.pv_edge_visits}
        told |= {name: list(counts[: task.most_moves]) for name, counts in visits.items()}
    return told | _owners(move.owners, task, side, "movesOwnership")


def _values(winrate: float, lead: float, owner: np.ndarray, side: int) -> Answer:
    """Of the player to move (`side` 1) or of the other (-1). Utility is the win rate from -1 to 1."""
    winrate, lead = (winrate, lead) if side > 0 else (1 - winrate, -lead)
    return {
        "winrate": _rounded(winrate),
        "utility": _rounded(2 * winrate - 1),
        **{name: _rounded(lead) for name in ("scoreLead", "scoreMean", "scoreSelfplay")},
        "scoreStdev": _rounded(score_spread(owner)),
    }


def _no_result(task: Task) -> Answer:
    """How likely it is that the game ends without a result: by the rules played by here, it never does."""
    return {"noResultValue": 0.0} if "noResult" in task.parts else {}


def _owners(owners: Owners | None, task: Task, side: int, part: str) -> Answer:
    """Who owns each point, row by row from the top, as far as the task asks for this part of PARTS and its deviations.

    In the answer they are ``ownership`` of the position as of each move.
    """
    if owners is None:
        return {}
    parts = {"": side * owners.mean, "Stdev": owners.deviation}
    return {
        f"ownership{suffix}": [round(float(value), 4) for value in values.ravel()]
        for suffix, values in parts.items()
        if part + suffix in task.parts
    }


def _policy(policy: np.ndarray, legal: np.ndarray) -> list[float]:
    """Probabilities of all points and the pass, -1 for what is illegal."""
    return [_rounded(share) if allowed else -1.0 for share, allowed in zip(policy, legal, strict=True)]


def _hashes(board: Board) -> Answer:
    """A name of the position, and one that its turned and mirrored images share."""
    points = board.stones.ravel()
    if board.ko_point is not None:
        points[board.ko_point] = 2
    head = bytes([board.size, board.to_move + 1])
    views = []
    for there in point_maps(board.size)[:SYMMETRIES, :-1]:
        turned = np.empty_like(points)
        turned[there] = points
        views.append(head + turned.tobytes())
    this, least = (hashlib.blake2b(view, digest_size=16).hexdigest().upper() for view in (views[0], min(views)))
    return {"thisHash": this, "symHash": least}


def _rounded(value: float) -> float:
    return round(float(value), 6)
