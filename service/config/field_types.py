"""Types of the fields of a sweep file's sections, where a type of Python's and bounds do not say enough."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StrictStr,
)
from pydantic_core import core_schema

from model.fields import Count, NotNegative, Words, no_such, show
from model.topology.names import MEASURES, NULL_MEASURES
from search.samplers.options import SAMPLERS
from search.stopping import RULES
from service.config.metrics import METRICS, TEST_METRICS
from service.text import has_password

NAME = r"[A-Za-z0-9_-]{1,64}"
RESERVED_NAMES = ("mlartifacts",)  # a folder of the runs folder that is no sweep
GUIDES = (*(metric for metric in METRICS if metric not in TEST_METRICS), *MEASURES)
"""The metrics that a search may be guided by."""


@dataclass(frozen=True)
class OneOf:
    """One of these names, and the fault proposes the nearest. Goes into Annotated."""

    noun: str
    names: tuple[str, ...]
    also: tuple[str, ...] = ()
    """Names that are legal, too, but too many to be told."""

    @property
    def words(self) -> str:
        """What is legal, for a value that is no text or is missing."""
        return "one of " + ", ".join(self.names)

    def check(self, value: str) -> str:
        """The name, if it is one of these; else ValueError."""
        if value not in self.names + self.also:
            raise ValueError(no_such(self.noun, value, self.names))
        return value

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "enum": [*self.names, *self.also]}


def _name(value: str) -> str:
    if not re.fullmatch(NAME, value):
        raise ValueError(f"got {show(value)}, expected 1 to 64 letters, digits, - and _")
    if value in RESERVED_NAMES:
        raise ValueError(f"`{value}` is taken by the service itself; choose another name")
    return value


def _not_over(value: str) -> str:
    if value in TEST_METRICS:
        raise ValueError(f"`{value}` is measured when all is over and must not guide it; use `accuracy`")
    return value


def _snapshots(value: object) -> object:
    """A number of snapshots, or their epochs in order."""
    epochs = value if isinstance(value, list) else [value, 1]
    if (value is not None and not all(type(one) is int and one >= 0 for one in epochs)) or value in (0, []):
        raise ValueError(f"got {show(value)}, expected a number from 1 on, or a list of epochs from 0 on")
    return sorted(set(value)) if isinstance(value, list) else value


def _store_uri(value: str) -> str:
    if has_password(value):
        raise ValueError(
            "holds a password, which would be kept in clear; leave it out, and set MLFLOW_TRACKING_USERNAME "
            "and MLFLOW_TRACKING_PASSWORD for a server, PGPASSWORD or ~/.pgpass for PostgreSQL, or the whole "
            "address as MLFLOW_TRACKING_URI"
        )
    if not re.match(r"(https?|(postgresql|mysql|mssql)(\+\w+)?)://[^/]|sqlite:////.", value):
        raise ValueError(
            f"got {show(value)}, expected a server such as http://host:5000, or a database such as "
            "postgresql://host/mlflow or sqlite:////absolute/path.db"
        )
    return value


def _no_gpu(value: float) -> float:
    if value > 0:
        raise ValueError(f"got {value:g}, but there is no GPU kernel in this version; use 0")
    return value


_TEXT = Words("text, in quotes if need be")

Name = Annotated[
    str,
    AfterValidator(_name),
    _TEXT,
    Field(json_schema_extra={"pattern": f"^{NAME}$"}),
]
Metric = Annotated[str, AfterValidator(_not_over), OneOf("metric", GUIDES, NULL_MEASURES)]
Measure = Annotated[str, OneOf("measure", MEASURES)]
SamplerName = Annotated[StrictStr, OneOf("sampler", SAMPLERS)]
Rule = Annotated[str, OneOf("rule", RULES)]
Snapshots = Annotated[Count | list[Annotated[int, Field(ge=0)]] | None, BeforeValidator(_snapshots)]
StoreUri = Annotated[str, AfterValidator(_store_uri)]
Gpus = Annotated[NotNegative, AfterValidator(_no_gpu)]
Sweeps = Annotated[list[Annotated[StrictStr, _TEXT]], Words("a list of sweeps such as [early]")]
