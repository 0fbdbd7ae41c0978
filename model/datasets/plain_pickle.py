"""Reading of pickles without running anything that they name.

A pickle is a program: it names functions and calls them. Here every name it may use at all stands for an
inert class that keeps what it is given, and what numbers, strings and tables are in there is worked out
afterwards. The real numpy and pandas are not let in either: numpy can be made to take bytes for addresses.
"""

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.datasets.ragged import DataError

ITEMS = re.compile(r"[biuf][0-9]{1,2}|[US][0-9]+")  # types of array whose items are bytes and nothing else


class _Part:
    """Stands for what a pickle names; keeps the arguments of the call and the state that is set."""

    args: tuple[Any, ...]
    state: Any

    def __new__(cls, *args: Any) -> Any:
        part = super().__new__(cls)
        part.args, part.state = args, None
        return part

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Array(_Part):
    """An array of numpy; state = (version, shape, dtype, whether in Fortran order, items)."""


class _Buffer(_Part):
    """An array of numpy from protocol 5; args = (bytes, dtype, shape, order)."""


class _Scalar(_Part):
    """A number of numpy; args = (dtype, bytes)."""


class _Type(_Part):
    """A dtype of numpy; args = (name, ...), state = (version, byte order, None, None, None, ...)."""


class _Frame(_Part):
    """A table of pandas; state = {"_mgr": its columns, ...}."""


class _Columns(_Part):
    """The columns of a table: args = (blocks, axes), before pandas 1.3 in the state."""


class _Block(_Part):
    """Columns of one type; args = (values [columns, rows], which columns, ...)."""


class _Index(_Part):
    """The names of rows or columns; args = (class, {"data": names, ...})."""


class _Slice(_Part):
    """A slice; args = (start, stop, step)."""


class _Maker(_Part):
    """How pandas 1.3 makes a block: a function with one argument filled in."""

    def __call__(self, *args: Any) -> Any:
        return _Block(*args)


class _Bytes(_Part):
    """How old protocols write bytes."""

    def __new__(cls, text: str = "", encoding: str = "latin1") -> Any:
        if encoding != "latin1":
            raise pickle.UnpicklingError(f"bytes are encoded as {encoding!r}")
        return text.encode("latin1")


KNOWN: dict[str, type[_Part]] = {
    "_codecs.encode": _Bytes,
    "builtins.bytes": _Bytes,
    "builtins.slice": _Slice,
    "functools.partial": _Maker,
    "numpy.ndarray": _Part,
    "numpy.dtype": _Type,
    "numpy._core.multiarray._reconstruct": _Array,
    "numpy._core.multiarray.scalar": _Scalar,
    "numpy._core.numeric._frombuffer": _Buffer,
    "pandas.core.frame.DataFrame": _Frame,
    "pandas.core.internals.managers.BlockManager": _Columns,
    "pandas.core.internals.blocks.new_block": _Block,
    "pandas._libs.internals._unpickle_block": _Block,
    "pandas.core.indexes.base._new_Index": _Index,
    "pandas.core.indexes.base.Index": _Part,
    "pandas.core.indexes.range.RangeIndex": _Part,
    "pandas.core.indexes.numeric.Int64Index": _Part,
}
"""What a pickle may name, and what stands for it."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        module = module.replace("__builtin__", "builtins").replace("numpy.core", "numpy._core")
        if f"{module}.{name}" not in KNOWN:
            raise pickle.UnpicklingError(f"names `{module}.{name}`, which is not plain data")
        return KNOWN[f"{module}.{name}"]

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("refers to objects outside of it")


def read_plain_pickle(path: Path) -> Any:
    """What the pickle at `path` holds: lists, tuples, dicts, sets, numbers, strings and bytes.

    Arrays of numpy become arrays of numbers or lists; tables of pandas (before 3.0) become dicts from column
    to list.

    Raises DataError if there is anything else in it, or if it cannot be read; nothing in it is ever run.
    """
    try:
        with path.open("rb") as file:
            return _plain(_Unpickler(file).load())
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error}); check the path") from error
    except MemoryError as error:
        raise DataError(f"{path}: claims to be larger than the memory; fetch it again") from error
    except Exception as error:  # a pickle that is not in order fails in any way
        cure = "give a pickle of plain containers, numbers, strings, numpy arrays or a pandas table"
        raise DataError(f"{path}: refused: {error}; {cure}") from error


def _plain(thing: Any) -> Any:
    if isinstance(thing, list | tuple | set | frozenset):
        return type(thing)(_plain(item) for item in thing)
    if isinstance(thing, dict):
        return {key: _plain(value) for key, value in thing.items()}
    if isinstance(thing, _Array):
        _, shape, dtype, fortran, items = thing.state
        return _array(shape, dtype, "F" if fortran else "C", items)
    if isinstance(thing, _Buffer):
        items, dtype, shape, order = thing.args
        return _array(shape, dtype, order, items)
    if isinstance(thing, _Scalar):
        dtype, items = thing.args
        return np.frombuffer(items, _dtype(dtype))[0].item()
    if isinstance(thing, _Frame):
        return _columns(thing.state["_mgr"])
    if isinstance(thing, _Part) or callable(thing):
        raise pickle.UnpicklingError("holds a part of an array or a table, or a class, by itself")
    return thing


def _array(shape: Any, dtype: _Type, order: Any, items: Any) -> Any:
    if isinstance(items, list):  # of objects: these come in C order whatever the array's own
        return _nested([_plain(item) for item in items], list(shape))
    return np.frombuffer(items, _dtype(dtype)).reshape(shape, order=order)


def _dtype(dtype: _Type) -> np.dtype[Any]:
    name, order = dtype.args[0], dtype.state[1] if dtype.state else "="
    if not ITEMS.fullmatch(name) or order not in ("<", ">", "|", "="):
        raise pickle.UnpicklingError(f"holds an array of type {order}{name}")
    built: np.dtype[Any] = np.dtype(name).newbyteorder(order)
    return built


def _nested(items: list[Any], shape: list[int]) -> list[Any]:
    """Lists in lists, as an array of this shape."""
    for size in reversed(shape[1:]):
        items = [items[start : start + size] for start in range(0, len(items), size)]
    return items


def _columns(manager: _Columns) -> dict[Any, list[Any]]:
    """The columns of a table, by name."""
    if manager.state is None:
        blocks, axes = manager.args
        parts = [block.args[:2] for block in blocks]
    else:
        content = manager.state[3]["0.14.1"]
        axes, parts = content["axes"], [(block["values"], block["mgr_locs"]) for block in content["blocks"]]
    names = _plain(axes[0].args[1]["data"])
    table: dict[Any, list[Any]] = {}
    for values, where in parts:
        places = (
            range(len(names))[slice(*where.args)] if isinstance(where, _Slice) else _plain(where).tolist()
        )
        rows: NDArray[Any] | list[Any] = _plain(values)
        for place, row in zip(places, rows, strict=True):
            table[names[place]] = row.tolist() if isinstance(row, np.ndarray) else row
    return table
