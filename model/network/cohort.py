"""A cohort: R networks of one configuration, each with its own seed, simulated in one call."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from model.border import kinds_checked, whole
from model.config import LearnerConfig
from model.datasets import SpikeDataset
from model.embeddings.inputs import Inputs
from model.embeddings.registry import embedding_of
from model.fields import show
from model.kernels.border import check_dtype
from model.kernels.connections import Connections
from model.kernels.simulate import backend_for, simulate, uncompiled
from model.layers import Layers
from model.network.drawing import DELAYS, NEURONS, Drawn, draw_weights, stream
from model.network.readout import read_out, split_windows
from model.network.signs import keep_signs, kinds_of
from model.neurons.registry import neuron_of


class Output(NamedTuple):
    """What R networks answer to B samples each."""

    logits: Tensor
    """[R, B, O]"""
    features: Tensor
    """[R, B, N]: time average of each hidden neuron's readout potential."""
    counts: Tensor
    """[R, B, N]: spikes."""


class Cohort(nn.Module):
    """R networks of leaky integrate-and-fire neurons in space, with a linear readout of their spikes.

    Neurons are numbered layer by layer. Parameters, all contiguous: `w_in` [R, I, M] (I inputs: the channels,
    or runs of `pool_channels` of them that share their weights; the first M neurons hear them, see
    `model.layers`), `w_rec` [R, N, N] (presynaptic first, within layers and between them), `w_out`
    [R, K, W O] (the last K neurons are read out, in W windows of time, each with weights of its own), `b_out`
    [R, O], and those of the embedding (`model.embeddings`): `positions` [R, N, D] (`space`, `fixed`),
    `free_delays` or `shuffled_delays` [R, N, N] (ms), or `axonal_delays` [R, N] (ms); where asked for,
    `input_positions` [R, I, D] and `log_delay_scale` [R], the logarithm of the delay scale (ms per unit of
    space). Adaptive neurons (`model.neurons`) have `adaptation` [R, N] (units of the potential) and
    `log_tau_adaptation` [R, N], the logarithm of its time constant (ms); neurons with time constants of
    their own have `log_tau_mem` and `log_tau_syn` [R, N], their logarithms.

    Buffers: `mask` [R, N, N] says which recurrent synapses exist: at first all that the layers allow.
    `neuron_id` [R, N] (int64) tells neurons apart for good, where their places change because some were added
    or removed (`model.moves`): at first 0 to N - 1. `next_neuron_id` [R] (int64) is the one that a network's
    next neuron gets, so that none is used twice. `excitatory` [R, N] says whose weights are never below 0,
    all others' being never above, where `config.excitatory` asks for kinds of neurons; else it is None.
    """

    w_in: nn.Parameter
    w_rec: nn.Parameter
    w_out: nn.Parameter
    b_out: nn.Parameter
    positions: nn.Parameter
    free_delays: nn.Parameter
    axonal_delays: nn.Parameter
    shuffled_delays: nn.Parameter
    input_positions: nn.Parameter
    log_delay_scale: nn.Parameter
    adaptation: nn.Parameter
    log_tau_adaptation: nn.Parameter
    log_tau_mem: nn.Parameter
    log_tau_syn: nn.Parameter
    mask: Tensor
    neuron_id: Tensor
    next_neuron_id: Tensor
    excitatory: Tensor | None

    @kinds_checked
    def __init__(
        self,
        config: LearnerConfig,
        n_channels: int,
        n_classes: int,
        seeds: Sequence[int],
        dtype: torch.dtype = torch.float32,
        device: str = "cpu",
        threads: int = 1,
    ) -> None:
        """Draw the networks; replicate r depends on seeds[r] alone.

        Args:
            config: what the networks are; `duration` must be set.
            n_channels: input channels, C.
            n_classes: classes, O.
            seeds: one a replicate, R of them, whole numbers of at least 0.
            dtype: torch.float32 or torch.float64.
            device: where the networks live and run; `cpu` as there are no kernels for another yet.
            threads: threads of the kernels.

        Raises:
            ValueError: if an argument is not legal.
        """
        super().__init__()
        backend_for(device, whole(threads, "Cohort: `threads`", 1))
        check_dtype(dtype, "Cohort")
        self.config, self.threads = config, threads
        self.n_channels = whole(n_channels, "Cohort: `n_channels`", 1)
        self.n_classes = whole(n_classes, "Cohort: `n_classes`", 1)
        self.seeds = seeds = _checked_seeds(seeds)
        self.embedding, self.input_embedding = embedding_of(config), Inputs(config)
        self.neuron = neuron_of(config)
        _ = config.steps  # raises unless there is a duration, of whole steps
        n, inputs = config.neurons, -(-n_channels // config.pool_channels)
        weights = [draw_weights(config, inputs, n_classes, seed) for seed in seeds]
        delays = [self.embedding.draw(n, stream(seed, DELAYS)) for seed in seeds]
        places = [self.input_embedding.draw(inputs) for _ in seeds]
        self._register(weights, lambda name: name != "b_out" or config.output_bias, dtype, device)
        self._register(delays, self.embedding.learns, dtype, device)
        self._register(places, self.input_embedding.learns, dtype, device)
        own = [self.neuron.draw(n, stream(seed, NEURONS)) for seed in seeds]
        self._register(own, self.neuron.learns, dtype, device)
        allowed = torch.from_numpy(config.layers.synapses).to(device)
        self.register_buffer("mask", allowed.repeat(len(seeds), 1, 1))
        self.register_buffer("neuron_id", torch.arange(n, device=device).repeat(len(seeds), 1))
        self.register_buffer("next_neuron_id", torch.full((len(seeds),), n, device=device))
        kinds = None if config.excitatory is None else kinds_of(config.layers, config.excitatory)
        self.register_buffer(
            "excitatory", None if kinds is None else torch.from_numpy(kinds).to(device).repeat(len(seeds), 1)
        )
        self.project()
        self.settle()

    def _register(
        self, drawn: list[Drawn], learns: Callable[[str], bool], dtype: torch.dtype, device: str
    ) -> None:
        """Register parameters from their initial values in each network."""
        for name in drawn[0]:
            values = torch.tensor(np.stack([one[name] for one in drawn]), dtype=dtype, device=device)
            self.register_parameter(name, nn.Parameter(values, requires_grad=learns(name)))

    def __repr__(self) -> str:
        sizes = [self.config.hidden] if isinstance(self.config.hidden, int) else self.config.hidden
        place = (
            f"in {self.config.dimensions}-D" if self.has_positions else f"embedding {self.config.embedding}"
        )
        return f"Cohort({' + '.join(map(str, sizes))} neurons, {place}, replicates: {self.replicates})"

    @property
    def replicates(self) -> int:
        """Networks in the cohort, R."""
        return len(self.seeds)

    @property
    def has_positions(self) -> bool:
        """Whether the neurons sit in space."""
        return self.embedding.in_space

    @property
    def learned_parameters(self) -> int:
        """Numbers that each network learns; synapses that do not exist do not count."""
        learned = [value for value in self.parameters() if value.requires_grad]
        mask = self.mask[0]
        absent = int((~mask).sum()) + self.embedding.absent(mask)
        return sum(value[0].numel() for value in learned) - absent

    @property
    def layers(self) -> Layers:
        """How the neurons are divided, and who can act on whom."""
        return self.config.layers

    def delay_scale(self) -> Tensor | float:
        """Delay per unit of space (ms), shaped to go with [R, N, N]."""
        return self.embedding.delay_scale(self._values)

    def distances(self) -> Tensor:
        """Lengths of the recurrent synapses [R, N, N] (units of space).

        Without positions they are what delays beyond the least one stand for, (d - d_min) / delay_scale.
        """
        return self.embedding.distances(self._values, self.w_rec)

    def delays(self) -> Tensor:
        """Delays of the recurrent synapses [R, N, N] (ms)."""
        return self.embedding.delays(self._values, self.w_rec)

    def input_delays(self) -> Tensor | None:
        """Delays of the inputs [R, I, M] (ms), or None if input spikes arrive at once."""
        return self.input_embedding.delays(self._values, self.delay_scale())

    def connections(self) -> Connections:
        """The networks as the kernels take them; differentiable by the parameters."""
        own = self.own_constants()
        return Connections(self.w_in, self.w_rec, self.delays(), self.mask, self.input_delays(), **own)

    def own_constants(self) -> dict[str, Tensor]:
        """What each neuron has of its own by its model, [R, N] each, by the names of `Connections`."""
        return self.neuron.constants(self._values)

    def afferents(self, layer: int) -> list[Tensor]:
        """The weights by which a layer of n neurons hears inputs and the layer before, as views [R, P, n].

        Raises ValueError if there is no such `layer`, counted from 0.
        """
        layers = self.layers
        number = whole(layer, "Cohort.afferents: `layer`", 0, len(layers.sizes) - 1)
        own = layers.members[number]
        from_inputs = [self.w_in[:, :, own]] if own.start < layers.hearing else []
        behind = [self.w_rec[:, one, own] for one in layers.members[:number][-1:] if layers.feedforward]
        return from_inputs + behind

    def project(self) -> None:
        """Bring what an update carried out of its legal range back: delays, positions, signs of weights."""
        self.embedding.project(self._values)
        self.neuron.project(self._values)
        if self.excitatory is not None:
            keep_signs(self.w_rec, self.excitatory)

    def settle(self) -> None:
        """Put what can be only one of some values, as positions on a grid, there. After every epoch."""
        self.embedding.settle(self._values)

    @property
    def _values(self) -> dict[str, Tensor]:
        """The parameters by name."""
        return dict(self.named_parameters())

    def wiring_length(self) -> Tensor:
        """Sum over the recurrent synapses of |w| times distance, a network [R]."""
        return (self.w_rec.abs() * self.distances() * self.mask).sum((1, 2))

    def sparsity(self) -> Tensor:
        """Share of the recurrent synapses that layers allow which is masked out or zero, a network [R]."""
        present = ((self.w_rec != 0) & self.mask).sum((1, 2))
        return 1 - present / max(1, int(self.layers.synapses.sum()))

    def check_data(self, data: SpikeDataset) -> None:
        """Raise TypeError for what is no data set, ValueError for one of other channels than the networks."""
        if not isinstance(data, SpikeDataset):
            raise TypeError(f"Cohort: `data`: got {show(data)}, expected a SpikeDataset")
        if data.n_channels != self.n_channels:
            raise ValueError(
                f"Cohort: `data` has {data.n_channels} channels, the networks {self.n_channels}; load the "
                "data with `n_channels` of the training set"
            )

    @uncompiled
    def forward(self, data: SpikeDataset, samples: Any, dropped: Tensor | None = None) -> Output:
        """Run network r on the samples `samples`[r] of `data`; `samples` are indices [R, B].

        Nobody hears the neurons in `dropped` [R, B, N] (bool), neither others nor the readout, and what is
        heard of a neuron counts 1 / (1 - `dropout`) times. They spike, and are counted, as ever.

        As in NumPy, a negative index counts from the end. Torch cannot compile what is compiled already:
        inside of `torch.compile` this runs as it is.

        Raises:
            ValueError: if `samples` is not [R, B] or `dropped` not [R, B, N], the data has other channels
                than the networks, or these were moved or converted to where there are no kernels.
            IndexError: if a sample is not in `data`, or its index is no whole number.
        """
        self.check_data(data)
        connections, kept = self.connections(), 1 - self.config.dropout
        if dropped is not None:
            connections = connections._replace(w_rec=connections.w_rec / kept)
        features, counts = simulate(connections, data, samples, self.config, self.threads, dropped)
        by_window = split_windows(features, self.config.readout_windows)
        if dropped is not None:
            by_window = [one.masked_fill(dropped, 0) / kept for one in by_window]
        logits = read_out([one[..., self.layers.heard] for one in by_window], self.w_out)
        whole = sum(by_window[1:], start=by_window[0])
        return Output(logits + self.b_out.unsqueeze(1), whole, counts)


def _checked_seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    try:
        found = tuple(whole(seed, "Cohort: `seeds`", 0) for seed in seeds)
    except TypeError:
        raise ValueError(f"Cohort: `seeds`: got {show(seeds)}, expected whole numbers in a list") from None
    if not found:
        raise ValueError("Cohort: `seeds`: got none, expected at least one, one a replicate")
    return found
