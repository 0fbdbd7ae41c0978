"""What the figures of the paper are drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from service.report.exemplars import Exemplar
from service.report.sweep_data import FEW, SweepData

CHOSEN = "The best trial of each group, and the best at the ends of the axis"


@dataclass(frozen=True)
class Sources:
    """A sweep with some of its networks."""

    sweep_data: SweepData
    exemplars: Sequence[Exemplar]
    """Whose networks are shown."""
    leading: pd.DataFrame
    """Pruning curves of leading trials, shown where those of all trials were not recorded."""

    @property
    def in_space(self) -> list[Exemplar]:
        """Those of the exemplars with positions, the best first."""
        return sorted((one for one in self.exemplars if one.cloud is not None), key=lambda one: one.rank)


def without_cost(sweep_data: SweepData, rows: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The `rows` of each group's trials with the least wiring cost, and in words whose they are.

    The paper's networks of figures 6 and 9 have no cost. Where none was searched, or each trial has a cost of
    its own, they are the rows of all trials.
    """
    trials = sweep_data.trials
    if "wiring_cost" not in sweep_data.fields or trials["wiring_cost"].nunique() > FEW:
        return rows, "Of all complete trials"
    cost = trials["wiring_cost"]
    least = trials[cost.isna() | (cost == trials.groupby("group")["wiring_cost"].transform("min"))]
    return rows[rows["trial"].isin(least["trial"])], "Of the trials with the least wiring cost of their group"
