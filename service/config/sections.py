"""Sections of a sweep file: keys, defaults and legal values of all but `data`, `learner` and `space`."""

import re
from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

from model.fields import STRICT, no_such
from model.topology.names import MEASURES
from search.samplers.options import SAMPLERS, SamplerOptions
from search.stopping import RULES
from service.config.faults import show
from service.config.metrics import METRICS, TEST_METRICS
from service.errors import SweepError
from service.text import has_password

MOST_NULLS = 10_000
RESERVED_NAMES = ("mlartifacts",)  # a folder of the runs folder that is no sweep

T = TypeVar("T")


def _one_of(noun: str, names: tuple[str, ...]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in names:
            raise ValueError(no_such(noun, value, names))
        return value

    return check


def _name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value):
        raise ValueError(f"got {show(value)}, expected 1 to 64 letters, digits, - and _")
    if value in RESERVED_NAMES:
        raise ValueError(f"`{value}` is taken by the service itself; choose another name")
    return value


def _metric(value: str) -> str:
    if value not in METRICS and value not in MEASURES:
        raise ValueError(no_such("metric", value, [*METRICS, *MEASURES]))
    if value in TEST_METRICS:
        raise ValueError(f"`{value}` is measured when all is over and must not guide it; use `accuracy`")
    return value


def _snapshots(value: object) -> object:
    """A number of snapshots, or their epochs in order."""
    epochs = value if isinstance(value, list) else [value, 1]
    if (value is not None and not all(type(one) is int and one >= 0 for one in epochs)) or value in (0, []):
        raise ValueError(f"got {show(value)}, expected a number from 1 on, or a list of epochs from 0 on")
    return sorted(set(value)) if isinstance(value, list) else value


def _store_uri(value: str | None) -> str | None:
    if value is None:
        return None
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


def distinct(objectives: list["ObjectiveSpec"]) -> list["ObjectiveSpec"]:
    """The objectives, if each is given once; else ValueError."""
    metrics = [objective.metric for objective in objectives]
    twice = [metric for metric in metrics if metrics.count(metric) > 1]
    if twice:
        raise ValueError(f"`{twice[0]}` is given more than once; keep one")
    return objectives


Name = Annotated[str, AfterValidator(_name)]
Metric = Annotated[str, AfterValidator(_metric)]


class Section(BaseModel):
    """A mapping with these keys and no others."""

    model_config = ConfigDict(**STRICT, frozen=True)


class SearchSpec(Section, SamplerOptions):
    """How configurations are suggested, and how many; the sampler's own options are those of `search`."""

    sampler: Annotated[str, AfterValidator(_one_of("sampler", SAMPLERS))] = "tpe"
    trials: int = Field(default=20, ge=1)
    warm_start: list[str] = []
    """Earlier sweeps whose trials the sampler learns from."""


class PlateauSpec(Section):
    """When there is next to nothing to be gained any more."""

    trials: int = Field(ge=1)
    """The last so many complete trials,"""
    gain: float = Field(default=0.01, ge=0, lt=1)
    """if they have added no more than this share to the hypervolume."""


class BudgetSpec(Section):
    """What the search may use up; no new trial is begun after that. None: any amount."""

    hours: float | None = Field(default=None, gt=0)
    cpu_hours: float | None = Field(default=None, gt=0)
    gpu_hours: float | None = Field(default=None, gt=0)
    gigabytes: float | None = Field(default=None, gt=0)
    """Size that the sweep's folder may have."""
    plateau: PlateauSpec | None = None


class ReplicatesSpec(Section):
    """More seeds for the leading trials, once all suggestions are finished."""

    start: int | None = Field(default=None, ge=1)
    """Replicates of every trial, as `learner.replicates`."""
    leaders: int = Field(ge=2)
    """Replicates of the leading trials."""
    trials: int = Field(default=5, ge=1)
    """How many lead."""


class ObjectiveSpec(Section):
    """A metric to be made small or large."""

    metric: Metric
    goal: Literal["min", "max"]


class ConstraintSpec(Section):
    """A range for a metric, open at one side or closed."""

    metric: Metric
    min: float | None = None
    max: float | None = None


class StoppingSpec(Section):
    """Which trials are ended early."""

    rule: Annotated[str, AfterValidator(_one_of("rule", RULES))] = "none"
    grace: int = Field(default=1, ge=1)
    """Epochs that every trial may have."""
    reduction: int = Field(default=3, ge=2)
    """One in so many goes on at each rung."""
    silent_after: int | None = Field(default=None, ge=1)
    """A trial ends if no neuron has fired for so many epochs; None: never."""


class ResourcesSpec(Section):
    """What a trial may use, and how many run at once. Not part of what the results depend on."""

    cpus: int = Field(default=1, ge=1)
    """Cores of a trial."""
    gpus: Annotated[float, AfterValidator(_no_gpu)] = Field(default=0.0, ge=0)
    concurrent: int | None = Field(default=None, ge=1)
    """Trials at once; None: as many as the cores allow."""
    retries: int = Field(default=2, ge=0)
    """How often in a row, without an epoch in between, a trial is taken up again after a lost worker."""
    checkpoint: float = Field(default=10.0, ge=0)
    """Seconds between two checkpoints of a trial; one that is cut short loses about as much of its work."""
    time_limit: float | None = Field(default=None, gt=0)
    """Seconds that a trial may train; None: any time."""
    memory_limit: float | None = Field(default=None, gt=0)
    """Megabytes that a trial's worker may hold after an epoch; None: any amount."""

    def at_once(self, *cores: int) -> int:
        """How many trials run at the same time on nodes with so many cores. Raises SweepError if none can."""
        room = sum(each // self.cpus for each in cores)
        if not room:
            there = f"there are {max(cores, default=0)}" + (" on a node at most" if len(cores) > 1 else "")
            raise SweepError(f"a trial wants {self.cpus} cores, {there}; lower `resources.cpus`")
        return min(self.concurrent or room, room)


class RecordSpec(Section):
    """What is recorded beyond the usual, because it is large or takes time."""

    synapses: bool = False
    """Every synapse of the trained networks."""
    pruning: bool = False
    """Accuracy of the trained networks as synapses are taken out."""
    nulls: int = Field(default=0, ge=0, le=MOST_NULLS)
    """Null networks that the measures of the trained networks are compared with."""
    networks: int = Field(default=1000, ge=1)
    """Leading trials, by rank, whose trained networks are kept; up to a quarter more while the sweep runs."""
    snapshots: Annotated[int | list[int] | None, BeforeValidator(_snapshots)] = None
    """Epochs after which neurons and topology are recorded, or how many of them; see `snapshot_epochs`."""


class MlflowSpec(Section):
    """Where runs are shown. Not part of what the results depend on."""

    uri: Annotated[str | None, AfterValidator(_store_uri)] = None
    """The MLflow server or database, unless MLFLOW_TRACKING_URI names another; None: our own."""
