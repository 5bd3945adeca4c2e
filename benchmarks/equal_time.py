"""Networks for Go that differ in one thing, trained for the same time: the lecture's claims, or the recipe.

    python benchmarks/equal_time.py lecture --data pro.arrow --val pro-2022.arrow --minutes 10 -o runs/lecture
    python benchmarks/equal_time.py recipe --data pro.arrow --val pro-2022.arrow --minutes 20 -o runs/recipe

Trains one network after the other, prints a table and draws their curves (`lecture.png` or `recipe.png` in the folder).
A run that has ended is not repeated, and one that was stopped goes on. Tests between do not count as time. Nothing else
should keep the machine busy: 25 networks for the recipe, six for the lecture.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gocnn import checkpoint, policy
from gocnn.visualize import drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes


ALTERED = Path(__file__).with_name("altered.py")
COLUMNS = 4  # panels of the picture side by side


@dataclass(frozen=True)
class Variant:
    """A network of a study: its name, which is its folder's too, what it is, and the options that make it.

    `altered` names a change in `altered.py`, for what no option of `gocnn train` can change.
    """

    name: str
    what: str
    options: str = ""
    preset: str = "b4c48"
    altered: str = ""


@dataclass(frozen=True)
class Study:
    """Variants, the first of which the others are held against, and the panels of the picture.

    A panel is a title, and the names of networks with what to call them there; accuracy is drawn from `bottom` per cent
    up.
    """

    variants: tuple[Variant, ...]
    panels: tuple[tuple[str, dict[str, str]], ...]
    bottom: float = 0.0


STUDIES = {
    "lecture": Study(
        (
            Variant("conv", "four blocks of 48 filters, first layer 5×5, all planes, no pooling"),
            Variant("dense", "fully connected, two hidden layers of 512 units", preset="dense"),
            Variant("stem3", "first layer 3×3", "--stem 3"),
            Variant("stem7", "first layer 7×7", "--stem 7"),
            Variant("pool", "max pooling half-way", "--pool"),
            Variant("stones", "one plane of +1 and −1", "--planes stones"),
        ),
        (
            ("Full connection or convolution", {"conv": "convolutions", "dense": "fully connected"}),
            ("The first layer", {"stem3": "3×3", "conv": "5×5", "stem7": "7×7"}),
            ("Max pooling half-way", {"conv": "without", "pool": "with"}),
            ("What it sees", {"conv": "20 planes", "stones": "one plane of +1, −1"}),
        ),
    ),
    "recipe": Study(
        (
            Variant("base", "four blocks of 48 filters, Muon and AdamW at 4e-3, batches of 128"),
            Variant("seed", "the same with other random numbers", "--seed 1"),
            Variant("deep", "eight blocks of 32 filters", preset="b8c32"),
            Variant("wide", "two blocks of 64 filters", preset="b2c64"),
            Variant("large", "six blocks of 64 filters", preset="b6c64"),
            Variant("adamw", "AdamW alone, at 2e-3", "--optimizer adamw --lr 2e-3"),
            Variant("low", "both rates halved", "--lr 2e-3 --muon-lr 2e-3"),
            Variant("high", "both rates doubled", "--lr 8e-3 --muon-lr 8e-3"),
            Variant("batch64", "batches of 64", "--batch 64"),
            Variant("batch256", "batches of 256", "--batch 256"),
            Variant("value", "a value head beside the policy", "--value"),
            Variant("history", "stones and the last five moves only", "--planes history"),
            Variant("liberties", "those and liberties", "--planes liberties"),
            Variant("ladders", "all planes, and chains that a ladder takes", "--planes ladders"),
            Variant("average", "weights averaged over ten times as many steps", "--ema 0.999"),
            Variant("relu", "normalisation and ReLU as torch has them: slower", altered="relu"),
            Variant("silu", "the same with SiLU in the place of ReLU", altered="silu"),
            Variant("group-norm", "the same with group normalisation", altered="group-norm"),
            Variant("activation-last", "the same with the activation last in each block", altered="activation-last"),
            Variant("momentum-low", "Muon's momentum 0.9 instead of 0.95", altered="momentum-0.9"),
            Variant("momentum-high", "Muon's momentum 0.98", altered="momentum-0.98"),
            Variant("steps", "three iterations of Muon instead of five", altered="steps-3"),
            Variant("no-place", "no bias by the distance to the edges in the policy head", altered="no-place"),
            Variant("replies", "the opponent's reply to be learned, too", altered="replies"),
            Variant("middle", "of each two positions the one with more nearly 100 stones", altered="middle"),
        ),
        (
            ("Chance", {"base": "seed 0", "seed": "seed 1"}),
            ("Shape", {"deep": "b8c32", "base": "b4c48", "wide": "b2c64", "large": "b6c64"}),
            ("Optimizer", {"base": "Muon", "adamw": "AdamW"}),
            ("Rates", {"low": "2e-3", "base": "4e-3", "high": "8e-3"}),
            ("Positions in a batch", {"batch64": "64", "base": "128", "batch256": "256"}),
            ("Learning who wins, too", {"base": "without", "value": "with"}),
            ("Averaged weights", {"base": "0.99", "average": "0.999"}),
            (
                "Blocks, in torch's own operations",
                {"relu": "ReLU", "silu": "SiLU", "group-norm": "group norm", "activation-last": "ReLU last"},
            ),
            (
                "Muon",
                {"momentum-low": "momentum 0.9", "base": "0.95", "momentum-high": "0.98", "steps": "three iterations"},
            ),
            ("Bias by place", {"base": "with", "no-place": "without"}),
            ("What it learns from", {"base": "moves", "replies": "replies, too", "middle": "middle of games"}),
            (
                "What it sees",
                {"history": "stones, moves", "liberties": "+ liberties", "base": "+ tactics", "ladders": "+ ladders"},
            ),
        ),
        bottom=24.0,
    ),
}


def train(variant: Variant, folder: Path, arguments: list[str]) -> None:
    """Train one network. A run that was stopped goes on, one that has ended is left as it is, one of other settings is
    an error, as with `gocnn train --resume`.
    """
    resume = ["--resume"] if (folder / "checkpoint.safetensors").exists() else []
    print(f"{variant.name}: {variant.what}", file=sys.stderr)
    options = ["--preset", variant.preset, *arguments, *variant.options.split(), "-o", str(folder), *resume]
    program = [str(ALTERED), variant.altered] if variant.altered else ["-m", "gocnn", "train"]
    with subprocess.Popen([sys.executable, *program, *options]) as child:
        try:
            failed = child.wait()
        except KeyboardInterrupt:
            child.wait()  # it was interrupted, too, and saves
            raise
    if failed:
        raise click.ClickException(f"{folder}: the training of {variant.name} failed")


def curve(folder: Path) -> list[dict[str, float]]:
    """The rows of a run's log, as numbers."""
    with (folder / "log.csv").open(newline="") as file:
        return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]


def weights_of(path: Path) -> int:
    """How many weights a network's file has, statistics not counted; altered networks can be counted only so."""
    tensors = checkpoint.load(path, policy.KIND).tensors
    return sum(t.numel() for name, t in tensors.items() if "running" not in name and "batches" not in name)


def draw(axes: Axes, folder: Path, labels: dict[str, str], bottom: float) -> None:
    """The top-1 accuracy of some runs over their time, from `bottom` per cent up."""
    for name, label in labels.items():
        rows = curve(folder / name)
        axes.plot([row["seconds"] / 60 for row in rows], [100 * row["top1"] for row in rows], marker=".", label=label)
    axes.set(xlabel="minutes", ylabel="top-1, %")
    axes.set_ylim(bottom=bottom)
    axes.legend(frameon=False, loc="lower right")


@click.command()
@click.argument("study", type=click.Choice(list(STUDIES)))
@click.option("--data", required=True, type=click.Path(), help="Game store to learn from.")
@click.option("--val", required=True, type=click.Path(), help="Game store to test on.")
@click.option("--minutes", default=10.0, show_default=True, help="Training time of each network.")
@click.option("--positions", default=8192, show_default=True, help="Positions of each test.")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Folder of the runs.")
def main(study: str, data: str, val: str, minutes: float, positions: int, out: Path) -> None:
    """Train networks for Go that differ in one thing, all for the same time, and compare them."""
    chosen = STUDIES[study]
    arguments = ["--data", data, "--val", val, "--minutes", str(minutes), "--validate-minutes", str(minutes / 5)]
    arguments += ["--validate-positions", str(positions), "--ema", "0.99"]
    for variant in chosen.variants:
        train(variant, out / variant.name, arguments)
    print("| network | weights | positions seen | top-1 | top-5 | nats |\n|---|---|---|---|---|---|")
    for variant in chosen.variants:
        last = curve(out / variant.name)[-1]
        weights = weights_of(out / variant.name / "network.safetensors")
        print(
            f"| {variant.what} | {weights:,} | {last['samples']:,.0f} | {last['top1']:.2%} | {last['top5']:.2%} | "
            f"{last['cross_entropy']:.3f} |"
        )
    figure, axes = drawing.canvas(-(-len(chosen.panels) // COLUMNS), COLUMNS, cell=2.8, wide=1.1)
    for panel, (title, labels) in zip(axes.flat, chosen.panels):
        draw(panel, out, labels, chosen.bottom)
        panel.set_title(title)
    for unused in axes.flat[len(chosen.panels) :]:
        unused.remove()
    caption = f"Networks trained for {minutes:g} minutes each, tested on {Path(val).name}."
    drawing.save(figure, out / f"{study}.png", caption)


if __name__ == "__main__":
    main()
