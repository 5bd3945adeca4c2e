"""Handicap stones: where GTP puts them (GTP version 2 draft 2, section 4.1), and which stones of a record are some."""

from __future__ import annotations

from collections.abc import Sequence

from gocnn.go.core import BLACK, WHITE


def max_fixed_handicap(size: int) -> int:
    """The most stones `fixed_handicap` places on this board: 0, 4 or 9."""
    if size < 7:
        return 0
    return 9 if size % 2 and size >= 9 else 4


def fixed_handicap(size: int, stones: int) -> list[int]:
    """The points of a fixed handicap, in the order of the specification's table.

    The handicap lines are the third up to 12x12 and the fourth from 13x13. Boards of even size and 7x7 have four such
    points, smaller ones none. Raises ValueError if the board has no room for that many (2 is the least).
    """
    most = max_fixed_handicap(size)
    if not 2 <= stones <= most:
        raise ValueError(
            f"a fixed handicap on {size}x{size} is 2 to {most} stones"
            if most
            else f"{size}x{size} is too small for a fixed handicap"
        )
    near = 2 if size < 13 else 3
    far, middle = size - 1 - near, size // 2
    top, bottom, left, right = near, far, near, far
    corners = [(bottom, left), (top, right), (top, left), (bottom, right)]
    sides = [(middle, left), (middle, right), (bottom, middle), (top, middle)]
    centre = [(middle, middle)]
    places = corners[:stones] if stones <= 4 else corners + sides[: (stones - 4) // 2 * 2]
    if stones >= 5 and stones % 2:
        places = places + centre
    return [row * size + col for row, col in places]


def free_handicap(size: int, stones: int) -> list[int]:
    """Points for a free handicap: the fixed ones as far as they go, then as far from the others as there is room.

    Raises ValueError for fewer than 2, or as many as the board has points.
    """
    if not 2 <= stones < size * size:
        raise ValueError(f"a free handicap on {size}x{size} is 2 to {size * size - 1} stones")
    most = max_fixed_handicap(size)
    points = fixed_handicap(size, min(stones, most)) if most else []
    while len(points) < stones:
        points.append(_farthest(size, points))
    return points


def _farthest(size: int, points: list[int]) -> int:
    """The empty point farthest from the others, not on the edge while there is another, and then near the centre."""

    def worth(point: int) -> tuple[bool, int, int]:
        row, col = divmod(point, size)
        away = min((abs(row - p // size) + abs(col - p % size) for p in points), default=0)
        return 0 < row < size - 1 and 0 < col < size - 1, away, -abs(2 * row - size + 1) - abs(2 * col - size + 1)

    return max((point for point in range(size * size) if point not in points), key=worth)


def handicap_of(stones: Sequence[int], moves: Sequence[tuple[int, int]], size: int) -> int:
    """Black's stones before White's first move, if they look like a handicap; 0 if not.

    `stones` are the colours of those that were placed, and `moves` are (colour, point) on a board of that size. A pass
    of White's between stones of Black's is no move of his, as in KataGo; two of them are.
    """
    if WHITE in stones:
        return 0
    played = 0
    for number, (colour, point) in enumerate(moves):
        is_pass = point == size * size
        if colour == WHITE and not (is_pass and all(then != WHITE for then, _ in moves[number + 1 : number + 2])):
            break
        played += colour == BLACK and not is_pass
    count = len(stones) + played * (played > 1)
    return count if count > 1 else 0
