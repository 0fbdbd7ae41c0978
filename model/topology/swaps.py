"""Neurons swapped among their places, all over the cloud or within shells of equal radius."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.arrays import Floats, Ints
from model.border import real_array

SHELL = 8
"""Neurons in a shell: few, so that radii within one differ little, and enough to go around the centre."""


@dataclass(frozen=True, eq=False)
class Match:
    """How far what places have to do with one another agrees with what the neurons there have in common.

    Its value is sum_ij places_ij neurons_ij: Moran's I, the correlation of Mantel and more, by what the two
    matrices hold. With the neurons swapped, rows and columns of `neurons` change together, and nothing else.

    Source: Hubert, Golledge, Costanzo, Geographical Analysis 13, 224, 1981,
    doi:10.1111/j.1538-4632.1981.tb00731.x.
    """

    places: Floats
    """[n, n]: of the places of the neurons that are known."""
    neurons: Floats
    """[n, n]: of these neurons."""
    known: NDArray[np.bool_]
    """Which of all neurons they are, [N]; the others stay where they are."""
    root: bool = False
    """Whether the value is the square root of the sum."""

    @property
    def value(self) -> float:
        """With every neuron in its own place."""
        return self._finish(float((self.places * self.neurons).sum()))

    def swapped(self, orders: Ints) -> Floats:
        """The values [K] with neuron `orders[k, i]` at place i, for orders [K, n]."""
        # One matrix at a time: for 1,000 neurons all of them together would be gigabytes.
        return np.array(
            [
                self._finish(float((self.places * self.neurons[np.ix_(order, order)]).sum()))
                for order in orders
            ]
        )

    def _finish(self, total: float) -> float:
        return math.sqrt(max(0.0, total)) if self.root else total


class Swaps:
    """K ways to swap N neurons; the same for any set of them that is known."""

    def __init__(self, shells: Ints, count: int, rng: np.random.Generator) -> None:
        """Neurons change places with others of the same one of `shells` [N]."""
        self.shells = shells
        self.keys = rng.random((count, len(shells)))

    def among(self, known: NDArray[np.bool_]) -> Ints:
        """Which neuron comes to each place, for the `known` ones alone, [K, n]."""
        shells, keys = self.shells[known], self.keys[:, known]
        orders = np.empty(keys.shape, dtype=np.int64)
        orders[:, np.argsort(shells, kind="stable")] = np.argsort(shells + keys, axis=1)
        return orders


def radius(positions: Floats) -> Floats:
    """Distance of each neuron from the mean of `positions` [N, D], [N]."""
    positions = real_array(positions, "radius: `positions`", "N, D")
    distance: Floats = np.linalg.norm(positions - positions.mean(0), axis=1)
    return distance


def shells_of(positions: Floats) -> Ints:
    """Shell of each neuron at `positions` [N, D], from 0 for the SHELL innermost ones, [N]."""
    rank = np.argsort(np.argsort(radius(positions), kind="stable"))
    return rank // SHELL
