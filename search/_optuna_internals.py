"""Every name of Optuna's that is not promised to stay, in one place.

Each has a test of its own, so that a version of Optuna that renames one is found by that test and not by a
user. pyproject holds optuna below the first minor version that was not tested.
"""

from collections.abc import Container, Sequence

from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState


def frozen(storage: BaseStorage, trial: Trial) -> FrozenTrial:
    """A trial as it stands now. The public way would copy every trial of the study."""
    return storage.get_trial(trial._trial_id)


def open_trial(storage: BaseStorage, study: Study, template: FrozenTrial) -> Trial:
    """A trial of `study` with the values of `template`, not finished yet: in public only others are added."""
    return Trial(study, storage.create_new_trial(study._study_id, template_trial=template))


class HistoryView(Study):
    """A study of which only some trials are seen."""

    def __init__(self, study: Study, trials: Sequence[FrozenTrial]) -> None:
        super().__init__(study.study_name, study._storage)
        self._seen = list(trials)

    def _get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None, use_cache: bool = False
    ) -> list[FrozenTrial]:
        return [trial for trial in self._seen if states is None or trial.state in states]
