"""What a sweep shows of itself."""

import io
from collections.abc import Callable
from typing import Any

from rich.console import Console

from service.commands.progress import Progress
from service.config.sweep import SweepSpec
from service.record.leaders import Extreme
from service.record.rows import FinishedTrial
from service.report.leader_pages import ending_seconds
from service.text import duration

MakeSpec = Callable[..., SweepSpec]


def row(trial: int, **fields: Any) -> dict[str, Any]:
    known = {
        "trial": trial,
        "state": "complete",
        "reason": None,
        "parent": None,
        "move": None,
        "seconds": 2.0,
    }
    return known | {"accuracy": 0.5, "wiring_length": 10.0} | fields


def test_plain_lines_where_there_is_no_terminal(small_spec: MakeSpec) -> None:
    stream = io.StringIO()
    with Progress(small_spec(), [row(0)], 3, Console(file=stream, width=200)) as progress:
        progress.trial_started(1, {})
        progress.epoch(1, 1, {"accuracy": (0.25, None)})
        progress.trial_finished(FinishedTrial(row(1, wiring_length=3.0), {}))
        progress.trial_finished(
            FinishedTrial(
                row(2, state="failed", reason="`loss` is nan", accuracy=None, wiring_length=None), {}
            )
        )
    started, loading, epoch, first, second = stream.getvalue().splitlines()
    assert started == "starting Ray and its workers" and loading.startswith("workers load torch")
    assert epoch.startswith("first epoch after ")
    assert first.startswith("[2/3] trial 1 complete, accuracy 0.5, wiring_length 3, 2.0 s, ")
    # 1 trial of 2 s, one at a time, and the pictures of all three
    assert first.endswith(f", about {duration(2 + ending_seconds(3))} left, pictures included")
    assert second.startswith("[3/3] trial 2 failed: `loss` is nan, 2.0 s")


def test_a_line_an_epoch_if_asked_for(small_spec: MakeSpec) -> None:
    stream = io.StringIO()
    with Progress(small_spec(), [], 3, Console(file=stream, width=200), each_epoch=True) as progress:
        progress.trial_started(1, {"epochs": 4})
        progress.epoch(1, 1, {"accuracy": (0.25, None), "loss": (2.0, 0.5)})
        progress.epoch(1, 2, {"loss": (1.0, None)})
    lines = stream.getvalue().splitlines()[-2:]
    assert lines == ["trial 1 epoch 1/4, accuracy 0.25, loss 2", "trial 1 epoch 2/4, loss 1"]


def test_a_table_on_a_terminal(small_spec: MakeSpec) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=120)
    with Progress(small_spec(), [row(0, wiring_length=9.0)], 3, console) as progress:
        progress.trial_started(1, {})
        progress.epoch(1, 1, {"accuracy": (0.375, None)})
        console.print(progress._render())
        progress.trial_finished(FinishedTrial(row(1, accuracy=0.75, wiring_length=12.0), {}))
        console.print(progress._render())
    shown = stream.getvalue()
    assert "best: accuracy 0.5, wiring_length 9 (trial 0)" in shown
    assert "best: accuracy 0.75 (trial 1), wiring_length 9 (trial 0)" in shown  # two networks
    assert "0.375" in shown and "2/3" in shown and "left, pictures included" in shown


def test_the_best_is_that_of_trials_that_count_within_the_constraints(small_spec: MakeSpec) -> None:
    rows = [
        row(0, state="failed", accuracy=1.0),
        row(1, accuracy=0.25, silent=0.1),
        row(2, accuracy=0.75, silent=0.9),
        row(3, accuracy=0.5, silent=0.1, duplicate_of=1),
    ]
    spec = small_spec(constraints="[{metric: silent, max: 0.2}]")
    progress = Progress(spec, rows, 5, Console(file=io.StringIO()))
    assert progress.best == {"accuracy": Extreme(0.25, 1), "wiring_length": Extreme(10.0, 1)}
    more_seeds = row(4, accuracy=0.2, silent=0.1, parent=1, move="more seeds")
    progress.trial_finished(FinishedTrial(more_seeds, {}))
    assert progress.best["accuracy"] == Extreme(0.2, 4)  # it stands for the trial that led


def test_time_left_is_by_the_seconds_of_trials_and_how_many_run_at_once(small_spec: MakeSpec) -> None:
    progress = Progress(small_spec(), [row(0), row(1, seconds=4.0)], 10, Console(file=io.StringIO()))
    progress.trial_started(2, {"epochs": 4})
    progress.trial_started(3, {"epochs": 4})
    ending = ending_seconds(10)  # all of the 10 may have pages
    assert progress._seconds_left() == 8 * 3.0 / 2 + ending
    progress.epoch(2, 2, {})  # half of one of the 8 is done
    assert progress._seconds_left() == 7.5 * 3.0 / 2 + ending
    assert Progress(small_spec(), [], 10, Console(file=io.StringIO()))._seconds_left() is None
