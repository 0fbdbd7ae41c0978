"""The best epoch so far, and the networks as they were then, where those are to be kept."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import torch
from torch import Tensor

from model.border import whole
from model.fields import show

Networks = dict[str, Tensor]
"""Parameters and buffers of R networks by name, each [R, ...]."""


@dataclass
class Best:
    """The least costs so far: one, of all replicates together, or one a replicate."""

    costs: list[float] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)
    """When each was reached, from 1; none yet: the epoch that counting began after, 0 at the start."""
    metrics: dict[str, list[float]] = field(default_factory=dict)
    """Metrics of each replicate at its best epoch; none unless networks are kept."""
    networks: Networks = field(default_factory=dict)
    """The networks, each as it was at its best epoch; none unless they are kept."""

    @classmethod
    def start(cls, count: int, epoch: int = 0) -> Self:
        """Of `count` costs, before any is known; patience counts from `epoch` on."""
        return cls([math.inf] * count, [epoch] * count)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any], networks: Networks) -> Self:
        """What `plain` gave, and the networks; also as versions before 0.2 have written it.

        Raises ValueError or TypeError if it is something else.
        """
        if not isinstance(plain, Mapping):
            raise ValueError(f"best epochs: got {show(plain)}, expected what `plain` gave")
        if lacking := {"costs", "epochs", "metrics"} - plain.keys() if "loss" not in plain else set():
            raise ValueError(f"best epochs: `{min(lacking)}` is missing")
        if "loss" in plain:
            plain = {"costs": [plain["loss"]], "epochs": [plain["epoch"]], "metrics": {}}
        costs, epochs = [float(cost) for cost in plain["costs"]], plain["epochs"]
        metrics = {name: [float(value) for value in values] for name, values in plain["metrics"].items()}
        if len(costs) != len(epochs):
            raise ValueError(f"best epochs: got {len(epochs)} for {len(costs)} costs")
        return cls(costs, [whole(epoch, "best epoch", 0) for epoch in epochs], metrics, networks)

    def plain(self) -> dict[str, Any]:
        """All but the networks as plain data."""
        return {"costs": self.costs, "epochs": self.epochs, "metrics": self.metrics}

    def over(self, epoch: int, patience: int | None) -> list[bool]:
        """Which have not improved for `patience` epochs, after `epoch`."""
        return [patience is not None and epoch - best >= patience for best in self.epochs]

    def note(self, epoch: int, costs: Sequence[float], patience: int | None) -> list[bool]:
        """Take in the costs of an epoch; returns which are the least so far.

        One that has had its patience is over: what it would be later does not count, though others go on.
        """
        over = self.over(epoch - 1, patience)
        better = [not done and new < old for done, new, old in zip(over, costs, self.costs, strict=True)]
        for n, is_better in enumerate(better):
            if is_better:
                self.costs[n], self.epochs[n] = costs[n], epoch
        return better

    def keep(
        self, better: Sequence[bool], networks: Networks, metrics: Mapping[str, Sequence[float]]
    ) -> None:
        """Keep the replicates that are better, with their metrics."""
        which = torch.tensor(better)
        for name, value in networks.items():
            kept = self.networks.setdefault(name, value.clone())
            kept[which] = value[which]
        for name, values in metrics.items():
            known = self.metrics.setdefault(name, list(values))
            for n in which.nonzero().flatten().tolist():
                known[n] = values[n]
