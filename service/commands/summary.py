"""What a sweep has found, said at its end."""

import math
import shlex

from rich.console import Console
from rich.table import Table

from service.results.sweep import Sweep
from service.storage.paths import StoragePath
from service.text import redact
from service.tracking.location import embedded_store, tracking_uri

SHOWN = 20
"""Rows of the Pareto front that are printed at most."""


def print_summary(folder: StoragePath, console: Console) -> None:
    """Print the Pareto front, where the tables are, and how to look further."""
    sweep = Sweep(folder)
    trials, front = sweep.arrow("trials", columns=["state"]), sweep.front()
    counts = trials["state"].value_counts().to_pylist()
    states = ", ".join(f"{one['counts']} {one['values']}" for one in counts)
    console.print(f"{sweep.name}: {states or 'no trial finished'}", highlight=False)
    objectives = [objective.metric for objective in sweep.objectives]
    if len(front):
        title = "Pareto front" if len(objectives) > 1 else "Best"
        front = front.sort_values(objectives[0])
        table = Table(title=title, title_justify="left", box=None, padding=(0, 1))
        shown = list(dict.fromkeys([*objectives, "accuracy", "test_accuracy"]))
        for name in ["trial", *sweep.searched, *shown]:
            table.add_column(name, justify="right", no_wrap=True)
        for _, row in front.head(SHOWN).iterrows():
            values = [_with_error(row[name], row[f"{name}_sem"]) for name in shown]
            table.add_row(str(row["trial"]), *[_short(row[name]) for name in sweep.searched], *values)
        console.print(table)
        if len(front) > SHOWN:
            console.print(f"and {len(front) - SHOWN} more", highlight=False)
    runs = folder.parent
    console.print(f"tables:  {folder / 'tables'}", highlight=False, markup=False, soft_wrap=True)
    uri = tracking_uri(runs, sweep.spec.mlflow.uri)
    place = redact(uri)
    if uri == embedded_store(runs):
        place = f"polychrony ui --out {shlex.quote(str(runs))}"
    console.print(f"MLflow:  {place}", highlight=False, markup=False, soft_wrap=True)


def _with_error(mean: float, sem: float) -> str:
    """A mean, with its standard error where there are replicates; nothing where it is not known."""
    if math.isnan(mean):
        return ""
    return f"{mean:.4g}" if math.isnan(sem) else f"{mean:.4g} ± {sem:.2g}"


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
