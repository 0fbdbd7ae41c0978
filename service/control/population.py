"""The members of a population: who trains next, who is compared when, and what becomes of whom.

All of it follows from the plan and the record, so that a population taken up again is the one that was left.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from search.evolution.exploit import Standing, best_parent, parent_for
from search.evolution.explore import explore
from search.evolution.options import EvolutionOptions
from search.objectives import costs, metrics_needed, total_violation
from search.ranking import Result
from search.seeds import seed_of
from service.config.evolution import SETTABLE
from service.config.sweep import SweepSpec
from service.control.offspring import child_of, structure_of
from service.record.plan import Decision, PlannedTrial
from service.record.record import Record
from service.storage.layout import state_file, states
from service.storage.paths import StoragePath

COMPLETE = "complete"
Values = Mapping[str, Sequence[float]]
"""One value a replicate, by metric."""


@dataclass
class Member:
    """A trial that has or had a place in the population."""

    begun: PlannedTrial
    epoch: int
    """Epochs that are recorded of its lineage up to it."""
    compared: int
    """The last epoch at which it was compared, or was born."""
    state: int | None = None
    """The epoch of its own latest state; None: it has none yet."""
    running: bool = False
    ended: str | None = None
    """Its state in `trials`; None: it lives."""

    @property
    def trial(self) -> int:
        """The number of its trial."""
        return self.begun.trial

    @property
    def birth_epoch(self) -> int:
        """The epoch at which it was born; 0 of a founder."""
        return self.begun.birth.epoch if self.begun.birth else 0

    @property
    def waits(self) -> bool:
        """Whether it has come to a ready epoch, and has not been compared there."""
        return not self.running and self.state == self.epoch > self.compared


class Population:
    """The places of a population and who holds them."""

    def __init__(self, spec: SweepSpec, options: EvolutionOptions, record: Record) -> None:
        """A population without members; `add` them in the order of their numbers.

        Args:
            spec: the sweep.
            options: its evolution.
            record: its results so far.
        """
        self._spec, self._options, self._record = spec, options, record
        self._space = spec.space.given(spec.fixed)
        self._names = sorted(metrics_needed(spec.objectives, spec.constraints) | {"silent"})
        self._members: dict[int, Member] = {}
        self._holders: list[int] = []  # by place
        self._results: dict[tuple[int, int], Values] = {}
        for trial, epoch, values in _results(record, self._names):
            self._note(trial, epoch, values)

    @property
    def living(self) -> list[Member]:
        """The members that are not finished, the least trained first."""
        alive = [self._members[trial] for trial in self._holders if self._members[trial].ended is None]
        return sorted(alive, key=lambda one: (one.epoch, one.trial))

    def __contains__(self, trial: object) -> bool:
        """Whether a trial is or was a member: leaders that are run again with more seeds are none."""
        return trial in self._members

    def add(self, begun: PlannedTrial) -> None:
        """A founder, which opens a place, or a child, which takes one."""
        birth = begun.birth
        born = birth.epoch if birth else 0
        epoch = max(self._record.last_epoch(begun.trial) or born, born)
        last = epoch - epoch % self._options.ready
        state = last if last > born and last < self._spec.learner.epochs else None
        # Whatever has gone on from a ready epoch was compared there; `decided` knows of the others.
        compared = state if state is not None and state < epoch else born
        self._members[begun.trial] = Member(begun, epoch, compared, state)
        if birth is None:
            self._holders.append(begun.trial)
        else:
            assert birth.replaces is not None
            self._holders[self._holders.index(birth.replaces)] = begun.trial

    def decided(self, decision: Decision) -> None:
        """Members were compared, and children begun, which are added besides."""
        for trial in decision.members:
            member = self._members[trial]
            member.compared = max(member.compared, decision.epoch)

    def start(self, trial: int) -> tuple[int | None, int | None]:
        """A member trains now: the epoch of the state that it goes on from, and the one at which it pauses.

        None: there is no such state, or it goes on to the end.
        """
        member = self._members[trial]
        member.running = True
        until = (member.epoch // self._options.ready + 1) * self._options.ready
        return member.state, until if until < self._spec.learner.epochs else None

    def advanced(self, trial: int, epoch: int, values: Values) -> None:
        """A member has come to an epoch."""
        self._members[trial].epoch = max(self._members[trial].epoch, epoch)
        self._note(trial, epoch, values)

    def paused(self, trial: int, epoch: int) -> None:
        """A member waits at a ready epoch, its state on disk."""
        self._members[trial].state = epoch
        self._members[trial].running = False

    def ended(self, trial: int, state: str) -> None:
        """A member is finished."""
        self._members[trial].ended, self._members[trial].running = state, False

    def next(self, untrained: bool) -> PlannedTrial | None:
        """The member that should train next: the least trained of those that may; else None.

        untrained: whether founders are to come, so that a member must not have trained yet.
        """
        able = (one for one in self.living if not one.running and not one.waits)
        return next((one.begun for one in able if not (untrained and one.epoch)), None)

    def decide(self, next_trial: int, room: int) -> Decision | None:
        """What follows from comparing the members that it is the time for; None: it is not the time.

        Synchronous: all of them, when each that lives waits at the same epoch. Else the least trained one, if
        it waits: then no other that waits has less behind it. Places of the dead are filled on the way.

        Args:
            next_trial: the number of the first child.
            room: how many children there may be.
        """
        living = self.living
        waiting = [one for one in living if one.waits]
        dead = [
            one for one in map(self._members.__getitem__, self._holders) if one.ended not in (None, COMPLETE)
        ]
        if self._options.synchronous:
            waiting = waiting if len(waiting) == len(living) else []
        else:
            waiting = [one for one in living if not one.running][:1] if waiting else []
        if not waiting or not waiting[0].waits:
            return None
        epoch = waiting[0].epoch
        children: list[PlannedTrial] = []
        for member in sorted([*waiting, *dead], key=lambda one: one.trial):
            if len(children) < room:
                rng = np.random.default_rng(seed_of(self._spec.search.seed, member.trial, epoch))
                parent = self._parent_for(member, epoch, rng)
                if parent is not None:
                    children.append(self._child(next_trial + len(children), member, parent, rng))
        return Decision(epoch, [one.trial for one in waiting], children)

    def tidy_states(self, folder: StoragePath) -> None:
        """Remove the states that neither a member nor a child goes on from."""
        kept = {self._origin(one) for one in self.living}
        for trial, epoch in states(folder) - kept:
            member = self._members.get(trial)
            under_way = member is not None and member.running and epoch > member.epoch
            if not under_way:  # else its worker has just written it, and will say so
                state_file(folder, trial, epoch).unlink(missing_ok=True)

    def _origin(self, member: Member) -> tuple[int, int] | None:
        """The state that a member goes on from, its own or the one it is born from; None: it has to begin."""
        if member.state is not None:
            return member.trial, member.state
        birth, parent = member.begun.birth, member.begun.parent
        return (parent, birth.epoch) if birth is not None and parent is not None else None

    def _note(self, trial: int, epoch: int, values: Values) -> None:
        if epoch % self._options.ready == 0:
            self._results[trial, epoch] = {name: values[name] for name in self._names if name in values}

    def _at(self, member: Member, epoch: int) -> Values | None:
        """What the lineage of a member had reached at a ready epoch; None: it was not that far."""
        while member.begun.birth is not None and epoch <= member.birth_epoch:
            assert member.begun.parent is not None
            member = self._members[member.begun.parent]
        return self._results.get((member.trial, epoch))

    def _is_fertile(self, member: Member) -> bool:
        """Whether a member may have a child: it lives, has a state of its own, and fired there."""
        if member.ended is not None or member.state is None:
            return False
        return not _silent(self._results.get((member.trial, member.state), {}))

    def _parent_for(self, member: Member, epoch: int, rng: np.random.Generator) -> Member | None:
        """Whose child takes the place of a member; None: it stays."""
        standings = self._standings(epoch)
        others = [one for one in standings if one.trial != member.trial]
        parent: int | None = None
        if member.ended is not None or _silent(self._at(member, epoch) or {}):
            parent = best_parent(others, rng)
        elif not self._is_protected(member) and any(one.trial == member.trial for one in standings):
            parent = parent_for(self._options.exploit, member.trial, standings, rng)
        return None if parent is None else self._members[parent]

    def _is_protected(self, member: Member) -> bool:
        """Whether a child is too young to be replaced."""
        if member.begun.birth is None:
            return False
        return (member.epoch - member.birth_epoch) // self._options.ready <= self._options.grace

    def _standings(self, epoch: int) -> list[Standing]:
        """How the members stood at an epoch, as far as they have come so far and are not lost."""
        found: list[Standing] = []
        for trial in sorted(self._holders):
            member = self._members[trial]
            values = self._at(member, epoch)
            if member.ended in (None, COMPLETE) and values is not None:
                found.append(self._standing(member, values))
        return found

    def _standing(self, member: Member, values: Values) -> Standing:
        objectives, constraints = self._spec.objectives, self._spec.constraints
        means = {name: sum(each) / len(each) for name, each in values.items()}
        result = Result(total_violation(constraints, means), costs(objectives, means))
        single: tuple[float, ...] = ()
        if len(objectives) == 1:
            each = values[objectives[0].metric]
            single = tuple(costs(objectives, {objectives[0].metric: value})[0] for value in each)
        return Standing(member.trial, result, single, self._is_fertile(member))

    def _child(self, trial: int, replaced: Member, parent: Member, rng: np.random.Generator) -> PlannedTrial:
        """A child of `parent`, born from its latest state."""
        structure = structure_of(self._spec, parent.begun)
        values = parent.begun.suggestion.values
        change = explore(self._space, values, structure, self._options, SETTABLE, rng)
        assert parent.state is not None
        return child_of(self._spec, trial, parent.begun, change, parent.state, replaces=replaced.trial)


def _silent(values: Values) -> bool:
    """Whether no neuron of any replicate has fired."""
    return all(one == 1.0 for one in values.get("silent", [0.0]))


def _results(record: Record, names: Sequence[str]) -> Iterable[tuple[int, int, Values]]:
    """Trial, epoch and values of each report that is recorded."""
    found: dict[tuple[int, int], dict[str, list[float]]] = {}
    for row in record.rows("epochs", ["trial", "replicate", "epoch", *names]).to_pylist():
        values = found.setdefault((row["trial"], row["epoch"]), {})
        for name in names:
            if row[name] is not None:
                values.setdefault(name, []).append(row[name])
    for (trial, epoch), values in found.items():
        yield trial, epoch, values
