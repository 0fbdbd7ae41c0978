"""What callers hand over, checked where it enters: kinds of arguments, whole numbers, indices of samples.

The kernels are compiled without tests of their own: an index that is out of range there reads or overwrites
memory that belongs to others. So nothing reaches them that has not passed here or the like of it.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from types import NoneType, UnionType
from typing import Any, ParamSpec, TypeVar, get_args

import numpy as np

from model.arrays import Array, Floats, Ints
from model.fields import show

P = ParamSpec("P")
T = TypeVar("T")

_NUMBERS: Mapping[Any, tuple[tuple[type, ...], str]] = {
    int: ((int, np.integer), "a whole number"),
    float: ((int, float, np.integer, np.floating), "a number"),
    str: ((str,), "text"),
    bytes: ((bytes,), "bytes"),
}
"""What is taken for a parameter of such a type besides instances of a class, and its name."""


def kinds_checked(function: Callable[P, T]) -> Callable[P, T]:
    """Have `function` raise TypeError, in words, for an argument that is not of the kind its parameter says.

    Looked at are parameters of a class, a number, text or bytes; what is said to be an array, a list or
    anything at all is left to the function. True and false are no numbers.

    >>> @kinds_checked
    ... def twice(number: int) -> int:
    ...     return 2 * number
    >>> twice(True)
    Traceback (most recent call last):
    TypeError: twice: `number`: got True, expected a whole number
    """
    parameters = inspect.signature(function).parameters
    wanted = [
        (place, name, _kinds(parameter.annotation))
        for place, (name, parameter) in enumerate(parameters.items())
        if _kinds(parameter.annotation)
    ]
    where = function.__qualname__.removesuffix(".__init__")

    @wraps(function)
    def checked(*values: P.args, **named: P.kwargs) -> T:
        for place, name, kinds in wanted:
            if place < len(values):
                _check_kind(values[place], kinds, where, name)
            elif name in named:
                _check_kind(named[name], kinds, where, name)
        return function(*values, **named)

    return checked


def _kinds(annotation: Any) -> tuple[type, ...]:
    """The classes that an annotation allows; none if there is one among them that cannot be looked at."""
    kinds = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    plain = all(isinstance(kind, type) and kind not in (object, inspect.Parameter.empty) for kind in kinds)
    return kinds if plain else ()


def _check_kind(value: object, kinds: tuple[type, ...], where: str, name: str) -> None:
    if type(value) in kinds:
        return
    for kind in kinds:
        if kind in _NUMBERS:
            if isinstance(value, _NUMBERS[kind][0]) and not isinstance(value, bool):
                return
        elif isinstance(value, kind):
            return
    nouns = [_NUMBERS[kind][1] if kind in _NUMBERS else _noun(kind) for kind in kinds]
    raise TypeError(f"{where}: `{name}`: got {show(value)}, expected {' or '.join(nouns)}")


def _noun(kind: type) -> str:
    return "None" if kind is NoneType else f"a {kind.__name__}"


def whole(value: object, where: str, least: int, most: int | None = None) -> int:
    """A whole number from `least` to `most`, as Python's own; `where` names it in errors.

    Raises ValueError for anything else: true, false and floats are no whole numbers.

    >>> whole(np.int64(3), "here", 0)
    3
    """
    number = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not number or value < least or (most is not None and value > most):  # type: ignore[operator]
        ends = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"{where}: got {show(value)}, expected a whole number {ends}")
    return int(value)  # type: ignore[call-overload, no-any-return]


def as_array(values: Any, where: str, dtype: Any = None) -> Array:
    """`values` as an array, of type `dtype` where one is given; ValueError in words for what makes none."""
    try:
        return np.asarray(values, dtype=dtype)
    except (ValueError, TypeError, RuntimeError) as error:  # lists of different lengths, tensors elsewhere
        raise ValueError(f"{where}: got {show(values)}, expected a list or an array of numbers") from error


def real_array(values: Any, where: str, axes: str) -> Floats:
    """`values` as float64, with the dimensions that `axes` names, such as "N, C"; else ValueError."""
    array = as_array(values, where, np.float64)
    if array.ndim != len(axes.split(",")):
        raise ValueError(f"{where}: got shape {list(array.shape)}, expected [{axes}]")
    return array


def sample_indices(indices: Any, size: int, where: str) -> Ints:
    """The `indices` of some of `size` samples, of any shape, each from 0 to size - 1, as int64 in one block.

    As in NumPy a negative one counts from the end. `where` names them in errors.

    Raises IndexError if one is out of range or is no whole number: floats, true and false are none.

    >>> sample_indices([[0, -1]], 3, "here")
    array([[0, 2]])
    """
    try:
        given = as_array(indices, where)
    except ValueError as error:
        raise IndexError(str(error)) from error
    if given.size == 0:
        return np.empty(given.shape, np.int64)  # an empty list arrives as floats
    if given.dtype.kind not in "iu" or _has_truths(indices):
        raise IndexError(
            f"{where}: got {show(indices)}, expected indices of samples, which are whole numbers"
        )
    outside = (given < -size) | (given >= size)
    if outside.any():
        raise IndexError(f"{where}: index {given[outside][0]} is out of range for {size} samples")
    found = np.ascontiguousarray(given, dtype=np.int64).reshape(given.shape)
    return np.where(found < 0, found + size, found) if found.min() < 0 else found


def _has_truths(values: Any) -> bool:
    """Whether there is a true or false in a list, which NumPy takes for 1 or 0 beside numbers."""
    if isinstance(values, list | tuple):
        return any(map(_has_truths, values))
    return isinstance(values, bool | np.bool_)
