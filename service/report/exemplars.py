"""The trials whose networks are shown, and what is taken from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from model import Cohort
from service.errors import UserError
from service.figures.cloud import Array, Cloud
from service.report.sweep_data import SweepData, words
from service.results.sweep import Sweep, frame_of

MOST = 9
BANDS = 5
"""Runs of neighbouring input channels that are shown by themselves."""
SMOOTH = 20
"""The preferred channel is that of the greatest mean weight over one in so many channels around it."""


@dataclass(frozen=True)
class Exemplar:
    """Replicate 0 of a trial."""

    trial: int
    rank: int
    """Place among the exemplars by the first objective, from 0."""
    title: str
    net: Cohort
    """The networks of all replicates."""
    neurons: pd.DataFrame
    """The rows of replicate 0 in the table `neurons`, of all its snapshots, in the order of the neurons."""
    cloud: Cloud | None
    """None without positions."""

    @property
    def delays(self) -> Array:
        """Delays of the synapses that exist [E] (ms)."""
        delays: Array = self.net.delays()[0].detach().numpy()[self.net.mask[0].numpy()]
        return delays

    @property
    def strength(self) -> Array:
        """|w| of the same [E]."""
        strength: Array = np.abs(self.net.w_rec[0].detach().numpy()[self.net.mask[0].numpy()])
        return strength

    @property
    def w_in(self) -> Array:
        """Input weights [C, N]; 0 of neurons that hear no inputs."""
        weights = self.net.w_in[0].detach().numpy()
        return np.pad(weights, ((0, 0), (0, self.net.config.neurons - weights.shape[1])))

    @property
    def last(self) -> pd.DataFrame:
        """Its neurons in the last snapshot."""
        last: pd.DataFrame = self.neurons[self.neurons["epoch"] == self.neurons["epoch"].max()]
        return last


def choose(sweep_data: SweepData) -> list[int]:
    """The best trial of each group, then its best at the greatest and at the least value of the axis.

    Best by the first objective; at most MOST trials.
    """
    first = sweep_data.objectives[0]
    trials = sweep_data.trials.sort_values(first.metric, ascending=first.goal == "min")
    parts = [trials]
    if sweep_data.x is not None:
        for end in ("max", "min"):
            parts.append(trials[trials[sweep_data.x] == trials.groupby("group")[sweep_data.x].transform(end)])
    chosen = [part.drop_duplicates("group")["trial"] for part in parts]
    return list(dict.fromkeys(pd.concat(chosen).tolist()))[:MOST]


def load(sweep: Sweep, sweep_data: SweepData) -> list[Exemplar]:
    """The exemplars whose networks are kept, in the order of groups and of the axis."""
    order = [name for name in ("group", sweep_data.x) if name is not None]
    ranked = choose(sweep_data)
    chosen = sweep_data.trials[sweep_data.trials["trial"].isin(ranked)].sort_values(order)
    shown = pc.field("trial").isin(chosen["trial"].tolist()) & (pc.field("replicate") == 0)
    rows = frame_of(sweep.arrow("neurons", shown)).sort_values(["epoch", "neuron"], ignore_index=True)
    found = []
    for _, trial in chosen.iterrows():
        number = int(trial["trial"])
        try:
            found.append(
                _exemplar(sweep, sweep_data, trial, ranked.index(number), rows[rows["trial"] == number])
            )
        except UserError:  # no networks of it are kept
            continue
    return found


def _exemplar(
    sweep: Sweep, sweep_data: SweepData, trial: "pd.Series[Any]", rank: int, neurons: pd.DataFrame
) -> Exemplar:
    net = sweep.network(int(trial["trial"]))
    group = trial["group"] if sweep_data.grouped_by else ""
    x = sweep_data.x
    at = "" if x is None or pd.isna(trial[x]) else words(x, _rounded(trial[x]))
    title = "\n".join(filter(None, [f"trial {trial['trial']}: {group}".removesuffix(": "), at]))
    cloud = None
    if net.has_positions:
        last = neurons[neurons["epoch"] == neurons["epoch"].max()]
        cloud = Cloud(
            net.positions[0].detach().numpy(),
            net.w_rec[0].detach().numpy(),
            last["rate"].to_numpy(),
            title,
            layer=net.layers.numbers if len(net.layers.sizes) > 1 else None,
            preferred_class=last["preferred_class"].fillna(-1).to_numpy(int),
        )
    return Exemplar(int(trial["trial"]), rank, title, net, neurons, cloud)


def places(exemplars: Sequence[Exemplar]) -> pd.DataFrame:
    """A row a trial, neuron and axis: `trial`, `neuron`, `axis`, `position`, `rate`, `preferred_class`."""
    parts = [
        pd.DataFrame(
            {
                "trial": one.trial,
                "neuron": np.repeat(np.arange(len(cloud.positions)), cloud.positions.shape[1]),
                "axis": np.tile(np.arange(cloud.positions.shape[1]), len(cloud.positions)),
                "position": cloud.positions.ravel(),
                "rate": np.repeat(cloud.rate, cloud.positions.shape[1]),
                "preferred_class": np.repeat(cloud.preferred_class, cloud.positions.shape[1]),
            }
        )
        for one in exemplars
        if (cloud := one.cloud) is not None and cloud.preferred_class is not None
    ]
    return pd.concat(parts, ignore_index=True)


def delay_shares(exemplars: Sequence[Exemplar], bins: int = 50) -> pd.DataFrame:
    """A row a trial and bin: `trial`, `from_ms`, `to_ms`, `share` of synapses, `weighted_share` by |w|."""
    parts = []
    for one in exemplars:
        weighted, borders = np.histogram(one.delays, bins, weights=one.strength)
        plain, _ = np.histogram(one.delays, bins)
        shares = {"share": plain / max(1, plain.sum()), "weighted_share": weighted / (weighted.sum() or 1.0)}
        parts.append(
            pd.DataFrame({"trial": one.trial, "from_ms": borders[:-1], "to_ms": borders[1:], **shares})
        )
    return pd.concat(parts, ignore_index=True)


def input_map(w_in: Array) -> tuple[dict[str, Array], Array]:
    """Mean weight from each of BANDS bands of channels, by name, and preferred channel, [N] each.

    A neuron that hears no inputs has no preferred channel, NaN.
    """
    channels = len(w_in)
    bands = {
        f"channels {band[0]} to {band[-1]}": w_in[band].mean(0)
        for band in np.array_split(np.arange(channels), min(BANDS, channels))
    }
    width = max(1, channels // SMOOTH)
    sums = np.cumsum(np.concatenate([np.zeros((1, w_in.shape[1])), w_in]), axis=0)
    starts = np.clip(np.arange(channels) - width // 2, 0, None)
    ends = np.minimum(starts + width, channels)
    preferred = ((sums[ends] - sums[starts]) / (ends - starts)[:, None]).argmax(0)
    heard = w_in.any(0)
    return bands, preferred if heard.all() else np.where(heard, preferred, np.nan)


def _rounded(value: Any) -> Any:
    """A number to three digits, if it is not a whole one: enough to find a network in a figure."""
    broken = isinstance(value, float) and not value.is_integer()
    return float(f"{value:.3g}") if broken else value
