"""What the lecture says of networks for Go, measured: the same training time for networks that differ in one thing.

    python benchmarks/lecture_go.py --data pro.arrow --val pro-2022.arrow --minutes 10 -o runs/lecture

Trains one network after the other, prints a table and draws their curves (`lecture-go.png` in the folder). A run that
is there is not repeated, and one that was stopped goes on. Nothing else should keep the machine busy meanwhile.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gocnn import policy
from gocnn.visualize import drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BASE = "b4c48"


@dataclass(frozen=True)
class Variant:
    """A network of the comparison: its name, what it is, and the options that make it."""

    name: str
    what: str
    options: tuple[str, ...] = ("--preset", BASE)


VARIANTS = (
    Variant("conv", "four blocks of 48 filters, first layer 5×5, all planes, no pooling"),
    Variant("dense", "fully connected, two hidden layers of 512 units", ("--preset", "dense")),
    Variant("stem3", "first layer 3×3", ("--preset", BASE, "--stem", "3")),
    Variant("stem7", "first layer 7×7", ("--preset", BASE, "--stem", "7")),
    Variant("pool", "max pooling half-way", ("--preset", BASE, "--pool")),
    Variant("stones", "one plane of +1 and −1", ("--preset", BASE, "--planes", "stones")),
)

#: What each panel of the picture compares: its title, and the names of networks with what to call them there.
PANELS = (
    ("Full connection or convolution", {"conv": "convolutions", "dense": "fully connected"}),
    ("The first layer", {"stem3": "3×3", "conv": "5×5", "stem7": "7×7"}),
    ("Max pooling half-way", {"conv": "without", "pool": "with"}),
    ("What it sees", {"conv": "20 planes", "stones": "one plane of +1, −1"}),
)


def train(variant: Variant, folder: Path, arguments: list[str]) -> None:
    """Train one network unless it is there; a run that was stopped goes on."""
    if (folder / "network.safetensors").exists():
        return
    resume = ["--resume"] if (folder / "checkpoint.safetensors").exists() else []
    print(f"{variant.name}: {variant.what}", file=sys.stderr)
    command = [sys.executable, "-m", "gocnn", "train", *variant.options, *arguments, "-o", str(folder), *resume]
    subprocess.run(command, check=True)


def curve(folder: Path) -> list[dict[str, float]]:
    """The rows of a run's log, as numbers."""
    with (folder / "log.csv").open(newline="") as file:
        return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]


def draw(axes: Axes, folder: Path, labels: dict[str, str]) -> None:
    """The top-1 accuracy of some runs over their time."""
    for name, label in labels.items():
        rows = curve(folder / name)
        axes.plot([row["seconds"] / 60 for row in rows], [100 * row["top1"] for row in rows], marker=".", label=label)
    axes.set(xlabel="minutes", ylabel="top-1, %")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)


@click.command()
@click.option("--data", required=True, type=click.Path(), help="Game store to learn from.")
@click.option("--val", required=True, type=click.Path(), help="Game store to test on.")
@click.option("--minutes", default=10.0, show_default=True, help="Training time of each network.")
@click.option("--positions", default=8192, show_default=True, help="Positions of each test.")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Folder of the runs.")
def main(data: str, val: str, minutes: float, positions: int, out: Path) -> None:
    """Train the lecture's networks for Go, all for the same time, and compare them."""
    arguments = ["--data", data, "--val", val, "--minutes", str(minutes), "--validate-minutes", str(minutes / 5)]
    arguments += ["--validate-positions", str(positions), "--ema", "0.99"]
    for variant in VARIANTS:
        train(variant, out / variant.name, arguments)
    print("| network | weights | positions seen | top-1 | top-5 | nats |\n|---|---|---|---|---|---|")
    for variant in VARIANTS:
        last = curve(out / variant.name)[-1]
        weights = sum(p.numel() for p in policy.load(out / variant.name / "network.safetensors").parameters())
        print(
            f"| {variant.what} | {weights:,} | {last['samples']:,.0f} | {last['top1']:.2%} | {last['top5']:.2%} | "
            f"{last['cross_entropy']:.3f} |"
        )
    figure, axes = drawing.canvas(1, len(PANELS), cell=2.8, wide=1.1)
    for panel, (title, labels) in zip(axes[0], PANELS):
        draw(panel, out, labels)
        panel.set_title(title)
    caption = f"Networks trained for {minutes:g} minutes each, tested on {Path(val).name}."
    drawing.save(figure, out / "lecture-go.png", caption)


if __name__ == "__main__":
    main()
