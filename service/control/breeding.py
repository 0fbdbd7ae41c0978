"""Trials that are bred one by one, each trained to its end: from the elites of an archive, or by generations.

Who has a child, and how it differs, follows from the plan, the record and the number of the child.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from search import Search, Suggestion
from search.background import BackgroundSearch
from search.evolution.archive import Entry
from search.evolution.explore import explore
from search.evolution.options import ArchiveOptions, EvolutionOptions
from search.objectives import costs, total_violation
from search.ranking import Result, fronts
from search.samplers.genetic import CROSSOVER
from service.config.evolution import SETTABLE
from service.config.sweep import SweepSpec
from service.control.offspring import child_of, last_epoch, structure_of
from service.control.telling import tell
from service.record.elites import elites_of, may_breed
from service.record.leaders import duplicate_of
from service.record.plan import PlannedTrial
from service.record.rows import FinishedTrial
from service.storage.layout import state_file, states
from service.storage.paths import StoragePath

Row = Mapping[str, Any]
BRED = 2
"""Random stream of parents and changes, apart from those of suggestions and of births."""


class Breeding:
    """What is known of the trials that may have children."""

    def __init__(
        self, spec: SweepSpec, options: EvolutionOptions, search: Search, background: BackgroundSearch
    ) -> None:
        """Nothing is known yet; `add` trials as they begin, and let them be `ended`.

        Args:
            spec: the sweep.
            options: its evolution.
            search: the sampler, which suggests founders and selects the parents of generations.
            background: the same, to be told of results.
        """
        self._spec, self._options = spec, options
        self._search, self._background = search, background
        self._space = spec.space.given(spec.fixed)
        self._begun: dict[int, PlannedTrial] = {}
        self._rows: dict[int, Row] = {}
        self._untold: dict[int, FinishedTrial] = {}

    def __contains__(self, trial: object) -> bool:
        """Whether a trial is a founder or a child: those that measure others again are neither."""
        return trial in self._begun

    @property
    def bred(self) -> int:
        """How many trials have begun, founders and children."""
        return len(self._begun)

    @property
    def by_generations(self) -> bool:
        """Whether the sampler selects the parents, and so is told of their children, too."""
        return self._options.generations

    def add(self, begun: PlannedTrial) -> None:
        """A trial has begun, or is planned."""
        self._begun[begun.trial] = begun

    def ended(self, finished: FinishedTrial, next_trial: int) -> None:
        """A trial is finished. The search is told of it as soon as that may act on `next_trial`.

        It is told in the order of their numbers, where trials wait for each other.
        """
        self._rows[finished.trial] = finished.row
        self._untold[finished.trial] = finished
        if self._awaits(next_trial):
            return
        for trial in sorted(n for n in self._untold if n < self._known_before(next_trial)):
            told, begun = self._untold.pop(trial), self._begun[trial]
            if begun.parent is None or self.by_generations:
                self._background.tell(partial(tell, finished=told))

    def wants_founder(self, trial: int) -> bool:
        """Whether the sampler should suggest `trial`: founders are few, or none may have a child."""
        if trial < self._options.population:
            return True
        return not self._awaits(trial) and not self._parents(trial)

    def next_child(self, trial: int) -> PlannedTrial | None:
        """The child with the number `trial`; None if others must end first, or there is no parent."""
        founding = trial < self._options.population and not self._search.exhausted
        if founding or self._background.pending or self._awaits(trial):
            return None
        parents = self._parents(trial)
        return self._child(trial, parents) if parents else None

    def tidy_states(self, folder: StoragePath, next_trial: int) -> None:
        """Remove the states that no child will be born from."""
        if self._background.pending:
            return  # what the sampler selects from may be changing
        unfinished = self._begun.keys() - self._rows.keys()
        kept = {*unfinished, *map(self._trained, self._search.prospects if self.by_generations else ())}
        kept |= {parent for n in unfinished if (parent := self._begun[n].parent) is not None}
        if self._options.archive is not None:
            for before in (self._known_before(next_trial), next_trial):
                kept |= {one.trial for one in self._elites(self._options.archive, before)}
        for trial, epoch in states(folder):
            if trial not in kept:
                state_file(folder, trial, epoch).unlink(missing_ok=True)

    def _known_before(self, trial: int) -> int:
        """The number below which finished trials count for those from `trial` on.

        Synchronous: where the block of as many trials as the population has begins that it belongs to, so
        that it does not matter who ends first. Else all of them count.
        """
        if not self._options.synchronous:
            return trial
        return trial - trial % self._options.population

    def _awaits(self, trial: int) -> bool:
        """Whether trials must end before `trial` can be planned."""
        if not self._options.synchronous:
            return False
        return any(n not in self._rows for n in self._begun if n < self._known_before(trial))

    def _parents(self, trial: int) -> list[int]:
        """The trials that may be parents of `trial`."""
        if self._options.archive is not None:
            found = self._elites(self._options.archive, self._known_before(trial))
            return [one.trial for one in found]
        known = (self._trained(n) for n in self._search.parents)
        return [n for n in known if n in self._rows and may_breed(self._rows[n], ())]

    def _child(self, trial: int, parents: Sequence[int]) -> PlannedTrial:
        """The child with the number `trial` of one of `parents`, or of two of a generation."""
        rng = np.random.default_rng([self._spec.search.seed, trial, BRED])
        other: PlannedTrial | None = None
        if self._options.archive is not None:
            parent = self._begun[parents[int(rng.integers(len(parents)))]]
        else:
            parent = self._better_of_two(parents, rng)
            crossover = self._spec.search.crossover
            if rng.random() < (CROSSOVER if crossover is None else crossover):
                other = self._better_of_two(parents, rng)
        return self._changed(trial, parent, other, rng)

    def _trained(self, trial: int) -> int:
        """The trial whose networks are those of `trial`: another one, if it is a duplicate."""
        original = duplicate_of(self._rows[trial]) if trial in self._rows else None
        return trial if original is None else original

    def _elites(self, archive: ArchiveOptions, before: int) -> list[Entry]:
        """The elites among the finished trials below a number, cell by cell."""
        known = (row for n, row in self._rows.items() if n < before)
        return list(elites_of(self._spec, archive, known).values())

    def _better_of_two(self, parents: Sequence[int], rng: np.random.Generator) -> PlannedTrial:
        """A tournament: of two drawn at random the one that dominates, else the first."""
        drawn = [parents[int(n)] for n in rng.integers(len(parents), size=2)]
        constraints, objectives = self._spec.constraints, self._spec.objectives
        rows = [self._rows[n] for n in drawn]
        results = [Result(total_violation(constraints, row), costs(objectives, row)) for row in rows]
        first = next(fronts(results))
        return self._begun[drawn[0 if 0 in first else 1]]

    def _changed(
        self, trial: int, parent: PlannedTrial, other: PlannedTrial | None, rng: np.random.Generator
    ) -> PlannedTrial:
        spec, options = self._spec, self._options
        change = explore(
            self._space,
            parent.suggestion.values,
            structure_of(spec, parent),
            options,
            SETTABLE if options.inherits else self._space.paths,
            rng,
            other.suggestion.values if other else None,
        )
        if not options.inherits:
            return PlannedTrial(Suggestion(trial, change.values), parent.trial)
        epoch = last_epoch(spec, parent)
        return child_of(spec, trial, parent, change, epoch, epochs=epoch + options.ready)
