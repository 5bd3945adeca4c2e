"""The other end of GTP: start an engine, send it commands, and survive what it does.

The PyPI package `gtp` has the commands (`GoTextBase`) and the exception for a refusal
(`FailedCommand`); its own pipes date from Python 2, so the transport is ours.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import shlex
import signal
import subprocess
import threading
import time
from collections import deque
from types import TracebackType
from typing import IO

from gtp import FailedCommand, GoTextBase

__all__ = ["EngineCrashed", "EngineFailure", "EngineStalled", "FailedCommand", "GtpClient"]

#: Lines of an engine's stderr that are kept to explain its end.
STDERR_LINES = 20

#: Characters after which a line is cut, and lines that may wait to be read: an engine that floods
#: its output has to wait, too.
_LINE = 1 << 16
_WAITING = 10_000

_ANSWER = re.compile(r"([=?])[0-9]*[ \t]*(.*)", re.DOTALL)


class EngineFailure(Exception):
    """The engine can't be talked to any more; the text says what happened."""


class EngineCrashed(EngineFailure):
    """The engine ended, closed its pipes, or could not be started."""


class EngineStalled(EngineFailure):
    """The engine did not finish its answer in time."""


class GtpClient(GoTextBase):
    """An engine in a process of its own, and a pipe to it. Use as a context manager.

    Besides `send`, which takes any command, there are the methods of GoTextBase: boardsize,
    clear_board, play, genmove, showboard and GNU Go's estimate_score.
    """

    def __init__(self, command: str, *, timeout: float = 60.0) -> None:
        """Start `command`, split into words as a shell does; no shell runs.

        `timeout` is in seconds, for each answer. Raises EngineCrashed if it can't be started.
        """
        self.command = command
        self.timeout = timeout
        self._stderr: deque[str] = deque(maxlen=STDERR_LINES)
        self._lines: queue.Queue[str | None] = queue.Queue(_WAITING)
        try:
            # A session of its own: Ctrl-C in the terminal is the referee's, and `close` can end
            # what the engine itself has started.
            self._process = subprocess.Popen(
                shlex.split(command) if os.name == "posix" else command,  # Windows splits by itself
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
        except (OSError, ValueError, IndexError) as error:
            raise EngineCrashed(f"cannot start {command!r}: {error}") from None
        stdin, stdout, stderr = self._process.stdin, self._process.stdout, self._process.stderr
        assert stdin is not None and stdout is not None and stderr is not None
        self._stdin = stdin
        self._closing = threading.Event()
        self._killed = False
        self._readers = [
            threading.Thread(target=self._read_stdout, args=(stdout,), daemon=True),
            threading.Thread(target=self._read_stderr, args=(stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def send(self, command: str, timeout: float | None = None) -> str:
        """Send one command; returns the text of its answer, without empty lines around it.

        Raises FailedCommand with the text of a refusal (the engine goes on), EngineStalled if the
        answer isn't there after `timeout` seconds, EngineCrashed if the engine has ended, and
        EngineFailure for an answer that isn't GTP. After those three the engine is closed.
        """
        try:
            return self._exchange(command, self.timeout if timeout is None else timeout)
        except EngineFailure:
            self.kill()
            raise

    def _send(self, data: str) -> str:
        """The hook of GoTextBase."""
        return self.send(data)

    def _exchange(self, command: str, timeout: float) -> str:
        deadline = time.monotonic() + timeout
        try:
            self._stdin.write(command + "\n")
            self._stdin.flush()
        except (OSError, ValueError):  # a broken pipe, or one that was closed
            raise EngineCrashed(self._obituary(command)) from None
        lines: list[str] = []
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise EngineStalled(f"no answer to {command!r} in {timeout:g} s")
            try:
                line = self._lines.get(timeout=min(left, threading.TIMEOUT_MAX))
            except queue.Empty:
                continue
            if line is None or self._closing.is_set():
                raise EngineCrashed(self._obituary(command))
            line = line.rstrip()
            if line:
                lines.append(line)
            elif lines:
                break
        answer = _ANSWER.fullmatch("\n".join(lines))
        if answer is None:
            raise EngineFailure(f"the answer to {command!r} is not GTP: {lines[0]!r}")
        status, text = answer.groups()
        if status == "?":
            raise FailedCommand(text)
        return text.strip("\n")

    def _obituary(self, command: str) -> str:
        """What is known about the end of the engine."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=2.0)
        self._readers[1].join(timeout=1.0)
        code = self._process.returncode
        ended = "closed its output" if code is None else f"ended with status {code}"
        last_words = f": {self._stderr[-1]}" if self._stderr else ""
        return f"the engine {ended} at {command!r}{last_words}"

    def close(self, timeout: float = 5.0) -> None:
        """Send `quit`, give the engine `timeout` seconds to end, then end it. May be repeated."""
        with contextlib.suppress(OSError, ValueError):
            self._stdin.write("quit\n")
            self._stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=timeout)
        self.kill()

    def kill(self) -> None:
        """End the engine at once, with the processes it has started. May be repeated.

        May be called from another thread; a `send` under way then raises EngineCrashed.
        """
        self._closing.set()
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(None)  # for a `send` that waits
        if not self._killed:  # the group's number may be somebody else's later
            self._killed = True
            if os.name == "posix":  # what an engine has started may outlive it
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            elif self._process.poll() is None:
                self._process.kill()
            self._process.wait()
        with contextlib.suppress(OSError, ValueError):
            self._stdin.close()

    def __enter__(self) -> GtpClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _read_stdout(self, stream: IO[str]) -> None:
        with contextlib.suppress(OSError, ValueError), stream:
            while line := stream.readline(_LINE):
                if not self._put(line):
                    return
        self._put(None)

    def _put(self, line: str | None) -> bool:
        """Hand a line to the reader of answers; False once nobody wants it any more."""
        while not self._closing.is_set():
            with contextlib.suppress(queue.Full):
                self._lines.put(line, timeout=0.2)
                return True
        return False

    def _read_stderr(self, stream: IO[str]) -> None:
        with contextlib.suppress(OSError, ValueError), stream:
            while line := stream.readline(_LINE):
                if line.strip():
                    self._stderr.append(line.rstrip())
