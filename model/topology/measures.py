"""All measures of a trained network, each beside its value in networks with shuffled weights."""

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from model.topology.modularity import modularity
from model.topology.network import Floats, Network
from model.topology.wiring import wiring_efficiency

_MEASURES: Mapping[str, Callable[[Network, int], float]] = {
    "modularity": modularity,
    "wiring_efficiency": wiring_efficiency,
}

MEASURES: tuple[str, ...] = tuple(_MEASURES)
"""Names of the measures."""


def measures(
    w_rec: ArrayLike,
    distances: ArrayLike,
    positions: ArrayLike | None = None,
    w_in: ArrayLike | None = None,
    spikes: ArrayLike | None = None,
    nulls: int = 50,
    seed: int = 0,
    mask: ArrayLike | None = None,
) -> dict[str, float]:
    """Every measure of MEASURES by name, and with nulls > 0 its `_ratio`, `_z` and `_p` as well.

    w_rec: recurrent weights [N, N], row i leaving neuron i; their signs and the diagonal do not count.
    distances: of the neurons, [N, N], in units of space.
    positions, w_in, spikes: accepted, but no measure needs them yet.
    nulls: how many networks to compare with. Each has the weights of `w_rec` in random order over the
        existing pairs, and the same distances.
    seed: of the nulls and of the search for communities.
    mask: pairs with a synapse [N, N]; None: all but the diagonal. A synapse of weight 0 still exists.

    With x the value and y_1..y_n those of the nulls: ratio = x / mean(y); z = (x - mean(y)) / sd(y), sd
    with n - 1; p = (1 + number of y >= x) / (n + 1), the one-sided permutation test (Phipson and Smyth, 2010,
    doi:10.2202/1544-6115.1585). What is not defined is NaN: so is everything in a network without synapses.

    Raises ValueError if shapes do not agree, a value is not finite, a distance is negative or nulls < 0.

    >>> cliques = np.kron(np.eye(2), np.ones((3, 3)))
    >>> measures(cliques, np.ones((6, 6)), nulls=0)
    {'modularity': 0.5, 'wiring_efficiency': nan}
    """
    if nulls < 0:
        raise ValueError(f"`nulls`: got {nulls}, expected a whole number of at least 0")
    network = Network.of(w_rec, distances, mask)
    values = {name: measure(network, seed) for name, measure in _MEASURES.items()}
    if nulls == 0:
        return values
    rng = np.random.default_rng(seed)
    shuffled = [network.shuffled(rng) for _ in range(nulls)]
    for name, measure in _MEASURES.items():
        value = values[name]
        null = np.array([math.nan if math.isnan(value) else measure(one, seed) for one in shuffled])
        values |= {f"{name}_{suffix}": x for suffix, x in against_null(value, null).items()}
    return values


def against_null(value: float, null: Floats) -> dict[str, float]:
    """Ratio, z and p of a value against those of null networks [n >= 1]; see `measures`."""
    if math.isnan(value) or np.isnan(null).any():
        return {"ratio": math.nan, "z": math.nan, "p": math.nan}
    mean = float(null.mean())
    spread = float(null.std(ddof=1)) if len(null) > 1 else 0.0
    rounding = 1e-9 * max(abs(value), abs(mean))  # values that differ by less are equal
    return {
        "ratio": value / mean if abs(mean) > rounding else math.nan,
        "z": (value - mean) / spread if spread > rounding else math.nan,
        "p": (1 + int((null >= value - rounding).sum())) / (len(null) + 1),
    }
