"""The section `space` of a sweep file: searched paths, their domains and conditions."""

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

from model.fields import describe, kind_of, no_such, show
from search.domains import Choice, Domain, Int, Log, Uniform
from search.space import Field, Space
from service.config.faults import ConfigFault, Where
from service.config.model_fields import CONFIGS, PATHS, SEARCHABLE, as_option, canonical, path_fault

DOMAINS: dict[str, type[Uniform] | type[Log] | type[Int] | type[Choice]] = {
    "uniform": Uniform,
    "log": Log,
    "int": Int,
    "choice": Choice,
}
MAX_CORNERS = 1000


def read_space(raw: object, faults: list[ConfigFault]) -> Space | None:
    """The space, or None if there is a fault, which is then added to `faults`."""
    if not isinstance(raw, dict):
        example = "`learner.wiring_cost: {log: [1e-7, 1e-3]}`"
        faults.append(
            ConfigFault(("space",), f"got {show(raw)}, expected paths and domains such as {example}")
        )
        return None
    fields = [_field(path, entry, faults) for path, entry in raw.items()]
    good = [field for field in fields if field is not None]
    _check_conditions(good, faults)
    if any(fault.where[:1] == ("space",) for fault in faults):
        return None
    try:
        return Space(good)
    except ValueError as error:
        faults.append(ConfigFault(("space",), str(error).removeprefix("space: ")))
        return None


def write_space(space: Space) -> dict[str, Any]:
    """The section as plain data, as `read_space` takes it."""
    kinds = {domain: kind for kind, domain in DOMAINS.items()}
    entries: dict[str, Any] = {}
    for field in space.fields:
        entries[field.path] = {kinds[type(field.domain)]: list(field.domain.ends())}
        if field.when:
            wanted = {path: list(w) if isinstance(w, tuple) else w for path, w in field.when.items()}
            entries[field.path]["when"] = wanted
    return entries


def corners(space: Space, fixed: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Suggestions with every field at an end of its domain: all of them or, if these are too many, all pairs.

    Contradictions between fields are between two of them, so that pairs find nearly all.
    """
    ends = {field.path: field.domain.ends() for field in space.fields}
    first = {path: values[0] for path, values in ends.items()}
    if math.prod(map(len, ends.values())) <= MAX_CORNERS:
        groups = [tuple(ends)]
    else:
        groups = list(itertools.combinations(ends, min(2, len(ends))))
    for group in groups:
        for values in itertools.product(*(ends[path] for path in group)):
            suggestion: dict[str, Any] = {}
            chosen = {**first, **dict(zip(group, values, strict=True))}
            for field in space.fields:
                if field.active({**fixed, **suggestion}):
                    suggestion[field.path] = chosen[field.path]
            yield suggestion


def _field(path: str, entry: object, faults: list[ConfigFault]) -> Field | None:
    where = ("space", path)
    before = len(faults)
    if path not in SEARCHABLE:
        fault = (
            no_such("path", path, SEARCHABLE)
            if path not in PATHS
            else f"cannot be searched; set it in `{path.partition('.')[0]}`"
        )
        faults.append(ConfigFault(where, fault))
    if not isinstance(entry, dict):
        faults.append(ConfigFault(where, f"got {show(entry)}, expected a domain such as {{uniform: [0, 1]}}"))
        return None
    faults += [
        ConfigFault((*where, key), no_such("key", key, [*DOMAINS, "when"]))
        for key in entry
        if key not in [*DOMAINS, "when"]
    ]
    kinds = [kind for kind in DOMAINS if kind in entry]
    if len(kinds) != 1 and len(faults) == before:
        got = " and ".join(kinds) or "no domain"
        faults.append(ConfigFault(where, f"got {got}, expected one of {', '.join(DOMAINS)}"))
    when = _when(entry.get("when"), (*where, "when"), faults)
    if len(faults) > before:
        return None
    domain = _domain(path, kinds[0], entry[kinds[0]], (*where, kinds[0]), faults)
    return None if domain is None else Field(path, domain, when)


def _domain(path: str, kind: str, ends: Any, where: Where, faults: list[ConfigFault]) -> Domain | None:
    if not isinstance(ends, list) or (kind != "choice" and len(ends) != 2):
        shape = "[option, option, ...]" if kind == "choice" else "[low, high]"
        faults.append(ConfigFault(where, f"got {show(ends)}, expected {shape}"))
        return None
    section, _, name = path.partition(".")
    config, values = CONFIGS[section], kind_of(CONFIGS[section], name)
    if values == "integer" and kind in ("uniform", "log"):
        faults.append(ConfigFault(where, f"`{name}` is a whole number; use int: [low, high] or choice"))
        return None
    if values not in ("integer", "real") and kind != "choice":
        faults.append(ConfigFault(where, f"`{name}` is {describe(config, name)}; use choice: [...]"))
        return None
    wrong = [fault for fault in (path_fault(path, end) for end in ends) if fault]
    if wrong:
        faults += [ConfigFault(where, fault) for fault in wrong]
        return None
    if kind != "choice" and None in ends:
        faults.append(ConfigFault(where, "got null, expected a number; null can only be an option of choice"))
        return None
    try:
        if kind == "choice":
            return Choice(_options(path, ends))
        return DOMAINS[kind](*(ends if kind == "int" else [canonical(path, end) for end in ends]))
    except ValueError as error:
        faults.append(ConfigFault(where, str(error).removeprefix(f"`{kind}`: ")))
        return None


def _options(path: str, given: list[Any]) -> tuple[Any, ...]:
    """The options of a choice; all as text where layers are among them, for a column has one type."""
    found = tuple(as_option(path, option) for option in given)
    return tuple(map(str, found)) if any(isinstance(option, list) for option in given) else found


def _when(raw: object, where: Where, faults: list[ConfigFault]) -> dict[str, object]:
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        faults.append(
            ConfigFault(where, f"got {show(raw)}, expected paths and values such as learner.embedding: space")
        )
        return {}
    when: dict[str, object] = {}
    for path, wanted in raw.items():
        values = wanted if isinstance(wanted, list) else [wanted]
        if path not in PATHS:
            faults.append(ConfigFault((*where, path), no_such("path", path, PATHS)))
            continue
        wrong = [fault for fault in (path_fault(path, value) for value in values) if fault]
        faults += [ConfigFault((*where, path), fault) for fault in wrong]
        if not wrong:
            allowed = tuple(as_option(path, value) for value in values)
            when[path] = allowed if isinstance(wanted, list) else allowed[0]
    return when


def _check_conditions(fields: list[Field], faults: list[ConfigFault]) -> None:
    """Conditions on searched fields must be able to hold."""
    domains = {field.path: field.domain for field in fields}
    for field in fields:
        for path, wanted in field.when.items():
            values = wanted if isinstance(wanted, tuple) else (wanted,)
            for value in values:
                if path in domains and not domains[path].can_be(value):
                    fault = (
                        f"`{path}` is never {value} in its own domain; name an option of its choice or int"
                    )
                    faults.append(ConfigFault(("space", field.path, "when", path), fault))
            if not values:
                faults.append(
                    ConfigFault(("space", field.path, "when", path), "got [], expected at least one value")
                )
