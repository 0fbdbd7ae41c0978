import math
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest
from optuna.storages import BaseStorage, InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from search.objectives import Constraint, Objective
from search.space import Choice, Field, Space, Uniform
from search.study import TRIES, Search, Suggestion, journal_storage

ONE = (Objective("loss", "min"),)
TWO = (Objective("accuracy", "max"), Objective("wiring_length", "min"))
BAND = Constraint("rate", min=1.0, max=5.0)
WIDE = Space([Field("a.x", Uniform(0, 1))])
NARROW = Space([Field("a.x", Choice((1,)))])


def opened(
    storage: BaseStorage,
    space: Space = WIDE,
    objectives: tuple[Objective, ...] = ONE,
    constraints: tuple[Constraint, ...] = (),
) -> Search:
    return Search.open(storage, "s", space, objectives, sampler="random", constraints=constraints)


def stored(storage: BaseStorage) -> list[FrozenTrial]:
    return optuna.load_study(study_name="s", storage=storage).get_trials()


def test_trials_are_running_until_they_are_told() -> None:
    search = opened(InMemoryStorage())
    asked = [search.ask() for _ in range(4)]
    assert [s.trial for s in asked] == [0, 1, 2, 3]
    assert search.next_trial == 4
    search.tell_complete(2, {"loss": 1.0})
    search.tell_pruned(0, 3, {"loss": 2.0})
    search.tell_failed(3, "weights of replicate 1 are not finite")
    assert [search.told(trial) for trial in range(5)] == [True, False, True, True, False]
    assert search.running() == [asked[1]]
    with pytest.raises(AssertionError, match="trial 2 was told before"):
        search.tell_complete(2, {"loss": 1.0})
    with pytest.raises(AssertionError, match="never asked"):
        search.tell_failed(4, "?")


def test_a_duplicate_is_passed_over_nine_times_and_then_handed_out() -> None:
    storage = InMemoryStorage()
    search = opened(storage, NARROW)
    assert search.ask() == Suggestion(0, {"a.x": 1}, None)
    assert search.ask() == Suggestion(1, {"a.x": 1}, None), "running is not done"
    search.tell_failed(0, "out of memory")
    assert search.ask() == Suggestion(2, {"a.x": 1}, None), "failed is not done"
    search.tell_complete(1, {"loss": 1.0})
    duplicate = search.ask()
    assert duplicate == Suggestion(3, {"a.x": 1}, duplicate_of=1)
    skipped = [t for t in stored(storage) if t.user_attrs.get("reason") == "duplicate of trial 1"]
    assert len(skipped) == TRIES - 1
    assert {t.state for t in skipped} == {TrialState.FAIL}
    assert opened(storage, NARROW).running()[-1] == duplicate
    search.tell_complete(3, {"loss": 1.0})
    assert opened(storage, NARROW).ask() == Suggestion(4, {"a.x": 1}, duplicate_of=1)


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        ({"loss": math.nan, "rate": 2.0}, "`loss` is nan"),
        ({"loss": -math.inf, "rate": 2.0}, "`loss` is -inf"),
        ({"rate": 2.0}, "`loss` is missing"),
        ({"loss": 1.0, "rate": math.nan}, "`rate` is nan"),
        ({"loss": 1.0}, "`rate` is missing"),
    ],
)
def test_what_is_not_finite_is_told_failed(metrics: dict[str, float], reason: str) -> None:
    storage = InMemoryStorage()
    search = opened(storage, constraints=(BAND,))
    search.ask()
    assert search.fault(metrics) == reason
    search.tell_complete(0, metrics)
    assert search.told(0)
    (trial,) = stored(storage)
    assert trial.state == TrialState.FAIL
    assert trial.user_attrs["reason"] == reason


def test_complete_trials_keep_values_and_violations() -> None:
    storage = InMemoryStorage()
    search = opened(storage, objectives=TWO, constraints=(BAND, Constraint("silent", max=0.5)))
    search.ask()
    metrics = {"accuracy": 0.5, "wiring_length": 7.0, "rate": 9.0, "silent": 0.25, "seconds": 3.0}
    assert search.fault(metrics) is None
    search.tell_complete(0, metrics)
    (trial,) = stored(storage)
    assert (trial.state, trial.values) == (TrialState.COMPLETE, [0.5, 7.0])
    assert trial.constraints == {"0 rate": 4.0, "1 silent": -0.25}
    study = optuna.load_study(study_name="s", storage=storage)
    assert [d.name for d in study.directions] == ["MAXIMIZE", "MINIMIZE"]


def test_pruned_with_one_objective_keeps_the_last_value() -> None:
    storage = InMemoryStorage()
    search = opened(storage, constraints=(BAND,))
    for _ in range(2):
        search.ask()
    search.tell_pruned(0, 3, {"loss": 2.0, "rate": 0.5})
    search.tell_pruned(1, 4, {"loss": math.nan})
    kept, lost = stored(storage)
    assert (kept.state, kept.value, kept.intermediate_values) == (TrialState.PRUNED, 2.0, {3: 2.0})
    assert kept.constraints == {"0 rate": 0.5}
    assert (lost.state, lost.value, lost.constraints) == (TrialState.PRUNED, None, {})


def test_pruned_with_two_objectives_keeps_the_values_beside() -> None:
    storage = InMemoryStorage()
    search = opened(storage, objectives=TWO)
    search.ask()
    search.tell_pruned(0, 3, {"accuracy": 0.5, "wiring_length": 7.0})
    (trial,) = stored(storage)
    assert (trial.state, trial.values) == (TrialState.PRUNED, None)
    assert trial.user_attrs["pruned"] == {"epoch": 3, "metrics": {"accuracy": 0.5, "wiring_length": 7.0}}


def test_a_trial_half_told_by_a_killed_driver_is_told_again() -> None:
    storage = InMemoryStorage()
    search = opened(storage, constraints=(BAND,))
    for _ in range(2):
        search.ask()
    for trial in stored(storage):
        half = optuna.trial.Trial(optuna.load_study(study_name="s", storage=storage), trial._trial_id)
        half.set_constraint("0 rate", 4.0)
        half.report(2.0, 3)
    resumed = opened(storage, constraints=(BAND,))
    resumed.tell_complete(0, {"loss": 1.0, "rate": 9.0})
    resumed.tell_pruned(1, 3, {"loss": 2.0, "rate": 9.0})
    assert [t.state for t in stored(storage)] == [TrialState.COMPLETE, TrialState.PRUNED]


def test_a_trial_half_asked_by_a_killed_driver_does_not_count() -> None:
    storage = InMemoryStorage()
    opened(storage).ask()
    optuna.load_study(study_name="s", storage=storage).ask()
    resumed = opened(storage)
    assert [s.trial for s in resumed.running()] == [0]
    assert resumed.ask().trial == 1
    assert [t.state.name for t in stored(storage)] == ["RUNNING", "FAIL", "RUNNING"]


def test_a_search_keeps_its_objectives() -> None:
    storage = InMemoryStorage()
    opened(storage)
    for other in (Objective("loss", "max"), Objective("accuracy", "min")):
        with pytest.raises(ValueError, match="search s: stored with other objectives"):
            opened(storage, objectives=(other,))
    with pytest.raises(ValueError, match="`objectives`: got none"):
        opened(storage, objectives=())


@pytest.mark.parametrize("symlink", [True, False])
def test_a_leftover_lock_does_not_block(
    symlink: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("study.journal")
    opened(journal_storage(path)).ask()
    lock = Path("study.journal.lock")
    if symlink:
        lock.symlink_to("nowhere")
    else:
        lock.touch()
    assert opened(journal_storage(path)).ask().trial == 1
    assert [p.name for p in tmp_path.iterdir()] == ["study.journal"]


@pytest.mark.parametrize("cut", [1, 20])
def test_a_last_line_cut_short_is_dropped(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    search = opened(journal_storage(path))
    for _ in range(2):
        search.ask()
    path.write_bytes(path.read_bytes()[:-cut])  # so that trial 1 has not been handed out
    resumed = opened(journal_storage(path))
    assert resumed.next_trial == 1
    assert resumed.ask().trial == 1
    resumed.tell_complete(1, {"loss": 0.0})
    again = opened(journal_storage(path))
    assert again.told(1)
    assert [s.trial for s in again.running()] == [0]


DRIVER = """
import sys
from pathlib import Path
from search import Field, Objective, Search, Space, Uniform, journal_storage
space, goal = Space([Field("a.x", Uniform(0, 1))]), [Objective("loss", "min")]
search = Search.open(journal_storage(Path(sys.argv[1])), "s", space, goal, sampler="random")
while True:
    trial = search.ask().trial
    search.tell_complete(trial, {"loss": float(trial)})
    print(trial, flush=True)
"""


def test_a_driver_may_be_killed_at_any_moment(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    told: list[int] = []
    for kill in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        ) as process:
            assert process.stdout is not None
            for _ in range(5):
                told.append(int(process.stdout.readline()))
            time.sleep(0.003 * kill)
            process.send_signal(signal.SIGKILL)
            told += [int(line) for line in process.stdout.read().splitlines()]
        search = opened(journal_storage(path))
        assert all(search.told(trial) for trial in told)
        assert len(set(told)) == len(told)
        for suggestion in search.running():
            search.tell_failed(suggestion.trial, "killed")
        assert all(search.told(trial) for trial in range(search.next_trial))
    values = {t.user_attrs["trial"]: t.value for t in stored(journal_storage(path)) if t.value is not None}
    assert all(values[trial] == trial for trial in told)
