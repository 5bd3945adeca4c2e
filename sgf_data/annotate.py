"""One game of an SGF file, replayed move by move and written back with notes.

The tree is kept as raw bytes (sgfmill's grammar), so that what is not ours comes out as it went in: comments,
variations, unknown properties, and text in whatever encoding it has. Notes are ASCII, which is the same in all of them.

A block of notes in a comment begins with a line that starts with MARK, and a variation of ours has a name that does;
both are taken out before new ones are added, so that a file may be annotated again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sgfmill import sgf_grammar
from sgfmill.sgf_grammar import Coarse_game_tree

from gocnn.go import BLACK, EMPTY, WHITE, Board, IllegalMove
from gocnn.go.coords import point_to_sgf, sgf_to_point
from sgf_data import encoding, values

MARK = "gocnn: "

_OURS = re.compile(rb"(?:\A|\s*\n)" + MARK.encode() + rb".*\Z", re.DOTALL)
_COLOURS = {"B": BLACK, "W": WHITE}
_LETTERS = {BLACK: "B", WHITE: "W"}
_SETUP = {"AB": BLACK, "AW": WHITE, "AE": EMPTY}

Properties = dict[str, list[bytes]]


@dataclass
class _Node:
    """A node of the main line, and the variations that begin after it."""

    properties: Properties
    others: list[Coarse_game_tree] = field(default_factory=list)


@dataclass(frozen=True)
class Step:
    """A move of the main line. `board` stands before it, with the mover to move."""

    number: int  # from 1
    colour: int
    point: int
    board: Board
    node: int  # its place on the main line, from 0


class AnnotatedGame:
    """The main line of a game, to be read and to be given notes."""

    def __init__(self, tree: Coarse_game_tree, structure: encoding.Structure) -> None:
        """Raises ValueError if it is no game of Go, on no square board, or its first move is illegal."""
        self._structure = structure
        self._nodes = _main_line(tree)
        for node in self._nodes:
            _take_out_notes(node)
        root = self._nodes[0].properties
        if self._text("GM").strip().lower() not in ("", "1", "go"):
            raise ValueError(f"not a game of Go: GM[{self._text('GM')}]")
        size = values.board_size(self._text("SZ"))
        if size is None or not 2 <= size <= 25:
            raise ValueError(f"not a square board of 2 to 25: SZ[{self._text('SZ')}]")
        self.size = size
        self.komi = values.komi(self._text("KM"))
        self.black, self.white = self._text("PB").strip(), self._text("PW").strip()
        self.black_rank, self.white_rank = self._text("BR").strip(), self._text("WR").strip()
        self.result = self._text("RE").strip()
        self.date, self.event = self._text("DT").strip(), self._text("EV").strip()
        self.stopped: str | None = None  # why the rest of the game is left out
        self.steps, self.final = self._replay()
        black = sum(_points(value, size) != [] for value in root.get("AB", []))
        self.handicap = values.count(self._text("HA")) or (black if black > 1 and "AW" not in root else 0)

    def _text(self, name: str) -> str:
        """The value of a root property as text, "" if there is none."""
        value = self._nodes[0].properties.get(name, [b""])[0]
        if self._structure.encoding is not None:
            charset = "utf-8"
        else:
            every = (v for node in self._nodes for found in node.properties.values() for v in found)
            charset = encoding.text_encoding(every, self._nodes[0].properties.get("CA", [b""])[0])
        return sgf_grammar.simpletext_value(value).decode(charset, "replace")

    def _replay(self) -> tuple[list[Step], Board]:
        board = Board(self.size, ko="simple")
        steps: list[Step] = []
        for place, node in enumerate(self._nodes):
            _set_up(board, node.properties)
            colour, value = _move(node.properties)
            if not colour:
                continue
            number = len(steps) + 1
            try:
                point = sgf_to_point(value.strip(), self.size)
                board.to_move = colour
                before = board.copy()
                board.play(colour, point)
            except ValueError as error:
                reason = error.reason if isinstance(error, IllegalMove) else str(error)
                self.stopped = f"move {number} is illegal ({reason})"
                if not steps:
                    raise ValueError(self.stopped) from None
                break
            steps.append(Step(number, colour, point, before, place))
        return steps, board

    def note(self, node: int, text: str, **properties: str) -> None:
        """Add ASCII notes to the comment of a node of the main line, below what it says already, and properties.

        `text` is without MARK; a property that the node has is replaced.
        """
        there = self._nodes[node].properties
        ours = sgf_grammar.escape_text((MARK + text).encode("ascii"))
        theirs = there.get("C", [b""])[0]
        there["C"] = [theirs + b"\n\n" + ours if theirs.strip() else ours]
        for name, value in properties.items():
            there[name] = [sgf_grammar.escape_text(value.encode("ascii"))]

    def add_variation(self, step: Step, points: Sequence[int], name: str, text: str) -> None:
        """Add a line that begins instead of a move, after the variations there are; its first node gets the notes."""
        sequence: list[Properties] = []
        colour = step.colour
        for point in points:
            sequence.append({_LETTERS[colour]: [point_to_sgf(point, self.size).encode()]})
            colour = -colour
        sequence[0]["N"] = [sgf_grammar.escape_text((MARK + name).encode("ascii"))]
        sequence[0]["C"] = [sgf_grammar.escape_text((MARK + text).encode("ascii"))]
        tree = Coarse_game_tree()
        tree.sequence = sequence
        self._nodes[step.node - 1].others.append(tree)

    def to_bytes(self) -> bytes:
        """The game as an SGF file, in the encoding it was read in."""
        structure: encoding.Structure | None = self._structure
        data = bytes(sgf_grammar.serialise_game_tree(_tree(self._nodes)))
        while structure is not None:
            if structure.encoding is not None:
                data = data.decode("utf-8", "replace").encode(structure.encoding, "replace")
            structure = structure.within
        return data


def read_annotated(data: bytes, number: int | None = None) -> tuple[AnnotatedGame, int]:
    """Game `number` (from 1; None: the first) of an SGF file, and how many games the file has.

    Raises ValueError with the reason if the file is no SGF, has no such game, or the game can't be replayed.
    """
    file = encoding.eight_bit(data)
    trees: list[Coarse_game_tree] = []
    problem = "no SGF data found"
    for structure in sorted(encoding.structures(file, 0, len(file.data)), key=_changes_text):
        try:
            trees = sgf_grammar.parse_sgf_collection(structure.data)
        except ValueError as error:
            problem = str(error)
        else:
            break
    if not trees:
        raise ValueError(problem)
    wanted = 1 if number is None else number
    if not 1 <= wanted <= len(trees):
        raise ValueError(f"there is no game {wanted}; the file has {len(trees)}")
    return AnnotatedGame(trees[wanted - 1], structure), len(trees)


def _changes_text(structure: encoding.Structure) -> bool:
    """Whether some of the file's bytes would be lost on the way back."""
    if structure.encoding is None or structure.within is None:
        return False
    back = structure.data.decode("utf-8").encode(structure.encoding, "replace")
    return back != structure.within.data[structure.start : structure.start + len(back)]


def _main_line(tree: Coarse_game_tree) -> list[_Node]:
    nodes: list[_Node] = []
    branch: Coarse_game_tree | None = tree
    while branch is not None:
        for properties in branch.sequence:
            nodes += _split(properties)
        nodes[-1].others = list(branch.children[1:])
        branch = branch.children[0] if branch.children else None
    if _move(nodes[0].properties)[0]:  # a move in the root, where nothing can stand instead of it
        root, move = nodes[0].properties, nodes[0]
        nodes.insert(0, _Node({name: found for name, found in root.items() if name not in _COLOURS}))
        move.properties = {name: found for name, found in root.items() if name in _COLOURS}
    return nodes


def _split(properties: Properties) -> list[_Node]:
    """The node; two where it has moves of both colours, in the order they are written."""
    moves = [name for name in properties if name in _COLOURS]
    rest = [_Node({name: properties[name]}) for name in moves[1:]]
    return [_Node({name: found for name, found in properties.items() if name not in moves[1:]}), *rest]


def _tree(nodes: Iterable[_Node]) -> Coarse_game_tree:
    """The whole tree again."""
    root = branch = Coarse_game_tree()
    for node in nodes:
        branch.sequence.append(node.properties)
        if node.others:
            rest = Coarse_game_tree()
            branch.children = [rest, *node.others]
            branch = rest
    return root


def _take_out_notes(node: _Node) -> None:
    """Take out what an earlier annotation has put in."""
    mark = MARK.encode()
    node.others = [tree for tree in node.others if not tree.sequence[0].get("N", [b""])[0].startswith(mark)]
    comment = node.properties.get("C")
    if comment and _OURS.search(comment[0]):
        left = _OURS.sub(b"", comment[0])
        if left.strip():
            node.properties["C"] = [left]
        else:
            del node.properties["C"]


def _move(properties: Properties) -> tuple[int, bytes]:
    """The colour of a node's move, 0 if it has none, and its raw value."""
    for name, colour in _COLOURS.items():
        if name in properties:
            return colour, properties[name][0]
    return 0, b""


def _set_up(board: Board, properties: Properties) -> None:
    """Put a node's set-up stones on the board, and heed its PL. Raises ValueError for points off the board."""
    points: list[int] = []
    colours: list[int] = []
    for name, colour in _SETUP.items():
        for value in properties.get(name, []):
            placed = _points(value, board.size)
            points += placed
            colours += [colour] * len(placed)
    if points:
        board.setup(points, colours)
        if not board.moves and BLACK in colours and WHITE not in colours:
            board.to_move = WHITE
    player = properties.get("PL", [b""])[0].strip().upper()[:1].decode("latin-1")
    if player in _COLOURS:
        board.to_move = _COLOURS[player]


def _points(value: bytes, size: int) -> list[int]:
    """The points of a set-up value: one, a rectangle (``aa:cc``), or none. Raises ValueError for others."""
    if not value.strip():
        return []
    corners = [sgf_to_point(corner.strip(), size) for corner in value.split(b":")]
    if len(corners) > 2 or max(corners) == size * size:
        raise ValueError(f"not a point of a {size}x{size} board: {value[:20].decode('latin-1')!r}")
    (top, left), (bottom, right) = divmod(corners[0], size), divmod(corners[-1], size)
    rows, cols = range(min(top, bottom), max(top, bottom) + 1), range(min(left, right), max(left, right) + 1)
    return [row * size + col for row in rows for col in cols]
