"""A sweep's results as a report needs them."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from model.datasets import DataConfig
from model.topology import MEASURES
from search import Objective
from service.errors import Fault, UserError
from service.record.plan import has_ancestors
from service.report.archive import Archive, read_archive
from service.report.lineages import Evolved, read_evolved
from service.results.sweep import Sweep

FEW = 12
"""A field with no more values than these has each of them on an axis; of others ranges are pooled."""
CONDITIONS = ("embedding", "wiring_power", "cost_on")
"""Fields that make a network spatial or not: where they were searched they give curves their colours."""
MOST_GROUPS = 7
SUFFIXES = ("_ratio", "_z", "_p")


@dataclass(frozen=True)
class SweepData:
    """The complete trials of a sweep, each once: no duplicates, no leader that was run again."""

    name: str
    planned: int | None
    """Trials that were asked for; None of a population that evolves."""
    states: dict[str, int]
    """Finished trials by state."""
    objectives: Sequence[Objective]
    fields: Sequence[str]
    """Searched fields that differ between complete trials."""
    trials: pd.DataFrame
    """A row a trial, as in the table `trials`, with its `group`."""
    front: Sequence[int]
    """Trials on the Pareto front."""
    networks: pd.DataFrame
    """A row a trial and replicate: the fields, metrics of the last epoch, measures, `parameters`, `group`."""
    epochs: pd.DataFrame
    """The table `epochs` of these trials, with the fields and `group`."""
    course: pd.DataFrame
    """The table `topology` of these trials at all epochs, with the fields and `group`."""
    pruning: pd.DataFrame
    """The table `pruning` of these trials, with the fields and `group`; no rows if it was not asked for."""
    delay_graph: pd.DataFrame
    """The table `delay_graph` of the same; no rows if it was not asked for."""
    data: DataConfig
    """What the networks were trained and tested with."""
    lesions: pd.DataFrame
    """The table `lesions` of these trials, with the fields and `group`; no rows if it was not asked for."""
    archive: Archive | None
    """The elites; None where the sweep has no archive."""
    evolved: Evolved | None
    """All members of the population, where one evolves."""
    x: str | None
    """The field on the axis of curves; None if no number was searched."""
    grouped_by: Sequence[str]
    """The fields that `group` is made of, none if there is one group."""

    @property
    def finished(self) -> int:
        """Trials that are over, however they ended."""
        return sum(self.states.values())

    @property
    def progress(self) -> str:
        """How far the sweep is, in words. Leaders that run again come on top of what was asked for."""
        of = f" of {self.planned}" if self.planned and self.finished < self.planned else ""
        return f"{self.finished}{of} trials are finished"

    @property
    def explained(self) -> "pd.Series[bool]":
        """Which of `trials` have trained with their fields all along: no children, nor lineages run again."""
        births = self.trials.get("generation", pd.Series(0, self.trials.index))  # earlier versions had none
        return births.map(lambda count: not has_ancestors({"generation": count})).astype(bool)

    @property
    def outcomes(self) -> list[str]:
        """What was measured: objectives, main metrics, measures, as far as there are values."""
        wanted = [o.metric for o in self.objectives]
        wanted += ["accuracy", "test_accuracy", "sparsity", "wiring_length", "rate", *MEASURES]
        return [name for name in dict.fromkeys(wanted) if self.has(name)]

    def has(self, column: str) -> bool:
        """Whether any network has a value there."""
        return column in self.networks and bool(self.networks[column].notna().any())


def read_sweep_data(sweep: Sweep) -> SweepData:
    """Read a sweep, finished or not.

    Raises UserError if no trial is complete.
    """
    trials = sweep.table("trials")
    states = {str(state): int(count) for state, count in trials["state"].value_counts().items()}
    results = sweep.counted().sort_values("trial", ignore_index=True)
    if results.empty:
        said = ", ".join(f"{count} {state}" for state, count in states.items()) or "none is finished"
        fault = f"there is nothing to report, no trial is complete ({said}); wait for one"
        raise UserError([Fault(str(sweep.folder), "trials", fault)])
    fields = [name for name in sweep.searched if results[name].nunique(dropna=False) > 1]
    grouped_by, x = _layout(results, fields)
    results = results.assign(group=_groups(results, grouped_by))
    own = results[["trial", "parameters", "group", *sweep.searched]]
    epochs = sweep.table("epochs")
    # A field that training changes stands for the trial as it was given.
    epochs = epochs.drop(columns=epochs.columns.intersection(sweep.searched)).merge(own, on="trial")
    course = sweep.table("topology").merge(own, on="trial")
    front = sweep.front()["trial"]
    return SweepData(
        name=sweep.name,
        planned=None if sweep.spec.open_ended else sweep.spec.planned,
        states=states,
        objectives=sweep.objectives,
        fields=fields,
        trials=results,
        front=front[front.isin(results["trial"])].tolist(),
        networks=_networks(epochs, course),
        epochs=epochs,
        course=course,
        pruning=_on_request(sweep, "pruning").merge(own, on="trial"),
        delay_graph=_on_request(sweep, "delay_graph").merge(own, on="trial"),
        lesions=_on_request(sweep, "lesions").merge(own, on="trial"),
        evolved=read_evolved(sweep),
        data=sweep.spec.data,
        archive=read_archive(sweep),
        x=x,
        grouped_by=grouped_by,
    )


def _on_request(sweep: Sweep, table: str) -> pd.DataFrame:
    """A table that a sweep of an earlier version may not have."""
    try:
        return sweep.table(table)
    except UserError:
        return pd.DataFrame({"trial": pd.Series(dtype=int)})


def _layout(results: pd.DataFrame, fields: Sequence[str]) -> tuple[list[str], str | None]:
    """The fields that make groups, and the one on the axis of curves."""
    # A number that one kind of trial alone has, and always the same, is no axis.
    numbers = [name for name in fields if is_number(results[name]) and results[name].nunique() > 1]
    by_variety = sorted(numbers, key=lambda name: -results[name].nunique())
    x = "wiring_cost" if "wiring_cost" in numbers else next(iter(by_variety), None)
    grouped_by: list[str] = []
    for name in CONDITIONS:
        if (
            name in fields
            and name != x
            and len(results.groupby([*grouped_by, name], dropna=False)) <= MOST_GROUPS
        ):
            grouped_by.append(name)
    if not grouped_by:
        others = [name for name in fields if name != x and results[name].nunique() <= MOST_GROUPS]
        grouped_by = others[:1]
    return grouped_by, x


def _groups(results: pd.DataFrame, grouped_by: Sequence[str]) -> list[str]:
    """The group of every trial, in words."""
    rows = results[list(grouped_by)].to_dict("records")
    return [
        ", ".join(words(str(name), value) for name, value in row.items() if not pd.isna(value))
        or "all trials"
        for row in rows
    ]


def _networks(epochs: pd.DataFrame, course: pd.DataFrame) -> pd.DataFrame:
    keys = ["trial", "replicate"]
    last = epochs.sort_values("epoch").groupby(keys, as_index=False).tail(1)
    measured = course.sort_values("epoch").groupby(keys, as_index=False).tail(1)
    names = [n for n in map(str, measured.columns) if n in MEASURES or n.endswith(SUFFIXES)]
    return last.merge(measured[[*keys, *names]], on=keys, how="left").sort_values(keys, ignore_index=True)


def is_number(values: "pd.Series[float]") -> bool:
    """Whether a column holds numbers, not names nor yes and no."""
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def words(field: str, value: object) -> str:
    """A field with its value.

    >>> words("embedding", "space"), words("dimensions", 2.0)
    ('embedding space', 'dimensions 2')
    """
    return f"{field.replace('_', ' ')} {as_text(value)}"


def as_text(value: object) -> str:
    """A value of a field."""
    return f"{value:g}" if isinstance(value, float) else str(value)
