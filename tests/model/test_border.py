"""Whatever the model is called with, there are words, and no memory is touched that is not its own."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.border import kinds_checked, sample_indices

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(900)
def test_wrong_arguments_are_refused_in_words_by_all_that_is_public(tmp_path: Path) -> None:
    """In a process of its own, whose kernels test their bounds, as they do when so compiled alone."""
    environment = os.environ | {
        "NUMBA_BOUNDSCHECK": "1",
        "NUMBA_CACHE_DIR": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, ROOT / "tests/support/fuzz_model.py", "1000"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.match("1000 calls", done.stdout)


@pytest.mark.parametrize("indices", [[], [[]], (), np.empty((2, 0))])
def test_no_indices_are_legal(indices: Any) -> None:
    found = sample_indices(indices, 3, "here")
    assert found.shape == np.shape(indices) and found.dtype == np.int64


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.uint64, ">i4"])
def test_indices_of_any_whole_numbers_are_those_of_numpy(dtype: Any) -> None:
    given = np.array([[0, 2, 1], [2, 2, 0]], dtype)
    for indices in (given, given[:, ::2], given.T, given.tolist()):
        found = sample_indices(indices, 3, "here")
        np.testing.assert_array_equal(found, indices)
        assert found.dtype == np.int64 and found.flags.c_contiguous
    assert sample_indices(-1, 3, "here") == 2


@pytest.mark.parametrize(
    "indices", [[0.0], [True], [0, True], np.True_, "0", [[0], [1, 2]], 2**64, [3], [-4], None]
)
def test_what_is_no_index_is_an_index_error(indices: Any) -> None:
    with pytest.raises(IndexError, match=r"^here: "):
        sample_indices(indices, 3, "here")


def test_kinds_are_those_of_the_annotations() -> None:
    @kinds_checked
    def one(
        number: int, real: float, text: str | None, any_list: list[int], *, path: Path | None = None
    ) -> int:
        return number

    assert one(np.int64(3), 2, None, "anything", path=None) == 3  # type: ignore[arg-type]
    wrongs: list[Any] = [(True, 1.0, "a", []), (1.0, 1.0, "a", []), (1, "1", "a", []), (1, 1.0, 3, [])]
    for wrong in wrongs:
        with pytest.raises(TypeError, match=r"one: `\w+`: got .*, expected "):
            one(*wrong)
    with pytest.raises(TypeError, match="`path`: got 'x', expected a Path or None"):
        one(1, 1.0, None, [], path="x")  # type: ignore[arg-type]
