"""The private names of Optuna's that we use are there, and mean what we think."""

import optuna
from optuna.distributions import FloatDistribution
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState, create_trial

from search._optuna_internals import HistoryView, frozen, open_trial


def test_an_open_trial_can_be_told_of_and_is_seen_as_it_stands() -> None:
    storage = InMemoryStorage()
    study = optuna.create_study(storage=storage)
    template = create_trial(
        state=TrialState.RUNNING, params={"x": 0.25}, distributions={"x": FloatDistribution(0, 1)}
    )
    trial = open_trial(storage, study, template)
    assert (frozen(storage, trial).state, frozen(storage, trial).params) == (TrialState.RUNNING, {"x": 0.25})
    study.tell(trial, 3.0)
    assert (frozen(storage, trial).state, frozen(storage, trial).value) == (TrialState.COMPLETE, 3.0)
    assert [one.value for one in study.trials] == [3.0]


def test_a_view_shows_some_trials_to_samplers_and_to_people() -> None:
    study = optuna.create_study()
    for value in range(5):
        study.add_trial(create_trial(value=float(value)))
    study.ask()
    view = HistoryView(study, study.get_trials()[1:3])
    assert [one.value for one in view.get_trials()] == [1.0, 2.0]
    assert [one.value for one in view._get_trials(states=(TrialState.COMPLETE,))] == [1.0, 2.0]
    assert view.get_trials(states=(TrialState.RUNNING,)) == []
