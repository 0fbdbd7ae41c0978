"""Adam against torch's own, to the last bit."""

import subprocess
import sys

import pytest
import torch

from model.training.adam import Adam

RATES = (0.3, 1e-3, 0.05)
SHAPES = ((3, 4, 2), (5,), (2, 2))


def parameters(dtype: torch.dtype) -> list[torch.Tensor]:
    torch.manual_seed(1)
    return [torch.randn(shape, dtype=dtype).requires_grad_() for shape in SHAPES]


def gradients(step: int, dtype: torch.dtype) -> list[torch.Tensor | None]:
    """Those of a step: of very different sizes, some zero, and of the second parameter only now and then."""
    torch.manual_seed(100 + step)
    found: list[torch.Tensor | None] = [
        torch.randn(shape, dtype=dtype) * 10.0 ** (step % 7 - 3) for shape in SHAPES
    ]
    if step % 3 == 0:
        found[1] = None
    if step == 0:
        found[2] = torch.zeros(SHAPES[2], dtype=dtype)
    return found


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_its_steps_are_those_of_torch(dtype: torch.dtype) -> None:
    ours, theirs = parameters(dtype), parameters(dtype)
    adam = Adam(dict(zip(ours, RATES, strict=True)))
    groups = [{"params": [one], "lr": rate} for one, rate in zip(theirs, RATES, strict=True)]
    reference = torch.optim.Adam(groups)
    for step in range(40):
        factor = 1 - step / 50
        for mine, other, gradient in zip(ours, theirs, gradients(step, dtype), strict=True):
            mine.grad = None if gradient is None else gradient.clone()
            other.grad = gradient
        adam.step(factor)
        for group, rate in zip(reference.param_groups, RATES, strict=True):
            group["lr"] = rate * factor
        reference.step()
        for mine, other in zip(ours, theirs, strict=True):
            assert torch.equal(mine, other)
            known = reference.state.get(other, {})
            assert adam.state.get(mine, {}).keys() == known.keys()
            assert all(torch.equal(adam.state[mine][name], value) for name, value in known.items())


def test_gradients_are_forgotten() -> None:
    one = torch.zeros(2, requires_grad=True)
    one.sum().backward()
    Adam({one: 0.1}).zero_grad()
    assert one.grad is None


def test_training_loads_no_compiler_of_torch() -> None:
    """It takes a second in every worker, before its first epoch."""
    program = """
import sys
from model import LearnerConfig, SpikeDataset
from model.datasets import Splits
from model.training.trainer import Trainer

data = SpikeDataset.from_events([([1.0, 2.0], [0, 1]), ([3.0], [1])], [0, 1], 2, 2)
Trainer(LearnerConfig(hidden=3, epochs=1, duration=20.0), Splits(data, data, None), [0]).run_epoch()
print([name for name in ("torch._dynamo", "scipy.stats") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
