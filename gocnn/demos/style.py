"""Photographs painted as other pictures are: Deep Style with SqueezeNet."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gocnn.demos import Say, Shown, hang
from gocnn.images import making, samples, styles
from gocnn.visualize import drawing

SIDE = 224  # pixels of the longer side
STEPS = 60
PHOTOGRAPH = "chelsea"
WEIGHTS = (2.0, 20.0, 200.0)  # beta


def make(out: Path, say: Say) -> Shown:
    who = styles.painter("squeezenet")
    photograph = making.sized(samples.photograph(PHOTOGRAPH), SIDE, SIDE)
    brush = strokes(SIDE)[: len(photograph)]  # of the photograph's shape
    shown, titles, numbers = [photograph, brush], ["the photograph", "the style"], {}
    for beta in WEIGHTS:
        painted, found = _paint(who, photograph, brush, beta, "style")
        shown.append(painted)
        titles.append(f"β = {beta:g}")
        numbers[f"beta {beta:g}"] = found
        say(f"β = {beta:g}: the loss of content is {found['content']:.3f}, that of style {found['style']:.4f}")
    painted, numbers["brightness"] = _paint(who, photograph, brush, WEIGHTS[1], "brightness")
    shown.append(painted)
    titles.append("in the photograph's colours")
    caption = (
        "Deep Style: a photograph's content, the activations of a late layer, in the style of a picture that this demo "
        "draws, the Gram matrices G_ij = F_i · F_j of five layers: which filters answer together, wherever that is. "
        "The more β weighs the style, the less is left of the cat. Last, only brightness is painted, and colours stay."
    )
    figure, cells = drawing.canvas(2, 3, cell=2.0, wide=photograph.shape[1] / len(photograph))
    for axes, picture, title in zip(cells.ravel(), shown, titles):
        drawing.show(axes, picture, title=title)
    return Shown((hang(figure, out / "style.png", caption),), numbers)


def _paint(
    who: styles.Painter, photograph: np.ndarray, style: np.ndarray, beta: float, colour: str
) -> tuple[np.ndarray, dict[str, float]]:
    how = styles.recipe(who, SIDE, STEPS, beta=beta)
    *_, last = styles.painting(who, photograph, [(style, 1.0)], how, colour)
    numbers = {"content": round(last.content, 4), "style": round(last.style, 5)}
    return styles.drawn(last, photograph, colour), numbers


def strokes(side: int, count: int = 1400, seed: int = 3) -> np.ndarray:
    """uint8 [side, side, 3]: a picture of brush strokes that swirl around four centres, drawn here."""
    from PIL import Image, ImageDraw

    random = np.random.default_rng(seed)
    fine = 3 * side  # drawn large, then made small
    centres = random.uniform(0.1, 0.9, (4, 2)) * fine
    turns = np.array([1, -1, 1, -1])
    sheet = Image.new("RGB", (fine, fine), (24, 40, 92))
    brush = ImageDraw.Draw(sheet)
    palette = np.array([[18, 34, 98], [32, 74, 156], [88, 146, 200], [236, 200, 84], [246, 236, 180], [28, 92, 96]])
    for start in random.uniform(0, fine, (count, 2)):
        away = start - centres
        distance = np.hypot(*away.T)
        colour = (
            palette[3 + int(random.integers(2))]
            if distance.min() < 0.13 * fine
            else palette[random.choice([0, 1, 1, 2, 5])]
        )
        path = [start]
        for _ in range(10):
            away = path[-1] - centres
            pull = turns / (1 + (np.hypot(*away.T) / (0.2 * fine)) ** 2)
            flow = (np.stack([-away[:, 1], away[:, 0]], 1) * pull[:, None]).sum(0) + [0.02 * fine, 0]
            path.append(path[-1] + flow / max(np.hypot(*flow), 1e-9) * 0.011 * fine)
        shade = np.clip(colour + random.normal(0, 14, 3), 0, 255).astype(int).tolist()
        brush.line([tuple(map(float, point)) for point in path], tuple(shade), int(random.integers(8, 15)), "curve")
    return np.asarray(sheet.resize((side, side), Image.Resampling.LANCZOS)).copy()
