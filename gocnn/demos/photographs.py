"""What SqueezeNet says of a photograph, and on which pixels it rests; then these pixels are blurred, or all others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from gocnn.demos import Say, Shown, evidence, hang
from gocnn.images import models
from gocnn.visualize import drawing
from gocnn.visualize.activations import as_array
from gocnn.visualize.gradcam import enlarged, gradcam
from gocnn.visualize.maximize import blurred
from gocnn.visualize.occlusion import occlusion
from gocnn.visualize.saliency import saliency

PHOTOGRAPHS = ("chelsea", "duck", "coffee", "cow", "astronaut")
SHOWN = {"chelsea": "cat", "duck": "bird", "coffee": "cup", "cow": "cow", "astronaut": "astronaut"}
KEPT = 0.2  # share of the pixels that is blurred, or alone is not: those that Grad-CAM finds strongest
TITLES = ("the picture", "saliency (SmoothGrad)", "occlusion", "Grad-CAM")


def make(out: Path, say: Say) -> Shown:
    network = models.load("squeezenet")
    inputs = np.stack([evidence.read(network, name) for name in PHOTOGRAPHS])
    answers = evidence.probabilities(network.model, inputs)
    units = [int(unit) for unit in answers.argmax(1)]
    size = inputs.shape[2]
    slopes = saliency(network.model, inputs, units, method="smooth", samples=8).max(1)
    hidden = occlusion(network.model, inputs, units, window=57, stride=34, objective="probability").drops
    places = enlarged(gradcam(network.model, "fire9", inputs, units), size, size)
    strong = places >= np.quantile(places, 1 - KEPT, axis=(1, 2), keepdims=True)  # [B, H, W]
    soft = as_array(blurred(torch.from_numpy(inputs), 8))
    without, alone = np.where(strong[:, None], soft, inputs), np.where(strong[:, None], inputs, soft)
    then, still = evidence.probabilities(network.model, without), evidence.probabilities(network.model, alone)
    figure, cells = drawing.canvas(len(PHOTOGRAPHS), 6, cell=2.2)
    numbers: dict[str, Any] = {}
    remain: list[str] = []  # what its strongest pixels alone still tell
    for row, name in enumerate(PHOTOGRAPHS):
        picture, unit = network.restore(inputs[row]), units[row]
        smooth = evidence.heat(slopes[row], sigma=3, percentile=99.5)
        heats = (smooth, evidence.heat(hidden[row]), evidence.heat(places[row]))
        drawing.show(cells[row, 0], picture, title=evidence.says(network, answers[row]))
        for axes, heat, title in zip(cells[row, 1:4], heats, TITLES[1:]):
            drawing.show(axes, drawing.overlay(picture, heat), title=title)
        for axes, what, image, answer in (
            (cells[row, 4], "without these pixels", without[row], then[row]),
            (cells[row, 5], "these pixels alone", alone[row], still[row]),
        ):
            drawing.show(axes, network.restore(image), title=f"{what}:\n{evidence.says(network, answer)}")
        best = np.argsort(-answers[row])[:3]
        numbers[name] = {
            "says": {network.classes[k]: round(float(answers[row, k]), 4) for k in best},
            "without": [network.classes[int(then[row].argmax())], round(float(then[row, unit]), 4)],
            "alone": [network.classes[int(still[row].argmax())], round(float(still[row, unit]), 4)],
        }
        if name in evidence.PARTS:
            _, box = evidence.PARTS[name]
            maps = {"saliency": slopes[row], "occlusion": hidden[row], "gradcam": places[row]}
            numbers[name]["inside"] = {key: round(evidence.within(value, box), 3) for key, value in maps.items()}
            numbers[name]["box"] = round(evidence.area(box, size, size), 3)
        if still[row].argmax() == unit:
            remain.append(f"the {SHOWN[name]}")
        said = ", ".join(f"{one} {share:.0%}" for one, share in numbers[name]["says"].items())
        after = f"{evidence.says(network, then[row])}, with all others blurred {evidence.says(network, still[row])}"
        say(f"{name}: {said}; with the strongest {KEPT:.0%} of the pixels blurred {after}")
    caption = (
        "What does the machine learn? Five photographs with the network's answer, and the pixels that it rests on by "
        "three instruments. Then the fifth of the pixels that Grad-CAM finds strongest is blurred, and last everything "
        "else, each time with what the network says now: without its head the bird is no goose, without its surface "
        f"the espresso is a soup. By these pixels alone {' and '.join(remain)} remain what they were, the others do "
        "not: the cow's answer rests on its head and its spots, the astronaut's on the dark ring of her suit, but it "
        "takes the rest of the picture, too."
    )
    return Shown((hang(figure, out / "photographs.png", caption),), numbers)
