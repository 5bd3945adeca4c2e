"""From a numbered row of samples to tensors on a device, drawn ahead of the network by a thread."""

from __future__ import annotations

import queue
import threading
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from gocnn.device import memory_format

DEPTH = 4  # batches drawn ahead


class Source(Protocol):
    """Samples by number: what every network here is trained on and tested with."""

    def __len__(self) -> int:
        """The samples of one epoch."""

    def batch(self, first: int, count: int) -> tuple[np.ndarray, ...]:
        """Samples ``first`` to ``first + count - 1``: inputs [count, ...], then one or more targets [count, ...]."""


class Mixture:
    """Two sources as one: a `share` of the samples is the second's, evenly strewn among the first's."""

    def __init__(self, first: Source, second: Source, share: float) -> None:
        """Both sources' batches have the same parts; `share` is more than 0 and less than 1."""
        self.first, self.second, self.share = first, second, share

    def __len__(self) -> int:
        """The samples until each of the first source has come once."""
        return int(len(self.first) / (1 - self.share))

    def batch(self, first: int, count: int) -> tuple[np.ndarray, ...]:
        """As in `Source`; the first source's samples come first."""
        before, until = int(self.share * first), int(self.share * (first + count))
        parts = (
            self.first.batch(first - before, count - (until - before)),
            self.second.batch(before, until - before),
        )
        return tuple(np.concatenate(pair) for pair in zip(*parts, strict=True))


def as_inputs(inputs: Tensor) -> Tensor:
    """int8 or float [B, C, H, W] -> float32, in memory as convolutions like it."""
    if inputs.ndim != 4:
        return inputs.float()
    return inputs.to(torch.float32, memory_format=memory_format(inputs.device))


class Prefetcher:
    """Draws batches ahead in a thread; use as a context and call `next` for (inputs, targets...) on the device.

    Batch number ``k`` holds the samples from ``start + k * stride``. On CUDA the batch is copied from pinned memory
    without waiting. An error in the source is raised by `next`.
    """

    def __init__(self, source: Source, start: int, count: int, stride: int, device: torch.device) -> None:
        self._source, self._next, self._count, self._stride = source, start, count, stride
        self._device = device
        self._queue: queue.Queue[tuple[Tensor, ...] | BaseException] = queue.Queue(DEPTH)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._draw, daemon=True)

    def __enter__(self) -> Prefetcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        while self._thread.is_alive():
            try:  # the thread may be waiting for room
                self._queue.get_nowait()
            except queue.Empty:
                self._thread.join(0.01)

    def _draw(self) -> None:
        try:
            while not self._stop.is_set():
                tensors = tuple(torch.from_numpy(a) for a in self._source.batch(self._next, self._count))
                if self._device.type == "cuda":
                    tensors = tuple(t.pin_memory() for t in tensors)
                self._queue.put(tensors)
                self._next += self._stride
        except BaseException as error:  # handed to the thread that trains
            self._queue.put(error)

    def next(self) -> tuple[Tensor, ...]:
        item = self._queue.get()
        if isinstance(item, BaseException):
            raise item
        pinned = self._device.type == "cuda"  # of other memory a copy must be complete before it is freed
        return tuple(tensor.to(self._device, non_blocking=pinned) for tensor in item)
