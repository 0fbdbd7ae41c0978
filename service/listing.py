"""`polychrony list`: the sweeps of a folder, a line each."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from service.sweeps import Standing, standing_of, sweeps_in

_UNITS = ((2 * 86_400, 86_400, "days"), (3600, 3600, "h"), (60, 60, "min"), (0, 1, "s"))
"""From when on a unit is used (s), how long it is (s), and its name."""


def print_list(runs: Path, console: Console) -> None:
    """Print how each sweep in the folder `runs` stands, the latest first."""
    standings = sorted(map(standing_of, sweeps_in(runs)), key=lambda one: one.age)
    if not standings:
        console.print(f"no sweeps in {runs}", highlight=False, soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False)
    for name in ("sweep", "state", "trials", "best", "last change"):
        table.add_column(name)
    for one in standings:
        best = ", ".join(f"{metric} {value:.4g}" for metric, value in one.best.items())
        table.add_row(one.name, one.state, _trials(one), best, f"{age_text(one.age)} ago")
    console.print(table)
    for one in standings:
        if one.fault is not None:
            console.print(one.fault, highlight=False, markup=False, soft_wrap=True)


def age_text(seconds: float) -> str:
    """A duration in its largest unit.

    >>> [age_text(s) for s in (0.4, 59.0, 3600.0, 100_000.0, 1e6)]
    ['0 s', '59 s', '1 h', '27 h', '11 days']
    """
    _, unit, name = next(one for one in _UNITS if seconds >= one[0])
    return f"{int(seconds // unit)} {name}"


def _trials(one: Standing) -> str:
    """Finished trials by state, out of those asked for."""
    states = ", ".join(f"{count} {state}" for state, count in sorted(one.states.items()))
    return f"{states or 'none'} of {one.planned}" if one.planned is not None else ""
