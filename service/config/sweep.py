"""What a sweep file asks for, checked and with all defaults filled in."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

from model.config import LearnerConfig
from model.datasets.config import DataConfig
from model.topology.names import MEASURES, SHAPES, null_measures
from search.combinations import combinations
from search.objectives import Constraint, Objective, metrics_needed
from search.space import Space
from service.config.changes import without_budgets
from service.config.metrics import BINARY, METRICS
from service.config.model_fields import (
    as_option,
    canonical,
    checked,
    given_fields,
)
from service.config.sections import (
    BudgetSpec,
    MlflowSpec,
    RecordSpec,
    ReplicatesSpec,
    ResourcesSpec,
    SearchSpec,
    StoppingSpec,
)
from service.config.space import write_space
from service.config.yaml_text import write

HEADER = (
    "# The record of what was asked: the sweep file with all defaults filled in. Written by polychrony.\n"
)


@dataclass(frozen=True)
class SweepSpec:
    """A sweep that can be run."""

    name: str
    experiment: str
    """The MLflow experiment."""
    data: DataConfig
    learner: LearnerConfig
    """What is not searched. A field that is searched in every trial stands at an end of its domain."""
    space: Space
    search: SearchSpec
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    stopping: StoppingSpec
    budget: BudgetSpec
    replicates: ReplicatesSpec | None
    resources: ResourcesSpec
    record: RecordSpec
    mlflow: MlflowSpec

    @property
    def fixed(self) -> dict[str, Any]:
        """The values of all paths that are not searched, by path."""
        return fixed_values(self.learner, self.data, self.space)

    @property
    def measures(self) -> list[str]:
        """Measures of the trained networks that decide about a trial."""
        archive = self.search.evolution and self.search.evolution.archive
        deciding = metrics_needed(self.objectives, self.constraints) | set(
            archive.measures if archive else ()
        )
        return sorted(deciding - METRICS.keys())

    @property
    def open_ended(self) -> bool:
        """Whether nobody knows before how many trials there will be: members of a population have children
        as it turns out."""
        return self.search.evolution is not None and not self.search.evolution.breeds

    @property
    def planned(self) -> int:
        """Suggestions that are asked for, as far as there are so many: a grid may have less.

        Of a population that evolves, at most so many founders and children.
        """
        if self.open_ended and (evolution := self.search.evolution):
            comparisons = (self.learner.epochs - 1) // evolution.ready
            return min(self.search.trials, evolution.population * (1 + comparisons))
        if self.search.sampler != "grid" or self.search.evolution:
            return self.search.trials
        points = combinations(self.space.given(self.fixed), self.search.steps or 0)
        return sum(1 for _ in islice(points, self.search.trials))

    @property
    def metrics(self) -> list[str]:
        """Metrics that a row of `trials` has, in mean and standard error."""
        return [*METRICS, *self.measures]

    @property
    def recorded_measures(self) -> list[str]:
        """Measures that the table `topology` has columns for."""
        graph = BINARY if self.record.delay_graph else ()
        return [*MEASURES, *SHAPES, *null_measures(self.record.compared_measures), *graph]

    @property
    def changing(self) -> list[str]:
        """Fields that training may change; the table `epochs` has a column for each."""
        learned = self.fixed.get("learner.learn_delay_scale")
        if learned is None:
            learned = self.space.domain("learner.learn_delay_scale").has(True)
        return ["delay_scale"] if learned else []

    @property
    def may_stop(self) -> bool:
        """Whether a trial may be ended at any epoch."""
        limits = (self.stopping.silent_after, self.resources.time_limit, self.resources.memory_limit)
        return self.stopping.rule != "none" or any(limit is not None for limit in limits)

    def resolved(self) -> dict[str, Any]:
        """The sweep as plain data for a sweep file: all defaults filled in, absolute file names."""
        searched = self.space.paths
        return {
            "name": self.name,
            "experiment": self.experiment,
            "data": {k: v for k, v in given_fields(self.data).items() if f"data.{k}" not in searched},
            "learner": {
                k: v for k, v in given_fields(self.learner).items() if f"learner.{k}" not in searched
            },
            "space": write_space(self.space),
            "search": asdict(self.search),
            "objectives": [vars(objective).copy() for objective in self.objectives],
            "constraints": [vars(constraint).copy() for constraint in self.constraints],
            "stopping": self.stopping.model_dump(),
            "budget": self.budget.model_dump(),
            "replicates": self.replicates and self.replicates.model_dump(),
            "resources": self.resources.model_dump(),
            "record": self.record.model_dump(),
            "mlflow": self.mlflow.model_dump(),
        }

    @property
    def hash(self) -> str:
        """SHA-256 (hex) of what the results depend on: the resolved sweep without its budgets."""
        text = json.dumps(without_budgets(self.resolved()), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def dump(spec: SweepSpec) -> str:
    """The resolved sweep as the text of a sweep file, which `load` reads back as the same sweep."""
    return HEADER + write(spec.resolved())


def learner_for(spec: SweepSpec, values: Mapping[str, Any]) -> LearnerConfig:
    """The learner of a suggestion, given by path. Raises ValueError if its fields contradict each other."""
    return checked(replace(spec.learner, **fields_of("learner", values)))


def data_for(spec: SweepSpec, values: Mapping[str, Any]) -> DataConfig:
    """The data of a suggestion, given by path."""
    return replace(spec.data, **fields_of("data", values))


def fixed_values(learner: LearnerConfig, data: DataConfig, space: Space) -> dict[str, Any]:
    """The values of all paths that are not searched, by path."""
    values = {f"learner.{key}": value for key, value in vars(learner).items()}
    values["learner.hidden"] = as_option("learner.hidden", learner.hidden)
    values |= {f"data.{key}": value for key, value in vars(data).items()}
    return {path: value for path, value in values.items() if path not in space.paths}


def fields_of(section: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a section by the names of its fields, out of `values` by path."""
    prefix = f"{section}."
    return {
        path.removeprefix(prefix): canonical(path, v) for path, v in values.items() if path.startswith(prefix)
    }
