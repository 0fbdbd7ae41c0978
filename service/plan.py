"""The trials of a sweep that were begun, and how: one JSON object a line, on disk before a trial starts.

What became of them is in the table `trials`. A search is rebuilt from the two: the plan has the suggestions,
the table the results.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from search import Suggestion, Value
from service.errors import SweepError

MORE_SEEDS = "more seeds"
"""The move of a leading trial that is run again with more replicates."""


@dataclass(frozen=True)
class Begun:
    """A trial that was begun."""

    suggestion: Suggestion
    """Its number and its searched values."""
    parent: int | None = None
    """The trial it was bred from; None if the sampler suggested it."""
    move: str | None = None
    """How it was bred."""
    replicates: int | None = None
    """Its replicates, if others than those of its configuration."""

    @property
    def trial(self) -> int:
        """Its number."""
        return self.suggestion.trial


@dataclass(frozen=True)
class Source:
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

    def __init__(self, path: Path, *, repair: bool = True) -> None:
        """Read what is there; with `repair`, take a line that was cut short off the file, too."""
        self._path = path
        self.begun: list[Begun] = []
        self.sources: list[Source] | None = None
        """Trials to start from; None if none were ever looked for."""
        self.elapsed = 0.0
        """Time that the sweep is known to have run for, over all sessions (s)."""
        try:
            content = path.read_bytes() if path.exists() else b""
            whole = content.rfind(b"\n") + 1
            if repair and whole < len(content):
                os.truncate(path, whole)
        except OSError as error:
            raise self._unwritable(error) from error
        for number, line in enumerate(content[:whole].splitlines(), start=1):
            self._read(number, line)

    def add(self, begun: Begun) -> None:
        """Keep a trial before it starts."""
        self._append(asdict(begun))
        self.begun.append(begun)

    def pass_time(self, elapsed: float) -> None:
        """Keep how long the sweep has run for (s)."""
        self._append({"elapsed": elapsed}, sync=False)

    def start_from(self, sources: list[Source]) -> None:
        """Keep the trials to start from, before any other."""
        self._append({"sources": [asdict(source) for source in sources]})
        self.sources = sources

    def _append(self, entry: Mapping[str, Any], sync: bool = True) -> None:
        line = json.dumps(entry, separators=(",", ":")) + "\n"
        length = self._path.stat().st_size if self._path.exists() else 0
        try:
            with self._path.open("ab") as file:
                file.write(line.encode())
                file.flush()
                if sync:
                    os.fsync(file.fileno())
        except OSError as error:
            if self._path.exists():
                os.truncate(self._path, length)
            raise self._unwritable(error) from error

    def _read(self, number: int, line: bytes) -> None:
        try:
            entry = json.loads(line)
            if "sources" in entry:
                self.sources = [Source(**source) for source in entry["sources"]]
            elif "suggestion" in entry:
                self.begun.append(Begun(**{**entry, "suggestion": Suggestion(**entry["suggestion"])}))
            else:
                self.elapsed = float(entry["elapsed"])
        except (ValueError, KeyError, TypeError) as error:
            raise SweepError(
                f"{self._path}:{number}: this is no trial that was begun; restore the file from a copy, or "
                "remove it: finished trials stay, and those that were running are lost"
            ) from error

    def _unwritable(self, error: OSError) -> SweepError:
        return SweepError(
            f"{self._path}: can't be written ({error.strerror}); free some space or make the folder "
            "writable, then run the sweep again: it goes on from what is recorded"
        )
