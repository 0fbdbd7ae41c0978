from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.datasets import DataError, Ragged
from model.datasets.ragged import offsets_of

lists = st.lists(st.lists(st.integers(-1000, 1000), max_size=5), max_size=8)


def ragged_of(rows: list[list[int]]) -> Ragged:
    flat = np.array([value for row in rows for value in row], dtype=np.int64)
    return Ragged(flat, offsets_of(np.array([len(row) for row in rows], dtype=np.int64)))


@settings(deadline=None)
@given(lists)
def test_holds_the_rows_it_was_made_of(rows: list[list[int]]) -> None:
    ragged = ragged_of(rows)
    assert len(ragged) == len(rows)
    assert [ragged[i].tolist() for i in range(len(rows))] == rows
    assert [ragged[i - len(rows)].tolist() for i in range(len(rows))] == rows
    assert ragged.lengths.tolist() == [len(row) for row in rows]


@settings(deadline=None)
@given(lists, st.data())
def test_take_agrees_with_taking_rows_one_by_one(rows: list[list[int]], data: st.DataObject) -> None:
    indices = data.draw(st.lists(st.integers(-len(rows), len(rows) - 1), max_size=10)) if rows else []
    taken = ragged_of(rows).take(np.array(indices, dtype=np.int64))
    assert [row.tolist() for row in taken] == [rows[i] for i in indices]  # type: ignore[attr-defined]


@pytest.mark.parametrize("index", [2, -3])
def test_an_index_beyond_the_end_is_an_index_error(index: int) -> None:
    with pytest.raises(IndexError, match="out of range for 2 samples"):
        ragged_of([[1], [2]])[index]
    with pytest.raises(IndexError, match="out of range for 2 samples"):
        ragged_of([[1], [2]]).take(np.array([0, index]))


@pytest.mark.parametrize("index", [1.0, True, np.True_, "1", None, [0], slice(1)])
def test_what_is_no_whole_number_is_no_index(index: Any) -> None:
    with pytest.raises(IndexError):
        ragged_of([[1], [2]])[index]


@pytest.mark.parametrize(
    ("flat", "offsets"),
    [
        (np.arange(3), np.array([0, 2, 4])),
        (np.arange(3), np.array([0, 4, 3])),
        (np.arange(3), np.array([1, 3])),
        (np.arange(3), np.array([], np.int64)),
        (np.arange(3), np.array([0.0, 3.0])),
        (np.arange(3), [0, 3]),
        (np.arange(6)[::2], np.array([0, 3])),
        (np.zeros((3, 1)), np.array([0, 3])),
    ],
)
def test_offsets_that_do_not_divide_the_array_are_refused(flat: Any, offsets: Any) -> None:
    with pytest.raises(DataError, match=r"Ragged: `(flat|offsets)`: expected"):
        Ragged(flat, offsets)
