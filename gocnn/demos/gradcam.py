"""Where in the picture a class comes from: Grad-CAM, and integrated gradients, whose shares add up to the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from gocnn import policy, weights
from gocnn.demos import Say, Shown, evidence, hang, positions, together
from gocnn.go.board import Board
from gocnn.go.coords import gtp_to_point, point_to_gtp
from gocnn.images import datasets, models, pictures
from gocnn.visualize import drawing
from gocnn.visualize.gradcam import enlarged, gradcam, over_images
from gocnn.visualize.integrated import integrated

LAYER = "fire9"  # the last that has maps of more than the classes
COLLAGE = {"chelsea": "tabby cat", "dog": "German Shepherd Dog", "duck": "goose", "coffee": "espresso"}
RIVALS = {
    "coffee": ("espresso", "wooden spoon"),
    "cow": ("English Springer Spaniel", "ox"),
    "astronaut": ("barbell", "space shuttle"),
}
DIGITS = ((4, 9), (7, 2), (3, 5))  # a digit, and another that it might have been
CANDIDATES = ("L9", "K9")  # in `positions.FIGHT`: to take a stone, or to save one


def make(out: Path, say: Say) -> Shown:
    parts = (_collage(out, say), _rivals(out, say), _digits(out, say), _board(out, say))
    names = ("collage", "rivals", "digits", "go")
    return together(parts, names)


def _collage(out: Path, say: Say) -> Shown:
    """Four pictures in one; each of their classes must be found in its own quarter. The network takes any size."""
    network = models.load("squeezenet")
    side = pictures.NETWORK_SIZE
    size = 2 * side
    image, boxes = np.zeros((1, 3, size, size), np.float32), {}
    for place, name in enumerate(COLLAGE):
        top, left = (place // 2) * side, (place % 2) * side
        boxes[name] = (top, left, top + side, left + side)
        image[0, :, top : top + side, left : left + side] = evidence.read(network, name)
    whole = network.restore(image[0])
    answers = evidence.probabilities(network.model, image)[0]
    figure, cells = drawing.canvas(1, 1 + len(COLLAGE), cell=2.4)
    drawing.show(cells[0, 0], whole, title=evidence.says(network, answers))
    numbers = {}
    for axes, (name, answer) in zip(cells[0, 1:], COLLAGE.items()):
        unit = network.classes.index(answer)
        found = enlarged(gradcam(network.model, LAYER, image, unit), size, size)[0]
        inside = evidence.within(found, boxes[name])
        numbers[name] = round(inside, 3)
        drawing.show(axes, drawing.overlay(whole, evidence.heat(found)), title=f"{answer}: {inside:.0%}")
        drawing.frame(axes, boxes[name], colour="white")
        say(f"collage: {answer} {answers[unit]:.1%}, {inside:.0%} of Grad-CAM in its own quarter")
    caption = (
        "Four pictures in one, and by Grad-CAM where the evidence for each of four classes is, with its share in the "
        f"right quarter. The network has one answer for all of it, {network.classes[int(answers.argmax())]!r}, but "
        "asked for a class it points to the right quarter most of all."
    )
    return Shown((hang(figure, out / "gradcam-collage.png", caption),), numbers)


def _rivals(out: Path, say: Say) -> Shown:
    """Three photographs, each with the answer and another class that is on the picture."""
    network = models.load("squeezenet")
    figure, cells = drawing.canvas(len(RIVALS), 3, cell=2.6)
    numbers: dict[str, Any] = {}
    for row, (name, classes) in enumerate(RIVALS.items()):
        image = evidence.read(network, name)[None]
        answers = evidence.probabilities(network.model, image)[0]
        picture = network.restore(image[0])
        drawing.show(cells[row, 0], picture, title=name)
        numbers[name] = {}
        for axes, one in zip(cells[row, 1:], classes):
            unit = network.classes.index(one)
            found = enlarged(gradcam(network.model, LAYER, image, unit), *image.shape[2:])[0]
            title = f"{one}: " + (f"{answers[unit]:.1%}" if answers[unit] >= 0.001 else "below 0.1%")
            drawing.show(axes, drawing.overlay(picture, evidence.heat(found)), title=title)
            peak = np.unravel_index(found.argmax(), found.shape)
            numbers[name][one] = {"probability": round(float(answers[unit]), 4), "peak": [int(p) for p in peak]}
            say(f"{name}: {title}, strongest in row {peak[0]}, column {peak[1]}")
    caption = (
        "Where the answer comes from (middle), and where another class would (right), each map on its own scale. "
        "Espresso is in the cup and the spoon in the spoon, though the network gives the spoon next to nothing. The "
        "spaniel is seen in the cow's head, the ox more in its chest and shoulder. The barbell is the ring of the "
        "space suit; the shuttle is found in part in the model behind."
    )
    return Shown((hang(figure, out / "gradcam-photographs.png", caption),), numbers)


def _digits(out: Path, say: Say) -> Shown:
    """Digits with Grad-CAM, and with integrated gradients for the digit and for its rival."""
    images, labels = datasets.shipped("digits")
    model = models.load("digits").model
    figure, cells = drawing.canvas(len(DIGITS), 4, cell=2.2)
    numbers = {}
    for row, (digit, rival) in enumerate(DIGITS):
        image = torch.from_numpy(images[np.flatnonzero(labels == digit)[:1], None]).float() / 255
        place = over_images(model, "conv2.activation", image, digit)[0]
        plain = image[0, 0].numpy()
        drawing.show(cells[row, 0], plain, title=f"a {digit}")
        drawing.show(cells[row, 1], drawing.overlay(plain, evidence.heat(place)), title="Grad-CAM")
        both = integrated(model, image.repeat(2, 1, 1, 1), [digit, rival], steps=64)
        limit = float(np.abs(both.shares).max())
        for axes, which, unit in zip(cells[row, 2:], range(2), (digit, rival)):
            title = f"y({unit}) = {both.at_baseline[which]:.1f} {both.shares[which].sum():+.1f}".replace("-", "−")
            drawing.show(axes, both.shares[which, 0], title=title, colours=drawing.DIVERGING, limit=limit)
            axes.contour(plain, [0.4], colors="black", linewidths=0.8)
        numbers[str(digit)] = {
            "blank": [round(float(y), 3) for y in both.at_baseline],
            "shares": [round(float(one.sum()), 3) for one in both.shares],
            "answer": [round(float(y), 3) for y in both.at_image],
            "gap": round(float(np.abs(both.gap).max()), 4),
        }
        say(f"{digit}: logit {both.at_baseline[0]:.2f} of a blank sheet, {both.shares[0].sum():+.2f} by the pixels, "
            f"{both.at_image[0]:.2f} in all; as a {rival} {both.at_image[1]:.2f}")  # fmt: skip
    caption = (
        "Grad-CAM on the second layer (11×11 places), and integrated gradients for the right digit and for a rival: "
        "red ink speaks for it, blue against. What a blank sheet gives and what the pixels add is the logit y. "
        "Grad-CAM is coarse, and filters that fire on empty paper count in it; integrated gradients give paper none. "
        "The blue tips of the 4 are what keeps it from being a 9."
    )
    return Shown((hang(figure, out / "gradcam-digits.png", caption),), numbers)


def _board(out: Path, say: Say) -> Shown:
    """A fight: a move's log probability shared out among the points of the board, from the empty board on."""
    go = policy.load(weights.default())
    board = positions.position(positions.FIGHT)
    planes, bare = positions.planes(go, board)[None], positions.planes(go, Board(19))
    sure = positions.move_probabilities(go, [board])[0]
    moves = [gtp_to_point(name, 19) for name in CANDIDATES]
    found = integrated(
        go, planes.repeat(2, 0), moves, baseline=bare, steps=64, objective="log probability", batch_size=16
    )
    figure, cells = drawing.canvas(1, 2, cell=4.6)
    numbers: dict[str, Any] = {}
    for axes, move, shares, before in zip(cells[0], moves, found.shares.sum(1), found.at_baseline):
        stones = np.flatnonzero(board.stones).tolist()
        limit = float(np.abs(shares).max())
        free = np.where(board.stones == 0, shares, 0)
        labels = {point: f"{shares.ravel()[point]:+.1f}".replace("-", "−") for point in stones}
        heat = {point: max(0.0, float(shares.ravel()[point]) / limit) for point in stones}
        positions.draw_on_stones(axes, board.stones, labels, heat)
        positions.tint(axes, free, limit)
        positions.mark(axes, move)
        name = point_to_gtp(move, 19)
        title = f"{name}: {sure[move]:.1%}, log p = {before:.1f} {shares.sum():+.1f}"
        axes.set_title(title.replace("-", "−"), fontsize=9)
        strongest = int(np.argmax(shares))
        numbers[name] = {"probability": round(float(sure[move]), 4), "strongest": point_to_gtp(strongest, 19),
                         "share": round(float(shares.max()), 2), "all": round(float(shares.sum()), 2)}  # fmt: skip
        say(f"{name}: log p {before:.1f} on the empty board, {shares.sum():+.1f} by what is on it now, "
            f"{shares.max():+.1f} of that on {numbers[name]['strongest']}")  # fmt: skip
    numbers["gap"] = round(float(np.abs(found.gap).max()), 3)
    caption = (
        "The same on the Go board, from the empty board to this fight: the log probability of two moves, shared out "
        "among the stones and, tinted, the empty points (red for, blue against). L9 takes the white stone, "
        "which has the largest share; for K9 it is the black stone that it would save. Grad-CAM would "
        "be the wrong instrument here: it averages gradients over the board, but a move is a place."
    )
    return Shown((hang(figure, out / "gradcam-go.png", caption),), numbers)
