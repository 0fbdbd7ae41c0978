"""A sweep run from Python: `run_sweep({"name": "wiring", ...})`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.storage.layout import RUNS
from service.storage.paths import StoragePath, parse_path

if TYPE_CHECKING:
    from service.results.sweep import Sweep


def run_sweep(
    sweep: Mapping[str, Any] | str | Path,
    out: str | StoragePath = RUNS,
    *,
    overrides: Sequence[str] = (),
    address: str | None = None,
    quiet: bool = False,
) -> "Sweep":
    """Run a sweep to its end, or take it up where it stopped, and return it for reading.

    Args:
        sweep: the keys and values of a sweep file, or the path of one.
        out: folder of all sweeps.
        overrides: each `PATH=VALUE`, as for `--set`.
        address: of a running Ray cluster, HOST:PORT or `auto`; None: a Ray of this process's own.
        quiet: say nothing but what goes wrong.

    Raises:
        UserError: with every fault of the sweep, before anything is written.
        SweepError: if it could not go on; what is finished is kept.
    """
    from rich.console import Console

    from service.commands.run import run
    from service.config.load import load
    from service.results.sweep import Sweep

    runs = parse_path(out)
    console = Console(markup=False, emoji=False, quiet=quiet)
    source = dict(sweep) if isinstance(sweep, Mapping) else Path(sweep)
    run(source, runs, overrides, console, address)
    return Sweep(runs / load(source, overrides).name)
