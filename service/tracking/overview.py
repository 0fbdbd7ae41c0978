"""What the run of a sweep shows of all its trials: figures on the search as a whole, and the tables."""

import io

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

from service.errors import UserError
from service.figures.style import png
from service.record.schema import TABLES
from service.report.contents import overview
from service.report.items import Drawn
from service.report.sweep_data import read_sweep_data
from service.results.sweep import Sweep
from service.storage.paths import stored_files

NOTED = 20
"""Rows of the front in the description of a sweep."""
MOST_BYTES = 50_000_000
"""A table that is larger in its files is not copied to MLflow."""


def figures(sweep: Sweep) -> dict[str, bytes]:
    """The Pareto front (of one objective, the course of the search), importance and parallel coordinates.

    Of a population that evolved also what became of it.

    There are none while no trial is complete; those that can't be drawn are left out.
    """
    try:
        sweep_data = read_sweep_data(sweep)
    except UserError:
        return {}
    return {f"{item.name}.png": png(item.figure) for item in overview(sweep_data) if isinstance(item, Drawn)}


def tables(sweep: Sweep) -> dict[str, bytes]:
    """Every table that has rows as one Parquet file, and `trials` as CSV, which the UI shows as a table."""
    files = {}
    for name in TABLES:
        if sum(one.size for one in stored_files(sweep.folder / "tables" / name)) > MOST_BYTES:
            continue
        rows = sweep.arrow(name)
        if len(rows):
            files[f"tables/{name}.parquet"] = _parquet(rows)
        if name == "trials":
            files["tables/trials.csv"] = _csv(rows)
    return files


def description(sweep: Sweep) -> str:
    """What the sweep has found in Markdown: its objectives, and the Pareto front as a table."""
    goals = ", ".join(f"{one.metric} ({one.goal})" for one in sweep.objectives)
    best = sweep.best()
    lines = [
        f"Objectives: {goals}. {len(best)} trials are on the Pareto front.",
        "",
        f"| {' | '.join(best.columns)} |",
        f"|{'---|' * len(best.columns)}",
    ]
    for row in best.head(NOTED).itertuples(index=False):
        cells = [f"{value:.4g}" if isinstance(value, float) else str(value) for value in row]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"Folder: `{sweep.folder}`; report: `polychrony report {sweep.name}`"])


def _parquet(rows: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(rows, sink, compression="zstd")
    return sink.getvalue()


def _csv(rows: pa.Table) -> bytes:
    """The rows in the order of trials, without columns that hold nothing."""
    sink = io.BytesIO()
    known = [name for name in rows.column_names if rows[name].null_count < len(rows)]
    csv.write_csv(rows.select(known).sort_by("trial"), sink)
    return sink.getvalue()
