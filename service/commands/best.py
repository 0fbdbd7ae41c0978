"""`polychrony best`, `compare` and `show`: what sweeps have found, and one trial's configuration."""

import json
import math
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from service.commands.listing import best_text, trials_text
from service.commands.summary import front_table
from service.config.changes import difference
from service.config.yaml_text import write
from service.errors import Fault, UserError
from service.results.status import status_of
from service.results.sweep import Sweep
from service.results.trial_config import trial_config
from service.storage.paths import StoragePath

COMMON = ("name", "experiment")


def print_best(sweep: Sweep, console: Console, *, as_json: bool) -> None:
    """Print the Pareto front, or of one objective the best trial; perhaps as JSON, with null for NaN."""
    best = sweep.best()
    if as_json:
        rows = [
            {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
            for row in best.astype(object).to_dict("records")
        ]
        sys.stdout.write(json.dumps(rows, indent=2, default=str) + "\n")
    elif best.empty:
        console.print(f"{sweep.name}: no trial is complete within the constraints yet", highlight=False)
    else:
        front_table(sweep, best, console)


def compare(sweeps: Sequence[Sweep], console: Console) -> None:
    """Print how sweeps stand, what each has found, and in what the others differ from the first."""
    table = Table(box=None, pad_edge=False)
    for name in ("sweep", "trials", "best"):
        table.add_column(name, overflow="fold")
    for sweep in sweeps:
        one = status_of(sweep)
        table.add_row(one.name, trials_text(one), best_text(one) or one.fault or "none yet")
    console.print(table)
    first = {k: v for k, v in sweeps[0].spec.resolved().items() if k not in COMMON}
    for other in sweeps[1:]:
        asked = {k: v for k, v in other.spec.resolved().items() if k not in COMMON}
        changes = difference(first, asked)
        console.print(f"\n{sweeps[0].name} -> {other.name}: {len(changes)} differences", highlight=False)
        for change in changes:
            console.print(f"  {change}", highlight=False)


def show_trial(name: str, runs: StoragePath) -> None:
    """Print the configuration of the trial NAME/TRIAL as a sweep file that searches nothing.

    Raises UserError if there is no such trial.
    """
    sweep_name, _, number = name.rpartition("/")
    if not sweep_name or not number.isdecimal():
        raise UserError([Fault("show", name, "expected NAME/TRIAL, such as quickstart/17")])
    header = (
        f"# Trial {number} of the sweep `{sweep_name}`, with all defaults filled in. Other seeds than\n"
        f"# its own are drawn from it; `polychrony train --from {name}` repeats it to the digit.\n"
    )
    sys.stdout.write(header + write(trial_config(Sweep(runs / sweep_name), int(number))))
