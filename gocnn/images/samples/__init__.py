"""The photographs that ship with the package; who made them is in this folder's README."""

from __future__ import annotations

from importlib import resources

import numpy as np

from gocnn.images import pictures

NAMES = ("astronaut", "chelsea", "coffee", "cow", "dog", "duck", "rocket")


def photograph(name: str) -> np.ndarray:
    """uint8 [H, W, 3]. Raises PictureError for a name that is none of `NAMES`."""
    with resources.as_file(resources.files(__name__).joinpath(f"{name}.jpg")) as file:
        return pictures.read(file)
