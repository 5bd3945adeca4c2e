"""What SqueezeNet sees in a night sky, layer by layer: Deep Dream, and how a dream grows."""

from __future__ import annotations

from pathlib import Path

from gocnn.demos import Say, Shown, hang, hang_moving
from gocnn.images import dreams, making, models, samples
from gocnn.visualize import drawing

PHOTOGRAPH = "rocket"
SIDE = 288  # pixels of the longer side
SETTINGS = {"octaves": 4, "steps": 16, "jitter": 24}
#: Layers and classes, with what is to be seen.
DREAMS: tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...] = (
    (("fire3",), (), "fire3: strokes and dots"),
    (("fire6",), (), "fire6: whorls and rings"),
    (("fire7",), (), "fire7: eyes"),
    (dreams.LAYERS, (), "fire7 and fire8: heads"),
    ((), ("peafowl",), "the class “peafowl”"),
)


def make(out: Path, say: Say) -> Shown:
    model = models.load("squeezenet").model
    photograph = making.sized(samples.photograph(PHOTOGRAPH), SIDE, SIDE)
    pictures, frames, numbers = [photograph], [photograph], {}
    for layers, classes, title in DREAMS:
        wanted = dreams.targets(model, layers, classes)
        moments = []
        for moment in dreams.dreaming(model, photograph, wanted, dreams.recipe(**SETTINGS)):
            moments.append(moment)
            if layers == dreams.LAYERS and moment.step % 2:
                frames.append(dreams.drawn(moment))
        last_octave = [moment.objective for moment in moments if moment.octave == moments[-1].octave]
        pictures.append(dreams.drawn(moments[-1]))
        name = title.partition(":")[0]
        numbers[name] = {"first": round(last_octave[0], 4), "last": round(last_octave[-1], 4)}
        say(f"{name}: in the last octave the objective climbs from {last_octave[0]:.3g} to {last_octave[-1]:.3g}")
    caption = (
        "Deep Dream: a network exaggerates what it sees in a photograph. The activations of a layer that are positive "
        "are made more positive, the negative more negative, and the picture is changed so, step by step and in four "
        "sizes. An early layer knows strokes, later ones whorls and eyes, and heads around the eyes, since so many of "
        "the thousand classes that it learned are animals. Last, one class alone is climbed."
    )
    titles = ["the photograph", *(title for _, _, title in DREAMS)]
    figure, cells = drawing.canvas(2, 3, cell=2.0, wide=photograph.shape[1] / len(photograph))
    for axes, picture, title in zip(cells.ravel(), pictures, titles):
        drawing.show(axes, picture, title=title)
    still = hang(figure, out / "dream.png", caption)
    growing = "How the dream of fire7 and fire8 grows, from its smallest octave to the largest."
    return Shown((still, hang_moving([*frames, *[frames[-1]] * 8], out / "dream.gif", growing, seconds=0.15)), numbers)
