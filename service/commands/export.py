"""`polychrony export`: a trained network as files of another program."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table

from model.datasets import SpikeDataset, load_splits
from model.export import (
    FORMATS,
    Bundle,
    ExportError,
    Grid,
    Resolution,
    bundle_of,
    export,
    quantized,
    resolutions,
)
from model.fields import no_such
from model.network.cohort import Cohort
from service.config.sweep import data_for
from service.errors import Fault, SweepError, UserError
from service.record.schema import values_of
from service.results.sweep import Sweep
from service.storage.paths import StoragePath

GRID = {"delay_step": float, "max_delay": float, "bits": int}
"""What `--quantize` knows, and the type of its values."""
Asked = dict[str, list[float]]


def export_network(
    name: str,
    runs: StoragePath,
    format: str,
    folder: Path,
    console: Console,
    *,
    replicate: int = 0,
    samples: int = 20,
    quantize: str | None = None,
    expand: bool = False,
) -> None:
    """Write network `replicate` of the trial `NAME/TRIAL` into `folder`, in a format of `FORMATS`.

    Args:
        name: the trial.
        runs: the folder of sweeps.
        format: one of `FORMATS`.
        folder: new, or empty.
        console: where to say what was written.
        replicate: which network of the trial.
        samples: held-out samples that go along, where the format has them.
        quantize: a grid that delays and weights are rounded to, see `read_grid`; None: they stay as they are.
        expand: for NIR: whether what it cannot hold is brought in, see `model.export.nir`.

    Raises:
        UserError: if there is no such trial, network or format, or one cannot hold the other.
        SweepError: if the network's file is damaged, or the folder cannot be written.
    """
    asked = None if quantize is None else read_grid(quantize)
    if format not in FORMATS:
        raise UserError([Fault("export", "--format", no_such("format", format, FORMATS))])
    net, part, data = _trial(name, runs)
    if not 0 <= replicate < net.replicates:
        fault = f"got {replicate}, expected one from 0 to {net.replicates - 1}: {name} has {net.replicates}"
        raise UserError([Fault("export", "--replicate", fault)])
    if samples < 1:
        raise UserError([Fault("export", "--samples", f"got {samples}, expected at least 1")])
    bundle = bundle_of(net, replicate, data, samples, expand=expand)
    found: list[Resolution] = []
    if asked is not None:
        bundle, found = _on_grid(bundle, asked, data)
    try:
        files = export(bundle, format, folder)
        if found:
            (folder / "resolutions.csv").write_text(_as_csv(found))
            files.append(folder / "resolutions.csv")
    except ExportError as error:
        raise UserError([Fault("export", f"--format {format}", str(error))]) from error
    except OSError as error:
        raise SweepError(f"{folder}: can't be written ({error.strerror or error})") from error
    if found:
        console.print(_as_table(found, part, len(data)), highlight=False)
    told = f"{name}, replicate {replicate}: {len(files)} file{'s' * (len(files) != 1)} in {folder}"
    console.print(told, highlight=False, soft_wrap=True)


def read_grid(text: str) -> Asked:
    """The values of `--quantize`: `bits=8/6/4,delay_step=1/2,max_delay=60`, each name at most once.

    Raises UserError for what is none of these.
    """
    found: Asked = {}
    try:
        for part in text.split(","):
            key, _, values = part.strip().partition("=")
            if key not in GRID:
                raise ValueError(no_such("value of a grid", key, GRID))
            if key in found:
                raise ValueError(f"`{key}` is given twice")
            found[key] = [_number(key, value) for value in values.split("/")]
        if len(found.get("max_delay", ())) > 1:
            raise ValueError("`max_delay` has one value")
        for key, numbers in found.items():
            for number in numbers:
                _ = Grid(**{key: number})  # type: ignore[arg-type]  # raises unless it is legal
    except ValueError as error:
        fault = f"{str(error).removeprefix('Grid: ')}; an example is bits=8/6/4,delay_step=1/2,max_delay=60"
        raise UserError([Fault("export", "--quantize", fault)]) from error
    return found


def _number(key: str, text: str) -> float:
    kind: type[float] = GRID[key]
    try:
        return kind(text)
    except ValueError:
        noun = "a whole number" if GRID[key] is int else "a number"
        raise ValueError(f"`{key}`: got {text!r}, expected {noun}") from None


def _trial(name: str, runs: StoragePath) -> tuple[Cohort, str, SpikeDataset]:
    """The networks of a trial, and the samples that they were not trained on, with the name of that part."""
    sweep_name, _, number = name.rpartition("/")
    if not sweep_name or not number.isdecimal():
        raise UserError([Fault("export", name, "expected NAME/TRIAL, such as quickstart/17")])
    sweep = Sweep(runs / sweep_name)
    rows = sweep.arrow("trials", pc.field("trial") == int(number)).to_pylist()
    if not rows:
        raise UserError([Fault("export", name, f"there is no such trial in {sweep.folder}")])
    net, spec = sweep.network(int(number)), sweep.spec
    try:
        part, data = load_splits(data_for(spec, values_of(rows[0], spec.space))).held_out
        net.check_data(data)
    except (OSError, ValueError) as error:
        fault = f"the samples that go along can't be read: {error}"
        raise UserError([Fault("export", "data", fault)]) from error
    return net, part, data


def _on_grid(bundle: Bundle, asked: Asked, data: SpikeDataset) -> tuple[Bundle, list[Resolution]]:
    """The bundle on the first grid that is asked for, and how the network answers on all of them."""
    steps: list[float | None] = [*asked.get("delay_step", [])] or [None]
    bits: list[int | None] = [int(number) for number in asked.get("bits", [])]
    bits = bits or [None]
    greatest = next(iter(asked.get("max_delay", [])), None)
    try:
        found = resolutions(bundle.network, data, steps, bits, greatest)
    except ValueError as error:
        raise UserError([Fault("export", "--quantize", str(error).removeprefix("Grid: "))]) from error
    as_it_is = Resolution(Grid(), bundle.network.accuracy(data), 1.0)
    return bundle.of_network(quantized(bundle.network, found[0].grid)), [as_it_is, *found]


def _as_table(found: Sequence[Resolution], part: str, size: int) -> Table:
    table = Table(
        box=None, pad_edge=False, title=f"accuracy on {size} samples ({part})", title_justify="left"
    )
    for title in ("bits", "delay step (ms)", "greatest delay (ms)", "accuracy", "same answers"):
        table.add_column(title, justify="right")
    for one in found:
        table.add_row(*_told(one))
    return table


def _as_csv(found: Sequence[Resolution]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["bits", "delay_step", "max_delay", "accuracy", "same_answers"])
    for one in found:
        writer.writerow([one.grid.bits, one.grid.delay_step, one.grid.max_delay, one.accuracy, one.agreement])
    return text.getvalue()


def _told(one: Resolution) -> list[str]:
    values = (one.grid.bits, one.grid.delay_step, one.grid.max_delay)
    shares = [f"{share:.1%}" for share in (one.accuracy, one.agreement)]
    return ["-" if value is None else f"{value:g}" for value in values] + shares
