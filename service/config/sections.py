"""Sections of a sweep file: keys, defaults and legal values of all but `data`, `learner` and `space`."""

from dataclasses import field, replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt
from pydantic.dataclasses import dataclass

from model.fields import STRICT, Count, NotNegative, Positive, fields_of
from model.topology.names import MEASURES
from search.evolution.options import EvolutionOptions
from search.samplers.options import CHECKED, SamplerOptions
from service.config.field_types import Gpus, Measure, Metric, Rule, SamplerName, Snapshots, StoreUri, Sweeps
from service.errors import SweepError

MOST_NULLS = 10_000


class Section(BaseModel):
    """A mapping with these keys and no others."""

    model_config = ConfigDict(**STRICT, frozen=True)


def _described(schema: dict[str, Any]) -> None:
    """Describe a sampler's options: of a dataclass, pydantic takes the docstrings of its own fields alone."""
    for name, info in fields_of(SamplerOptions).items():
        schema["properties"][name].setdefault("description", info.description)


@dataclass(frozen=True, config=ConfigDict(**CHECKED, json_schema_extra=_described))
class SearchSpec(SamplerOptions):
    """How configurations are suggested, and how many: the sampler's options, and the sweep's."""

    sampler: SamplerName = "tpe"
    """Name of the sampler, which suggests the configurations."""
    trials: Annotated[StrictInt, Field(ge=1)] = 20
    """How many configurations are suggested; with evolution, founders and children together."""
    warm_start: Sweeps = field(default_factory=list)
    """Earlier sweeps whose trials the sampler learns from."""
    evolution: EvolutionOptions | None = None
    """Trials that have children, whose founders the sampler suggests; None: there are none."""

    @property
    def suggesting(self) -> SamplerOptions:
        """The options that the sampler is made with: with generations, theirs is its population."""
        if self.evolution is None or not self.evolution.generations:
            return self
        return replace(self, population=self.evolution.population)


class PlateauSpec(Section):
    """When there is next to nothing to be gained any more."""

    trials: Count
    """How many of the last complete trials are looked at."""
    gain: Annotated[float, Field(ge=0, lt=1)] = 0.01
    """Share that they must have added to the hypervolume; with no more than that, the search ends."""


class BudgetSpec(Section):
    """What the search may use up; no new trial is begun after that. None: any amount."""

    hours: Positive | None = None
    """Hours that the sweep may run, over all sessions."""
    cpu_hours: Positive | None = None
    """Hours of cores that all trials together may use."""
    gpu_hours: Positive | None = None
    """Hours of GPUs that all trials together may use."""
    gigabytes: Positive | None = None
    """Size that the sweep's folder may have."""
    plateau: PlateauSpec | None = None
    """When there is next to nothing to be gained any more."""


class ReplicatesSpec(Section):
    """More seeds for the leading trials, once all suggestions are finished."""

    start: Count | None = None
    """Replicates of every trial, as `learner.replicates`."""
    leaders: Annotated[int, Field(ge=2)]
    """Replicates of the leading trials."""
    trials: Count = 5
    """How many lead."""


class ObjectiveSpec(Section):
    """A metric to be made small or large."""

    metric: Metric
    """The metric that is made small or large."""
    goal: Literal["min", "max"]
    """Whether the metric is made small (`min`) or large (`max`)."""


class ConstraintSpec(Section):
    """A range for a metric, open at one side or closed."""

    metric: Metric
    """The metric that is kept in a range."""
    min: float | None = None
    """Least value; None: any."""
    max: float | None = None
    """Largest value; None: any."""


class StoppingSpec(Section):
    """Which trials are ended early."""

    rule: Rule = "none"
    """Name of the rule that ends trials; `none` ends no trial."""
    grace: Count = 1
    """Epochs that every trial may have."""
    reduction: Annotated[int, Field(ge=2)] = 3
    """One in so many goes on at each rung."""
    silent_after: Count | None = None
    """A trial ends if no neuron has fired for so many epochs; None: never."""


class ResourcesSpec(Section):
    """What a trial may use, and how many run at once. Not part of what the results depend on."""

    cpus: Count = 1
    """Cores of a trial."""
    gpus: Gpus = 0.0
    """GPUs of a trial; there are no kernels for them yet."""
    concurrent: Count | None = None
    """Trials at once; None: as many as the cores allow."""
    retries: Annotated[int, Field(ge=0)] = 2
    """How often in a row, without an epoch in between, a trial is taken up again after a lost worker."""
    checkpoint: NotNegative = 10.0
    """Seconds between two checkpoints of a trial; one that is cut short loses about as much of its work."""
    time_limit: Positive | None = None
    """Seconds that a trial may train; None: any time."""
    memory_limit: Positive | None = None
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
    lesions: bool = False
    """Accuracy of the trained networks without sets of their neurons."""
    delay_graph: bool = False
    """Measures of the graphs of the shortest delays, in every snapshot."""
    nulls: Annotated[int, Field(ge=0, le=MOST_NULLS)] = 0
    """Null networks that the measures are compared with, in every snapshot."""
    compared: list[Measure] | None = None
    """Measures that are compared with null networks; None: all."""
    networks: Count = 1000
    """Leading trials, by rank, whose trained networks are kept; up to a quarter more while the sweep runs."""
    snapshots: Snapshots = None
    """Epochs after which neurons and topology are recorded, or how many of them; see `snapshot_epochs`."""

    @property
    def compared_measures(self) -> tuple[str, ...]:
        """The measures that are compared with null networks, in their usual order."""
        return tuple(
            one for one in MEASURES if self.nulls and (self.compared is None or one in self.compared)
        )


class MlflowSpec(Section):
    """Where runs are shown. Not part of what the results depend on."""

    uri: StoreUri | None = None
    """The MLflow server or database, unless MLFLOW_TRACKING_URI names another; None: our own."""
