"""Names of points: GTP vertices, SGF coordinates and the integers used everywhere else.

A point is ``row * size + col`` with row 0 at the top, as in SGF; a pass is ``size * size``. GTP counts rows from the
bottom and its letters skip I (GTP version 2 draft 2, section 2.11); SGF FF[4] writes column then row, a to y here.
"""

from __future__ import annotations

from collections.abc import Iterable

COLUMNS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"


def gtp_to_point(vertex: str, size: int) -> int:
    """The point of a GTP vertex such as ``"D4"``, in either case; ``"pass"`` gives ``size * size``.

    Raises ValueError for anything that is not a vertex of this board.
    """
    text = vertex.strip().upper()
    if text == "PASS":
        return size * size
    col = COLUMNS.find(text[:1]) if text else -1
    number = text[1:]
    if col < 0 or not (number.isascii() and number.isdigit()):
        raise ValueError(f"not a vertex: {vertex!r}")
    row = size - int(number)
    if not (0 <= row < size and col < size):
        raise ValueError(f"{vertex} is off the {size}x{size} board")
    return row * size + col


def point_to_gtp(point: int, size: int) -> str:
    """The GTP vertex of a point: ``"D4"``, or ``"pass"``. Raises ValueError off the board."""
    if point == size * size:
        return "pass"
    row, col = _row_col(point, size)
    return f"{COLUMNS[col]}{size - row}"


def points_to_gtp(points: Iterable[int], size: int) -> str:
    """The vertices of some points with blanks between them, as GTP lists them."""
    return " ".join(point_to_gtp(point, size) for point in points)


def sgf_to_point(coordinates: str | bytes, size: int) -> int:
    """The point of an SGF coordinate pair such as ``"pd"``; ``""``, and ``"tt"`` up to 19x19, are the pass.

    Raises ValueError for anything else.
    """
    text = coordinates.decode("latin-1") if isinstance(coordinates, bytes) else coordinates
    if text == "" or (text == "tt" and size <= 19):
        return size * size
    if len(text) == 2:
        col, row = ord(text[0]) - ord("a"), ord(text[1]) - ord("a")
        if 0 <= row < size and 0 <= col < size:
            return row * size + col
    raise ValueError(f"not a point of a {size}x{size} board: {text!r}")


def point_to_sgf(point: int, size: int) -> str:
    """The SGF coordinates of a point, ``""`` for a pass. Raises ValueError off the board."""
    if point == size * size:
        return ""
    row, col = _row_col(point, size)
    return chr(ord("a") + col) + chr(ord("a") + row)


def _row_col(point: int, size: int) -> tuple[int, int]:
    if not 0 <= point < size * size:
        raise ValueError(f"{point} is off the {size}x{size} board")
    return divmod(point, size)
