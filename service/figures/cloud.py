"""A network in space, and what still and interactive pictures of it have in common."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from service.figures.style import COLOURS, MARKERS, SILENT_COLOUR

Array = npt.NDArray[Any]

EDGE_SHARE = 0.03
LEAST_EDGES, MOST_EDGES = 40, 400


@dataclass(frozen=True)
class Cloud:
    """One network of N neurons in D dimensions (units of space)."""

    positions: Array
    """[N, D]"""
    weights: Array
    """[N, N], presynaptic first; 0 where there is no synapse."""
    rate: Array
    """[N] spikes a sample."""
    title: str
    module: Array | None = None
    """[N]: community of the weight graph."""
    preferred_class: Array | None = None
    """[N]; -1 for a silent neuron."""
    preferred_channel: Array | None = None
    """[N]: input channel that a neuron follows most; -1 if it follows none."""
    preferred_time: Array | None = None
    """[N]: mean time of a neuron's spikes (ms); NaN for a silent neuron."""
    layer: Array | None = None
    """[N]: the layer, from 0; None of a single one."""


@dataclass(frozen=True)
class Group:
    """Neurons that look alike."""

    label: str
    members: Array
    colour: str
    shape: int = 0
    """When the colours are used up they start again with the next shape."""


@dataclass(frozen=True)
class Scale:
    """A number that neurons are coloured by."""

    values: Array
    """[N]; NaN where it is not known."""
    label: str


@dataclass(frozen=True)
class Edges:
    """E synapses, the strongest first."""

    pre: Array
    post: Array
    weight: Array
    existing: int
    """Synapses in the whole network."""


@dataclass(frozen=True)
class Projection:
    """From space to the two or three axes of a picture."""

    labels: tuple[str, ...]
    centre: Array
    """[D]"""
    axes: Array
    """[D, K]"""
    height: Array | None
    """[N]: the second axis of a cloud on a line."""

    def points(self, positions: Array) -> Array:
        """Where `positions` [N, D] are in the picture [N, 2 or 3]."""
        points: Array = (positions - self.centre) @ self.axes
        return points if self.height is None else np.column_stack([points, self.height])


def projection(cloud: Cloud) -> Projection:
    """Positions as they are in up to three dimensions; in more, their first three principal components."""
    dimensions = cloud.positions.shape[1]
    if dimensions > 3:
        centre = cloud.positions.mean(0)
        _, spread, directions = np.linalg.svd(cloud.positions - centre, full_matrices=False)
        shares = np.zeros(max(3, len(spread)))
        shares[: len(spread)] = spread**2 / max(float((spread**2).sum()), np.finfo(float).tiny)
        axes = np.zeros((dimensions, 3))
        axes[:, : len(directions)] = directions[:3].T
        labels = tuple(
            f"PC {n + 1} (units of space), {100 * share:.0f} % of variance"
            for n, share in enumerate(shares[:3])
        )
        return Projection(labels, centre, axes, None)
    names = tuple(f"{name} (units of space)" for name in "xyz"[:dimensions])
    identity, origin = np.eye(dimensions), np.zeros(dimensions)
    if dimensions == 1:
        return Projection((*names, "rate (spikes per sample)"), origin, identity, cloud.rate)
    return Projection(names, origin, identity, None)


def views(cloud: Cloud) -> dict[str, list[Group] | Scale]:
    """The ways to colour the neurons that are known, by name; the mark of one in a group is its layer's."""
    found: dict[str, list[Group] | Scale] = {}
    if cloud.preferred_class is not None:
        found["class"] = by_layer(class_groups(cloud.preferred_class), cloud.layer)
    if cloud.module is not None:
        found["module"] = by_layer(module_groups(cloud.module), cloud.layer)
    if cloud.layer is not None:
        found["layer"] = layer_groups(cloud.layer)
    if cloud.preferred_channel is not None:
        channel = np.where(cloud.preferred_channel < 0, np.nan, cloud.preferred_channel)
        found["channel"] = Scale(channel, "preferred input channel")
    if cloud.preferred_time is not None:
        found["time"] = Scale(cloud.preferred_time, "mean spike time (ms)")
    return {**found, "rate": Scale(cloud.rate, "rate (spikes per sample)")}


def strongest_edges(weights: Array) -> Edges:
    """The top 3 % of the synapses that are not zero by |w|: at least 40 if there are so many, at most 400."""
    pre, post = np.nonzero(weights)
    strength = np.abs(weights[pre, post])
    count = min(MOST_EDGES, max(LEAST_EDGES, int(np.ceil(EDGE_SHARE * len(pre)))))
    first = np.argsort(-strength, kind="stable")[:count]
    return Edges(pre[first], post[first], weights[pre[first], post[first]], len(pre))


def class_groups(preferred_class: Array) -> list[Group]:
    """Neurons by the class that they prefer; the silent ones come last."""
    groups = [
        Group(
            f"class {label}",
            np.flatnonzero(preferred_class == label),
            COLOURS[label % len(COLOURS)],
            label // len(COLOURS) % len(MARKERS),
        )
        for label in np.unique(preferred_class[preferred_class >= 0]).tolist()
    ]
    silent = np.flatnonzero(preferred_class < 0)
    return [*groups, Group("silent", silent, SILENT_COLOUR)] if len(silent) else groups


def module_groups(module: Array) -> list[Group]:
    """Neurons by module, the largest modules first; those beyond the colours are one group."""
    labels, sizes = np.unique(module, return_counts=True)
    by_size = labels[np.argsort(-sizes, kind="stable")]
    groups = [
        Group(f"module {label}", np.flatnonzero(module == label), colour)
        for label, colour in zip(by_size.tolist(), COLOURS, strict=False)
    ]
    rest = np.flatnonzero(np.isin(module, by_size[len(COLOURS) :]))
    return [*groups, Group("smaller modules", rest, SILENT_COLOUR)] if len(rest) else groups


def layer_groups(layer: Array) -> list[Group]:
    """Neurons by layer, the first one first."""
    return [
        Group(f"layer {k}", np.flatnonzero(layer == k), COLOURS[k % len(COLOURS)], k % len(MARKERS))
        for k in np.unique(layer).tolist()
    ]


def by_layer(groups: list[Group], layer: Array | None) -> list[Group]:
    """The groups divided by layer, each layer with a mark of its own; as they are without layers."""
    if layer is None:
        return groups
    layers = np.unique(layer).tolist()
    return [
        Group(
            f"{group.label}, layer {k}", members, group.colour, (k + len(layers) * group.shape) % len(MARKERS)
        )
        for group in groups
        for k in layers
        if len(members := group.members[layer[group.members] == k])
    ]


def dot_areas(rate: Array, smallest: float, largest: float) -> Array:
    """Area of each neuron's dot: from `smallest` for a silent one to `largest` for the most active one."""
    return smallest + (largest - smallest) * rate / max(float(rate.max(initial=0.0)), np.finfo(float).tiny)


def cube(points: Array) -> Array:
    """Bounds [K, 2] of a cube around `points` [M, K], with a margin."""
    low, high = points.min(0), points.max(0)
    half = 0.52 * float((high - low).max()) or 0.5
    middle = (low + high) / 2
    return np.stack([middle - half, middle + half], axis=1)
