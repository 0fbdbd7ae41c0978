"""The plain neuron, and what a neuron model must do: the contract that every one of them keeps."""

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from model.config import LearnerConfig

APART = 0.02
"""How far apart a neuron's two time constants are kept, as the difference of their logarithms: the gain of a
potential, tau_syn / (tau_mem - tau_syn), is 50 then, and a float32 keeps five digits of what is left."""


class Lif:
    """Leaky integrate-and-fire neurons with one threshold.

    A neuron model says which numbers each neuron has beyond its synapses, and what the kernels are told of
    them. It holds none: they are parameters of the networks, under the names that `draw` gives them, and are
    handed to its methods. So a new model is a file with a subclass, and a line in `registry`.

    What all models may have are time constants of each neuron: `log_tau_mem` and `log_tau_syn` [R, N], the
    logarithms of those of its membrane and of the synapses onto it (ms, at least a step). They are there
    where `learn_time_constants` or `tau_spread` asks for them; else all share the configuration's. Source:
    Perez-Nieves et al. 2021, doi:10.1038/s41467-021-26022-3.
    """

    def __init__(self, config: LearnerConfig) -> None:
        self.config = config

    @property
    def own_taus(self) -> bool:
        """Whether each neuron has time constants of its own."""
        return self.config.learn_time_constants or self.config.tau_spread > 0

    def draw(self, neurons: int, random: np.random.Generator) -> dict[str, np.ndarray]:
        """Initial values of its parameters in one network of N `neurons`, by name, each [N].

        Time constants are log-normal about the configured ones, and all the same without a `tau_spread`.
        """
        if not self.own_taus:
            return {}
        spread = self.config.tau_spread * random.normal(size=(2, neurons))
        return {
            "log_tau_mem": math.log(self.config.tau_mem) + spread[0],
            "log_tau_syn": math.log(self.config.tau_syn) + spread[1],
        }

    def learns(self, name: str) -> bool:
        """Whether its parameter `name` is learned; one that is not stays as it was drawn."""
        return self.config.learn_time_constants

    def constants(self, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What the kernels take, by their names in `Connections`, each [R, N]; differentiable."""
        if not self.own_taus:
            return {}
        return {"tau_mem": parameters["log_tau_mem"].exp(), "tau_syn": parameters["log_tau_syn"].exp()}

    @torch.no_grad()
    def project(self, parameters: Mapping[str, Tensor]) -> None:
        """Bring what an update carried out of its legal range back there, in place, without a gradient.

        A time constant below a step becomes one. Two of a neuron that are nearer than `APART` move apart by
        equal parts, on whichever side of each other they are: the potential is the same for either order.
        """
        if not self.own_taus:
            return
        mem, syn, least = parameters["log_tau_mem"], parameters["log_tau_syn"], math.log(self.config.dt)
        mem.clamp_(min=least)
        syn.clamp_(min=least)
        side = torch.where(mem >= syn, 1.0, -1.0).to(mem.dtype)
        lacking = side * (APART - (mem - syn).abs()).clamp(min=0)
        mem += lacking / 2
        syn -= lacking / 2
        # Where one of the two has no room below, the other moves by as much more.
        for one, other in ((mem, syn), (syn, mem)):
            other += (least - one).clamp(min=0)
            one.clamp_(min=least)

    def learning_rates(self) -> dict[str, float]:
        """The optimiser's steps for its parameters, by name: time constants change by a share."""
        names = ("log_tau_mem", "log_tau_syn") if self.own_taus else ()
        return dict.fromkeys(names, self.config.neuron_learning_rate)
