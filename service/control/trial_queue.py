"""What is to be run: suggestions while the budget lasts, then more seeds for the leading trials.

Where a population evolves, the suggestions are its founders, and its members take turns. Where trials are
bred one by one, they are founders, too, and children follow as soon as there are parents.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

from search import Search, Suggestion
from search.background import BackgroundSearch
from service.config.sweep import SweepSpec
from service.control.breeding import Breeding
from service.control.offspring import last_epoch
from service.control.population import Population
from service.control.telling import tell
from service.record.budget import Budget
from service.record.elites import archive_options, awaiting
from service.record.lineage import Stage, stages
from service.record.plan import MORE_SEEDS, Decision, Plan, PlannedTrial, WarmStartTrial
from service.record.planned import planned_trial
from service.record.record import Record
from service.record.rows import FinishedTrial, finished_trial
from service.record.schema import values_of
from service.storage.layout import plan_file
from service.storage.paths import StoragePath

Row = Mapping[str, Any]


class TrialQueue:
    """Begins trials, one after the other, and keeps a plan of them that outlives the process."""

    def __init__(
        self,
        spec: SweepSpec,
        folder: StoragePath,
        record: Record,
        sources: Sequence[WarmStartTrial],
    ) -> None:
        """Take up the plan in `folder` and rebuild the search from it and the record.

        Args:
            spec: the sweep.
            folder: of the sweep.
            record: its results.
            sources: trials of earlier sweeps to start from; a sweep that has begun keeps its own.

        Raises:
            SweepError: if the plan is damaged or can't be written.
        """
        self.spec, self._record = spec, record
        self.patience: float | None = None
        """How long `next` may wait for the sampler (s); None: until it has a suggestion."""
        self._suggested: set[int] = set()  # trials that the sampler suggested
        self._extended: dict[int, int] = {}  # leaders that were begun again, and as which trial
        self._known: dict[int, PlannedTrial] = {}
        self._unfinished: set[int] = set()
        self._next_trial = 0
        evolution = spec.search.evolution
        self.population = Population(spec, evolution, record) if evolution and spec.open_ended else None
        """The members of the population, where one evolves."""
        self._search = Search(
            spec.space,
            spec.objectives,
            options=spec.search.suggesting,
            constraints=spec.constraints,
            fixed=spec.fixed,
        )
        self._background = BackgroundSearch(self._search)  # without a thread until it is asked
        self._breeding = (
            Breeding(spec, evolution, self._search, self._background)
            if evolution and evolution.breeds
            else None
        )
        with ExitStack() as opened:  # the plan is closed if the search can't be rebuilt
            self._plan = Plan(plan_file(folder))
            opened.callback(self._plan.close)
            if self._plan.sources is None and spec.search.warm_start:
                self._plan.start_from(list(sources))
            self.budget = Budget(spec.budget, folder, spec.objectives, spec.constraints, self._plan.elapsed)
            self.left = self._rebuild()
            """Trials that were cut short, to be run first."""
            opened.pop_all()

    @property
    def over(self) -> bool:
        """Whether no trial is unfinished, and there is none to begin."""
        waiting = self._unfinished or self._background.pending
        begins = self._wants_suggestion() or self._next_bred() is not None
        return not waiting and not begins and self._next_leader() is None

    @property
    def all_begun(self) -> bool:
        """Whether no trial will begin any more; where others can follow from one that ends, it never is."""
        waiting = self.left or self._background.pending or self._wants_suggestion()
        return not (waiting or self.population or self._breeding or self._seeds_of_leaders())

    @property
    def exhausted_budget(self) -> str | None:
        """Which budget, other than the number of trials, has ended the search, in words; None if none has."""
        return self.budget.used_up() or self.budget.plateau()

    def fault(self, metrics: Mapping[str, float]) -> str | None:
        """Why a trial with these metrics is of no use to the search, or None."""
        return self._search.fault(metrics)

    def next(self) -> PlannedTrial | None:
        """The next trial, which is in the plan from now on.

        None if there is none at the moment: all is over, a suggestion is not there yet, or trials that run
        must be awaited.
        """
        if self.left:
            return self.left.pop(0)
        wants = self._background.pending or self._wants_suggestion()
        if self.population is not None and (member := self.population.next(untrained=wants)) is not None:
            return member
        if wants:
            suggestion = self._background.ask(self._next_trial, self.patience)
            if suggestion is None:
                return None
            begun = PlannedTrial(suggestion)
        elif (bred := self._next_bred()) is not None:
            begun = bred
        else:
            leader = self._next_leader()
            if leader is None:
                return None
            again = Suggestion(self._next_trial, values_of(leader, self.spec.space))
            begun = PlannedTrial(again, leader["trial"], MORE_SEEDS, self._seeds_of_leaders())
        self._plan.add(begun)
        self._note(begun)
        if begun.parent is not None and self.is_suggestion(begun.trial):  # the sampler has not made it
            self._search.restore(begun.suggestion)
        return begun

    def decide(self) -> Decision | None:
        """Compare members of the population, if it is time; what was decided is in the plan from now on.

        Nobody is compared before all founders have begun, and no child is planned beyond a budget.
        """
        if self.population is None or self._background.pending or self._wants_suggestion():
            return None
        room = 0 if self.exhausted_budget else self.spec.search.trials - self._next_trial
        decision = self.population.decide(self._next_trial, max(0, room))
        if decision is not None:
            self._plan.decide(decision)
            for child in decision.children:
                self._note(child)
            self.population.decided(decision)
        return decision

    def replaced(self) -> list[tuple[int, int]]:
        """Trials whose place a child has taken and that are not finished yet, each with its child."""
        births = [one for one in self._plan.begun if one.birth is not None]
        return [
            (one.birth.replaces, one.trial)
            for one in births
            if one.birth is not None and one.birth.replaces in self._unfinished
        ]

    def note(self, trial: int, known: Mapping[str, Any]) -> None:
        """Keep something of a trial that goes on later, beside what is kept of it already."""
        self._plan.note(trial, known)

    def noted(self, trial: int) -> Mapping[str, Any]:
        """What is kept of a trial."""
        return self._plan.notes.get(trial, {})

    def planned(self, trial: int) -> PlannedTrial:
        """How a trial was begun."""
        return self._known[trial]

    def lineage(self, begun: PlannedTrial) -> list[Stage]:
        """What a trial with more seeds has to repeat: the lineage of its leader; nothing of all others."""
        if not begun.has_more_seeds or begun.parent is None:
            return []
        leader = self._known[begun.parent]
        return stages(self._known, begun.parent, last_epoch(self.spec, leader))

    def population_of(self, trial: int) -> Population | None:
        """The population that a trial is a member of."""
        return self.population if self.population is not None and trial in self.population else None

    def is_suggestion(self, trial: int) -> bool:
        """Whether the sampler suggested a trial; otherwise it is a child, or a leader that has more seeds."""
        return trial in self._suggested

    def finished(self, finished: FinishedTrial) -> None:
        """A trial is over."""
        self._plan.pass_time(self.budget.elapsed)
        self.budget.finished(finished.row)
        self._settle(finished)

    def _settle(self, finished: FinishedTrial) -> None:
        self._unfinished.discard(finished.trial)
        if population := self.population_of(finished.trial):
            population.ended(finished.trial, finished.row["state"])
        if self._breeding is not None and finished.trial in self._breeding:
            self._breeding.ended(finished, self._next_trial)
        elif self.is_suggestion(finished.trial):
            self._background.tell(partial(tell, finished=finished))

    def tidy_states(self, folder: StoragePath) -> None:
        """Remove the states of networks that no trial goes on from any more."""
        if self.population is not None:
            self.population.tidy_states(folder)
        elif self._breeding is not None:
            self._breeding.tidy_states(folder, self._next_trial)

    def close(self) -> None:
        """Wait for a suggestion that is being made, which nobody wants any more, and keep the time."""
        self._background.close()
        try:
            self._plan.pass_time(self.budget.elapsed)
        finally:
            self._plan.close()

    def _rebuild(self) -> list[PlannedTrial]:
        """Bring the search to where the record ends; returns the trials that were cut short."""
        self._search.warm_start({one.name: (one.values, one.metrics) for one in self._plan.sources or []})
        rows = {row["trial"]: row for row in self._record.rows("trials").to_pylist()}
        begun = self._begun(rows)
        for one in begun:
            self._note(one)
            if self.is_suggestion(one.trial):
                self._search.restore(one.suggestion)
        if self.population is not None:
            for decision in self._plan.decisions:
                self.population.decided(decision)
        for row in rows.values():
            self.budget.replay(row)
            self._settle(finished_trial(row, self.spec.metrics))
        # Members of a population have their turns.
        return [one for one in begun if one.trial not in rows and self.population_of(one.trial) is None]

    def _begun(self, rows: Mapping[int, Row]) -> list[PlannedTrial]:
        """The trials that were begun, by number; what the plan has lost is taken from the record."""
        planned = {one.trial: one for one in self._plan.begun}
        found: list[PlannedTrial] = []
        for trial in sorted(planned.keys() | rows.keys()):
            one = planned.get(trial)
            if one is None:
                number = max((earlier.suggestion.number + 1 for earlier in found), default=0)
                one = planned_trial(rows[trial], self.spec.space, number)
            found.append(one)
        return found

    def _note(self, begun: PlannedTrial) -> None:
        self._next_trial = begun.trial + 1
        self._unfinished.add(begun.trial)
        self._known[begun.trial] = begun
        if begun.has_more_seeds and begun.parent is not None:
            self._extended[begun.parent] = begun.trial
            return
        if self.population is not None:
            self.population.add(begun)
        if self._breeding is not None:
            self._breeding.add(begun)
        if begun.parent is None or (self._breeding is not None and self._breeding.by_generations):
            self._suggested.add(begun.trial)  # the sampler selects from children, too

    def _wants_suggestion(self) -> bool:
        """Whether the search for configurations goes on."""
        if self._search.exhausted or not self._has_room():
            return False
        return self._breeding is None or self._breeding.wants_founder(self._next_trial)

    def _has_room(self) -> bool:
        """Whether there may be more trials, by their number and by the budget; members' children aside."""
        evolution, wanted, begun = self.spec.search.evolution, self.spec.search.trials, len(self._suggested)
        if self._breeding is not None:
            begun = self._breeding.bred
        elif evolution is not None:
            wanted = evolution.population
        return begun < wanted and self.exhausted_budget is None

    def _next_bred(self) -> PlannedTrial | None:
        """The next child, where trials are bred one by one."""
        if self._breeding is None or not self._has_room():
            return None
        return self._breeding.next_child(self._next_trial)

    def _seeds_of_leaders(self) -> int | None:
        """How many seeds leaders have when they are run again, or elites; None: they are not."""
        archive, wanted = archive_options(self.spec), self.spec.replicates
        if archive is not None:
            return archive.remeasure or None
        return wanted.leaders if wanted else None

    def _next_leader(self) -> Row | None:
        """The leading trial, or the elite, that should have more seeds next, once all others are over."""
        searching = self._unfinished - set(self._extended.values())
        if self._seeds_of_leaders() is None or searching or self.budget.used_up() is not None:
            return None
        waiting = awaiting(self.spec, self._record.rows("trials").to_pylist())
        return next((row for row in waiting if row["trial"] not in self._extended), None)
