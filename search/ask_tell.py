"""The search itself: ask for a suggestion, tell what became of it.

A thin layer over an optuna study in memory. What lasts is kept by the caller: a search is rebuilt by
restoring the suggestions it has made and telling what became of them, in the same order, and goes on as if it
had never stopped.
"""

import json
import math
from collections.abc import Mapping, Sequence

import numpy as np
import optuna
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from search._optuna_internals import frozen, open_trial
from search.domains import Value
from search.objectives import Constraint, Objective
from search.optuna_trials import directions, parameters, violations
from search.samplers import SamplerOptions, make_strategy
from search.space import Space
from search.suggestion import Suggestion

TRIES = 10
"""How often a suggestion is asked for before a duplicate is accepted."""

# User attributes of the study's trials.
TRIAL = "trial"
REASON = "reason"
PRUNED = "pruned"
SOURCE = "source"


class Search:
    """Ask and tell. One thread at a time may use it."""

    def __init__(
        self,
        space: Space,
        objectives: Sequence[Objective],
        *,
        options: SamplerOptions | None = None,
        constraints: Sequence[Constraint] = (),
        fixed: Mapping[str, object] | None = None,
    ) -> None:
        """Start a search.

        Args:
            space: the searched fields.
            objectives: at least one.
            options: the sampler.
            constraints: on metrics; a sampler that learns avoids what violates them.
            fixed: values of paths that are not searched, for the conditions of those that are.

        Raises:
            ValueError: if an argument is not legal, or they do not go together.
        """
        if not objectives:
            raise ValueError("`objectives`: got none, expected at least one")
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space = space.given(fixed or {})
        self._objectives, self._constraints = tuple(objectives), tuple(constraints)
        self._strategy = make_strategy(options or SamplerOptions(), self._space, self._objectives)
        self._storage = InMemoryStorage()
        self.study = optuna.create_study(storage=self._storage, directions=directions(objectives))
        """All trials in optuna's terms, for looking at."""
        self._asked = 0
        self._running: dict[int, tuple[Suggestion, Trial]] = {}
        self._done: dict[str, int] = {}  # canonical values -> first trial that is done and has them

    @property
    def size(self) -> int | None:
        """How many suggestions there are, if not any number."""
        return self._strategy.size

    @property
    def exhausted(self) -> bool:
        """Whether there is nothing left to suggest."""
        return self.size is not None and self._asked >= self.size

    def running(self) -> list[Suggestion]:
        """What was asked and not yet told, by number."""
        return [self._running[trial][0] for trial in sorted(self._running)]

    @property
    def parents(self) -> list[int]:
        """The trials that a genetic sampler has selected to have children now; none of other samplers.

        Trials of earlier sweeps are not among them.
        """
        return _numbers(self._strategy.parents)

    @property
    def prospects(self) -> set[int]:
        """The trials that are parents or may be selected later: those that are running, too."""
        return {*self._running, *self.parents, *_numbers(self._strategy.successors)}

    def fault(self, metrics: Mapping[str, float]) -> str | None:
        """Why a trial with these metrics cannot be told complete, or None."""
        for metric in [o.metric for o in self._objectives] + [c.metric for c in self._constraints]:
            value = metrics.get(metric)
            if value is None:
                return f"`{metric}` is missing"
            if not math.isfinite(value):
                return f"`{metric}` is {value}"
        return None

    def ask(self, trial: int) -> Suggestion:
        """The next suggestion, to be tried as number `trial`, which must be new.

        Its values depend on the seed, on how often was asked, and on what was told so far. Values of a trial
        that is done are passed over, at most `TRIES` times.
        """
        assert trial not in self._running, f"trial {trial} runs already"
        running = [frozen(self._storage, handle) for _, handle in self._running.values()]
        for tries_left in reversed(range(TRIES)):
            number, self._asked = self._asked, self._asked + 1
            made = self._strategy.sampler if tries_left == TRIES - 1 else self._strategy.resample
            self.study.sampler = made(number, running)
            handle = self.study.ask()
            suggested = self._space.suggest(handle, self._strategy.latent)
            values = self._space.active(suggested)
            duplicate_of = self._done.get(_canonical(values))
            if duplicate_of is None or tries_left == 0 or self.exhausted:
                break
            self._fail(handle, f"duplicate of trial {duplicate_of}")
        latent = {path: value for path, value in suggested.items() if path not in values}
        suggestion = Suggestion(trial, values, duplicate_of, latent, number)
        handle.set_user_attr(TRIAL, trial)
        self._running[trial] = suggestion, handle
        return suggestion

    def restore(self, suggestion: Suggestion) -> None:
        """Take up a suggestion of an earlier session, as if it had just been asked for."""
        assert suggestion.trial not in self._running, f"trial {suggestion.trial} runs already"
        values = self._completed({**suggestion.values, **suggestion.latent}, suggestion.number)
        template = create_trial(
            state=TrialState.RUNNING,
            **parameters(self._space, values),
            user_attrs={TRIAL: suggestion.trial},
        )
        handle = open_trial(self._storage, self.study, template)
        self._running[suggestion.trial] = suggestion, handle
        self._asked = max(self._asked, suggestion.number + 1)

    def warm_start(self, sources: Mapping[str, tuple[Mapping[str, Value], Mapping[str, float]]]) -> None:
        """Warm start: let the sampler know trials of earlier searches, before the first suggestion.

        Args:
            sources: for each trial a name for it, its values by path, and its metrics. Values must be those
                of the active fields, as `Space.fits` says, and metrics without `fault`.
        """
        trials = []
        for n, (source, (values, metrics)) in enumerate(sources.items()):
            params = self._completed(values, n)
            template = create_trial(
                values=[float(metrics[one.metric]) for one in self._objectives],
                **parameters(self._space, params),
                user_attrs={SOURCE: source},
                constraints=violations(self._constraints, metrics),
            )
            trials.append(frozen(self._storage, open_trial(self._storage, self.study, template)))
        if trials:
            self._strategy.warm_start(self.study, trials)

    def tell_complete(self, trial: int, metrics: Mapping[str, float]) -> None:
        """`trial` has run to its end; if `fault(metrics)` finds one, it counts as failed."""
        reason = self.fault(metrics)
        if reason is not None:
            self.tell_failed(trial, reason)
            return
        _, handle = self._of(trial)
        self._set_violations(handle, metrics)
        self.study.tell(handle, [float(metrics[one.metric]) for one in self._objectives])
        self._finish(trial)

    def tell_pruned(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """`trial` was stopped early after `epoch` epochs; `metrics` are its last ones.

        With one objective, the study gets its last value. With several it cannot take them, and they are
        kept beside it.
        """
        _, handle = self._of(trial)
        known = {name: float(value) for name, value in metrics.items() if math.isfinite(value)}
        self._set_violations(handle, known)
        objective = self._objectives[0].metric
        if len(self._objectives) > 1:
            handle.set_user_attr(PRUNED, {"epoch": epoch, "metrics": known})
        elif objective in known:
            handle.report(known[objective], epoch)
        self.study.tell(handle, state=TrialState.PRUNED)
        self._finish(trial)

    def tell_failed(self, trial: int, reason: str) -> None:
        """`trial` came to nothing, for a `reason` in words."""
        self._fail(self._of(trial)[1], reason)
        del self._running[trial]

    def _finish(self, trial: int) -> None:
        suggestion, handle = self._running.pop(trial)
        self._strategy.observe(self.study, frozen(self._storage, handle))
        self._done.setdefault(_canonical(suggestion.values), trial)

    def _of(self, trial: int) -> tuple[Suggestion, Trial]:
        assert trial in self._running, f"trial {trial} was told before, or never asked"
        return self._running[trial]

    def _completed(self, values: Mapping[str, Value], number: int) -> dict[str, Value]:
        """With values for the other fields, if the sampler wants them and they were lost: any will do."""
        if not self._strategy.latent:
            return dict(values)
        rng = np.random.default_rng(self._strategy.seed(number))
        drawn = {f.path: f.domain.at(float(u)) for f, u in self._space.draw(rng)}
        return {**drawn, **values}

    def _fail(self, handle: Trial, reason: str) -> None:
        handle.set_user_attr(REASON, reason)
        self.study.tell(handle, state=TrialState.FAIL)

    def _set_violations(self, handle: Trial, metrics: Mapping[str, float]) -> None:
        for key, violation in violations(self._constraints, metrics).items():
            handle.set_constraint(key, violation)


def _numbers(trials: Sequence[FrozenTrial]) -> list[int]:
    return [one.user_attrs[TRIAL] for one in trials if TRIAL in one.user_attrs]


def _canonical(values: Mapping[str, Value]) -> str:
    """The same text for the same values; floats are written exactly."""
    return json.dumps(values, sort_keys=True)
