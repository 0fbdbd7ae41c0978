"""Which trials of a sweep count, and which of them lead: the one definition of both."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from search.objectives import Constraint, Objective, costs, metrics_needed, pareto_front, total_violation
from search.ranking import Result, fronts
from service.config.sections import ReplicatesSpec
from service.record.plan import MORE_SEEDS

PROBED = 5
"""The networks of so many leading trials are run once more, for pictures of what they do."""
MOST_SHOWN = 20
"""However long the front is, so many trials have pages."""
DECIDING = (
    *("trial", "state", "reason", "parent", "move", "replaces", "duplicate_of"),
    *("replicates", "cpu_seconds", "gpu_seconds"),
)
"""Columns of `trials` that say whether a trial counts, how many networks it has, and what it has used."""
_DUPLICATE = "duplicate of trial "

Row = Mapping[str, Any]


def duplicate_reason(original: int) -> str:
    """The reason of a trial that repeats another."""
    return f"{_DUPLICATE}{original}"


def duplicate_of(row: Row) -> int | None:
    """The trial whose values another one has, which was therefore not run; None for a trial of its own.

    Tables of earlier versions say so in the reason alone.

    >>> duplicate_of({"duplicate_of": 3}), duplicate_of({"reason": "duplicate of trial 7"}), duplicate_of({})
    (3, 7, None)
    """
    if row.get("duplicate_of") is not None:
        return int(row["duplicate_of"])
    reason = row.get("reason") or ""
    return int(reason.removeprefix(_DUPLICATE)) if reason.startswith(_DUPLICATE) else None


def counted_trials(rows: Iterable[Row]) -> list[Row]:
    """Complete trials, each configuration once.

    Duplicates are left out, and a leader that was run again with more seeds stands for the trial that led.
    """
    complete = [row for row in rows if row["state"] == "complete"]
    again = {row["parent"] for row in complete if row["move"] == MORE_SEEDS}
    return [row for row in complete if row["trial"] not in again and duplicate_of(row) is None]


def front_trials(
    rows: Iterable[Row], objectives: Sequence[Objective], constraints: Sequence[Constraint]
) -> list[Row]:
    """The Pareto front: trials that count, are within the constraints and are dominated by no other."""
    known = _known(rows, objectives, constraints)
    feasible = [row for row in known if total_violation(constraints, row) == 0]
    values = np.array([costs(objectives, row) for row in feasible]).reshape(-1, len(objectives))
    return [feasible[n] for n in pareto_front(values, ["min"] * len(objectives))]


def leaders(
    rows: Iterable[Row], objectives: Sequence[Objective], constraints: Sequence[Constraint], count: int
) -> list[Row]:
    """The `count` best of the trials that count, by rank and then by the room around them.

    Those of the Pareto front come first, those that violate the constraints last.
    """
    known = _known(rows, objectives, constraints)
    results = [Result(total_violation(constraints, row), costs(objectives, row)) for row in known]
    return [known[n] for n in islice(chain.from_iterable(fronts(results)), count)]


def awaiting_seeds(
    rows: Sequence[Row],
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
    wanted: ReplicatesSpec,
) -> list[Row]:
    """The leading trials that are yet to be run again with more seeds, the best first.

    A leader whose second run is in `rows`, however that ended, waits for no other.
    """
    again = {row["parent"] for row in rows if row["move"] == MORE_SEEDS}
    best = leaders(rows, objectives, constraints, wanted.trials)
    return [row for row in best if row["replicates"] < wanted.leaders and row["trial"] not in again]


class Extreme(NamedTuple):
    """The best value of one objective, and the trial that has it."""

    value: float
    trial: int


def extremes(
    rows: Iterable[Row], objectives: Sequence[Objective], constraints: Sequence[Constraint]
) -> dict[str, Extreme]:
    """The best of each objective on the Pareto front, by metric; none if there is no front.

    With several objectives these are several networks: no trial need have more than one of the values.
    """
    front = front_trials(rows, objectives, constraints)
    found = {}
    for one in objectives if front else ():
        best = (max if one.goal == "max" else min)(front, key=lambda row: row[one.metric])
        found[one.metric] = Extreme(best[one.metric], best["trial"])
    return found


def extremes_text(best: Mapping[str, Extreme]) -> str:
    """The best of each objective in words, each with the trial that has it.

    >>> extremes_text({"accuracy": Extreme(0.95833, 23), "wiring_length": Extreme(0.706, 16)})
    'accuracy 0.9583 (trial 23), wiring_length 0.706 (trial 16)'
    >>> extremes_text({"accuracy": Extreme(0.5, 3), "loss": Extreme(1.25, 3)})
    'accuracy 0.5, loss 1.25 (trial 3)'
    """
    if len({one.trial for one in best.values()}) == 1:
        values = ", ".join(f"{metric} {one.value:.4g}" for metric, one in best.items())
        return f"{values} (trial {next(iter(best.values())).trial})"
    return ", ".join(f"{metric} {one.value:.4g} (trial {one.trial})" for metric, one in best.items())


def shown_trials(
    rows: Sequence[Row], objectives: Sequence[Objective], constraints: Sequence[Constraint]
) -> list[int]:
    """Numbers of the trials that are shown in more detail: the Pareto front, and the best PROBED.

    The front comes first, its best by the first objective before the others; they are MOST_SHOWN at most.
    """
    front = front_trials(rows, objectives, constraints)
    front.sort(key=lambda row: costs(objectives, row)[0])
    best = leaders(rows, objectives, constraints, PROBED)
    return list(dict.fromkeys(row["trial"] for row in [*front, *best]))[:MOST_SHOWN]


def _known(
    rows: Iterable[Row], objectives: Sequence[Objective], constraints: Sequence[Constraint]
) -> list[Row]:
    """Trials that count and have a finite value of every metric that decides."""
    names = metrics_needed(objectives, constraints)
    return [row for row in counted_trials(rows) if all(_is_number(row[name]) for name in names)]


def _is_number(value: float | None) -> bool:
    return value is not None and isfinite(value)
