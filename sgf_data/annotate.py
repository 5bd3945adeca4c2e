"""One game of an SGF file, replayed move by move and written back with notes.

Notes are ASCII, which is the same in all encodings that a file may have.

A block of notes in a comment is a line that starts with MARK and those below it that are worded as ours; a variation of
ours has a name that starts so. Both are taken out before new ones are added, so that a file may be annotated again, but
nothing that somebody has added to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sgfmill import sgf_grammar
from sgfmill.sgf_grammar import Coarse_game_tree

from gocnn.go import BLACK, EMPTY, WHITE, Board, IllegalMove
from gocnn.go.coords import point_to_sgf, sgf_to_point
from gocnn.go.handicap import handicap_of
from sgf_data import encoding
from sgf_data.mainline import COLOURS, MainLine, Node, Properties, as_tree, move_of, parse

MARK = "gocnn: "

#: The properties that a move gets beside its notes.
OF_MOVES = ("HO", "SBKV", "V")

_POINT = r"(?:[A-Z]\d+|pass)"
_LOSS = r"loses [\d.]+ points and [\d.]+ % of winning"
#: What `engine.analyze_notes` writes below the first line of a block.
_WORDINGS = (
    rf"{_POINT} is choice \d+ of the network \([^)\n]*\)",
    r"the engine's move, too",
    rf"the engine plays {_POINT} \([^)\n]*\)(?:; {_LOSS})?",
    rf"(?:its )?line:(?: {_POINT})+",
    _LOSS,
    r"(?:Black|White): (?:no moves|\d+ moves, \d+ % the network's first choice"
    r"(?:, [\d.]+ points lost a move)?, \d+ (?:mistake|surprise)s?)",
    rf"  move \d+ {_POINT}, (?:better {_POINT}: {_LOSS}|expected {_POINT})",
)
_OURS = re.compile(
    rf"(?:\A|\s*\n){MARK}[^\r\n]*(?:\r?\n(?:{'|'.join(_WORDINGS)})[ \t]*(?=[\r\n]|\Z))*[ \t\r]*".encode()
)
_LINE = re.compile(rf"\bline:((?: {_POINT})+)".encode())
_LETTERS = {BLACK: "B", WHITE: "W"}


@dataclass(frozen=True)
class Step:
    """A move of the main line. `board` stands before it, with the mover to move."""

    number: int  # from 1
    colour: int
    point: int
    board: Board
    node: int  # its place on the main line, from 0


class AnnotatedGame(MainLine):
    """The main line of a game, to be read and to be given notes."""

    def __init__(
        self,
        tree: Coarse_game_tree,
        structure: encoding.Structure,
        allows_suicide: Callable[[str], bool] = lambda rules: False,
    ) -> None:
        """`allows_suicide` says it of rules by their name in RU.

        Raises ValueError if it is no game of Go, on no square board, or its first move is illegal.
        """
        super().__init__(tree, structure)
        for node in self._nodes:
            _take_out_notes(node)
        self.stopped: str | None = None  # why the rest of the game is left out
        self.steps, self.final = self._replay(allows_suicide(self.rules))

    @property
    def handicap_stones(self) -> int:
        """The handicap of any record, else the stones that Black played one after the other before White moved."""
        before = self.steps[0].board.stones if self.steps else self.final.stones
        moves = [(step.colour, step.point) for step in self.steps]
        return self.handicap or handicap_of(before[before != EMPTY].tolist(), moves, self.size)

    def _replay(self, suicide: bool) -> tuple[list[Step], Board]:
        board = Board(self.size, ko="simple", suicide=suicide)
        steps: list[Step] = []
        for place, event in enumerate(self.events()):
            if event.points:
                board.setup(event.points, event.colours)
            board.to_move = event.to_move or board.to_move
            if not event.colour:
                continue
            number = len(steps) + 1
            try:
                point = sgf_to_point(event.move, self.size)
                board.to_move = event.colour
                before = board.copy()
                board.play(event.colour, point)
            except ValueError as error:
                reason = error.reason if isinstance(error, IllegalMove) else str(error)
                self.stopped = f"move {number} is illegal ({reason})"
                if not steps:
                    raise ValueError(self.stopped) from None
                break
            steps.append(Step(number, event.colour, point, before, place))
        return steps, board

    def note(self, node: int, text: str, **properties: str) -> None:
        """Add ASCII notes to the comment of a node of the main line, below what it says already, and properties.

        `text` is without MARK, and other characters in it are written as escapes; a property that the node has is
        replaced. Only lines as in `engine.analyze_notes` are known as ours again.
        """
        there = self._nodes[node].properties
        ours = _escaped(MARK + text)
        theirs = _comment(there)
        there["C"] = [theirs + b"\n\n" + ours if theirs.strip() else ours]
        for name, value in properties.items():
            there[name] = [_escaped(value)]

    def add_variation(self, step: Step, points: Sequence[int], name: str, text: str) -> None:
        """Add a line that begins instead of a move, after the variations there are; its first node gets the notes.

        These must tell the line, as in `engine.analyze_notes`: by it is known whether somebody has gone on from there.
        """
        sequence: list[Properties] = []
        colour = step.colour
        for point in points:
            sequence.append({_LETTERS[colour]: [point_to_sgf(point, self.size).encode()]})
            colour = -colour
        sequence[0]["N"] = [_escaped(MARK + name)]
        sequence[0]["C"] = [_escaped(MARK + text)]
        tree = Coarse_game_tree()
        tree.sequence = sequence
        self._nodes[step.node - 1].others.append(tree)

    def to_bytes(self) -> bytes:
        """The game as an SGF file, in the encoding it was read in."""
        structure: encoding.Structure | None = self._structure
        data = bytes(sgf_grammar.serialise_game_tree(as_tree(self._nodes)))
        while structure is not None:
            if structure.encoding is not None:
                data = data.decode("utf-8", "replace").encode(structure.encoding, "replace")
            structure = structure.within
        return data


def read_annotated(
    data: bytes, number: int | None = None, allows_suicide: Callable[[str], bool] = lambda rules: False
) -> tuple[AnnotatedGame, int | None]:
    """Game `number` (from 1; None: the first) of an SGF file, and how many games the file has (None: as in `parse`).

    Raises ValueError with the reason if the file is no SGF, has no such game, or the game can't be replayed.
    """
    tree, structure, games = parse(data, number)
    return AnnotatedGame(tree, structure, allows_suicide), games


def _escaped(text: str) -> bytes:
    return bytes(sgf_grammar.escape_text(text.encode("ascii", "backslashreplace")))


def _take_out_notes(node: Node) -> None:
    """Take out what an earlier annotation has put in; of a variation that was changed since, name and notes alone."""
    node.others = [tree for tree in node.others if not _is_ours(tree)]
    for tree in node.others:
        first = tree.sequence[0]
        if _is_named_by_us(first):
            first["N"] = [first["N"][0].removeprefix(MARK.encode())]
            _take_out_of_comment(first)
    if _take_out_of_comment(node.properties) and move_of(node.properties)[0]:
        for name in OF_MOVES:
            node.properties.pop(name, None)


def _take_out_of_comment(properties: Properties) -> bool:
    """Take our notes out of a node's comment; returns whether there were any."""
    comment = _comment(properties)
    left, blocks = _OURS.subn(b"", comment)
    if blocks and left.strip():
        properties["C"] = [left.lstrip(b"\r\n")]
    elif blocks:
        del properties["C"]
    return blocks > 0


def _comment(properties: Properties) -> bytes:
    """All comments of a node; it should have one, but some records have several."""
    return b"\n\n".join(properties.get("C", []))


def _is_named_by_us(properties: Properties) -> bool:
    return properties.get("N", [b""])[0].startswith(MARK.encode())


def _is_ours(tree: Coarse_game_tree) -> bool:
    """Whether a variation is as `add_variation` has made it."""
    first, *rest = tree.sequence
    comment = _comment(first)
    line = _LINE.search(comment)
    return (
        _is_named_by_us(first)
        and not tree.children
        and not _OURS.sub(b"", comment).strip()
        and line is not None
        and len(line[1].split()) == len(tree.sequence)
        and first.keys() <= {"N", "C", *COLOURS}
        and all(node.keys() <= COLOURS.keys() for node in rest)
    )
