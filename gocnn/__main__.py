"""`python -m gocnn` is the `gocnn` command."""

import os
import sys

# `-m` looks into the current directory first: somebody's own train.py there must not be taken for ours.
if sys.path[0] == os.getcwd():
    sys.path.append(sys.path.pop(0))

from gocnn.cli import run  # noqa: E402

run()
