"""What of the input is where in space: figures 2A, 2C, 2D and 3."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from model.analysis.tuning import tuning_of
from model.topology import channel_places
from service.figures.channels import Channels, draw_channels, draw_radius_time
from service.figures.cloud import Array
from service.report.exemplars import Exemplar
from service.report.held_out import held_out
from service.report.items import Plot
from service.report.outcomes import draw_outcomes
from service.report.paper.sources import CHOSEN, Sources

MOST = 3
"""Networks whose channels are shown, at most."""
NOTHING = "no trial with positions has its networks kept"
TRAJECTORY = (
    "Above among the neurons (grey), below by themselves, on axes of their own as published. A smooth "
    "coloured trajectory appears wherever {fields} are smooth over channels, whatever the positions "
    "are, so that it says nothing of space; its size does. Spread: that of the channels' places over "
    "that of the neurons; z: against networks whose neurons are swapped among their places."
)


def regression(sources: Sources) -> Plot | str:
    """Figure 2A: R² of positions from input weights, in sample as published, and as it should be read."""
    data, name = sources.sweep_data, "input_position_r2"
    if not data.has(name):
        return "no network with positions was measured"
    networks = data.networks
    shown = [name]
    if data.has(f"{name}_ratio"):
        # The ratio is to the mean over the null networks, which so can be had back.
        networks = networks.assign(**{f"{name}_null": networks[name] / networks[f"{name}_ratio"]})
        shown.append(f"{name}_null")
    shown += [one for one in (f"{name}_cv", f"{name}_cv_z") if data.has(one)]
    plot = draw_outcomes(data, shown, networks)
    if isinstance(plot, str):
        return plot
    if f"{name}_null" in shown:
        plot.figure.axes[1].sharey(plot.figure.axes[0])  # to be compared
    nulls = (
        "by chance: the mean over networks whose neurons are swapped"
        if f"{name}_null" in shown
        else "what chance gives was not recorded; `record: {nulls: 50}` does"
    )
    caption = (
        f"{plot.caption} In sample, with a penalty of 1, as published: near 1 for noise where there are "
        f"more channels than neurons; {nulls}. Cross-validated, 0 is what the mean of the other neurons' "
        "positions predicts."
    )
    return Plot(plot.figure, plot.data, caption)


def by_weights(sources: Sources) -> Plot | str:
    """Figure 2C: the place of each channel, by input weights."""
    if not sources.in_space:
        return NOTHING
    plot = _channels(sources, lambda one: one.w_in.T, "input_channel_place_spread")
    if isinstance(plot, str):
        return plot
    caption = (
        "Mean position of the neurons, weighted by a channel's |w| to each, after training. "
        f"{TRAJECTORY.format(fields='input weights')} Input weights of earlier epochs are not kept; the "
        "spread over the epochs is in the figure on the course of training."
    )
    return Plot(plot.figure, plot.data, caption)


def by_spikes(sources: Sources) -> Plot | str:
    """Figure 2D: the same, by what neurons fire after spikes of a channel."""
    if not sources.in_space:
        return NOTHING
    try:
        part, shown = held_out(sources.sweep_data.data)
        plot = _channels(sources, lambda one: tuning_of(one.net, shown).fields[0], "channel_place_spread")
    except (OSError, ValueError) as error:
        return f"the networks can't be shown the sweep's data here ({error})"
    if isinstance(plot, str):
        return plot
    caption = (
        "As figure 2C, weighted by a neuron's spikes in the 5 ms after a spike of the channel over all its "
        f"spikes, in {len(shown)} samples of the {part} set. "
        f"{TRAJECTORY.format(fields='responses')} Spread and z are those in the table `topology`."
    )
    return Plot(plot.figure, plot.data, caption)


def _channels(sources: Sources, fields_of: Callable[[Exemplar], Array], measure: str) -> Plot | str:
    """Places of the channels of the best networks, of each by the fields [N, C] of its neurons."""
    shown, parts = [], []
    for one in sources.in_space[:MOST]:
        if one.cloud is None:
            continue
        places = channel_places(fields_of(one), one.cloud.positions)
        if np.isnan(places).all():
            continue
        told = (
            f"spread {_value(sources, one, measure, '.2g')}, z {_value(sources, one, f'{measure}_z', '.1f')}"
        )
        shown.append(Channels(one.cloud, places, f"{one.title}\n{told}"))
        channel, axis = np.indices(places.shape).reshape(2, -1)
        row = {"trial": one.trial, "channel": channel, "axis": axis, "place": places.ravel()}
        parts.append(pd.DataFrame(row))
    if not shown:
        return "no neuron follows any channel"
    return Plot(draw_channels(shown), pd.concat(parts, ignore_index=True), "")


def _value(sources: Sources, one: Exemplar, measure: str, form: str) -> str:
    """A measure of the exemplar's replicate 0 after training, in words."""
    networks = sources.sweep_data.networks
    rows = networks[(networks["trial"] == one.trial) & (networks["replicate"] == 0)]
    if measure not in rows or rows[measure].isna().all():
        return "not recorded"
    return f"{rows[measure].iloc[0]:{form}}"


def radius_and_time(sources: Sources) -> Plot | str:
    """Figure 3: whether neurons that follow early inputs are near the centre."""
    columns = ["neuron", "radius", "preferred_time", "field_centroid"]
    shown, parts = [], []
    for one in sources.exemplars:
        if one.cloud is None or not {*columns} <= {*one.last}:
            continue
        neurons = one.last[columns].dropna(subset=["radius", "preferred_time"])
        if neurons.empty:
            continue
        told = (
            f"ρ {_value(sources, one, 'radius_time_correlation', '.2f')}, z within shells "
            f"{_value(sources, one, 'preferred_time_moran_shell_z', '.1f')}"
        )
        shown.append((f"{one.title}\n{told}", neurons))
        parts.append(neurons.assign(trial=one.trial))
    if not shown:
        return "no trial with positions has its networks and its neurons' preferred times kept"
    caption = (
        f"{CHOSEN}; replicate 0. A dot a neuron that spikes: its distance from the centre of the cloud "
        "against the mean time of its spikes, coloured by the centroid of the channels it follows. ρ: "
        "rank correlation of the two; z within shells: Moran's I of the times against neurons swapped "
        "among those of equal radius. The paper has the places of channels over the time of one sample."
    )
    return Plot(draw_radius_time(shown), pd.concat(parts, ignore_index=True), caption)
