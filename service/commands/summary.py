"""What a sweep has found, said at its end."""

import math
import shlex
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from service.results.sweep import Sweep
from service.storage.paths import StoragePath
from service.text import duration, redact
from service.tracking.location import embedded_store, tracking_uri

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 20
"""Rows of the Pareto front that are printed at most."""


def print_summary(folder: StoragePath, console: Console, seconds: float | None = None) -> None:
    """Print the Pareto front, where the tables are, how to look further, and how long this run took (s)."""
    sweep = Sweep(folder)
    trials, front = sweep.arrow("trials", columns=["state"]), sweep.front()
    counts = trials["state"].value_counts().to_pylist()
    states = ", ".join(f"{one['counts']} {one['values']}" for one in counts)
    took = "" if seconds is None else f"; this run took {duration(seconds)}"
    console.print(f"{sweep.name}: {states or 'no trial finished'}{took}", highlight=False)
    if len(front):
        front_table(sweep, front, console)
    runs = folder.parent
    console.print(f"tables:  {folder / 'tables'}", highlight=False, markup=False, soft_wrap=True)
    out = shlex.quote(str(runs))
    if len(front):
        report = f"polychrony report {shlex.quote(sweep.name)} --out {out}"
        console.print(f"report:  {report}", highlight=False, markup=False, soft_wrap=True)
    uri = tracking_uri(runs, sweep.spec.mlflow.uri)
    place = redact(uri)
    if uri == embedded_store(runs):
        place = f"polychrony ui --out {out}"
    console.print(f"MLflow:  {place}", highlight=False, markup=False, soft_wrap=True)


def front_table(sweep: Sweep, front: "pd.DataFrame", console: Console) -> None:
    """Print rows of the Pareto front, the objectives after the searched fields. Numbers are never cut.

    Where the terminal is too narrow, fields are left out from the right, then metrics that are no objectives.
    """
    objectives = [objective.metric for objective in sweep.objectives]
    front = front.sort_values(objectives[0])
    metrics = list(dict.fromkeys([*objectives, "accuracy", "test_accuracy"]))
    metrics = [name for name in metrics if name in front]
    cells = {name: [_short(v) for v in front[name].head(SHOWN)] for name in ["trial", *sweep.searched]}
    for name in metrics:
        pairs = front[[name, f"{name}_sem"]].head(SHOWN).itertuples(index=False)
        cells[name] = [_with_error(*pair) for pair in pairs]
    dropped: list[str] = []
    for name in [*reversed(sweep.searched), *(n for n in reversed(metrics) if n not in objectives)]:
        if sum(max(map(len, [column, *texts])) + 2 for column, texts in cells.items()) <= console.width:
            break
        dropped.insert(0, name)
        del cells[name]
    title = "Pareto front" if len(objectives) > 1 else "Best"
    if any("±" in text for texts in cells.values() for text in texts):
        title += " (± over replicates alone; the report adds samples)"
    console.print(title, style="italic", highlight=False)  # a table's own would be broken at its width
    table = Table(box=None, padding=(0, 1))
    for name in cells:
        table.add_column(name, justify="right", overflow="fold")
    for row in zip(*cells.values(), strict=True):
        table.add_row(*row)
    console.print(table)
    if len(front) > SHOWN:
        console.print(f"and {len(front) - SHOWN} more", highlight=False)
    if dropped:
        console.print(
            f"without room: {', '.join(dropped)}; see `polychrony table {sweep.name} trials --columns "
            f"trial,{','.join(dropped)}`",
            highlight=False,
        )


def _with_error(mean: float, sem: float) -> str:
    """A mean, with its standard error where there are replicates; nothing where it is not known."""
    if math.isnan(mean):
        return ""
    return f"{mean:.4g}" if math.isnan(sem) else f"{mean:.4g} ± {sem:.2g}"


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
