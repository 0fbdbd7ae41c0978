"""The gradient of every parameter, against finite differences and PyTorch's of the naive scheme."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from naive_network import reference_features
from torch import Tensor

from model import Cohort, SpikeDataset

MakeNet = Callable[..., Cohort]
MakeData = Callable[..., SpikeDataset]
SAMPLES = np.array([[0, 1, 2], [2, 0, 0]])
STEP = 1e-5


def loss_of(net: Cohort, data: SpikeDataset) -> Tensor:
    """A loss that no symmetry makes easy: cross-entropy plus a weighted sum of features."""
    out = net(data, SAMPLES)
    weight = torch.linspace(-1, 2, out.features[0].numel(), dtype=torch.float64).view_as(out.features[0])
    labels = torch.from_numpy(data.labels[SAMPLES])
    cross = torch.nn.functional.cross_entropy(out.logits.movedim(2, 1), labels)
    loss: Tensor = cross + 10 * (weight * out.features).sum()
    return loss


def finite_differences(net: Cohort, data: SpikeDataset, parameter: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences of every entry, and where they can be trusted: two step sizes agree.

    Extrapolated to step 0 (Richardson). The loss is piecewise smooth: an entry within a step of a border
    between pieces has no derivative there, and its two differences do not agree.
    """
    flat = parameter.data.view(-1)
    found = torch.empty((2, flat.numel()), dtype=torch.float64)
    for row, step in enumerate((STEP, STEP / 2)):
        for e in range(flat.numel()):
            kept = flat[e].item()
            flat[e] = kept + step
            above = loss_of(net, data).item()
            flat[e] = kept - step
            below = loss_of(net, data).item()
            flat[e] = kept
            found[row, e] = (above - below) / (2 * step)
    scale = found[1].abs().max()
    smooth = (found[0] - found[1]).abs() <= 3e-6 * found[1].abs() + 1e-8 * scale
    return ((4 * found[1] - found[0]) / 3).view_as(parameter), smooth.view_as(parameter)


def check_gradients(net: Cohort, data: SpikeDataset) -> None:
    """Compare the gradient of everything that is learned with finite differences."""
    learned = [(name, value) for name, value in net.named_parameters() if value.requires_grad]
    names, parameters = zip(*learned, strict=True)
    grads = torch.autograd.grad(loss_of(net, data), parameters)
    for name, parameter, grad in zip(names, parameters, grads, strict=True):
        with torch.no_grad():
            expected, smooth = finite_differences(net, data, parameter)
        assert smooth.double().mean() > 0.8, name
        counts = smooth & (expected.abs() > 1e-3 * expected.abs().max())
        assert counts.any(), name
        error = ((grad - expected).abs() / expected.abs())[counts]
        assert error.max() < 1e-5, (name, error.max())
        small = smooth & ~counts
        assert ((grad - expected).abs()[small] < 1e-5 * expected.abs().max() + 1e-7).all(), name


EMBEDDINGS: list[dict[str, Any]] = [
    {"embedding": "free"},
    {"embedding": "axonal"},
    {"learn_delay_scale": True},
    {"embedding": "fixed", "learn_delay_scale": True},
    {"input_embedding": "line", "learn_input_positions": True},
    {"input_embedding": "circle", "learn_input_positions": True, "learn_delay_scale": True},
]


@pytest.mark.parametrize("dt", [0.5, 3.0])
@pytest.mark.parametrize("config", EMBEDDINGS)
def test_every_embedding_has_exact_gradients(
    lively_net: MakeNet, random_data: MakeData, config: dict[str, Any], dt: float
) -> None:
    check_gradients(lively_net(dt=dt, drive=1.0, **config), random_data())


@pytest.mark.parametrize(
    ("dt", "dimensions", "drive"),
    [*product([0.5, 1.0, 3.0], [1, 2, 3, 4], [1.0]), *product([0.5, 1.0, 3.0], [2], [6.0])],
)
def test_gradients_are_those_of_finite_differences(
    lively_net: MakeNet, random_data: MakeData, dt: float, dimensions: int, drive: float
) -> None:
    check_gradients(lively_net(dt=dt, dimensions=dimensions, drive=drive), random_data())


@pytest.mark.parametrize("dt", [0.5, 1.0, 3.0])
def test_gradients_are_those_of_the_naive_scheme(
    lively_net: MakeNet, random_data: MakeData, dt: float
) -> None:
    """Also the pseudo-derivative of counts, which finite differences cannot see."""
    net, data = lively_net(dt=dt), random_data()
    features, counts = reference_features(net, data, SAMPLES)
    weight = torch.linspace(-1, 2, features.numel(), dtype=torch.float64).view_as(features)
    learned = [net.w_in, net.w_rec, net.positions]
    expected = torch.autograd.grad((weight * (features + 0.01 * counts)).sum(), learned)
    out = net(data, SAMPLES)
    found = torch.autograd.grad((weight * (out.features + 0.01 * out.counts)).sum(), learned)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6 * other.abs().max().item())


def test_a_synapse_of_weight_zero_learns_and_a_masked_one_does_not(
    lively_net: MakeNet, random_data: MakeData
) -> None:
    net = lively_net()
    loss_of(net, random_data()).backward()
    assert net.w_rec.grad is not None
    assert (net.w_rec[:, 0, 1] == 0).all() and (net.w_rec.grad[:, 0, 1] != 0).all()
    assert (net.w_rec.grad[~net.mask] == 0).all()


def test_the_drive_reaches_spikes_without_derivative(lively_net: MakeNet, random_data: MakeData) -> None:
    """The strong drive of the tests above does cover neurons that are above threshold when a step begins."""
    net = lively_net(drive=6.0)
    out = net(random_data(), SAMPLES)
    assert out.counts.max() > 0.5 * net.config.steps


def test_coincident_neurons_have_a_zero_gradient(lively_net: MakeNet, random_data: MakeData) -> None:
    net = lively_net(hidden=5)
    with torch.no_grad():
        net.positions[:] = 0.25
    loss_of(net, random_data()).backward()
    assert net.positions.grad is not None
    assert (net.positions.grad == 0).all()


@pytest.mark.parametrize("threads", [2, 3, 9])
@pytest.mark.parametrize("samples", [3, 10])
def test_threads_change_nothing_beyond_rounding(
    lively_net: MakeNet, random_data: MakeData, threads: int, samples: int
) -> None:
    """Whether they share one chunk of pairs or many; and the same number of them changes nothing at all."""
    net, data = lively_net(), random_data(samples=samples)
    chosen = np.stack([np.arange(samples), np.arange(samples)[::-1]])

    def features_and_gradients(count: int) -> list[Tensor]:
        net.threads = count
        out = net(data, chosen)
        weight = torch.linspace(-1, 2, out.features.numel(), dtype=torch.float64).view_as(out.features)
        learned = [net.w_in, net.w_rec, net.positions]
        return [out.features.detach(), *torch.autograd.grad((weight * out.features).sum(), learned)]

    alone, shared, again = (features_and_gradients(count) for count in (1, threads, threads))
    torch.testing.assert_close(alone[0], shared[0], rtol=0, atol=0)
    for one, other, repeated in zip(alone, shared, again, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-13 * float(one.abs().max()))
        torch.testing.assert_close(other, repeated, rtol=0, atol=0)


def test_a_replicate_equals_the_network_alone(lively_net: MakeNet, random_data: MakeData) -> None:
    data = random_data()
    together, alone = lively_net(seeds=(3, 8)), lively_net(seeds=(8,))
    with torch.no_grad():
        for name, value in alone.named_parameters():
            value.copy_(together.get_parameter(name)[1:])
    out = together(data, SAMPLES)
    grads = torch.autograd.grad(out.features[1].sum(), [together.w_in, together.w_rec, together.positions])
    single = alone(data, SAMPLES[1:])
    torch.testing.assert_close(out.features[1], single.features[0], rtol=0, atol=0)
    expected = torch.autograd.grad(single.features.sum(), [alone.w_in, alone.w_rec, alone.positions])
    for one, other in zip(grads, expected, strict=True):
        torch.testing.assert_close(one[1], other[0], rtol=0, atol=0)
        assert (one[0] == 0).all()
