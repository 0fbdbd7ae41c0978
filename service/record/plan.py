"""The trials of a sweep that were begun, and how: one JSON object a line, on disk before a trial starts.

What became of them is in the table `trials`. A search is rebuilt from the two: the plan has the suggestions,
the table the results.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from search import Suggestion, Value
from service.errors import SweepError
from service.storage.journal import Line, open_journal, read_lines
from service.storage.paths import StoragePath

MORE_SEEDS = "more seeds"
"""The move of a leading trial that is run again with more replicates."""


@dataclass(frozen=True)
class Birth:
    """How a child comes from its parent: all that repeating it takes."""

    epoch: int
    """Epochs of the parent's state that it is born from."""
    generation: int
    """Births on the way from the founder to it."""
    founder: int
    """The trial that its lineage begins with."""
    replaces: int | None
    """The trial whose place in the population it takes; None where there are no places."""
    steps: list[dict[str, Any]]
    """What is done to the parent's networks: `name` and `values` of each step of `model.moves`."""
    seed: int
    """Seed of what is random in the steps."""
    structure: dict[str, int | str] = field(default_factory=dict)
    """Its dimensions and neurons, by path, where they are not searched; several layers as text."""


@dataclass(frozen=True)
class PlannedTrial:
    """A trial that was begun."""

    suggestion: Suggestion
    """What the search has suggested: the number of the trial and its searched values."""
    parent: int | None = None
    """The trial it was bred from; None if the sampler suggested it."""
    move: str | None = None
    """How it was bred."""
    replicates: int | None = None
    """Replicates of the trial, if others than those of its configuration."""
    birth: Birth | None = None
    """How it was born into a population; None of all others."""

    @property
    def trial(self) -> int:
        """Number of the trial."""
        return self.suggestion.trial

    @property
    def has_more_seeds(self) -> bool:
        """Whether it is a leading trial that is run again with more replicates."""
        return self.move == MORE_SEEDS


def is_child(row: Mapping[str, Any]) -> bool:
    """Whether a row of `trials` is of a child that evolution has bred.

    >>> [is_child({"move": move}) for move in ("perturb", MORE_SEEDS, None)]
    [True, False, False]
    """
    return isinstance(row["move"], str) and row["move"] != MORE_SEEDS


def has_ancestors(row: Mapping[str, Any]) -> bool:
    """Whether the networks of a row of `trials` were trained with other values before, by births.

    So are children, and trials that repeat a child's lineage with more seeds: their own values do not explain
    their results alone.

    >>> [has_ancestors({"generation": births}) for births in (2, 0, None, float("nan"))]
    [True, False, False, False]
    """
    births = row.get("generation")
    return bool(births is not None and births > 0)


_REPLACED = "replaced by trial "


def replaced_reason(child: int) -> str:
    """The reason of a member of a population whose place a child has taken."""
    return f"{_REPLACED}{child}"


def was_replaced(row: Mapping[str, Any]) -> bool:
    """Whether a row of `trials` is of a member that made room for a child."""
    return row["state"] == "pruned" and str(row["reason"]).startswith(_REPLACED)


@dataclass(frozen=True)
class Decision:
    """Members of a population were compared, and some of them make room for children."""

    epoch: int
    """The epoch at which they were compared."""
    members: list[int]
    """Trials that were compared; those that no child replaces go on."""
    children: list[PlannedTrial]


@dataclass(frozen=True)
class WarmStartTrial:
    """A trial of an earlier sweep, for a warm start."""

    name: str
    """SWEEP/TRIAL."""
    values: dict[str, Value]
    metrics: dict[str, float]


class Plan:
    """The plan at `path`, made if it is not there.

    A last line without an end was cut short by a crash, before its trial started, and is dropped.
    Raises SweepError if another line can't be read, or the file can't be written.
    """

    def __init__(self, path: StoragePath, *, writable: bool = True) -> None:
        """Read what is there; unless `writable`, the file is left as it is."""
        self.begun: list[PlannedTrial] = []
        self.decisions: list[Decision] = []
        """What has become of the members of a population; its children are among `begun`, too."""
        self.notes: dict[int, dict[str, Any]] = {}
        """What must outlive the process of trials that are not finished, by trial."""
        self.sources: list[WarmStartTrial] | None = None
        """Trials to start from; None if none were ever looked for."""
        self.elapsed = 0.0
        """Time that the sweep is known to have run for, over all sessions (s)."""
        self._journal = open_journal(path) if writable else None
        try:
            for line in self._journal.lines if self._journal else read_lines(path):
                self._read(line)
        except SweepError:
            self.close()
            raise

    def add(self, begun: PlannedTrial) -> None:
        """Keep a trial before it starts."""
        self._append(asdict(begun))
        self.begun.append(begun)

    def decide(self, decision: Decision) -> None:
        """Keep a decision, with all its children, before anything of it happens."""
        self._append({"decision": asdict(decision)})
        self._take(decision)

    def note(self, trial: int, known: Mapping[str, Any]) -> None:
        """Keep something of a trial that goes on later, beside what is kept of it already."""
        self._append({"note": trial, "known": dict(known)}, sync=False)
        self.notes.setdefault(trial, {}).update(known)

    def pass_time(self, elapsed: float) -> None:
        """Keep how long the sweep has run for (s)."""
        self._append({"elapsed": elapsed}, sync=False)

    def start_from(self, sources: list[WarmStartTrial]) -> None:
        """Keep the trials to start from, before any other."""
        self._append({"sources": [asdict(source) for source in sources]})
        self.sources = sources

    def close(self) -> None:
        """Close the file."""
        if self._journal is not None:
            self._journal.close()

    def _append(self, entry: Mapping[str, Any], sync: bool = True) -> None:
        assert self._journal is not None
        self._journal.append(json.dumps(entry, separators=(",", ":")).encode(), sync=sync)

    def _take(self, decision: Decision) -> None:
        self.decisions.append(decision)
        self.begun += decision.children

    def _read(self, line: Line) -> None:
        try:
            entry = json.loads(line.content)
            if "sources" in entry:
                self.sources = [WarmStartTrial(**source) for source in entry["sources"]]
            elif "suggestion" in entry:
                self.begun.append(_planned(entry))
            elif "decision" in entry:
                made = entry["decision"]
                self._take(Decision(**{**made, "children": [_planned(one) for one in made["children"]]}))
            elif "note" in entry:
                self.notes.setdefault(int(entry["note"]), {}).update(entry["known"])
            else:
                self.elapsed = float(entry["elapsed"])
        except (ValueError, KeyError, TypeError) as error:
            raise SweepError(
                f"{line.place}: this is no trial that was begun; restore the file from a copy, or "
                "remove it: finished trials stay, and those that were running are lost"
            ) from error


def _planned(entry: Mapping[str, Any]) -> PlannedTrial:
    birth = entry.get("birth")
    known = {"suggestion": Suggestion(**entry["suggestion"]), "birth": birth and Birth(**birth)}
    return PlannedTrial(**{**entry, **known})
