"""From reports to rows of the tables, and back."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from service.config.sweep import SweepSpec
from service.control.running_trial import RunningTrial
from service.record.plan import PlannedTrial
from service.record.schema import column_of
from service.version import code_version
from service.worker.task import Report, Task


def params_of(task: Task) -> dict[str, Any]:
    """All that a trial is given."""
    data = {f"data.{name}": value for name, value in asdict(task.data).items()}
    return asdict(task.learner) | data | {"seed": task.seed}


def row_of(
    spec: SweepSpec, running: RunningTrial, state: str, reason: str | None, epoch: int
) -> dict[str, Any]:
    """The row in `trials` of a trial that has run for `epoch` epochs."""
    begun, task = running.begun, running.task
    row = searched(spec, begun.suggestion.values)
    for name in running.latest.keys() - set(spec.changing):  # `trials` has a field as it was given
        mean, sem = running.latest[name]
        row |= {name: mean, f"{name}_sem": sem}
    config = {"learner": asdict(task.learner), "data": asdict(task.data)}
    return row | {
        "trial": task.trial,
        "state": state,
        "reason": reason,
        **origin_of(spec, begun, running.births, len(task.ancestry)),
        "replicates": task.learner.replicates,
        "epochs": epoch,
        "seconds": running.seconds,
        "seconds_sem": None,
        "sweep": spec.name,
        "seed": task.seed,
        "config_hash": hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest(),
        "code_version": code_version(),
        "environment": running.environment,
        **asdict(running.origin),
        "cpu_seconds": running.cpu_seconds,
        "gpu_seconds": running.seconds * spec.resources.gpus,
    }


def origin_of(
    spec: SweepSpec, begun: PlannedTrial, births: Mapping[str, Any], repeated: int = 0
) -> dict[str, Any]:
    """The columns that say where a trial comes from.

    Args:
        spec: the sweep.
        begun: the trial.
        births: what is known of its birth.
        repeated: births on the way to the leader that it runs again.
    """
    found: dict[str, Any] = {"parent": begun.parent, "move": begun.move}
    if spec.search.evolution:
        found["generation"] = repeated
    if begun.birth is not None:
        known = asdict(begun.birth)
        found |= {
            "birth_epoch": known.pop("epoch"),
            "generation": known.pop("generation"),
            "replaces": known.pop("replaces"),
            "move_values": json.dumps({**known, **births}),
        }
    return found


def row_of_none(spec: SweepSpec, begun: PlannedTrial, reason: str) -> dict[str, Any]:
    """The row in `trials` of a trial that can't be run at all."""
    return {
        **searched(spec, begun.suggestion.values),
        **origin_of(spec, begun, {}),
        "trial": begun.trial,
        "state": "failed",
        "reason": reason,
        "epochs": 0,
        "seconds": 0.0,
        "sweep": spec.name,
        "code_version": code_version(),
        "cpu_seconds": 0.0,
        "gpu_seconds": 0.0,
    }


def searched(spec: SweepSpec, values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of the searched fields, from values by path."""
    return {column_of(f.path): values.get(f.path) for f in spec.space.fields}


def epoch_rows(report: Report) -> list[dict[str, Any]]:
    """Rows of `epochs`, one a replicate."""
    replicates = len(next(iter(report.metrics.values()), ()))
    return [
        {"trial": report.trial, "replicate": r, "epoch": report.epoch}
        | {name: values[r] for name, values in report.metrics.items()}
        for r in range(replicates)
    ]
