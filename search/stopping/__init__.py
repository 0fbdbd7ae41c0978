"""Early stopping: which trials are not worth their remaining epochs."""

from collections.abc import Sequence

from search.objectives import Constraint, Objective
from search.stopping.asha import Asha
from search.stopping.hyperband import Hyperband
from search.stopping.median import Median
from search.stopping.pareto import Pareto
from search.stopping.rule import NoStopping, StoppingRule

__all__ = ["RULES", "Asha", "Hyperband", "Median", "NoStopping", "Pareto", "StoppingRule", "make_rule"]

RULES = ("none", "asha", "median", "hyperband", "pareto")
"""The names of all rules."""
FOR_ONE = ("asha", "median", "hyperband")
"""The names of the rules that need a single objective."""


def make_rule(
    name: str,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint] = (),
    *,
    grace: int = 1,
    reduction: int = 3,
    max_epochs: int,
) -> StoppingRule:
    """The rule called `name`, for trials of at most `max_epochs` epochs.

    Args:
        name: one of `RULES`.
        objectives: what the search is after.
        constraints: which `pareto` heeds.
        grace: epochs before anything stops.
        reduction: one in so many goes on at each rung; `median` has none.
        max_epochs: of the longest trial.

    Raises:
        ValueError: if there is no such rule, it needs one objective and there are more, or a number is out
            of range.
    """
    if name not in RULES:
        raise ValueError(f"`rule`: got {name!r}, expected one of {', '.join(RULES)}")
    if name in FOR_ONE and len(objectives) != 1:
        raise ValueError(f"`rule`: {name} needs one objective, there are {len(objectives)}; use pareto")
    if name == "asha":
        return Asha(objectives[0], grace=grace, reduction=reduction, max_epochs=max_epochs)
    if name == "median":
        return Median(objectives[0], grace=grace, max_epochs=max_epochs)
    if name == "hyperband":
        return Hyperband(objectives[0], grace=grace, reduction=reduction, max_epochs=max_epochs)
    if name == "pareto":
        return Pareto(objectives, constraints, grace=grace, reduction=reduction, max_epochs=max_epochs)
    return NoStopping()
