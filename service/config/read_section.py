"""The keys of a sweep file, each with its type and default, and how the section at one of them is read."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema

from model.config import LearnerConfig
from model.datasets.config import DataConfig
from model.fields import STRICT, Words, faults_of, fields_of
from service.config.faults import ConfigFault
from service.config.field_types import Name
from service.config.model_fields import SEARCHABLE
from service.config.sections import (
    BudgetSpec,
    ConstraintSpec,
    MlflowSpec,
    ObjectiveSpec,
    RecordSpec,
    ReplicatesSpec,
    ResourcesSpec,
    SearchSpec,
    StoppingSpec,
)


def _distinct(objectives: list[ObjectiveSpec]) -> list[ObjectiveSpec]:
    metrics = [objective.metric for objective in objectives]
    twice = [metric for metric in metrics if metrics.count(metric) > 1]
    if twice:
        raise ValueError(f"`{twice[0]}` is given more than once; keep one")
    return objectives


_A_LIST = Words("a list such as [{...}, {...}]")
_ENDS = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
_DOMAIN = {
    "type": "object",
    "properties": {
        "uniform": _ENDS,
        "log": _ENDS,
        "int": _ENDS | {"items": {"type": "integer"}},
        "choice": {"type": "array", "minItems": 1},
        "when": {"type": "object"},
    },
    "additionalProperties": False,
}
_SPACE = {"type": "object", "propertyNames": {"enum": list(SEARCHABLE)}, "additionalProperties": _DOMAIN}


class SweepFile(BaseModel):
    """A sweep: what is trained, on which data, what is searched, and what may be used up by it.

    `data`, `learner` and `space` stand here for a JSON Schema alone: they are read field by field, since a
    field that is searched is checked at the ends of its domain.
    """

    model_config = ConfigDict(**STRICT, validate_assignment=True)

    name: Name
    """The sweep, and its folder below the folder of all sweeps."""
    experiment: Name | None = None
    """The experiment in MLflow; None: the name."""
    data: DataConfig
    """The data set."""
    learner: LearnerConfig = LearnerConfig()
    """What a network is and how it learns, as far as it is not searched."""
    space: Annotated[dict[str, Any], WithJsonSchema(_SPACE)] = {}
    """What is searched: fields by dotted path, each with its domain, and `when` it is searched."""
    search: SearchSpec = SearchSpec()
    """How configurations are suggested, and how many."""
    objectives: Annotated[list[ObjectiveSpec], Field(min_length=1), AfterValidator(_distinct), _A_LIST] = [
        ObjectiveSpec(metric="accuracy", goal="max")
    ]
    """The metrics to be made small or large."""
    constraints: Annotated[list[ConstraintSpec], _A_LIST] = []
    """The metrics to be kept in a range."""
    stopping: StoppingSpec = StoppingSpec()
    """Which trials are ended early."""
    budget: BudgetSpec = BudgetSpec()
    """What the search may use up."""
    replicates: ReplicatesSpec | None = None
    """More seeds for the leading trials; None: they get none."""
    resources: ResourcesSpec = ResourcesSpec()
    """What a trial may use, and how many run at once."""
    record: RecordSpec = RecordSpec()
    """What is recorded beyond the usual."""
    mlflow: MlflowSpec = MlflowSpec()
    """Where runs are shown."""


KEYS = tuple(fields_of(SweepFile))
"""The keys of a sweep file."""

SECTIONS = tuple(key for key in KEYS if key not in ("name", "experiment", "data", "learner", "space"))
"""The keys of the sections that are read as a whole, each by itself."""


def default(key: str) -> Any:
    """What stands for `key` if it is not given."""
    return fields_of(SweepFile)[key].get_default()


def read_section(key: str, value: object, faults: list[ConfigFault]) -> Any | None:
    """What is at `key` of a sweep file, or None with its faults added to `faults`."""
    file = SweepFile.model_construct()
    try:
        setattr(file, key, value)
    except ValidationError as error:
        faults += [ConfigFault(place, fault) for place, fault in faults_of(SweepFile, error, "key")]
        return None
    return getattr(file, key)
