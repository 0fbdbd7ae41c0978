"""Receptive fields: which input channels a neuron follows, and where in space a channel is followed."""

import math

import numpy as np

from model.arrays import Floats, Ints
from model.border import kinds_checked, real_array
from model.datasets import SpikeDataset
from model.topology.swaps import Match

WINDOW = 5.0
"""Time (ms) that a spike of a channel is given to show in a neuron, as published."""
BANDS = 35
"""Bands of channels at most, where fields are compared."""
LEAST = 10
"""A channel with less spikes than these in all samples is left out: it would win by chance."""


@kinds_checked
def spike_triggered(
    inputs: SpikeDataset,
    hidden: SpikeDataset,
    window: float = WINDOW,
    least: int = LEAST,
    end: float = math.inf,
) -> Floats:
    """Mean number of spikes of each neuron in the `window` (ms) that a spike of a channel opens, [N, C].

    Inputs: the samples that were shown; their spikes from `end` (ms) on were not, and do not count.
    Hidden: the spikes of the network in the same samples; its channels are the neurons. A channel with less
    than `least` spikes is 0 for every neuron.

    Raises ValueError if the numbers of samples differ.

    Source: Meszaros et al., 2025, arXiv 2511.01632.
    """
    if len(inputs) != len(hidden):
        raise ValueError(f"`inputs` has {len(inputs)} samples, `hidden` {len(hidden)}; give the same samples")
    n, c = hidden.n_channels, inputs.n_channels
    following = np.zeros(n * c)
    for s in range(len(inputs)):
        neurons, channels = _following(inputs, hidden, s, window, end)
        following += np.bincount(neurons * c + channels, minlength=n * c)
    shown = np.bincount(inputs.channels.flat[inputs.times.flat < end], minlength=c)
    mean: Floats = np.where(shown >= least, following.reshape(n, c) / np.maximum(1, shown), 0.0)
    return mean


def _following(
    inputs: SpikeDataset, hidden: SpikeDataset, s: int, window: float, end: float
) -> tuple[Ints, Ints]:
    """Neuron and channel of every pair of spikes of sample s less than `window` apart, the input first."""
    before, after = inputs.times[s], hidden.times[s]
    before = before[: np.searchsorted(before, end)]
    first = np.searchsorted(before, after - window, side="right")
    pairs = np.searchsorted(before, after, side="right") - first
    starts = np.cumsum(pairs) - pairs
    place = np.arange(pairs.sum()) + np.repeat(first - starts, pairs)
    return np.repeat(hidden.channels[s].astype(np.int64), pairs), inputs.channels[s][place].astype(np.int64)


@kinds_checked
def receptive_fields(
    inputs: SpikeDataset,
    hidden: SpikeDataset,
    window: float = WINDOW,
    least: int = LEAST,
    end: float = math.inf,
) -> Floats:
    """What `spike_triggered` finds, divided by the neuron's spikes a sample, [N, C]; NaN for a silent neuron.

    So a neuron that fires more, wherever it sits, does not have another field for that alone. Arguments and
    errors as in `spike_triggered`.
    """
    triggered = spike_triggered(inputs, hidden, window, least, end)
    rate = np.bincount(hidden.channels.flat, minlength=hidden.n_channels)[:, None] / max(1, len(hidden))
    fields: Floats = np.divide(triggered, rate, out=np.full(triggered.shape, np.nan), where=rate > 0)
    return fields


@kinds_checked
def preferred_channel(
    inputs: SpikeDataset, hidden: SpikeDataset, window: float = WINDOW, least: int = LEAST
) -> Ints:
    """Input channel that each neuron follows most, [N]; -1 if it follows none.

    It is the greatest of what `spike_triggered` finds, with its arguments and errors.
    """
    return strongest_channel(spike_triggered(inputs, hidden, window, least))


def strongest_channel(fields: Floats) -> Ints:
    """Channel in which each of the `fields` [N, C] is greatest, [N]; -1 where none is above 0, or for NaN."""
    fields = real_array(fields, "strongest_channel: `fields`", "N, C")
    if not fields.shape[1]:
        return np.full(len(fields), -1)
    known = np.where(np.isnan(fields), 0.0, fields)
    return np.where((known > 0).any(1), known.argmax(1), -1)


def centroid_and_width(fields: Floats) -> tuple[Floats, Floats]:
    """Centroid and width of each of the `fields` [N, C], in channels from 0, [N] each.

    They are mean and standard deviation of the channel's number, weighted by what of the field is above 0: by
    weights, the channels that excite the neuron. NaN where nothing is, or where the field is.
    """
    fields = real_array(fields, "centroid_and_width: `fields`", "N, C")
    above = np.maximum(fields, 0)
    total = above.sum(1)
    shares = np.divide(above, total[:, None], out=np.full(above.shape, np.nan), where=total[:, None] > 0)
    channel = np.arange(fields.shape[1])
    centroid = shares @ channel
    width: Floats = np.sqrt((shares * (channel - centroid[:, None]) ** 2).sum(1))
    return centroid, width


def banded(fields: Floats) -> Floats:
    """Means of the `fields` [N, C] over bands of neighbouring channels, BANDS of them at most, [N, B].

    Tuning is wider than a channel, and noise is not: single channels of many would bury the one in the other.
    """
    channels = fields.shape[1]
    width = max(1, math.ceil(channels / BANDS))
    starts = np.arange(0, channels, width)
    means: Floats = np.add.reduceat(fields, starts, axis=1) / np.diff([*starts, channels])
    return means


def channel_places(fields: Floats, positions: Floats) -> Floats:
    """Preferred place of each channel, [C, D], from `fields` [N, C] and `positions` [N, D] of the neurons.

        p_c = sum_j |f_jc| x_j / sum_j |f_jc|

    Fields may be input weights [C, N], transposed, or `receptive_fields`; a neuron whose field is NaN is left
    out. NaN for a channel without any.

    Where fields are smooth over channels, neighbouring channels have neighbouring places, whatever the
    positions are: a smooth trajectory in the colours of the channels says nothing of space. What does is
    `channel_place_spread` against networks whose neurons are swapped.

    Source: Meszaros et al., 2025, arXiv 2511.01632.
    """
    fields = real_array(fields, "channel_places: `fields`", "N, C")
    positions = real_array(positions, "channel_places: `positions`", "N, D")
    if len(fields) != len(positions):
        raise ValueError(f"channel_places: got fields of {len(fields)} neurons at {len(positions)} positions")
    known = ~np.isnan(fields).any(1)
    strengths = np.abs(fields[known]).T
    total = strengths.sum(1, keepdims=True)
    places: Floats = np.divide(
        strengths @ positions[known],
        total,
        out=np.full((len(total), positions.shape[1]), np.nan),
        where=total > 0,
    )
    return places


def channel_place_spread(fields: Floats, positions: Floats) -> Match | None:
    """How far the channels' places lie apart, in units of the cloud: `fields` [N, C] at `positions` [N, D].

        sqrt(mean_c |p_c - mean of p|^2 / mean_j |x_j - mean of x|^2),    p = `channel_places`

    Range: 0, where every channel is followed everywhere alike, to 1 and above, where channels are followed at
    places of their own. By chance it is about c / sqrt(N), with c the coefficient of variation of |f| over
    neurons. None for less than two channels that are followed, and for a cloud without extent.
    """
    known = np.asarray(~np.isnan(fields).any(1))
    strengths, x = np.abs(fields[known]), positions[known]
    followed = strengths[:, strengths.any(0)]
    if followed.shape[1] < 2:
        return None
    shares = followed / followed.sum(0)
    apart = shares - shares.mean(1, keepdims=True)
    around = x - x.mean(0)
    extent = float((around**2).sum(1).mean())
    if extent <= 1e-18 * float((x**2).sum()):
        return None
    return Match(around @ around.T / extent, apart @ apart.T / followed.shape[1], known, root=True)
