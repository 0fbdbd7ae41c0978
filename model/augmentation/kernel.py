"""The compiled part: random numbers and the spikes of one draw after another."""

# Numba infers the types; annotations would be comments.

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from model.kernels.cpu.compile import INLINED, OPTIONS, PART

# Which number of a draw's random stream decides what.
BLEND, PARTNER, SHIFT, STRETCH, WARP = 0, 1, 2, 3, 4  # WARP takes three
KEEP, KEEP_PARTNER, NOISE = 1 << 40, 2 << 40, 3 << 40  # and on from there, one a spike
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Source(NamedTuple):
    """The spikes of a data set."""

    times: Any  # [E]
    channels: Any  # [E]
    offsets: Any  # [S + 1]
    n_channels: int


class Ranges(NamedTuple):
    """The fields of `Augmentation` that are drawn for a sample or for a spike."""

    shift: int
    warp: float
    stretch: float
    jitter: float
    drop: float


class Change(NamedTuple):
    """What happens to the spikes of a sample."""

    later: float  # ms, before the stretch
    factor: float
    up: int  # channels
    bend: Any  # three numbers: channels more at the first, the middle and the last channel
    share: float  # probability that a spike is kept


@njit(**INLINED)
def bits(key, place):
    """Number `place` of the random stream `key`, 64 bits.

    A SplitMix64 generator read at a place: nothing is carried from one number to the next. Source: Steele,
    Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, doi:10.1145/2660193.2660195.
    """
    z = key + np.uint64(place + 1) * GOLDEN
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(**INLINED)
def uniform(key, place):
    """Number `place` of the random stream `key`, from 0 to below 1."""
    return np.float64(bits(key, place) >> np.uint64(11)) * 2.0**-53


@njit(**OPTIONS)
def stream_keys(seeds, samples):
    """The random stream of each draw, from its seed and its sample [U]."""
    keys = np.empty(seeds.shape[0], np.uint64)
    for u in range(seeds.shape[0]):
        keys[u] = bits(bits(seeds[u], 0), samples[u])
    return keys


@njit(**OPTIONS)
def choose_partners(keys, samples, labels, members, starts, chances):
    """The sample that each draw is blended with [U], by its chance to be; -1: none.

    `members` are all samples in order of class, those of class c from starts[c] to starts[c + 1].
    """
    partners = np.full(samples.shape[0], -1, np.int64)
    for u in range(samples.shape[0]):
        first, last = starts[labels[samples[u]]], starts[labels[samples[u]] + 1] - 1
        if last > first and uniform(keys[u], BLEND) < chances[u]:
            # Among all but the last, which stands in for the sample itself.
            pick = members[first + int(uniform(keys[u], PARTNER) * (last - first))]
            partners[u] = members[last] if pick == samples[u] else pick
    return partners


@njit(**OPTIONS)
def draw_events(source, samples, partners, keys, ranges):
    """Times and channels of all draws, and where each begins [U + 1]."""
    room = 0
    for u in range(samples.shape[0]):
        room += source.offsets[samples[u] + 1] - source.offsets[samples[u]]
        if partners[u] >= 0:
            room += source.offsets[partners[u] + 1] - source.offsets[partners[u]]
    times, channels = np.empty(room, source.times.dtype), np.empty(room, source.channels.dtype)
    begin = np.zeros(samples.shape[0] + 1, np.int64)
    found = 0
    for u in range(samples.shape[0]):
        key, start = keys[u], found
        up = int(uniform(key, SHIFT) * (2 * ranges.shift + 1)) - ranges.shift
        factor = 1 + ranges.stretch * (2 * uniform(key, STRETCH) - 1)
        bend = (
            ranges.warp * (2 * uniform(key, WARP) - 1),
            ranges.warp * (2 * uniform(key, WARP + 1) - 1),
            ranges.warp * (2 * uniform(key, WARP + 2) - 1),
        )
        if partners[u] < 0:
            change = Change(0.0, factor, up, bend, 1 - ranges.drop)
            found = take(source, samples[u], change, key, KEEP, times, channels, found)
        else:
            later, higher = apart(source, samples[u], partners[u])
            half, share = higher // 2, (1 - ranges.drop) / 2
            change = Change(later / 2, factor, up + half, bend, share)
            found = take(source, samples[u], change, key, KEEP, times, channels, found)
            change = Change(-later / 2, factor, up + half - higher, bend, share)
            found = take(source, partners[u], change, key, KEEP_PARTNER, times, channels, found)
        if ranges.jitter > 0:
            add_noise(times[start:found], ranges.jitter, key)
        if ranges.jitter > 0 or partners[u] >= 0:
            sort(times[start:found], channels[start:found])
        begin[u + 1] = found
    return times[:found].copy(), channels[:found].copy(), begin


@njit(**INLINED)
def apart(source, sample, partner):
    """How far the partner's centre of mass is from the sample's: in time (ms), in whole channels."""
    a, b = source.offsets[sample], source.offsets[sample + 1]
    c, d = source.offsets[partner], source.offsets[partner + 1]
    if a == b or c == d:
        return 0.0, 0
    later = mean(source.times[c:d]) - mean(source.times[a:b])
    higher = mean(source.channels[c:d]) - mean(source.channels[a:b])
    return later, int(np.rint(higher))


@njit(**INLINED)
def mean(values):
    """Mean in double precision."""
    total = 0.0
    for i in range(values.shape[0]):
        total += values[i]
    return total / values.shape[0]


@njit(**INLINED)
def take(source, sample, change, key, keep, times, channels, found):
    """Write a share of a sample's spikes, changed, from place `found` on; returns the new `found`."""
    first, last = source.offsets[sample], source.offsets[sample + 1]
    low, middle, high = change.bend
    half = max(0.5, (source.n_channels - 1) / 2)
    for i in range(first, last):
        time = times.dtype.type((source.times[i] + change.later) * change.factor)
        channel = source.channels[i] + change.up
        place = min(max(channel / half - 1, -1.0), 1.0)  # from the first channel to the last
        bend = middle + (place * (high - middle) if place > 0 else place * (middle - low))
        channel += int(np.floor(bend + 0.5))
        kept = change.share == 1 or uniform(key, keep + i - first) < change.share
        # Written in any case, to be overwritten by the next: a branch here would be guessed wrong often.
        times[found], channels[found] = time, channel
        found += kept & (time >= 0) & (time < np.inf) & (channel >= 0) & (channel < source.n_channels)
    return found


@njit(**INLINED)
def add_noise(times, deviation, key):
    """Add normal noise to `times`, in place; one that falls below 0 is reflected there.

    Dropping it would thin out the start of a sample: where many spikes come at 0, by half.
    Source: Box, Muller, "A note on the generation of random normal deviates", Ann. Math. Stat. 1958. In
    single precision: a deviate is at most 5.8.
    """
    radius, angle = np.float32(0), np.float32(0)
    for i in range(times.shape[0]):
        if i % 2 == 0:
            pair = bits(key, NOISE + i // 2)
            part = np.float32((pair >> np.uint64(40)) + np.uint64(1)) * np.float32(2.0**-24)
            radius = np.float32(deviation) * np.sqrt(np.float32(-2) * np.log(part))
            angle = np.float32(pair & np.uint64(0xFFFFFF)) * np.float32(2 * np.pi / 2**24)
            noise = radius * np.cos(angle)
        else:
            noise = radius * np.sin(angle)
        times[i] = abs(times[i] + noise)


@njit(**PART)
def sort(times, channels):
    """Sort both arrays by time (finite, at least 0), in place and stable.

    Spikes are first dealt into buckets, two a spike, then moved by insertion: linear where times are spread
    about evenly.
    """
    n = times.shape[0]
    buckets = 2 * n
    scale = buckets / max(times.max(), 1e-30) if n else 0.0
    bucket, place = np.empty(n, np.int32), np.zeros(buckets + 1, np.int32)
    for i in range(n):
        bucket[i] = min(int(times[i] * scale), buckets - 1)
        place[bucket[i] + 1] += 1
    for b in range(buckets):
        place[b + 1] += place[b]
    old_times, old_channels = times.copy(), channels.copy()
    for i in range(n):
        to = place[bucket[i]]
        place[bucket[i]] = to + 1
        times[to], channels[to] = old_times[i], old_channels[i]
    for i in range(1, n):
        if times[i] < times[i - 1]:
            time, channel, to = times[i], channels[i], i
            while to > 0 and times[to - 1] > time:
                times[to], channels[to] = times[to - 1], channels[to - 1]
                to -= 1
            times[to], channels[to] = time, channel
