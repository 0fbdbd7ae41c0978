"""The trials of a sweep that were begun, and how: one JSON object a line, on disk before a trial starts.

What became of them is in the table `trials`. A search is rebuilt from the two: the plan has the suggestions,
the table the results.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from search import Suggestion, Value
from service.errors import SweepError
from service.storage.journal import Line, open_journal, read_lines
from service.storage.paths import StoragePath

MORE_SEEDS = "more seeds"
"""The move of a leading trial that is run again with more replicates."""


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

    @property
    def trial(self) -> int:
        """Number of the trial."""
        return self.suggestion.trial

    @property
    def has_more_seeds(self) -> bool:
        """Whether it is a leading trial that is run again with more replicates."""
        return self.move == MORE_SEEDS


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

    def _read(self, line: Line) -> None:
        try:
            entry = json.loads(line.content)
            if "sources" in entry:
                self.sources = [WarmStartTrial(**source) for source in entry["sources"]]
            elif "suggestion" in entry:
                self.begun.append(PlannedTrial(**{**entry, "suggestion": Suggestion(**entry["suggestion"])}))
            else:
                self.elapsed = float(entry["elapsed"])
        except (ValueError, KeyError, TypeError) as error:
            raise SweepError(
                f"{line.place}: this is no trial that was begun; restore the file from a copy, or "
                "remove it: finished trials stay, and those that were running are lost"
            ) from error
