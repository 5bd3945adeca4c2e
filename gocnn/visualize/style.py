"""Deep Style: what is on one picture, painted as another one is (Gatys, Ecker & Bethge 2015,
https://arxiv.org/abs/1508.06576).

With F the outputs of a layer, a row of M places for each of its N filters, what is on a picture is F itself, and its
style is which filters answer together, wherever that is: the Gram matrix G_ij = F_i · F_j. The picture x is sought with
the content of p (outputs P) and the style of a (Gram matrices A):

    L_content = sum over layers of v/2 · sum_ij (F_ij - P_ij)²
    L_style   = sum over layers of w/(4 N²) · sum_ij (G_ij - A_ij)²
    x         = argmin of alpha · L_content + beta · L_style

Gram matrices are divided by M here, so that pictures of any size can be compared (the paper has 1/M² in L_style).
The weights v and w of a layer are the recipe's over the loss of an empty sheet, where F and G are zero: then neither
the scale of a layer's outputs nor its size matters, and one alpha and beta suit all networks.

Large pictures are painted coarse to fine, since a stroke can be no larger than what a filter sees (Gatys et al. 2017,
https://arxiv.org/abs/1611.07865), and in tiles: Gram matrices are sums over places, so one pass over the tiles finds
them, and with them the slope at a tile's outputs is known, from which a second pass finds the slope at its pixels.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from gocnn.visualize.inputs import Bound, bounds, resized
from gocnn.visualize.layers import LayerError, batch_for, fine, maps
from gocnn.visualize.receptive import Field, receptive_fields

OPTIMISERS = ("lbfgs", "adam")
STARTS = ("content", "noise")
LEAST = 32  # pixels of the shorter side
HISTORY = 20  # steps that L-BFGS remembers
WORSE = 3.0  # times the least loss so far, from where L-BFGS has lost its way

Box = tuple[int, int, int, int]  # top, left, bottom, right, the last two beyond it


@dataclass(frozen=True)
class Recipe:
    """How a picture is painted.

    content, style: layers with their weights, which are brought to a sum of 1 each. alpha, beta: of the two losses.
    variation: times the mean of squared differences between neighbours, which keeps the picture smooth.
    sizes: shares of the picture's size to paint in, one after the other, each beginning with the last one's picture;
    steps: how many in each. optimiser: "lbfgs", or "adam" with steps of `rate`, in the picture's units.
    start: the first picture is the content, or noise of the standard deviation `noise`, drawn with `seed`.
    low, high: bounds of what is handed out, one number or one a channel.
    tile: larger pictures go through the network in tiles of about so many pixels, as equal as can be, each seen with
    `margin` pixels around it or a few more, since tiles must begin where a place of every layer does. With a margin of
    half the last layer's receptive field the result is that of one piece. 0 is never.
    """

    content: Mapping[str, float]
    style: Mapping[str, float]
    alpha: float = 1.0
    beta: float = 100.0
    variation: float = 0.0
    sizes: tuple[float, ...] = (0.5, 1.0)
    steps: tuple[int, ...] = (100, 50)
    optimiser: str = "lbfgs"
    rate: float = 4.0
    start: str = "content"
    noise: float = 30.0
    seed: int = 0
    low: Bound = None
    high: Bound = None
    tile: int = 0
    margin: int = 64

    def __post_init__(self) -> None:
        for kind, chosen, known in (("optimiser", self.optimiser, OPTIMISERS), ("start", self.start, STARTS)):
            if chosen not in known:
                raise ValueError(f"unknown {kind} {chosen!r}; there are {', '.join(known)}")
        weights = [*self.content.values(), *self.style.values()]
        sound = all(0 < weight < math.inf for weight in weights)
        if not weights or not sound:
            raise ValueError("there must be a layer, and weights must be positive")
        if min(self.alpha, self.beta, self.variation) < 0:
            raise ValueError("alpha, beta and variation must not be negative")
        if len(self.sizes) != len(self.steps) or not self.sizes or min(self.steps) < 1:
            raise ValueError("there must be sizes, and a number of steps for each of them")
        if not all(0 < size <= 1 for size in self.sizes) or self.sizes[-1] != 1:
            raise ValueError("sizes are shares of the picture's size, up to 1, which is the last")
        if min(self.tile, self.margin) < 0 or self.rate <= 0:
            raise ValueError("tile and margin must not be negative, and rate must be more than nothing")


@dataclass(frozen=True)
class Moment:
    """Where the painting is after a step: the losses of the best picture so far, alpha and beta not counted in, and the
    share of the work that is done, up to 1. `size` is the place in the recipe's sizes."""

    size: int
    step: int
    content: float
    style: float
    done: float
    _image: Tensor = field(repr=False)
    _shape: tuple[int, int] = field(repr=False)
    _bounds: tuple[Tensor, Tensor] = field(repr=False)

    def picture(self) -> Tensor:
        """float [1, C, H, W]: the picture so far, in its full size and within its bounds."""
        return resized(self._image.detach(), self._shape).clamp(*self._bounds)


def gram(features: Tensor) -> Tensor:
    """float [1, N, H, W] -> [N, N]: the mean over the places of the products of any two filters' outputs."""
    rows = features.flatten(2)[0]
    return rows @ rows.T / rows.shape[1]


def averaged(model: nn.Module) -> nn.Module:
    """A copy of a network with average pooling where it has max pooling, which paints smoother, as the paper found."""
    other = copy.deepcopy(model)
    for parent in list(other.modules()):
        for name, child in list(parent._modules.items()):  # `named_children` leaves out what stands in two places
            if isinstance(child, nn.MaxPool2d):
                average = nn.AvgPool2d(child.kernel_size, child.stride, child.padding, child.ceil_mode, False)
                setattr(parent, name, average)
    return other


@torch.inference_mode(False)  # in a caller's there are no gradients
def paint(
    model: nn.Module, content: Tensor, styles: Sequence[tuple[Tensor, float]], recipe: Recipe
) -> Iterator[Moment]:
    """Paint what is on `content`, float [1, C, H, W], in the style of `styles`: a moment after every step.

    Each style is a picture [1, C, H', W'] of any size, and its share; of several, Gram matrices are mixed. Strokes come
    out as large as they are in it, in pixels. The network is left as it was, however the iteration ends. The same seed
    gives the same picture on the same machine.

    Raises LayerError for an unknown layer, one that does not run, one whose output is no map or, with tiles, whose
    receptive field cannot be told, and ValueError for pictures below `LEAST`, shares that are not positive, or wrong
    bounds.
    """
    original = fine(batch_for(model, content))
    pictures = [(fine(batch_for(model, picture)), share) for picture, share in styles]
    for picture in [original, *(picture for picture, _ in pictures)]:
        if len(picture) != 1 or min(picture.shape[2:]) < LEAST:
            raise ValueError(f"a picture must have {LEAST} pixels or more each way, not {list(picture.shape)}")
    if (recipe.style and not pictures) or any(share <= 0 for _, share in pictures):
        raise ValueError("there must be a style, and its share must be positive")
    shape = original.shape[2], original.shape[3]
    low_and_high = bounds(recipe.low, recipe.high, original)
    random = torch.Generator().manual_seed(recipe.seed)
    image = original
    if recipe.start == "noise":
        image = recipe.noise * torch.randn(original.shape, generator=random).to(original)
    work, all_work = 0.0, sum(size**2 * steps for size, steps in zip(recipe.sizes, recipe.steps))
    for number, (size, steps) in enumerate(zip(recipe.sizes, recipe.steps)):
        base = resized(original, _scaled(original, size))
        smaller = [(resized(picture, _scaled(picture, size)), share) for picture, share in pictures]
        losses = _Losses(model, base, smaller, recipe)
        for step, found in enumerate(_descend(losses, resized(image, base.shape[2:]), steps, recipe)):
            image, (of_content, of_style) = found
            work += size**2
            yield Moment(number, step, of_content, of_style, min(work / all_work, 1.0), image, shape, low_and_high)


def _descend(
    losses: _Losses, image: Tensor, steps: int, recipe: Recipe
) -> Iterator[tuple[Tensor, tuple[float, float]]]:
    """After every step the best picture so far, and its losses of content and style."""
    speed = 1.0
    best, least, kept = image, math.inf, (math.nan, math.nan)
    image = image.clone().requires_grad_()
    optimiser = _optimiser(image, recipe, speed)
    for step in range(steps + 1):
        total, slope, worth = losses(image.detach())
        if not total <= WORSE * least:  # without a line search, L-BFGS may leap too far, and then on to infinity
            speed /= 2
            image = best.clone().requires_grad_()
            optimiser = _optimiser(image, recipe, speed)
            total, slope, worth = losses(best)
        if total < least:
            best, least, kept = image.detach().clone(), total, worth
        if step:  # before the first there is only what was given
            yield best, kept
        if step < steps:
            image.grad = slope.contiguous()
            optimiser.step(partial(float, total))


def _optimiser(image: Tensor, recipe: Recipe, speed: float) -> torch.optim.Optimizer:
    if recipe.optimiser == "adam":
        return torch.optim.Adam([image], lr=recipe.rate * speed)
    return torch.optim.LBFGS([image], lr=speed, max_iter=1, history_size=HISTORY, tolerance_grad=0, tolerance_change=0)


class _Losses:
    """The losses of a picture of one size, and their slopes."""

    def __init__(
        self, model: nn.Module, content: Tensor, styles: Sequence[tuple[Tensor, float]], recipe: Recipe
    ) -> None:
        self.model, self.recipe = model, recipe
        self.layers = list(dict.fromkeys([*recipe.content, *recipe.style]))
        tiled = recipe.tile and max(max(one.shape[2:]) for one in (content, *(one for one, _ in styles))) > recipe.tile
        self.fields = _fields(model, content, self.layers, recipe) if tiled else {}
        self.pieces = _pieces(content, recipe, self.fields)
        self.grams: dict[str, Tensor] = {}  # A
        with torch.no_grad():
            self.goals = [piece.features(model, piece.of(content), recipe.content) for piece in self.pieces]  # P
            for picture, share in styles:
                part = share / sum(share for _, share in styles)
                for layer, (sums, places) in self._sums(picture, _pieces(picture, recipe, self.fields)).items():
                    self.grams[layer] = self.grams.get(layer, torch.zeros_like(sums)) + part * sums / places
        # Over the loss of an empty sheet. Outputs of nothing but zeros say nothing, so their weight is left at 1.
        norms = {layer: sum(float(goal[layer].square().sum()) for goal in self.goals) for layer in recipe.content}
        self.v = {layer: weight / (norms[layer] or 1) for layer, weight in _even(recipe.content).items()}
        squares = {layer: float(matrix.square().sum()) for layer, matrix in self.grams.items()}
        self.w = {layer: weight / (squares[layer] or 1) for layer, weight in _even(recipe.style).items()}

    def __call__(self, image: Tensor) -> tuple[float, Tensor, tuple[float, float]]:
        """The total loss, its slope at the picture, and the losses of content and style alone."""
        recipe = self.recipe
        slope, content = torch.zeros_like(image), 0.0
        sums = {}
        if len(self.pieces) > 1:
            with torch.no_grad():
                sums = self._sums(image, self.pieces)
        for piece, goal in zip(self.pieces, self.goals):
            pixels = piece.of(image).detach().requires_grad_()
            with torch.enable_grad():
                features = piece.features(self.model, pixels, self.layers)
            sums = sums or _added({}, {layer: features[layer].detach() for layer in recipe.style})
            pushes = [torch.zeros_like(features[layer]) for layer in self.layers]
            for layer, push in zip(self.layers, pushes):
                there = features[layer].detach()
                if layer in recipe.content:
                    away = there - goal[layer]
                    content += self.v[layer] * float(away.square().sum())
                    push += 2 * recipe.alpha * self.v[layer] * away
                if layer in recipe.style:
                    total, places = sums[layer]
                    matrix = 4 * recipe.beta * self.w[layer] / places * (total / places - self.grams[layer])
                    push += (matrix @ there.flatten(2)[0]).view_as(there)
            top, left, bottom, right = piece.seen
            outputs = [features[layer] for layer in self.layers]
            slope[:, :, top:bottom, left:right] += torch.autograd.grad(outputs, pixels, pushes)[0]
        apart = {layer: (total / places - self.grams[layer]) for layer, (total, places) in sums.items()}
        style = sum(self.w[layer] * float(matrix.square().sum()) for layer, matrix in apart.items())
        loss = recipe.alpha * content + recipe.beta * style
        if recipe.variation:
            down, across = image.diff(dim=2), image.diff(dim=3)
            loss += recipe.variation * float(down.square().mean() + across.square().mean())
            for axis, steps in ((2, down), (3, across)):
                pull = 2 * recipe.variation / steps.numel() * steps
                edge = torch.zeros_like(pull.narrow(axis, 0, 1))
                slope -= pull.diff(dim=axis, prepend=edge, append=edge)
        # In units in which the slope is about one a value, as L-BFGS has thresholds.
        return loss * image.numel(), slope * image.numel(), (content, style)

    def _sums(self, picture: Tensor, pieces: Sequence[_Piece]) -> dict[str, tuple[Tensor, int]]:
        """For each layer of the style the sum over the places of F_i F_j, and how many places there are."""
        found: dict[str, tuple[Tensor, int]] = {}
        for piece in pieces:
            found = _added(found, piece.features(self.model, piece.of(picture), self.recipe.style))
        return found


def _added(sums: dict[str, tuple[Tensor, int]], features: Mapping[str, Tensor]) -> dict[str, tuple[Tensor, int]]:
    found = {}
    for layer, there in features.items():
        rows = there.flatten(2)[0]  # none in a piece so narrow that it holds no place of the layer
        before, so_far = sums.get(layer, (rows.new_zeros(len(rows), len(rows)), 0))
        found[layer] = before + rows @ rows.T, so_far + rows.shape[1]
    return found


@dataclass(frozen=True)
class _Piece:
    """A part of a picture: the box whose outputs count, and the box around it that the network sees."""

    core: Box
    seen: Box
    fields: Mapping[str, Field]

    def of(self, image: Tensor) -> Tensor:
        top, left, bottom, right = self.seen
        return image[:, :, top:bottom, left:right]

    def features(self, model: nn.Module, pixels: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """The layers' outputs in the core, `pixels` being what is seen of the picture."""
        found = maps(model, pixels, list(layers)) if layers else {}
        return found if self.core == self.seen else {layer: self._cut(there, layer) for layer, there in found.items()}

    def _cut(self, there: Tensor, layer: str) -> Tensor:
        """The places in the middle of whose fields the core is."""
        field, spans = self.fields[layer], []
        for axis in (0, 1):
            middle = field.start[axis] + (field.size[axis] - 1) / 2
            first, last = (
                max(0, math.ceil((self.core[side] - self.seen[axis] - middle) / field.step[axis]))
                for side in (axis, axis + 2)
            )
            at_start, at_end = self.core[axis] == self.seen[axis], self.core[axis + 2] == self.seen[axis + 2]
            spans.append(slice(0 if at_start else first, None if at_end else last))
        return there[:, :, spans[0], spans[1]]


class _Upto(nn.Module):
    """A network up to the last of some layers, since what follows may take pictures of one size only."""

    def __init__(self, model: nn.Module, layers: Sequence[str]) -> None:
        super().__init__()
        self.model, self.layers = model, layers

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return maps(self.model, image, self.layers)


def _fields(model: nn.Module, image: Tensor, layers: Sequence[str], recipe: Recipe) -> dict[str, Field]:
    """What the layers' places see, of a piece as large as any."""
    shape = image.shape[1], *(min(length, recipe.tile + 2 * recipe.margin) for length in image.shape[2:])
    found = receptive_fields(_Upto(model, layers), shape)
    for layer in layers:
        name = f"model.{layer}"
        if name not in found or 0 in found[name].step:  # a step of 0: every place sees the whole picture
            raise LayerError(f"what the places of layer {layer!r} see cannot be told; take another layer, or no tiles")
    return {layer: found[f"model.{layer}"] for layer in layers}


def _pieces(image: Tensor, recipe: Recipe, fields: Mapping[str, Field]) -> list[_Piece]:
    """The pieces in which a picture goes through the network."""
    height, width = image.shape[2:]
    if not recipe.tile or max(height, width) <= recipe.tile:
        return [_Piece((0, 0, height, width), (0, 0, height, width), fields)]
    units = [math.lcm(*(field.step[axis] for field in fields.values())) for axis in (0, 1)]
    down, across = (-(-recipe.margin // unit) * unit for unit in units)
    pieces = []
    for top, bottom in _spans(height, recipe.tile, units[0]):
        for left, right in _spans(width, recipe.tile, units[1]):
            seen = max(top - down, 0), max(left - across, 0), min(bottom + down, height), min(right + across, width)
            pieces.append(_Piece((top, left, bottom, right), seen, fields))
    return pieces


def _spans(length: int, tile: int, unit: int) -> list[tuple[int, int]]:
    """A length in parts of about `tile`, which begin at multiples of the unit; what is left over is the last one's."""
    count = max(1, min(-(-length // tile), length // unit))
    return list(pairwise([*(length // unit * k // count * unit for k in range(count)), length]))


def _even(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {layer: weight / total for layer, weight in weights.items()}


def _scaled(image: Tensor, size: float) -> tuple[int, int]:
    return max(LEAST, round(image.shape[2] * size)), max(LEAST, round(image.shape[3] * size))
