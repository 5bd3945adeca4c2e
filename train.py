"""Train a network on game stores: the recipes of the project.

python train.py --data games.arrow --val pro-2022.arrow --preset b6c64 --minutes 60 -o runs/first
torchrun --nproc-per-node 2 train.py --data games.arrow ...
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

import gocnn  # noqa: F401  # before torch: it says how torch's threads wait
from gocnn.options import FiniteRange, NetworkFile
from sgf_data.options import YearRange

if TYPE_CHECKING:
    from torch import nn

    from gocnn.policy import Policy, PolicyConfig
    from gocnn.training import Loss
    from sgf_data.lessons import Lessons

EXAMPLES = """
\b
Examples:
  gocnn data build my-games/ -o games.arrow
  gocnn train --data games.arrow --minutes 60 -o runs/mine
  gocnn train --data games.arrow --minutes 60 -o runs/mine --resume
  gocnn train --data pro.arrow --val pro-2022.arrow --years 2011-2021 --compile --minutes 600 -o runs/pro
  gocnn train --data pro.arrow --value --init runs/pro/network.safetensors --lr 1e-3 --muon-lr 1e-3 \\
      --minutes 60 -o runs/value
  torchrun --nproc-per-node 2 -m train --data games.arrow --positions 10000000 -o runs/gpus
"""


@click.command(epilog=EXAMPLES)
@click.option(
    "--data", "data", multiple=True, required=True, type=click.Path(), help="Game store to learn from; repeatable."
)
@click.option(
    "--val", "val", multiple=True, type=click.Path(),
    help="Game store to test on. Its games are never trained on. Without it, one game in fifty is held out.",
)  # fmt: skip
@click.option("-o", "--out", "out", required=True, type=click.Path(path_type=Path), help="Folder of the run.")
@click.option(
    "--preset", metavar="bNcN", help="Network: blocks and channels (default: b6c64, or as in --init), or dense."
)
@click.option("--planes", default=None, help="Plane set: stones, history, liberties, full (default), ladders.")
@click.option("--stem", type=click.Choice(["1", "3", "5", "7"]), help="Side of the first layer's filters (default: 5).")
@click.option("--pool", is_flag=True, help="Max pooling half-way through the blocks: to see what it costs.")
@click.option("--size", default=19, show_default=True, help="Board size of the games to learn from.")
@click.option("--years", type=YearRange(), help="Learn only from games of these years.")
@click.option("--value", is_flag=True, help="Learn who wins, too: a value head on the same trunk.")
@click.option(
    "--profiles", is_flag=True, help="Tell the network who plays, by rank and era, so that it can be asked for that."
)
@click.option(
    "--init",
    type=NetworkFile(),
    metavar="FILE",
    help="Begin with the weights of this network (or of b6c64 or b8c128, which ship); a value head, profiles, planes, "
    "blocks or channels (--preset) that it lacks begin afresh.",
)
@click.option(
    "--blend",
    type=FiniteRange(0, 1),
    default=1.0,
    show_default=True,
    metavar="SHARE",
    help="With --init: how much of the new weights the network gets, the rest being those it began with.",
)
@click.option(
    "--value-weight", type=FiniteRange(0), default=1.0, show_default=True,
    help="Weight of the winner's nats in the loss.",
)  # fmt: skip
@click.option(
    "--lead-weight", type=FiniteRange(0), default=0.5, show_default=True,
    help="Weight of the margin's error in the loss.",
)  # fmt: skip
@click.option(
    "--outcomes", multiple=True, type=click.Path(), metavar="STORE",
    help="With --value: games of which only the end is learned, not the moves, as of `gocnn selfplay`; repeatable.",
)  # fmt: skip
@click.option(
    "--outcomes-share",
    type=FiniteRange(0, 1, min_open=True, max_open=True),
    default=0.25,
    show_default=True,
    metavar="SHARE",
    help="Share of the positions that is drawn from these.",
)
@click.option(
    "--owners", multiple=True, type=click.Path(), metavar="FILE",
    help="With --value: learn who owned what at the end, too, from what `gocnn data owners` wrote; repeatable.",
)  # fmt: skip
@click.option(
    "--owner-weight", type=FiniteRange(0), default=1.5, show_default=True,
    help="Weight of the owners' nats in the loss.",
)  # fmt: skip
@click.option(
    "--owned-weight",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Draw games whose owners are known this many times as often.",
)
@click.option(
    "--teacher",
    type=NetworkFile(),
    metavar="FILE",
    help="Learn also which moves this network thinks likely: a larger one, or the one to begin with.",
)
@click.option(
    "--teacher-share",
    type=FiniteRange(0, 1, min_open=True),
    metavar="SHARE",
    help="How much of each move to learn is the teacher's opinion, the rest being the record's (default: 0.5).",
)
@click.option(
    "--minutes", type=FiniteRange(0, min_open=True), help="Budget: minutes of training, without tests and compiling."
)
@click.option("--positions", type=int, help="Budget: positions.")
@click.option("--batch", default=128, show_default=True, help="Positions a step, for each process.")
@click.option("--optimizer", type=click.Choice(["muon", "adamw"]), default="muon", show_default=True)
@click.option("--lr", type=FiniteRange(0), default=4e-3, show_default=True, help="Peak learning rate of AdamW.")
@click.option("--muon-lr", type=FiniteRange(0), default=4e-3, show_default=True, help="Peak learning rate of Muon.")
@click.option(
    "--decay",
    type=FiniteRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    metavar="SHARE",
    help="Share of the budget, at its end, over which the rates fall. Before it they hold, and --resume may be given "
    "another budget.",
)
@click.option("--weight-decay", type=FiniteRange(0), default=0.05, show_default=True)
@click.option(
    "--ema", type=FiniteRange(0, 1, max_open=True), default=0.998, show_default=True,
    help="Decay of the averaged weights.",
)  # fmt: skip
@click.option("--seed", default=0, show_default=True)
@click.option("--precision", type=click.Choice(["auto", "bf16", "fp32"]), default="auto", show_default=True)
@click.option("--compile/--no-compile", default=False, help="Compile the network first (a minute or two; then faster).")
@click.option("--device", default=None, help="cuda, cuda:1, mps or cpu; by default the best there is.")
@click.option(
    "--validate-minutes", type=FiniteRange(0), default=5.0, show_default=True, help="Minutes between validations."
)
@click.option(
    "--validate-positions", type=click.IntRange(1), default=8192, show_default=True,
    help="Positions of a validation, drawn once at random.",
)  # fmt: skip
@click.option(
    "--checkpoint-minutes", type=FiniteRange(0), default=3.0, show_default=True,
    help="Minutes between checkpoints, the first being written after the first step.",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with the run in the folder, exactly where it stood.")
def main(
    data: tuple[str, ...], val: tuple[str, ...], out: Path, preset: str | None, planes: str | None,
    stem: str | None, pool: bool, size: int,
    years: tuple[int, int] | None, value: bool, profiles: bool, init: str | None, blend: float,
    value_weight: float, lead_weight: float, outcomes: tuple[str, ...],
    outcomes_share: float, owners: tuple[str, ...], owner_weight: float, owned_weight: int, teacher: str | None,
    teacher_share: float | None, minutes: float | None, positions: int | None, batch: int, optimizer: str,
    lr: float, muon_lr: float, decay: float, weight_decay: float, ema: float, seed: int, precision: str, compile: bool,
    device: str | None, validate_minutes: float, validate_positions: int, checkpoint_minutes: float, resume: bool,
) -> None:  # fmt: skip
    """Train a network to predict the moves of the games in a store, and with --value who wins them.

    The folder then holds network.safetensors (the averaged weights), log.csv, curves.png and the checkpoint to resume
    from. Ctrl-C saves them all before it stops.
    """
    import torch

    from gocnn import examination, policy, training
    from gocnn.device import precision as dtype_of
    from gocnn.device import processes
    from gocnn.evaluator import Evaluator
    from gocnn.journal import COUNTS, LEARNED
    from gocnn.teacher import Taught, check_fit
    from sgf_data.lessons import choose, named

    with _told(out):
        if (minutes is None) == (positions is None):
            raise click.UsageError("a budget is needed: either --minutes or --positions")
        if blend < 1 and not init:
            raise click.UsageError("--blend needs --init")
        if init and (stem or pool):
            raise click.UsageError("--init brings its own network: leave --stem and --pool out")
        if owned_weight > 1 and not owners:
            raise click.UsageError("--owned-weight needs --owners")
        if teacher_share and not teacher:
            raise click.UsageError("--teacher-share needs --teacher")
        initial = policy.load(init) if init else None
        network = _network_of(initial, preset, planes, stem, pool, size, value, profiles)
        if (owners or outcomes) and not network.value:
            raise click.UsageError(f"--{'owners' if owners else 'outcomes'} needs --value")
        instructor = policy.load(teacher) if teacher else None
        if instructor:
            with named(str(teacher)):
                check_fit(instructor.config, network, size)
        config = training.TrainingConfig(
            minutes=minutes, samples=positions, batch=batch, optimizer=optimizer, lr=lr, muon_lr=muon_lr,
            decay=decay, weight_decay=weight_decay, ema=ema, seed=seed, precision=precision, compile=compile,
            checkpoint_minutes=checkpoint_minutes, validate_minutes=validate_minutes,
        )  # fmt: skip
        lessons = choose(network, data, val, size, years, outcomes, outcomes_share, owners, owned_weight, seed)
        model = policy.build(network, seed)
        if initial:
            with named(str(init)):
                policy.take_weights(model, initial)
        share = teacher_share or 0.5
        identity = _identity(
            network, lessons, init, owners, teacher, teacher_share=share, outcomes_share=outcomes_share,
            value_weight=value_weight, lead_weight=lead_weight, owner_weight=owner_weight, owned_weight=owned_weight,
        )  # fmt: skip
        loss = _loss(network, value_weight, lead_weight, owner_weight)
        out.mkdir(parents=True, exist_ok=True)
        with processes(device) as process:
            drawn = lessons.drawn
            if instructor:
                # It works in a thread beside the training, which Apple's GPU does not stand.
                where = torch.device("cpu") if process.device.type == "mps" else process.device
                drawn = Taught(drawn, network, Evaluator(instructor, where, dtype_of(precision, where)), share)
            run = training.Run(out, model, config, process, loss=loss, identity=identity)
            run.begin(resume)
            if process.is_first:
                weights = sum(p.numel() for p in run.model.parameters())
                click.echo(
                    f"{network.label}: {weights:,} weights, {len(lessons.test.plane_set)} planes. "
                    f"{lessons.in_words(validate_positions)} "
                    + (f"{share:.0%} of each move is by {teacher}. " if teacher else "")
                    + f"{process.device}, {str(run.dtype).removeprefix('torch.')}.",
                    err=True,
                )

            def validate(model: nn.Module) -> dict[str, float]:
                judge = Evaluator(cast(policy.Policy, model), process.device, run.dtype)
                how: dict[str, Any] = {"count": validate_positions, "profiles": network.profiles}
                # The first samples are those that it learned from first, so that a gap to the others is overfitting.
                learned = examination.examine(judge, lessons.games, **how).metrics()
                known = {f"{LEARNED}{name}": value for name, value in learned.items() if name not in COUNTS}
                return examination.examine(judge, lessons.test, **how).metrics() | known

            def save(metrics: dict[str, float], **more: float) -> None:
                card = {
                    "training": identity | more, "samples": run.samples, "seconds": run.progress.seconds,
                    "metrics": metrics,
                }  # fmt: skip
                policy.save(out / "network.safetensors", network, run.ema.module, card)

            try:
                metrics = run.train(drawn, validate)
            except training.Interrupted:
                if process.is_first:
                    save({})  # it can be played with as it is
                process.wait()
                raise
            if process.is_first:
                if initial and blend < 1:
                    policy.blend(cast(policy.Policy, run.ema.module), initial, blend)
                    save(validate(run.ema.module), blend=blend)
                else:
                    save(metrics)
                click.echo(f"{out / 'network.safetensors'}: the trained network", err=True)


def _network_of(
    initial: Policy | None, preset: str | None, planes: str | None, stem: str | None, pool: bool, size: int,
    value: bool, profiles: bool,
) -> PolicyConfig:  # fmt: skip
    """The network that the options ask for, or that it begins with and what they add. Raises ValueError, UsageError."""
    from gocnn import policy

    network = policy.preset(preset or "b6c64", planes, size)
    if initial:
        own = initial.config
        shape = network if preset else own
        if shape.kind != own.kind or shape.blocks < own.blocks or shape.channels < own.channels:
            raise click.UsageError(
                f"the network of --init is {own.label}: --preset may add blocks and channels, not take any away or "
                "make it one of another kind"
            )
        network = replace(own, kind=shape.kind, blocks=shape.blocks, channels=shape.channels)
    return replace(
        network, planes=planes or network.planes, value=value or network.value, pool=pool or network.pool,
        profiles=profiles or network.profiles, stem=int(stem) if stem else network.stem,
    )  # fmt: skip


def _identity(
    network: PolicyConfig, lessons: Lessons, init: str | None, owners: Sequence[str], teacher: str | None, *,
    teacher_share: float, outcomes_share: float, value_weight: float, lead_weight: float, owner_weight: float,
    owned_weight: int,
) -> dict[str, Any]:  # fmt: skip
    """What is trained and on what: what a run that is resumed must have the same. Raises OSError."""
    from gocnn.checkpoint import signature
    from sgf_data.lessons import hash_of, hash_of_labels

    games, ended = lessons.games, lessons.ended
    identity: dict[str, Any] = {
        "network": network.to_dict(), "games": len(games.games), "positions": len(games), "data": hash_of(games),
        "val": hash_of(lessons.test),
    }  # fmt: skip
    if network.value or network.profiles:
        identity["labels"] = hash_of_labels(games, lessons.test, *([ended] if ended is not None else []))
    if ended is not None:
        identity |= {"outcomes": hash_of(ended), "outcomes_share": outcomes_share}
    if network.value:
        identity |= {"value_weight": value_weight, "lead_weight": lead_weight}
    if init:
        identity |= {"init": signature(init)}
    if owners:
        known = "+".join(map(signature, owners))
        identity |= {"owners": known, "owner_weight": owner_weight, "owned_weight": owned_weight}
    if teacher:
        identity |= {"teacher": signature(teacher), "teacher_share": teacher_share}
    return identity


@contextmanager
def _told(out: Path) -> Iterator[None]:
    """Say in a line what went wrong, where something can be done about it, or how to go on with a run that stopped."""
    from gocnn.training import Interrupted

    try:
        yield
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    except (MemoryError, RuntimeError) as error:
        remedy = _remedy(error)
        if remedy is None:
            raise
        reason = (str(error).strip() or "no reason given").splitlines()[0]
        raise click.ClickException(f"{remedy}: {reason}") from error
    except Interrupted:
        click.echo(f"stopped; everything is saved: add --resume to go on ({out})", err=True)
        sys.exit(130)


def _remedy(error: Exception) -> str | None:
    """What to do about an error of the machine's or the compiler's; None for one that should not have happened."""
    import torch

    if isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "DefaultCPUAllocator" in str(error):
        return "not enough memory, so try a smaller --batch"
    if type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
        return "the network can't be compiled, so leave --compile out"
    return None


def _loss(network: PolicyConfig, value_weight: float, lead_weight: float, owner_weight: float) -> Loss:
    """What a network with these heads is trained to make small."""
    from gocnn import targets, training

    loss: Loss = training.cross_entropy
    if network.value:
        loss = targets.policy_and_value_loss(value_weight, lead_weight, owner_weight)
    return targets.informed(loss) if network.profiles else loss


if __name__ == "__main__":
    main()
