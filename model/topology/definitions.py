"""All measures of a trained network, each beside its value in networks that chance has reordered."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from model.arrays import Floats
from model.border import whole
from model.topology.alignment import module_class_ami, module_space_ami, space_class_ami
from model.topology.clustering import clustering
from model.topology.entropy import communicability_entropy, weight_entropy
from model.topology.inputs import input_position_r2, input_position_r2_cv
from model.topology.modularity import modularity
from model.topology.names import MEASURES, SHELL_SUFFIXES, SUFFIXES, WITHIN_SHELLS
from model.topology.network import Network
from model.topology.nulls import against_null
from model.topology.paths import global_efficiency, global_efficiency_binary
from model.topology.responses import selectivity
from model.topology.small_world import small_world_propensity
from model.topology.spatial import SPATIAL, match
from model.topology.swaps import Swaps, shells_of
from model.topology.trained import Trained
from model.topology.wiring import inhibition_reach, wiring_efficiency

Shuffle = Callable[[Trained, np.random.Generator], Trained]


class Measure(NamedTuple):
    """How a measure is taken of a network, and with which others it is compared."""

    value: Callable[[Trained], float]
    shuffle: Shuffle
    """How its null networks are made."""


def _of_weights(value: Callable[[Network], float]) -> Measure:
    return Measure(lambda trained: value(trained.network), Trained.with_shuffled_weights)


def _input_position_r2(trained: Trained) -> float:
    if trained.inputs is None or (positions := trained.hearing_positions) is None:
        return math.nan
    return input_position_r2(trained.inputs, positions)


def _input_position_r2_cv(trained: Trained) -> float:
    if trained.inputs is None or (positions := trained.hearing_positions) is None:
        return math.nan
    return input_position_r2_cv(trained.inputs, positions)


def _selectivity(trained: Trained) -> float:
    return math.nan if trained.responses is None else selectivity(trained.responses)


def _module_space_ami(trained: Trained) -> float:
    return math.nan if trained.positions is None else module_space_ami(trained.network, trained.positions)


def _module_class_ami(trained: Trained) -> float:
    if trained.responses is None:
        return math.nan
    return module_class_ami(trained.network, trained.responses.preferred_class)


def _space_class_ami(trained: Trained) -> float:
    if trained.responses is None or trained.positions is None:
        return math.nan
    return space_class_ami(trained.network, trained.positions, trained.responses.preferred_class)


DEFINITIONS: Mapping[str, Measure] = {
    "modularity": _of_weights(modularity),
    "clustering": _of_weights(clustering),
    "global_efficiency": _of_weights(global_efficiency),
    "global_efficiency_binary": _of_weights(global_efficiency_binary),
    "small_world_propensity": _of_weights(small_world_propensity),
    "wiring_efficiency": _of_weights(wiring_efficiency),
    "inhibition_reach": _of_weights(inhibition_reach),
    "weight_entropy": _of_weights(weight_entropy),
    "communicability_entropy": _of_weights(communicability_entropy),
    "input_position_r2": Measure(_input_position_r2, Trained.with_shuffled_positions),
    "input_position_r2_cv": Measure(_input_position_r2_cv, Trained.with_shuffled_positions),
    "selectivity": Measure(_selectivity, Trained.with_shuffled_labels),
    "module_space_ami": Measure(_module_space_ami, Trained.with_shuffled_positions),
    "module_class_ami": Measure(_module_class_ami, Trained.with_shuffled_weights),
    "space_class_ami": Measure(_space_class_ami, Trained.with_shuffled_positions),
}
"""Every measure by name, but those of SPATIAL."""

_SHUFFLES: tuple[Shuffle, ...] = (
    Trained.with_shuffled_weights,
    Trained.with_shuffled_positions,
    Trained.with_shuffled_labels,
)


def measures(
    w_rec: ArrayLike,
    distances: ArrayLike,
    positions: ArrayLike | None = None,
    w_in: ArrayLike | None = None,
    spikes: ArrayLike | None = None,
    nulls: int = 50,
    seed: int = 0,
    mask: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    fields: ArrayLike | None = None,
    times: ArrayLike | None = None,
    compared: Collection[str] = MEASURES,
) -> dict[str, float]:
    """Every measure of MEASURES by name, and with nulls > 0 its `_ratio`, `_z` and `_p` as well.

    w_rec: recurrent weights [N, N], row i leaving neuron i; the diagonal does not count, and signs
        for `inhibition_reach` alone.
    distances: of the neurons, [N, N], in units of space.
    positions: of the neurons, [N, D], in units of space; None: measures of space are NaN.
    w_in: input weights [C, N], or [C, M] of the first M neurons where the others hear no inputs; None: what
        begins with `input` is NaN.
    spikes: of each neuron in each sample of a test set, [S, N], and
    labels: the class of each sample [S], from 0; None: measures of selectivity and class are NaN.
    nulls: how many networks to compare with, for each way to shuffle: the weights of `w_rec` over the
        existing pairs (all measures of the graph, and `module_class_ami`), the neurons among their positions
        (the other measures with positions; those WITHIN_SHELLS are also compared with neurons swapped within
        shells of equal radius, by `_shell_z` and `_shell_p`) or the labels over the samples (`selectivity`).
    seed: of the nulls, of the search for communities and of the networks of `small_world_propensity`.
    mask: pairs with a synapse [N, N]; None: all but the diagonal. A synapse of weight 0 still exists, and a
        null may move a weight there, but only synapses of non-zero weight connect neurons.
    fields: receptive fields [N, C], see `receptive_fields`; rows of NaN for silent neurons.
    times: preferred time of each neuron [N], see `preferred_time`; NaN for silent ones.
    compared: the measures that are compared with nulls.

    With x the value and y_1..y_n those of the nulls: ratio = x / mean(y), for y of at least 0;
    z = (x - mean(y)) / sd(y), sd with n - 1; p = (1 + number of y >= x) / (n + 1), the one-sided permutation
    test (Phipson and Smyth, 2010, doi:10.2202/1544-6115.1585). What is not defined is NaN: so is, in a
    network without synapses, all that has to do with them. Definitions and sources are with the functions of
    the same names.

    Raises ValueError if shapes do not agree, a value is not finite, a distance or count is negative, spikes
    come without labels, or nulls < 0.

    >>> cliques = np.kron(np.eye(2), np.ones((3, 3)))
    >>> found = measures(cliques, np.ones((6, 6)), nulls=0)
    >>> round(found["modularity"], 6), round(found["clustering"], 6), found["wiring_efficiency"]
    (0.5, 1.0, nan)
    """
    nulls, seed = whole(nulls, "`nulls`", 0), whole(seed, "`seed`", 0)
    network = Network.of(w_rec, distances, mask, seed)
    trained = Trained.of(network, positions, w_in, spikes, labels, fields, times)
    values = {name: value_of(name, trained) for name in MEASURES}
    found = dict(values)
    chosen = [name for name in MEASURES if name in compared] if nulls else []
    known = [name for name in chosen if not math.isnan(values[name])]
    shuffled = _shuffled(trained, [name for name in known if name in DEFINITIONS], nulls, seed)
    swapped, in_shells = _swapped(trained, [name for name in known if name in SPATIAL], nulls, seed)
    missing = np.full(nulls, math.nan)
    for name in chosen:
        null = against_null(values[name], (shuffled | swapped).get(name, missing))
        found |= {f"{name}_{suffix}": null[suffix] for suffix in SUFFIXES}
        if name in WITHIN_SHELLS:
            null = against_null(values[name], in_shells.get(name, missing))
            found |= {f"{name}_shell_{suffix}": null[suffix] for suffix in SHELL_SUFFIXES}
    return found


def value_of(name: str, trained: Trained) -> float:
    """The measure `name` of MEASURES in a network; NaN where it is not defined."""
    if name in DEFINITIONS:
        return DEFINITIONS[name].value(trained)
    found = match(name, trained)
    return math.nan if found is None else found.value


def _shuffled(trained: Trained, names: Sequence[str], nulls: int, seed: int) -> dict[str, Floats]:
    """The values of measures of DEFINITIONS in their null networks, [nulls] each."""
    found = {name: np.empty(nulls) for name in names}
    for stream, shuffle in enumerate(_SHUFFLES):
        rng = np.random.default_rng([seed, stream])
        wanted = [name for name in names if DEFINITIONS[name].shuffle is shuffle]
        for k in range(nulls if wanted else 0):
            shuffled = shuffle(trained, rng)
            for name in wanted:
                found[name][k] = DEFINITIONS[name].value(shuffled)
    return found


def _swapped(
    trained: Trained, names: Sequence[str], nulls: int, seed: int
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """The values of measures of SPATIAL with neurons swapped, [nulls] each: all over, and within shells."""
    if trained.positions is None or not names:
        return {}, {}
    shells = shells_of(trained.positions)
    everywhere = Swaps(np.zeros_like(shells), nulls, np.random.default_rng([seed, len(_SHUFFLES)]))
    within = Swaps(shells, nulls, np.random.default_rng([seed, len(_SHUFFLES) + 1]))
    found: tuple[dict[str, Floats], dict[str, Floats]] = ({}, {})
    for name in names:
        one = match(name, trained)
        assert one is not None  # or it would have no value
        found[0][name] = one.swapped(everywhere.among(one.known))
        if name in WITHIN_SHELLS:
            found[1][name] = one.swapped(within.among(one.known))
    return found
