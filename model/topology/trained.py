"""All that is known of one trained network, and what of it chance is allowed to reorder."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from model.arrays import Floats
from model.border import as_array
from model.topology.inputs import Inputs
from model.topology.network import Network
from model.topology.responses import Responses


@dataclass(frozen=True, eq=False)
class Trained:
    """A network of N neurons; what is not known is None."""

    network: Network
    positions: Floats | None = None
    """[N, D], in units of space."""
    inputs: Inputs | None = None
    """Of the first M neurons; the others hear none."""
    responses: Responses | None = None
    fields: Floats | None = None
    """Receptive fields [N, C]; a row of NaN for a neuron without one."""
    times: Floats | None = None
    """Preferred times [N] (ms); NaN for a neuron without one."""

    @classmethod
    def of(
        cls,
        network: Network,
        positions: ArrayLike | None,
        w_in: ArrayLike | None,
        spikes: ArrayLike | None,
        labels: ArrayLike | None,
        fields: ArrayLike | None = None,
        times: ArrayLike | None = None,
    ) -> Self:
        """The arguments of `measures`, checked.

        Raises ValueError if one does not fit the network or is not finite.
        """
        size = len(network)
        places = None if positions is None else _finite("positions", positions)
        if places is not None and len(places) != size:
            raise ValueError(f"`positions` has the shape {places.shape}, expected [{size}, D]")
        weights = None if w_in is None else _finite("w_in", w_in)
        if weights is not None and not 1 <= weights.shape[1] <= size:
            raise ValueError(f"`w_in` has the shape {weights.shape}, expected [C, {size}], or less neurons")
        if (spikes is None) != (labels is None):
            raise ValueError("`spikes` and `labels` tell something together alone; give both or none")
        responses = None if spikes is None or labels is None else Responses.of(spikes, labels, size)
        return cls(
            network,
            places,
            None if weights is None else Inputs(weights),
            responses,
            None if fields is None else _of_neurons("fields", fields, 2, size),
            None if times is None else _of_neurons("times", times, 1, size),
        )

    @property
    def input_weights(self) -> Floats | None:
        """Input weights of each neuron [N, C]; a row of NaN for one that hears none."""
        if self.inputs is None:
            return None
        heard = self.inputs.w_in.T
        return np.pad(heard, ((0, len(self.network) - len(heard)), (0, 0)), constant_values=np.nan)

    @property
    def hearing_positions(self) -> Floats | None:
        """Positions of the neurons that hear inputs [M, D]."""
        if self.inputs is None or self.positions is None:
            return None
        return self.positions[: self.inputs.w_in.shape[1]]

    def with_shuffled_weights(self, rng: np.random.Generator) -> Self:
        """Recurrent weights in random order over the synapses that exist."""
        return replace(self, network=self.network.shuffled(rng))

    def with_shuffled_positions(self, rng: np.random.Generator) -> Self:
        """Neurons swapped at random among the places; the synapses keep their lengths."""
        return replace(self, positions=None if self.positions is None else rng.permutation(self.positions))

    def with_shuffled_labels(self, rng: np.random.Generator) -> Self:
        """Classes in random order over the samples."""
        return replace(self, responses=None if self.responses is None else self.responses.shuffled(rng))


def _finite(name: str, values: ArrayLike) -> Floats:
    array = as_array(values, f"`{name}`", np.float64)
    if array.ndim != 2:
        raise ValueError(f"`{name}` has the shape {array.shape}, expected two dimensions")
    if not np.isfinite(array).all():
        raise ValueError(f"`{name}` holds a value that is not finite; measure finite networks only")
    return array


def _of_neurons(name: str, values: ArrayLike, dimensions: int, size: int) -> Floats:
    """Values of `size` neurons, in rows; what is NaN is not known."""
    array = as_array(values, f"`{name}`", np.float64)
    if array.ndim != dimensions or len(array) != size:
        expected = f"[{size}, C]" if dimensions == 2 else f"[{size}]"
        raise ValueError(f"`{name}` has the shape {array.shape}, expected {expected}")
    if np.isinf(array).any():
        raise ValueError(f"`{name}` holds a value that is infinite; measure finite networks only")
    return array
