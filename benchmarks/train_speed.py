"""How fast a network trains here: the loop on real data against the same step on one fixed batch, against torch's own
convolutions and normalisation where ours are compiled, and against the processor's matrix products.

    python benchmarks/train_speed.py games.arrow --preset b6c64 --compile
    OMP_NUM_THREADS=1 torchrun --nproc-per-node 2 benchmarks/train_speed.py games.arrow --preset b8c128 --compile

Of several processes the sums are printed; their matrix products are measured at the same time.
"""

from __future__ import annotations

import gocnn  # noqa: F401  # isort: skip  # before torch: it says how torch's threads wait

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import torch
from torch.utils.flop_counter import FlopCounterMode

from gocnn import policy, training
from gocnn.batches import Prefetcher, as_inputs
from gocnn.compiled import left_out
from gocnn.device import Process, keep_memory, precision, processes
from gocnn.go.planes import PLANE_SETS
from sgf_data.dataset import Positions
from sgf_data.store import StoreError, open_store


def matmul_peak(device: torch.device, dtype: torch.dtype, n: int = 2048) -> float:
    """TFLOP/s of square matrix products."""
    a = torch.rand(n, n, device=device, dtype=dtype)
    a @ a
    seconds = [timed(lambda: a @ a, device) for _ in range(10)]
    return 2 * n**3 / statistics.median(seconds) / 1e12


BLOCK = 10  # steps of one kind in a row
WAITING = 5  # batches that may have been drawn while other steps ran, and cost nothing


def timed(work: Callable[[], object], device: torch.device) -> float:
    """Seconds that `work` takes, with all that it has queued on the device."""
    began = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began


@click.command()
@click.argument("stores", nargs=-1, required=True)
@click.option("--preset", default="b6c64", show_default=True)
@click.option("--batch", default=128, show_default=True)
@click.option("--steps", default=40, show_default=True, help="Steps of each kind.")
@click.option("--compile", "compiled", is_flag=True, help="Compile the network.")
def main(stores: tuple[str, ...], preset: str, batch: int, steps: int, compiled: bool) -> None:
    """Measure how fast a network learns from STORES."""
    with processes() as place:
        measure(place, stores, preset, batch, steps, compiled)


def measure(place: Process, stores: tuple[str, ...], preset: str, batch: int, steps: int, compiled: bool) -> None:
    """Train for some steps of each kind, and print their speeds from the first process."""
    device = place.device
    dtype = precision("auto", device)
    config = policy.preset(preset)
    ours = device.type == "cpu"  # in bfloat16 the normalisation alone
    keep_memory()
    try:
        positions = Positions(open_store(stores).moves(), PLANE_SETS[config.planes])
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    settings = training.TrainingConfig(samples=10**9, batch=batch, compile=compiled)
    with tempfile.TemporaryDirectory() as folder:
        run = training.Run(Path(folder), policy.build(config), settings, place)
    with Prefetcher(positions, place.rank * batch, batch, place.world * batch, device) as batches:
        fixed = batches.next()
        with left_out(), FlopCounterMode(display=False) as counter:  # it does not know compiled code
            policy.build(config).to(device)(as_inputs(fixed[0]))
        flops = 3 * counter.get_total_flops()  # forward, and twice that backward
        for _ in range(3):
            run.step(*fixed)  # compiles and warms up
        on_fixed, on_data, in_torch = [], [], []
        for _ in range(-(-steps // BLOCK)):  # in turn, so that a drifting machine drifts for all
            on_fixed += [timed(lambda: run.step(*fixed), device) for _ in range(BLOCK)]
            for _ in range(WAITING):
                run.step(*batches.next())
            on_data += [timed(lambda: run.step(*batches.next()), device) for _ in range(BLOCK)]
            if ours:
                with left_out():
                    in_torch += [timed(lambda: run.step(*fixed), device) for _ in range(BLOCK)]
    fixed_step, data_step = place.mean(statistics.median(on_fixed)), place.mean(statistics.median(on_data))
    torch_step = place.mean(statistics.median(in_torch)) if ours else 0.0
    peak = place.mean(matmul_peak(device, dtype)) * place.world
    if not place.is_first:
        return
    of_a_step = batch * place.world
    speed = place.world * flops / data_step / 1e12
    print(f"{preset} on {device}, {str(dtype).removeprefix('torch.')}, compiled: {compiled}, processes: {place.world}")
    print(f"fixed batch: {of_a_step / fixed_step:,.0f} positions/s")
    print(f"real data:   {of_a_step / data_step:,.0f} positions/s, {fixed_step / data_step:.1%} of that")
    if ours:
        print(f"torch's own: {of_a_step / torch_step:,.0f} positions/s; ours: {torch_step / fixed_step:.2f} times that")
    print(f"{speed:.2f} TFLOP/s, {speed / peak:.0%} of the {peak:.2f} TFLOP/s of a 2048 x 2048 matrix product")


if __name__ == "__main__":
    main()
