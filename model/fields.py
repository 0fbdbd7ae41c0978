"""Fields that know their legal values: checked by pydantic, and told in one wording.

A configuration is checked where it is built in Python and where it is read from a sweep file, which wants
every fault with the line it stands on, and wants the ends of a search range checked like the value they stand
for. The other sections of a sweep file are pydantic's models, and their faults are told by the same words.
"""

import difflib
import types
from collections.abc import Iterable, Sequence
from functools import cache, wraps
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import annotated_types as legal
from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)
"""No value is taken for one of another type, no key is passed over, and numbers are finite."""

Kind = Literal["integer", "real", "flag", "choice", "text", "other"]
T = TypeVar("T")

_KINDS: dict[type, Kind] = {bool: "flag", int: "integer", float: "real", str: "text"}
_NOUNS = {"integer": "a whole number", "real": "a number", "flag": "true or false", "text": "text"}


def _refuse_flag(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("true and false are no numbers")
    return value


NoFlag = BeforeValidator(_refuse_flag)
"""For a choice of numbers: true would be taken for 1."""


def faults_in_words(cls: type[T]) -> type[T]:
    """Have a dataclass of pydantic's raise a ValueError that names the class and every illegal field."""
    check = cls.__init__

    @wraps(check)
    def __init__(self: Any, *values: Any, **named: Any) -> None:
        try:
            check(self, *values, **named)
        except ValidationError as error:
            raise ValueError(_in_words(cls, error)) from None

    cls.__init__ = __init__  # type: ignore[method-assign]
    return cls


def _in_words(cls: type, error: ValidationError) -> str:
    faults = []
    for one in error.errors():
        if not one["loc"]:  # a contradiction between fields, which is in words already
            return str(one["ctx"]["error"])
        at = one["loc"][0]
        name = at if isinstance(at, str) else list(fields_of(cls))[at]  # given by place
        faults.append(f"`{name}`: {field_fault(cls, name, one['input'])}")
    return f"{cls.__name__}: " + "; ".join(faults)


def fields_of(cls: type) -> dict[str, FieldInfo]:
    """The fields of a dataclass or a model of pydantic's, by name."""
    found: dict[str, FieldInfo] = cls.__pydantic_fields__  # type: ignore[attr-defined]
    return found


def field_fault(cls: type, name: str, value: object) -> str | None:
    """What is wrong with setting field `name` of `cls` to `value`, or None.

    >>> from model.config import LearnerConfig
    >>> field_fault(LearnerConfig, "hidden", 0)
    'got 0, expected a whole number of at least 1'
    >>> field_fault(LearnerConfig, "hiden", 8)
    'there is no such field; did you mean `hidden`?'
    """
    if name not in fields_of(cls):
        return no_such("field", name, fields_of(cls))
    try:
        _adapter(cls, name).validate_python(value)
    except ValidationError:
        return f"got {value!r}, expected {describe(cls, name)}"
    return None


@cache
def _adapter(cls: type, name: str) -> TypeAdapter[Any]:
    info = fields_of(cls)[name]
    checked: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    return TypeAdapter(checked, config=STRICT)


def kind_of(cls: type, name: str) -> Kind:
    """What the values of a field are.

    >>> from model.config import LearnerConfig
    >>> [kind_of(LearnerConfig, name) for name in ("hidden", "duration", "embedding")]
    ['integer', 'real', 'choice']
    """
    annotation, _ = _without_null(fields_of(cls)[name].annotation)
    if get_origin(annotation) is Literal:
        return "choice"
    return _KINDS.get(annotation, "other")


def describe(cls: type, name: str) -> str:
    """The legal values of a field in words.

    >>> from model.config import LearnerConfig
    >>> describe(LearnerConfig, "hidden"), describe(LearnerConfig, "duration")
    ('a whole number of at least 1', 'a number above 0 or null')
    """
    info, kind = fields_of(cls)[name], kind_of(cls, name)
    annotation, optional = _without_null(info.annotation)
    null = " or null" if optional else ""
    if kind == "choice":
        return "one of " + ", ".join(map(str, get_args(annotation))) + null
    return " ".join([_NOUNS.get(kind, "another value"), _range(info.metadata)]).strip() + null


def _range(metadata: Sequence[object]) -> str:
    """The bounds of a number in words; the least of them first."""
    words = []
    for one in metadata:
        match one:
            case legal.Gt(gt=bound):
                words.append(f"above {bound:g}")
            case legal.Ge(ge=bound):
                words.append(f"of at least {bound:g}")
            case legal.Lt(lt=bound):
                words.append(f"below {bound:g}")
            case legal.Le(le=bound):
                words.append(f"at most {bound:g}")
    return " and ".join(words)


def _without_null(annotation: Any) -> tuple[Any, bool]:
    """A type without None, and whether None was allowed."""
    if get_origin(annotation) in (Union, types.UnionType):
        others = [one for one in get_args(annotation) if one is not type(None)]
        if len(others) == 1:
            return others[0], True
    return annotation, False


def no_such(noun: str, name: str, known: Iterable[str]) -> str:
    """The fault for a name that is not known, with the nearest known one, or all of them.

    >>> no_such("metric", "acuracy", ["accuracy", "loss"])
    'there is no such metric; did you mean `accuracy`?'
    """
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    cure = f"did you mean `{near[0]}`?" if near else "known are " + ", ".join(names)
    return f"there is no such {noun}; {cure}"
