"""The game that the networks look at: rules, coordinates, symmetries, input planes and scores. No torch in here."""

from gocnn.go.board import Board, IllegalMove
from gocnn.go.core import BLACK, EMPTY, WHITE

__all__ = ["BLACK", "EMPTY", "WHITE", "Board", "IllegalMove"]
