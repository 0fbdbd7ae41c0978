"""Gradients by central differences, of a loss that is smooth in pieces."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

STEP = 1e-5


@torch.no_grad()
def finite_differences(loss: Callable[[], Tensor], parameter: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences of `loss` by every entry of `parameter`, and where two step sizes agree on them.

    Extrapolated to step 0 (Richardson). An entry within a step of a border between two pieces has no
    derivative there: its two differences do not agree, and the result is not to be trusted.
    """
    flat = parameter.view(-1)
    found = torch.empty((2, flat.numel()), dtype=torch.float64)
    for row, step in enumerate((STEP, STEP / 2)):
        for e in range(flat.numel()):
            kept = flat[e].item()
            flat[e] = kept + step
            above = loss().item()
            flat[e] = kept - step
            below = loss().item()
            flat[e] = kept
            found[row, e] = (above - below) / (2 * step)
    scale = found[1].abs().max()
    smooth = (found[0] - found[1]).abs() <= 3e-6 * found[1].abs() + 1e-8 * scale
    return ((4 * found[1] - found[0]) / 3).view(parameter.shape), smooth.view(parameter.shape)


def check_gradients(loss: Callable[[], Tensor], parameters: Mapping[str, Tensor]) -> None:
    """Assert that the gradient of `loss` by each of `parameters` (by name) is that of finite differences."""
    grads = torch.autograd.grad(loss(), list(parameters.values()))
    for (name, parameter), grad in zip(parameters.items(), grads, strict=True):
        expected, smooth = finite_differences(loss, parameter)
        assert smooth.double().mean() > 0.8, name
        counts = smooth & (expected.abs() > 1e-3 * expected.abs().max())
        assert counts.any(), name
        wrong = (grad.cpu() - expected).abs()
        error = (wrong / expected.abs())[counts]
        assert error.max() < 1e-5, (name, error.max())
        assert (wrong[smooth & ~counts] < 1e-5 * expected.abs().max() + 1e-7).all(), name
