"""A sweep file as it was written: its data with the overrides of `--set`, and where each value came from."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from model.fields import show
from service.config.faults import ConfigFault, Where, dotted
from service.config.yaml_text import MAX_DEPTH, Parsed, Unreadable, write
from service.errors import Fault, UserError
from service.storage.paths import ObjectPath, StoragePath

MAX_BYTES = 256 * 1024
MAX_WIDTH = 800  # of a fault, whatever was given


class Document:
    """A mapping read from a file. Raises Unreadable if `text` is not one."""

    def __init__(self, file: str, text: str) -> None:
        parsed = Parsed(text)
        if not isinstance(parsed.data, dict):
            got = "is empty" if parsed.data is None else f"is {show(parsed.data)}"
            raise Unreadable(1, f"{got}, expected keys and values such as `name: wiring`")
        self.data: dict[str, Any] = parsed.data
        self.faults = parsed.faults
        """Faults of reading and of the overrides; to be reported together with those of checking."""
        self._file = file
        self._lines: dict[Where, int] = {(): 1, **parsed.lines}
        self._options: list[str] = []
        self._option_at: dict[Where, int] = {}  # what --set has given: index into _options

    @classmethod
    def of_values(cls, values: Mapping[str, Any], options: Sequence[str]) -> "Document":
        """The keys and values of a sweep file that is none, and options, each `PATH=VALUE`."""
        document = cls("sweep", write(dict(values)) if values else "{}")
        for option in options:
            document.override(option)
        return document

    def line_of(self, where: Where) -> int:
        """The line of the value at `where`, or of the nearest one around it; 1 for the whole file."""
        return next(self._lines[around] for around in _outwards(where) if around in self._lines)

    def override(self, option: str) -> None:
        """Set a value as `--set PATH=VALUE` asks. VALUE is YAML; mappings on the way are made if missing."""
        self._options.append(option)
        path, equals, text = option.partition("=")
        names = _names(path.strip())
        try:
            if not equals or "" in names or len(names) > MAX_DEPTH:
                raise ValueError("expected PATH=VALUE, such as learner.hidden=64")
            parsed = Parsed(text)
            if parsed.faults:
                raise ValueError(parsed.faults[0].message)
            self._put(names, parsed.data)
        except (ValueError, Unreadable) as error:
            self.faults.append(ConfigFault(names, str(error), option=len(self._options) - 1))

    def _put(self, names: tuple[str, ...], value: Any) -> None:
        inside: Any = self.data
        where: Where = ()
        for name in names:
            key = _key(inside, name, where)
            where = (*where, key)
            if len(where) == len(names):
                inside[key] = value
                self._forget(where)
            elif isinstance(inside, dict) and inside.get(key) is None:
                inside[key] = {}
                self._forget(where)
            inside = inside[key]

    def _forget(self, where: Where) -> None:
        """From now on the value at `where` comes from the latest option."""
        for places in (self._lines, self._option_at):
            for inside in [place for place in places if place[: len(where)] == where]:
                del places[inside]
        self._option_at[where] = len(self._options) - 1

    def error(self, faults: Iterable[ConfigFault]) -> UserError:
        """All faults: those of the file by line, then those of the options in their order."""
        wrong: dict[Fault, tuple[bool, int]] = {}
        for one in faults:
            is_option, number = origin = self._origin(one)
            place = f"--set {self._options[number]}" if is_option else f"{self._file}:{number}"
            wrong[Fault(place, _cut(dotted(one.where)), _cut(one.message))] = origin
        return UserError(sorted(wrong, key=lambda fault: wrong[fault]))

    def _origin(self, one: ConfigFault) -> tuple[bool, int]:
        """Whether the value came by an option, and the number of the option or line."""
        if one.option is not None:
            return True, one.option
        if one.line is not None:
            return False, one.line
        for around in _outwards(one.where):
            if around in self._option_at:
                return True, self._option_at[around]
            if around in self._lines:
                return False, self._lines[around]
        raise AssertionError("the root has a line")


def read(path: str | StoragePath, options: Sequence[str] = ()) -> Document:
    """Read the YAML file at `path` and apply the overrides `options`, each `PATH=VALUE`.

    Raises UserError if the file cannot be read; lesser faults are in the document's `faults`.
    """
    try:
        document = Document(str(path), _text(Path(path) if isinstance(path, str) else path))
    except Unreadable as error:
        raise UserError([Fault(f"{path}:{error.line}", "file", str(error))]) from None
    for option in options:
        document.override(option)
    return document


def _text(path: StoragePath) -> str:
    try:
        if isinstance(path, ObjectPath):
            raw = path.read_bytes()
        else:
            with path.open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Unreadable(1, f"cannot be read ({reason}); give the path of a sweep file") from None
    if len(raw) > MAX_BYTES:
        raise Unreadable(1, f"is larger than {MAX_BYTES // 1024} KiB; a sweep file is a page of YAML")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Unreadable(line, "is not UTF-8 text; save it as UTF-8") from None


def _names(path: str) -> tuple[str, ...]:
    """The keys of a dotted path; keys of `space` and of `when` have a dot of their own.

    >>> _names("space.learner.delay_scale.when.learner.embedding")
    ('space', 'learner.delay_scale', 'when', 'learner.embedding')
    """
    names: list[str] = []
    for part in path.split("."):
        if names and names[-1] in ("learner", "data") and names[-2:-1] in (["space"], ["when"]):
            names[-1] += f".{part}"
        else:
            names.append(part)
    return tuple(names)


def _key(inside: Any, name: str, where: Where) -> str | int:
    """The key or index that `name` stands for in the value at `where`; ValueError if there can be none."""
    if isinstance(inside, dict):
        return name
    if not isinstance(inside, list):
        raise ValueError(f"`{dotted(where)}` is {show(inside)}, which has nothing inside to set")
    if not (name.isascii() and name.isdecimal() and int(name) < len(inside)):
        raise ValueError(f"`{dotted(where)}` is a list of {len(inside)}; name an item by its place from 0")
    return int(name)


def _outwards(where: Where) -> Iterable[Where]:
    return (where[:n] for n in range(len(where), -1, -1))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_WIDTH else text[:MAX_WIDTH] + "..."
