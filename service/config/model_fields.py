"""The sections `learner` and `data` of a sweep file: fields of the model's two configurations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from model.config import LearnerConfig
from model.datasets.config import DataConfig, name_fault
from model.fields import field_fault, kind_of, show
from model.layers import as_text, sizes_of
from service.config.faults import ConfigFault
from service.text import NOT_UTF8, is_utf8

Config = TypeVar("Config", bound=LearnerConfig | DataConfig)

CONFIGS: dict[str, type[LearnerConfig] | type[DataConfig]] = {"learner": LearnerConfig, "data": DataConfig}
"""The first part of a path such as `learner.hidden`, and what the second part is a field of."""

PATHS = tuple(f"{section}.{field.name}" for section, config in CONFIGS.items() for field in fields(config))
"""The paths of all fields."""

SEARCHABLE = tuple(
    path
    for path in PATHS
    if (path.startswith("learner.") and path != "learner.start")
    or path in ("data.validation", "data.validation_group", "data.seed")
)


def path_fault(path: str, value: object) -> str | None:
    """What is wrong with setting the field at `path`, one of PATHS, to `value`, or None."""
    section, _, name = path.partition(".")
    return field_fault(CONFIGS[section], name, value)


def canonical(path: str, value: Any) -> Any:
    """`value` in the type of the field at `path`: a whole number given for a real one becomes a float."""
    section, _, name = path.partition(".")
    whole_for_real = kind_of(CONFIGS[section], name) == "real" and isinstance(value, int)
    return float(value) if whole_for_real else value


def as_option(path: str, value: Any) -> Any:
    """`value` as a search knows it, which has no lists: layers as text.

    >>> as_option("learner.hidden", [64, 32]), as_option("learner.hidden", 64)
    ('64-32', 64)
    """
    layers = path == "learner.hidden" and isinstance(value, list | tuple)
    return as_text(sizes_of(value)) if layers else canonical(path, value)


def read_fields(section: str, raw: object, faults: list[ConfigFault]) -> dict[str, Any] | None:
    """The fields given in `section`, or None if there is a fault, which is then added to `faults`."""
    if not isinstance(raw, dict):
        name = fields(CONFIGS[section])[0].name
        faults.append(ConfigFault((section,), f"got {show(raw)}, expected keys and values such as `{name}:`"))
        return None
    wrong = {key: field_fault(CONFIGS[section], key, value) for key, value in raw.items()}
    if section == "data" and isinstance(raw.get("name"), str):
        wrong["name"] = wrong["name"] or name_fault(raw["name"])
    faults += [ConfigFault((section, key), fault) for key, fault in wrong.items() if fault]
    if any(wrong.values()):
        return None
    return {key: canonical(f"{section}.{key}", value) for key, value in raw.items()}


FILES = {
    "data": {"path": "an HDF5 file", "test": "an HDF5 file"},
    "learner": {"start": "a .npz or .json file"},
}
"""The fields of each section that name files, and what these are."""


def find_files(
    section: str, given: dict[str, Any], folder: Path, faults: list[ConfigFault], elsewhere: bool
) -> dict[str, Any]:
    """The fields of a section with absolute file names, looked for in `folder` and then in the working one.

    With `elsewhere`, those that are given by an absolute path may be files of other machines.
    """
    resolved = dict(given)
    for key, kind in FILES[section].items():
        if given.get(key) is None:
            continue
        candidates = [start / given[key] for start in (folder, Path.cwd())]
        file = next((path for path in candidates if _looks(Path.is_file, path)), None)
        if file is None and elsewhere and Path(given[key]).is_absolute():
            continue
        if file is None:
            faults.append(ConfigFault((section, key), _why_missing(candidates, kind)))
        elif not is_utf8(str(file.resolve())):
            faults.append(ConfigFault((section, key), f"{file.resolve()} {NOT_UTF8}"))
        else:
            resolved[key] = str(file.resolve())
    return resolved


def _why_missing(candidates: Sequence[Path], kind: str) -> str:
    for path in candidates:
        if _looks(Path.is_symlink, path):
            return f"{path} is a link to {path.readlink()}, where there is no file; mend the link"
    places = " or ".join(dict.fromkeys(map(str, candidates)))
    return f"there is no file {places}; give the path of {kind}"


def _looks(ask: Callable[[Path], bool], path: Path) -> bool:
    try:
        return ask(path)
    except OSError:  # such as a name that is too long
        return False


def build(section: str, values: Mapping[str, Any], faults: list[ConfigFault]) -> Any | None:
    """The configuration of `section`, or None and a fault in `faults` if its fields contradict each other."""
    try:
        return checked(CONFIGS[section](**values))
    except ValueError as error:
        faults.append(ConfigFault((section,), reason(error)))
        return None


def checked(config: Config) -> Config:
    """The configuration as it was given, if a network can be made of it; else ValueError."""
    if isinstance(config, LearnerConfig) and config.duration is not None:
        _ = config.steps  # raises unless the duration is a whole number of steps
    return config


def reason(error: ValueError) -> str:
    """The text of a configuration's error without the name of its class."""
    return str(error).removeprefix("LearnerConfig: ").removeprefix("DataConfig: ")


def given_fields(config: LearnerConfig | DataConfig) -> dict[str, Any]:
    """The fields as they stand in a resolved file: those that have no meaning are left out."""
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    if isinstance(config, LearnerConfig):
        return values | {"hidden": list(config.hidden) if isinstance(config.hidden, tuple) else config.hidden}
    if config.is_split:
        return {"name": config.name}
    return {key: value for key, value in values.items() if value is not None}
