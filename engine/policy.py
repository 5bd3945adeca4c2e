"""What the player wants of a network, and how to have one without waiting for it at start-up."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from gocnn.go import Board
from gocnn.go.ownership import ownership
from gocnn.profile import UNKNOWN, Profile


class PolicyError(Exception):
    """There is no network to ask, or it can't play this board; the text says which and why."""


class Policy(Protocol):
    """Anything that looks at boards and says how likely each move is."""

    def policy(self, boards: Sequence[Board], symmetries: int = 1) -> np.ndarray:
        """float32 [B, size*size + 1]: the probability of each point and, last, of the pass.

        Seen from each board's `to_move`; all boards are of one size. Illegal moves may have some. It may be the mean of
        so many `symmetries` of the board.
        """


def load_network(model: Path | None, profile: Profile = UNKNOWN) -> Policy:
    """The network in a checkpoint file, or one that ships with the package, playing as a player of that profile.

    Raises PolicyError for a file that is no network, or for one that can be told no profile.
    """
    from gocnn.evaluator import Evaluator  # torch: only when a network is wanted

    try:
        return Evaluator.load(model, profile=profile)
    except ValueError as error:
        raise PolicyError(str(error)) from None


def load_ready_network(model: Path | None, profile: Profile = UNKNOWN) -> Policy:
    """As load_network; what the first moves would compile or set up is then done, too."""
    network = load_network(model, profile)
    with contextlib.suppress(ValueError):  # a network for another board size
        network.policy([Board()])
    ownership(Board(9), playouts=1)
    return network


class LazyPolicy:
    """A policy that is loaded when it is first asked, or earlier in the background."""

    def __init__(self, load: Callable[[], Policy]) -> None:
        self._load = load
        self._loaded: Policy | None = None
        self._lock = threading.Lock()
        self._loader: threading.Thread | None = None
        self._ready = False  # loaded in the background, and what comes then done

    def start_loading(self, then: Callable[[Policy], None] = lambda network: None) -> None:
        """Begin to load in the background, unless that was done or is under way, and to do more with what was loaded.

        Whoever asks for the policy does not have to wait for what is done then.
        """
        if not self._ready and not self.is_preparing:
            self._loader = threading.Thread(target=self._load_quietly, args=(then,))
            self._loader.start()

    @property
    def is_preparing(self) -> bool:
        """Whether the loading, or what comes then, is under way."""
        has_begun = self._loader is not None and self._loader.is_alive()
        return has_begun or (self._loaded is None and self._lock.locked())

    def policy(self, boards: Sequence[Board], symmetries: int = 1) -> np.ndarray:
        """As in Policy. Waits for the loading.

        Raises what that raises, and PolicyError if the network can't play such boards.
        """
        network: Policy = self.network()
        try:
            return network.policy(boards, symmetries)
        except ValueError as error:
            raise PolicyError(str(error)) from None

    def network(self) -> Any:
        """What was loaded, as it is. Waits for the loading; raises what that raises."""
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def _load_quietly(self, then: Callable[[Policy], None]) -> None:
        # What goes wrong here goes wrong again, and is reported, where the policy is first used;
        # or else the program is just ending, and importing torch fails for that.
        with contextlib.suppress(Exception):
            then(self.network())
            self._ready = True
