"""Where a sweep's numbers come from, for the top of its report."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from service.config.sweep import dump
from service.report.sweep_data import SweepData
from service.results.sweep import Sweep
from service.text import duration

if TYPE_CHECKING:
    import pandas as pd


def origin_of(sweep: Sweep, sweep_data: SweepData) -> list[tuple[str, str]]:
    """Data, search, training, code, machines and cost of a sweep, each with its name, in words."""
    spec, trials = sweep.spec, sweep.table("trials")
    kept = sweep_data.trials
    asked = spec.search
    lines = [
        ("data", str(spec.data.name or spec.data.path)),
        ("data, SHA-256", _all(trials, "data_digest", 16)),
        ("search", f"{asked.sampler}, seed {asked.seed}, {asked.trials} trials asked for"),
        ("training", f"{_range(kept['epochs'])} epochs, {_range(kept['replicates'])} networks a trial"),
        ("code", _all(trials, "code_version")),
        ("machines", f"{_all(trials, 'cpu')}; nodes: {_all(trials, 'node')}"),
        ("cost", f"{duration(float(trials['cpu_seconds'].sum()))} of processor time"),
        ("report", f"of {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
    ]
    return [(name, value) for name, value in lines if value]


def sweep_file_of(sweep: Sweep) -> str:
    """The sweep file, with all defaults."""
    return dump(sweep.spec)


def _all(trials: "pd.DataFrame", column: str, letters: int | None = None) -> str:
    """All different values of a column, in the order in which they appear; nothing if there is none."""
    values = [*trials[column].dropna().unique()] if column in trials else []
    return ", ".join(str(value)[:letters] for value in values)


def _range(values: "pd.Series[int]") -> str:
    low, high = values.min(), values.max()
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
