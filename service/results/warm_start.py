"""Trials of earlier sweeps, from which a new one may learn."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from search import Space, Value
from search.objectives import metrics_needed
from service.config.sweep import SweepSpec
from service.errors import SweepError, UserError
from service.record.leaders import counted_trials
from service.record.plan import WarmStartTrial, has_ancestors
from service.record.schema import values_of
from service.results.sweep import Sweep
from service.storage.paths import StoragePath, parse_path


def find_sources(spec: SweepSpec, runs: StoragePath) -> list[WarmStartTrial]:
    """The complete trials of the sweeps that `spec` starts from, as far as they are in its space.

    A field that an earlier sweep did not search has the value that was set there. An earlier sweep is named,
    in the folder `runs`, or given by the path or the URL of its folder.

    Raises:
        ValueError: if there is no such sweep, or none of its trials can be used; the text says which.
    """
    return [
        source for name in spec.search.warm_start for source in _of_sweep(spec, _folder(name, runs), name)
    ]


def _folder(name: str, runs: StoragePath) -> StoragePath:
    beside = runs / name
    return beside if "/" not in name or ("://" not in name and beside.exists()) else parse_path(name)


def _of_sweep(spec: SweepSpec, folder: StoragePath, name: str) -> list[WarmStartTrial]:
    try:
        sweep = Sweep(folder)
        rows = sweep.arrow("trials").to_pylist()
        earlier = sweep.spec
    except (UserError, SweepError) as error:
        raise ValueError(f"`{name}` can't be read ({error}); name a sweep in the same folder") from error
    space = spec.space.given(spec.fixed)
    metrics = metrics_needed(spec.objectives, spec.constraints)
    found = []
    for row in counted_trials(rows):
        if has_ancestors(row):  # what it has reached is its ancestors' doing, too
            continue
        values = _values(row, earlier, space)
        known = {metric: row[metric] for metric in metrics if row.get(metric) is not None}
        if space.fits(values) and len(known) == len(metrics) and all(map(isfinite, known.values())):
            found.append(WarmStartTrial(f"{name}/{row['trial']}", values, known))
    if not found:
        raise ValueError(
            f"`{name}` has {len(rows)} trials, and none is complete, no child of another, in this space and "
            "with these metrics; leave it out"
        )
    return found


def _values(row: Mapping[str, Any], earlier: SweepSpec, space: Space) -> dict[str, Value]:
    """The values that a trial of an earlier sweep has for the active fields of `space`."""
    values = earlier.fixed | values_of(row, earlier.space)
    return space.active({path: values[path] for path in space.paths if path in values})
