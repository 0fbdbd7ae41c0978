"""How hidden neurons are divided into layers, and which of them can act on which.

A layered network is one population of N neurons, layer after layer, in the same kernels and the same space:
only the synapses that its layers allow exist. So a delay between layers is a distance like any other, and
wiring cost counts every cable.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from model.arrays import Ints
from model.fields import show

LEGAL = "a whole number of at least 1, or a list of such, one a layer"
"""The legal values of `hidden` in words."""


@dataclass(frozen=True)
class Layers:
    """N hidden neurons in L layers of `sizes`, the first layer first.

    Raises ValueError if no network could use some of them.
    """

    sizes: tuple[int, ...]
    recurrent: bool = True
    """Whether the neurons of a layer act on each other."""
    feedforward: bool = True
    """Whether each layer acts on the next one."""
    inputs_to_all: bool = False
    """Whether inputs act on all layers, not on the first alone."""
    readout_from_all: bool = False
    """Whether the readout hears all layers, not the last alone."""

    def __post_init__(self) -> None:
        apart = len(self.sizes) > 1 and not self.feedforward
        if apart and not (self.inputs_to_all and self.readout_from_all):
            raise ValueError(
                "`feedforward`: false leaves layers apart, so that those after the first hear nothing and "
                "those before the last are not heard; set `inputs_to` and `readout_from` to all, or leave it "
                "out"
            )

    @property
    def neurons(self) -> int:
        """Hidden neurons in all, N."""
        return sum(self.sizes)

    @property
    def hearing(self) -> int:
        """How many neurons hear the inputs, M: the first ones."""
        return self.neurons if self.inputs_to_all else self.sizes[0]

    @property
    def heard(self) -> slice:
        """The neurons that the readout hears, K of them: the last ones."""
        return slice(0 if self.readout_from_all else self.neurons - self.sizes[-1], self.neurons)

    @property
    def read_out(self) -> int:
        """How many neurons the readout hears, K."""
        return self.neurons if self.readout_from_all else self.sizes[-1]

    @property
    def members(self) -> tuple[slice, ...]:
        """The neurons of each layer [L]."""
        ends = np.cumsum(self.sizes).tolist()
        return tuple(slice(end - size, end) for size, end in zip(self.sizes, ends, strict=True))

    @property
    def numbers(self) -> Ints:
        """The layer of each neuron [N], from 0."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @cached_property
    def synapses(self) -> npt.NDArray[np.bool_]:
        """Which recurrent synapses there can be [N, N], presynaptic neuron first; no self-connections."""
        pre, post = self.numbers[:, None], self.numbers[None, :]
        allowed = (self.recurrent & (pre == post)) | (self.feedforward & (pre + 1 == post))
        return np.asarray(allowed & ~np.eye(self.neurons, dtype=bool))

    @property
    def fan_in(self) -> float:
        """How many neurons act on a neuron, a mean over all; a neuron counts in its own layer, too."""
        within = sum(size**2 for size in self.sizes) if self.recurrent else 0
        between = sum(a * b for a, b in pairwise(self.sizes)) if self.feedforward else 0
        return (within + between) / self.neurons


def sizes_of(hidden: object) -> int | tuple[int, ...]:
    """The value of the field `hidden`: a number of neurons or, of several layers, their sizes.

    Sizes may come as a list or, where only text can be kept, as text. One layer is a number.

    Raises ValueError, in words, for what is neither.

    >>> sizes_of(64), sizes_of([64]), sizes_of([64, 32]), sizes_of("64-32")
    (64, 64, (64, 32), (64, 32))
    """
    found: Any = hidden
    if isinstance(hidden, str) and re.fullmatch(r"[1-9]\d{0,17}(-[1-9]\d{0,17})*", hidden):
        found = [int(size) for size in hidden.split("-")]
    sizes = found if isinstance(found, list | tuple) else [found]
    if not sizes or not all(type(size) is int and size >= 1 for size in sizes):
        raise ValueError(f"got {show(hidden)}, expected {LEGAL}")
    return sizes[0] if len(sizes) == 1 else tuple(sizes)


def as_text(hidden: int | tuple[int, ...]) -> str:
    """The value of the field `hidden` as text, which `sizes_of` reads back.

    >>> as_text(64), as_text((64, 32))
    ('64', '64-32')
    """
    return "-".join(map(str, hidden if isinstance(hidden, tuple) else (hidden,)))
