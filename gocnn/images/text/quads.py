"""Words' places as quadrilaterals: cropping them upright, comparing them, fitting them to points, ordering them.

A quad is float [4, 2], its corners (x, y) in pixels, clockwise on the picture from the text's own top left. Coordinates
are continuous: the pixel in column c and row r covers c to c + 1 and r to r + 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

HEIGHT = 32  # of an upright crop, in pixels
WIDEST = 40  # times its height is the longest crop


def sides(quad: np.ndarray) -> tuple[float, float]:
    """Width and height of a quad: the means of its top and bottom, and of its left and right sides."""
    lengths = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    return float(lengths[0] + lengths[2]) / 2, float(lengths[1] + lengths[3]) / 2


def area(polygon: np.ndarray) -> float:
    """The area of a polygon [N, 2]; below zero if its corners run anticlockwise on the picture."""
    if len(polygon) < 3:
        return 0.0
    x, y = polygon.T.astype(np.float64)
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def centroid(polygon: np.ndarray) -> np.ndarray:
    """The middle of a polygon's area: float64 [2]; of one without area the mean of its corners."""
    corners = polygon.astype(np.float64)
    after = np.roll(corners, -1, axis=0)
    cross = corners[:, 0] * after[:, 1] - corners[:, 1] * after[:, 0]
    if abs(cross.sum()) < 1e-9:
        return np.asarray(corners.mean(0))
    return np.asarray(cross @ (corners + after) / (3 * cross.sum()))


def rectify(image: np.ndarray, quad: np.ndarray, height: int = HEIGHT) -> np.ndarray:
    """What is in a quad, drawn upright: uint8 [H, W, 3] -> uint8 [height, W', 3], W' as the quad's sides have it.

    What lies outside the picture is black. Large quads are smoothed as they shrink.
    """
    from PIL import Image

    wide, tall = sides(quad)
    width = int(np.clip(round(height * wide / max(tall, 1e-6)), height // 4, height * WIDEST))
    factor = max(1, int(tall / height))
    corners = np.asarray(quad, np.float64)
    low = np.maximum(np.floor(corners.min(0)).astype(int) - 2 * factor, 0)
    high = np.minimum(np.ceil(corners.max(0)).astype(int) + 2 * factor, image.shape[1::-1])
    if np.any(high <= low):
        return np.zeros((height, width, 3), np.uint8)
    part = Image.fromarray(np.ascontiguousarray(image[low[1] : high[1], low[0] : high[0]])).reduce(factor)
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    coefficients = homography(flat, (corners - low) / factor).ravel()[:8]
    upright = part.transform((width, height), Image.Transform.PERSPECTIVE, coefficients.tolist(),
                             Image.Resampling.BILINEAR)  # fmt: skip
    return np.array(upright)


def homography(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The perspective map that takes four points to four others: float [4, 2] twice -> float64 [3, 3], last entry 1.

    Raises LinAlgError if three of the points lie on a line.
    """
    rows = []
    for (x, y), (u, v) in zip(np.asarray(source, np.float64), np.asarray(target, np.float64)):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    solved = np.linalg.solve(np.array(rows), np.asarray(target, np.float64).ravel())
    return np.append(solved, 1.0).reshape(3, 3)


def clipped(polygon: np.ndarray, by: np.ndarray) -> np.ndarray:
    """The part of a convex polygon [N, 2] inside another, both clockwise on the picture; [0, 2] if there is none.

    Edge by edge (Sutherland & Hodgman 1974, https://doi.org/10.1145/360767.360802).
    """
    corners = [(float(x), float(y)) for x, y in polygon]
    fence = [(float(x), float(y)) for x, y in by]
    for (ax, ay), (bx, by_) in zip(fence, fence[1:] + fence[:1]):
        inside = [(bx - ax) * (y - ay) - (by_ - ay) * (x - ax) for x, y in corners]  # above 0
        kept = []
        for k, (point, d) in enumerate(zip(corners, inside)):
            (px, py), before = corners[k - 1], inside[k - 1]
            if (before < 0) != (d < 0):
                share = before / (before - d)
                kept.append((px + share * (point[0] - px), py + share * (point[1] - py)))
            if d >= 0:
                kept.append(point)
        corners = kept
    return np.array(corners, np.float64).reshape(-1, 2)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two convex quads, 0 to 1."""
    if np.any(np.max(a, 0) <= np.min(b, 0)) or np.any(np.max(b, 0) <= np.min(a, 0)):
        return 0.0
    one, two = area(a), area(b)
    if one <= 0 or two <= 0:
        return 0.0
    common = area(clipped(a, b))
    return common / (one + two - common)


def offset(quad: np.ndarray, by: float) -> np.ndarray:
    """A convex quad with each edge moved outwards by `by` pixels, inwards if it is below zero.

    Inwards an edge is moved no further than leaves a tenth of the quad's height or width between it and the opposite.
    """
    corners = np.asarray(quad, np.float64)
    by = max(by, -0.45 * min(sides(corners)))
    along = np.roll(corners, -1, axis=0) - corners
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    outward = np.stack([along[:, 1], -along[:, 0]], 1)
    moved = corners + by * outward  # one point of each moved edge
    result = np.empty((4, 2))
    for k in range(4):  # where edge k - 1 meets edge k
        (dx, dy), (ex, ey) = along[k - 1], along[k]
        cross = dx * ey - dy * ex
        if abs(cross) < 1e-6:
            result[k] = moved[k]
            continue
        gap = moved[k] - moved[k - 1]
        result[k] = moved[k - 1] + (gap[0] * ey - gap[1] * ex) / cross * along[k - 1]
    return result.astype(np.float32)


def hull(points: np.ndarray) -> np.ndarray:
    """The convex hull of points [N, 2], clockwise on the picture (Andrew's monotone chain)."""
    ordered = [(float(x), float(y)) for x, y in np.unique(np.asarray(points, np.float64), axis=0)]
    if len(ordered) < 3:
        return np.array(ordered).reshape(-1, 2)

    def chain(row: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        kept: list[tuple[float, float]] = []
        for x, y in row:
            while len(kept) > 1:
                (ax, ay), (bx, by) = kept[-2:]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                    break
                kept.pop()
            kept.append((x, y))
        return kept[:-1]

    return np.array(chain(ordered) + chain(ordered[::-1]))


def smallest_rectangle(points: np.ndarray) -> np.ndarray:
    """The rectangle of least area around points [N, 2], as a quad; one of its sides lies on a side of the hull.

    Its top is the side that is nearest to level (`upright`).
    """
    corners = hull(points)
    along = np.roll(corners, -1, axis=0) - corners
    if len(corners) < 2:
        along = np.array([[1.0, 0.0]])
    angles = np.unique(np.round(np.arctan2(along[:, 1], along[:, 0]) % (math.pi / 2), 9))
    axes = np.stack([np.cos(angles), np.sin(angles)], 1)  # [K, 2]
    normals = np.stack([-axes[:, 1], axes[:, 0]], 1)
    across, down = corners @ axes.T, corners @ normals.T  # [N, K]
    size = np.ptp(across, axis=0) * np.ptp(down, axis=0)
    best = int(size.argmin())
    left, right = across[:, best].min(), across[:, best].max()
    top, bottom = down[:, best].min(), down[:, best].max()
    corner = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    return upright(corner @ np.stack([axes[best], normals[best]]))


def upright(quad: np.ndarray) -> np.ndarray:
    """The same quad, its corners counted from the one that makes its top and bottom run most nearly to the right."""
    corners = np.asarray(quad, np.float32)
    runs = []
    for k in range(4):
        turned = np.roll(corners, -k, axis=0)
        run = turned[1] - turned[0] + turned[2] - turned[3]
        runs.append(run[0] / max(float(np.linalg.norm(run)), 1e-9))
    return np.roll(corners, -int(np.argmax(runs)), axis=0)


def reading_order(quads: Sequence[np.ndarray]) -> list[list[int]]:
    """Words in lines, and the lines in the order in which one reads them: numbers into `quads`, line by line.

    A word continues the line whose last word is of like height, level with it along the direction of both, and at most
    1.5 heights away. Lines that stand close below one another are a block; blocks come from top to bottom.
    """
    lines = _lines(quads)
    blocks = _blocks([np.concatenate([quads[k] for k in line]) for line in lines])
    return [lines[k] for block in blocks for k in block]


def _lines(quads: Sequence[np.ndarray]) -> list[list[int]]:
    left, right = [(q[0] + q[3]) / 2 for q in quads], [(q[1] + q[2]) / 2 for q in quads]
    height = [max(sides(q)[1], 1e-6) for q in quads]
    candidates = []
    for a in range(len(quads)):
        for b in range(len(quads)):
            small, large = sorted((height[a], height[b]))
            gap = left[b] - right[a]
            along = right[a] - left[a] + right[b] - left[b]
            along = along / max(float(np.linalg.norm(along)), 1e-6)
            ahead, aside = float(gap @ along), float(gap[1] * along[0] - gap[0] * along[1])
            alike = a != b and large < 2 * small and float((left[b] - left[a]) @ along) > 0
            if alike and abs(aside) < 0.5 * small and -0.5 * small < ahead < 1.5 * large:
                candidates.append((abs(ahead) + 2 * abs(aside), a, b))
    after: dict[int, int] = {}
    before: dict[int, int] = {}
    for _, a, b in sorted(candidates):
        if a not in after and b not in before:
            after[a], before[b] = b, a
    lines = []
    seen: set[int] = set()
    starts = [k for k in range(len(quads)) if k not in before]
    for first in starts + list(range(len(quads))):  # the second part for a ring of words, which no start leads to
        line = []
        word: int | None = first
        while word is not None and word not in seen:
            seen.add(word)
            line.append(word)
            word = after.get(word)
        if line:
            lines.append(line)
    return lines


def _blocks(lines: Sequence[np.ndarray]) -> list[list[int]]:
    """Lines, each the corners [4 N, 2] of its words, in blocks from top to bottom, and within a block likewise."""
    boxes = [(*points.min(0), *points.max(0)) for points in lines]  # left, top, right, bottom
    heights = [float(np.median([sides(q)[1] for q in points.reshape(-1, 4, 2)])) for points in lines]
    block = list(range(len(lines)))
    for a, (left, _, right, bottom) in enumerate(boxes):
        for b, (left2, top2, right2, _) in enumerate(boxes):
            common = min(right, right2) - max(left, left2)
            near = -0.7 < (top2 - bottom) / min(heights[a], heights[b]) < 1.2
            if a != b and near and common > 0.3 * min(right - left, right2 - left2):
                old, new = block[b], block[a]
                block = [new if one == old else one for one in block]
    members: dict[int, list[int]] = {}
    for k in sorted(range(len(lines)), key=lambda k: (boxes[k][1], boxes[k][0])):
        members.setdefault(block[k], []).append(k)
    return list(members.values())
