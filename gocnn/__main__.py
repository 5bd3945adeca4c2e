"""`python -m gocnn` is the `gocnn` command."""

from gocnn.cli import main

main(prog_name="gocnn")
