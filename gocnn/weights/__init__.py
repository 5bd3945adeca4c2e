"""The small trained networks that ship with the package; each has a model card in this folder's README."""

from __future__ import annotations

from pathlib import Path

DEFAULT = "policy-b6c64.safetensors"


def default() -> Path:
    """The policy network that is used where none is named."""
    return Path(__file__).parent / DEFAULT
