"""What goes by validation samples, where a sweep holds none out."""

from collections.abc import Mapping, Sequence
from typing import Any

from model.config import NO_VALIDATION, LearnerConfig
from model.datasets.config import DataConfig
from search.objectives import Constraint
from search.space import Space
from service.config.archive import archive_measures
from service.config.faults import ConfigFault, Where
from service.config.metrics import VALIDATION_METRICS


def check_validation(
    sections: Mapping[str, Any],
    constraints: Sequence[Constraint],
    learner: LearnerConfig,
    data: DataConfig,
    space: Space,
    faults: list[ConfigFault],
) -> None:
    """Nothing may go by validation samples where none are held out in some trial; else `faults` get it."""
    shares = space.domain("data.validation").ends() if "data.validation" in space.paths else [data.validation]
    if 0 not in shares:
        return
    deciding: list[tuple[Where, str]] = [
        *((("objectives", n, "metric"), one.metric) for n, one in enumerate(sections["objectives"] or ())),
        *((("constraints", n, "metric"), one.metric) for n, one in enumerate(constraints)),
        *archive_measures(sections),
    ]
    faults += [
        ConfigFault(
            where,
            f"`{metric}` is measured on validation samples, and `data.validation` is 0; take "
            f"train_{metric}, or hold some out",
        )
        for where, metric in deciding
        if metric in VALIDATION_METRICS
    ]
    if field := learner.needs_validation:
        searched = f"learner.{field}" in space.paths
        place: Where = ("space", f"learner.{field}") if searched else ("learner", field)
        faults.append(ConfigFault(place, NO_VALIDATION))
    record = sections["record"]
    if record and data.path is not None and data.test is None:
        fault = "needs samples that have not been trained on; give `data.test`, or `data.validation` above 0"
        asked = [name for name in ("pruning", "lesions") if getattr(record, name)]
        faults += [ConfigFault(("record", name), fault) for name in asked]


def contradiction(learner: LearnerConfig, data: DataConfig) -> str | None:
    """Why a learner can't be trained on these data, or None."""
    field = learner.needs_validation if data.validation == 0 else None
    return field and f"`{field}` {NO_VALIDATION}"


def start_fault(learner: LearnerConfig) -> str | None:
    """Why networks cannot begin with the file that `learner.start` names, or None."""
    if learner.start is None:
        return None
    from model.exchange.start import start_fault as fault  # needs torch, which takes seconds to load

    return fault(learner)
