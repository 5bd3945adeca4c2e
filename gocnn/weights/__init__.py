"""The small trained networks that ship with the package; each has a model card in this folder's README."""

from __future__ import annotations

from pathlib import Path

DEFAULT = "policy-b8c128.safetensors"
PEOPLE = "people-b6c64.safetensors"


def shipped(file: str) -> Path:
    """Where a file of this folder is."""
    return Path(__file__).parent / file


def named(name: str) -> Path | None:
    """The policy network of that name, ``b8c128`` or ``b6c64``; None if none ships."""
    path = shipped(f"policy-{name}.safetensors")
    return path if path.exists() else None


def default(told_who_plays: bool = False) -> Path:
    """The policy network that is used where none is named, and where it shall be told who plays."""
    return shipped(PEOPLE if told_who_plays else DEFAULT)
