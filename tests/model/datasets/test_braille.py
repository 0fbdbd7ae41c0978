import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.datasets import DataError, SpikeDataset
from model.datasets.braille import convert

Events = list[list[list[float]]]


def events(*spikes: tuple[int, int, float]) -> Events:
    """12 taxels with two lists of times each, from (taxel, kind, time)."""
    found: Events = [[[], []] for _ in range(12)]
    for taxel, kind, time in spikes:
        found[taxel][kind].append(time)
    return found


SAMPLES = [
    {"letter": "A", "events": events((11, 0, 0.5), (11, 0, 0.75), (0, 1, 0.25)), "repetition": 0},
    {"letter": "Space", "events": events(), "repetition": 0},
    {"letter": "Z", "events": events((3, 1, 1.0)), "repetition": 0},
]


def pickled(folder: Path, content: Any) -> Path:
    path = folder / "in.pkl"
    path.write_bytes(pickle.dumps(content))
    return path


def as_columns(samples: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "letter": np.array([one["letter"] for one in samples]),
        "events": [one["events"] for one in samples],
    }


@pytest.mark.parametrize("content", [SAMPLES, as_columns(SAMPLES)])
def test_samples_become_a_file_in_the_shd_layout(tmp_path: Path, content: Any) -> None:
    assert convert(pickled(tmp_path, content), tmp_path / "out.h5") == 3
    data = SpikeDataset.from_hdf5(tmp_path / "out.h5")
    assert [data.times[i].tolist() for i in range(3)] == [[250.0, 500.0, 750.0], [], [1000.0]]
    assert [data.channels[i].tolist() for i in range(3)] == [[12, 11, 11], [], [15]]
    assert (data.labels.tolist(), data.n_classes) == ([1, 0, 26], 27)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "0 letters and 0 events"),
        ([1], "holds no samples with `letter` and `events`"),
        ({"letter": ["A"]}, "holds no samples"),
        ("text", "holds no samples"),
        ({"letter": ["A", "B"], "events": [events()]}, "2 letters and 1 events"),
        ([{"letter": "a", "events": events()}], "sample 0: `letter` is 'a', expected Space or A to Z"),
        ([{"letter": ["A"], "events": events()}], "sample 0: `letter` is"),
        ([SAMPLES[0], {"letter": "A", "events": events()[:11]}], "sample 1: `events`: 22 lists, expected 2"),
        ([{"letter": "A", "events": [[[]]] * 12}], "12 lists, expected 2 for each of 12 taxels"),
        ([{"letter": "A", "events": [[["x"], []]] * 12}], "sample 0: `events` are not lists of times"),
        ([{"letter": "A", "events": [[[], 3]] * 12}], "sample 0: `events` are not lists|24 lists"),
        ([{"letter": "A", "events": 5}], "sample 0: `events` are not lists of times"),
        ([{"letter": "A", "events": events((0, 0, -1.0))}], "sample 0: a time is below 0 or not finite"),
        (
            [{"letter": "A", "events": events((0, 0, float("nan")))}],
            "sample 0: a time is below 0 or not finite",
        ),
    ],
)
def test_other_content_is_refused_by_place(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(DataError, match=rf"in\.pkl: .*{message}"):
        convert(pickled(tmp_path, content), tmp_path / "out.h5")
    assert not (tmp_path / "out.h5").exists()


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no/out\.h5: cannot be written"):
        convert(pickled(tmp_path, SAMPLES), tmp_path / "no" / "out.h5")


class Evil:
    def __reduce__(self) -> Any:
        return os.mkdir, ("victim",)


def test_the_command(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", "-m", "model.datasets.braille", *arguments]
        places = os.pathsep.join([str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": places}
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    pickled(tmp_path, SAMPLES)
    done = run("in.pkl", "out.h5")
    assert (done.returncode, done.stdout, done.stderr) == (0, "out.h5: 3 samples\n", "")
    assert len(SpikeDataset.from_hdf5(tmp_path / "out.h5")) == 3
    pickled(tmp_path, [{"letter": "A", "events": Evil()}])
    refused = run("in.pkl", "other.h5")
    assert refused.returncode == 2
    assert refused.stderr.startswith("in.pkl: refused: names `posix.mkdir`") and "Trace" not in refused.stderr
    assert not (tmp_path / "victim").exists() and not (tmp_path / "other.h5").exists()
    assert run("in.pkl").returncode == 2
