"""What GoGui can show on its board: the network's policy, value, ownership and input, and the search's visits.

GoGui asks `gogui-analyze_commands` for a list of ``type/label/command``, and shows what a command answers as its type
says: a cboard colours the points, an sboard labels them, a dboard draws squares from -1 (white) to 1 (black), a gfx
answers with drawing commands.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine.game import NAMES
from engine.protocol import SYNTAX_ERROR, GtpError, Reply
from engine.search_terms import Limits, Report
from engine.session import Session, policy_errors
from gocnn.go import BLACK, WHITE
from gocnn.go.ownership import ownership
from gocnn.go.planes import PLANE_SETS, of_board

#: The visits and the seconds of a search for a picture; what an analysis has found before counts.
VISITS, SECONDS = 200, 5.0

#: Points less probable than this stay without a colour.
FAINT = 0.002

#: Moves that the picture of the search names.
NAMED_MOVES = 10

#: What a network can have as its input; GoGui asks before there is one, and those with fewer planes refuse the last.
_INPUT = max(PLANE_SETS.values(), key=len).planes

VIEWS = (
    "cboard/Policy/gocnn-policy",
    "sboard/Policy in percent/gocnn-policy_percent",
    "string/Value/gocnn-value",
    "dboard/Ownership/gocnn-ownership",
    "dboard/Ownership by playouts/gocnn-ownership_playouts",
    "sboard/Search: visits/gocnn-visits",
    "gfx/Search: moves/gocnn-search",
    "var/Search: principal variation/gocnn-pv",
    "string/Final score/final_score",
    "plist/Dead stones/final_status_list dead",
    "plist/Stones in seki/final_status_list seki",
    "string/Rules/kata-get-rules",
    "none/Rules: Chinese/kata-set-rules chinese",
    "none/Rules: Japanese/kata-set-rules japanese",
    *(
        f"cboard/Input {number}: {name.replace('/', ' ')}/gocnn-input_plane {number}"
        for number, name in enumerate(_INPUT, 1)
    ),
)


class GoguiViews:
    """A handler for `engine.protocol.GtpEngine`."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def cmd_gogui__analyze_commands(self) -> str:
        """What there is to show."""
        return "\n".join(VIEWS)

    def cmd_gocnn__policy(self) -> str:
        """Colours: how probable each move is, from yellow to red on a scale of roots."""
        policy = self._policy()
        share = np.sqrt(policy / max(float(policy.max()), FAINT))
        return _board([['""' if p < FAINT else _heat(s) for p, s in zip(*rows)] for rows in zip(policy, share)])

    def cmd_gocnn__policy_percent(self) -> str:
        """Labels: how probable each move is, in percent."""
        return _board([['""' if p < 0.005 else f"{100 * p:.0f}" for p in row] for row in self._policy()])

    def _policy(self) -> np.ndarray:
        """float [size, size]: the probabilities of the legal points."""
        board = self.session.board
        with policy_errors():
            priors = self.session.player.priors(board)
        legal = board.legal_mask(board.to_move)
        return (priors * legal)[:-1].reshape(board.size, board.size)

    def cmd_gocnn__value(self) -> str:
        """Who is ahead, as the search has it, or the network if there was none."""
        found = self.session.run_search(None, limits=Limits(visits=1))
        side, lead = self._side, found.lead * self._side
        winrate = found.winrate if side == BLACK else 1 - found.winrate
        ahead = f"{NAMES[BLACK if lead >= 0 else WHITE]} leads by {abs(lead):.1f}, komi counted"
        return f"Black wins {100 * winrate:.1f} %; {ahead} ({found.visits} visits)"

    @property
    def _side(self) -> int:
        return self.session.board.to_move

    def cmd_gocnn__ownership(self) -> str:
        """Squares: whose each point will be, as the search has it, or the network if there was none."""
        found = self.session.run_search(None, limits=Limits(visits=1))
        return _squares(self._side * found.owner)

    def cmd_gocnn__ownership_playouts(self) -> str:
        """Squares: whose each point is at the end of random games."""
        return _squares(ownership(self.session.board))

    def cmd_gocnn__visits(self, reply: Reply) -> str:
        """Labels: the search's visits of each move."""
        size = self.session.board.size
        labels = np.full(size * size + 1, '""', object)
        for found in self._searched(reply).moves:
            labels[found.move] = str(found.visits) if found.visits else '""'
        return _board(labels[:-1].reshape(size, size))

    def cmd_gocnn__search(self, reply: Reply) -> str:
        """Drawing: the moves that were searched, coloured by their visits and labelled with their win rates."""
        found = self._searched(reply)
        off_board = self.session.board.pass_point
        moves = [move for move in found.moves[:NAMED_MOVES] if move.visits and move.move != off_board]
        most = max((move.visits for move in moves), default=1)
        name = self.session.name
        lines = [f"COLOR {_heat(np.sqrt(move.visits / most))} {name(move.move)}" for move in moves]
        lines += [f"LABEL {name(move.move)} {100 * move.winrate:.0f}" for move in moves]
        best = name(found.moves[0].move) if found.moves else "none"
        ahead = f"{NAMES[self._side]} wins {100 * found.winrate:.1f} %, leads by {found.lead:.1f}"
        lines.append(f"TEXT {ahead}, best {best}, {found.visits} visits")
        return "\n".join(lines)

    def cmd_gocnn__pv(self, reply: Reply) -> str:
        """Moves: what the search expects."""
        moves = self._searched(reply).moves
        return self.session.names(moves[0].pv) if moves else ""

    def _searched(self, reply: Reply) -> Report:
        limits = Limits(visits=VISITS, seconds=SECONDS)
        return self.session.run_search(None, limits=limits, stop=lambda: reply.interrupted)

    def cmd_gocnn__input_plane(self, number: int) -> str:
        """Colours: an input plane of the network, counted from 1; green is 1 and red is -1."""
        plane_set = self.session.network.plane_set
        if not 1 <= number <= len(plane_set):
            raise GtpError(f"the network has {len(plane_set)} input planes" if number > 0 else SYNTAX_ERROR)
        plane = of_board(self.session.board, plane_set)[number - 1]
        colours = {0: '""', 1: "green", -1: "red"}
        return _board([[colours[int(value)] for value in row] for row in plane])


def _heat(share: float) -> str:
    """A colour for 0 to 1: pale yellow over orange to dark red."""
    share = float(min(1.0, max(0.0, share)))
    low, high = ((255, 250, 200), (255, 150, 40)) if share < 0.5 else ((255, 150, 40), (190, 0, 20))
    part = 2 * share if share < 0.5 else 2 * share - 1
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(low, high))


def _board(rows: Iterable[Iterable[str]]) -> str:
    return "\n" + "\n".join(" ".join(row) for row in rows)


def _squares(values: np.ndarray) -> str:
    return _board([[f"{value:.3f}" for value in row] for row in values])
