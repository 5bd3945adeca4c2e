"""Where a network runs: the device, its number format, and the processes that share a run."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor


def best_device(local_rank: int = 0) -> torch.device:
    """The GPU of this process if there is one (CUDA, then Apple's MPS), else the CPU.

    Raises ValueError if there are fewer GPUs than processes.
    """
    if torch.cuda.is_available():
        if local_rank >= torch.cuda.device_count():
            raise ValueError(f"process {local_rank + 1} has no GPU: there are {torch.cuda.device_count()}")
        return torch.device("cuda", local_rank)
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def named_device(name: str | None, local_rank: int = 0) -> torch.device:
    """The device that is named ("cuda", "cuda:1", "mps", "cpu"), or the best there is.

    "cuda" is the GPU of this process. Raises ValueError for a device that does not exist here.
    """
    if not name:
        return best_device(local_rank)
    try:
        device = torch.device(name)
        if device.type == "cuda" and device.index is None:
            device = torch.device("cuda", local_rank)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(f"no device {name!r} here: {str(error).splitlines()[0]}") from error
    return device


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device computes in bfloat16 at more than the speed of float32."""
    if device.type == "cuda":
        return torch.version.hip is not None or torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    if platform.machine().lower() in ("x86_64", "amd64"):  # with less than this, oneDNN only imitates it, at half speed
        return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())  # not in older versions
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def memory_format(device: torch.device) -> torch.memory_format:
    """How images [B, C, H, W] lie in memory for this device's convolutions: channels last.

    Not on MPS, where torch's batch norms get wrong gradients from that (pytorch/pytorch#175189).
    """
    return torch.contiguous_format if device.type == "mps" else torch.channels_last


def precision(choice: str, device: torch.device) -> torch.dtype:
    """The number format for "auto", "bf16" or "fp32". Raises ValueError for another word."""
    if choice == "auto":
        return torch.bfloat16 if has_bfloat16(device) else torch.float32
    try:
        return {"bf16": torch.bfloat16, "fp32": torch.float32}[choice]
    except KeyError:
        raise ValueError(f"unknown precision {choice!r}: auto, bf16 or fp32") from None


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[None]:
    """The context in which matrix products run in `dtype`; nothing is changed for float32."""
    return contextlib.nullcontext() if dtype == torch.float32 else torch.autocast(device.type, dtype)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """The context in which torch uses one thread on the CPU: for work so small that waking others costs more.

    The number is the whole process's: a thread that asks torch for the first time meanwhile keeps to one for good.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def keep_memory() -> None:
    """Have the C library keep the memory of freed tensors for the next ones, from now on.

    A step of training makes and frees the same large tensors as the one before; given back to the system each time,
    their pages are mapped and cleared again and again. Does nothing where the C library is not glibc.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        trim_threshold, mmap_max = -1, -4  # mallopt(3)
        libc.mallopt(mmap_max, 0)
        libc.mallopt(trim_threshold, 2**31 - 1)


@dataclass(frozen=True)
class Process:
    """This process among those that train together: `rank` 0 .. `world` - 1, on `device`."""

    rank: int
    world: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this is the process that reports and saves."""
        return self.rank == 0

    def from_first(self, *values: float) -> tuple[float, ...]:
        """The first process's values, on every process; no GPU has to wait for that."""
        if self.world == 1:
            return values
        box = torch.tensor(values, dtype=torch.float64)
        dist.broadcast(box, 0)
        return tuple(box.tolist())

    def mean(self, value: float) -> float:
        """The mean of all processes' values, on every process."""
        if self.world == 1:
            return value
        box = torch.tensor([value], dtype=torch.float64)
        dist.all_reduce(box)
        return float(box) / self.world

    def wait(self) -> None:
        """Wait until all processes are here."""
        self.mean(0.0)

    def copy_first(self, tensors: Iterable[Tensor]) -> None:
        """Give the first process's values to the tensors of all, in place."""
        for tensor in tensors if self.world > 1 else ():
            box = tensor.contiguous()
            dist.broadcast(box, 0)
            tensor.copy_(box)

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Give the mean of all processes' values to the tensors, of one type and device, in place.

        By one exchange after the backward pass, where DistributedDataParallel has several while it goes on: networks
        of a few million weights hardly gain by that, and it keeps the group beyond its end (see `processes`).
        """
        if self.world > 1:
            flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
            dist.all_reduce(flat)
            flat /= self.world
            for tensor, mean in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
                tensor.copy_(mean.view(tensor.shape))


@contextlib.contextmanager
def processes(device: str | None = None) -> Iterator[Process]:
    """The processes that torchrun started, joined for the length of the context; a plain run is one process.

    `device` is as in `named_device`. GPUs talk over NCCL, CPUs over gloo. Raises ValueError for several processes on
    one Apple GPU.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    chosen = named_device(device, local_rank)
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    if world == 1:
        yield Process(0, 1, chosen)
        return
    if chosen.type == "mps":
        raise ValueError("Apple's GPU can't be shared by several processes: add --device cpu, or leave torchrun out")
    # This module's functions have the group for a default, and so keep it if torch's compiler imports them after this.
    # Gloo's threads end with the last reference to it; left alive, they abort the process now and then as Python ends
    # (https://github.com/pytorch/pytorch/pull/179291).
    importlib.import_module("torch.distributed.nn.functional")
    dist.init_process_group("cpu:gloo,cuda:nccl" if chosen.type == "cuda" else "gloo")
    here = Process(dist.get_rank(), world, chosen)
    try:
        yield here
        here.wait()  # none leaves before the first has saved: torchrun ends all as soon as one is at fault
    finally:
        dist.destroy_process_group()
