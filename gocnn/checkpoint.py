"""Saving and loading: tensors as safetensors, everything else as JSON in the same file's header.

A checkpoint is data, never code: nothing in it is unpickled or run. A file under its final name is always complete
(`gocnn.atomic`).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import safetensors
import safetensors.torch
from torch import Tensor, nn

from gocnn.atomic import write_atomically

FORMAT_VERSION = 1
_KEY = "gocnn"

Model = TypeVar("Model", bound=nn.Module)


class CheckpointError(ValueError):
    """A file that is no checkpoint, is damaged, or holds something else than was asked for; the text names it."""


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds: its `kind` ("policy", "training", ...), JSON-like `meta` and named `tensors`."""

    kind: str
    meta: dict[str, Any]
    tensors: dict[str, Tensor]

    def in_full(self) -> dict[str, Tensor]:
        """The tensors with all floating-point ones in float32, as a model computes with them."""
        return {name: t.float() if t.is_floating_point() else t for name, t in self.tensors.items()}


def in_half(model: nn.Module) -> dict[str, Tensor]:
    """A model's tensors with all floating-point ones in float16: half of the bytes, for a network that ships."""
    return {name: t.half() if t.is_floating_point() else t for name, t in model.state_dict().items()}


@contextmanager
def building(path: str | os.PathLike[str]) -> Iterator[None]:
    """The context in which a model is made of a checkpoint's description and given its tensors.

    What goes wrong there, a CheckpointError excepted, is raised as a CheckpointError that names the file.
    """
    try:
        yield
    except CheckpointError:
        raise
    except (LookupError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(f"{path}: its weights do not fit its description ({reason})") from error


def save(path: str | os.PathLike[str], kind: str, meta: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Write a checkpoint. `meta` must be JSON-like. Raises OSError if the file cannot be written."""
    header = {_KEY: json.dumps({"version": FORMAT_VERSION, "kind": kind, "meta": meta})}
    flat = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_atomically(path, safetensors.torch.save(flat, metadata=header))


def restored(model: Model, path: str | os.PathLike[str], kind: str) -> Model:
    """The model itself with the weights of a checkpoint of that kind, in eval mode. Raises CheckpointError."""
    saved = load(path, kind)
    with building(path):
        model.load_state_dict(saved.in_full())
    return model.eval()


def signature(path: str | os.PathLike[str]) -> str:
    """Which file it is, wherever it lies: its name, and how the SHA-256 of its bytes begins. Raises OSError."""
    return f"{os.path.basename(path)} {hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]}"


def load(path: str | os.PathLike[str], kind: str | None = None) -> Checkpoint:
    """Read a checkpoint, onto the CPU.

    Raises CheckpointError if the file is missing, damaged, not ours, of a newer format, or not of the wanted `kind`.
    """
    if not os.path.isfile(path):
        raise CheckpointError(f"{path}: no such file")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get(_KEY, "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (safetensors.SafetensorError, OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: not a checkpoint, or a damaged one ({error})") from error
    if not isinstance(header, dict) or not {"version", "kind", "meta"} <= header.keys():
        raise CheckpointError(f"{path}: a safetensors file, but not one of gocnn's")
    if header["version"] != FORMAT_VERSION:
        raise CheckpointError(
            f"{path}: written in format {header['version']}; this gocnn reads format {FORMAT_VERSION}"
        )
    if kind is not None and header["kind"] != kind:
        raise CheckpointError(f"{path}: holds a {header['kind']!r} checkpoint, not {kind!r}")
    return Checkpoint(header["kind"], header["meta"], tensors)
