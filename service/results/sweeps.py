"""All sweeps of a folder: their tables read together, and how each of them stands."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from service.ending import stopped_by
from service.errors import Fault, SweepError, UserError
from service.record.where import parse_where
from service.results.sweep import Sweep, frame_of
from service.storage.atomic import sweep_folders
from service.storage.lock import is_running
from service.storage.paths import Place, place, stored_at

if TYPE_CHECKING:
    import pandas as pd


class Sweeps:
    """The sweeps in the folder `runs`, in the order of their names.

    Raises UserError if there is none.
    """

    def __init__(self, runs: str | Place) -> None:
        self.sweeps = sweeps_in(place(runs))
        if not self.sweeps:
            raise UserError([Fault(str(runs), "sweeps", "there is none; run one first")])

    def table(self, name: str) -> "pd.DataFrame":
        """A table of all sweeps as a data frame; see `arrow`."""
        return frame_of(self.arrow(name))

    def arrow(self, name: str, where: str | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows of a table of all sweeps for which `where` holds, with their sweep in the first column.

        What a sweep has no column for is null in its rows. A sweep that has not started has no rows.

        Raises:
            UserError: if no sweep has such a table or column, `where` can't be read, or a column holds text
                in one sweep and numbers in another.
            SweepError: if a file is damaged.
        """
        started = [sweep for sweep in self.sweeps if sweep.started]
        tables = [_labelled(sweep, name) for sweep in started or self.sweeps[:1]]
        schema = _common_schema(name, started, [table.schema for table in tables])
        unknown = [column for column in columns or () if column not in schema.names]
        if unknown:
            raise UserError([Fault(name, unknown[0], f"is no column; columns are {', '.join(schema.names)}")])
        expression = None if where is None else parse_where(where, schema)
        found = []
        for table in tables:
            rows = pa.concat_tables([schema.empty_table(), table], promote_options="permissive")
            rows = rows if expression is None else rows.filter(expression)
            found.append(rows.select(list(columns)) if columns is not None else rows)
        return pa.concat_tables(found)


@dataclass(frozen=True)
class Standing:
    """How a sweep stands."""

    name: str
    state: str
    """running; finished: all trials that were asked for, or that a budget allows; unfinished; damaged."""
    states: dict[str, int]
    """Finished trials by state."""
    planned: int | None
    best: dict[str, float]
    """The best value of each objective, within the constraints; none without complete trials."""
    age: float
    """Time since it last changed (s)."""
    fault: str | None = None
    """Why its record can't be read."""
    stopped_by: str | None = None
    """The budget that has ended it, in words."""


def standing_of(sweep: Sweep) -> Standing:
    """How a sweep stands, also one whose record can't be read."""
    age = max(0.0, time.time() - _changed(sweep.folder))
    stopped = None
    try:
        states = _states(sweep)
        planned = sweep.planned
        state = "finished" if sum(states.values()) >= planned else "unfinished"
        best = _best(sweep) if states else {}
        if is_running(sweep.folder):
            state = "running"
        elif state == "unfinished" and (stopped := stopped_by(sweep)):
            state = "finished"
    except (SweepError, UserError) as error:
        return Standing(sweep.name, "damaged", {}, None, {}, age, str(error))
    return Standing(sweep.name, state, states, planned, best, age, stopped_by=stopped)


def sweeps_in(runs: Place) -> list[Sweep]:
    """The sweeps in a folder; none if there is no such folder."""
    return [Sweep(folder) for folder in sweep_folders(runs)]


def _labelled(sweep: Sweep, name: str) -> pa.Table:
    """A table of a sweep with the sweep's name in the first column."""
    rows = sweep.arrow(name)
    if "sweep" in rows.column_names:
        rows = rows.drop_columns(["sweep"])
    return rows.add_column(0, "sweep", pa.repeat(sweep.name, len(rows)))


def _common_schema(name: str, sweeps: Sequence[Sweep], schemas: Sequence[pa.Schema]) -> pa.Schema:
    """The columns of all sweeps together; whole numbers go with others."""
    common = schemas[0]
    for sweep, schema in zip(sweeps, schemas, strict=True):
        try:
            common = pa.unify_schemas([common, schema], promote_options="permissive")
        except pa.ArrowException as error:
            column = next(
                field.name
                for field in schema
                if field.name in common.names and field.type != common.field(field.name).type
            )
            kind, before = schema.field(column).type, common.field(column).type
            fault = f"holds {kind} in {sweep.name} and {before} in sweeps before it; read them one by one"
            raise UserError([Fault(name, column, fault)]) from error
    return common


def _states(sweep: Sweep) -> dict[str, int]:
    if not sweep.started:
        return {}
    counts = sweep.arrow("trials", columns=["state"])["state"].value_counts().to_pylist()
    return {one["values"]: one["counts"] for one in counts}


def _best(sweep: Sweep) -> dict[str, float]:
    front = sweep.front()
    found = {}
    for objective in sweep.objectives:
        values = front[objective.metric]
        best = float(values.max() if objective.goal == "max" else values.min())
        if not math.isnan(best):
            found[objective.metric] = best
    return found


def _changed(folder: Place) -> float:
    """When something was last recorded, in seconds since 1970."""
    recorded = (folder / "sweep.yaml", folder / "log.jsonl", folder / "tables")
    return max((one.changed for path in recorded for one in stored_at(path)), default=0.0)
