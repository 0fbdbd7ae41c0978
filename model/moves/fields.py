"""The move that changes fields of the configuration."""

import math
from dataclasses import fields

import torch

from model.config import LearnerConfig
from model.fields import no_such
from model.moves.breeding import bred
from model.moves.step import MoveError, Outcome, Values
from model.network.cohort import Cohort

_START = "acts on how networks are drawn, and these are drawn already"
_LEARNS = "says what the networks are made of, or which of it learns"
_SCHEME = "is what the networks' spikes are made by; networks are trained for theirs"
REFUSED: dict[str, str] = {
    "hidden": "changes by `split` and `remove`",
    "dimensions": "changes by `dimension_up` and `dimension_down`",
    **dict.fromkeys(("recurrent", "feedforward", "inputs_to", "readout_from"), _LEARNS),
    "replicates": "is how many networks there are",
    "pool_channels": "says how many inputs there are",
    **dict.fromkeys(("embedding", "input_embedding", "output_bias", "autapses", "excitatory"), _LEARNS),
    "readout_windows": _LEARNS,
    **dict.fromkeys(("learn_delay_scale", "learn_input_positions", "learn_adaptation", "neuron"), _LEARNS),
    "learn_time_constants": _LEARNS,
    **dict.fromkeys(("dt", "duration", "min_delay", "max_delay", "threshold"), _SCHEME),
    **dict.fromkeys(("tau_mem", "tau_syn", "tau_mem_out", "tau_syn_out"), _SCHEME),
    **dict.fromkeys(("drive_norm", "drive_norm_over", "drive_norm_tau"), _SCHEME),
    **dict.fromkeys(("position_range", "initial_delays", "initial_rate", "recurrent_gain"), _START),
    **dict.fromkeys(("adaptation", "tau_adaptation", "tau_spread"), _START),
    **dict.fromkeys(("w_in_mean", "w_in_sd", "w_rec_sd", "w_out_sd"), _START),
}
"""Fields of trained networks that can't be set, and why."""
SETTABLE = tuple(field.name for field in fields(LearnerConfig) if field.name not in REFUSED)
"""The fields that can: they act on training alone, but for `delay_scale`."""


def set_fields(net: Cohort, values: Values) -> Outcome:
    """Set fields of the configuration; no tensor changes but a learned delay scale.

    `delay_scale` is set without compensation: where delays are distances, all of them (beyond the least one)
    change by the factor by which it does, also where each network has learned its own.
    """
    for name in values:
        if name in REFUSED:
            raise MoveError(f"`{name}` can't be set: it {REFUSED[name]}")
        if name not in SETTABLE:
            raise MoveError(no_such("field", name, SETTABLE))
    child = bred(net, {}, **values)
    if "log_delay_scale" in net.state_dict():
        factor = child.config.delay_scale / net.config.delay_scale
        with torch.no_grad():
            child.log_delay_scale.add_(math.log(factor))
    return Outcome(child, {})
