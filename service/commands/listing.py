"""`polychrony list`: the sweeps of a folder, a line each."""

import json
import sys

from rich.console import Console
from rich.table import Table

from service.record.leaders import extremes_text
from service.results.status import SweepStatus, status_of
from service.results.sweeps import sweeps_in
from service.storage.paths import StoragePath
from service.text import age_text


def print_list(runs: StoragePath, console: Console, *, as_json: bool = False) -> None:
    """Print how each sweep in the folder `runs` stands, the latest first; perhaps as JSON."""
    statuses = sorted(map(status_of, sweeps_in(runs)), key=lambda one: one.age)
    if as_json:
        sys.stdout.write(json.dumps([one.plain() for one in statuses], indent=2) + "\n")
        return
    if not statuses:
        console.print(f"no sweeps in {runs}", highlight=False, soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False)
    for name in ("sweep", "state", "trials", "best", "last change"):
        table.add_column(name)
    for one in statuses:
        table.add_row(one.name, one.state, trials_text(one), best_text(one), f"{age_text(one.age)} ago")
    console.print(table)
    for one in statuses:
        if said := one.fault or (one.exhausted_budget and f"{one.name} has stopped: {one.exhausted_budget}"):
            console.print(said, highlight=False, markup=False, soft_wrap=True)


def trials_text(one: SweepStatus) -> str:
    """Finished trials by state, out of those asked for, if it is known how many there are to be.

    Leaders and elites that are run again with more seeds come on top of those; then that number is left out.
    """
    if one.fault is not None:
        return ""
    states = ", ".join(f"{count} {state}" for state, count in sorted(one.states.items()))
    more = one.planned is None or sum(one.states.values()) > one.planned
    return states or "none" if more else f"{states or 'none'} of {one.planned}"


def best_text(one: SweepStatus) -> str:
    """The best that it has found of each objective, and in which trials."""
    return extremes_text(one.best)
