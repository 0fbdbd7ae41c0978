"""The optimiser of a cohort: Adam with steps relative to the weights at the start, schedule and clipping."""

import math

import torch
from torch import Tensor

from model.cohort import RECURRENT_UNIT, Cohort, readout_scale

MEAN_DECAY, SQUARE_DECAY, EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """Adam, with a step of its own for every kind of parameter of every network.

    Its steps do not know the size of what they change, so `learning_rate` is in units of the weights at the
    start: a step that suits 5 inputs would silence a network of 700, whose weights are a hundred times smaller.
    PyTorch's own Adam takes one step size for a whole tensor, and networks of a cohort differ.

    Source: Kingma, Ba, "Adam: a method for stochastic optimization", ICLR 2015, arXiv 1412.6980.
    """

    def __init__(self, net: Cohort) -> None:
        """Begin to train what `net` learns; its input weights are as they are to start."""
        self.parameters = {name: value for name, value in net.named_parameters() if value.requires_grad}
        self.rates = {name: _rate(net, name, value) for name, value in self.parameters.items()}
        self.updates = 0
        self.means = {name: torch.zeros_like(value) for name, value in self.parameters.items()}
        self.squares = {name: torch.zeros_like(value) for name, value in self.parameters.items()}

    @torch.no_grad()
    def step(self, factor: float) -> None:
        """Update every parameter by its gradient, with `factor` times its rate, and forget the gradients."""
        self.updates += 1
        correction = 1 - MEAN_DECAY**self.updates
        root = math.sqrt(1 - SQUARE_DECAY**self.updates)
        for name, value in self.parameters.items():
            mean, square, gradient = self.means[name], self.squares[name], value.grad
            value.grad = None
            if gradient is None:
                continue
            mean.lerp_(gradient, 1 - MEAN_DECAY)
            square.mul_(SQUARE_DECAY).addcmul_(gradient, gradient, value=1 - SQUARE_DECAY)
            value.sub_(self.rates[name] * (factor / correction) * mean / (square.sqrt() / root + EPSILON))

    def state(self) -> dict[str, Tensor]:
        """The moments, by kind and parameter, and how many updates they saw."""
        means = {f"mean.{name}": value for name, value in self.means.items()}
        squares = {f"square.{name}": value for name, value in self.squares.items()}
        return means | squares | {"updates": torch.tensor(self.updates)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on from `state`; KeyError if it is that of other parameters."""
        self.updates = int(state["updates"])
        self.means = {name: state[f"mean.{name}"].clone() for name in self.parameters}
        self.squares = {name: state[f"square.{name}"].clone() for name in self.parameters}


def _rate(net: Cohort, name: str, value: Tensor) -> Tensor:
    """Adam's step for a parameter [R, 1, ...]."""
    config = net.config
    weights = {
        "w_in": net.input_size,
        "w_rec": RECURRENT_UNIT / math.sqrt(config.hidden),
        "w_out": readout_scale(config) / math.sqrt(config.hidden),
        "b_out": 1.0,
    }
    lengths = {"free_delays": config.delay_scale, "axonal_delays": config.delay_scale}
    if name in weights:
        rate = config.learning_rate * weights[name]
    else:
        rate = config.position_learning_rate * lengths.get(name, 1.0)
    shape = (net.replicates, *[1] * (value.dim() - 1))
    return torch.as_tensor(rate, dtype=value.dtype).expand(net.replicates).reshape(shape)


def rate_factor(net: Cohort, epochs: float) -> float:
    """What the learning rates are multiplied by after `epochs` epochs, whole and in part."""
    if net.config.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * epochs / net.config.epochs))


@torch.no_grad()
def clip_gradients(net: Cohort) -> None:
    """Scale each network's gradient down to norm `gradient_clip`, whatever the others' are."""
    limit = net.config.gradient_clip
    if limit is None:
        return
    grads = [value.grad for value in net.parameters() if value.grad is not None]
    norms = torch.stack([grad.flatten(1).norm(dim=1) for grad in map(_with_columns, grads)]).norm(dim=0)
    factors = (limit / norms.clamp(min=torch.finfo(norms.dtype).tiny)).clamp(max=1)
    for grad in grads:
        grad *= factors.view(-1, *[1] * (grad.dim() - 1))


def _with_columns(grad: Tensor) -> Tensor:
    return grad if grad.dim() > 1 else grad[:, None]
