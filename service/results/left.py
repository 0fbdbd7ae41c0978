"""What of a sweep is still to be run, by its record alone."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from service.config.sweep import SweepSpec
from service.record.elites import awaiting
from service.record.plan import MORE_SEEDS, was_replaced


class Left(NamedTuple):
    """Trials that are still to be run."""

    suggestions: int
    """Trials that the sampler is yet to suggest, or whose run was cut short; of a population that evolves,
    the places whose last trial is not known to be over."""
    leaders: int
    """Leading trials, or elites of an archive, that are yet to be run again with other seeds."""


def trials_left(spec: SweepSpec, rows: Sequence[Mapping[str, Any]]) -> Left:
    """What is left of a sweep whose finished trials are `rows` of `trials`, budgets left aside.

    Who leads is known once all suggestions are finished; before, as many leaders count as are asked for.
    """
    again = sum(row["move"] == MORE_SEEDS for row in rows)
    if spec.open_ended and (evolution := spec.search.evolution):
        taken = {row.get("replaces") for row in rows}
        members = [row for row in rows if row["move"] != MORE_SEEDS]
        over = [row for row in members if row["trial"] not in taken and not was_replaced(row)]
        most = min(evolution.population, spec.search.trials)
        suggestions = max(0, most - len(over))
    else:
        most = spec.planned
        suggestions = max(0, most - (len(rows) - again))
    wanted = spec.replicates
    if suggestions:
        return Left(suggestions, max(0, min(wanted.trials, most) - again) if wanted else 0)
    return Left(0, len(awaiting(spec, rows)))
