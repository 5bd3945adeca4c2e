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

#: Stands for what is no letter: no property that means anything here ends with it.
_LETTER = b"Q"


def spelled(data: bytes) -> tuple[bytes, dict[str, str]]:
    """The bytes, as many as before, with such names in letters alone; and from the new names to the old ones."""
    names: dict[str, str] = {}

    def letters(found: re.Match[bytes]) -> bytes:
        token = found[0]
        if token.startswith(b"[") or not _ODD.search(token):
            return token
        new = _ODD.sub(_LETTER, token)
        names[new.translate(None, _LOWER_CASE).decode("ascii")] = token.decode("ascii")
        return new

    return _VALUE_OR_NAME.sub(letters, data), names


def restore(tree: Coarse_game_tree, names: dict[str, str]) -> None:
    """Give the properties of a tree the names back that `spelled` took from them."""
    trees = [tree] if names else []
    while trees:
        tree = trees.pop()
        tree.sequence = [{names.get(name, name): values for name, values in node.items()} for node in tree.sequence]
        trees += tree.children
