"""Train a network on game stores: the recipes of the project.

python train.py --data games.arrow --val pro-2022.arrow --preset b6c64 --minutes 60 -o runs/first
torchrun --nproc-per-node 2 train.py --data games.arrow ...
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import cast

import click

import gocnn  # noqa: F401  # before torch: it says how torch's threads wait
from gocnn.options import FiniteRange, YearRange

EXAMPLES = """
\b
Examples:
  gocnn data build my-games/ -o games.arrow
  gocnn train --data games.arrow --minutes 60 -o runs/mine
  gocnn train --data games.arrow --minutes 60 -o runs/mine --resume
  gocnn train --data pro.arrow --val pro-2022.arrow --years 2011-2021 --compile --minutes 600 -o runs/pro
  gocnn train --data pro.arrow --value --init runs/pro/network.safetensors --lr 1e-3 --muon-lr 1e-3 \
      --minutes 60 -o runs/value
  torchrun --nproc-per-node 2 train.py --data games.arrow --positions 10000000 -o runs/gpus
"""


@click.command(epilog=EXAMPLES)
@click.option(
    "--data", "data", multiple=True, required=True, type=click.Path(), help="Game store to learn from; repeatable."
)
@click.option(
    "--val",
    "val",
    multiple=True,
    type=click.Path(),
    help="Game store to test on. Its games are never trained on. Without it, one game in fifty is held out.",
)
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
    "start_from",
    type=click.Path(),
    metavar="FILE",
    help="Begin with the weights of this network; a value head, profiles or planes that it lacks begin afresh.",
)
@click.option(
    "--blend",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    metavar="SHARE",
    help="With --init: how much of the new weights the network gets, the rest being those it began with.",
)
@click.option("--value-weight", default=1.0, show_default=True, help="Weight of the winner's nats in the loss.")
@click.option("--lead-weight", default=0.5, show_default=True, help="Weight of the margin's error in the loss.")
@click.option(
    "--outcomes",
    multiple=True,
    type=click.Path(),
    metavar="STORE",
    help="With --value: games of which only the end is learned, not the moves, as of `gocnn selfplay`; repeatable.",
)
@click.option(
    "--outcomes-share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.25,
    show_default=True,
    metavar="SHARE",
    help="Share of the positions that is drawn from these.",
)
@click.option(
    "--owners",
    multiple=True,
    type=click.Path(),
    metavar="FILE",
    help="With --value: learn who owned what at the end, too, from what `gocnn data owners` wrote; repeatable.",
)
@click.option("--owner-weight", default=1.5, show_default=True, help="Weight of the owners' nats in the loss.")
@click.option(
    "--owned-weight",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Draw games whose owners are known this many times as often.",
)
@click.option("--minutes", type=FiniteRange(0, min_open=True), help="Budget: wall-clock minutes.")
@click.option("--positions", type=int, help="Budget: positions.")
@click.option("--batch", default=128, show_default=True, help="Positions a step, for each process.")
@click.option("--optimizer", type=click.Choice(["muon", "adamw"]), default="muon", show_default=True)
@click.option("--lr", default=4e-3, show_default=True, help="Peak learning rate of AdamW.")
@click.option("--muon-lr", default=4e-3, show_default=True, help="Peak learning rate of Muon.")
@click.option(
    "--decay",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    metavar="SHARE",
    help="Share of the budget, at its end, over which the rates fall. Before it they hold, and --resume may be given "
    "another budget.",
)
@click.option("--weight-decay", default=0.05, show_default=True)
@click.option("--ema", default=0.998, show_default=True, help="Decay of the averaged weights.")
@click.option("--seed", default=0, show_default=True)
@click.option("--precision", type=click.Choice(["auto", "bf16", "fp32"]), default="auto", show_default=True)
@click.option("--compile/--no-compile", default=False, help="Compile the network first (a minute or two; then faster).")
@click.option("--device", default=None, help="cuda, cuda:1, mps or cpu; by default the best there is.")
@click.option("--validate-minutes", default=5.0, show_default=True, help="Minutes between validations.")
@click.option(
    "--validate-positions",
    type=click.IntRange(1),
    default=8192,
    show_default=True,
    help="Positions of a validation, drawn once at random.",
)
@click.option("--checkpoint-minutes", default=3.0, show_default=True, help="Minutes between checkpoints.")
@click.option("--resume", is_flag=True, help="Go on with the run in the folder, exactly where it stood.")
def main(
    data: tuple[str, ...], val: tuple[str, ...], out: Path, preset: str | None, planes: str | None,
    stem: str | None, pool: bool, size: int,
    years: tuple[int, int] | None, value: bool, profiles: bool, start_from: str | None, blend: float,
    value_weight: float, lead_weight: float, outcomes: tuple[str, ...],
    outcomes_share: float, owners: tuple[str, ...], owner_weight: float, owned_weight: int,
    minutes: float | None, positions: int | None, batch: int, optimizer: str,
    lr: float, muon_lr: float, decay: float, weight_decay: float, ema: float, seed: int, precision: str, compile: bool,
    device: str | None, validate_minutes: float, validate_positions: int, checkpoint_minutes: float, resume: bool,
) -> None:  # fmt: skip
    """Train a network to predict the moves of the games in a store, and with --value who wins them.

    The folder then holds network.safetensors (the averaged weights), log.csv, curves.png and the checkpoint to resume
    from. Ctrl-C saves before it stops.
    """
    from torch import nn

    from gocnn import checkpoint, examination, policy, targets, training
    from gocnn.batches import Mixture, Source
    from gocnn.checkpoint import CheckpointError
    from gocnn.device import ranks
    from gocnn.evaluator import Evaluator
    from gocnn.go.planes import PLANE_SETS
    from gocnn.journal import COUNTS, LEARNED
    from sgf_data.dataset import Positions, Selection
    from sgf_data.owners import read as read_owners
    from sgf_data.store import StoreError, open_store

    try:
        if (minutes is None) == (positions is None):
            raise click.UsageError("a budget is needed: either --minutes or --positions")
        if blend < 1 and not start_from:
            raise click.UsageError("--blend needs --init")
        if start_from and (preset or stem or pool):
            raise click.UsageError("--init brings its own network: leave --preset, --stem and --pool out")
        first = policy.load(start_from) if start_from else None
        network = first.config if first else policy.preset(preset or "b6c64", planes, size)
        network = replace(
            network, planes=planes or network.planes, value=value or network.value, pool=pool or network.pool,
            profiles=profiles or network.profiles,
        )  # fmt: skip
        network = replace(network, stem=int(stem)) if stem else network
        if (owners or outcomes) and not network.value:
            raise click.UsageError(f"--{'owners' if owners else 'outcomes'} needs --value")
        if owned_weight > 1 and not owners:
            raise click.UsageError("--owned-weight needs --owners")
        config = training.TrainingConfig(
            minutes=minutes, samples=positions, batch=batch, optimizer=optimizer, lr=lr, muon_lr=muon_lr,
            decay=decay, weight_decay=weight_decay, ema=ema, seed=seed, precision=precision, compile=compile,
            checkpoint_minutes=checkpoint_minutes, validate_minutes=validate_minutes,
        )  # fmt: skip
        plane_set = PLANE_SETS[network.planes]
        games = open_store(data).moves()
        learn = Selection(size, years, None if val else (1, 50, False))
        held_out = open_store(val).moves() if val else games
        test_on = Selection(size, None if val else years, None if val else (1, 50, True))
        known = read_owners(*owners) if owners else None
        source = Positions(
            games, plane_set, learn, exclude=held_out.opening_key if val else None, outcomes=network.value,
            owners=known, owned_weight=owned_weight, profiles=network.profiles, seed=seed,
        )  # fmt: skip
        test = Positions(held_out, plane_set, test_on, augment=False, outcomes=network.value, profiles=network.profiles)
        drawn: Source = source
        ended = None
        if outcomes:
            ended = Positions(
                open_store(outcomes).moves(), plane_set, Selection(size),
                exclude=held_out.opening_key[test.games], outcomes=True, owners=known, profiles=network.profiles,
                moves=False, seed=seed,
            )  # fmt: skip
            drawn = Mixture(source, ended, outcomes_share)
        for path in owners:
            one = read_owners(path)
            if all((one.rows(part.table)[part.games] < 0).all() for part in (source, ended) if part):
                raise click.UsageError(f"{path}: none of the games to be learned from is in it")
        model = policy.build(network, seed)
        if first:
            policy.take_weights(model, first)
        loss = training.cross_entropy
        if network.value:
            loss = targets.policy_and_value_loss(value_weight, lead_weight, owner_weight)
        if network.profiles:
            loss = targets.informed(loss)
        out.mkdir(parents=True, exist_ok=True)
        with ranks(device) as here:
            keys = games.game_key[source.games].tobytes()
            identity = {
                "network": network.to_dict(), "games": len(source.games), "positions": len(source),
                "data": hashlib.sha256(keys).hexdigest()[:12],
            }  # fmt: skip
            if network.value:
                identity |= {"value_weight": value_weight, "lead_weight": lead_weight}
            if ended:
                keys = ended.table.game_key[ended.games].tobytes()
                identity |= {"outcomes": hashlib.sha256(keys).hexdigest()[:12], "outcomes_share": outcomes_share}
            if start_from:
                identity |= {"init": checkpoint.signature(start_from)}
            if owners:
                identity |= {
                    "owners": "+".join(map(checkpoint.signature, owners)),
                    "owner_weight": owner_weight, "owned_weight": owned_weight,
                }  # fmt: skip
            run = training.Run(out, model, config, here, loss=loss, identity=identity)
            if resume:
                run.resume()
            elif run.checkpoint_path.exists() or (out / "network.safetensors").exists():
                raise click.ClickException(
                    f"{out} holds a run already: add --resume to go on with it, or take another folder"
                )
            if here.is_first:
                weights = sum(p.numel() for p in run.model.parameters())
                click.echo(
                    f"b{network.blocks}c{network.channels}: {weights:,} weights, {len(plane_set)} planes. "
                    f"Learning from {len(source):,} positions of {len(source.games):,} games, "
                    + (f"and how {len(ended.games):,} others ended, " if ended else "")
                    + f"testing on {min(validate_positions, len(test)):,} of {len(test):,}. "
                    f"{here.device}, {str(run.dtype).removeprefix('torch.')}.",
                    err=True,
                )

            def validate(model: nn.Module) -> dict[str, float]:
                judge = Evaluator(cast(policy.Policy, model), here.device, run.dtype)
                tested = examination.examine(judge, test, count=validate_positions, profiles=network.profiles)
                # The first samples are those that it learned from first, so that a gap to the others is overfitting.
                learned = examination.examine(judge, source, count=validate_positions, profiles=network.profiles)
                known = {f"{LEARNED}{name}": value for name, value in learned.metrics().items() if name not in COUNTS}
                return tested.metrics() | known

            metrics = run.train(drawn, validate)
            if here.is_first:
                if first and blend < 1:
                    policy.blend(cast(policy.Policy, run.average.module), first, blend)
                    identity |= {"blend": blend}
                if blend < 1 or not metrics:  # a finished run that is resumed has tested nothing yet
                    metrics = validate(run.average.module)
                card = {
                    "training": identity,
                    "samples": run.samples,
                    "seconds": run.progress.seconds,
                    "metrics": metrics,
                }
                policy.save(out / "network.safetensors", network, run.average.module, card)
                click.echo(f"{out / 'network.safetensors'}: the trained network", err=True)
    except (ValueError, StoreError, CheckpointError, OSError) as error:
        raise click.ClickException(str(error)) from error
    except RuntimeError as error:
        if not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
            raise
        reason = str(error).strip().splitlines()[0]
        raise click.ClickException(f"the network can't be compiled, so leave --compile out: {reason}") from error
    except training.Interrupted:
        click.echo(f"stopped; everything is saved: add --resume to go on ({out})", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
