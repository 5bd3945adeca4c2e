"""The folder for files that can be fetched or made again."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_dir


def folder() -> Path:
    """The environment's GOCNN_CACHE, or else a folder in the user's cache folder of the system; it may not exist."""
    return Path(os.environ.get("GOCNN_CACHE") or user_cache_dir("gocnn", appauthor=False))
