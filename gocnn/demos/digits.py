"""The lecture's network reads digits and clothes, and a fully-connected network of its size does the same beside it:
how many of the test images each names rightly, what it takes for what, and which images it fails on.

The test images are the whole set if it is in the cache, and the first 500 of it, which come with the package, if not.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gocnn.demos import Exhibit, Say, Shown, hang
from gocnn.images import datasets, models
from gocnn.visualize import drawing

#: task -> its convolutional network and its fully-connected one, by their names among the models.
PAIRS = {"digits": ("digits", "digits-dense"), "fashion": ("fashion", "fashion-dense")}
_TITLES = {"digits": "digit", "fashion": "garment"}
_FILES = {"digits": "digits", "fashion": "digits-clothes"}
SHIPPED = 500
COLUMNS, ERROR_ROWS = 10, 2


def make(out: Path, say: Say) -> Shown:
    exhibits: list[Exhibit] = []
    numbers: dict[str, Any] = {}
    for task, names in PAIRS.items():
        networks = [models.load(name) for name in names]
        images, labels = _test_images(task)
        shares = [models.probabilities(network.model, images) for network in networks]
        numbers[task] = {}
        for network, share in zip(networks, shares):
            size = sum(weight.numel() for weight in network.model.parameters())
            right = share.argmax(1) == labels
            found = {
                "parameters": size,
                "shipped": round(float(right[:SHIPPED].mean()), 4),
                "tested": len(labels),
                "accuracy": round(float(right.mean()), 4),
            }
            numbers[task][network.name] = found
            line = (
                f"{network.name:<13} {size:,} parameters: {found['shipped']:.1%} of the {SHIPPED} shipped test images"
            )
            whole = f", {found['accuracy']:.2%} of all {len(labels):,}" if len(labels) > SHIPPED else ""
            say(line + whole)
        exhibits.append(_examples(out, task, images, labels, shares))
        exhibits.append(_confusion(out, task, labels, [share.argmax(1) for share in shares]))
    return Shown(tuple(exhibits), numbers)


def _test_images(task: str) -> tuple[np.ndarray, np.ndarray]:
    """The whole test set if it has been fetched, or else what ships of it."""
    try:
        return datasets.load(task, "test")
    except datasets.DataError:
        return datasets.shipped(task)


def confusion(labels: np.ndarray, said: np.ndarray, classes: int = 10) -> np.ndarray:
    """int64 [classes, classes]: how many images of each class (row) were taken for each (column)."""
    return np.bincount(labels * classes + said, minlength=classes**2).reshape(classes, classes)


def _examples(out: Path, task: str, images: np.ndarray, labels: np.ndarray, shares: list[np.ndarray]) -> Exhibit:
    """One image of each class that both networks name rightly, and those that one of them or both get wrong."""
    classes = datasets.CLASSES[task]
    right = np.stack([share.argmax(1) == labels for share in shares])
    both = right.all(0)
    good = [int(np.argmax(both & (labels == k))) for k in range(len(classes)) if (both & (labels == k)).any()]
    wrong = np.flatnonzero(~both)
    # Those that both get wrong, then those that the convolutional network does, then the other's.
    order = wrong[np.lexsort((right[0, wrong], right[:, wrong].sum(0)))]
    bad = [int(k) for k in order[: ERROR_ROWS * COLUMNS]]
    rows = 1 + -(-len(bad) // COLUMNS)
    figure, cells = drawing.canvas(rows, COLUMNS, cell=1.8, wide=0.68)
    for k, axes in zip([*good, *bad], cells.ravel()):
        drawing.show(axes, images[k], title=classes[labels[k]])
        answers = [(kind, int(share[k].argmax()), share[k].max()) for kind, share in zip(("conv", "dense"), shares)]
        drawing.below(axes, [(f"{kind}: {classes[a]} {sure:.0%}", a == labels[k]) for kind, a, sure in answers])
    for axes in cells.ravel()[len(good) + len(bad) :]:
        axes.set_axis_off()
    shown = "all" if len(bad) == len(wrong) else f"{len(bad)} of the {len(wrong):,}"
    alone, other, together = (int((~which).sum()) for which in (right[0], right[1], right.any(0)))
    caption = (
        f"Above, one {_TITLES[task]} of each class that both networks name rightly. Below, {shown} of {len(labels):,} "
        f"test images that at least one of them gets wrong: the convolutional network {alone:,}, the fully-connected "
        f"one of its size {other:,}, both of them {together:,}. Over each image what it is, under it what each network "
        "says and how sure it is."
    )
    return hang(figure, out / f"{_FILES[task]}-examples.png", caption)


def _confusion(out: Path, task: str, labels: np.ndarray, said: list[np.ndarray]) -> Exhibit:
    """What each network takes for what: rows are what it is, columns what it is taken for."""
    classes = datasets.CLASSES[task]
    counts = [confusion(labels, answers) for answers in said]
    errors = [table - np.diag(np.diag(table)) for table in counts]
    most = max(int(table.max()) for table in errors)
    figure, cells = drawing.canvas(1, 2, cell=5.4, wide=0.94)
    for axes, table, wrong, kind in zip(cells[0], counts, errors, ("convolutional", "fully connected")):
        axes.imshow(wrong, cmap="Reds", vmin=0, vmax=most)
        for row, column in np.argwhere(table > 0):
            own = row == column
            colour = "#999999" if own else "white" if wrong[row, column] > most / 2 else "black"
            axes.text(column, row, table[row, column], ha="center", va="center", fontsize=7, color=colour)
        axes.set_xticks(range(len(classes)), classes, rotation=0 if task == "digits" else 60, fontsize=8)
        axes.set_yticks(range(len(classes)), classes, fontsize=8)
        axes.set_xlabel("taken for")
        axes.set_title(f"{kind}: {np.trace(table) / len(labels):.2%} right, {int(wrong.sum()):,} wrong", fontsize=10)
    cells[0, 0].set_ylabel("what it is")
    usual = [usual_mistake(wrong, classes) for wrong in errors]
    caption = (
        f"What is taken for what, on {len(labels):,} test images; the grey numbers on the diagonal are right. The "
        f"convolutional network's {usual[0]}; the fully-connected one's {usual[1]}."
    )
    return hang(figure, out / f"{_FILES[task]}-confusion.png", caption)


def usual_mistake(wrong: np.ndarray, classes: Sequence[str]) -> str:
    """The rest of a sentence about "its": which class is taken for which most often, by counts of errors [K, K]."""
    row, column = map(int, np.unravel_index(int(wrong.argmax()), wrong.shape))
    if wrong[row, column] < 2:
        few = ("answers are all right", "answers are right but for one", "mistakes are all different")
        return few[min(2, int(wrong.sum()))]
    return f"most frequent mistake is “{classes[row]}” for “{classes[column]}”, {int(wrong[row, column])} times"
