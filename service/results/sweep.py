"""A sweep that was run or is running, for reading: `Sweep("runs/wiring").table("trials")`."""

from collections.abc import Sequence
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from search.objectives import Objective, metrics_needed
from service.config.load import load
from service.config.sweep import SweepSpec
from service.errors import Fault, SweepError, UserError
from service.record.elites import archive_options
from service.record.leaders import DECIDING, counted_trials, front_trials
from service.record.lineage import Stage, schedule, stages
from service.record.parts import part_path, read_table, table_schema
from service.record.plan import Plan
from service.record.planned import planned_trial
from service.record.provenance import read_environments
from service.record.schema import column_of
from service.record.where import parse_where
from service.results.archive import archive_columns, archive_rows, archive_statistics
from service.results.plots import Plots
from service.storage.layout import network_file, plan_file, sweep_file, sweep_folders, trials_with_networks
from service.storage.paths import StoragePath, list_folder, parse_path

if TYPE_CHECKING:
    import pandas as pd

    from model import Cohort
    from search.evolution.archive import Statistics


class Sweep:
    """The sweep in `folder`, which may be a URL. Reads what is there at the time of the call.

    Raises UserError if there is no sweep in `folder`, naming those beside it.
    """

    def __init__(self, folder: str | StoragePath) -> None:
        self.folder = parse_path(folder)
        if not sweep_file(self.folder).is_file():
            beside = [one.name for one in sweep_folders(self.folder.absolute().parent)]
            cure = f"sweeps there: {', '.join(beside)}" if beside else "nor is there any other; run one first"
            raise UserError([Fault(str(self.folder), "sweep", f"there is none here; {cure}")])

    @property
    def name(self) -> str:
        """The sweep's name."""
        return self.folder.absolute().name

    @property
    def started(self) -> bool:
        """Whether there are tables."""
        return part_path(self.folder / "tables" / "trials", 0).exists()

    @property
    def spec(self) -> SweepSpec:
        """What was asked. Raises SweepError if the record of it is damaged."""
        path = sweep_file(self.folder)
        try:
            return _spec_of(path, path.read_bytes())
        except UserError as error:
            fault = error.faults[0]
            raise SweepError(
                f"{path}: the record of what was asked can't be used ({fault.field}: {fault.message}); "
                "restore the file from a copy"
            ) from error

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What the sweep searches for."""
        return self.spec.objectives

    @property
    def searched(self) -> list[str]:
        """Columns of `trials` that hold the searched fields."""
        return [column_of(path) for path in self.spec.space.paths]

    @property
    def plan(self) -> Plan:
        """The trials that were begun, and how long the sweep has run. Raises SweepError if it is damaged."""
        return Plan(plan_file(self.folder), writable=False)

    def environment(self, trial: int) -> dict[str, Any]:
        """Under what a trial was run: versions of all packages, machine; see `service.record.provenance`.

        Raises:
            UserError: if there is no such trial, or it is of a version that did not keep this.
            SweepError: if the file of environments is damaged.
        """
        found = self.arrow("trials", pc.field("trial") == trial)
        number = (
            found["environment"][0].as_py() if "environment" in found.column_names and len(found) else None
        )
        known = read_environments(self.folder)
        if number is None or number >= len(known):
            raise UserError([Fault(str(self.folder), f"trial {trial}", "its environment is not recorded")])
        return known[int(number)]

    def network(self, trial: int) -> "Cohort":
        """The trained networks of a trial.

        Raises:
            UserError: if there are none: the trial is not finished, came to nothing, or others lead.
            SweepError: if their file is damaged.
        """
        from model.network.checkpoint import CheckpointError, unpack

        path = network_file(self.folder, trial)
        if not path.is_file():
            kept = trials_with_networks(self.folder)
            cure = (
                f"networks are kept of {len(kept)} trials, such as {sorted(kept)[:5]}"
                if kept
                else "there are none yet"
            )
            raise UserError([Fault(str(self.folder), f"trial {trial}", f"has no networks; {cure}")])
        try:
            return unpack(path.read_bytes())[0]
        except CheckpointError as error:
            raise SweepError(f"{path}: {error}; restore the file from a copy") from error

    def table(self, name: str) -> "pd.DataFrame":
        """A table as a data frame; positions are lists of D floats.

        Raises:
            UserError: if there is no such table.
            SweepError: if a file of it is damaged or not ours.
        """
        return frame_of(self.arrow(name))

    def arrow(
        self, name: str, where: str | pc.Expression | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """The rows of a table for which `where` holds, such as `accuracy > 0.9 and state == "complete"`.

        Raises as `table`, and UserError also if `where` can't be read or a column does not exist.
        """
        folder = self._folder_of(name)
        schema = table_schema(folder)
        unknown = [column for column in columns or () if column not in schema.names]
        if unknown:
            raise UserError(
                [
                    Fault(name, column, f"is no column; columns are {', '.join(schema.names)}")
                    for column in unknown
                ]
            )
        expression = parse_where(where, schema) if isinstance(where, str) else where
        return read_table(folder, columns, expression)

    def front(self) -> "pd.DataFrame":
        """The rows of `trials` on the Pareto front: within the constraints, and dominated by no other.

        Only trials that count are compared; see `counted`.
        """
        front = front_trials(self.deciding_rows(), self.spec.objectives, self.spec.constraints)
        return self._rows_of([row["trial"] for row in front])

    def best(self) -> "pd.DataFrame":
        """The Pareto front in short, the best by the first objective before the others.

        Its columns are `trial`, the searched fields, and each objective with its standard error. With one
        objective there is one row; there is none while no trial is complete within the constraints.
        """
        first = self.objectives[0]
        front = self.front().sort_values(first.metric, ascending=first.goal == "min", ignore_index=True)
        errors = [name for one in self.objectives for name in (one.metric, f"{one.metric}_sem")]
        names: list[str] = ["trial", *self.searched, *errors]
        return front[[name for name in dict.fromkeys(names) if name in front]]

    @property
    def plot(self) -> Plots:
        """Interactive figures: `plot.front()`, `plot.course()`, `plot.parallel()`."""
        return Plots(self)

    def __repr__(self) -> str:
        return f"Sweep({str(self.folder)!r})"

    def _repr_html_(self) -> str:
        """For notebooks: the Pareto front as a table."""
        if not self.started:
            return f"<p>{escape(repr(self))}: not started</p>"
        best = self.best()
        return f"<p>{escape(repr(self))}: {len(best)} on the front</p>{best.to_html(index=False)}"

    def counted(self) -> "pd.DataFrame":
        """The rows of `trials` that count: complete ones, each configuration once.

        Duplicates are left out, and a leader that was run again with more seeds stands for the trial that
        led.
        """
        return self._rows_of([row["trial"] for row in counted_trials(self.deciding_rows())])

    def lineage(self, trial: int) -> "pd.DataFrame":
        """The schedule by which the networks of a trial were trained, from the founder of its lineage on.

        A row a trial: `trial`, `from_epoch` and `to_epoch`, between which it was trained on the way, the
        `move` it was born by, all searched fields, and `dimensions` and `hidden` where moves changed them.

        Raises:
            UserError: if there is no such trial.
            SweepError: if a file of the sweep is damaged.
        """
        import pandas as pd

        return pd.DataFrame(schedule(self.spec, self.stages(trial)))

    def archive(self, remeasured: bool = False) -> "pd.DataFrame":
        """The elites of a sweep with `search.evolution.archive`, a row each, cell by cell.

        Columns are the cell along each measure, from 0 (`<measure>_cell`), `trial`, the objective, the
        measures, `epochs` that its lineage has trained, `generation` and `parent`. With `remeasured` it is
        the archive of the elites alone, as new seeds have measured them: none before they have.

        Raises:
            UserError: if the sweep has no archive, or has not started.
            SweepError: if a file of the sweep is damaged.
        """
        import pandas as pd

        rows = archive_rows(self.spec, self.arrow("trials").to_pylist(), remeasured)
        return pd.DataFrame(rows, columns=archive_columns(self.spec))

    def archive_statistics(self, remeasured: bool = False) -> "Statistics":
        """How much of the archive is filled, and how well, in the words of pyribs; raises as `archive`."""
        return archive_statistics(self.spec, self.arrow("trials").to_pylist(), remeasured)

    def stages(self, trial: int) -> list[Stage]:
        """The lineage of a trial as it was planned; of one that was run again with more seeds, its leader's.

        Raises as `lineage`.
        """
        rows = {row["trial"]: row for row in self.arrow("trials").to_pylist()}
        begun = {number: planned_trial(row, self.spec.space) for number, row in rows.items()}
        begun |= {one.trial: one for one in self.plan.begun}
        if trial not in begun:
            raise UserError([Fault(str(self.folder), f"trial {trial}", "there is no such trial")])
        one, last = begun[trial], rows[trial]["epochs"] if trial in rows else None
        if last is None:
            epochs = self.arrow("epochs", pc.field("trial") == trial, ["epoch"])["epoch"].to_pylist()
            last = max(epochs, default=0)
        return stages(begun, one.parent if one.has_more_seeds and one.parent is not None else trial, last)

    def deciding_rows(self) -> list[dict[str, Any]]:
        """Rows of `trials` with the columns that say whether a trial counts, leads, and what it has used."""
        known = table_schema(self._folder_of("trials")).names
        wanted = {*DECIDING, *metrics_needed(self.spec.objectives, self.spec.constraints)}
        if (archive := archive_options(self.spec)) is not None:
            wanted |= {"silent", *archive.measures}
        rows: list[dict[str, Any]] = self.arrow("trials", None, [n for n in known if n in wanted]).to_pylist()
        return rows

    def _rows_of(self, trials: Sequence[int]) -> "pd.DataFrame":
        """The rows of these trials, in the order of the record."""
        return frame_of(self.arrow("trials", pc.field("trial").isin(pa.array(trials, pa.int64()))))

    def _folder_of(self, name: str) -> StoragePath:
        tables = list_folder(self.folder / "tables")
        known = [one.name for one in tables if part_path(one, 0).exists()]
        if name not in known:
            cure = (
                f"tables are {', '.join(known)}" if known else "the sweep has not started yet; run it first"
            )
            raise UserError([Fault(str(self.folder), name, f"there is no such table; {cure}")])
        return self.folder / "tables" / name


@lru_cache(maxsize=64)
def _spec_of(path: StoragePath, content: bytes) -> SweepSpec:
    """The sweep of the file at `path`, read once as long as its content does not change."""
    return load(path, elsewhere=True)


def frame_of(table: pa.Table) -> "pd.DataFrame":
    """A table as a data frame, with lists as lists."""
    import pandas as pd

    frame: pd.DataFrame = table.to_pandas()
    for field in table.schema:
        if pa.types.is_list(field.type):
            frame[field.name] = pd.Series(table[field.name].to_pylist(), index=frame.index, dtype=object)
    return frame
