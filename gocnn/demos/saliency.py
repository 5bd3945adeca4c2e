"""The pixels that an answer depends on: on digits, on photographs and on the Go board."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from gocnn import policy, weights
from gocnn.demos import Say, Shown, evidence, hang, positions, together
from gocnn.go.coords import point_to_gtp
from gocnn.images import datasets, models
from gocnn.visualize import drawing
from gocnn.visualize.saliency import saliency

METHODS = {"gradient": "gradient", "smooth": "SmoothGrad", "guided": "guided"}
DIGITS = (2, 4, 6, 8)
PHOTOGRAPHS = ("duck", "dog", "astronaut")
ELSE = "espresso"  # a class that is on none of these
SAMPLES = 12  # of SmoothGrad on photographs
BOARDS = {"opening": positions.OPENING, "fight": positions.FIGHT}


def make(out: Path, say: Say) -> Shown:
    parts = (_digits(out, say), _photographs(out, say), _boards(out, say))
    names = ("digits", "photographs", "go")
    return together(parts, names)


def _digits(out: Path, say: Say) -> Shown:
    """Four digits, each with its saliency in three ways; how much of it is on ink or within two pixels of it."""
    images, labels = datasets.shipped("digits")
    model = models.load("digits").model
    chosen = [int(np.flatnonzero(labels == digit)[0]) for digit in DIGITS]
    inputs = torch.from_numpy(images[chosen, None]).float() / 255
    near = torch.nn.functional.max_pool2d((inputs > 0.2).float(), 5, 1, 2)[:, 0].numpy() > 0
    found = {method: saliency(model, inputs, list(DIGITS), method=method)[:, 0] for method in METHODS}
    slopes = saliency(model, inputs, list(DIGITS), method="smooth", signed=True)[:, 0]
    figure, cells = drawing.canvas(len(DIGITS), 2 + len(METHODS), cell=1.7)
    for row in range(len(DIGITS)):
        digit = inputs[row, 0].numpy()
        drawing.show(cells[row, 0], digit, title="" if row else "the digit")
        for axes, (method, maps) in zip(cells[row, 1:], found.items()):
            title = "" if row else METHODS[method]
            drawing.show(axes, evidence.heat(maps[row]), title=title, colours=drawing.SEQUENTIAL)
        soft, title = evidence.softened(slopes[row], 0.7), "" if row else "with its sign"
        drawing.show(cells[row, -1], soft, title=title, colours=drawing.DIVERGING, limit=float(np.abs(soft).max()))
        cells[row, -1].contour(digit, [0.4], colors="black", linewidths=0.8)
    on_ink = {method: round(float((maps * near).sum() / maps.sum()), 3) for method, maps in found.items()}
    numbers = {"near the ink": on_ink, "of the paper": round(float(near.mean()), 3)}
    say(f"digits: {on_ink['gradient']:.0%} of the saliency within two pixels of the ink, which are {near.mean():.0%}")
    caption = (
        "How much the logit of the right digit would change with each pixel, |∂y/∂x|, and the same by SmoothGrad and "
        f"guided backpropagation: {on_ink['gradient']:.0%} of the gradient is within two pixels of the ink, on "
        f"{near.mean():.0%} of the paper. The last column keeps SmoothGrad's sign: more ink would help where it is red "
        "and hurt where it is blue, as across the open top of the 4, which would make a 9 of it."
    )
    return Shown((hang(figure, out / "saliency-digits.png", caption),), numbers)


def _photographs(out: Path, say: Say) -> Shown:
    """Three photographs, each in three ways, with the share in a box; and whether the map is of this class at all."""
    network = models.load("squeezenet")
    inputs = np.stack([evidence.read(network, name) for name in PHOTOGRAPHS])
    answers = evidence.probabilities(network.model, inputs)
    other = network.classes.index(ELSE)
    found = {method: saliency(network.model, inputs, method=method, samples=SAMPLES).max(1) for method in METHODS}
    figure, cells = drawing.canvas(len(PHOTOGRAPHS), 1 + len(METHODS), cell=2.3)
    numbers: dict[str, Any] = {}
    for row, name in enumerate(PHOTOGRAPHS):
        what, box = evidence.PARTS[name]
        drawing.show(cells[row, 0], network.restore(inputs[row]), title=evidence.says(network, answers[row]))
        drawing.frame(cells[row, 0], box, colour="white")
        inside = {method: round(evidence.within(maps[row], box), 3) for method, maps in found.items()}
        numbers[name] = {"box": round(evidence.area(box, 227, 227), 3), "inside": inside}
        for axes, (method, maps) in zip(cells[row, 1:], found.items()):
            title = f"{METHODS[method]}: {inside[method]:.0%} in the box"
            picture = evidence.heat(maps[row], sigma=1.5, percentile=99.5)
            drawing.show(axes, picture, title=title, colours=drawing.SEQUENTIAL)
        listed = ", ".join(f"{method} {share:.0%}" for method, share in inside.items())
        where = f"the box around {what} ({numbers[name]['box']:.0%} of the picture)"
        say(f"{name}: {evidence.says(network, answers[row])}; in {where}: {listed}")
    alike = {}
    for method in ("gradient", "guided"):
        elsewhere = saliency(network.model, inputs, other, method=method).max(1)
        both = zip(found[method], elsewhere)
        alike[method] = round(float(np.mean([np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in both])), 3)
    numbers[f"correlation with {ELSE}"] = alike
    say(f"correlation with the map for {ELSE}: gradient {alike['gradient']:.2f}, guided {alike['guided']:.2f}")
    caption = (
        "Photographs, SqueezeNet's answer, and the pixels that it depends on (the largest channel, blurred by 1.5 "
        "pixels for the eye). The bare gradient is grainy. SmoothGrad shows a region, of noisy copies: for the dog it "
        "is not the head. Guided backpropagation draws edges, but for any class: the map of the answer and that of "
        f"{ELSE!r}, which is on none of these, correlate by {alike['guided']:.2f} (bare gradients: "
        f"{alike['gradient']:.2f})."
    )
    return Shown((hang(figure, out / "saliency-photographs.png", caption),), numbers)


def _boards(out: Path, say: Say) -> Shown:
    """Two positions: which points the chosen move depends on, and where one more stone would make it more likely."""
    go = policy.load(weights.default())
    figure, cells = drawing.canvas(len(BOARDS), 3, cell=3.4)
    numbers: dict[str, Any] = {}
    for row, (name, moves) in enumerate(BOARDS.items()):
        board = positions.position(moves)
        planes = positions.planes(go, board)[None]
        sure = positions.move_probabilities(go, [board])[0]
        best, last = int(sure.argmax()), int(board.recent[-1])
        slopes = saliency(go, planes, best, objective="log probability", signed=True)[0]
        depends = np.abs(slopes).max(0)
        away = np.abs(np.indices((19, 19)) - np.array([[[best // 19]], [[best % 19]]])).max(0)
        close = float(depends[away <= 4].sum() / depends.sum())
        numbers[name] = {"move": point_to_gtp(best, 19), "probability": round(float(sure[best]), 3),
                         "within 4 points": round(close, 3)}  # fmt: skip
        title = f"{name}: {numbers[name]['move']}, {sure[best]:.0%}"
        maps = (depends, slopes[0] * (board.stones == 0), slopes[1] * (board.stones == 0))
        for axes, heat, what in zip(cells[row], maps, (title, "one more black stone", "one more white stone")):
            positions.draw_heat(axes, board.stones, heat, title=what, last=last)
            positions.mark(axes, best)
        say(f"{title}; {close:.0%} of the saliency is within 4 points of the move")
    caption = (
        "The Go network, Black to move; the green ring is its move. First column: the points on which the move's log "
        "probability depends, |∂ log p/∂x| of the strongest plane. Then its slope for one more stone on an empty "
        "point: red where a stone would make the move likelier, blue where it would make it less likely."
    )
    return Shown((hang(figure, out / "saliency-go.png", caption),), numbers)
