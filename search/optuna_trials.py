"""Trials, directions and constraints in Optuna's terms: of a search, and of a sweep that is looked at."""

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.study import StudyDirection

from search.domains import Value
from search.objectives import Constraint, Objective
from search.space import Space

_DIRECTIONS = {"min": StudyDirection.MINIMIZE, "max": StudyDirection.MAXIMIZE}


def directions(objectives: Sequence[Objective]) -> list[StudyDirection]:
    """The direction of each objective."""
    return [_DIRECTIONS[one.goal] for one in objectives]


def parameters(space: Space, values: Mapping[str, Value]) -> dict[str, Any]:
    """The arguments of `create_trial` that give a trial its values, by path, and their distributions."""
    return {
        "params": dict(values),
        "distributions": {path: space.domain(path).distribution() for path in values},
    }


def violations(constraints: Sequence[Constraint], metrics: Mapping[str, float]) -> dict[str, float]:
    """By how much each constraint is violated whose metric is known, by its number and metric."""
    return {
        f"{n} {one.metric}": one.violation(metrics[one.metric])
        for n, one in enumerate(constraints)
        if one.metric in metrics
    }
