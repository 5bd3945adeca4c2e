"""`python -m gocnn` is the `gocnn` command."""

from gocnn.cli import run

run()
