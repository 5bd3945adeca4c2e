"""Pickles of numpy arrays, read as data: nothing in them is ever called but what rebuilds an array.

A pickle is a program, and unpickling one from elsewhere runs it. Some data sets and weights exist in no other form;
this reader admits the three names that numpy's arrays are made of and refuses a file that asks for any other.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np


class PickleError(ValueError):
    """A pickle that is damaged, or that wants more than arrays; the text says which."""


def _reconstruct(*arguments: Any) -> np.ndarray:
    """What numpy's own `_reconstruct` gives: an empty array, which the pickle then fills."""
    if arguments[1:] != ((0,), b"b") and arguments[1:] != ((0,), "b"):
        raise PickleError("an array that is not made in numpy's own way")
    return np.ndarray((0,), np.int8)


# numpy.core became numpy._core in numpy 2; files of either kind are read with either numpy.
_ADMITTED = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ADMITTED[module, name]
        except KeyError:
            raise PickleError(f"the pickle asks for {module}.{name}, and only numpy arrays are read") from None

    def persistent_load(self, pid: Any) -> Any:
        raise PickleError("the pickle refers to data outside of itself")


def load(data: bytes) -> Any:
    """The arrays in a pickle, in the tuples, lists and dicts that hold them.

    Strings of Python 2 are taken as Latin-1. Arrays of Python objects are refused. Raises PickleError.
    """
    try:
        found = _Unpickler(io.BytesIO(data), encoding="latin1").load()
    except PickleError:
        raise
    except Exception as error:  # a damaged pickle raises errors of every kind
        raise PickleError(f"a damaged pickle ({error})") from error
    _refuse_objects(found)
    return found


def _refuse_objects(found: Any) -> None:
    if isinstance(found, np.ndarray) and found.dtype.hasobject:
        raise PickleError("the pickle holds an array of Python objects")
    if isinstance(found, dict):
        for value in found.values():
            _refuse_objects(value)
    elif isinstance(found, (list, tuple)):
        for value in found:
            _refuse_objects(value)
