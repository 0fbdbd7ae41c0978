"""Trials as they were planned, from their rows of `trials`."""

import json
from collections.abc import Mapping
from typing import Any

from search import Space, Suggestion
from service.record.plan import Birth, PlannedTrial, is_child
from service.record.schema import values_of


def planned_trial(row: Mapping[str, Any], space: Space, number: int = 0) -> PlannedTrial:
    """The trial of a row of `trials` as it was planned, for where the plan itself is lost.

    number: how many suggestions there had been before it.
    """
    suggestion = Suggestion(row["trial"], values_of(row, space), number=number)
    birth: Birth | None = None
    if is_child(row):
        known = json.loads(row["move_values"])
        birth = Birth(
            epoch=row["birth_epoch"],
            generation=row["generation"],
            replaces=row["replaces"],
            **{name: known[name] for name in ("founder", "steps", "seed", "structure")},
        )
    replicates = None if birth else row["replicates"]
    return PlannedTrial(suggestion, row["parent"], row["move"], replicates, birth)
