"""A sweep file read and checked: by itself, section by section, and the sections together."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from model.config import LearnerConfig
from model.fields import no_such
from model.topology.names import NULL_MEASURES, null_measures
from search.combinations import combinations
from search.objectives import Constraint, Objective
from search.samplers.options import LEARNING, unsuitable
from search.space import Space
from search.stopping import FOR_ONE
from service.config.archive import archive_measures
from service.config.document import Document, read
from service.config.evolution import check_evolution
from service.config.faults import ConfigFault, Where
from service.config.field_types import GUIDES
from service.config.metrics import METRICS
from service.config.model_fields import PATHS, build, find_files, read_fields, reason
from service.config.read_section import KEYS, SECTIONS, default, read_section
from service.config.sections import RecordSpec, ReplicatesSpec, SearchSpec
from service.config.space import corners, read_space
from service.config.sweep import SweepSpec, data_for, fields_of, fixed_values, learner_for
from service.config.validation import check_validation, contradiction, start_fault
from service.storage.paths import ObjectPath, StoragePath

Source = str | StoragePath | Mapping[str, Any] | None
"""Where a sweep is read from: the path of a file, or its keys and values; None: it has none."""


def load(path: Source, overrides: Sequence[str] = (), *, elsewhere: bool = False) -> SweepSpec:
    """The sweep that the file at `path` asks for; see `read_sweep`."""
    return read_sweep(path, overrides, elsewhere=elsewhere)[0]


def read_sweep(
    path: Source, overrides: Sequence[str] = (), *, elsewhere: bool = False
) -> tuple[SweepSpec, Document]:
    """Read and check the sweep file at `path` with the overrides of `--set`, each `PATH=VALUE`.

    In place of a path there may be the keys and values themselves; None stands for none at all.

    With `elsewhere` the sweep is to run on other machines, or has run there: data files that are given by an
    absolute path may be missing here.

    Returns the sweep, and the document, which knows the line of every value.

    Raises UserError with every fault that was found, each with its line.
    """
    document = _document(path, overrides)
    faults = list(document.faults)
    # Files beside a sweep file on an object store can't be meant: what is there is resolved.
    folder = (
        Path.cwd() if path is None or isinstance(path, ObjectPath | Mapping) else Path(path).absolute().parent
    )
    spec = _spec(document, folder, faults, elsewhere)
    if faults:
        raise document.error(faults)
    assert spec is not None
    return spec, document


def _document(source: Source, overrides: Sequence[str]) -> Document:
    if source is None or isinstance(source, Mapping):
        return Document.of_values(source or {}, overrides)
    return read(source, overrides)


def _spec(document: Document, folder: Path, faults: list[ConfigFault], elsewhere: bool) -> SweepSpec | None:
    """The checked sweep; its faults are added to `faults`, and then there may be none."""
    raw = {key: value for key, value in document.data.items() if value is not None}
    _check_keys(raw, faults)
    sections: dict[str, Any] = {
        key: read_section(key, raw[key], faults) if key in raw else default(key) for key in SECTIONS
    }
    names: dict[str, Any] = {
        key: read_section(key, raw[key], faults) for key in ("name", "experiment") if key in raw
    }
    constraints = _constraints(sections.pop("constraints") or [], faults)
    space = read_space(raw.get("space", {}), faults)
    _check_not_in_both(raw, faults)
    asked = read_fields("learner", raw.get("learner", {}), faults)
    if asked is not None and sections["replicates"]:
        asked = _with_start(asked, sections["replicates"], space, faults)
    if asked is not None:
        asked = find_files("learner", asked, folder, faults, elsewhere)
    learner = _config("learner", asked, space, faults)
    files = read_fields("data", raw["data"], faults) if "data" in raw else None
    data = _config("data", files and find_files("data", files, folder, faults, elsewhere), space, faults)
    _check_together(sections, constraints, learner, space, faults)
    if learner and data and space:
        check_validation(sections, constraints, learner, data, space, faults)
        check_evolution(sections, constraints, learner, space, faults)
    _check_compared(sections, constraints, faults)
    if space is not None and sections["search"] and sections["objectives"]:
        settled = space.given(fixed_values(learner, data, space)) if learner and data else space
        _check_sampler(sections["search"], settled, sections["objectives"], faults)
    if faults or learner is None or data is None or space is None:
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
    _check_corners(spec, faults, elsewhere)
    return spec


def _check_keys(raw: Mapping[str, Any], faults: list[ConfigFault]) -> None:
    faults += [ConfigFault((key,), _unknown(key)) for key in raw if key not in KEYS]
    cures = {"name": "give the sweep a name", "data": "give a data set such as {name: digits}"}
    blamed = {fault.where[:1] for fault in faults}
    faults += [
        ConfigFault((key,), f"is missing; {cure}")
        for key, cure in cures.items()
        if key not in raw and (key,) not in blamed
    ]


def _unknown(key: str) -> str:
    """What to say of a key that there is not; fields of `learner` and `data` are often given without."""
    homes = [path for path in PATHS if path.partition(".")[2] == key]
    return f"there is no such key; did you mean `{homes[0]}`?" if homes else no_such("key", key, KEYS)


def _check_not_in_both(raw: Mapping[str, Any], faults: list[ConfigFault]) -> None:
    """A field is either searched or set."""
    space = raw.get("space")
    for section in ("learner", "data"):
        for key in raw[section] if isinstance(raw.get(section), dict) else ():
            if isinstance(space, dict) and f"{section}.{key}" in space:
                message = "is searched under `space`, too; keep it in one of the two places"
                faults.append(ConfigFault((section, key), message))


def _constraints(specs: list[Any], faults: list[ConfigFault]) -> tuple[Constraint, ...]:
    constraints = []
    for index, spec in enumerate(specs):
        try:
            constraints.append(Constraint(**spec.model_dump()))
        except ValueError as error:
            faults.append(ConfigFault(("constraints", index), str(error).partition(": ")[2]))
    return tuple(constraints)


def _config(
    section: str, given: dict[str, Any] | None, space: Space | None, faults: list[ConfigFault]
) -> Any | None:
    """The configuration of `section`; a field that is always searched stands at an end of its domain."""
    if given is None:
        return None
    fields = space.fields if space else ()
    ends = fields_of(section, {field.path: field.domain.ends()[0] for field in fields if not field.when})
    return build(section, {**given, **ends}, faults)


def _check_together(
    sections: Mapping[str, Any],
    constraints: Sequence[Constraint],
    learner: LearnerConfig | None,
    space: Space | None,
    faults: list[ConfigFault],
) -> None:
    """Sections that are legal by themselves must go together."""
    stopping, objectives = sections["stopping"], sections["objectives"]
    if not stopping or stopping.rule == "none":
        return
    if objectives and len(objectives) > 1 and stopping.rule in FOR_ONE:
        fault = f"{stopping.rule} needs a single objective, got {len(objectives)}; use pareto"
        faults.append(ConfigFault(("stopping", "rule"), fault))
    heeded = constraints if stopping.rule == "pareto" else ()
    late = [one.metric for one in (*(objectives or ()), *heeded) if one.metric not in METRICS]
    if late:
        fault = f"`{late[0]}` is measured when training is over, and {stopping.rule} decides before; use none"
        faults.append(ConfigFault(("stopping", "rule"), fault))
    if learner and space:
        searched = [field.domain for field in space.fields if field.path == "learner.epochs"]
        ends = [end for domain in searched for end in domain.ends() if isinstance(end, int)]
        epochs = max([learner.epochs, *ends])
        if stopping.grace >= epochs:
            fault = f"got {stopping.grace}, expected less than the {epochs} epochs of a trial"
            faults.append(ConfigFault(("stopping", "grace"), fault))


def _check_compared(
    sections: Mapping[str, Any], constraints: Sequence[Constraint], faults: list[ConfigFault]
) -> None:
    """What decides against null networks must be compared with them."""
    record: RecordSpec | None = sections["record"]
    known = record and {*GUIDES, *null_measures(record.compared_measures)}
    if record and record.compared is not None and not record.nulls:
        faults.append(
            ConfigFault(("record", "compared"), "compares with no nulls; set `record.nulls`, say to 50")
        )
    deciding: list[tuple[Where, str]] = [
        *((("objectives", n, "metric"), one.metric) for n, one in enumerate(sections["objectives"] or ())),
        *((("constraints", n, "metric"), one.metric) for n, one in enumerate(constraints)),
        *((where, name) for where, name in archive_measures(sections) if name in NULL_MEASURES),
    ]
    for where, metric in deciding:
        if known and metric not in known:
            cure = (
                "name its measure in `record.compared`" if record and record.nulls else "set `record.nulls`"
            )
            faults.append(ConfigFault(where, f"`{metric}` is not recorded; {cure}"))


def _with_start(
    asked: dict[str, Any], replicates: ReplicatesSpec, space: Space | None, faults: list[ConfigFault]
) -> dict[str, Any]:
    """The learner's fields with the replicates that every trial starts with."""
    if space and "learner.replicates" in space.paths:
        message = "is searched under `space`; leaders can't have more of them then, drop one of the two"
        faults.append(ConfigFault(("replicates",), message))
    elif replicates.start is not None and asked.get("replicates", replicates.start) != replicates.start:
        message = f"is {replicates.start}, and `learner.replicates` {asked['replicates']}; keep one of them"
        faults.append(ConfigFault(("replicates", "start"), message))
    elif replicates.start is not None:
        asked = asked | {"replicates": replicates.start}
    start = asked.get("replicates", 1)
    if replicates.leaders <= start:
        message = f"got {replicates.leaders}, expected more than the {start} that every trial has"
        faults.append(ConfigFault(("replicates", "leaders"), message))
    return asked


def _check_sampler(
    search: SearchSpec, space: Space, objectives: list[Any], faults: list[ConfigFault]
) -> None:
    """The sampler must suit the space and the objectives, its options the sampler."""
    goals = [Objective(one.metric, one.goal) for one in objectives]
    wrong = unsuitable(search, space, goals)
    faults += [ConfigFault(("search", option), fault) for option, fault in wrong]
    if not wrong and search.sampler == "grid":
        try:
            for _ in combinations(space, search.steps or 0):
                pass
        except ValueError as error:  # there are too many
            faults.append(ConfigFault(("search", "sampler"), str(error).removeprefix("`sampler`: ")))
    if search.warm_start and search.sampler not in LEARNING:
        fault = f"{search.sampler} learns nothing; leave it out, or take {', '.join(LEARNING)}"
        faults.append(ConfigFault(("search", "warm_start"), fault))


def _check_corners(spec: SweepSpec, faults: list[ConfigFault], elsewhere: bool) -> None:
    """Fields that are searched must not contradict each other, or the fixed ones."""
    for values in corners(spec.space, spec.fixed):
        try:
            learner = learner_for(spec, values)
            wrong = contradiction(learner, data_for(spec, values))
            start = None if elsewhere else start_fault(learner)
        except ValueError as error:
            wrong, start = reason(error), None
        if wrong:
            faults.append(ConfigFault(("space",), f"suggests what cannot be: {wrong}"))
        elif start:
            faults.append(ConfigFault(("learner", "start"), start))
        if wrong or start:
            return
