"""The recurrent network as the measures see it: strengths and distances of the pairs that exist."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.arrays import Floats
from model.border import as_array
from model.topology.leiden import Partition, best_partition


@dataclass(frozen=True, eq=False)
class Network:
    """N neurons; row i holds the synapses that leave neuron i."""

    strengths: Floats
    """|w_ij|, 0 where no synapse exists, [N, N]."""
    distances: Floats
    """Length of each synapse, in units of space, [N, N]."""
    exists: NDArray[np.bool_]
    """Pairs with a synapse, whatever its weight; False on the diagonal, [N, N]."""
    inhibitory: NDArray[np.bool_]
    """Synapses with a weight below 0, [N, N]."""
    seed: int = 0
    """Of what is random in a measure: the search for communities, networks to compare with."""

    @classmethod
    def of(cls, w_rec: ArrayLike, distances: ArrayLike, mask: ArrayLike | None = None, seed: int = 0) -> Self:
        """A network of these weights, distances and synapses (None: all pairs but the diagonal), each [N, N].

        Raises ValueError if the shapes differ, a value is not finite, or a distance is negative.
        """
        weights = _square("w_rec", w_rec)
        lengths = _square("distances", distances)
        exists = np.ones_like(weights, dtype=bool) if mask is None else _square("mask", mask) != 0
        if lengths.shape != weights.shape or exists.shape != weights.shape:
            shapes = f"`w_rec` {weights.shape}, `distances` {lengths.shape}, `mask` {exists.shape}"
            raise ValueError(f"the shapes differ: {shapes}; expected [N, N] for each")
        exists &= ~np.eye(len(weights), dtype=bool)
        if (lengths < 0).any():
            raise ValueError("`distances` holds a negative value; expected lengths of at least 0")
        return cls(np.where(exists, np.abs(weights), 0.0), lengths, exists, exists & (weights < 0), seed)

    def __len__(self) -> int:
        return len(self.strengths)

    @cached_property
    def relative(self) -> Floats:
        """Strengths over the greatest one, 0 to 1, [N, N]; all 0 if that is 0."""
        return self.strengths / (self.strengths.max(initial=0) or 1.0)

    @cached_property
    def partition(self) -> Partition:
        """The communities of the neurons."""
        return best_partition(self.strengths, self.seed)

    @cached_property
    def connected(self) -> NDArray[np.bool_]:
        """Neurons with a synapse of non-zero weight, to or from them, [N]."""
        return np.asarray(self.strengths.any(0) | self.strengths.any(1))

    def shuffled(self, rng: np.random.Generator) -> Self:
        """The same network with its weights in random order over the pairs that exist."""
        strengths, inhibitory = np.zeros_like(self.strengths), np.zeros_like(self.exists)
        order = rng.permutation(int(self.exists.sum()))
        strengths[self.exists] = self.strengths[self.exists][order]
        inhibitory[self.exists] = self.inhibitory[self.exists][order]
        return replace(self, strengths=strengths, inhibitory=inhibitory)


def _square(name: str, values: ArrayLike) -> Floats:
    array = as_array(values, f"`{name}`", np.float64)
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        raise ValueError(f"`{name}` has the shape {array.shape}, expected [N, N]")
    if not np.isfinite(array).all():
        raise ValueError(f"`{name}` holds a value that is not finite; measure finite networks only")
    return array
