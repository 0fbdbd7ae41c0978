"""Fields that know their legal values: checked by pydantic, and told in one wording.

A configuration is checked where it is built in Python and where it is read from a sweep file, which wants
every fault with the line it stands on, and wants the ends of a search range checked like the value they stand
for. The other sections of a sweep file are pydantic's too, and their faults are told by the same words.
"""

import difflib
import types
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, wraps
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)
"""No value is taken for one of another type, no key is passed over, numbers are finite, docstrings kept."""

Kind = Literal["integer", "real", "flag", "choice", "text", "other"]
"""What the values of a field are."""

Place = tuple[str | int, ...]
"""Names and indices from a value inwards."""

T = TypeVar("T")

_KINDS: dict[Any, Kind] = {bool: "flag", int: "integer", float: "real", str: "text"}
_NOUNS = {"integer": "a whole number", "real": "a number", "flag": "true or false", "text": "text"}
_BOUNDS = {"gt": "above", "ge": "of at least", "lt": "below", "le": "at most"}
_WRONG_CALL = ("unexpected_positional_argument", "multiple_argument_values")
_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")


@dataclass(frozen=True)
class Words:
    """The legal values of a type in words, where its bounds do not say them well. Goes into Annotated.

    Whatever else stands in Annotated and has `words` is taken by them, too.
    """

    words: str


def _whole(value: object) -> object:
    if type(value) is not int:
        raise PydanticCustomError("not_whole", "Input should be a whole number")
    return value


def _real(value: object) -> object:
    if value is not None and not isinstance(value, int | float):
        raise PydanticCustomError("not_real", "Input should be a number")
    return value


WholeOnly = BeforeValidator(_whole)
"""For a choice of whole numbers, where pydantic would take true and 1.0 for 1. Goes last into Annotated."""

RealOnly = BeforeValidator(_real)
"""For a real number, where pydantic would take NumPy's true for 1.0. Goes last into Annotated."""

Count = Annotated[int, Field(ge=1)]
Real = Annotated[float, RealOnly]
Positive = Annotated[float, Field(gt=0), RealOnly]
NotNegative = Annotated[float, Field(ge=0), RealOnly]
Share = Annotated[float, Field(ge=0, le=1), RealOnly]
Text = Annotated[str, Field(min_length=1)]


def faults_in_words(cls: type[T]) -> type[T]:
    """Have a dataclass of pydantic's raise a ValueError that names the class and every illegal field."""
    check = cls.__init__

    @wraps(check)
    def __init__(self: Any, *values: Any, **named: Any) -> None:
        try:
            check(self, *values, **named)
        except ValidationError as error:
            if any(one["type"] in _WRONG_CALL for one in error.errors()):
                raise TypeError(str(error)) from None
            faults = faults_of(cls, error)
            told = [f"`{place[0]}`: {fault}" for place, fault in faults if place]
            # A contradiction between fields is found last and alone, and names the class by itself.
            raise ValueError(f"{cls.__name__}: {'; '.join(told)}" if told else faults[0][1]) from None

    cls.__init__ = __init__  # type: ignore[method-assign]
    return cls


def faults_of(root: Any, error: ValidationError, noun: str = "field") -> list[tuple[Place, str]]:
    """The faults that pydantic found in a value of type `root`, each with its place, in our words.

    Args:
        root: a class with fields, or any type made of such.
        error: what pydantic raised.
        noun: what a name is that is not known.
    """
    return [(_named(root, one["loc"]), _in_words(root, one, noun)) for one in error.errors()]


def _named(root: Any, place: Place) -> Place:
    """A place with the name of a field that was given by its position."""
    names = list(fields_of(root))
    return (names[place[0]], *place[1:]) if names and place and isinstance(place[0], int) else place


def _in_words(root: Any, fault: ErrorDetails, noun: str) -> str:
    kind, place, value = fault["type"], _named(root, fault["loc"]), fault["input"]
    if kind == "value_error":
        return str(fault["ctx"]["error"])
    if kind in _UNKNOWN:
        return no_such(noun, str(place[-1]), fields_of(_type_at(root, place[:-1])))
    if kind == "too_short":
        return f"got {show(value)}, expected at least one"
    if kind == "string_unicode":
        return f"got {show(value)}, which is no text in UTF-8; choose another"
    legal = legal_values(_type_at(root, place))
    return f"is missing; give {legal}" if kind == "missing" else f"got {show(value)}, expected {legal}"


def _type_at(root: Any, place: Place) -> Any:
    """The type of what is at a place of a value of type `root`; as far inwards as types tell."""
    found = root
    for step in place:
        bare = _taken_apart(found)[0]
        if isinstance(step, int):
            found = (*get_args(bare), found)[0]
        elif step in fields_of(bare):
            found = _field_type(bare, step)
    return found


def fields_of(cls: Any) -> dict[str, FieldInfo]:
    """The fields of a dataclass or a model of pydantic's by name; none of another type."""
    return getattr(_taken_apart(cls)[0], "__pydantic_fields__", {})


def _field_type(cls: Any, name: str) -> Any:
    info = fields_of(cls)[name]
    return Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation


def field_fault(cls: type, name: str, value: object) -> str | None:
    """What is wrong with setting field `name` of `cls` to `value`, or None.

    >>> from model.config import LearnerConfig
    >>> field_fault(LearnerConfig, "hidden", 0)
    'got 0, expected a whole number of at least 1, or a list of such, one a layer'
    >>> field_fault(LearnerConfig, "hiden", 8)
    'there is no such field; did you mean `hidden`?'
    """
    if name not in fields_of(cls):
        return no_such("field", name, fields_of(cls))
    try:
        _checker(cls, name).validate_python(value)
    except ValidationError as error:
        return faults_of(_field_type(cls, name), error)[0][1]
    return None


@cache
def _checker(cls: type, name: str) -> TypeAdapter[Any]:
    return TypeAdapter(_field_type(cls, name), config=STRICT)


def kind_of(cls: type, name: str) -> Kind:
    """What the values of a field are, null aside; of several kinds, the first.

    >>> from model.config import LearnerConfig
    >>> [kind_of(LearnerConfig, name) for name in ("hidden", "duration", "embedding")]
    ['integer', 'real', 'choice']
    """
    bare = _taken_apart(_field_type(cls, name))[0]
    several = get_args(bare) if get_origin(bare) in (Union, types.UnionType) else (bare,)
    return _kind(_taken_apart(several[0])[0])


def _kind(bare: Any) -> Kind:
    return "choice" if get_origin(bare) is Literal else _KINDS.get(bare, "other")


def describe(cls: type, name: str) -> str:
    """The legal values of a field in words.

    >>> from model.config import LearnerConfig
    >>> describe(LearnerConfig, "dimensions"), describe(LearnerConfig, "duration")
    ('a whole number of at least 1', 'a number above 0 or null')
    """
    return legal_values(_field_type(cls, name))


def legal_values(annotation: Any) -> str:
    """The legal values of a type in words.

    >>> legal_values(Annotated[int, Field(ge=2)] | None), legal_values(Literal["min", "max"])
    ('a whole number of at least 2 or null', 'one of min, max')
    """
    bare, notes, optional = _taken_apart(annotation)
    null = " or null" if optional else ""
    for note in notes:
        if words := getattr(note, "words", None):
            return f"{words}{null}"
    if fields_of(bare):
        return "keys and values; known are " + ", ".join(fields_of(bare))
    kind = _kind(bare)
    if kind == "choice":
        return "one of " + ", ".join(map(str, get_args(bare))) + null
    bounds = [
        f"{words} {bound:g}"
        for note in notes
        for key, words in _BOUNDS.items()
        if (bound := getattr(note, key, None)) is not None
    ]
    if kind == "real" and not bounds:
        return "a finite number" + null
    noun = _NOUNS.get(kind, "a list" if get_origin(bare) is list else "another value")
    return " ".join([noun, " and ".join(bounds)]).strip() + null


def _taken_apart(annotation: Any) -> tuple[Any, list[Any], bool]:
    """A type less what is said about it, that, and whether it may be None.

    >>> _taken_apart(Annotated[str, Words("a colour")] | None)
    (<class 'str'>, [Words(words='a colour')], True)
    """
    if get_origin(annotation) is Annotated:
        inner, *notes = get_args(annotation)
        bare, more, optional = _taken_apart(inner)
        flat = [one for note in notes for one in (note.metadata if isinstance(note, FieldInfo) else [note])]
        return bare, more + flat, optional
    if get_origin(annotation) in (Union, types.UnionType):
        others = [one for one in get_args(annotation) if one is not types.NoneType]
        if len(others) == 1:
            return *_taken_apart(others[0])[:2], True
    return annotation, [], False


def no_such(noun: str, name: str, known: Iterable[str]) -> str:
    """The fault for a name that is not known, with those that are nearest, or all.

    >>> no_such("metric", "acuracy", ["accuracy", "loss"])
    'there is no such metric; did you mean `accuracy`?'
    >>> no_such("sampler", "nsga", ["tpe", "nsga2", "nsga3"])
    'there is no such sampler; did you mean `nsga2` or `nsga3`?'
    """
    names = list(known)
    near = difflib.get_close_matches(name, names, n=3)
    alike = [one for one in names if one in near and _likeness(name, one) == _likeness(name, near[0])]
    meant = " or ".join(f"`{one}`" for one in alike)
    cure = f"did you mean {meant}?" if alike else "known are " + ", ".join(names)
    return f"there is no such {noun}; {cure}"


def _likeness(name: str, known: str) -> float:
    return difflib.SequenceMatcher(None, known, name).ratio()


def show(value: object) -> str:
    """The value as a short Python literal.

    >>> show("x" * 1000)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."
    """
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
