"""One network as plain arrays, which is what every format of other programs is written from and read into."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

from model.arrays import Array, Ints
from model.border import kinds_checked, sample_indices, whole
from model.config import LearnerConfig
from model.datasets import SpikeDataset
from model.kernels.connections import Connections
from model.kernels.simulate import record, simulate
from model.network.cohort import Cohort
from model.network.readout import read_out, split_windows


@dataclass(frozen=True, eq=False)
class PlainNetwork:
    """One network of N hidden neurons, I inputs and O classes, in the precision that it was trained in.

    Unlike a `Cohort` it has the delays themselves, wherever they come from, so that they can be anything:
    rounded to a grid, for one.
    """

    config: LearnerConfig
    n_channels: int
    """Input channels, C; runs of `config.pool_channels` of them are one input."""
    w_in: Array
    """Input weights [I, N]; 0 where a neuron hears no inputs."""
    w_rec: Array
    """Recurrent weights [N, N], presynaptic neuron first; 0 where there is no synapse."""
    delays: Array
    """Recurrent delays [N, N] (ms)."""
    mask: Array
    """Which recurrent synapses exist [N, N] (bool)."""
    w_out: Array
    """Weights of the readout [N, W O], of one of its W windows after the other; 0 where it does not hear a
    neuron."""
    b_out: Array
    """Biases of the readout [O]."""
    input_delays: Array | None = None
    """Delays of the inputs [I, N] (ms); None: input spikes arrive at once."""
    positions: Array | None = None
    """Positions of the neurons [N, D] (units of space); None without a space."""
    adaptation: Array | None = None
    """How far each spike of a neuron raises its threshold [N] (units of the potential); None: not at all."""
    tau_adaptation: Array | None = None
    """Time constant with which thresholds come back [N] (ms); there where `adaptation` is."""
    tau_mem: Array | None = None
    """Membrane time constant of each neuron [N] (ms); None: all have that of `config`."""
    tau_syn: Array | None = None
    """Synaptic time constant of each neuron [N] (ms); there where `tau_mem` is."""

    @classmethod
    @kinds_checked
    def of(cls, net: Cohort, replicate: int) -> "PlainNetwork":
        """Network number `replicate` of `net`, as a copy.

        Raises ValueError if there is no such replicate.
        """
        r = whole(replicate, "PlainNetwork.of: `replicate`", 0, net.replicates - 1)
        late = net.input_delays()
        mask = net.mask[r].numpy().copy()
        own = net.own_constants()
        return cls(
            config=net.config,
            n_channels=net.n_channels,
            w_in=_wide(net.w_in[r], 0, net.config.neurons),
            w_rec=np.where(mask, _array(net.w_rec[r]), 0),
            delays=_array(net.delays()[r]),
            mask=mask,
            w_out=_wide(net.w_out[r].T, net.layers.heard.start, net.config.neurons).T.copy(),
            b_out=_array(net.b_out[r]),
            input_delays=None if late is None else _wide(late[r], 0, net.config.neurons),
            positions=_array(net.positions[r]) if net.has_positions else None,
            **{name: _array(values[r]) for name, values in own.items()},
        )

    @property
    def neurons(self) -> int:
        """Hidden neurons, N."""
        return len(self.w_rec)

    @property
    def synapses(self) -> tuple[Ints, Ints]:
        """Pre- and postsynaptic neurons [K] of the synapses that exist and are not 0, ascending."""
        pre, post = np.nonzero(self.mask & (self.w_rec != 0))
        return pre, post

    def connections(self) -> Connections:
        """The network as the kernels take it: a cohort of one."""
        own = (self.input_delays, self.adaptation, self.tau_adaptation, self.tau_mem, self.tau_syn)
        return Connections(
            _tensor(self.w_in),
            _tensor(self.w_rec),
            _tensor(self.delays),
            _tensor(self.mask),
            *(None if values is None else _tensor(values) for values in own),
        )

    @kinds_checked
    def at_step(self, dt: float) -> "PlainNetwork":
        """The same network, simulated in steps of `dt` (ms), which must divide the duration.

        Delays stay as they are: none may be below a step. Raises ValueError if one is.
        """
        config = replace(self.config, dt=float(dt), min_delay=max(float(dt), self.config.delay_floor))
        _ = config.steps
        if self.mask.any() and self.delays[self.mask].min() < dt:
            raise ValueError(
                f"PlainNetwork.at_step: `dt`: got {dt:g}, and there are delays of "
                f"{self.delays[self.mask].min():g} ms; take a shorter step"
            )
        return replace(self, config=config)

    @kinds_checked
    def spikes(self, data: SpikeDataset) -> SpikeDataset:
        """The hidden spikes in all samples of `data`: its channels are the neurons.

        Raises ValueError if the data has other channels than the network.
        """
        begin, times, neurons = record(self.connections(), data, [np.arange(len(data))], self.config)
        return SpikeDataset.from_flat(
            times.copy(), neurons.copy(), np.diff(begin), data.labels, self.neurons, data.n_classes
        )

    @kinds_checked
    def answers(self, data: SpikeDataset, batch: int = 256) -> Ints:
        """The class that is answered to each of the S samples of `data` [S].

        Raises ValueError if the data has other channels than the network.
        """
        size, batch = len(data), whole(batch, "PlainNetwork.answers: `batch`", 1)
        found = [np.empty(0, np.int64)]
        for start in range(0, size, batch):
            chosen = sample_indices(np.arange(start, min(start + batch, size)), size, "answers")
            features = simulate(self.connections(), data, chosen[None], self.config)[0]
            by_window = split_windows(features, self.config.readout_windows)
            logits = read_out(by_window, _tensor(self.w_out))[0].numpy() + self.b_out
            found.append(logits.argmax(1))
        return np.concatenate(found)

    @kinds_checked
    def accuracy(self, data: SpikeDataset) -> float:
        """Share of the samples of `data` that are classified right; NaN without samples."""
        return float((self.answers(data) == data.labels).mean()) if len(data) else float("nan")

    def as_arrays(self) -> dict[str, Array]:
        """All of it as arrays by name, the configuration as JSON; what is None is left out."""
        parts: dict[str, Any] = {name: getattr(self, name) for name in ARRAYS}
        found = {name: np.asarray(value) for name, value in parts.items() if value is not None}
        return found | {
            "config": np.array(json.dumps(asdict(self.config))),
            "n_channels": np.array(self.n_channels),
        }


ARRAYS = (
    *("w_in", "w_rec", "delays", "mask", "w_out", "b_out"),
    *("input_delays", "positions", "adaptation", "tau_adaptation", "tau_mem", "tau_syn"),
)
"""The parts of a network that are arrays."""


def _array(values: torch.Tensor) -> Array:
    found: Array = values.detach().cpu().numpy().copy()
    return found


def _wide(values: torch.Tensor, start: int, neurons: int) -> Array:
    """`values` [P, M] of the neurons from `start` on, as [P, N] of all; 0 for the others."""
    after = neurons - start - values.shape[1]
    return np.pad(_array(values), ((0, 0), (start, after)))


def _tensor(values: Array) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))[None]
