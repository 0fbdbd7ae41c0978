"""What is wrong between fields of a learner's configuration, each of which is legal by itself.

The functions here take a LearnerConfig, whose module stands above this one, and return a fault in words, or
None.
"""

from typing import Any

from model.limits import crowding_fault, limits_fault, signs_fault
from model.refusals import taus_fault


def inconsistency(config: Any) -> str | None:
    """The first fault there is."""
    checks = (
        *(times_fault, layers_fault, space_fault, limits_fault, crowding_fault, signs_fault),
        *(start_fault, cost_fault),
    )
    return next((fault for check in checks if (fault := check(config))), None)


def times_fault(config: Any) -> str | None:
    """Times that a step, or another time, does not allow."""
    if config.min_delay is not None and config.min_delay < config.dt:
        return (
            f"`min_delay`: got {config.min_delay:g}, expected at least `dt` = {config.dt:g}, so that no "
            "spike arrives within the step that sent it"
        )
    if config.neuron == "adaptive_lif" and config.tau_adaptation < config.dt:
        return (
            f"`tau_adaptation`: got {config.tau_adaptation:g}, expected at least `dt` = {config.dt:g}; what "
            "is over within a step adapts nothing"
        )
    own_taus = config.learn_time_constants or config.tau_spread > 0
    if own_taus and min(config.tau_mem, config.tau_syn) < config.dt:
        field = "learn_time_constants" if config.learn_time_constants else "tau_spread"
        return (
            f"`{field}` needs `tau_mem` and `tau_syn` of at least `dt` = {config.dt:g}, got "
            f"{config.tau_mem:g} and {config.tau_syn:g}; take a shorter step, or longer time constants"
        )
    if config.duration is not None and config.readout_windows > config.duration / config.dt:
        return (
            f"`readout_windows`: got {config.readout_windows}, expected at most the steps of a sample, "
            f"{config.duration / config.dt:g}"
        )
    hidden = taus_fault(config.tau_mem, config.tau_syn, config.dt, "`tau_mem` and `tau_syn`")
    tau_mem, tau_syn = config.readout_taus
    return hidden or taus_fault(tau_mem, tau_syn, config.dt, "`tau_mem_out` and `tau_syn_out`")


def layers_fault(config: Any) -> str | None:
    """Layers that nothing reaches, or that nothing hears."""
    try:
        _ = config.layers
    except ValueError as error:
        return str(error)
    return None


def space_fault(config: Any) -> str | None:
    """What needs neurons in space where there are none."""
    spatial = config.embedding in ("space", "fixed")
    if config.input_embedding != "none" and not spatial:
        return (
            f"`input_embedding`: {config.input_embedding} needs neurons in space; set `embedding` to space "
            "or fixed"
        )
    if config.input_embedding == "circle" and config.dimensions < 2:
        return "`input_embedding`: a circle needs at least 2 `dimensions`"
    if config.learn_delay_scale and not spatial:
        return "`learn_delay_scale` needs neurons in space; set `embedding` to space or fixed"
    if config.cost_on != "weights" and config.embedding != "space":
        return f"`cost_on`: {config.cost_on} needs positions that are learned; set `embedding` to space"
    return None


def start_fault(config: Any) -> str | None:
    """Fields of the start and of the data that say two things, or one that has no effect."""
    if (config.w_in_mean is None) != (config.w_in_sd is None):
        missing, there = ("w_in_sd", "w_in_mean") if config.w_in_sd is None else ("w_in_mean", "w_in_sd")
        return f"`{missing}` is missing beside `{there}`; give both or neither"
    if config.w_rec_sd is not None and config.recurrent_gain != type(config).recurrent_gain:
        return "`w_rec_sd` and `recurrent_gain` both say one thing; keep one"
    if config.augment_blend_adds and config.augment_blend == 0:
        return "`augment_blend_adds` has nothing to add; set `augment_blend` above 0"
    return None


def cost_fault(config: Any) -> str | None:
    """Ways for the wiring cost to act that exclude each other."""
    if config.cost_step == "gradient" and config.cost_on == "positions":
        return (
            "`cost_step` is how the cost acts on weights, and `cost_on` is positions; leave it out, or set "
            "`cost_on` to weights or both"
        )
    if config.cost_step == "gradient" and config.prune_zeros:
        return "`prune_zeros` needs true zeros, which `cost_step`: gradient never makes; set it to proximal"
    return None
