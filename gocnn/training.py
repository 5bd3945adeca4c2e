"""The one training loop that every network here goes through.

A run is a folder: `checkpoint.safetensors` to resume from, `log.csv` and `curves.png`; recipes add the averaged weights
as `network.safetensors`. Its data is a `Source`, numbered samples, so that a run killed at any moment and resumed sees
the same samples, steps and schedule as one that was left alone.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gocnn import checkpoint, optim
from gocnn.atomic import check_writable
from gocnn.batches import Prefetcher, Source, as_inputs
from gocnn.device import Process, autocast, keep_memory, memory_format, precision
from gocnn.journal import Journal

Loss = Callable[..., Tensor]  # (model, inputs, targets...) -> a scalar; the model may run in half precision
Metrics = dict[str, float]


def cross_entropy(model: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """The loss of a classifier: mean nats, of logits [B, classes] and targets int64 [B]."""
    return nn.functional.cross_entropy(model(inputs).float(), targets)


@dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained. The budget is `minutes` or `samples`; the learning rate falls to zero at its end.

    Minutes are those of training: tests between them are not counted, nor the first step of a process, in which the
    network is compiled.

    `batch` is per process. `warmup` and `decay` are shares of the budget, at its two ends: over the one the learning
    rate rises, over the other it falls, and it holds between them. `*_minutes` are intervals.
    """

    minutes: float | None = None
    samples: int | None = None
    batch: int = 128
    optimizer: str = "muon"
    lr: float = 4e-3
    muon_lr: float = 4e-3
    weight_decay: float = 0.05
    warmup: float = 0.02
    decay: float = 1.0
    clip: float = 1.0
    ema: float = 0.998
    seed: int = 0
    precision: str = "auto"
    compile: bool = False
    checkpoint_minutes: float = 3.0
    validate_minutes: float = 5.0

    def __post_init__(self) -> None:
        if (self.minutes is None) == (self.samples is None):
            raise ValueError("give a budget of either minutes or samples")
        if self.batch < 1 or (self.minutes or self.samples or 0) <= 0:
            raise ValueError("the batch and the budget must be more than nothing")
        if not 0 < self.decay <= 1:
            raise ValueError("the decay must be a share of the budget, more than 0 and at most 1")


@dataclass
class Progress:
    """Where a run stands: all that changes besides the tensors."""

    step: int = 0
    seconds: float = 0.0
    loss: float = field(default=float("nan"))  # running mean


class Interrupted(Exception):
    """The run was asked to stop (Ctrl-C, SIGTERM or SIGHUP); its checkpoint is written."""


@torch.no_grad()
def classify(
    model: nn.Module, source: Source, device: torch.device, *, count: int | None = None, batch: int = 256
) -> Metrics:
    """Test a classifier on the first `count` samples of a source (all of an epoch by default).

    Returns "top1" and "top5" (0 to 1), "cross_entropy" (nats) and "tested".
    """
    count = len(source) if count is None else min(count, len(source))
    model.eval()
    top1 = top5 = 0
    nats = 0.0
    with Prefetcher(source, 0, batch, batch, device) as batches:
        for first in range(0, count, batch):
            inputs, targets, *_ = (t[: count - first] for t in batches.next())
            logits = model(as_inputs(inputs)).float()
            nats += float(nn.functional.cross_entropy(logits, targets, reduction="sum"))
            best = logits.topk(min(5, logits.shape[1])).indices == targets[:, None]
            best &= ~logits.isnan().any(1, keepdim=True)  # which come first, and are no answer
            top1 += int(best[:, 0].sum())
            top5 += int(best.sum())
    return {"top1": top1 / count, "top5": top5 / count, "cross_entropy": nats / count, "tested": count}


class Run:
    """A training run: the model, its average, its optimisers and where it stands, tied to a folder."""

    def __init__(
        self,
        folder: Path,
        model: nn.Module,
        config: TrainingConfig,
        process: Process,
        *,
        loss: Loss = cross_entropy,
        identity: dict[str, Any] | None = None,
    ) -> None:
        """`identity` (JSON-like) says what is trained and on what; a resumed run must have the same."""
        self.folder, self.config, self.process = folder, config, process
        self.identity = identity or {}
        self.dtype = precision(config.precision, process.device)
        self.model = model.to(process.device, memory_format=memory_format(process.device))  # type: ignore[call-overload]
        process.copy_first(self.model.state_dict().values())
        self.ema = optim.AveragedModel(self.model, config.ema)
        self.optimizers = optim.make_optimizers(
            self.model, config.optimizer, config.lr, config.muon_lr, config.weight_decay
        )
        self.progress = Progress()

        def loss_of(inputs: Tensor, *targets: Tensor) -> Tensor:
            with autocast(process.device, self.dtype):
                return torch.as_tensor(loss(self.model, as_inputs(inputs), *targets))

        self._loss_of = torch.compile(loss_of, dynamic=False) if config.compile else loss_of

    @property
    def checkpoint_path(self) -> Path:
        return self.folder / "checkpoint.safetensors"

    @property
    def samples(self) -> int:
        """Samples seen so far by all processes."""
        return self.progress.step * self.config.batch * self.process.world

    @property
    def share_done(self) -> float:
        """How much of the budget is used, 0 to 1."""
        return self._share_of(self.config.minutes, self.config.samples)

    def _share_of(self, minutes: float | None, samples: int | None) -> float:
        if samples is not None:
            return min(1.0, self.samples / samples)
        return min(1.0, self.progress.seconds / (60 * (minutes or 1)))

    def _holds(self, config: dict[str, Any]) -> bool:
        """Whether the learning rate is at its peak under this configuration, between its rise and its fall."""
        share = self._share_of(config["minutes"], config["samples"])
        return bool(config["warmup"] <= share <= 1 - config["decay"])

    def step(self, inputs: Tensor, *targets: Tensor) -> Tensor:
        """One optimiser step; returns the loss, still on the device."""
        rate = optim.rate_share(self.share_done, self.config.warmup, self.config.decay)
        optim.set_learning_rate(self.optimizers, rate)
        loss = self._loss_of(inputs, *targets)
        loss.backward()
        self.process.average([p.grad for p in self.model.parameters() if p.grad is not None])
        if self.config.clip:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.progress.step += 1
        self.ema.update(self.model, self.progress.step)
        return loss.detach()

    def save(self) -> None:
        """Write the checkpoint to resume from."""
        tensors = {f"model.{n}": t for n, t in self.model.state_dict().items()}
        tensors |= {f"average.{n}": t for n, t in self.ema.module.state_dict().items()}
        for k, optimizer in enumerate(self.optimizers):
            for index, state in optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer{k}.{index}.{n}": t for n, t in state.items()}
        meta = {"config": asdict(self.config), "identity": self.identity, "progress": asdict(self.progress),
                "world": self.process.world}  # fmt: skip
        checkpoint.save(self.checkpoint_path, "training", meta, tensors)

    def begin(self, resume: bool) -> None:
        """Go on from the folder's checkpoint, or make sure that the folder has nothing that would be written over.

        Raises ValueError if it has a run or a network, OSError if it cannot be written to, and what `resume` raises.
        """
        if resume:
            self.resume()
        elif self.checkpoint_path.exists() or (self.folder / "network.safetensors").exists():
            remedy = "add --resume to go on with it, or take another folder"
            raise ValueError(f"{self.folder} holds a run already: {remedy}")
        if self.process.is_first:
            check_writable(self.checkpoint_path)

    def resume(self) -> None:
        """Go on from the folder's checkpoint. The run's end may be another one while its learning rate holds.

        Raises CheckpointError if there is none, it is damaged, it belongs to a run with other settings, or the first
        process goes on from another one.
        """
        saved = checkpoint.load(self.checkpoint_path, "training")
        with checkpoint.building(self.checkpoint_path):
            self._go_on_from(saved)

    def _go_on_from(self, saved: checkpoint.Checkpoint) -> None:
        self.progress = Progress(**saved.meta["progress"])
        (first,) = self.process.from_first(self.progress.step)
        if first != self.progress.step:
            raise checkpoint.CheckpointError(
                f"{self.checkpoint_path}: of step {self.progress.step:,}, where the first process has one of step "
                f"{first:,.0f}: all need the same checkpoint"
            )
        config, before = asdict(self.config), {"decay": 1.0} | saved.meta["config"]
        before |= {name: config[name] for name in ("checkpoint_minutes", "validate_minutes")}  # these change no weight
        if self._holds(before) and self._holds(config):
            before = before | {name: config[name] for name in ("minutes", "samples", "decay")}
        # Runs of earlier versions did not write these down.
        untold = {name: self.identity[name] for name in ("data", "labels", "owners", "val") if name in self.identity}
        for what, now, then in (
            ("settings", config, before),
            ("data or network", self.identity, untold | saved.meta["identity"]),
            ("number of processes", {"world": self.process.world}, {"world": saved.meta["world"]}),
        ):
            changed = sorted(k for k in now.keys() | then.keys() if now.get(k) != then.get(k))
            if changed:
                raise checkpoint.CheckpointError(
                    f"{self.checkpoint_path}: this run was started with other {what}: "
                    + ", ".join(f"{k} was {then.get(k)}, now {now.get(k)}" for k in changed)
                )
        self.model.load_state_dict(_with_prefix(saved.tensors, "model."))
        self.ema.module.load_state_dict(_with_prefix(saved.tensors, "average."))
        for k, optimizer in enumerate(self.optimizers):
            params = [p for group in optimizer.param_groups for p in group["params"]]
            state: dict[int, dict[str, Tensor]] = {}
            for name, tensor in _with_prefix(saved.tensors, f"optimizer{k}.").items():
                index, key = name.split(".")
                if tensor.shape == params[int(index)].shape:
                    # In the weights' memory layout, or the fused kernels would pair the wrong elements.
                    tensor = torch.empty_like(params[int(index)]).copy_(tensor)
                else:
                    tensor = tensor.clone()  # Windows replaces no file that is still mapped into memory
                state.setdefault(int(index), {})[key] = tensor
            optimizer.load_state_dict({**optimizer.state_dict(), "state": state})

    def train(self, source: Source, validate: Callable[[nn.Module], Metrics]) -> Metrics:
        """Train until the budget is used; returns the last validation's metrics.

        `validate` is given the averaged model, in eval mode. Raises Interrupted after saving, on Ctrl-C, SIGTERM or
        SIGHUP.
        """
        config, process = self.config, self.process
        stride = config.batch * process.world
        start = self.progress.step * stride + process.rank * config.batch
        keep_memory()
        torch.manual_seed(config.seed)
        with (
            Prefetcher(source, start, config.batch, stride, process.device) as batches,
            Journal(self.folder, self.progress.step, enabled=process.is_first) as journal,
            _stop_requests() as stop,
        ):
            began: float | None = None
            validated = saved = self.progress.seconds
            metrics = journal.last_metrics
            while self.share_done < 1:
                self.model.train()
                loss = self.step(*batches.next())
                fresh = began is None
                if began is None:  # compiling, again in each process that goes on, is no time of training
                    began = time.monotonic() - self.progress.seconds
                (self.progress.seconds,) = process.from_first(time.monotonic() - began)
                stopping = process.mean(float(stop.is_set)) > 0
                finished = self.share_done >= 1
                due = self.progress.seconds - saved >= 60 * config.checkpoint_minutes
                ending = stopping or finished
                testing = not ending and self.progress.seconds - validated >= 60 * config.validate_minutes
                # The first checkpoint follows the first step: if that fails, for too large a batch say, the folder
                # holds no run yet. A test may last longer than somebody who stops the run will wait, so it comes after.
                saving = fresh or due or ending or testing
                reporting = not self.progress.step % 10 or self.progress.step == 1
                if reporting or saving:
                    value = self._finite("loss", process.mean(float(loss)))
                if reporting:
                    old = self.progress.loss
                    self.progress.loss = value if np.isnan(old) else 0.95 * old + 0.05 * value
                    journal.show(self.share_done, self.samples, self.progress.seconds, self.progress.loss)
                if saving:
                    self._finite("largest weight", process.mean(self._largest_weight()))
                    saved = self.progress.seconds
                    if process.is_first:
                        self.save()
                if testing:
                    paused = time.monotonic()
                    metrics = self._test(validate, journal)
                    began += time.monotonic() - paused
                    validated = self.progress.seconds
                if stopping and not finished:
                    raise Interrupted
            # Here and not in the loop: a run that was killed during this test has left the loop behind when it resumes.
            if journal.last_step != self.progress.step:
                metrics = self._test(validate, journal)
        return metrics

    def _test(self, validate: Callable[[nn.Module], Metrics], journal: Journal) -> Metrics:
        """Validate and write it down, on the first process alone."""
        if not self.process.is_first:
            return {}
        metrics = validate(self.ema.module)
        journal.record(
            self.progress.step, self.samples, self.progress.seconds, self.learning_rate, self.progress.loss, metrics
        )
        return metrics

    def _largest_weight(self) -> float:
        """Of the average, which keeps what the model's weights and statistics were; nan if one is no number."""
        weights = [t for t in self.ema.module.state_dict().values() if t.is_floating_point()]
        return float(torch.stack([weight.abs().max() for weight in weights]).max())

    def _finite(self, what: str, value: float) -> float:
        """The value itself. Raises ValueError if it is no number any more, before that is saved."""
        if not np.isfinite(value):
            raise ValueError(
                f"the {what} is {value} after {self.progress.step:,} steps: try lower learning rates. "
                f"{self.checkpoint_path} is as it was last saved"
            )
        return value

    @property
    def learning_rate(self) -> float:
        return float(self.optimizers[0].param_groups[0]["lr"])


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


@dataclass
class _Stop:
    is_set: bool = False


@contextmanager
def _stop_requests() -> Iterator[_Stop]:
    """Turn the first Ctrl-C, SIGTERM or SIGHUP into a request to stop at the end of the step; the second acts at once.

    SIGHUP comes when a terminal is closed or a connection breaks; where it is ignored, as under nohup, it remains so.
    """
    stop = _Stop()
    before: dict[int, Any] = {}  # the handlers that this context replaces

    def ask(number: int, frame: object) -> None:
        stop.is_set = True
        signal.signal(number, before[number])

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        wanted = getattr(signal, name, None)  # Windows has no SIGHUP
        if wanted is not None and signal.getsignal(wanted) != signal.SIG_IGN:
            before[wanted] = signal.signal(wanted, ask)
    try:
        yield stop
    finally:
        for caught, handler in before.items():
            signal.signal(caught, handler)
