"""A sweep in Optuna's terms, for its plots and dashboard, or to be copied to a storage of its own."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from search import Constraint, Objective
from search.objectives import metrics_needed
from search.optuna_trials import directions, parameters, violations
from search.space import Space
from service.config.metrics import METRICS
from service.record.rows import finished_trial
from service.record.schema import column_of, values_of
from service.results.sweep import Sweep

_STATES = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED}
"""Optuna's state for each of ours; all others are FAIL."""


def optuna_study(sweep: Sweep) -> optuna.Study:
    """The trials of a sweep as a study in memory, by number; what runs now is RUNNING.

    A trial has its searched fields by path, the values of the objectives, the violations of the constraints
    and, as user attributes, what else its row in `trials` holds. With one objective it has the course of
    that by epoch, too.

    Raises SweepError if a file of the sweep is damaged.
    """
    objectives = sweep.objectives
    study = optuna.create_study(study_name=sweep.name, directions=directions(objectives))
    study.set_user_attr("objectives", [one.metric for one in objectives])
    courses = _courses(sweep, objectives) if sweep.started else {}
    make = _Maker(sweep.spec.space, objectives, sweep.spec.constraints)
    found = {row["trial"]: make.finished(row, courses.get(row["trial"], {})) for row in _rows(sweep)}
    for one in sweep.plan.begun:
        if one.trial not in found:
            found[one.trial] = make.running(one.trial, one.suggestion.values)
    study.add_trials([found[trial] for trial in sorted(found)])
    return study


class _Maker:
    """Makes trials of Optuna's."""

    def __init__(
        self, space: Space, objectives: Sequence[Objective], constraints: Sequence[Constraint]
    ) -> None:
        self._space, self._objectives, self._constraints = space, objectives, constraints
        self._metrics = {*METRICS, *metrics_needed(objectives, constraints)}
        self._columns = {column_of(field.path) for field in space.fields}

    def finished(self, row: Mapping[str, Any], course: dict[int, float]) -> FrozenTrial:
        """The trial of a row of `trials`."""
        means = finished_trial(row, self._metrics).means
        metrics = {name: mean for name, mean in means.items() if isfinite(mean)}
        state = _STATES.get(row["state"], TrialState.FAIL)
        values = [metrics[one.metric] for one in self._objectives if one.metric in metrics]
        # Several values of a trial that was stopped early are nothing that Optuna could take.
        valued = state is TrialState.COMPLETE or (state is TrialState.PRUNED and len(self._objectives) == 1)
        return create_trial(
            state=state,
            values=values if valued and values else None,
            **parameters(self._space, values_of(row, self._space)),
            user_attrs={
                name: value for name, value in row.items() if name not in self._columns and _is_known(value)
            },
            intermediate_values=course,
            constraints=violations(self._constraints, metrics),
        )

    def running(self, trial: int, values: Mapping[str, Any]) -> FrozenTrial:
        """A trial that was begun and is not finished."""
        return create_trial(
            state=TrialState.RUNNING,
            **parameters(self._space, values),
            user_attrs={"trial": trial, "state": "running"},
        )


def _is_known(value: object) -> bool:
    return value is not None and not (isinstance(value, float) and not isfinite(value))


def _rows(sweep: Sweep) -> list[dict[str, Any]]:
    return sweep.arrow("trials").to_pylist() if sweep.started else []


def _courses(sweep: Sweep, objectives: Sequence[Objective]) -> dict[int, dict[int, float]]:
    """Mean of the only objective over replicates, by trial and epoch; none where it is not one by epoch."""
    metric = objectives[0].metric
    if len(objectives) > 1 or metric not in METRICS:
        return {}
    epochs = sweep.arrow("epochs", columns=["trial", "epoch", metric])
    means = epochs.group_by(["trial", "epoch"]).aggregate([(metric, "mean")])
    found: dict[int, dict[int, float]] = {}
    for row in means.to_pylist():
        if _is_known(value := row[f"{metric}_mean"]):
            found.setdefault(row["trial"], {})[row["epoch"]] = value
    return found
