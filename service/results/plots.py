"""Interactive figures of a sweep, for notebooks: `sweep.plot.front()`."""

from typing import TYPE_CHECKING, Any, Protocol

from search.objectives import Objective
from service.errors import Fault, UserError

if TYPE_CHECKING:
    import pandas as pd


class Results(Protocol):
    """What figures are drawn of: a `Sweep`."""

    @property
    def name(self) -> str:
        """Of the sweep."""

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What it searches for."""

    @property
    def searched(self) -> list[str]:
        """Columns of the searched fields."""

    def table(self, name: str) -> "pd.DataFrame":
        """A table."""

    def counted(self) -> "pd.DataFrame":
        """Trials that count."""

    def front(self) -> "pd.DataFrame":
        """Those on the Pareto front."""


class Plots:
    """Figures of plotly, each of what the sweep has found at the time of the call."""

    def __init__(self, sweep: Results) -> None:
        self._sweep = sweep

    def front(self, x: str | None = None, y: str | None = None) -> Any:
        """Trials that count by two metrics, by default the second objective and the first.

        Raises UserError if a metric is no column of `trials`, or there is but one objective and no `x`.
        """
        from service.figures.interactive import front_figure

        names = [one.metric for one in self._sweep.objectives]
        x, y = x or next(iter(names[1:]), None), y or names[0]
        if x is None:
            raise UserError([Fault("plot.front", "x", "there is one objective; name a column of `trials`")])
        counted = self._sweep.counted()
        for name in (x, y):
            self._check(name, list(counted.columns))
        shown = ["trial", *self._sweep.searched]
        return front_figure(counted, set(self._sweep.front()["trial"]), x, y, shown, self._sweep.name)

    def course(self, metric: str | None = None) -> Any:
        """A metric over the epochs, a line a trial: the mean of its replicates; else the first objective.

        Raises UserError if it is no column of `epochs`.
        """
        from service.figures.interactive import course_figure

        metric = metric or self._sweep.objectives[0].metric
        epochs = self._sweep.table("epochs")
        self._check(metric, list(epochs.columns))
        return course_figure(epochs, metric, self._sweep.name)

    def parallel(self) -> Any:
        """Searched fields and objectives of the trials that count as parallel coordinates."""
        from service.figures.interactive import parallel_figure

        metrics = [one.metric for one in self._sweep.objectives]
        return parallel_figure(self._sweep.counted(), self._sweep.searched, metrics, self._sweep.name)

    def __repr__(self) -> str:
        return f"Plots of {self._sweep.name}: front(), course(), parallel()"

    def _check(self, name: str, known: list[str]) -> None:
        if name not in known:
            raise UserError([Fault("plot", name, f"is no column; columns are {', '.join(known)}")])
