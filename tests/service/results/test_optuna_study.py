"""A sweep as a study of Optuna's: what is in it, and that a storage keeps it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
import pytest
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from search import Suggestion
from service import Sweep, optuna_study
from service.config.load import load
from service.config.sweep import dump
from service.control.tasks import schemas_of
from service.record.plan import Plan, PlannedTrial
from service.record.record import Record
from service.storage.layout import plan_file

ASKED = """\
name: studied
data: {name: digits}
space:
  learner.wiring_cost: {log: [1e-4, 1.0]}
  learner.embedding: {choice: [space, free]}
  learner.dimensions: {choice: [1, 2, 3], when: {learner.embedding: space}}
objectives: %s
constraints: [{metric: silent, max: 0.2}]
"""
ONE = "[{metric: accuracy, goal: max}]"
TWO = "[{metric: accuracy, goal: max}, {metric: wiring_length, goal: min}]"


def write(folder: Path, objectives: str = ONE) -> Sweep:
    """A sweep with a trial of every state, and one that runs."""
    folder.mkdir(parents=True)
    (folder / "asked.yaml").write_text(ASKED % objectives)
    spec = load(folder / "asked.yaml")
    (folder / "sweep.yaml").write_text(dump(spec))
    metrics = {
        "accuracy": 0.5,
        "accuracy_sem": 0.1,
        "wiring_length": 3.0,
        "silent": 0.5,
        "rate": float("nan"),
    }
    rows = [
        {"trial": 0, "state": "complete", "embedding": "space", "dimensions": 2, **metrics},
        {"trial": 1, "state": "pruned", "reason": "not among the best", "embedding": "free", **metrics},
        {"trial": 2, "state": "failed", "reason": "`loss` is not finite", "embedding": "free"},
        {"trial": 3, "state": "timed_out", "embedding": "free", **metrics},
    ]
    with Record.open(folder, schemas_of(spec)) as record:
        record.append("trials", [{"wiring_cost": 0.01, "replicates": 2} | row for row in rows])
        for trial in (1, 0):
            keys = [{"trial": trial, "epoch": e, "replicate": r} for e in (1, 2) for r in (0, 1)]
            record.append(
                "epochs", [key | {"accuracy": 0.1 * key["epoch"] + key["replicate"]} for key in keys]
            )
    plan = Plan(plan_file(folder))
    plan.add(PlannedTrial(Suggestion(4, {"learner.wiring_cost": 0.5, "learner.embedding": "free"})))
    plan.close()
    return Sweep(folder)


def test_every_trial_is_in_the_study_with_all_that_is_known(tmp_path: Path) -> None:
    study = optuna_study(write(tmp_path / "studied"))
    assert study.study_name == "studied" and study.user_attrs == {"objectives": ["accuracy"]}
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED", "FAIL", "FAIL", "RUNNING"]
    complete, pruned, failed, late, running = study.trials
    with pytest.raises(ValueError, match="No feasible trials"):  # it is beyond the constraint
        _ = study.best_trial
    assert complete.value == 0.5
    given = {"learner.wiring_cost": 0.01, "learner.embedding": "space", "learner.dimensions": 2}
    assert complete.params == given
    assert complete.user_attrs == {
        "trial": 0, "state": "complete", "replicates": 2,
        "accuracy": 0.5, "accuracy_sem": 0.1, "wiring_length": 3.0, "silent": 0.5,
    }  # fmt: skip
    assert complete.constraints == {"0 silent": pytest.approx(0.3)}
    assert complete.intermediate_values == {1: pytest.approx(0.6), 2: pytest.approx(0.7)}
    assert "learner.dimensions" not in pruned.params and pruned.value == 0.5
    assert pruned.user_attrs["reason"] == "not among the best"
    assert failed.values is None and late.values is None and late.user_attrs["state"] == "timed_out"
    assert running.params == {"learner.wiring_cost": 0.5, "learner.embedding": "free"}


def test_of_several_objectives_a_pruned_trial_has_no_values(tmp_path: Path) -> None:
    study = optuna_study(write(tmp_path / "studied", TWO))
    assert [trial.values for trial in study.trials] == [[0.5, 3.0], None, None, None, None]
    assert study.trials[1].user_attrs["wiring_length"] == 3.0
    assert [one.name for one in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert all(trial.intermediate_values == {} for trial in study.trials)


def test_a_sweep_that_has_not_started_has_no_trials(tmp_path: Path) -> None:
    (tmp_path / "sweep.yaml").write_text(ASKED % ONE)
    assert optuna_study(Sweep(tmp_path)).trials == []


@contextmanager
def opened(url: str) -> Iterator[RDBStorage]:
    storage = RDBStorage(url)
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RDBStorage]:
    """An empty storage."""
    if request.param == "sqlite":
        with opened(f"sqlite:///{tmp_path / 'optuna.db'}") as found:
            yield found
        return
    uri = request.getfixturevalue("database")
    with opened(uri.replace("postgresql:", "postgresql+psycopg:")) as found:
        yield found


def test_a_storage_keeps_it_all(tmp_path: Path, storage: RDBStorage) -> None:
    study = optuna_study(write(tmp_path / "studied", TWO))
    copy = optuna.create_study(study_name="copy", storage=storage, directions=study.directions)
    copy.add_trials(study.trials)
    kept = optuna.load_study(study_name="copy", storage=storage).trials
    assert len(kept) == len(study.trials) == 5
    for one, other in zip(kept, study.trials, strict=True):
        for name in ("state", "values", "params", "distributions", "user_attrs", "constraints"):
            assert getattr(one, name) == getattr(other, name)
    assert [trial.state for trial in kept if trial.state.is_finished()].count(TrialState.FAIL) == 2
