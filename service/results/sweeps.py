"""All sweeps of a folder: their tables read together, and how each of them stands."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from service.errors import Fault, UserError
from service.record.where import parse_where
from service.results.sweep import Sweep, frame_of
from service.storage.layout import sweep_folders
from service.storage.paths import StoragePath, parse_path

if TYPE_CHECKING:
    import pandas as pd


class Sweeps:
    """The sweeps in the folder `runs`, in the order of their names.

    Raises UserError if there is none.
    """

    def __init__(self, runs: str | StoragePath) -> None:
        self.sweeps = sweeps_in(parse_path(runs))
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


def sweeps_in(runs: StoragePath) -> list[Sweep]:
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


def sweeps_named(names: Sequence[str], runs: StoragePath) -> list[Sweep]:
    """The sweeps of these names in the folder `runs`.

    Raises UserError, with all that are none: a sweep is named as `polychrony list` does, not by a path.
    """
    known = {sweep.name: sweep for sweep in sweeps_in(runs)}
    cure = f"sweeps there: {', '.join(known)}" if known else "there is none at all"
    missing = [name for name in names if name not in known]
    faults = [Fault(str(runs), name, f"there is no such sweep; {cure}") for name in missing]
    if faults:
        raise UserError(faults)
    return [known[name] for name in dict.fromkeys(names)]
