"""A section of a sweep file, read and checked; its faults in our words instead of those of pydantic."""

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import ErrorDetails

from model.fields import describe, no_such
from service.config.faults import ConfigFault, show
from service.config.metrics import METRICS, TEST_METRICS
from service.config.sections import (
    BudgetSpec,
    ConstraintSpec,
    MlflowSpec,
    Name,
    ObjectiveSpec,
    PlateauSpec,
    RecordSpec,
    ReplicatesSpec,
    ResourcesSpec,
    SearchSpec,
    Section,
    StoppingSpec,
    distinct,
)

SECTIONS: dict[str, Any] = {
    "name": Name,
    "experiment": Name,
    "search": SearchSpec,
    "objectives": Annotated[list[ObjectiveSpec], Field(min_length=1), AfterValidator(distinct)],
    "constraints": list[ConstraintSpec],
    "stopping": StoppingSpec,
    "budget": BudgetSpec,
    "replicates": ReplicatesSpec | None,
    "resources": ResourcesSpec,
    "record": RecordSpec,
    "mlflow": MlflowSpec,
}


DEFAULTS: dict[str, Any] = {
    "search": {},
    "objectives": [{"metric": "accuracy", "goal": "max"}],
    "constraints": [],
    "stopping": {},
    "budget": {},
    "replicates": None,
    "resources": {},
    "record": {},
    "mlflow": {},
}


_ADAPTERS: dict[str, TypeAdapter[Any]] = {key: TypeAdapter(kind) for key, kind in SECTIONS.items()}


_MODELS: dict[str, type[Section]] = {
    "search": SearchSpec,
    "objectives": ObjectiveSpec,
    "constraints": ConstraintSpec,
    "stopping": StoppingSpec,
    "budget": BudgetSpec,
    "plateau": PlateauSpec,
    "replicates": ReplicatesSpec,
    "resources": ResourcesSpec,
    "record": RecordSpec,
    "mlflow": MlflowSpec,
}


_KEYS = {key: list(section.model_fields) for key, section in _MODELS.items()}


_MISSING = {
    "goal": "is missing; give one of min, max",
    "metric": "is missing; give one of " + ", ".join(m for m in METRICS if m not in TEST_METRICS),
    "trials": "is missing; give a number of trials",
    "leaders": "is missing; give the replicates of leading trials",
}


_EXPECTED = {
    "string_type": "text, in quotes if need be",
    "list_type": "a list such as [{...}, {...}]",
    "too_short": "at least one",
}
"""What is legal, by pydantic's type of error, where the field's own range does not say it."""


def read_section(key: str, value: object, faults: list[ConfigFault]) -> Any | None:
    """The section `key` of a sweep file, or None with its faults added to `faults`."""
    try:
        return _ADAPTERS[key].validate_python(value)
    except ValidationError as error:
        faults += [ConfigFault((key, *fault["loc"]), _in_words(key, fault)) for fault in error.errors()]
        return None


def _in_words(key: str, fault: ErrorDetails) -> str:
    kind, value = fault["type"], fault["input"]
    if kind == "value_error":
        return str(fault["ctx"]["error"])
    if kind == "missing":
        return _MISSING[str(fault["loc"][-1])]
    keys = _KEYS.get("plateau" if "plateau" in fault["loc"] else key, [])
    if kind == "extra_forbidden":
        return no_such("key", str(fault["loc"][-1]), keys)
    if kind == "model_type":
        return f"got {show(value)}, expected keys and values; known are {', '.join(keys)}"
    if kind == "list_type" and fault["loc"][-1:] == ("warm_start",):
        return f"got {show(value)}, expected a list of sweeps such as [early]"
    if kind in _EXPECTED:
        return f"got {show(value)}, expected {_EXPECTED[kind]}"
    model = _MODELS["plateau" if "plateau" in fault["loc"] else key]
    name = next(str(one) for one in reversed(fault["loc"]) if str(one) in model.model_fields)
    return f"got {show(value)}, expected {describe(model, name)}"
