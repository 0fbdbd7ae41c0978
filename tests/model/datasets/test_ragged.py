import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.datasets import Ragged
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
    indices = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=10)) if rows else []
    taken = ragged_of(rows).take(np.array(indices, dtype=np.int64))
    assert [row.tolist() for row in taken] == [rows[i] for i in indices]  # type: ignore[attr-defined]


@pytest.mark.parametrize("index", [2, -3])
def test_an_index_beyond_the_end_is_an_index_error(index: int) -> None:
    with pytest.raises(IndexError, match="out of range for 2 samples"):
        ragged_of([[1], [2]])[index]
