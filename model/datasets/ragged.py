"""Many arrays of different lengths, kept as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.arrays import Ints


class DataError(ValueError):
    """A data set that cannot be used; the text names the place, the fault and the cure."""


@dataclass(frozen=True, eq=False)
class Ragged:
    """S arrays of different lengths in one flat array; array i is flat[offsets[i]:offsets[i + 1]].

    >>> ragged = Ragged(np.array([1.0, 2.0, 3.0]), np.array([0, 2, 2, 3]))
    >>> len(ragged), ragged[0], ragged[-1]
    (3, array([1., 2.]), array([3.]))
    """

    flat: NDArray[Any]  # [E]
    offsets: Ints  # [S + 1]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> NDArray[Any]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is out of range for {len(self)} samples")
        index %= len(self)
        return self.flat[self.offsets[index] : self.offsets[index + 1]]

    @property
    def lengths(self) -> Ints:
        """Length of each array, [S]."""
        return np.diff(self.offsets)

    def take(self, indices: Ints) -> "Ragged":
        """A copy of the arrays that `indices` names (each in 0..S-1), in that order."""
        pieces = [self.flat[self.offsets[i] : self.offsets[i + 1]] for i in indices]
        return Ragged(concatenate(pieces, self.flat.dtype), offsets_of(self.lengths[indices]))


def offsets_of(lengths: Ints) -> Ints:
    """Where arrays of these lengths [S] start and end in a flat array, [S + 1]."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)])


def concatenate(arrays: Sequence[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    """The arrays one after another; of type `dtype` if there are none."""
    return np.concatenate(arrays) if len(arrays) else np.empty(0, dtype=dtype)
