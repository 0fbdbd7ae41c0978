"""The lineage of a trial: the trials whose networks it has inherited, from the founder on."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from search import Value
from service.config.sweep import SweepSpec
from service.record.plan import PlannedTrial
from service.record.schema import column_of


class Stage(NamedTuple):
    """A trial of a lineage, as long as the lineage went through it."""

    begun: PlannedTrial
    first: int
    """The epoch from which it was trained; 0 of a founder."""
    last: int
    """The epoch to which it was trained, before the next was born or it ended."""


def stages(begun: Mapping[int, PlannedTrial], trial: int, last: int) -> list[Stage]:
    """The lineage of a trial, from its founder to itself; of a trial that no other has bred, itself alone.

    Args:
        begun: all trials that were begun, by number.
        trial: one of them.
        last: the epoch to which it was trained.
    """
    found: list[Stage] = []
    one = begun[trial]
    while (birth := one.birth) is not None and one.parent is not None:
        found.append(Stage(one, birth.epoch, max(last, birth.epoch)))
        one, last = begun[one.parent], birth.epoch
    return [Stage(one, 0, last), *reversed(found)]


def schedule(spec: SweepSpec, lineage: list[Stage]) -> list[dict[str, Any]]:
    """The lineage as rows: which fields the networks were trained with, and from when to when."""
    grown = {path for stage in lineage if stage.begun.birth for path in stage.begun.birth.structure}
    fixed: dict[str, Value] = {path: spec.fixed[path] for path in sorted(grown)}
    return [
        {
            "trial": one.begun.trial,
            "from_epoch": one.first,
            "to_epoch": one.last,
            "move": one.begun.move,
            **_columns({path: one.begun.suggestion.values.get(path) for path in spec.space.paths}),
            **_columns(fixed | dict(one.begun.birth.structure if one.begun.birth else {})),
        }
        for one in lineage
    ]


def _columns(values: Mapping[str, Value]) -> dict[str, Value]:
    return {column_of(path): value for path, value in values.items()}
