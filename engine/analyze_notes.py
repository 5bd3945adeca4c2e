"""An analysed game in words: the notes of its SGF file, its tables on the screen, and JSON for machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.analyze import Judgement, Loss, Standing, Summary, summarise, worst
from engine.game import NAMES
from gocnn.go import BLACK
from gocnn.go.coords import point_to_gtp, points_to_gtp

if TYPE_CHECKING:
    from rich.console import Console


def _ahead(colour: int, standing: Standing | None) -> str:
    """Who is ahead, by how `colour` stands; "" if nobody can say."""
    if standing is None:
        return ""
    ahead = NAMES[colour if standing.lead >= 0 else -colour]
    chance = for_black(colour, standing).winrate
    return f"Black wins {100 * chance:.0f} %, {ahead} leads by {abs(standing.lead):.1f}"


def for_black(colour: int, standing: Standing) -> Standing:
    """How Black stands, by how `colour` does."""
    return standing if colour == BLACK else standing.opposite()


def move_note(judgement: Judgement, size: int) -> str:
    """The notes of a move, several lines."""
    before = judgement.before
    lines = [_ahead(judgement.colour, judgement.after)]
    lines.append(
        f"{point_to_gtp(judgement.point, size)} is choice {judgement.rank} of the network "
        f"({_small(judgement.probability)})"
    )
    if judgement.point == before.best:
        lines.append("the engine's move, too")
    else:
        lost = _loss(judgement.lost)
        lines.append(
            f"the engine plays {point_to_gtp(before.best, size)} "
            f"({100 * before.priors[before.best]:.1f} %){'; ' + lost if lost else ''}"
        )
    if judgement.mistake:
        lines.append(f"its line: {points_to_gtp(before.line, size)}")
    return "\n".join(line for line in lines if line)


def _loss(lost: Loss | None) -> str:
    return "" if lost is None else f"loses {lost.points:.1f} points and {100 * lost.winrate:.1f} % of winning"


def variation_note(judgement: Judgement, size: int) -> tuple[str, str]:
    """The name and the notes of the engine's line instead of a mistake."""
    before = judgement.before
    there = _ahead(judgement.colour, before.standing)
    name = f"instead of {point_to_gtp(judgement.point, size)}"
    return name, "\n".join(
        line for line in (there, f"line: {points_to_gtp(before.line, size)}", _loss(judgement.lost)) if line
    )


def properties(judgement: Judgement) -> dict[str, str]:
    """SGF properties of a move: V, Black's lead; SBKV, Black's chance to win in percent, for Sabaki's graph; HO."""
    found: dict[str, str] = {}
    if judgement.after is not None:
        black = for_black(judgement.colour, judgement.after)
        found["SBKV"] = f"{100 * black.winrate:.2f}"
        found["V"] = f"{black.lead:.1f}"
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
    lost = _loss(judgement.lost)
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

    known = any(judgement.lost is not None for judgement in judgements)
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
        before, left, lost = judgement.before, judgement.after, judgement.lost
        cells = [str(judgement.number), point_to_gtp(judgement.point, size), str(judgement.rank)]
        best = point_to_gtp(before.best, size)
        if before.standing is not None and left is not None and lost is not None:
            cells += [
                best,
                f"{lost.points:.1f}",
                _percent(lost.winrate, 1),
                f"{100 * before.standing.winrate:.0f}→{_percent(left.winrate)}",
                f"{before.standing.lead:+.1f}→{left.lead:+.1f}",
            ]
        else:
            cells += [_small(judgement.probability), best, _percent(float(before.priors[before.best]), 1)]
        table.add_row(*cells)
    return table


def as_json(judgements: Sequence[Judgement], size: int) -> list[dict[str, Any]]:
    """Each move for machines: vertices as in GTP, chances 0 to 1, everything from the mover's view."""

    def vertex(point: int) -> str:
        return point_to_gtp(point, size)

    def move(judgement: Judgement) -> dict[str, Any]:
        before, left, lost = judgement.before, judgement.after, judgement.lost
        return {
            "number": judgement.number,
            "colour": NAMES[judgement.colour].lower(),
            "move": vertex(judgement.point),
            "best": vertex(before.best),
            "line": [vertex(point) for point in before.line],
            "rank": judgement.rank,
            "probability": round(judgement.probability, 5),
            "first_choice": vertex(judgement.first),
            "winrate_before": before.standing and round(before.standing.winrate, 5),
            "winrate": left and round(left.winrate, 5),
            "winrate_lost": lost and round(lost.winrate, 5),
            "lead_before": before.standing and round(before.standing.lead, 2),
            "lead": left and round(left.lead, 2),
            "points_lost": lost and round(lost.points, 2),
            "mistake": judgement.mistake,
        }

    return [move(judgement) for judgement in judgements]
