"""Layers by name, and what they give while a network runs: the ground that the instruments stand on.

Nothing here changes a network for good. `inspecting` and `recording` put back all that they touch, after an exception
as well, so an instrument can be used in the middle of a training.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_WITHOUT_FORWARD = (nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict)


class LayerError(ValueError):
    """A layer that is not there, did not run, or gives nothing that can be looked at; the text says which and why."""


def names(model: nn.Module) -> list[str]:
    """Every layer and block by its dotted name (``conv1``, ``conv1.conv``, ...), in the network's order."""
    return [name for name, module in model.named_modules() if name and not isinstance(module, _WITHOUT_FORWARD)]


def get(model: nn.Module, layer: str) -> nn.Module:
    """The layer of that name; the empty name is the network itself.

    Raises LayerError for an unknown name, listing those there are, the most similar first.
    """
    if not layer:
        return model
    known = names(model)
    if layer not in known:
        near = difflib.get_close_matches(layer, known, n=5, cutoff=0.5)
        there = [*near, *(name for name in known if name not in near)]
        raise LayerError(f"no layer {layer!r} in this {type(model).__name__}; there are {', '.join(there) or 'none'}")
    return model.get_submodule(layer)


def batch_for(model: nn.Module, inputs: Tensor | np.ndarray) -> Tensor:
    """`inputs` as the network wants them: a detached floating batch [B, C, H, W] on its device and of its precision.

    Raises ValueError for another number of dimensions, and for an empty batch.
    """
    batch = torch.as_tensor(inputs).detach()
    if batch.ndim != 4 or batch.numel() == 0:
        raise ValueError(f"a batch of images must be [B, C, H, W], not {list(batch.shape)}")
    example = example_of(model)
    batch = batch.to(example.device, example.dtype)
    with torch.inference_mode(False):  # a tensor that was made in inference mode is never part of a graph; a copy is
        return batch.clone() if batch.is_inference() else batch


def fine(tensor: Tensor) -> Tensor:
    """In float32 if it is of half precision, in which small steps do not add up, nor can a picture be resized."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def example_of(model: nn.Module) -> Tensor:
    """A tensor on the network's device and of its precision."""
    return next((p for p in model.parameters() if p.is_floating_point()), torch.zeros(()))


@contextmanager
def inspecting(model: nn.Module) -> Iterator[None]:
    """The network in eval mode, its weights needing no gradient, its activations not working in place; all for a while.

    Every module's and weight's own state is put back, so a network frozen in parts stays so. Contexts may be nested: of
    two in one network the one that was entered last must be left first.
    """
    modules = [(module, module.training, getattr(module, "inplace", None)) for module in model.modules()]
    weights = [(weight, weight.requires_grad) for weight in model.parameters()]
    try:
        for module, _, inplace in modules:
            module.training = False
            if inplace is True:  # it would overwrite what the layer before it gave, and breaks backward hooks
                module.inplace = False  # type: ignore[assignment]
        for weight, _ in weights:
            weight.requires_grad_(False)
        yield
    finally:
        for module, training, inplace in modules:
            module.training = training
            if inplace is True:
                module.inplace = True  # type: ignore[assignment]
        for weight, needed in weights:
            weight.requires_grad_(needed)


class Record:
    """What one layer gave in the network's latest pass."""

    def __init__(self, layer: str) -> None:
        self._layer = layer
        self._calls: list[Tensor] = []

    @property
    def output(self) -> Tensor:
        """The layer's output, part of the graph if one is built.

        Raises LayerError if the layer did not run, or ran several times in a pass (as an activation that a block uses
        twice does), when "its output" says nothing.
        """
        if len(self._calls) != 1:
            reason = f"runs {len(self._calls)} times in one pass" if self._calls else "does not run"
            raise LayerError(f"layer {self._layer!r} {reason}, so it has no output of its own; take another layer")
        return self._calls[0]

    @property
    def gradient(self) -> Tensor:
        """The gradient at the layer's output after `backward`, of its shape.

        Raises LayerError if there is none: not recorded with gradients, or what was differentiated does not depend on
        this layer.
        """
        if self.output.grad is None:
            raise LayerError(f"no gradient has reached layer {self._layer!r}")
        return self.output.grad


@contextmanager
def recording(model: nn.Module, layer: str, *, gradients: bool = False) -> Iterator[Record]:
    """`inspecting`, and the record of what a layer gives in every pass within the context.

    The network goes on with a copy of the recorded tensor, so whatever it does in place afterwards leaves the record
    as it was. With `gradients` the pass builds a graph in any case, and the record has the gradient after `backward`;
    a graph begins at this layer if nothing before it needs one.

    Raises LayerError for an unknown layer or one whose output is no single tensor.
    """
    module = get(model, layer)
    record = Record(layer)

    def forget(module: nn.Module, arguments: Any) -> None:
        record._calls.clear()

    def note(module: nn.Module, arguments: Any, output: Any) -> Tensor:
        if not isinstance(output, Tensor):
            raise LayerError(f"layer {layer!r} gives a {type(output).__name__}, not one tensor")
        if gradients:
            if not output.requires_grad:
                output = output.detach().requires_grad_()
            output.retain_grad()
        record._calls.append(output)
        return output.clone()

    handles = [model.register_forward_pre_hook(forget), module.register_forward_hook(note)]
    try:
        with inspecting(model), torch.set_grad_enabled(gradients or torch.is_grad_enabled()):
            yield record
    finally:
        for handle in handles:
            handle.remove()


class _Enough(Exception):
    """Every layer that is wanted has run; the rest of the network need not."""


def maps(model: nn.Module, images: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
    """What several layers give in one pass, `inspecting`, each [B, K, H, W] and part of the graph if one is built.

    The network stops after the last of them. Images are brought to its precision, and of its outputs half precisions to
    float32.

    Raises LayerError for an unknown layer, one that does not run, or runs again before the last of them, or one whose
    output is no map, ValueError for no layers.
    """
    if not layers:
        raise ValueError("no layers are named")
    found: dict[str, Tensor] = {}
    wanted = dict.fromkeys(layers)

    def note(name: str, output: Any) -> Tensor:
        if not isinstance(output, Tensor) or output.ndim != 4:
            raise LayerError(f"layer {name!r} gives no map of places; take one of convolutions or pooling")
        if name in found:
            raise LayerError(f"layer {name!r} runs several times in one pass; take another layer")
        found[name] = output
        if len(found) == len(wanted):
            raise _Enough
        return output.clone()  # what follows may work in place

    with inspecting(model), ExitStack() as hooks:
        for name in wanted:
            hook = get(model, name).register_forward_hook(lambda _, __, output, name=name: note(name, output))
            hooks.callback(hook.remove)
        try:
            model(images.to(example_of(model).dtype))
        except _Enough:
            return {name: fine(output) for name, output in found.items()}
    missing = next(name for name in wanted if name not in found)
    raise LayerError(f"layer {missing!r} does not run; take another layer")
