"""Paintings to take a style from: eight by Vincent van Gogh, which are in the public domain, at about 500 pixels.

They come with GCompris, a collection of games for children, which Debian has; they go into the cache and nowhere else.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping

import numpy as np
import safetensors.numpy

from gocnn.images import datasets

NAME = "paintings"  # in the cache
RESOURCES = ("gcompris-qt/rcc/details.rcc",)

#: name -> the file in GCompris's activity "details", and the painting.
PAINTINGS: dict[str, tuple[str, str]] = {
    "auvers-church": ("Eglise_dAuvers-sur-Oise", "The Church at Auvers, 1890"),
    "cafe-terrace": ("Gogh4", "Café Terrace at Night, 1888"),
    "harvest": ("VincentVanGogh0019", "Harvest at La Crau, 1888"),
    "langlois-bridge": ("VincentVanGoghBridge", "The Langlois Bridge at Arles, 1888"),
    "night-cafe": ("Van_Gogh_The_Night_Cafe", "The Night Café, 1888"),
    "painter-on-the-road": ("VincentVanGogh0013", "The Painter on the Road to Tarascon, 1888"),
    "pere-tanguy": ("PortraitOfPereTanguy", "Portrait of Père Tanguy, 1887"),
    "vestibule": ("VincentVanGogh0012", "Vestibule of the Asylum, 1889"),
}
_FOLDER = 2  # among the flags of a resource; packed ones have 1 or 4, and pictures are neither


def collect(files: Mapping[str, bytes]) -> dict[str, np.ndarray]:
    """The paintings in GCompris's resource file, by their names here: uint8 [H, W, 3].

    Raises DataError if one is missing or damaged.
    """
    from PIL import Image

    resource = next((data for name, data in files.items() if name.endswith(RESOURCES)), None)
    if resource is None:
        raise datasets.DataError(f"there is no {RESOURCES[0]}")
    try:
        inside = dict(_resources(resource))
        found = {}
        for name, (file, _) in PAINTINGS.items():
            with Image.open(io.BytesIO(inside[f"{file}_background.webp"])) as image:
                found[name] = np.array(image.convert("RGB"))
    except (KeyError, OSError, ValueError, struct.error, RecursionError) as error:
        raise datasets.DataError(f"{RESOURCES[0]} has no painting {error}") from error
    return found


def _resources(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The files in a Qt resource file, by their names without folders.

    After "qres" stand the format's version and the places of a tree, of the files' bytes and of their names. A node of
    the tree is 22 bytes: where its name is, flags, and of a folder how many nodes are in it, and the first of them.
    """
    magic, _, tree, files, names = struct.unpack_from(">4sIIII", data)
    if magic != b"qres":
        raise ValueError("in what is no Qt resource file")
    nodes = [0]
    while nodes:
        at = tree + 22 * nodes.pop()
        name, flags, count, first = struct.unpack_from(">IHII", data, at)
        if flags & _FOLDER:
            nodes += range(first, first + count)
            continue
        (letters,) = struct.unpack_from(">H", data, names + name)
        start = names + name + 6
        place = files + struct.unpack_from(">I", data, at + 10)[0]
        (length,) = struct.unpack_from(">I", data, place)
        yield data[start : start + 2 * letters].decode("utf-16-be"), data[place + 4 : place + 4 + length]


def load(name: str) -> np.ndarray:
    """A painting from the cache, uint8 [H, W, 3]. Raises DataError if it has not been fetched, KeyError if unknown."""
    if name not in PAINTINGS:
        raise KeyError(name)
    place = datasets.path(NAME)
    with datasets.reading(place, NAME):
        return safetensors.numpy.load_file(place)[name]
