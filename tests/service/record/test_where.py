from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import UserError
from service.record.where import parse_where

TABLE = pa.table(
    {
        "trial": pa.array([0, 1, 2, 3, 4], pa.int64()),
        "state": ["complete", "pruned", "complete", "failed", None],
        "accuracy": [0.95, 0.5, 0.85, None, float("nan")],
        "test_accuracy": [0.9, 0.6, 0.86, 0.1, 0.2],
        "signed": [True, False, None, True, False],
        "position": [[0.5], [], None, [1.0], [2.0]],
    }
)


@pytest.mark.parametrize(
    ("text", "trials"),
    [
        ("accuracy > 0.9", [0]),
        ('accuracy > 0.8 and state == "complete"', [0, 2]),
        ("0.4 < accuracy <= 0.85", [1, 2]),
        ("trial == 1 or trial >= 4", [1, 4]),
        ("not trial < 3", [3, 4]),
        ("not accuracy > 0.9", [1, 2, 4]),
        ("state in ('pruned', 'failed')", [1, 3]),
        ("trial not in [0, 2, 1e0]", [3, 4]),
        ("accuracy is None", [3]),
        ("position is not None and state is not None", [0, 1, 3]),
        ("test_accuracy > accuracy", [1, 2]),
        ("trial > -1.5 and trial != 3", [0, 1, 2, 4]),
        ("signed", [0, 3]),
        ("signed == False", [1, 4]),
        ("trial < 10000000000000000000000", [0, 1, 2, 3, 4]),
        ("  'complete' == state  ", [0, 2]),
    ],
)
def test_rows_chosen(text: str, trials: list[int]) -> None:
    assert TABLE.filter(parse_where(text, TABLE.schema))["trial"].to_pylist() == trials


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("acuracy > 0.9", "`acuracy` is no column; did you mean `accuracy`?"),
        ("zzz > 0.9", "columns are trial, state, accuracy"),
        ("accuracy >", "invalid syntax; write it like"),
        ("", "invalid syntax"),
        ("accuracy = 0.9", "; write it like"),
        ("accuracy", "`accuracy` is no condition; compare a column"),
        ("1 + 1", "`1 + 1` is no condition"),
        ("state > 0.5", "`0.5` can't be compared with `state`: number and text"),
        ("trial == '1'", "`'1'` can't be compared with `trial`: number and text"),
        ("trial == True", "number and true or false"),
        ("accuracy == None", "write `is None` or `is not None`"),
        ("accuracy is 1", "`1` can't stand here; `is` goes with a column and None"),
        ("trial in 3", "`3` is no list of values"),
        ("trial in []", "is no list of values"),
        ("position == 1", "`position` holds lists; only `is None`"),
        ("abs(accuracy) > 1", "`abs(accuracy)` is neither a column nor a number"),
        ("__import__('os').system('true')", "is no condition"),
        ("state == b'x'", "is neither a column nor a number nor a text"),
        ("trial == 1j", "is neither a column nor a number nor a text"),
        ("(" * 500 + "trial == 1" + ")" * 500, "--where: "),
        ("not " * 100_000 + "trial == 1", "can't be read"),
        ("trial == 1\x00", "--where: "),
    ],
)
def test_fault_is_named(text: str, fault: str) -> None:
    with pytest.raises(UserError) as error:
        parse_where(text, TABLE.schema)
    assert fault in str(error.value) and "\n" not in str(error.value)


operands = st.sampled_from(
    ["trial", "state", "accuracy", "signed", "position", "0", "-2.5", "'a'", "None", "True", "[1]"]
)
operators = st.sampled_from(["<", ">=", "==", "!=", "in", "not in", "is", "is not", "+", "and"])
expressions = st.recursive(
    st.builds("{} {} {}".format, operands, operators, operands),
    lambda inner: (
        st.builds("({}) {} ({})".format, inner, st.sampled_from(["and", "or"]), inner)
        | st.builds("not ({})".format, inner)
    ),
)


@given(text=expressions | st.text())
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    try:
        expression: Any = parse_where(text, TABLE.schema)
    except UserError:
        return
    assert len(TABLE.filter(expression)) <= len(TABLE)
