"""A network on the grid of a piece of hardware: delays and weights of few values, and what that costs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from model.arrays import Array
from model.border import kinds_checked, whole
from model.datasets import SpikeDataset
from model.exchange.plain import PlainNetwork
from model.fields import show

MOST_BITS = 24
"""As many as a float32 holds exactly."""


@dataclass(frozen=True)
class Grid:
    """The values that delays and weights can have. What is None stays as it is.

    Raises ValueError, naming the field, if a value is not legal.
    """

    delay_step: float | None = None
    """Delays are whole multiples of it, at least one (ms)."""
    max_delay: float | None = None
    """Greatest delay (ms): longer ones are cut down to the last step within it."""
    bits: int | None = None
    """Bits of a signed weight: each of the three weight matrices has 2^bits - 1 values, evenly spaced from
    minus to plus its largest size."""

    def __post_init__(self) -> None:
        for name in ("delay_step", "max_delay"):
            value = getattr(self, name)
            known = isinstance(value, int | float) and not isinstance(value, bool)
            if value is not None and not (known and 0 < value < float("inf")):
                raise ValueError(f"Grid: `{name}`: got {show(value)}, expected a number above 0 (ms)")
        if self.bits is not None:
            whole(self.bits, "Grid: `bits`", 2, MOST_BITS)
        if self.max_delay is not None and self.max_delay < (self.delay_step or 0):
            raise ValueError(
                f"Grid: `max_delay`: got {self.max_delay:g}, expected at least `delay_step` = "
                f"{self.delay_step:g}"
            )


@dataclass(frozen=True)
class Resolution:
    """A grid, and how a network answers on it."""

    grid: Grid
    accuracy: float
    agreement: float
    """Share of the samples that get the answer that the network gave before."""


@kinds_checked
def quantized(network: PlainNetwork, grid: Grid) -> PlainNetwork:
    """`network` with its delays and weights rounded to the nearest values of `grid`.

    Rounding, not cutting: cut-off delays come half a step early in the mean. A delay of 0 among inputs stays
    0, as their spikes may arrive at once; recurrent ones keep to the network's least delay. Weights that
    round to 0 are synapses no more.
    """
    floor = network.config.delay_floor
    delays = _on_steps(network.delays, grid, floor)
    late = network.input_delays
    w_rec = _in_bits(network.w_rec, grid.bits)
    return replace(
        network,
        w_in=_in_bits(network.w_in, grid.bits),
        w_rec=w_rec,
        w_out=_in_bits(network.w_out, grid.bits),
        delays=delays,
        mask=network.mask if grid.bits is None else network.mask & (w_rec != 0),
        input_delays=None if late is None else _on_steps(late, grid, 0.0),
    )


@kinds_checked
def resolutions(
    network: PlainNetwork,
    data: SpikeDataset,
    delay_steps: Sequence[float | None] = (None, 1.0, 2.0, 4.0, 8.0),
    bits: Sequence[int | None] = (None, 8, 6, 4, 3, 2),
    max_delay: float | None = None,
) -> list[Resolution]:
    """How `network` answers to `data` on each grid of a delay step and a number of bits.

    The first of these is usually None, for the network as it is. Raises ValueError for what is no grid.
    """
    if not isinstance(delay_steps, list | tuple) or not isinstance(bits, list | tuple):
        raise ValueError("resolutions: `delay_steps` and `bits`: expected lists")
    grids = [Grid(step, max_delay, width) for step, width in product(delay_steps, bits)]
    before = network.answers(data)
    found = []
    for grid in grids:
        answers = quantized(network, grid).answers(data)
        accuracy, agreement = (float((answers == others).mean()) for others in (data.labels, before))
        found.append(Resolution(grid, accuracy, agreement))
    return found


def _on_steps(delays: Array, grid: Grid, least: float) -> Array:
    """Delays on the grid, none below `least`."""
    found = delays.astype(np.float64)
    if grid.delay_step is not None:
        first = np.ceil(least / grid.delay_step - 1e-9)
        found = np.maximum(np.rint(found / grid.delay_step), first) * grid.delay_step
    if grid.max_delay is not None:
        step = grid.delay_step
        greatest = grid.max_delay if step is None else np.floor(grid.max_delay / step + 1e-9) * step
        found = np.minimum(found, max(greatest, least))
    rounded: Array = found.astype(delays.dtype)
    return rounded


def _in_bits(weights: Array, bits: int | None) -> Array:
    """Weights as whole multiples of a step, of which there are 2^(bits - 1) - 1 up to the largest weight."""
    largest = float(np.abs(weights).max(initial=0))
    if bits is None or largest == 0:
        return weights
    step = largest / (2 ** (bits - 1) - 1)
    found: Array = (np.rint(weights.astype(np.float64) / step) * step).astype(weights.dtype)
    return found
