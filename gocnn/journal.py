"""What a training run tells: a progress bar, a CSV log, and a picture of the curves."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from gocnn.atomic import write_atomically

#: Begins the names of metrics of samples that the network has learned from; the others are of held-out ones.
LEARNED = "learned_"

RUN = ("step", "samples", "seconds", "lr", "loss")  # what a row says of the run; the rest are metrics
COUNTS = ("tested", "judged")  # metrics that say of how many samples the others are


class Journal:
    """The reports of one run; a context. Rows of `log.csv` from beyond `step`, where the run resumes, are dropped."""

    def __init__(self, folder: Path, step: int, *, enabled: bool = True) -> None:
        self.folder, self.enabled = folder, enabled
        self._rows = [row for row in _read(folder / "log.csv") if int(row["step"]) <= step]
        self._console = Console(stderr=True)
        self._started: tuple[int, float] | None = None
        self._bar = Progress(
            TextColumn("training"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rate]:.0f} samples/s  loss {task.fields[loss]:.3f}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not (enabled and self._console.is_terminal),
        )
        self._task = self._bar.add_task("training", total=1.0, rate=0.0, loss=float("nan"))

    @property
    def last_step(self) -> int:
        """The step of the last row of the log; -1 if there is none."""
        return int(self._rows[-1]["step"]) if self._rows else -1

    @property
    def last_metrics(self) -> dict[str, float]:
        """What the last row says of tests; nothing if there is none."""
        row = self._rows[-1] if self._rows else {}
        return {name: float(value) for name, value in row.items() if name not in RUN and value}

    def __enter__(self) -> Journal:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):  # the terminal may be gone, which must not hide why the run ends
            self._bar.stop()

    def show(self, share: float, samples: int, seconds: float, loss: float) -> None:
        """Move the progress bar: `share` of the budget done (0 to 1)."""
        if self._started is None:
            self._started = samples, seconds
        before, since = self._started
        rate = (samples - before) / (seconds - since) if seconds > since else 0.0
        self._bar.update(self._task, completed=share, rate=rate, loss=loss)

    def record(
        self, step: int, samples: int, seconds: float, lr: float, loss: float, metrics: dict[str, float]
    ) -> None:
        """Add a row to the log, draw the curves anew and print a line."""
        row = {**dict(zip(RUN, (step, samples, round(seconds, 1), lr, loss))), **metrics}
        self._rows.append({key: str(value) for key, value in row.items()})
        if not self.enabled:
            return
        try:
            self._write_log()
            draw_curves(self._rows, self.folder / "curves.png")
        except OSError as error:  # such as a file that a spreadsheet holds open: no reason to stop a run
            told = f"{self.folder}: log and curves are not written: {error}"
            self._console.print(told, markup=False, highlight=False, soft_wrap=True)
        shown = {key: value for key, value in metrics.items() if key not in COUNTS and not key.startswith(LEARNED)}
        told = "  ".join(f"{key} {value:.4f}" for key, value in shown.items())
        line = f"{seconds / 60:6.1f} min  {samples:,} samples  loss {loss:.4f}  {told}"
        self._console.print(line, highlight=False, soft_wrap=True)

    def _write_log(self) -> None:
        names = list(dict.fromkeys(name for row in self._rows for name in row))
        lines = [",".join(names)] + [",".join(row.get(name, "") for name in names) for row in self._rows]
        write_atomically(self.folder / "log.csv", ("\n".join(lines) + "\n").encode())


def _read(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, restval=""))
    for row in rows:
        row.pop(None, None)  # what a row has more than the first
    if not all((row.get("step") or "").isdigit() for row in rows):
        raise ValueError(f"{path}: not the log of a run (its rows have no step); move it away")
    return rows


def draw_curves(rows: Sequence[Mapping[str, str]], picture: Path) -> None:
    """Draw the log of a run as a PNG: nats, shares of right answers, and the nats of the winner if they are there.

    What the network makes of samples that it has learned from, where the log has it, is drawn with dashes.
    """
    from matplotlib.figure import Figure

    latest = rows[-1] if rows else {}
    at = [float(row.get("samples") or "nan") for row in rows]
    # A loss is comparable to the cross-entropy of tests only where it is one itself.
    panels = [("cross-entropy (nats)", ("cross_entropy", f"{LEARNED}cross_entropy")), ("accuracy", ("top1", "top5"))]
    if not latest.get(f"{LEARNED}cross_entropy"):
        panels[0] = ("training loss and validation cross-entropy (nats)", ("loss", "cross_entropy"))
    if latest.get("winner_nats"):
        panels.append(("cross-entropy of the winner (nats)", ("winner_nats", f"{LEARNED}winner_nats")))
    figure = Figure(figsize=(5 * len(panels), 4), layout="constrained")
    for axes, (title, names) in zip(figure.subplots(1, len(panels)), panels, strict=True):
        for name in names:
            if latest.get(name):
                values = [float(row.get(name) or "nan") for row in rows]
                label = f"{name.removeprefix(LEARNED).replace('_', '-')}{', learned from' * name.startswith(LEARNED)}"
                axes.plot(at, values, marker=".", linestyle="--" if name.startswith(LEARNED) else "-", label=label)
        axes.set(title=title, xlabel="samples")
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend()
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=100)
    write_atomically(picture, drawn.getvalue())
