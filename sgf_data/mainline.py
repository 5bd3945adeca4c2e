"""The main line of one game of an SGF file, for whoever replays it or writes notes into it.

The tree is kept as raw bytes (sgfmill's grammar), so that what is not ours comes out as it went in: comments,
variations, unknown properties, and text in whatever encoding it has.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sgfmill import sgf_grammar
from sgfmill.sgf_grammar import Coarse_game_tree

from gocnn.go import BLACK, EMPTY, WHITE
from gocnn.go.coords import sgf_to_point
from sgf_data import encoding, names, values

COLOURS = {"B": BLACK, "W": WHITE}
_SETUP = {"AB": BLACK, "AW": WHITE, "AE": EMPTY}

Properties = dict[str, list[bytes]]


@dataclass
class Node:
    """A node of the main line, and the variations that begin after it."""

    properties: Properties
    others: list[Coarse_game_tree] = field(default_factory=list)


@dataclass(frozen=True)
class Event:
    """What a node does to the board: first its set-up, then its move."""

    points: list[int]  # set up
    colours: list[int]  # and their colours, EMPTY to take a stone off
    to_move: int  # whose turn it is after the set-up; 0 where the node does not say
    colour: int  # of the move; 0 if there is none
    move: bytes  # its raw value


class MainLine:
    """The main line of a game, and what its root says about it."""

    def __init__(self, tree: Coarse_game_tree, structure: encoding.Structure) -> None:
        """Raises ValueError if it is no game of Go, or on no square board of 2 to 25."""
        self._structure = structure
        self._nodes = _main_line(tree)
        if self._text("GM").strip().lower() not in ("", "1", "go"):
            raise ValueError(f"not a game of Go: GM[{self._text('GM')}]")
        size = values.board_size(self._text("SZ"))
        if size is None or not 2 <= size <= 25:
            raise ValueError(f"not a square board of 2 to 25: SZ[{self._text('SZ')}]")
        self.size = size
        self.komi = values.komi(self._text("KM"), self._text("AP"))
        self.black, self.white = self._text("PB").strip(), self._text("PW").strip()
        self.black_rank, self.white_rank = self._text("BR").strip(), self._text("WR").strip()
        self.result = self._text("RE").strip()
        self.rules = self._text("RU").strip()
        self.event = self._text("EV").strip()

    @property
    def handicap(self) -> int:
        """The handicap that is named, or the black stones in the root if there are several and no white ones.

        Raises ValueError for stones off the board.
        """
        root = self._nodes[0].properties
        black = sum(len(_points(value, self.size)) for value in root.get("AB", []))
        return values.count(self._text("HA")) or (black if black > 1 and "AW" not in root else 0)

    def events(self) -> Iterator[Event]:
        """What each node does to the board. Raises ValueError for set-up off the board."""
        moved = False
        for node in self._nodes:
            points: list[int] = []
            colours: list[int] = []
            for name, colour in _SETUP.items():
                for value in node.properties.get(name, []):
                    placed = _points(value, self.size)
                    points += placed
                    colours += [colour] * len(placed)
            player = node.properties.get("PL", [b""])[0].strip().upper()[:1].decode("latin-1")
            handicap = not moved and BLACK in colours and WHITE not in colours
            colour, move = move_of(node.properties)
            yield Event(points, colours, COLOURS.get(player, WHITE if handicap else 0), colour, move)
            moved |= bool(colour)

    def _text(self, name: str) -> str:
        """The value of a root property as text, "" if there is none."""
        value = self._nodes[0].properties.get(name, [b""])[0]
        if self._structure.is_utf8:
            charset = "utf-8"
        else:
            every = (v for node in self._nodes for found in node.properties.values() for v in found)
            charset = encoding.text_encoding([value], every, self._nodes[0].properties.get("CA", [b""])[0])
        return sgf_grammar.simpletext_value(value).decode(charset, "replace")


def parse(data: bytes, number: int | None = None) -> tuple[Coarse_game_tree, encoding.Structure, int | None]:
    """Game `number` (from 1; None: the first) of an SGF file, how its bytes are to be read, and how many games it has.

    How many is None where the first is whole and something below it can't be read. Raises ValueError with the reason if
    the file is no SGF or has no such game.
    """
    file = encoding.eight_bit(data)
    trees: list[Coarse_game_tree] = []
    is_whole = True
    problem = "no SGF data found"
    for structure in sorted(encoding.structures(file, 0, len(file.data)), key=_changes_text):
        data, odd_names = names.spelled(structure.data)
        try:
            trees = sgf_grammar.parse_sgf_collection(data)
            break
        except ValueError as error:
            problem = str(error)
        if number is None:  # the first game may be whole where a later one is not
            with contextlib.suppress(ValueError):
                trees, is_whole = [sgf_grammar.parse_sgf_game(data)], False
                break
    if not trees:
        raise ValueError(problem)
    wanted = 1 if number is None else number
    if not 1 <= wanted <= len(trees):
        raise ValueError(f"there is no game {wanted}; the file has {len(trees)}")
    names.restore(trees[wanted - 1], odd_names)
    return trees[wanted - 1], structure, len(trees) if is_whole else None


def move_of(properties: Properties) -> tuple[int, bytes]:
    """The colour of a node's move, 0 if it has none, and its raw value."""
    for name, colour in COLOURS.items():
        if name in properties:
            return colour, properties[name][0].strip()
    return 0, b""


def _changes_text(structure: encoding.Structure) -> bool:
    """Whether some of the file's bytes would be lost on the way back."""
    if structure.encoding is None or structure.within is None:
        return False
    back = structure.data.decode("utf-8").encode(structure.encoding, "replace")
    return back != structure.within.data[structure.start : structure.start + len(back)]


def _main_line(tree: Coarse_game_tree) -> list[Node]:
    nodes: list[Node] = []
    branch: Coarse_game_tree | None = tree
    while branch is not None:
        for properties in branch.sequence:
            nodes += _split(properties)
        nodes[-1].others = list(branch.children[1:])
        branch = branch.children[0] if branch.children else None
    if move_of(nodes[0].properties)[0]:  # a move in the root, where nothing can stand instead of it
        root, move = nodes[0].properties, nodes[0]
        nodes.insert(0, Node({name: found for name, found in root.items() if name not in COLOURS}))
        move.properties = {name: found for name, found in root.items() if name in COLOURS}
    return nodes


def _split(properties: Properties) -> list[Node]:
    """The node; two where it has moves of both colours, in the order they are written."""
    moves = [name for name in properties if name in COLOURS]
    rest = [Node({name: properties[name]}) for name in moves[1:]]
    return [Node({name: found for name, found in properties.items() if name not in moves[1:]}), *rest]


def as_tree(nodes: Iterable[Node]) -> Coarse_game_tree:
    """The whole tree again."""
    root = branch = Coarse_game_tree()
    for node in nodes:
        branch.sequence.append(node.properties)
        if node.others:
            rest = Coarse_game_tree()
            branch.children = [rest, *node.others]
            branch = rest
    return root


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
