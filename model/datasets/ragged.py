"""Many arrays of different lengths, kept as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.arrays import Ints
from model.border import sample_indices
from model.fields import show


class DataError(ValueError):
    """A data set that cannot be used; the text names the place, the fault and the cure."""


@dataclass(frozen=True, eq=False)
class Ragged:
    """S arrays of different lengths in one flat array; array i is flat[offsets[i]:offsets[i + 1]].

    It takes both over and makes them read-only: the kernels go by the offsets, which are checked here, once.

    Raises DataError if `flat` is not an array of one dimension, or the offsets do not divide it.

    >>> ragged = Ragged(np.array([1.0, 2.0, 3.0]), np.array([0, 2, 2, 3]))
    >>> len(ragged), ragged[0], ragged[-1]
    (3, array([1., 2.]), array([3.]))
    """

    flat: NDArray[Any]  # [E]
    offsets: Ints  # [S + 1]

    def __post_init__(self) -> None:
        flat, offsets = self.flat, self.offsets
        for name, array in (("flat", flat), ("offsets", offsets)):
            if not isinstance(array, np.ndarray) or array.ndim != 1 or not array.flags.c_contiguous:
                raise DataError(f"Ragged: `{name}`: expected an array of one dimension, in one block")
        if offsets.dtype != np.int64 or len(offsets) == 0:
            raise DataError(
                "Ragged: `offsets`: expected whole numbers (int64), one more than there are arrays"
            )
        if offsets[0] != 0 or offsets[-1] != len(flat) or (offsets[1:] < offsets[:-1]).any():
            raise DataError(
                f"Ragged: `offsets`: expected to ascend from 0 to {len(flat)}, the length of `flat`"
            )
        flat.flags.writeable = offsets.flags.writeable = False

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.flat, self.offsets)  # so that a copy is checked, and read-only, as well

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> NDArray[Any]:
        at = sample_indices(index, len(self), "Ragged")
        if at.ndim:
            raise IndexError(f"Ragged: got {show(index)}, expected one index; `take` has several")
        return self.flat[self.offsets[at] : self.offsets[at + 1]]

    @property
    def lengths(self) -> Ints:
        """Length of each array, [S]."""
        return np.diff(self.offsets)

    def take(self, indices: Ints) -> "Ragged":
        """A copy of the arrays that `indices` names, in that order; a negative one counts from the end.

        Raises IndexError if one is out of range or is no whole number.
        """
        rows = sample_indices(indices, len(self), "Ragged").reshape(-1)
        pieces = [self.flat[self.offsets[i] : self.offsets[i + 1]] for i in rows]
        return Ragged(concatenate(pieces, self.flat.dtype), offsets_of(self.lengths[rows]))


def offsets_of(lengths: Ints) -> Ints:
    """Where arrays of these lengths [S] start and end in a flat array, [S + 1]."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)])


def concatenate(arrays: Sequence[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    """The arrays one after another; of type `dtype` if there are none."""
    return np.concatenate(arrays) if len(arrays) else np.empty(0, dtype=dtype)
