"""The pairs that the rings hold, against NumPy."""

from typing import Any

import numpy as np
import pytest
from numba import njit

from model.kernels.cpu.compile import OPTIONS
from model.kernels.cpu.pairs import add_pair, copy_pair


def for_all(move: Any) -> Any:
    """A kernel that moves pair t to place at[t], for all t."""

    @njit(**OPTIONS | {"cache": False})  # type: ignore[untyped-decorator]
    def run(into: Any, at: Any, pairs: Any) -> None:
        for t in range(at.shape[0]):
            move(into, at[t], pairs, t)

    return run


add_all, copy_all = for_all(add_pair), for_all(copy_pair)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("start", [0, 1])  # a pair need not begin on a multiple of its size
def test_pairs_are_added_and_copied(dtype: Any, start: int) -> None:
    draw = np.random.default_rng(3)
    into = draw.normal(size=2 * 40 + start).astype(dtype)[start:]
    pairs = draw.normal(size=2 * 25 + start).astype(dtype)[start:]
    at = draw.permutation(40)[:25].astype(np.uint32)
    added, copied = into.reshape(-1, 2).copy(), into.reshape(-1, 2).copy()
    added[at] += pairs.reshape(-1, 2)
    copied[at] = pairs.reshape(-1, 2)
    again = into.copy()
    add_all(again, at, pairs)
    np.testing.assert_array_equal(again, added.reshape(-1))
    copy_all(into, at, pairs)
    np.testing.assert_array_equal(into, copied.reshape(-1))


def test_a_place_may_come_twice() -> None:
    into = np.zeros(6)
    add_all(into, np.array([1, 1, 2], np.uint32), np.arange(6.0))
    np.testing.assert_array_equal(into, [0, 0, 2, 4, 4, 5])
