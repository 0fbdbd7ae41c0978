"""What a sweep file asks for, checked and with all defaults filled in."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from model.config import LearnerConfig
from model.datasets.config import DataConfig
from model.topology.names import MEASURES, NULL_MEASURES
from search.combinations import combinations
from search.objectives import Constraint, Objective, metrics_needed
from search.samplers.options import LEARNING, unsuitable
from search.space import Space
from search.stopping import FOR_ONE
from service.config.changes import without_budgets
from service.config.document import Document, read
from service.config.faults import Found, unknown
from service.config.metrics import METRICS
from service.config.model_fields import (
    build,
    canonical,
    checked,
    find_files,
    given_fields,
    read_fields,
    reason,
)
from service.config.sections import (
    DEFAULTS,
    BudgetSpec,
    MlflowSpec,
    RecordSpec,
    ReplicatesSpec,
    ResourcesSpec,
    SearchSpec,
    StoppingSpec,
    read_section,
)
from service.config.space import corners, read_space, write_space
from service.config.yaml_text import write
from service.storage.paths import ObjectPath, StoragePath

KEYS = (
    "name",
    "experiment",
    "data",
    "learner",
    "space",
    "search",
    "objectives",
    "constraints",
    "stopping",
    "budget",
    "replicates",
    "resources",
    "record",
    "mlflow",
)
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
        return _fixed(self.learner, self.data, self.space)

    @property
    def measures(self) -> list[str]:
        """Measures of the trained networks that decide about a trial."""
        return sorted(metrics_needed(self.objectives, self.constraints) - METRICS.keys())

    @property
    def planned(self) -> int:
        """Suggestions that are asked for, as far as there are so many: a grid may have less."""
        if self.search.sampler != "grid":
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
        return [*MEASURES, *(NULL_MEASURES if self.record.nulls else ())]

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
            "search": self.search.model_dump(),
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


def load(path: str | StoragePath, overrides: Sequence[str] = (), *, elsewhere: bool = False) -> SweepSpec:
    """The sweep that the file at `path` asks for; see `read_sweep`."""
    return read_sweep(path, overrides, elsewhere=elsewhere)[0]


def read_sweep(
    path: str | StoragePath, overrides: Sequence[str] = (), *, elsewhere: bool = False
) -> tuple[SweepSpec, Document]:
    """Read and check the sweep file at `path` with the overrides of `--set`, each `PATH=VALUE`.

    With `elsewhere` the sweep is to run on other machines, or has run there: data files that are given by an
    absolute path may be missing here.

    Returns the sweep, and the document, which knows the line of every value.

    Raises UserError with every fault that was found, each with its line.
    """
    document = read(path, overrides)
    found = list(document.found)
    # Files beside a sweep file on an object store can't be meant: what is there is resolved.
    folder = Path.cwd() if isinstance(path, ObjectPath) else Path(path).absolute().parent
    spec = _spec(document, folder, found, elsewhere)
    if found:
        raise document.error(found)
    assert spec is not None
    return spec, document


def dump(spec: SweepSpec) -> str:
    """The resolved sweep as the text of a sweep file, which `load` reads back as the same sweep."""
    return HEADER + write(spec.resolved())


def learner_for(spec: SweepSpec, values: Mapping[str, Any]) -> LearnerConfig:
    """The learner of a suggestion, given by path. Raises ValueError if its fields contradict each other."""
    return checked(replace(spec.learner, **_fields_of("learner", values)))


def data_for(spec: SweepSpec, values: Mapping[str, Any]) -> DataConfig:
    """The data of a suggestion, given by path."""
    return replace(spec.data, **_fields_of("data", values))


def _fixed(learner: LearnerConfig, data: DataConfig, space: Space) -> dict[str, Any]:
    """The values of all paths that are not searched, by path."""
    values = {f"learner.{key}": value for key, value in vars(learner).items()}
    values |= {f"data.{key}": value for key, value in vars(data).items()}
    return {path: value for path, value in values.items() if path not in space.paths}


def _fields_of(section: str, values: Mapping[str, Any]) -> dict[str, Any]:
    prefix = f"{section}."
    return {
        path.removeprefix(prefix): canonical(path, v) for path, v in values.items() if path.startswith(prefix)
    }


def _spec(document: Document, folder: Path, found: list[Found], elsewhere: bool) -> SweepSpec | None:
    """The checked sweep; its faults are added to `found`, and then there may be none."""
    raw = {key: value for key, value in document.data.items() if value is not None}
    _check_keys(raw, found)
    sections: dict[str, Any] = {
        key: read_section(key, raw.get(key, default), found) for key, default in DEFAULTS.items()
    }
    names: dict[str, Any] = {
        key: read_section(key, raw[key], found) for key in ("name", "experiment") if key in raw
    }
    constraints = _constraints(sections.pop("constraints") or [], found)
    space = read_space(raw.get("space", {}), found)
    _check_not_in_both(raw, found)
    asked = read_fields("learner", raw.get("learner", {}), found)
    if asked is not None and sections["replicates"]:
        asked = _with_start(asked, sections["replicates"], space, found)
    learner = _config("learner", asked, space, found)
    files = read_fields("data", raw["data"], found) if "data" in raw else None
    data = _config("data", files and find_files(files, folder, found, elsewhere), space, found)
    _check_together(sections, constraints, learner, space, found)
    if space is not None and sections["search"] and sections["objectives"]:
        settled = space.given(_fixed(learner, data, space)) if learner and data else space
        _check_sampler(sections["search"], settled, sections["objectives"], found)
    if found or learner is None or data is None or space is None:
        return None
    if sections["replicates"]:
        sections["replicates"] = sections["replicates"].model_copy(update={"start": None})
    spec = SweepSpec(
        name=names["name"],
        experiment=names.get("experiment", names["name"]),
        data=data,
        learner=learner,
        space=space,
        objectives=tuple(Objective(one.metric, one.goal) for one in sections.pop("objectives")),
        constraints=constraints,
        **sections,
    )
    _check_corners(spec, found)
    return spec


def _check_keys(raw: Mapping[str, Any], found: list[Found]) -> None:
    found += [Found((key,), unknown("key", key, KEYS)) for key in raw if key not in KEYS]
    cures = {"name": "give the sweep a name", "data": "give a data set such as {name: digits}"}
    blamed = {fault.where[:1] for fault in found}
    found += [
        Found((key,), f"is missing; {cure}")
        for key, cure in cures.items()
        if key not in raw and (key,) not in blamed
    ]


def _check_not_in_both(raw: Mapping[str, Any], found: list[Found]) -> None:
    """A field is either searched or set."""
    space = raw.get("space")
    for section in ("learner", "data"):
        for key in raw[section] if isinstance(raw.get(section), dict) else ():
            if isinstance(space, dict) and f"{section}.{key}" in space:
                message = "is searched under `space`, too; keep it in one of the two places"
                found.append(Found((section, key), message))


def _constraints(specs: list[Any], found: list[Found]) -> tuple[Constraint, ...]:
    constraints = []
    for index, spec in enumerate(specs):
        try:
            constraints.append(Constraint(**spec.model_dump()))
        except ValueError as error:
            found.append(Found(("constraints", index), str(error).partition(": ")[2]))
    return tuple(constraints)


def _config(
    section: str, given: dict[str, Any] | None, space: Space | None, found: list[Found]
) -> Any | None:
    """The configuration of `section`; a field that is always searched stands at an end of its domain."""
    if given is None:
        return None
    fields = space.fields if space else ()
    ends = _fields_of(section, {field.path: field.domain.ends()[0] for field in fields if not field.when})
    return build(section, {**given, **ends}, found)


def _check_together(
    sections: Mapping[str, Any],
    constraints: Sequence[Constraint],
    learner: LearnerConfig | None,
    space: Space | None,
    found: list[Found],
) -> None:
    """Sections that are legal by themselves must go together."""
    stopping, objectives = sections["stopping"], sections["objectives"]
    if not stopping or stopping.rule == "none":
        return
    if objectives and len(objectives) > 1 and stopping.rule in FOR_ONE:
        fault = f"{stopping.rule} needs a single objective, got {len(objectives)}; use pareto"
        found.append(Found(("stopping", "rule"), fault))
    heeded = constraints if stopping.rule == "pareto" else ()
    late = [one.metric for one in (*(objectives or ()), *heeded) if one.metric not in METRICS]
    if late:
        fault = f"`{late[0]}` is measured when training is over, and {stopping.rule} decides before; use none"
        found.append(Found(("stopping", "rule"), fault))
    if learner and space:
        searched = [field.domain for field in space.fields if field.path == "learner.epochs"]
        ends = [end for domain in searched for end in domain.ends() if isinstance(end, int)]
        epochs = max([learner.epochs, *ends])
        if stopping.grace >= epochs:
            fault = f"got {stopping.grace}, expected less than the {epochs} epochs of a trial"
            found.append(Found(("stopping", "grace"), fault))


def _with_start(
    asked: dict[str, Any], replicates: ReplicatesSpec, space: Space | None, found: list[Found]
) -> dict[str, Any]:
    """The learner's fields with the replicates that every trial starts with."""
    if space and "learner.replicates" in space.paths:
        message = "is searched under `space`; leaders can't have more of them then, drop one of the two"
        found.append(Found(("replicates",), message))
    elif replicates.start is not None and asked.get("replicates", replicates.start) != replicates.start:
        message = f"is {replicates.start}, and `learner.replicates` {asked['replicates']}; keep one of them"
        found.append(Found(("replicates", "start"), message))
    elif replicates.start is not None:
        asked = asked | {"replicates": replicates.start}
    start = asked.get("replicates", 1)
    if replicates.leaders <= start:
        message = f"got {replicates.leaders}, expected more than the {start} that every trial has"
        found.append(Found(("replicates", "leaders"), message))
    return asked


def _check_sampler(search: SearchSpec, space: Space, objectives: list[Any], found: list[Found]) -> None:
    """The sampler must suit the space and the objectives, its options the sampler."""
    goals = [Objective(one.metric, one.goal) for one in objectives]
    faults = unsuitable(search.options, space, goals)
    found += [Found(("search", option), fault) for option, fault in faults]
    if not faults and search.sampler == "grid":
        try:
            for _ in combinations(space, search.steps or 0):
                pass
        except ValueError as error:  # there are too many
            found.append(Found(("search", "sampler"), str(error).removeprefix("`sampler`: ")))
    if search.warm_start and search.sampler not in LEARNING:
        fault = f"{search.sampler} learns nothing; leave it out, or take {', '.join(LEARNING)}"
        found.append(Found(("search", "warm_start"), fault))


def _check_corners(spec: SweepSpec, found: list[Found]) -> None:
    """Fields that are searched must not contradict each other, or the fixed ones."""
    for values in corners(spec.space, spec.fixed):
        try:
            learner_for(spec, values)
            data_for(spec, values)
        except ValueError as error:
            found.append(Found(("space",), f"suggests what cannot be: {reason(error)}"))
            return
