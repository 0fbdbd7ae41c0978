"""What of a sweep is still to be run, by its record alone."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from service.config.sweep import SweepSpec
from service.record.elites import archive_options, elites_of
from service.record.leaders import awaiting_seeds
from service.record.plan import MORE_SEEDS, REMEASURED, was_replaced


class Left(NamedTuple):
    """Trials that are still to be run."""

    suggestions: int
    """Trials that the sampler is yet to suggest, or whose run was cut short; of a population that evolves,
    the places whose last trial is not known to be over."""
    leaders: int
    """Leading trials that are yet to be run again with more seeds, and elites with new ones."""


def trials_left(spec: SweepSpec, rows: Sequence[Mapping[str, Any]]) -> Left:
    """What is left of a sweep whose finished trials are `rows` of `trials`, budgets left aside.

    Who leads is known once all suggestions are finished; before, as many leaders count as are asked for.
    """
    if spec.open_ended and (evolution := spec.search.evolution):
        taken = {row.get("replaces") for row in rows}
        over = [row for row in rows if row["trial"] not in taken and not was_replaced(row)]
        return Left(max(0, min(evolution.population, spec.search.trials) - len(over)), 0)
    again = sum(row["move"] in (MORE_SEEDS, REMEASURED) for row in rows)
    suggestions = max(0, spec.planned - (len(rows) - again))
    if (archive := archive_options(spec)) and archive.remeasure and not suggestions:
        measured = {row["parent"] for row in rows if row["move"] == REMEASURED}
        held = {one.trial for one in elites_of(spec, archive, rows).values()}
        return Left(0, len(held - measured))
    wanted = spec.replicates
    if wanted is None:
        return Left(suggestions, 0)
    if suggestions:
        return Left(suggestions, max(0, min(wanted.trials, spec.planned) - again))
    return Left(0, len(awaiting_seeds(rows, spec.objectives, spec.constraints, wanted)))
