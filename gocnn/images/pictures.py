"""Picture files in, arrays out: reading them with care, and bringing them to the size that a network knows.

What was done to a picture (cropped, resized, inverted) is told in words, so that a program can pass it on.
"""

from __future__ import annotations

import io
import math
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 100_000_000
SOUGHT_AT = 280  # pixels
LOOKED_AT = 4 * SOUGHT_AT  # pixels; more would only cost memory
NEARLY_WHITE = 250  # of 255
FAINTEST = 0.02  # range of brightness, 0 to 1, below which a picture shows nothing
INVERTED = "inverted (dark on light)"
# No format that starts another program (EPS) or holds no pixels (SVG, PDF).
FORMATS = ("PNG", "JPEG", "MPO", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "PPM", "TGA", "ICO")

DIGIT_FIELD, DIGIT_BOX = 28, 20  # MNIST's: a digit's longer side fills a box of 20 in a field of 28
NETWORK_SIZE, SHORTER_SIDE = 227, 256  # SqueezeNet's input, cut from the middle of a picture of this shorter side
BGR_MEANS = np.array([103.939, 116.779, 123.68], np.float32)  # of ImageNet, 0 to 255


class PictureError(ValueError):
    """A file that is no picture, is damaged or too large, or a picture with nothing on it; the text says which."""


def read(path: str | os.PathLike[str]) -> np.ndarray:
    """The picture in a file: uint8 [H, W, 3], red, green, blue.

    Grey is repeated, transparent parts are laid on white (on black if all the rest is white), the camera's orientation
    (EXIF) is followed, colours are brought to sRGB where a profile says what they are, 16 bits are scaled to 8; of an
    animation this is the first picture. Raises PictureError for a file that is missing, empty, damaged, of an unknown
    format, or larger than `MAX_PIXELS`.
    """
    from PIL import Image

    file = Path(path)
    if not file.is_file():
        raise PictureError(f"{file}: {'not a file' if file.exists() else 'no such file'}")
    if file.stat().st_size == 0:
        raise PictureError(f"{file}: an empty file")
    Image.init()
    known = [name for name in FORMATS if name in Image.OPEN]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow finds odd about a file; its size is checked here
            # Of a file by its name Pillow maps some TIFFs into memory as if they were not turned.
            with open(file, "rb") as data, Image.open(data, formats=known) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise PictureError(
                        f"{file}: {width}×{height} pixels are too many; {MAX_PIXELS // 1_000_000} million are the limit"
                    )
                image.load()
                return _as_rgb(_in_srgb(upright(image)))
    except PictureError:
        raise
    except Image.UnidentifiedImageError:
        formats = ", ".join(known)
        raise PictureError(f"{file}: not a picture, or of a format unknown here; known are {formats}") from None
    except Image.DecompressionBombError:
        raise PictureError(f"{file}: too many pixels; {MAX_PIXELS // 1_000_000} million are the limit") from None
    except PermissionError:
        raise PictureError(f"{file}: may not be read") from None
    except MemoryError:
        raise PictureError(f"{file}: not enough memory for this picture") from None
    except Exception as error:  # on damaged files Pillow's decoders raise errors of every kind
        raise PictureError(f"{file}: a damaged picture ({error})") from error


def upright(image: Image) -> Image:
    """An image as its camera was held (EXIF); as it is, where that can't be read. Raises what loading it raises."""
    from PIL.Image import Transpose

    try:
        orientation = image.getexif().get(0x0112)
    except Exception:  # damaged tags, of whatever kind, are no reason to refuse the pixels
        return image
    turns = {
        2: Transpose.FLIP_LEFT_RIGHT, 3: Transpose.ROTATE_180, 4: Transpose.FLIP_TOP_BOTTOM, 5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270, 7: Transpose.TRANSVERSE, 8: Transpose.ROTATE_90,
    }  # fmt: skip
    return image.transpose(turns[orientation]) if orientation in turns else image


def _in_srgb(image: Image) -> Image:
    """An image whose colours are those of sRGB, if it says by a profile what they are now."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK", "L"):
        return image
    from PIL import ImageCms

    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(own).lower():
            return image
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        changed = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImportError, ImageCms.PyCMSError, OSError, ValueError):  # no LittleCMS here, or a profile that is no good
        return image
    if changed and "transparency" in image.info:  # a colour that is clear, which the change forgets
        changed.putalpha(image.convert("RGBA").getchannel("A"))
    return changed or image


def _as_rgb(image: Image) -> np.ndarray:
    """uint8 [H, W, 3] of a loaded Pillow image of any mode."""
    from PIL import Image

    if image.mode.startswith("I") or image.mode == "F":  # 16 or 32 bits a pixel, grey
        values, clear = np.asarray(image), image.info.get("transparency")
        sixteen = ";16" in image.mode or (image.mode == "I" and image.format == "PPM")
        image = Image.fromarray(_to_8_bits(values, sixteen=sixteen))
        if clear is not None:
            image.putalpha(Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8)))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        laid = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        if np.asarray(laid.convert("L")).min() > NEARLY_WHITE:
            laid = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
        image = laid
    return np.array(image.convert("RGB"))


def _to_8_bits(values: np.ndarray, *, sixteen: bool) -> np.ndarray:
    """Grey values of any number type to uint8: `sixteen` bits by their range, anything else by the values that occur.

    What is no number is the least of them, and what is infinite the least or the most.
    """
    grey = values.astype(np.float64)
    known = grey[np.isfinite(grey)]
    if not known.size:
        raise ValueError("no pixel is a finite number")
    low, high = float(known.min()), float(known.max())
    grey = np.nan_to_num(grey, nan=low, posinf=high, neginf=low)
    if sixteen:
        low, high = 0, 65535
    elif low >= 0 and high <= 1:
        low, high = 0, 1
    return np.round((grey - low) * (255 / max(high - low, 1e-300))).astype(np.uint8)


def resize(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """A picture in another size, smoothed where it shrinks: uint8 [H, W, 3] or float32 [H, W], the type kept."""
    from PIL import Image

    return np.array(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR))


def crop(picture: np.ndarray, size: int = NETWORK_SIZE, shorter: int = SHORTER_SIDE) -> np.ndarray:
    """uint8 [size, size, 3] from the middle of a picture [H, W, 3] whose shorter side is brought to `shorter` first."""
    # Of a long one no more than the middle is enlarged.
    most = 2 * min(picture.shape[:2]) + 2
    top, left = (max(0, (side - most) // 2) for side in picture.shape[:2])
    picture = picture[top : top + most, left : left + most]
    height, width = picture.shape[:2]
    scale = shorter / min(height, width)
    scaled = resize(picture, max(round(height * scale), shorter), max(round(width * scale), shorter))
    top, left = (scaled.shape[0] - size) // 2, (scaled.shape[1] - size) // 2
    return scaled[top : top + size, left : left + size].copy()


def for_squeezenet(picture: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """What SqueezeNet is given of a picture, and what was done to it.

    uint8 [H, W, 3] -> float32 [3, 227, 227]: blue, green, red, less their means over ImageNet (-124 to 152).
    """
    height, width = picture.shape[:2]
    middle = crop(picture)
    notes = []
    if min(height, width) != SHORTER_SIDE:
        notes.append(f"resized from {width}×{height} so that the shorter side is {SHORTER_SIDE}")
    notes.append(f"cropped to the {NETWORK_SIZE}×{NETWORK_SIZE} pixels in the middle")
    return np.ascontiguousarray((middle[..., ::-1] - BGR_MEANS).transpose(2, 0, 1), np.float32), notes


def from_squeezenet(inputs: np.ndarray) -> np.ndarray:
    """The picture that an input of SqueezeNet shows: float [3, H, W] -> uint8 [H, W, 3]."""
    bgr = inputs.transpose(1, 2, 0) + BGR_MEANS
    return np.clip(np.round(bgr[..., ::-1]), 0, 255).astype(np.uint8)


def grey(picture: np.ndarray) -> np.ndarray:
    """The brightness of a picture: uint8 [H, W, 3] -> float32 [H, W], 0 black to 1 white (weights of ITU-R BT.601)."""
    return (picture.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)) / 255


def for_digits(picture: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """A digit as MNIST has it, and what was done to get there: uint8 [H, W, 3] -> float32 [1, 28, 28], ink 1, paper 0.

    The paper is what the picture's border shows, ink is what differs from it: dark on light is inverted. The inked part
    is cropped, its longer side brought to 20 pixels, and its centre of mass laid on the field's centre
    (http://yann.lecun.com/exdb/mnist/). A picture that is 28×28 already is taken as it stands, but for the inversion.
    Raises PictureError for an empty picture.
    """
    ink, notes = _ink(picture)
    if ink.shape == (DIGIT_FIELD, DIGIT_FIELD):
        return ink[None], notes
    box = _inked_part(ink)
    if box.shape != ink.shape:
        notes.append(f"cropped to the {box.shape[1]}×{box.shape[0]} pixels that are inked")
    small = _fit(box, DIGIT_BOX)
    if small.shape != box.shape:
        notes.append(f"resized to {small.shape[1]}×{small.shape[0]}")
    notes.append(f"centred by its mass on {DIGIT_FIELD}×{DIGIT_FIELD}")
    rows, columns = small.sum(1), small.sum(0)
    centre = [float(line @ np.arange(len(line)) / line.sum()) for line in (rows, columns)]
    return _lay(small, centre, DIGIT_FIELD // 2)[None], notes


def for_clothes(picture: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """A garment as Fashion-MNIST has it, and what was done: uint8 [H, W, 3] -> float32 [1, 28, 28], garment bright.

    As `for_digits`, but the longer side fills the field and the middle of the garment is the middle of the field
    (arXiv 1708.07747, section 2).
    """
    ink, notes = _ink(picture)
    if ink.shape == (DIGIT_FIELD, DIGIT_FIELD):
        return ink[None], notes
    box = _inked_part(ink)
    if box.shape != ink.shape:
        notes.append(f"cropped to {box.shape[1]}×{box.shape[0]} pixels")
    small = _fit(box, DIGIT_FIELD)
    notes.append(f"resized to {small.shape[1]}×{small.shape[0]} on {DIGIT_FIELD}×{DIGIT_FIELD}")
    return _lay(small, [(side - 1) / 2 for side in small.shape], (DIGIT_FIELD - 1) / 2)[None], notes


def _ink(picture: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """How much each pixel differs from the paper, float32 [H, W], 0 to 1; a picture's border is held to be paper.

    Of a picture whose longer side has more than `LOOKED_AT` pixels in that size. One of 28×28 is its own ink, or what
    it lacks of white if most of its border is light. Raises PictureError for a picture of one shade.
    """
    notes = []
    scale = LOOKED_AT / max(picture.shape[:2])
    if scale < 1:
        picture = resize(picture, *(max(1, round(side * scale)) for side in picture.shape[:2]))
        notes.append(f"resized to {picture.shape[1]}×{picture.shape[0]}")
    if np.ptp(picture.astype(np.int16), axis=2).max() > 0:
        notes.append("turned grey")
    shade = grey(picture)
    if shade.shape == (DIGIT_FIELD, DIGIT_FIELD) and np.ptp(shade) >= FAINTEST:
        if np.median(_border(shade)) <= 0.5:
            return shade, notes
        return 1 - shade, [*notes, INVERTED]
    paper = _paper(shade)
    if np.ptp(paper) > 0.05:
        notes.append("uneven light evened out")
    shade = shade - paper
    if -shade.min() > shade.max():
        notes.append(INVERTED)
        shade = -shade / np.maximum(paper, 0.1)  # the share of the light that ink swallows
    # Grain: what most of the border shows is paper still. Half the range at most, lest a digit that touches the border
    # be taken for noise.
    floor = min(max(float(np.percentile(_border(shade), 90)), 0.0), float(shade.max()) / 2)
    ink = np.clip(shade - floor, 0, None)
    if ink.max() < FAINTEST:
        raise PictureError("nothing is to be seen on the picture: it is of one shade")
    return ink / ink.max(), notes


def _border(values: np.ndarray) -> np.ndarray:
    """The outermost pixels of [H, W], row by row, then column by column."""
    return np.concatenate((values[0], values[-1], values[:, 0], values[:, -1]))


def _paper(shade: np.ndarray) -> np.ndarray:
    """How bright the paper is at each pixel, float32 [H, W]: light falls unevenly, as a quadratic through the border.

    The first is level, through the median. What lies off it (ink that touches the border, the corner of a frame) is
    left out and it is laid anew, three times.
    """
    down, across = np.meshgrid(*(np.linspace(-1, 1, side, dtype=np.float32) for side in shade.shape), indexing="ij")
    terms = np.stack([np.ones_like(shade), down, across, down * across, down**2, across**2])
    at = np.stack([_border(term) for term in terms], axis=1)
    border = _border(shade)
    weights = np.array([np.median(border), 0, 0, 0, 0, 0], np.float32)
    for _ in range(3):
        away = np.abs(border - at @ weights)
        near = away <= max(0.1, 2 * float(np.median(away)))
        weights = np.linalg.lstsq(at[near], border[near], rcond=None)[0].astype(np.float32)
    return np.tensordot(weights, terms, 1)


def _inked_part(ink: np.ndarray) -> np.ndarray:
    """The smallest rectangle that holds every pixel of more than a fifth of the full ink.

    Looked for on a picture of `SOUGHT_AT` pixels at most, on which grain is smoothed out.
    """
    scale = max(1.0, max(ink.shape) / SOUGHT_AT)
    coarse = resize(ink, *(max(1, round(side / scale)) for side in ink.shape)) if scale > 1 else ink
    coarse = coarse / coarse.max()
    rows, columns = (np.flatnonzero((coarse > 0.2).any(axis)) for axis in (1, 0))
    (top, bottom), (left, right) = (
        (int(places[0] * side / small), math.ceil((places[-1] + 1) * side / small))
        for places, side, small in zip((rows, columns), ink.shape, coarse.shape)
    )
    return ink[top:bottom, left:right]


def _fit(box: np.ndarray, size: int) -> np.ndarray:
    """The box with its longer side brought to `size`, and its darkest ink to 1 again, as thin strokes lose some."""
    height, width = (max(1, round(side * size / max(box.shape))) for side in box.shape)
    small = np.clip(resize(np.ascontiguousarray(box, np.float32), height, width), 0, 1)
    return np.asarray(small / small.max())


def _lay(small: np.ndarray, centre: list[float], middle: float) -> np.ndarray:
    """A 28×28 field with the point `centre` (row, column) of `small` as near row and column `middle` as there is room.

    In MNIST the centres of mass lie within half a pixel of row and column 14, not of the field's middle, 13.5.
    """
    field = np.zeros((DIGIT_FIELD, DIGIT_FIELD), np.float32)
    top, left = (min(max(round(middle - place), 0), DIGIT_FIELD - side) for place, side in zip(centre, small.shape))
    field[top : top + small.shape[0], left : left + small.shape[1]] = small
    return field
