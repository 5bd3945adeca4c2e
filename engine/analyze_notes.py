"""An analysed game in words: the notes of its SGF file, its tables on the screen, and JSON for machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.analyze import Judgement, Summary, summarise, worst
from engine.game import NAMES
from gocnn.go import BLACK
from gocnn.go.coords import point_to_gtp

if TYPE_CHECKING:
    from rich.console import Console


def standing(colour: int, winrate: float | None, lead: float | None) -> str:
    """Who is ahead, by numbers of `colour`'s; "" if nobody can say."""
    if winrate is None or lead is None:
        return ""
    ahead = NAMES[colour if lead >= 0 else -colour]
    return f"Black wins {100 * for_black(colour, winrate):.0f} %, {ahead} leads by {abs(lead):.1f}"


def for_black(colour: int, winrate: float) -> float:
    """A chance to win of `colour`'s as Black's."""
    return winrate if colour == BLACK else 1 - winrate


def move_note(judgement: Judgement, size: int) -> str:
    """The notes of a move, several lines."""
    before = judgement.before
    lines = [standing(judgement.colour, judgement.winrate, judgement.lead)]
    lines.append(
        f"{point_to_gtp(judgement.point, size)} is choice {judgement.rank} of the network "
        f"({_small(judgement.probability)})"
    )
    if judgement.point == before.best:
        lines.append("the engine's move, too")
    else:
        lost = _loss(judgement)
        lines.append(
            f"the engine plays {point_to_gtp(before.best, size)} "
            f"({100 * before.priors[before.best]:.1f} %){'; ' + lost if lost else ''}"
        )
    if judgement.mistake:
        lines.append(f"its line: {_line(before.line, size)}")
    return "\n".join(line for line in lines if line)


def _loss(judgement: Judgement) -> str:
    if judgement.points_lost is None or judgement.winrate_lost is None:
        return ""
    return f"loses {judgement.points_lost:.1f} points and {100 * judgement.winrate_lost:.1f} % of winning"


def _line(points: Sequence[int], size: int) -> str:
    return " ".join(point_to_gtp(point, size) for point in points)


def variation_note(judgement: Judgement, size: int) -> tuple[str, str]:
    """The name and the notes of the engine's line instead of a mistake."""
    before = judgement.before
    there = standing(judgement.colour, before.winrate, before.lead)
    name = f"instead of {point_to_gtp(judgement.point, size)}"
    return name, "\n".join(line for line in (there, f"line: {_line(before.line, size)}", _loss(judgement)) if line)


def properties(judgement: Judgement) -> dict[str, str]:
    """SGF properties of a move: V, Black's lead; SBKV, Black's chance to win in percent, for Sabaki's graph; HO."""
    found: dict[str, str] = {}
    if judgement.winrate is not None and judgement.lead is not None:
        found["SBKV"] = f"{100 * for_black(judgement.colour, judgement.winrate):.2f}"
        found["V"] = f"{judgement.lead * judgement.colour:.1f}"
    if judgement.mistake:
        found["HO"] = "1"
    return found


def game_note(judgements: Sequence[Judgement], size: int, how: str, count: int) -> str:
    """The notes of the root: how it was done, the players' numbers and their worst mistakes."""
    lines = [f"analysed with {how}"]
    for colour, name in NAMES.items():
        lines.append(f"{name}: {_in_words(summarise(judgements, colour))}")
        lines += [f"  {_in_one_line(judgement, size)}" for judgement in worst(judgements, colour, count)]
    return "\n".join(lines)


def _in_words(summary: Summary) -> str:
    if not summary.moves:
        return "no moves"
    words = [f"{summary.moves} moves", f"{_percent(summary.first_choice)} the network's first choice"]
    if summary.points_lost is not None:
        words.append(f"{summary.points_lost:.2f} points lost a move")
    noun = "surprise" if summary.points_lost is None else "mistake"
    words.append(f"{summary.mistakes} {noun}{'s' * (summary.mistakes != 1)}")
    return ", ".join(words)


def _in_one_line(judgement: Judgement, size: int) -> str:
    played, best = (point_to_gtp(point, size) for point in (judgement.point, judgement.before.best))
    lost = _loss(judgement)
    return f"move {judgement.number} {played}, " + (f"better {best}: {lost}" if lost else f"expected {best}")


def _percent(share: float | None, digits: int = 0) -> str:
    return "" if share is None else f"{100 * share:.{digits}f} %"


def _small(share: float) -> str:
    """A share with two digits, however small, as far as anyone wants to know."""
    return "< 0.001 %" if share < 1e-5 else f"{100 * share:.2g} %"


def print_tables(
    judgements: Sequence[Judgement], size: int, players: dict[int, str], count: int, console: Console
) -> None:
    """The players' numbers, and a table of the worst mistakes of each."""
    from rich.table import Table
    from rich.text import Text

    known = any(judgement.points_lost is not None for judgement in judgements)
    table = Table(title="The players", title_justify="left")
    table.add_column("", overflow="fold")
    headings = ["moves", "top 1", "top 5", "prob."]
    headings += ["points a move", "mistakes"] if known else ["surprises"]
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for colour, player in players.items():
        numbers = summarise(judgements, colour)
        cells = [str(numbers.moves), *(_percent(x, 1) for x in (numbers.first_choice, numbers.top_five))]
        cells.append(_percent(numbers.probability, 1))
        if known:
            cells.append("" if numbers.points_lost is None else f"{numbers.points_lost:.2f}")
        table.add_row(Text(player), *cells, str(numbers.mistakes))
    console.print(table)
    for colour, player in players.items():
        mistakes = worst(judgements, colour, count)
        if mistakes:
            console.print(_mistakes(mistakes, size, player, known))
        else:
            console.print(f"{player}: no {'mistakes' if known else 'surprises'}", highlight=False, markup=False)


def _mistakes(mistakes: Sequence[Judgement], size: int, player: str, known: bool) -> Any:
    from rich.table import Table
    from rich.text import Text

    title = f"The worst mistakes of {player}, and what they lost" if known else f"The greatest surprises of {player}"
    table = Table(title=Text(title), title_justify="left")
    headings = ["move", "played", "rank"]
    headings += ["better", "points", "winning", "chance", "lead"] if known else []
    headings += [] if known else ["probability", "expected", "its probability"]
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True, min_width={"lead": 12, "chance": 7}.get(heading))
    for judgement in mistakes:
        before = judgement.before
        cells = [str(judgement.number), point_to_gtp(judgement.point, size), str(judgement.rank)]
        best = point_to_gtp(before.best, size)
        if known:
            cells += [
                best,
                f"{judgement.points_lost:.1f}",
                _percent(judgement.winrate_lost, 1),
                f"{100 * (before.winrate or 0):.0f}→{_percent(judgement.winrate)}",
                f"{before.lead:+.1f}→{judgement.lead:+.1f}",
            ]
        else:
            cells += [_small(judgement.probability), best, _percent(float(before.priors[before.best]), 1)]
        table.add_row(*cells)
    return table


def as_json(judgements: Sequence[Judgement], size: int) -> list[dict[str, Any]]:
    """Each move for machines: vertices as in GTP, chances 0 to 1, everything from the mover's view."""

    def vertex(point: int) -> str:
        return point_to_gtp(point, size)

    return [
        {
            "number": judgement.number,
            "colour": NAMES[judgement.colour].lower(),
            "move": vertex(judgement.point),
            "best": vertex(judgement.before.best),
            "line": [vertex(point) for point in judgement.before.line],
            "rank": judgement.rank,
            "probability": _rounded(judgement.probability),
            "first_choice": vertex(judgement.first),
            "winrate_before": _rounded(judgement.before.winrate),
            "winrate": _rounded(judgement.winrate),
            "winrate_lost": _rounded(judgement.winrate_lost),
            "lead_before": _rounded(judgement.before.lead, 2),
            "lead": _rounded(judgement.lead, 2),
            "points_lost": _rounded(judgement.points_lost, 2),
            "mistake": judgement.mistake,
        }
        for judgement in judgements
    ]


def _rounded(number: float | None, digits: int = 5) -> float | None:
    return None if number is None else round(float(number), digits)
