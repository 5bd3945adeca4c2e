"""What the recipes of the image networks have in common: one run of the training loop, up to the network's file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from gocnn import checkpoint, training
from gocnn.batches import Source
from gocnn.device import processes


def train(
    out: Path, model: nn.Module, settings: training.TrainingConfig, source: Source,
    validate: Callable[[nn.Module], training.Metrics], save: Callable[[Path, Any, dict[str, Any]], None], *,
    identity: dict[str, Any], loss: training.Loss = training.cross_entropy,
    init: str | os.PathLike[str] | None = None, resume: bool = False, device: str | None = None,
) -> training.Metrics:  # fmt: skip
    """Train a model on a source, and have `save` write network.safetensors into the folder `out`.

    `save` is given the file, the averaged model and a card of what is known of its making; `validate` the same model.
    `identity` (JSON-like) says what is trained and on what, `init` the file that the model's weights are from; a run
    that is resumed must have the same. Returns the last figures. Raises ValueError for settings at fault
    (CheckpointError), OSError, and `gocnn.training.Interrupted` once a stopped run is saved.
    """
    if init:
        identity = identity | {"init": checkpoint.signature(init)}
    out.mkdir(parents=True, exist_ok=True)
    with processes(device) as here:
        run = training.Run(out, model, settings, here, loss=loss, identity=identity)
        run.begin(resume)
        metrics = run.train(source, validate)
        if here.is_first:
            card = {"training": identity, "samples": run.samples, "seconds": run.progress.seconds, "metrics": metrics}
            save(out / "network.safetensors", run.ema.module, card)
    return metrics
