"""Names of properties that the specification does not allow, as programs write them all the same.

FF[4] knows upper-case letters alone. Programs add digits and underscores: LizzieYzy notes what a second engine says in
``LZ2`` and ``LZOP2``. sgfmill's tokeniser ends at these, so they are spelled with letters for it.
"""

from __future__ import annotations

import re

from sgfmill.sgf_grammar import Coarse_game_tree

_ODD = re.compile(rb"[0-9_]")
_VALUE_OR_NAME = re.compile(rb"\[(?:[^\\\]]|\\.)*\]|[A-Za-z][A-Za-z0-9_]*", re.DOTALL)

_LOWER_CASE = bytes(range(ord("a"), ord("z") + 1))  # which the tokeniser leaves out

#: Stand for what is no letter, the first of them that makes no other name.
_LETTERS = [bytes([letter]) for letter in b"QJXYZUHIKDGLMNOPRSTVWABCEF"]

#: The names of FF[4].
_KNOWN = """
AB AE AN AP AR AS AW B BL BM BR BT C CA CP CR DD DM DO DT EV FF FG GB GC GM GN GW HA HO IT KM KO LB LN MA MN N OB ON OT
OV PB PC PL PM PW RE RO RU SL SO SQ ST SU SZ TB TE TM TR TW UC US V VW W WL WR WT
"""


def spelled(data: bytes) -> tuple[bytes, dict[str, str]]:
    """The bytes, as many as before, with such names in letters alone; and from the new names to the old ones."""
    tokens = {token for token in _VALUE_OR_NAME.findall(data) if not token.startswith(b"[")}
    odd = {token for token in tokens if _ODD.search(token)}
    taken = {_known_as(token) for token in tokens - odd} | set(_KNOWN.split())
    names: dict[str, str] = {}
    spellings: dict[bytes, bytes] = {}
    for token in sorted(odd):
        all_new = [_ODD.sub(letter, token) for letter in _LETTERS]
        new = next((new for new in all_new if _known_as(new) not in taken), all_new[0])
        taken.add(_known_as(new))
        names[_known_as(new)] = token.decode("ascii")
        spellings[token] = new
    return _VALUE_OR_NAME.sub(lambda found: spellings.get(found[0], found[0]), data), names


def _known_as(token: bytes) -> str:
    """A property's name as the tokeniser gives it."""
    return token.translate(None, _LOWER_CASE).decode("ascii")


def restore(tree: Coarse_game_tree, names: dict[str, str]) -> None:
    """Give the properties of a tree the names back that `spelled` took from them."""
    trees = [tree] if names else []
    while trees:
        tree = trees.pop()
        tree.sequence = [{names.get(name, name): values for name, values in node.items()} for node in tree.sequence]
        trees += tree.children
