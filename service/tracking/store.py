"""One sweep in an MLflow store: a run for the sweep, and one below it for each trial. Every call waits."""

import json
import logging
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from model.datasets import DataConfig
from service.config.changes import without_budgets
from service.config.sweep import SweepSpec, dump
from service.storage.atomic import write_whole
from service.storage.linking import put_all
from service.storage.paths import StoragePath
from service.tracking.client import client_of
from service.tracking.location import artifacts_of, embedded_store, tracking_uri
from service.tracking.moved import follow_move
from service.tracking.outbox import Point
from service.tracking.runs import BRED_FROM, ID, PARENT, STATE, STATUS, TRIAL, find_runs, hang_below
from service.tracking.saved_view import LONGEST_TAG, NOTE_TAG, offer_view

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

INTERRUPTED = "interrupted"
"""The state of a trial that is not finished, in a sweep that does not run."""

SWEEP, REASON = "polychrony.sweep", "polychrony.reason"
ORIGIN = (
    *("config_hash", "code_version", "environment", "node", "cpu", "data_digest", "dropped_spikes"),
    *("parent", "move", "birth_epoch", "generation", "replaces", BRED_FROM),
)
"""Columns of `trials` that are tags of a trial, too, and the run of its parent."""
LONGEST_DIGEST, BATCH_METRICS = 36, 1000
KIND = "mlflow.experimentKind"
"""What MLflow takes an experiment for; its UI may ignore the tag, see `service.tracking.saved_view`."""


def sweep_id_file(sweep_folder: StoragePath) -> StoragePath:
    """Where a sweep's identity is kept."""
    return sweep_folder / "mlflow-id"


def sweep_id(sweep_folder: StoragePath) -> str:
    """What tells this sweep from others of its name: a random text kept in its folder."""
    path = sweep_id_file(sweep_folder)
    if not path.exists():
        write_whole(path, uuid.uuid4().hex.encode())
    return path.read_text().strip()


class Store:
    """The runs of one sweep, found again by their tags."""

    def __init__(self, runs: StoragePath, spec: SweepSpec, identity: str) -> None:
        """Find or make the experiment and the sweep's own run.

        Args:
            runs: folder of the embedded store, which is used unless another is named; see `tracking_uri`.
            spec: the sweep.
            identity: see `sweep_id`.
        """
        uri = tracking_uri(runs, spec.mlflow.uri)
        if uri == embedded_store(runs):
            follow_move(runs)
        artifacts = artifacts_of(runs, uri)
        folder = artifacts and artifacts / spec.experiment
        self._client = client_of(uri)
        self._name, self._identity, self._data = spec.name, identity, spec.data
        self._experiment = self._find_experiment(spec.experiment, folder)
        self._logged: dict[int, dict[str, tuple[int, float]]] = {}
        found = find_runs(self._client, self._experiment, identity)
        self._parent = found[None].id if None in found else self._create(spec.name, {})
        hang_below(self._client, self._parent, found)
        trials = {trial: run for trial, run in found.items() if trial is not None}
        self._runs = {trial: run.id for trial, run in trials.items()}
        self._states = {trial: run.state for trial, run in trials.items()}
        self._describe(spec)

    @property
    def finished_trials(self) -> set[int]:
        """Trials of which everything is there."""
        return {trial for trial, state in self._states.items() if state in STATUS}

    def is_under_way(self, trial: int) -> bool:
        """Whether a trial has a run that is not finished.

        One whose run is gone for good has none, until all is told again from its start: a run made for what
        comes next would lack what came before.
        """
        return trial in self._runs and trial not in self.finished_trials

    def start(self, trial: int, params: Mapping[str, Any]) -> None:
        """Make the run of a trial, or take up the one that is there; a finished one stays as it is."""
        if trial in self.finished_trials:
            return
        if trial not in self._runs:
            tags = {TRIAL: str(trial), PARENT: self._parent}
            self._runs[trial] = self._create(f"{self._name}-{trial:04d}", tags)
            self._logged[trial] = {}
        run = self._runs[trial]
        self._client.update_run(run, "RUNNING")
        if self._states.get(trial) == INTERRUPTED:
            self._client.set_tag(run, STATE, "running")
        self._client.log_batch(run, params=_params(params))

    def log(self, trial: int, points: list[Point]) -> None:
        """Log metrics of a trial, less those that are there."""
        if not self.is_under_way(trial):
            return
        run = self._runs[trial]
        if trial not in self._logged:
            self._logged[trial] = self._last_values(run)
        for start in range(0, len(points), BATCH_METRICS):
            self._log_batch(run, points[start : start + BATCH_METRICS], self._logged[trial])

    def finish(
        self,
        trial: int,
        state: str,
        reason: str | None,
        points: list[Point],
        artifacts: Mapping[str, bytes | StoragePath],
        origin: Mapping[str, Any],
    ) -> None:
        """Log the last of a trial, and that it is finished: this comes last, and means that all is there.

        Args:
            trial: its number.
            state: how it ended.
            reason: why so, in words.
            points: its last metrics.
            artifacts: its files, by name.
            origin: its columns ORIGIN of `trials`, or those that are known.
        """
        if not self.is_under_way(trial):
            return
        self.add_artifacts(trial, artifacts)
        self.log(trial, points)
        run = self._runs[trial]
        bred_from = self._runs.get(origin.get("parent", -1))
        self._client.log_batch(run, tags=_tags({**origin, BRED_FROM: bred_from}))
        if digest := origin.get("data_digest"):
            self._client.log_inputs(run, [_dataset(self._data, digest)])
        if reason:
            self._client.set_tag(run, REASON, reason[:LONGEST_TAG])
        self._client.set_terminated(run, STATUS[state])
        self._client.set_tag(run, STATE, state)
        self._states[trial] = state
        self._logged.pop(trial, None)

    def add_artifacts(self, trial: int | None, artifacts: Mapping[str, bytes | StoragePath]) -> None:
        """Add files to the run of a trial (None: of the sweep) by name; one of the same name is replaced.

        Where MLflow keeps its files on this machine, those that are files already are linked there.
        """
        if not artifacts or (trial is not None and trial not in self._runs):
            return
        run = self._parent if trial is None else self._runs[trial]
        place = urlsplit(self._client.get_run(run).info.artifact_uri)
        if place.scheme == "file":
            put_all(artifacts, Path(unquote(place.path)))
            return
        with tempfile.TemporaryDirectory() as folder:
            put_all(artifacts, Path(folder))
            self._client.log_artifacts(run, folder)

    def note(self, text: str) -> None:
        """Describe the sweep in Markdown, on top of the page of its run."""
        self._client.set_tag(self._parent, NOTE_TAG, text[:LONGEST_TAG])

    def finish_sweep(self, state: str) -> None:
        """Log that the sweep is over; trials that are not finished run no more."""
        for trial in self._runs.keys() - self.finished_trials:
            self._client.set_tag(self._runs[trial], STATE, INTERRUPTED)
            self._client.set_terminated(self._runs[trial], "KILLED")
        self._client.set_tag(self._parent, STATE, state)
        self._client.set_terminated(self._parent, STATUS[state])

    def _find_experiment(self, name: str, artifacts: Path | None) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is None:
            place = artifacts.as_uri() if artifacts else None
            return self._client.create_experiment(name, place, tags={KIND: "custom_model_development"})
        if found.lifecycle_stage == "deleted":  # its name is taken as long as it lies in the bin
            logging.getLogger(__name__).warning(
                "MLflow: the experiment `%s` was deleted; it is restored", name
            )
            self._client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def _create(self, name: str, tags: Mapping[str, str]) -> str:
        ours = {SWEEP: self._name, ID: self._identity, STATE: "running", "mlflow.source.name": "polychrony"}
        run = self._client.create_run(self._experiment, tags={**ours, **tags}, run_name=name)
        return str(run.info.run_id)

    def _describe(self, spec: SweepSpec) -> None:
        sections = without_budgets(spec.resolved())
        params = {
            f"{section}.{key}": value
            for section, values in sections.items()
            if isinstance(values, Mapping)
            for key, value in values.items()
        }
        params |= {key: sections[key] for key in ("objectives", "constraints")}
        self._client.update_run(self._parent, "RUNNING")
        self._client.log_batch(self._parent, params=_params(params))
        self._client.set_tag(self._parent, STATE, "running")
        # Params can't be changed, and a sweep may be given more trials.
        self._client.set_tag(self._parent, "polychrony.trials", str(spec.search.trials))
        self._client.log_text(self._parent, dump(spec), "sweep.yaml")
        offer_view(self._client, self._experiment, spec)

    def _log_batch(self, run: str, points: list[Point], last: dict[str, tuple[int, float]]) -> None:
        from mlflow.entities import Metric

        # The store takes the same value at another time of day for another value.
        new = [p for p in points if p.step > last.get(p.key, (-1, 0.0))[0] or _differs(p, last[p.key])]
        if new:
            self._client.log_batch(run, [Metric(p.key, p.value, p.timestamp, p.step) for p in new])
        last.update({p.key: (p.step, p.value) for p in new})

    def _last_values(self, run: str) -> dict[str, tuple[int, float]]:
        """The last step of each metric of a run, and the value there."""
        last = {}
        for key in self._client.get_run(run).data.metrics:
            metric = max(self._client.get_metric_history(run, key), key=lambda m: (m.step, m.timestamp))
            last[key] = (metric.step, metric.value)
        return last


def _differs(point: Point, last: tuple[int, float]) -> bool:
    """Whether a point corrects the last one."""
    return point.step == last[0] and point.value != last[1]


def _params(values: Mapping[str, Any]) -> list[Any]:
    from mlflow.entities import Param

    return [Param(key, _text(value)) for key, value in values.items()]


def _tags(origin: Mapping[str, Any]) -> list[Any]:
    from mlflow.entities import RunTag

    known = {key: origin[key] for key in ORIGIN if origin.get(key) is not None}
    return [RunTag(f"polychrony.{key}", _text(value)) for key, value in known.items()]


def _dataset(data: DataConfig, digest: str) -> "DatasetInput":
    """The data of a trial; MLflow has room for the first digits of the digest, and the profile for all."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    source: Mapping[str, Any]
    if data.path is not None:
        name, kind, source = Path(data.path).name, "local", {"uri": data.path}
    else:
        name, kind = str(data.name), "code"
        source = {"tags": {"mlflow.source.name": f"model.load_dataset({name!r})"}}
    profile = json.dumps({"sha256": digest})
    dataset = Dataset(name, digest[:LONGEST_DIGEST], kind, json.dumps(source), profile=profile)
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def _text(value: Any) -> str:
    """A value as it would stand in a sweep file."""
    return value if isinstance(value, str) else json.dumps(value)
