"""A grey square wanders over the picture: where does the answer fall? On the Go board, stones are taken off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from gocnn import policy, weights
from gocnn.demos import Exhibit, Say, Shown, evidence, hang, hang_moving, positions, together
from gocnn.go.coords import point_to_gtp
from gocnn.images import datasets, models
from gocnn.images.models import Network
from gocnn.visualize import drawing
from gocnn.visualize.occlusion import Occluded, occlusion

PHOTOGRAPHS = ("duck", "dog", "astronaut")
WINDOW, STRIDE = 57, 24  # pixels of 227
DIGITS = (2, 4, 8, 9)
BOARDS = {"opening": positions.OPENING, "fight": positions.FIGHT,
          "corner": "Q16 D4 D16 Q4 R17 Q17 R16 R15 S15 R14"}  # fmt: skip


def make(out: Path, say: Say) -> Shown:
    parts = (_photographs(out, say), _digits(out, say), _boards(out, say))
    return together(parts, ("photographs", "digits", "go"))


def _photographs(out: Path, say: Say) -> Shown:
    """Three photographs: how the probability falls with each part hidden, and what is said without the worst one."""
    network = models.load("squeezenet")
    inputs = np.stack([evidence.read(network, name) for name in PHOTOGRAPHS])
    answers = evidence.probabilities(network.model, inputs)
    found = occlusion(network.model, inputs, window=WINDOW, stride=STRIDE, objective="probability")
    figure, cells = drawing.canvas(len(PHOTOGRAPHS), 3, cell=2.9)
    numbers: dict[str, Any] = {}
    for row, name in enumerate(PHOTOGRAPHS):
        what, box = evidence.PARTS[name]
        picture = network.restore(inputs[row])
        worst = np.unravel_index(found.hidden[row].argmin(), found.hidden[row].shape)
        hidden = inputs[row].copy()
        top, left, bottom, right = found.boxes[worst]
        hidden[:, top:bottom, left:right] = 0
        then = evidence.probabilities(network.model, hidden[None])[0]
        numbers[name] = {
            "answer": network.classes[int(answers[row].argmax())], "before": round(float(found.whole[row]), 3),
            "at worst": round(float(found.hidden[row].min()), 3), "then": network.classes[int(then.argmax())],
            "inside": round(evidence.within(found.drops[row], box), 3), "box": round(evidence.area(box, 227, 227), 3),
        }  # fmt: skip
        drawing.show(cells[row, 0], picture, title=evidence.says(network, answers[row]))
        drawing.show(cells[row, 1], drawing.overlay(picture, evidence.heat(found.drops[row])), title="where it falls")
        title = evidence.says(network, then)
        if int(then.argmax()) != int(answers[row].argmax()):
            title += f"; {numbers[name]['answer']} {numbers[name]['at worst']:.1%}"
        drawing.show(cells[row, 2], network.restore(hidden), title=title)
        about = numbers[name]
        say(
            f"{name}: {about['answer']} {about['before']:.1%}, at worst {about['at worst']:.1%}, then {about['then']}; "
            f"{about['inside']:.0%} of the drop in the box around {what} ({about['box']:.0%} of the picture)"
        )
    caption = (
        f"A grey square of {WINDOW} pixels in {found.hidden[0].size} places. Middle: red where hiding makes the "
        "answer's probability fall. Right: the worst place, and what the network says then. The duck is named for its "
        "head. The dog's head counts most too, but without it the dog is a German shepherd still. The barbell is the "
        "black ring of the space suit."
    )
    moving = _animation(out, network, inputs[0], found)
    return Shown((hang(figure, out / "occlusion-photographs.png", caption), moving), numbers)


def _animation(out: Path, network: Network, image: np.ndarray, found: Occluded) -> Exhibit:
    """The square on its way over the first photograph, along every other row of its places."""
    from matplotlib.figure import Figure

    answer = network.classes[int(evidence.probabilities(network.model, image[None])[0].argmax())]
    frames = []
    for row in range(0, found.boxes.shape[0], 2):
        for column in range(found.boxes.shape[1]):
            top, left, bottom, right = found.boxes[row, column]
            hidden = image.copy()
            hidden[:, top:bottom, left:right] = 0
            share = float(found.hidden[0, row, column])
            figure = Figure(figsize=(2.8, 3.02))  # without a layout to be computed, since there are many frames
            axes = figure.add_axes((0.01, 0.01, 0.98, 0.91))
            drawing.show(axes, network.restore(hidden), title=f"{answer} {share:.1%}")
            axes.add_patch(_bar(share))
            frames.append(drawing.pixels(figure))
    caption = f"The grey square on its way over the duck, and how sure the network is still that this is a {answer}."
    return hang_moving(frames, out / "occlusion.gif", caption, seconds=0.25)


def _bar(share: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((0, 219), 226 * share, 7, color="tab:red")


def _digits(out: Path, say: Say) -> Shown:
    """Four digits with a small white patch of paper over each part: where the answer falls, and to which digit."""
    images, labels = datasets.shipped("digits")
    model = models.load("digits").model
    inputs = torch.from_numpy(images[[np.flatnonzero(labels == digit)[0] for digit in DIGITS], None]).float() / 255
    found = occlusion(model, inputs, list(DIGITS), window=7, stride=1, objective="probability")
    figure, cells = drawing.canvas(3, len(DIGITS), cell=2.0)
    numbers = {}
    for column, digit in enumerate(DIGITS):
        worst = np.unravel_index(found.hidden[column].argmin(), found.hidden[column].shape)
        hidden = inputs[column, 0].numpy().copy()
        top, left, bottom, right = found.boxes[worst]
        hidden[top:bottom, left:right] = 0
        then, left_over = int(found.loudest[column][worst]), float(found.hidden[column][worst])
        numbers[str(digit)] = {"before": round(float(found.whole[column]), 3), "at worst": round(left_over, 3),
                               "then": then}  # fmt: skip
        drawing.show(cells[0, column], inputs[column, 0].numpy(), title=f"{digit}: {found.whole[column]:.1%}")
        heat = evidence.heat(found.drops[column])
        drawing.show(cells[1, column], drawing.overlay(inputs[column, 0].numpy(), heat), title="where it falls")
        drawing.show(cells[2, column], hidden, title=f"now a {then}; a {digit} by {left_over:.1%}")
        drawing.frame(cells[2, column], (top, left, bottom, right))
        say(f"{digit}: with the worst 7×7 pixels erased it is a {then} to the network")
    caption = (
        "Digits, with 7×7 pixels erased in every place. Middle: red where erasing makes the probability of the right "
        "digit fall. Below: the worst place, and what the network reads there now."
    )
    return Shown((hang(figure, out / "occlusion-digits.png", caption),), numbers)


def _boards(out: Path, say: Say) -> Shown:
    """Three positions: what becomes of the chosen move's probability when each stone is taken off, one by one."""
    go = policy.load(weights.default())
    figure, cells = drawing.canvas(1, len(BOARDS), cell=4.6)
    numbers: dict[str, Any] = {}
    for axes, (name, moves) in zip(cells[0], BOARDS.items()):
        board = positions.position(moves)
        sure = positions.move_probabilities(go, [board])[0]
        best = int(sure.argmax())
        stones = np.flatnonzero(board.stones).tolist()
        bare = np.stack([positions.planes_without(go, board, point) for point in stones]).astype(np.float32)
        then = evidence.probabilities(go, bare)
        left = then[:, best]
        heat = {point: float(max(0.0, 1 - share / sure[best])) for point, share in zip(stones, left)}
        labels = {point: f"{100 * share:.0f}" for point, share in zip(stones, left)}
        positions.draw_on_stones(axes, board.stones, labels, heat)
        positions.mark(axes, best)
        axes.set_title(f"{name}: {point_to_gtp(best, 19)}, {sure[best]:.0%}", fontsize=9)
        key = min(zip(left.tolist(), stones))
        numbers[name] = {"move": point_to_gtp(best, 19), "before": round(float(sure[best]), 4),
                         "key stone": point_to_gtp(key[1], 19), "without it": round(key[0], 4),
                         "plays then": {point_to_gtp(point, 19): point_to_gtp(int(move), 19)
                                        for point, move in zip(stones, then.argmax(1))},
                         "far stones": round(float(left[_far(stones, best)].min() / sure[best]), 3)}  # fmt: skip
        say(f"{name}: {numbers[name]['move']} {sure[best]:.1%}; without {numbers[name]['key stone']} {key[0]:.1%}")
    caption = (
        "Which stones does the chosen move, in the green ring, depend on? On each stone is the move's probability in "
        "per cent after this stone is taken off and the liberties are counted anew; red where it falls. A fight "
        "hangs on the stones next to it, and in the middle of the game those in other corners change little. In the "
        "opening a stone taken out of a corner leaves that corner empty, and the network would play there first."
    )
    return Shown((hang(figure, out / "occlusion-go.png", caption),), numbers)


def _far(stones: list[int], move: int) -> np.ndarray:
    """Which of the stones are six points or more from the move, along rows or columns."""
    apart = [max(abs(point // 19 - move // 19), abs(point % 19 - move % 19)) for point in stones]
    return np.array(apart) >= 6
