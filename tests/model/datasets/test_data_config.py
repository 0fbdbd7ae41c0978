from typing import Any

import pytest

from model.datasets.config import DataConfig


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({}, "give either `name` or `path`"),
        ({"name": "digits", "path": "a.h5"}, "give either `name` or `path`"),
        ({"name": "mnist"}, "`name`: there is no data set `mnist`"),
        ({"name": "digits", "test": "a.h5"}, "`test` goes with `path`"),
        ({"name": "digits", "validation": 0.2}, "`validation` has no meaning for digits"),
        ({"name": "digits", "seed": 1}, "`seed` has no meaning for digits"),
        ({"name": "ssc", "validation_group": 1}, "`validation_group` has no meaning for ssc"),
        (
            {"name": "smnist", "validation_group": 1},
            "`validation_group` has no meaning for smnist, which has no",
        ),
        (
            {"name": "shd", "validation_group": 1, "seed": 1},
            "`seed` has no meaning beside `validation_group`",
        ),
        ({"path": "a.h5", "validation_group": 1, "validation": 0.2}, "`validation` has no meaning beside"),
        (
            {"path": "a.h5", "validation_group": 1.0},
            "`validation_group`: got 1.0, expected a whole number or null",
        ),
        ({"path": "a.h5", "validation": -0.1}, "`validation`: got -0.1, expected a number of at least 0"),
        ({"path": "a.h5", "validation": 1}, "at most 0.9"),
        ({"path": ""}, "`path`: got '', expected text"),
        ({"path": "a.h5", "seed": -1}, "`seed`: got -1"),
    ],
)
def test_faults(values: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=r"^DataConfig: ") as error:
        DataConfig(**values)
    assert fault in str(error.value)


def test_legal_values() -> None:
    assert DataConfig(name="digits") == DataConfig("digits", validation=None, seed=0)
    assert DataConfig(path="a.h5", test="b.h5", validation=0.9, seed=3).path == "a.h5"
    assert DataConfig(name="shd", validation_group=0) != DataConfig(name="shd")
    assert DataConfig(path="a.h5", validation_group=-1).validation_group == -1
