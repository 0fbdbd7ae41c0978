"""What a network is and how it learns: one frozen dataclass, the keys of `learner:` in a sweep file."""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.dataclasses import dataclass

from model.consistency import inconsistency
from model.fields import (
    STRICT,
    Count,
    NotNegative,
    Positive,
    Real,
    RealOnly,
    Share,
    Text,
    WholeOnly,
    Words,
    faults_in_words,
)
from model.layers import LEGAL, Layers, sizes_of
from model.refusals import later_than_its_step, no_autapses, whole_steps

Embedding = Literal["space", "free", "axonal", "fixed", "shuffled", "none"]
EMBEDDINGS: tuple[Embedding, ...] = get_args(Embedding)
InputEmbedding = Literal["none", "line", "circle"]
INPUT_EMBEDDINGS: tuple[InputEmbedding, ...] = get_args(InputEmbedding)
NeuronModel = Literal["lif", "adaptive_lif"]
NEURONS: tuple[NeuronModel, ...] = get_args(NeuronModel)
_Sizes = Annotated[tuple[Count, ...], Field(min_length=1)]
Hidden = Annotated[Count | _Sizes, BeforeValidator(sizes_of), Words(LEGAL)]
NO_VALIDATION = (
    "needs validation samples, and there are none; set `patience_on` to train_accuracy, or `data.validation` "
    "above 0"
)
"""What is wrong with the field that `needs_validation` names, where there are none."""


@faults_in_words
@dataclass(frozen=True, config=STRICT)
class LearnerConfig:
    """A network of LIF neurons in space and its training. Times in ms, lengths in units of space.

    Raises ValueError, naming each field and its legal range, if a value is not legal.
    """

    hidden: Hidden = 128
    """Hidden neurons, N; of several layers a list of their sizes, the first layer first."""
    dimensions: Count = 2
    """Dimensions of space, D."""
    embedding: Embedding = "space"
    """Where delays come from: `space` (learned positions), `free` (every delay is learned by itself),
    `axonal` (one learned delay a presynaptic neuron), `fixed` (positions drawn and kept), `shuffled` (the
    delays of `fixed`, dealt out at random to the synapses: there is no geometry), `none` (every delay is the
    least one)."""
    delay_scale: Positive = 30.0
    """Delay per unit of space (ms), the inverse of the conduction velocity."""
    position_range: Positive | None = None
    """Positions are drawn from -position_range to position_range along each axis; None: from a cube in which
    the mean distance is 1."""
    initial_delays: Literal["spatial", "least"] = "spatial"
    """Which delays `free` and `axonal` begin with: those of neurons in space, or all the least one."""
    learn_delay_scale: bool = False
    """Whether a network learns its delay scale, from `delay_scale` on."""
    pool_channels: Count = 1
    """So many neighbouring input channels share their weights, as if they were one."""
    input_embedding: InputEmbedding = "none"
    """Where input channels sit: `none` (nowhere, their spikes arrive at once), or in order on a `line` or a
    `circle`, and the delay of an input is its distance, too."""
    learn_input_positions: bool = False
    """Whether the positions of input channels are learned."""
    space_shape: Literal["box", "ball"] | None = None
    """What positions are kept within: a `box` or a `ball` about the origin; None: nothing."""
    space_size: Positive | None = None
    """Half the side of the box, or the radius of the ball (units of space)."""
    least_distance: Positive | None = None
    """Neurons that are nearer to each other (units of space) are pushed apart; None: they may coincide."""
    position_grid: Positive | None = None
    """Positions are rounded to multiples of it (units of space) after every epoch; None: they are not."""
    max_delay: Positive | None = None
    """Greatest delay of recurrent synapses (ms). Where delays are distances, neurons are kept within a ball
    whose diameter is that long; None: there is none."""
    excitatory: Share | None = None
    """Share of the neurons of each layer, the first ones, whose recurrent weights are never below 0; those of
    the others are never above (Dale's law). None: weights have any sign."""
    start: Text | None = None
    """A file with the recurrent network that training begins with: a .npz with `delays`, or the .json of a
    circuit in SONATA; None: it is drawn."""
    min_delay: Annotated[Positive, BeforeValidator(later_than_its_step)] | None = None
    """Least delay (ms), at least one step; None: one step."""
    autapses: Annotated[bool, AfterValidator(no_autapses)] = False
    """Whether neurons may act on themselves; there are no such synapses."""
    recurrent: bool = True
    """Whether the neurons of a layer act on each other."""
    feedforward: bool = True
    """Whether each layer acts on the next one."""
    inputs_to: Literal["first", "all"] = "first"
    """Which layers inputs act on: the `first`, or `all`."""
    readout_from: Literal["last", "all"] = "last"
    """Which layers the readout hears: the `last`, or `all`."""
    dt: Positive = 1.0
    """Time step (ms)."""
    duration: Positive | None = None
    """Length of a sample (ms); None: the trainer takes the latest spike of the training set, rounded up
    to whole steps. Later spikes are dropped and counted."""
    tau_mem: Positive = 20.0
    """Membrane time constant (ms)."""
    tau_syn: Positive = 5.0
    """Synaptic time constant (ms)."""
    tau_mem_out: Positive | None = None
    """Membrane time constant of the readout (ms); None: that of the hidden layer."""
    tau_syn_out: Positive | None = None
    """Synaptic time constant of the readout (ms); None: that of the hidden layer."""
    learn_time_constants: bool = False
    """Whether each neuron learns its own `tau_mem` and `tau_syn`, from there on; at least one step each."""
    tau_spread: Annotated[float, Field(ge=0, le=2), RealOnly] = 0.0
    """Standard deviation of the logarithms of the neurons' own `tau_mem` and `tau_syn` at the start, about
    those given; above 0 each neuron has its own, learned or not."""
    threshold: Positive = 1.0
    """Firing threshold of the membrane."""
    neuron: NeuronModel = "lif"
    """The neuron model: `lif` (one threshold), or `adaptive_lif` (each spike raises its neuron's threshold by
    `adaptation`, and with `tau_adaptation` it comes back)."""
    adaptation: NotNegative = 0.2
    """How far a spike raises the threshold of an adaptive neuron at the start, in units of the potential."""
    tau_adaptation: Positive = 200.0
    """Time constant of adaptation at the start (ms), at least one step."""
    learn_adaptation: bool = True
    """Whether each adaptive neuron learns its `adaptation` and `tau_adaptation`."""
    initial_rate: Positive = 4.0
    """Mean spikes per neuron and sample that the input weights are scaled to at the start."""
    recurrent_gain: NotNegative = 0.2
    """Standard deviation of the initial recurrent weights, times the square root of their layer's neurons."""
    w_in_mean: Real | None = None
    """Mean of the initial input weights, with `w_in_sd`; None: what gives `initial_rate`."""
    w_in_sd: NotNegative | None = None
    """Standard deviation of the initial input weights, which then are not scaled to `initial_rate`."""
    w_rec_sd: NotNegative | None = None
    """Standard deviation of the initial recurrent weights; None: what `recurrent_gain` says."""
    w_out_sd: NotNegative | None = None
    """Standard deviation of the initial weights of the readout; None: what gives logits of unit variance."""
    drive_norm: Share = 0.0
    """How far the drive is normalised: an input spike acts (1 + c)^-drive_norm times as strongly where c
    spikes were there just before it. So 0 is not at all, and at 1 the drive hardly grows with the input."""
    drive_norm_over: Literal["input", "all"] = "input"
    """Whose spikes count for that: those of the spike's own `input`, or of `all` inputs, as a mean."""
    drive_norm_tau: Positive = 50.0
    """Time constant with which spikes stop to count for it (ms)."""
    readout_windows: Count = 1
    """The readout hears each neuron in so many windows of time of equal length, W, with weights for each."""
    output_bias: bool = True
    """Whether the readout learns a bias a class."""
    batch_size: Count = 32
    """Samples per update."""
    epochs: Count = 20
    """Passes over the training set."""
    replicates: Count = 1
    """Networks trained side by side, each with its own seed, R."""
    learning_rate: Positive = 0.1
    """Adam's step for weights: how far one can move a potential, in thresholds (see `make_optimizer`)."""
    position_learning_rate: NotNegative = 1e-2
    """Adam's step for positions (units of space)."""
    w_in_learning_rate: NotNegative | None = None
    """Adam's step for input weights as such; None: by `learning_rate`."""
    w_rec_learning_rate: NotNegative | None = None
    """Adam's step for recurrent weights as such; None: by `learning_rate`."""
    w_out_learning_rate: NotNegative | None = None
    """Adam's step for the weights of the readout as such; None: by `learning_rate`."""
    delay_learning_rate: NotNegative | None = None
    """Adam's step for the delays of `free` and `axonal` (ms); None: by `position_learning_rate`."""
    neuron_learning_rate: NotNegative = 1e-2
    """Adam's step for what neurons learn of their own: in thresholds, or as a share of a time constant."""
    schedule: Literal["constant", "cosine"] = "cosine"
    """How the learning rates go over the epochs: constant, or along half a cosine down to zero."""
    augment_shift: Annotated[float, Field(ge=0, le=1e9), RealOnly] = 0.0
    """Training samples are shifted by up to so many channels, at random."""
    augment_warp: Annotated[float, Field(ge=0, le=1e9), RealOnly] = 0.0
    """The first, middle and last channel of training samples are moved by up to so many channels, each
    by itself at random, and those between accordingly."""
    augment_blend: Share = 0.0
    """Probability that a training sample is blended with another of its class."""
    augment_blend_adds: bool = False
    """Whether blends are added to the training samples of an epoch, `augment_blend` times as many as there
    are samples, which stay as they are; else they take the place of samples."""
    augment_stretch: Share = 0.0
    """Training samples are stretched in time by up to this share, at random."""
    augment_jitter: Annotated[float, Field(ge=0, le=1e6), RealOnly] = 0.0
    """Standard deviation of a random shift of each training spike (ms)."""
    augment_drop: Share = 0.0
    """Share of training spikes that are left out, at random."""
    dropout: Annotated[float, Field(ge=0, lt=1), RealOnly] = 0.0
    """Probability that nobody hears a neuron throughout a training sample, neither others nor the readout."""
    label_smoothing: Annotated[float, Field(ge=0, lt=1), RealOnly] = 0.0
    """Share of a training sample's label that is spread over all classes alike."""
    wiring_cost: NotNegative = 0.0
    """Strength lambda of the wiring cost, lambda sum |w_ij| ||x_i - x_j||^p. On weights it is in units of
    Adam's step: at 1, a synapse of length 1 loses as much a step as Adam can give it."""
    wiring_power: Annotated[Literal[0, 1, 2], WholeOnly] = 2
    """Power p of the distance in the wiring cost; 0 is plain L1."""
    cost_step: Literal["proximal", "gradient"] = "proximal"
    """How the wiring cost acts on weights: `proximal` (a step of its own after Adam's, to true zeros), or
    `gradient` (added to the loss, and so to the gradient that Adam sees: weights hover about zero). By
    gradient it is in units of the loss."""
    cost_on: Literal["weights", "positions", "both"] = "weights"
    """What the wiring cost acts on: `weights` (as `cost_step` says), `positions` (by gradient; the cloud then
    tends to shrink as a whole), or `both`."""
    relative_cost: bool = False
    """Whether the wiring cost takes distances relative to their mean, which shrinking cannot escape."""
    prune_zeros: bool = False
    """Whether synapses that were zero for a whole epoch are taken out for good."""
    rate_cost: NotNegative = 0.0
    """Strength of the cost of firing rates, rate_cost mean_j (rate_j / target_rate - 1)^2."""
    target_rate: Positive = 10.0
    """Rate that the cost draws every neuron to (spikes per sample)."""
    revival: NotNegative = 0.0
    """What is added to the input weights of a neuron that was silent for a whole epoch, in units of the mean
    size of its network's input weights."""
    gradient_clip: Positive | None = None
    """Largest norm of a network's gradient; None: it is not clipped."""
    patience: Count | None = None
    """Training ends early when `patience_on` has not improved for so many epochs; None: never."""
    patience_on: Literal["validation_loss", "train_accuracy"] = "validation_loss"
    """What tells which epoch is the best: the loss on validation samples, or the accuracy in the epoch's
    training, as each batch was seen."""
    keep: Literal["last", "best"] = "last"
    """Which networks are the trained ones: those of the `last` epoch, and patience looks at the mean over
    replicates; or those of the `best`, each replicate by itself, as if it had been trained alone."""

    def __post_init__(self) -> None:
        if fault := inconsistency(self):
            raise ValueError(f"LearnerConfig: {fault}")

    @property
    def layers(self) -> Layers:
        """How the hidden neurons are divided, and who can act on whom."""
        sizes = self.hidden if isinstance(self.hidden, tuple) else (self.hidden,)
        everywhere = self.inputs_to == "all", self.readout_from == "all"
        return Layers(sizes, self.recurrent, self.feedforward, *everywhere)

    @property
    def neurons(self) -> int:
        """Hidden neurons in all layers, N."""
        return sum(self.hidden) if isinstance(self.hidden, tuple) else self.hidden

    @property
    def needs_validation(self) -> str | None:
        """The field that needs validation samples to train by, or None."""
        if self.patience_on == "train_accuracy":
            return None
        return "patience" if self.patience is not None else "keep" if self.keep == "best" else None

    @property
    def delay_floor(self) -> float:
        """The least delay (ms)."""
        return self.dt if self.min_delay is None else self.min_delay

    @property
    def readout_taus(self) -> tuple[float, float]:
        """Membrane and synaptic time constants of the readout (ms)."""
        return (
            self.tau_mem if self.tau_mem_out is None else self.tau_mem_out,
            self.tau_syn if self.tau_syn_out is None else self.tau_syn_out,
        )

    @property
    def steps(self) -> int:
        """Steps in a sample; `duration` must be set and a whole number of steps."""
        return whole_steps(self.duration, self.dt)
