"""The search itself: ask for a suggestion, tell what became of it.

A thin layer over an optuna study, which stores everything: a `Search` opened anew on the same storage takes
up where the last one was, however that one ended. One process at a time may hold a search open.

Trials have our own numbers, 0, 1, 2, ... without gaps. The study's numbers have gaps, because a suggestion
that was already tried is skipped there.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState

from search.objectives import Constraint, Objective
from search.samplers import make_sampler, seed_of
from search.space import Space, Value

TRIES = 10
"""How often a suggestion is asked for before a duplicate is accepted."""

# User attributes: of the study, and of its trials.
METRICS = "metrics"
TRIAL = "trial"
DUPLICATE_OF = "duplicate_of"
REASON = "reason"
PRUNED = "pruned"

_DIRECTIONS = {"min": StudyDirection.MINIMIZE, "max": StudyDirection.MAXIMIZE}


@dataclass(frozen=True)
class Suggestion:
    """Values to be tried, by path, as trial number `trial`.

    With `duplicate_of`, they are those of that complete trial, and nothing better could be found: take over
    its metrics instead of running it.
    """

    trial: int
    values: dict[str, Value]
    duplicate_of: int | None = None


@dataclass(frozen=True)
class _Running:
    suggestion: Suggestion
    handle: Trial


class Search:
    """Ask/tell over a study; build it by `Search.open`."""

    def __init__(
        self,
        study: optuna.Study,
        space: Space,
        objectives: Sequence[Objective],
        constraints: Sequence[Constraint],
        sampler: tuple[str, int, int | None],
        fixed: Mapping[str, object],
    ) -> None:
        self._study = study
        self._space = space
        self._objectives = tuple(objectives)
        self._constraints = tuple(constraints)
        self._sampler = sampler
        self._fixed = dict(fixed)
        self._asked = 0  # trials in the study
        self._next = 0
        self._running: dict[int, _Running] = {}
        self._complete: dict[str, int] = {}  # canonical values -> first complete trial that has them
        for frozen in study.get_trials(deepcopy=False):
            self._take_up(frozen)

    @classmethod
    def open(
        cls,
        storage: BaseStorage,
        name: str,
        space: Space,
        objectives: Sequence[Objective],
        *,
        sampler: str = "tpe",
        seed: int = 0,
        population: int | None = None,
        constraints: Sequence[Constraint] = (),
        fixed: Mapping[str, object] | None = None,
    ) -> "Search":
        """Start the search called `name` in `storage`, or take it up again.

        Args:
            storage: an optuna storage, as from `journal_storage`.
            name: of the study.
            space: the searched fields.
            objectives: at least one.
            sampler: one of `search.samplers.SAMPLERS`.
            seed: of all random numbers, at least 0.
            population: trials in a generation, for samplers that have them.
            constraints: on metrics; the sampler avoids what violates them.
            fixed: values of paths that are not searched, for the conditions of those that are.

        Raises:
            ValueError: if an argument is not legal, or the stored search had other objectives.
        """
        make_sampler(sampler, seed_of(seed, 0), space, population)
        space.check_fixed(fixed or {})
        if not objectives:
            raise ValueError("`objectives`: got none, expected at least one")
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        goals = [_DIRECTIONS[o.goal] for o in objectives]
        study = optuna.create_study(storage=storage, study_name=name, directions=goals, load_if_exists=True)
        metrics = [o.metric for o in objectives]
        if METRICS not in study.user_attrs:
            study.set_user_attr(METRICS, metrics)
        if study.user_attrs[METRICS] != metrics or study.directions != goals:
            raise ValueError(f"search {name}: stored with other objectives; take those, or another name")
        return cls(study, space, objectives, constraints, (sampler, seed, population), fixed or {})

    @property
    def next_trial(self) -> int:
        """The number of the next trial to be asked, which is how many have been."""
        return self._next

    def told(self, trial: int) -> bool:
        """Whether it is known what became of `trial`."""
        return trial < self._next and trial not in self._running

    def running(self) -> list[Suggestion]:
        """What was asked and not yet told, by number."""
        return [self._running[trial].suggestion for trial in sorted(self._running)]

    def fault(self, metrics: Mapping[str, float]) -> str | None:
        """Why a trial with these metrics cannot be told complete, or None."""
        for metric in [o.metric for o in self._objectives] + [c.metric for c in self._constraints]:
            value = metrics.get(metric)
            if value is None:
                return f"`{metric}` is missing"
            if not math.isfinite(value):
                return f"`{metric}` is {value}"
        return None

    def ask(self) -> Suggestion:
        """The next trial.

        Its values depend on the seed, on how often was asked, and on what was told so far. Values of a
        complete trial are passed over, at most `TRIES` times.
        """
        for tries_left in reversed(range(TRIES)):
            handle, values = self._ask_study()
            duplicate_of = self._complete.get(_canonical(values))
            if duplicate_of is None or tries_left == 0:
                break
            self._fail(handle, f"duplicate of trial {duplicate_of}")
        suggestion = Suggestion(self._next, values, duplicate_of)
        handle.set_user_attr(DUPLICATE_OF, duplicate_of)
        handle.set_user_attr(TRIAL, suggestion.trial)  # last: this makes it count
        self._running[suggestion.trial] = _Running(suggestion, handle)
        self._next += 1
        return suggestion

    def tell_complete(self, trial: int, metrics: Mapping[str, float]) -> None:
        """`trial` has run to its end; if `fault(metrics)` finds one, it counts as failed."""
        reason = self.fault(metrics)
        if reason is not None:
            self.tell_failed(trial, reason)
            return
        running = self._open(trial)
        self._set_violations(running.handle, metrics)
        self._study.tell(running.handle, [float(metrics[o.metric]) for o in self._objectives])
        del self._running[trial]
        self._complete.setdefault(_canonical(running.suggestion.values), trial)

    def tell_pruned(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """`trial` was stopped early after `epoch` epochs; `metrics` are its last ones.

        With one objective, the study gets its last value. With several it cannot take them, and they are
        kept beside it.
        """
        handle = self._open(trial).handle
        known = {name: float(value) for name, value in metrics.items() if _is_finite(value)}
        self._set_violations(handle, known)
        objective = self._objectives[0].metric
        if len(self._objectives) > 1:
            handle.set_user_attr(PRUNED, {"epoch": epoch, "metrics": known})
        elif objective in known:
            # Not Trial.report, which warns if a killed driver has already reported it.
            handle.storage.set_trial_intermediate_value(handle._trial_id, epoch, known[objective])
        self._study.tell(handle, state=TrialState.PRUNED)
        del self._running[trial]

    def tell_failed(self, trial: int, reason: str) -> None:
        """`trial` came to nothing, for a `reason` in words."""
        self._fail(self._open(trial).handle, reason)
        del self._running[trial]

    def _open(self, trial: int) -> _Running:
        assert trial in self._running, f"trial {trial} was told before, or never asked"
        return self._running[trial]

    def _take_up(self, frozen: FrozenTrial) -> None:
        self._asked += 1
        trial: int | None = frozen.user_attrs.get(TRIAL)
        if trial is None:
            if not frozen.state.is_finished():
                self._fail(self._handle(frozen), "interrupted before it was suggested")
            return
        assert trial == self._next, "trials are numbered in the order in which they are asked"
        self._next += 1
        values = self._in_order(frozen.params)
        if frozen.state == TrialState.COMPLETE:
            self._complete.setdefault(_canonical(values), trial)
        elif not frozen.state.is_finished():
            suggestion = Suggestion(trial, values, frozen.user_attrs[DUPLICATE_OF])
            self._running[trial] = _Running(suggestion, self._handle(frozen))

    def _ask_study(self) -> tuple[Trial, dict[str, Value]]:
        name, seed, population = self._sampler
        self._study.sampler = make_sampler(name, seed_of(seed, self._asked), self._space, population)
        handle = self._study.ask()
        assert handle.number == self._asked, "another process asks the same study"
        self._asked += 1
        return handle, self._space.suggest(handle, self._fixed)

    def _fail(self, handle: Trial, reason: str) -> None:
        handle.set_user_attr(REASON, reason)
        self._study.tell(handle, state=TrialState.FAIL)

    def _set_violations(self, handle: Trial, metrics: Mapping[str, float]) -> None:
        known = handle.constraints  # what a killed driver has already set
        for i, constraint in enumerate(self._constraints):
            key = f"{i} {constraint.metric}"
            if key not in known and constraint.metric in metrics:
                handle.set_constraint(key, constraint.violation(metrics[constraint.metric]))

    def _handle(self, frozen: FrozenTrial) -> Trial:
        return Trial(self._study, frozen._trial_id)

    def _in_order(self, values: Mapping[str, Value]) -> dict[str, Value]:
        return {path: values[path] for path in self._space.paths if path in values}


def journal_storage(path: Path) -> JournalStorage:
    """The storage in the journal file `path`, made if missing.

    Only for the one process that holds the search: it clears away what a killed one has left, its lock
    (for which optuna would wait half a minute) and a last line cut short (after which optuna would append,
    and never be able to read the file again).
    """
    for leftover in path.parent.glob(f"{path.name}.lock*"):
        leftover.unlink(missing_ok=True)
    if path.exists():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            with path.open("r+b") as file:
                file.truncate(whole)
    # The default, a symlink lock, waits for ever on a leftover if `path` is relative.
    return JournalStorage(JournalFileBackend(str(path), lock_obj=JournalFileOpenLock(str(path))))


def _canonical(values: Mapping[str, Value]) -> str:
    """The same text for the same values; floats are written exactly."""
    return json.dumps(values, sort_keys=True)


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
