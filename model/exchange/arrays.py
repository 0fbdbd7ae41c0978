"""Arrays in files that others have written: read without pickle, faults told in words."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from model.arrays import Array, Floats


class ForeignError(ValueError):
    """A file of another program that cannot be used; the text names the file, the fault and the cure."""


def read_array(path: Path) -> Floats:
    """The real, finite numbers of a .npy file, as float64.

    Raises ForeignError if it is not there, is no such file, holds Python objects, or other than such numbers.
    """
    return real(_load(path), str(path))


def read_arrays(path: Path) -> dict[str, Array]:
    """The arrays of a .npz file by name.

    Raises ForeignError if it is not there, is no such file, or holds Python objects.
    """
    loaded = _load(path)
    if not isinstance(loaded, np.lib.npyio.NpzFile):
        raise ForeignError(f"{path}: is a single array (.npy), expected a .npz file of named ones")
    with loaded:
        try:
            return {name: loaded[name] for name in loaded.files}
        except (ValueError, OSError, zipfile.BadZipFile, EOFError) as error:
            raise ForeignError(_why(path, error)) from error


def real(array: Any, where: str) -> Floats:
    """`array` as float64; ForeignError unless all of it is real and finite."""
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        kind = array.dtype if isinstance(array, np.ndarray) else "several arrays"
        raise ForeignError(f"{where}: holds {kind}, expected an array of real numbers")
    found = array.astype(np.float64)
    bad = int((~np.isfinite(found)).sum())
    if bad:
        raise ForeignError(f"{where}: {bad} of {found.size} numbers are not finite; the network is of no use")
    return found


def square(array: Any, where: str, size: int | None = None) -> Floats:
    """`array` as [N, N] float64, flat or not.

    Raises ForeignError if its numbers are not real and finite, or make no square, or not one of `size`.
    """
    found = real(array, where)
    n = round(found.size**0.5) if size is None else size
    if n < 1 or found.size != n * n or found.shape not in ((n * n,), (n, n)):
        wanted = "a square matrix, also flat" if size is None else f"{[n, n]}, also flat"
        raise ForeignError(f"{where}: got shape {list(found.shape)}, expected {wanted}")
    return found.reshape(n, n)


def _load(path: Path) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise ForeignError(f"{path}: there is no such file") from None
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, SyntaxError) as error:
        raise ForeignError(_why(path, error)) from error


def _why(path: Path, error: Exception) -> str:
    if isinstance(error, ValueError) and ("pickle" in str(error).lower() or "object" in str(error).lower()):
        return (
            f"{path}: holds Python objects (a pickle), or is no file of NumPy's: pickles can run anything "
            "and are not read; save plain arrays by numpy.save"
        )
    return f"{path}: can't be read as a file of NumPy's ({getattr(error, 'strerror', None) or error})"
