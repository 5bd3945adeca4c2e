"""The image sets of the lecture: MNIST's digits and Fashion-MNIST's clothes, from the cache or as shipped.

The whole sets are put into the user's cache by ``gocnn images fetch``; the first 500 test images of each ship with
the package, so that demos and tests need no download.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from gocnn import cache
from gocnn.atomic import write_atomically

#: name -> its classes; a label is a place in them.
CLASSES: dict[str, tuple[str, ...]] = {
    "digits": tuple("0123456789"),
    "fashion": (
        "T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
    ),
}  # fmt: skip
SIDE = 28  # pixels


class DataError(ValueError):
    """A data set that is not there, or is damaged; the text names the command that fetches it."""


def path(name: str) -> Path:
    """Where the cache keeps a set, or other fetched tensors."""
    return cache.folder() / f"{name}.safetensors"


def load(name: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """A whole set from the cache: images uint8 [N, 28, 28], 0 paper to 255 ink, and labels int64 [N].

    `split` is "train" or "test". Raises DataError if the set has not been fetched or its file is damaged.
    """
    if name not in CLASSES:
        raise DataError(f"no data set {name!r}; there are {', '.join(CLASSES)}")
    return _read(path(name), name, split)


def shipped(name: str) -> tuple[np.ndarray, np.ndarray]:
    """The first 500 test images that come with the package, and their labels, as `load` gives them."""
    with resources.as_file(resources.files("gocnn.images").joinpath("data", f"{name}.safetensors")) as file:
        return _read(file, name, "test")


def save(
    name: str, train_images: np.ndarray, train_labels: np.ndarray, test_images: np.ndarray, test_labels: np.ndarray
) -> Path:
    """Put a whole set into the cache, all or nothing. Raises DataError for arrays that are no such set, and OSError."""
    arrays = {}
    for split, images, labels in (("train", train_images, train_labels), ("test", test_images, test_labels)):
        arrays[f"{split}_images"], arrays[f"{split}_labels"] = _checked(images, labels, f"{name}, {split}")
    return keep(name, arrays)


def keep(name: str, arrays: dict[str, np.ndarray]) -> Path:
    """Put arrays into the cache in place of those there; returns the file. Raises OSError."""
    place = place_for(name)
    write_atomically(place, safetensors.numpy.save(arrays))
    return place


def place_for(name: str) -> Path:
    """The `path` of something that is to be written; makes its folder. Raises OSError."""
    place = path(name)
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


@contextmanager
def reading(place: Path, name: str, what: str = "it") -> Iterator[None]:
    """The context in which a file of the cache is read: a DataError says what is wrong, and how to fetch `what`."""
    fetch = f"`gocnn images fetch {name}` fetches {what}"
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{place}: no such file; {fetch}") from None
    except (SafetensorError, OSError, KeyError) as error:
        raise DataError(f"{place}: cannot be read ({error}); {fetch} again") from error


def _read(file: Path, name: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    with reading(file, name), safetensors.safe_open(file, framework="numpy") as tensors:
        return _checked(tensors.get_tensor(f"{split}_images"), tensors.get_tensor(f"{split}_labels"), str(file))


def _checked(images: np.ndarray, labels: np.ndarray, where: str) -> tuple[np.ndarray, np.ndarray]:
    if images.dtype != np.uint8 or images.shape != (len(labels), SIDE, SIDE) or labels.ndim != 1:
        raise DataError(f"{where}: images {images.dtype} {images.shape} with {labels.shape} labels are no such set")
    labels = labels.astype(np.int64)
    if len(labels) and not 0 <= labels.min() <= labels.max() < 10:
        raise DataError(f"{where}: labels from {labels.min()} to {labels.max()}, not 0 to 9")
    return np.ascontiguousarray(images), labels
