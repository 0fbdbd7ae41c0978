"""What is said of workers that are gone for good, and what is kept of errors inside Tune's loop."""

import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from ray import cloudpickle
from ray.exceptions import OutOfMemoryError, RayActorError

from service.conductor import Conductor
from service.errors import SweepError
from service.tuning import _error_of, _Line, loss_in_words


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OutOfMemoryError("low"), "out of memory: the node's memory ran low"),
        (RayActorError(), "lost: its worker or node died, and no retry is left"),
        (RuntimeError("first\nsecond"), "lost: first"),
        (None, "lost: its worker or node died"),
    ],
)
def test_a_loss_is_told_in_a_line(error: BaseException | None, words: str) -> None:
    said = loss_in_words(error)
    assert said.startswith(words) and "\n" not in said


def test_the_error_of_a_trial_is_read_where_tune_has_put_it(tmp_path: Path) -> None:
    path = tmp_path / "error.pkl"
    path.write_bytes(cloudpickle.dumps(OutOfMemoryError("low")))
    assert isinstance(_error_of(cast(Any, SimpleNamespace(pickled_error_file=path))), OutOfMemoryError)
    path.write_bytes(b"garbage")
    assert _error_of(cast(Any, SimpleNamespace(pickled_error_file=path))) is None
    assert _error_of(cast(Any, SimpleNamespace(pickled_error_file=None))) is None


def test_what_the_conductor_raises_is_kept_and_no_part_of_tunes_state() -> None:
    def full(conductor: Conductor) -> None:
        raise SweepError("disk full")

    line = _Line(cast(Any, lambda: "cannot be pickled"))
    with pytest.raises(SweepError):
        line.call(full)
    assert str(line.fault) == "disk full"
    assert vars(pickle.loads(pickle.dumps(line))) == {}
