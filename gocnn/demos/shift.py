"""What becomes of an answer when the digit is shifted, and a test of the lecture's three properties of convolution.

Two pairs of networks of one size, convolutional and fully connected: one pair was trained on digits that were shifted
by up to two pixels (and turned and stretched a little), the other, "plain", on MNIST as it is. Only the plain pair says
what the networks themselves are worth against shifts; the other shows what training can do about it.
"""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch
from torch import nn

from gocnn.demos import Say, Shown, hang, together
from gocnn.images import datasets, models
from gocnn.visualize import drawing
from gocnn.visualize.activations import activations
from gocnn.visualize.layers import recording

#: name among the models -> how it is called in the pictures.
NETWORKS = {
    "digits-plain": "convolutional",
    "digits-dense-plain": "fully connected",
    "digits": "convolutional, trained on shifts up to 2",
    "digits-dense": "fully connected, trained on shifts up to 2",
}
CONV, DENSE = "digits-plain", "digits-dense-plain"
FARTHEST = 6  # pixels
DIRECTIONS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
EXAMPLES, STEPS = (7, 4, 2), (0, 2, 3, 4, 5, 6)  # classes, and pixels to the right
MAP_SHIFT = 4  # pixels: two cells behind one pooling, one cell behind two
LAYERS = {
    CONV: ("", "conv1.activation", "conv1", "conv2.activation", "conv2", "hidden", "output"),
    DENSE: ("", "hidden1", "hidden2", "output"),
}
_LAYER_TITLES = {
    "": "pixels", "conv1.activation": "conv1", "conv1": "conv1,\npooled", "conv2.activation": "conv2",
    "conv2": "conv2,\npooled",
}  # fmt: skip
COLOURS = {"digits-plain": "#1565c0", "digits-dense-plain": "#e65100", "digits": "#1565c0", "digits-dense": "#e65100"}


def make(out: Path, say: Say) -> Shown:
    images, labels = datasets.shipped("digits")
    networks = {name: models.load(name).model for name in NETWORKS}
    parts = (
        _accuracy(out, networks, images, labels, say),
        _examples(out, networks, images, labels),
        _maps(out, networks, images, labels, say),
        _layers(out, networks, images, labels, say),
        _subsampled(out, networks, images, labels, say),
    )
    return together(parts)


def shifted(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """Images [..., H, W] moved by whole pixels, each less than the side; paper (0) comes in, what leaves is lost."""
    height, width = images.shape[-2:]
    moved = np.zeros_like(images)
    rows, columns = (slice(max(by, 0), side + min(by, 0)) for by, side in ((down, height), (right, width)))
    from_rows, from_columns = (slice(max(-by, 0), side + min(-by, 0)) for by, side in ((down, height), (right, width)))
    moved[..., rows, columns] = images[..., from_rows, from_columns]
    return moved


def accuracy(model: nn.Module, images: np.ndarray, labels: np.ndarray, down: int, right: int) -> float:
    """The share of images uint8 [N, 28, 28] that are named rightly after the shift."""
    return float((models.probabilities(model, shifted(images, down, right)).argmax(1) == labels).mean())


def _accuracy(out: Path, networks: dict[str, nn.Module], images: np.ndarray, labels: np.ndarray, say: Say) -> Shown:
    """Accuracy by the size of the shift, for each network, over the four directions."""
    from matplotlib.figure import Figure

    still = {name: accuracy(model, images, labels, 0, 0) for name, model in networks.items()}
    by = {
        name: {
            way: [still[name], *(accuracy(model, images, labels, n * down, n * right) for n in range(1, FARTHEST + 1))]
            for way, (down, right) in DIRECTIONS.items()
        }
        for name, model in networks.items()
    }
    ink = [
        sum(int(shifted(images, n * down, n * right).sum()) for down, right in DIRECTIONS.values())
        / (len(DIRECTIONS) * int(images.sum()))
        for n in range(FARTHEST + 1)
    ]
    figure = Figure(figsize=(8.5, 4.6), layout="constrained")
    axes = figure.subplots()
    for name, ways in by.items():
        curves = np.array(list(ways.values()))
        style = "-" if name.endswith("plain") else "--"
        low, high, colour = curves.min(0), curves.max(0), COLOURS[name]
        axes.fill_between(range(FARTHEST + 1), low, high, color=colour, alpha=0.1, linewidth=0)
        axes.plot(curves.mean(0), style, color=colour, marker="o", markersize=4, label=NETWORKS[name])
    axes.axhline(0.1, color="#888888", linewidth=0.8, linestyle=":")
    axes.text(0.05, 0.115, "guessing", fontsize=8, color="#666666")
    axes.set_xlabel("shift in pixels")
    axes.set_ylabel("accuracy")
    axes.set_ylim(0, 1.02)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 0.13))
    means = {name: np.mean(list(ways.values()), 0) for name, ways in by.items()}
    for name, line in means.items():
        say(f"{name:<19} " + "  ".join(f"{n}: {value:.1%}" for n, value in enumerate(line)))
    say("ink left            " + "  ".join(f"{n}: {share:.1%}" for n, share in enumerate(ink)))
    caption = (
        f"The {len(images)} shipped test digits shifted up, down, left and right: the mean, and the range of the four "
        "directions. Nothing in training moved the digits of the two whole lines: by 3 pixels the convolutional "
        f"network still reads {means[CONV][3]:.0%}, the fully-connected one of its size {means[DENSE][3]:.0%}. But it "
        "is no more than a head start, since behind its convolutions is a fully-connected part that goes by places: "
        f"at 6 pixels it is down to {means[CONV][6]:.0%}. Training on shifted digits (dashed) helps both. The shift "
        f"itself takes little away: {ink[-1]:.0%} of the ink is still on the paper at 6 pixels."
    )
    numbers = {
        "accuracy": {n: {way: [round(v, 3) for v in line] for way, line in ways.items()} for n, ways in by.items()},
        "ink": [round(share, 4) for share in ink],
    }
    return Shown((hang(figure, out / "shift-accuracy.png", caption),), numbers)


def _examples(out: Path, networks: dict[str, nn.Module], images: np.ndarray, labels: np.ndarray) -> Shown:
    """The first digit of a few classes, on its way to the right, and what each network says of it."""
    figure, cells = drawing.canvas(len(EXAMPLES), len(STEPS), cell=2.8, wide=0.64)
    kept = dict.fromkeys(NETWORKS, 0)
    for digit, row in zip(EXAMPLES, cells):
        image = images[int(np.argmax(labels == digit))]
        for step, axes in zip(STEPS, row):
            moved = shifted(image, 0, step)
            drawing.show(axes, moved, title=f"{step} pixels" if step else "as it is")
            lines = []
            for name, kind in zip(NETWORKS, ("conv", "dense", "conv, shifts", "dense, shifts")):
                share = models.probabilities(networks[name], moved[None])[0]
                answer = int(share.argmax())
                kept[name] += answer == digit
                lines.append((f"{kind}: {answer}  {share[answer]:.0%}", answer == digit))
            drawing.below(axes, lines)
    total = len(EXAMPLES) * len(STEPS)
    caption = (
        "Three digits on their way to the right, and what the networks say: the plain pair, then the pair trained on "
        "shifts up to 2 pixels; right answers green, wrong ones red. Of these "
        f"{total} pictures the convolutional network names {kept[CONV]} rightly and the fully-connected one "
        f"{kept[DENSE]}; those trained on shifts {kept['digits']} and {kept['digits-dense']}."
    )
    numbers = {"examples right": {name: int(n) for name, n in kept.items()}}
    return Shown((hang(figure, out / "shift-examples.png", caption),), numbers)


def seen_pixels(model: nn.Module, layer: str) -> int:
    """How many pixels one unit in the middle of a layer depends on: those where its value has a gradient."""
    # Noise, and several of it: a ReLU or a pooling passes on only some of its inputs at a time.
    images = torch.rand((64, 1, 28, 28), generator=torch.Generator().manual_seed(0)).requires_grad_()
    with recording(model, layer, gradients=True) as record, torch.enable_grad():
        model(images)
        output = record.output
        middle = output[:, :, output.shape[2] // 2, output.shape[3] // 2] if output.ndim == 4 else output[:, :1]
        (gradient,) = torch.autograd.grad(middle.sum(), images)
    return int((gradient.abs().sum((0, 1)) > 0).sum())


def equivariance(model: nn.Module, layer: str, images: np.ndarray, down: int, right: int, stride: int) -> float:
    """How far the maps of shifted images are from the shifted maps: the largest difference over the largest value.

    images float [B, 1, H, W]. The shift is downwards and to the right, by multiples of `stride`, which is how many
    pixels lie between two neighbours of the map. Compared is the part of the maps that both have; in float64, so that
    rounding does not matter.
    """
    exact = copy.deepcopy(model).double()
    still = activations(exact, layer, images.astype(np.float64))
    moved = activations(exact, layer, shifted(images, down, right).astype(np.float64))
    rows, columns = down // stride, right // stride
    height, width = still.shape[2:]
    gap = moved[..., rows:, columns:] - still[..., : height - rows, : width - columns]
    return float(np.abs(gap).max() / np.abs(still).max())


def unlikeness(model: nn.Module, layer: str, images: np.ndarray, labels: np.ndarray, pixels: int) -> float:
    """How much a shift changes a layer's answer: 0 not at all, 1 as much as if it were another digit.

    The mean distance between the activations of an image, float [B, 1, H, W], and of the same one shifted, over the
    mean distance between those of images of different classes. The shift is by `pixels` in each of `DIRECTIONS`.
    """
    still = _flat(model, layer, images)
    away = [
        np.linalg.norm(_flat(model, layer, shifted(images, pixels * down, pixels * right)) - still, axis=1).mean()
        for down, right in DIRECTIONS.values()
    ]
    products = still @ still.T
    squares = np.diag(products)
    apart = np.sqrt(np.maximum(squares[:, None] + squares - 2 * products, 0))
    return float(np.mean(away) / apart[labels[:, None] != labels].mean())


def _flat(model: nn.Module, layer: str, images: np.ndarray) -> np.ndarray:
    """float [B, values]: what a layer gives; without a layer's name, the pixels."""
    return (activations(model, layer, images) if layer else images).reshape(len(images), -1)


def _maps(out: Path, networks: dict[str, nn.Module], images: np.ndarray, labels: np.ndarray, say: Say) -> Shown:
    """A small pattern, the same anywhere: the maps of a digit and of the digit shifted, and the exact differences."""
    from matplotlib.figure import Figure

    conv, dense = networks[CONV], networks[DENSE]
    inputs = images[:100, None].astype(np.float32) / 255
    seen = {layer: seen_pixels(conv, layer) for layer in ("conv1.conv", "conv1", "conv2.conv", "conv2")}
    seen["hidden1"] = seen_pixels(dense, "hidden1")
    gaps = {
        f"{layer}, {down} down, {right} right": equivariance(conv, layer, inputs, down, right, stride)
        for layer, stride, down, right in (
            ("conv1.conv", 1, 1, 3), ("conv1", 2, 2, 4), ("conv2.conv", 2, 2, 4), ("conv2", 4, 4, 4),
        )
    }  # fmt: skip
    say("pixels that a unit depends on: " + ", ".join(f"{layer} {count}" for layer, count in seen.items()))
    told = ", ".join(f"{at}: {gap:.0e}" for at, gap in gaps.items())
    say(f"maps of shifted digits less shifted maps, at most: {told}")

    digit = inputs[int(np.argmax(labels[:100] == EXAMPLES[0]))]
    pair = np.stack((digit, shifted(digit, 0, MAP_SHIFT)))
    found = {layer: activations(conv, layer, pair) for layer in ("conv1", "conv2")}
    units = {layer: int(maps.std((2, 3)).min(0).argmax()) for layer, maps in found.items()}
    fired = activations(dense, "activation1", pair)
    alike = float(np.corrcoef(fired)[0, 1])
    figure = Figure(figsize=(10, 5.2), layout="constrained")
    cells = figure.subplots(2, 4, width_ratios=(1, 1, 1, 1.35))
    titles = ("the digit", f"{MAP_SHIFT} pixels to the right")
    for row, axes in enumerate(cells):
        drawing.show(axes[0], pair[row, 0], title=titles[row])
        for place, (layer, maps) in zip(axes[1:], found.items()):
            one = maps[:, units[layer]]
            cell = MAP_SHIFT // (2 if layer == "conv1" else 4)
            title = f"{layer}, filter {units[layer]}" + (f": {cell} cell{'s' * (cell > 1)} further" if row else "")
            place.imshow(one[row], cmap=drawing.SEQUENTIAL, vmin=0, vmax=one.max(), interpolation="nearest")
            place.set_title(title, fontsize=9)
        axes[3].imshow(fired[row].reshape(10, 15), cmap=drawing.SEQUENTIAL, vmin=0, vmax=fired.max())
        axes[3].set_title("fully connected: its 150 neurons" + (f", r = {alike:.2f}" if row else ""), fontsize=9)
        for place in axes:
            place.set_xticks([])
            place.set_yticks([])
    neurons = dense.get_submodule("hidden1")
    caption = (
        f"A small pattern: a filter of the first layer has 9 weights and sees {seen['conv1.conv']} pixels, a neuron of "
        f"the fully-connected network {neurons.in_features} weights and {seen['hidden1']} pixels. The same pattern "
        f"anywhere: shift the digit by {MAP_SHIFT} pixels, and the maps are the same, two cells further behind one "
        f"pooling by 2, one cell behind two; over 100 digits the largest difference is {max(gaps.values()):.0e} of the "
        "largest value. To the fully-connected network the shifted digit is something else: other neurons fire "
        f"(correlation {alike:.2f})."
    )
    numbers = {"pixels seen": seen, "equivariance": gaps, "neurons' correlation": round(alike, 3)}
    return Shown((hang(figure, out / "shift-maps.png", caption),), numbers)


def _layers(out: Path, networks: dict[str, nn.Module], images: np.ndarray, labels: np.ndarray, say: Say) -> Shown:
    """Layer by layer, how different a digit becomes by a shift: what pooling forgives, and what is left at the end."""
    from matplotlib.figure import Figure

    inputs = images[:100, None].astype(np.float32) / 255
    changes = {
        name: {
            pixels: [unlikeness(networks[name], layer, inputs, labels[:100], pixels) for layer in layers]
            for pixels in (1, 2, 4)
        }
        for name, layers in LAYERS.items()
    }
    figure = Figure(figsize=(10, 4), layout="constrained")
    for axes, (name, layers) in zip(figure.subplots(1, 2, sharey=True, width_ratios=(7, 4)), LAYERS.items()):
        for pixels, line in changes[name].items():
            axes.plot(line, marker="o", label=f"{pixels} pixel{'s' * (pixels > 1)}")
        axes.axhline(1, color="#888888", linewidth=0.8, linestyle=":")
        titles = [_LAYER_TITLES.get(layer, layer) for layer in layers]
        axes.set_xticks(range(len(layers)), titles, fontsize=8)
        axes.set_title(NETWORKS[name], fontsize=10)
        axes.grid(alpha=0.3)
        axes.set_ylim(0, None)
        told = ", ".join(f"{layer or 'pixels'} {value:.2f}" for layer, value in zip(layers, changes[name][1]))
        say(f"{name}, unlikeness after 1 pixel: {told}")
    figure.axes[0].set_ylabel("unlikeness (1: another digit)")
    figure.axes[0].legend(fontsize=8, title="shifted by", title_fontsize=8)
    one = dict(zip(LAYERS[CONV], changes[CONV][1]))
    caption = (
        "How much a shift changes what a layer says: 0 not at all, 1 as much as another digit would. A shift by one "
        f"pixel changes {one['']:.0%} of that in the pixels themselves. Pooling forgives small shifts: behind it the "
        f"first layer has {one['conv1']:.0%} left of {one['conv1.activation']:.0%}, the second {one['conv2']:.0%} of "
        f"{one['conv2.activation']:.0%}. At the output it is {one['output']:.0%}, against "
        f"{changes[DENSE][1][-1]:.0%} of the fully-connected network."
    )
    numbers = {
        name: {
            str(pixels): dict(zip((layer or "pixels" for layer in LAYERS[name]), (round(v, 3) for v in line)))
            for pixels, line in lines.items()
        }
        for name, lines in changes.items()
    }
    return Shown((hang(figure, out / "shift-layers.png", caption),), {"unlikeness": numbers})


def subsampled(images: np.ndarray) -> np.ndarray:
    """Images [..., H, W] of which every second row and column is kept, each pixel drawn twice as large."""
    return images[..., ::2, ::2].repeat(2, axis=-2).repeat(2, axis=-1)


def _subsampled(out: Path, networks: dict[str, nn.Module], images: np.ndarray, labels: np.ndarray, say: Say) -> Shown:
    """Three of four pixels are thrown away: is it the same digit to the networks?"""
    coarse = subsampled(images)
    before, after = (
        {name: accuracy(model, seen, labels, 0, 0) for name, model in networks.items()} for seen in (images, coarse)
    )
    for name in networks:
        say(f"{name:<19} {before[name]:.1%} of the digits, {after[name]:.1%} with every second row and column")
    first = [int(np.argmax(labels == digit)) for digit in range(10)]
    pictures = [*images[first], *coarse[first]]
    said = models.probabilities(networks[CONV], coarse[first])
    titles = [str(digit) for digit in range(10)] + [f"{row.argmax()}  {row.max():.0%}" for row in said]
    caption = (
        "Subsampling keeps the object: above ten digits, below the same with every second row and column only, and "
        f"what the convolutional network says of them, which has seen no such picture. It reads {after[CONV]:.1%} of "
        f"the {len(images)} so, {before[CONV]:.1%} of the whole ones; the fully-connected network {after[DENSE]:.1%} "
        f"and {before[DENSE]:.1%}. So a network may subsample on the way, and later filters see more at the same price."
    )
    figure = drawing.grid(pictures, columns=10, titles=titles, cell=1.15)
    numbers = {name: [round(before[name], 3), round(after[name], 3)] for name in networks}
    return Shown((hang(figure, out / "shift-subsampled.png", caption),), {"subsampled": numbers})
