"""Adam, with a learning rate of its own for each parameter."""

from collections.abc import Mapping

import torch
from torch import Tensor

FIRST_DECAY, SECOND_DECAY, LEAST = 0.9, 0.999, 1e-8
"""How much of the two moments stays at a step, and what is added to the second's root, as its authors say."""


class Adam:
    """Adam (Kingma and Ba 2015, arXiv:1412.6980).

    Its steps are those of `torch.optim.Adam` to the last bit. That one loads torch's compiler as soon as it
    is made, which costs each worker a second before its first epoch and 70 MB from then on.

    Attributes:
        rates: the learning rate of each parameter that is learned.
        state: of each parameter that has had a gradient, its number of steps (`step`) and the moments
            (`exp_avg` and `exp_avg_sq`, of its shape).
    """

    def __init__(self, rates: Mapping[Tensor, float]) -> None:
        self.rates = dict(rates)
        self.state: dict[Tensor, dict[str, Tensor]] = {}

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.rates:
            parameter.grad = None

    @torch.no_grad()
    def step(self, factor: float = 1.0) -> None:
        """Go a step down the gradients, with all rates times `factor`; without a gradient nothing moves."""
        for parameter, rate in self.rates.items():
            if parameter.grad is None:
                continue
            if parameter not in self.state:
                self.state[parameter] = {
                    "step": torch.tensor(0.0),
                    "exp_avg": torch.zeros_like(parameter),
                    "exp_avg_sq": torch.zeros_like(parameter),
                }
            state, gradient = self.state[parameter], parameter.grad
            state["step"] += 1
            step = state["step"].item()
            mean = state["exp_avg"].lerp_(gradient, 1 - FIRST_DECAY)
            square = state["exp_avg_sq"].mul_(SECOND_DECAY)
            square.addcmul_(gradient, gradient, value=1 - SECOND_DECAY)
            root = (square.sqrt() / (1 - SECOND_DECAY**step) ** 0.5).add_(LEAST)
            parameter.addcdiv_(mean, root, value=-rate * factor / (1 - FIRST_DECAY**step))
