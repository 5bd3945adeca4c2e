"""Drawing text: lines set in a face, painted with plate, outline and shadow, seen in perspective through a camera.

A panel is text on its own flat sheet; `Panel.words` are the boxes of its words there. The homography that takes the
sheet into the picture takes the boxes with it, so that the corners of every word are exact.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from gocnn.images.text.fonts import Font
from gocnn.images.text.quads import homography

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
FAINTEST = 40.0  # least difference in brightness between ink and what is behind nearly all of it, of 255


@dataclass(frozen=True)
class Panel:
    """Lines of text set but not yet painted: uint8 masks [H, W] of ink, and of ink with its outline, and the words.

    A word is its text and its box (left, top, right, bottom) in pixels. The box holds all ink, and in height at least
    what lies between the baseline and the top of a capital H.
    """

    ink: np.ndarray
    outline: np.ndarray | None
    words: tuple[tuple[str, tuple[float, float, float, float]], ...]
    size: int  # of the face, pixels an em


def chance(rng: np.random.Generator, share: float) -> bool:
    return bool(rng.random() < share)


def typeset(
    rng: np.random.Generator, font: Font, size: int, lines: Sequence[Sequence[str]], *, outlined: bool = False,
    spaced: bool | None = None, leading: float | None = None, margin: float | None = None,
) -> Panel:  # fmt: skip
    """Set lines of words in a face; alignment, spacing, leading and margins are drawn where they are not given."""
    face = font.at(size)
    cap = -face.getbbox("H", anchor="ls")[1]
    wide = chance(rng, 0.1) if spaced is None else spaced
    gap = size * rng.uniform(0.03, 0.25) if wide else 0.0
    space = size * rng.uniform(0.25, 0.5) + 1.5 * gap
    stride = size * (rng.uniform(1.05, 1.5) if leading is None else leading)
    edge = max(2, round(size * rng.uniform(0.06, 0.12))) if outlined else 0
    border = round(size * (rng.uniform(0.1, 0.7) if margin is None else margin)) + edge + 2
    set_words = []  # row and place of a word, and the ink of a piece of it with its x and y
    ends = []
    for row, line in enumerate(lines):
        x = 0.0
        for k, text in enumerate(line):
            pieces = [(face.getmask2(part, mode="L", anchor="ls"), at) for part, at in _pieces(face, text, gap)]
            for (mask, (dx, dy)), at in pieces:
                set_words.append((row, k, mask, round(x + at) + dx, dy))
            (last, (dx, _)), at = pieces[-1]
            x += at + max(dx + last.size[0], face.getlength(text[-1] if gap else text)) + space
        ends.append(x - space)
    boxes: dict[tuple[int, int], list[float]] = {}
    align = rng.choice((0.0, 0.5, 0.5, 1.0))
    shifts = [(max(ends) - end) * align for end in ends]
    left = min(x + shifts[row] for row, _, _, x, _ in set_words)
    top = min([-cap] + [row * stride + y for row, _, _, _, y in set_words])
    right = max(x + shifts[row] + mask.size[0] for row, _, mask, x, _ in set_words)
    bottom = max([(len(lines) - 1) * stride] + [row * stride + y + m.size[1] for row, _, m, _, y in set_words])
    shape = (math.ceil(bottom - top) + 2 * border + 1, math.ceil(right - left) + 2 * border + 1)
    ink = np.zeros(shape, np.uint8)
    for row, k, mask, x, y in set_words:
        width, height = mask.size
        base = round(row * stride - top) + border
        c, r = round(x + shifts[row] - left) + border, base + y
        part = ink[r : r + height, c : c + width]
        np.maximum(part, np.frombuffer(bytes(mask), np.uint8).reshape(height, width), out=part)
        box = boxes.setdefault((row, k), [np.inf, base - cap, -np.inf, base])
        box[:] = [min(box[0], c), min(box[1], r), max(box[2], c + width), max(box[3], r + height)]
    outline = None
    if outlined:
        outline = _grown(ink, edge)
        for box in boxes.values():
            box[:] = [box[0] - edge, box[1] - edge, box[2] + edge, box[3] + edge]
    words = tuple((lines[row][k], tuple(box)) for (row, k), box in boxes.items())
    return Panel(ink, outline, words, size)  # type: ignore[arg-type]


def _pieces(face: object, text: str, gap: float) -> list[tuple[str, float]]:
    """A word in the parts that are drawn at once, each with its x: whole, or letter by letter if it is spaced."""
    if not gap:
        return [(text, 0.0)]
    at = [0.0]
    for character in text[:-1]:
        at.append(at[-1] + face.getlength(character) + gap)  # type: ignore[attr-defined]
    return list(zip(text, at))


def _grown(ink: np.ndarray, by: int) -> np.ndarray:
    """A mask grown by some pixels to every side."""
    grown = ink.copy()
    for axis in (0, 1):
        at = grown.copy()
        for far in range(1, by + 1):
            for way in (-far, far):
                np.maximum(grown, np.roll(at, way, axis), out=grown)
    return grown


def _apart(rng: np.random.Generator, ground: np.ndarray, least: float) -> np.ndarray:
    """A colour whose brightness differs from that of a colour [3], or of nearly all colours [N, 3], by `least` or more.

    It is often grey, black or white.
    """
    dark, light = np.quantile(np.atleast_2d(ground) @ LUMA, (0.02, 0.98))
    for _ in range(20):
        kind = rng.random()
        if kind < 0.25:
            colour = np.full(3, rng.choice((rng.uniform(0, 40), rng.uniform(215, 255))))
        elif kind < 0.4:
            colour = np.full(3, rng.uniform(0, 255))
        else:
            colour = rng.uniform(0, 255, 3)
            colour = np.clip(colour.mean() + (colour - colour.mean()) * rng.uniform(0.5, 2.2), 0, 255)
        if colour @ LUMA >= light + least or colour @ LUMA <= dark - least:
            return colour
    return np.full(3, 255.0 if dark + light < 255 else 0.0)


class _Sheet:
    """What is painted on a panel: a colour everywhere, and how much of it covers what lies below."""

    def __init__(self, size: tuple[int, int], colour: np.ndarray) -> None:
        self.colours, self.cover = Image.new("RGB", size, _rgb(colour)), Image.new("L", size)

    def lay(self, mask: Image.Image, colour: np.ndarray, opacity: float = 1.0) -> None:
        """Lay a colour over it where a mask is."""
        if opacity < 1:
            mask = mask.point([round(opacity * k) for k in range(256)])
        self.colours.paste(_rgb(colour), None, mask)
        self.cover.paste(255, None, mask)

    def merged(self) -> Image.Image:
        self.colours.putalpha(self.cover)
        return self.colours


def _rgb(colour: np.ndarray) -> tuple[int, ...]:
    return tuple(int(c) for c in np.clip(np.round(colour), 0, 255))


def paint(
    rng: np.random.Generator, panel: Panel, ground: np.ndarray, *, plate: bool, paper: bool = False,
) -> Image.Image:  # fmt: skip
    """Paint a panel for a place whose colours are `ground`, float [N, 3], 0 to 255: a sample of its pixels.

    Returns an RGBA picture. With `plate` the text stands on a sign of one colour, with `paper` dark on a light one,
    otherwise on what is there, if ink of some colour can be told from that.
    """
    height, width = panel.ink.shape
    least = FAINTEST + (60 * rng.random() if chance(rng, 0.85) else 0.0)
    dark, light = np.quantile(ground @ LUMA, (0.02, 0.98))
    if plate or paper or max(dark, 255 - light) < FAINTEST:
        colour, opacity = _apart(rng, np.zeros(3), 0.0), 1.0 if chance(rng, 0.8) else rng.uniform(0.6, 1)
        if chance(rng, 0.3):  # near to black or white, as most signs are
            colour = rng.choice((12.0, 240.0)) + rng.uniform(-12, 12, 3)
        ink = _apart(rng, colour * opacity + ground * (1 - opacity), least)
        if paper:
            colour, opacity, ink = 255 - rng.uniform(0, 50, 3), 1.0, rng.uniform(0, 70, 3)
        sheet = _Sheet((width, height), colour)
        sheet.lay(_plate(rng, panel), colour, opacity)
        if chance(rng, 0.25) and not paper:
            inset, line = max(2, round(panel.size * 0.05)), max(1, round(panel.size * 0.06))
            rim = ink if chance(rng, 0.7) else _apart(rng, colour, least)
            sheet.lay(_plate(rng, panel, inset, line), rim)
    else:
        ink = _apart(rng, ground, min(least, max(dark, 255 - light)))
        sheet = _Sheet((width, height), ink)
    if chance(rng, 0.18):
        far = max(1, round(panel.size * rng.uniform(0.03, 0.1)))
        dx, dy = (int(k) for k in rng.integers(-far, far + 1, 2))
        shade = ImageChops.offset(Image.fromarray(panel.ink if panel.outline is None else panel.outline), dx, dy)
        if chance(rng, 0.6):
            shade = shade.filter(ImageFilter.BoxBlur(far / 2))
        sheet.lay(shade, np.full(3, 0.0 if ink @ LUMA > 110 else 255.0), rng.uniform(0.3, 0.9))
    if panel.outline is not None:
        sheet.lay(Image.fromarray(panel.outline), _apart(rng, ink, max(least, 70.0)))
    sheet.lay(Image.fromarray(panel.ink), ink, 1.0 if chance(rng, 0.7) else rng.uniform(0.85, 1.0))
    return sheet.merged()


def _plate(rng: np.random.Generator, panel: Panel, inset: int = 1, line: int = 0) -> Image.Image:
    """A mask of a plate with square or round corners, `inset` from the sheet's edge; only its rim if `line` > 0."""
    height, width = panel.ink.shape
    mask = Image.new("L", (width, height))
    room = min(min(box[0], box[1]) for _, box in panel.words) - inset  # between the text and the plate's edge
    round_by = min(min(height, width) * rng.choice((0.0, 0.0, 0.1, 0.25, 0.5)), 3 * max(room, 0))
    box = (inset, inset, width - 1 - inset, height - 1 - inset)
    ImageDraw.Draw(mask).rounded_rectangle(box, round_by, fill=0 if line else 255, outline=255, width=max(line, 1))
    return mask


def pose(rng: np.random.Generator, width: float, height: float, strength: float = 1.0) -> np.ndarray:
    """The corners, float64 [4, 2], of a sheet that is turned and seen in perspective, around (0, 0) and not scaled."""
    kind = rng.random()
    turn = rng.normal(0, 2.5) if kind < 0.6 else rng.normal(0, 9) if kind < 0.92 else rng.uniform(-45, 45)
    yaw, pitch = rng.normal(0, 22, 2) if chance(rng, 0.6) else rng.normal(0, 4, 2)
    turn, yaw, pitch = (math.radians(float(np.clip(a, -50, 50)) * strength) for a in (turn, yaw, pitch))
    x = np.array([-width, width, width, -width]) / 2
    y = np.array([-height, -height, height, height]) / 2
    distance = max(width, height) * rng.uniform(1.2, 4)
    x, z = x * math.cos(yaw), x * math.sin(yaw)  # about the upright axis, then about the level one
    y, z = y * math.cos(pitch) - z * math.sin(pitch), y * math.sin(pitch) + z * math.cos(pitch)
    near = distance / (distance + z)
    x, y = x * near, y * near
    corners = np.stack([x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)], 1)
    return corners - (corners.min(0) + corners.max(0)) / 2


def corners_of(width: float, height: float) -> np.ndarray:
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)


def mapped(points: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Points [N, 2] through a homography [3, 3], float32."""
    out = np.concatenate([points, np.ones((len(points), 1))], 1) @ by.T
    return (out[:, :2] / out[:, 2:]).astype(np.float32)


def lay(image: np.ndarray, sheet: Image.Image, target: np.ndarray) -> None:
    """Lay an RGBA sheet into the picture uint8 [H, W, 3], its corners at `target` [4, 2]."""
    low = np.maximum(np.floor(target.min(0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(target.max(0)).astype(int) + 1, image.shape[1::-1])
    if np.any(high <= low):
        return
    back = homography(target - low, corners_of(*sheet.size)).ravel()[:8]
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    seen = sheet.transform(size, Image.Transform.PERSPECTIVE, back.tolist(), Image.Resampling.BILINEAR)
    part = image[low[1] : high[1], low[0] : high[0]]
    below = Image.fromarray(part)
    below.paste(seen, None, seen)
    part[:] = np.asarray(below)


def backdrop(rng: np.random.Generator, photograph: np.ndarray, height: int, width: int) -> np.ndarray:
    """A part of a photograph, uint8 [height, width, 3], enlarged up to twice, mirrored where it is too small."""
    scale = rng.uniform(0.8, 2.0)
    tall, wide = (min(int(side / scale) + 1, limit) for side, limit in zip((height, width), photograph.shape))
    top, left = rng.integers(photograph.shape[0] - tall + 1), rng.integers(photograph.shape[1] - wide + 1)
    size = (min(width, max(1, round(wide * scale))), min(height, max(1, round(tall * scale))))
    part = Image.fromarray(photograph).resize(size, Image.Resampling.BILINEAR, (left, top, left + wide, top + tall))
    pixels = np.asarray(part)
    if chance(rng, 0.5):
        pixels = pixels[:, ::-1]
    missing = ((0, height - pixels.shape[0]), (0, width - pixels.shape[1]), (0, 0))
    return np.pad(pixels, missing, mode="symmetric") if any(m[1] for m in missing) else np.array(pixels)


def camera(rng: np.random.Generator, image: np.ndarray, finest: float) -> np.ndarray:
    """A picture as a camera takes it: uneven light, blur, noise, contrast, JPEG.

    uint8 [H, W, 3], or grey [H, W], to the same.

    `finest` is the height in pixels of the smallest word, so that blur leaves it legible.
    """
    height, width = image.shape[:2]
    if chance(rng, 0.45):
        blur = finest * rng.uniform(0.0, 0.05)
        image = np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(min(blur, 2.5))))
    if chance(rng, 0.12):
        image = _moved(rng, image, min(finest * rng.uniform(0.03, 0.16), 7.0))
    values = image.astype(np.float32)
    if chance(rng, 0.35):
        angle, share = rng.uniform(0, 2 * math.pi), rng.uniform(0, 0.45)
        x, y = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)[:, None]
        light = 1 - share + share * np.clip(0.5 + 0.7 * (math.cos(angle) * x + math.sin(angle) * y), 0, 1)
        values *= light[..., None] if image.ndim == 3 else light
    if chance(rng, 0.5):
        contrast, middle = rng.uniform(0.6, 1.25), rng.uniform(70, 180)
        values = (values - 128) * np.float32(contrast) + np.float32(middle if contrast < 1 else 128)
    if chance(rng, 0.5):
        grain = rng.uniform(1, 7) if chance(rng, 0.8) else rng.uniform(7, 14)
        shape = image.shape if chance(rng, 0.7) else (height, width) + (1,) * (image.ndim - 2)
        values += (rng.random(shape, np.float32) - 0.5) * np.float32(grain * math.sqrt(12))
    if image.ndim == 3 and chance(rng, 0.12):
        values = np.repeat((values @ LUMA)[..., None], 3, 2)
    image = np.clip(values, 0, 255).astype(np.uint8)
    if chance(rng, 0.4):
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=int(rng.integers(25, 95)))
        image = np.array(Image.open(buffer))
    return image


def _moved(rng: np.random.Generator, image: np.ndarray, length: float) -> np.ndarray:
    """The mean of a picture moved along a line of `length` pixels."""
    angle = rng.uniform(0, math.pi)
    steps = np.linspace(-0.5, 0.5, max(2, round(length) + 1)) * length
    at = {(round(s * math.sin(angle)), round(s * math.cos(angle))) for s in steps}
    most = max(max(abs(dy), abs(dx)) for dy, dx in at)
    if not most:
        return image
    padded = np.pad(image, ((most, most), (most, most)) + ((0, 0),) * (image.ndim - 2), mode="edge").astype(np.uint16)
    height, width = image.shape[:2]
    total = sum(padded[most + dy : most + dy + height, most + dx : most + dx + width] for dy, dx in at)
    return (np.asarray(total) // len(at)).astype(np.uint8)
