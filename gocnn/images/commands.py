"""The `gocnn images` commands: fetch data, train, evaluate and classify pictures."""

from __future__ import annotations

import sys
import textwrap
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gocnn.options import FiniteRange

if TYPE_CHECKING:
    from torch import nn

    from gocnn.images.text.reading import Reader


@click.group(epilog="\b\nExamples:\n  gocnn images fetch\n  gocnn images classify digits my-seven.png")
def images() -> None:
    """The lecture's networks for digits, clothes and photographs."""


@images.command(epilog="\b\nExamples:\n  gocnn images fetch digits\n  gocnn images fetch fashion --from clothes.deb")
@click.argument("names", metavar="[digits|fashion|squeezenet|vgg16|paintings|photos|fonts]...", nargs=-1)
@click.option(
    "--from",
    "given",
    type=click.Path(exists=True, path_type=Path),
    help="A file you have, or a folder of IDX files, of photographs or of fonts.",
)
def fetch(names: tuple[str, ...], given: Path | None) -> None:
    """Put data sets, weights, photographs and fonts into the cache; all of them without a name.

    Data sets and weights are checked by their SHA-256 sums.
    """
    from gocnn.images import fetch as fetching

    unknown = [name for name in names if name not in fetching.SOURCES]
    if unknown:
        raise click.ClickException(f"nothing is called {unknown[0]!r}; there are {', '.join(fetching.SOURCES)}")
    if given and len(names) != 1:
        raise click.ClickException("--from takes exactly one name")
    failed = False
    say = partial(click.echo, err=True)
    for name in names or tuple(fetching.SOURCES):
        try:
            place, source = fetching.fetch(name, given, say)
            source = click.format_filename(textwrap.shorten(source, 60, placeholder=" ..."))
            click.echo(f"{name}: from {source}, now in {click.format_filename(place)}")
        except (ValueError, OSError) as error:
            click.echo(f"Error: {error}", err=True)
            failed = True
    sys.exit(1 if failed else 0)


@images.command(
    epilog="\b\nExamples:\n  gocnn images train digits -o runs/digits\n  gocnn images train fashion --dense\n"
    "  gocnn images train dehaze --minutes 40\n  gocnn images train text-detector"
)
@click.argument(
    "name",
    type=click.Choice(["digits", "fashion", "photos", "dehaze", "text-detector", "text-recogniser", "text-language"]),
)
@click.option("-o", "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of the run [runs/NAME].")
@click.option("--dense", is_flag=True, help="The fully-connected network of the same size instead.")
@click.option("--plain", is_flag=True, help="Show every image as it is: no shifts, turns or stretching.")
@click.option("--epochs", type=FiniteRange(0, min_open=True), help="For digits and fashion [12] and for photos [20].")
@click.option(
    "--minutes",
    type=FiniteRange(0, min_open=True),
    help="For dehaze [40] and the networks of text [75].",
)
@click.option(
    "--init",
    type=click.Path(exists=True, path_type=Path),
    help="Begin with the weights of this network (dehaze and text).",
)
@click.option("--seed", default=0, show_default=True)
@click.option("--resume", is_flag=True, help="Go on with a run that was stopped.")
def train(
    name: str, out: Path | None, dense: bool, plain: bool, epochs: float | None, minutes: float | None,
    init: Path | None, seed: int, resume: bool,
) -> None:  # fmt: skip
    """Train the lecture's network on digits or clothes; on photographs, a layer of colour filters, or to take haze off;
    or to find words in scenes and to read them, and which letters follow which (text-language).

    The data must have been fetched. A run that is stopped can be resumed.
    """
    from gocnn import training
    from gocnn.images import recipes, sparse
    from gocnn.images.dehaze import recipe
    from gocnn.images.text import detection, language, recognition

    if name not in ("digits", "fashion") and (dense or plain):
        raise click.ClickException("--dense and --plain are for digits and fashion")
    on_the_clock = {"dehaze": recipe.train, "text-detector": detection.train, "text-recogniser": recognition.train}
    if (init or minutes) and name not in on_the_clock:
        raise click.ClickException(f"--init and --minutes are for {', '.join(on_the_clock)}")
    if epochs and name not in ("digits", "fashion", "photos"):
        raise click.ClickException("--epochs is for digits, fashion and photos")
    if resume and name == "text-language":
        raise click.ClickException("text-language takes seconds: there is nothing to resume")
    counted: dict[str, Any] = {"epochs": epochs} if epochs else {}
    out = out or Path("runs") / (name + "-dense" * dense + "-plain" * plain)
    try:
        if name == "photos":
            metrics = sparse.train(out, seed=seed, resume=resume, **counted)
        elif name == "text-language":
            metrics = language.train(out, seed=seed)
        elif name in on_the_clock:
            budget = {"minutes": minutes} if minutes else {}
            metrics = on_the_clock[name](out, init=init, seed=seed, resume=resume, **budget)
        else:
            metrics = recipes.train(name, out, dense=dense, augment=not plain, seed=seed, resume=resume, **counted)
    except training.Interrupted:
        click.echo(f"stopped; everything is saved: add --resume to go on ({out})", err=True)
        sys.exit(130)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    place = click.format_filename(out / "network.safetensors")
    click.echo(f"{place}: " + ", ".join(f"{key} {value:.4g}" for key, value in metrics.items()))


@images.command(
    epilog="\b\nExamples:\n  gocnn images evaluate digits\n  gocnn images evaluate runs/digits/network.safetensors\n"
    "  gocnn images evaluate dehaze\n  gocnn images evaluate text"
)
@click.argument("model")
def evaluate(model: str) -> None:
    """Test a network of digits or clothes on the whole test set, class by class; one against haze on known scenes;
    those that find and read words (text, or one that you trained) on scenes of fonts and photographs held out.
    """
    import numpy as np

    from gocnn.images.dehaze import evaluate as hazes
    from gocnn.images.text import evaluation

    try:
        if found := evaluation.pair(model):
            return _evaluate_text(*found)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error

    if hazes.knows(model):
        return _evaluate_dehaze(model)

    from gocnn.images import datasets, models

    try:
        network = models.load(model)
        name = next((name for name, classes in datasets.CLASSES.items() if classes == network.classes), None)
        if name is None:
            raise datasets.DataError(f"{model}: there is no test set for its classes")
        pictures, labels = datasets.load(name, "test")
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    said = models.probabilities(network.model, pictures).argmax(1)
    for place, title in enumerate(network.classes):
        here = labels == place
        right = int((said[here] == place).sum())
        wrong = np.bincount(said[here & (said != place)], minlength=len(network.classes))
        taken = f"  mostly taken for {network.classes[wrong.argmax()]} ({wrong.max()})" if wrong.any() else ""
        click.echo(f"{title:<12} {right:>5} of {int(here.sum()):>5}  {right / max(int(here.sum()), 1):7.2%}{taken}")
    click.echo(f"{name}: {np.mean(said == labels):.2%} of {len(labels):,} test images")


def _evaluate_text(finder: nn.Module, reader: Reader) -> None:
    from rich.console import Console
    from rich.progress import track

    from gocnn.images.text import evaluation

    console = Console(stderr=True)
    faces, drawn = evaluation.held_out()
    scenes = track(drawn, "testing", evaluation.SCENES, console=console, transient=True,
                   disable=not console.is_terminal)  # fmt: skip
    for line in evaluation.lines(evaluation.evaluate(finder, reader, scenes), faces):
        click.echo(line)


def _evaluate_dehaze(model: str) -> None:
    from rich.console import Console

    from gocnn.images.dehaze import evaluate, network

    console = Console(stderr=True)
    try:
        net = network.load(None if model == evaluate.NAME else model)
        with console.status("testing"):
            for line in evaluate.report(net):
                click.echo(line)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error


@images.command(
    epilog="\b\nExamples:\n  gocnn images classify digits seven.png\n  gocnn images classify fashion *.jpg --top 5"
)
@click.argument("model")
@click.argument("files", metavar="IMAGE...", nargs=-1, required=True)
@click.option("--top", default=3, show_default=True, type=click.IntRange(1), help="How many classes to print.")
def classify(model: str, files: tuple[str, ...], top: int) -> None:
    """Say what is on pictures of any size, and what was done to each before the network saw it."""
    import torch

    from gocnn.images import models, pictures

    try:
        network = models.load(model)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    failed = False
    for file in files:
        try:
            inputs, notes = network.prepare(pictures.read(file))
        except (ValueError, OSError) as error:
            text = str(error)
            click.echo(f"Error: {text if file in text else f'{file}: {text}'}", err=True)
            failed = True
            continue
        with torch.inference_mode():
            shares = network.model(torch.from_numpy(inputs)[None]).softmax(1)[0]
        click.echo(f"{click.format_filename(file)}: {'; '.join(notes) or 'taken as it is'}")
        best = shares.topk(min(top, len(network.classes)))
        for share, place in zip(best.values.tolist(), best.indices.tolist()):
            click.echo(f"  {network.classes[place]:<20} {share:7.2%}  {'█' * round(30 * share)}")
    sys.exit(1 if failed else 0)
