"""`python -m gocnn` is the `gocnn` command."""

import os
import sys
from pathlib import Path

# `-m` looks into the current directory first: somebody's own train.py there must not be taken for ours.
if sys.path[0] == os.getcwd() != str(Path(__file__).parents[1]):
    del sys.path[0]

from gocnn.cli import run

run()
