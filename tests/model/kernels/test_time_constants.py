"""Neurons with time constants of their own: the scheme, its exact gradient, and what is alike."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from finite_differences import check_gradients
from naive_network import reference_features
from numba import njit
from torch import Tensor

from model import Cohort, LearnerConfig, SpikeDataset
from model.kernels.cpu.compile import OPTIONS
from model.kernels.cpu.exponential import remaining
from model.kernels.simulate import simulate

MakeNet = Callable[..., Cohort]
MakeData = Callable[..., SpikeDataset]
SAMPLES = np.array([[0, 1, 2], [2, 0, 0]])
OWN: dict[str, Any] = {"learn_time_constants": True, "tau_spread": 0.25}
ADAPTIVE: dict[str, Any] = {"neuron": "adaptive_lif", "adaptation": 0.3, "tau_adaptation": 15.0}
WHERE: list[dict[str, Any]] = [
    {"embedding": "space"},
    {"embedding": "free"},
    {"embedding": "axonal"},
    {"embedding": "fixed", "learn_delay_scale": True},
    {"embedding": "shuffled"},
    {"embedding": "none"},
    {"input_embedding": "circle", "learn_input_positions": True},
    {"hidden": [3, 2], "drive": 3.0},
    {"excitatory": 0.6},
]


@pytest.fixture
def make_own(lively_net: MakeNet) -> MakeNet:
    """Neurons of which no two are alike; one has a membrane that is faster than its synapses."""

    def make(**config: Any) -> Cohort:
        net = lively_net(**(OWN | config))
        with torch.no_grad():
            net.log_tau_mem[0, 1], net.log_tau_syn[0, 1] = np.log(4.0), np.log(9.0)
        return net

    return make


def weighed(features: Tensor) -> Tensor:
    return (torch.linspace(-1, 2, features.numel(), dtype=features.dtype).view_as(features) * features).sum()


def check_learned(net: Cohort, data: SpikeDataset) -> None:
    learned = {name: value for name, value in net.named_parameters() if value.requires_grad}
    assert {"log_tau_mem", "log_tau_syn"} <= learned.keys()

    def loss() -> Tensor:
        out = net(data, SAMPLES)
        total: Tensor = 10 * weighed(out.features) + out.logits.square().mean()
        return total

    check_gradients(loss, learned)


@pytest.mark.parametrize("dt", [0.5, 3.0])
@pytest.mark.parametrize("drive", [0.5, 2.0, 8.0])
@pytest.mark.parametrize("config", [{}, ADAPTIVE, {"input_embedding": "line"}])
def test_agrees_with_the_naive_scheme(
    make_own: MakeNet, random_data: MakeData, config: dict[str, Any], dt: float, drive: float
) -> None:
    net, data = make_own(dt=dt, drive=drive, **config), random_data()
    with torch.no_grad():
        features, counts = reference_features(net, data, SAMPLES)
        out = net(data, SAMPLES)
    assert counts.sum() > 10
    torch.testing.assert_close(out.counts, counts)
    torch.testing.assert_close(out.features, features, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dt", [0.5, 3.0])
@pytest.mark.parametrize("config", WHERE)
def test_gradients_are_those_of_finite_differences(
    make_own: MakeNet, random_data: MakeData, config: dict[str, Any], dt: float
) -> None:
    check_learned(make_own(**({"dt": dt, "drive": 1.0} | config)), random_data())


@pytest.mark.parametrize("config", [{"drive": 6.0}, {"drive": 1.0, **ADAPTIVE}])
def test_so_are_those_of_adaptive_neurons_and_of_such_that_fire_in_every_step(
    make_own: MakeNet, random_data: MakeData, config: dict[str, Any]
) -> None:
    check_learned(make_own(**config), random_data())


def test_gradients_are_those_of_the_naive_scheme(make_own: MakeNet, random_data: MakeData) -> None:
    """Also the pseudo-derivative of counts, which finite differences cannot see."""
    net, data = make_own(), random_data()
    learned = [value for name, value in net.named_parameters() if value.requires_grad and "out" not in name]
    found = []
    out = net(data, SAMPLES)
    for features, counts in (reference_features(net, data, SAMPLES), (out.features, out.counts)):
        found.append(torch.autograd.grad(weighed(features + 0.01 * counts), learned))
    for expected, one in zip(*found, strict=True):
        torch.testing.assert_close(one, expected, rtol=1e-5, atol=1e-6 * expected.abs().max().item())


@pytest.mark.parametrize("config", [{}, {"input_embedding": "line"}])
def test_neurons_that_are_alike_are_those_that_share(
    lively_net: MakeNet, random_data: MakeData, config: dict[str, Any]
) -> None:
    """The same networks to rounding, though every exponential is another."""
    found = []
    for own in ({}, {"learn_time_constants": True}):
        net = lively_net(**own, **config)
        out = net(random_data(), SAMPLES)
        found.append([out.features, *torch.autograd.grad(weighed(out.features), [net.w_in, net.positions])])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


def test_float32_agrees_with_float64(random_data: MakeData) -> None:
    config = LearnerConfig(hidden=5, duration=42.0, delay_scale=6.0, **OWN)
    found = []
    for dtype in (torch.float32, torch.float64):
        net = Cohort(config, 4, 3, [5], dtype=dtype)
        with torch.no_grad():
            net.w_in.mul_(6)
        out = net(random_data(), [[0, 1]])
        grads = torch.autograd.grad(weighed(out.features), [net.log_tau_mem, net.log_tau_syn])
        found.append([out.features, *grads])
    assert out.counts.sum() > 5
    for low, high in zip(*found, strict=True):
        torch.testing.assert_close(low.double(), high, rtol=1e-3, atol=1e-4 * high.abs().max().item())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_exponential_is_exact_to_rounding(dtype: Any) -> None:
    kernel: Any = remaining

    def of_each(x: Any) -> Any:
        found = np.empty_like(x)
        for i in range(x.shape[0]):
            found[i] = kernel(x[i])
        return found

    of_all = njit(**OPTIONS | {"cache": False})(of_each)
    x = np.linspace(-1, 0, 10_001).astype(dtype)
    expected = np.exp(x.astype(np.longdouble))
    off = np.abs(of_all(x) - expected) / expected
    assert off.max() < 1.5 * np.finfo(dtype).eps
    assert np.isnan(of_all(np.array([np.nan], dtype))).all()


def test_time_constants_that_do_not_fit_are_refused(make_own: MakeNet, random_data: MakeData) -> None:
    net, data = make_own(), random_data()
    whole = net.connections()
    tau = torch.full((2, net.config.neurons), 0.5, dtype=torch.float64)
    for changed, fault in (
        ({"tau_mem": None}, "`tau_mem` and `tau_syn` go together"),
        ({"tau_syn": tau}, "`tau_syn`: got 0.5, expected at least `dt` = 1"),
        ({"tau_syn": whole.tau_mem}, "are the same for a neuron"),
        ({"tau_mem": tau[:1]}, r"`tau_mem`: got \[1, "),
    ):
        with pytest.raises(ValueError, match=fault):
            simulate(whole._replace(**changed), data, SAMPLES, net.config)
