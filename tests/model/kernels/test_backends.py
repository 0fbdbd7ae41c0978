"""What every backend must do, asked of each: the scheme, its exact gradient, and when neurons spike."""

from collections.abc import Callable
from copy import deepcopy
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from finite_differences import check_gradients
from naive_network import readout_by_quadrature, reference_features
from torch import Tensor

from model import Cohort, LearnerConfig, SpikeDataset
from model.kernels.simulate import BACKENDS, backend_for, record

MakeNet = Callable[..., Cohort]
MakeData = Callable[..., SpikeDataset]
SAMPLES = np.array([[0, 1, 2], [2, 0, 0]])
LEARNED: list[dict[str, Any]] = [
    {"embedding": "free"},
    {"embedding": "axonal"},
    {"learn_delay_scale": True},
    {"embedding": "fixed", "learn_delay_scale": True},
    {"input_embedding": "line", "learn_input_positions": True},
    {"input_embedding": "circle", "learn_input_positions": True, "learn_delay_scale": True},
]
ADAPTIVE: dict[str, Any] = {"neuron": "adaptive_lif", "adaptation": 0.3, "tau_adaptation": 15.0}
DELAYS: list[dict[str, Any]] = [{"embedding": "fixed"}, {"embedding": "none"}, *LEARNED]


@pytest.fixture(params=list(BACKENDS))
def device(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture
def make_net(lively_net: MakeNet, device: str) -> MakeNet:
    """As `lively_net`, on the backend's device."""
    return lambda *arguments, **config: lively_net(*arguments, **config).to(device)


@pytest.fixture
def make_adaptive(make_net: MakeNet) -> MakeNet:
    """Adaptive neurons, no two alike; one does not adapt, and one lowers its threshold."""

    def make(*arguments: Any, **config: Any) -> Cohort:
        net = make_net(*arguments, **(ADAPTIVE | config))
        spread = torch.linspace(0.5, 2, net.adaptation.numel(), dtype=torch.float64).view_as(net.adaptation)
        with torch.no_grad():
            net.adaptation.mul_(spread)
            net.adaptation[0, 1], net.adaptation[0, 2] = 0.0, -0.05
            net.log_tau_adaptation.add_(spread.flip(1) - 1)
        return net

    return make


def naive(net: Cohort, data: SpikeDataset, samples: Any) -> tuple[Tensor, Tensor]:
    """Features and counts by the naive scheme, without gradients."""
    with torch.no_grad():
        return reference_features(deepcopy(net).cpu(), data, samples)


def assert_agrees_with_naive(net: Cohort, data: SpikeDataset, samples: Any) -> Tensor:
    """Returns the counts."""
    with torch.no_grad():
        out = net(data, samples)
    features, counts = naive(net, data, samples)
    torch.testing.assert_close(out.counts.cpu(), counts)
    torch.testing.assert_close(out.features.cpu(), features, rtol=1e-9, atol=1e-12)
    logits = features[..., net.layers.heard] @ net.w_out.detach().cpu() + net.b_out.detach().cpu()[:, None]
    torch.testing.assert_close(out.logits.cpu(), logits, rtol=1e-9, atol=1e-9)
    return counts


def loss_of(net: Cohort, data: SpikeDataset) -> Tensor:
    """A loss that no symmetry makes easy: cross-entropy plus a weighted sum of features."""
    out = net(data, SAMPLES)
    labels = torch.from_numpy(data.labels[SAMPLES]).to(out.logits.device)
    cross = torch.nn.functional.cross_entropy(out.logits.movedim(2, 1), labels)
    loss: Tensor = cross + 10 * (weights_like(out.features[0]) * out.features).sum()
    return loss


def weights_like(features: Tensor) -> Tensor:
    weights = torch.linspace(-1, 2, features.numel(), dtype=torch.float64, device=features.device)
    return weights.view_as(features)


def check_learned(net: Cohort, data: SpikeDataset) -> None:
    learned = {name: value for name, value in net.named_parameters() if value.requires_grad}
    check_gradients(lambda: loss_of(net, data), learned)


@pytest.mark.parametrize("dt", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("drive", [0.5, 2.0, 8.0])
def test_agrees_with_the_naive_scheme(
    make_net: MakeNet, random_data: MakeData, dt: float, drive: float
) -> None:
    net = make_net(dt=dt, drive=drive)
    counts = assert_agrees_with_naive(net, random_data(), SAMPLES)
    assert counts.sum() > 10
    if drive == 8.0:  # neurons fire in consecutive steps
        assert counts.max() > 0.6 * net.config.steps


@pytest.mark.parametrize("config", DELAYS)
def test_embeddings_share_the_scheme(
    make_net: MakeNet, random_data: MakeData, config: dict[str, Any]
) -> None:
    assert assert_agrees_with_naive(make_net(**config), random_data(), SAMPLES).sum() > 10


@pytest.mark.parametrize("hidden", [1, 15, 16, 17, 33])
@pytest.mark.parametrize("config", [{}, {"input_embedding": "line"}])
def test_any_number_of_neurons(
    device: str, random_data: MakeData, hidden: int, config: dict[str, Any]
) -> None:
    """Also those that do not fill the registers."""
    learner = LearnerConfig(hidden=hidden, duration=40.0, **config)
    net = Cohort(learner, 4, 3, [0], dtype=torch.float64, device=device)
    with torch.no_grad():
        net.w_in.abs_().mul_(8)
        net.w_rec.mul_(3)
    assert assert_agrees_with_naive(net, random_data(), [[0]]).sum() >= hidden


def test_a_single_synapse_gives_the_potential_of_its_closed_form(device: str) -> None:
    """One input spike, one neuron: it first crosses threshold where the exact potential does."""
    config = LearnerConfig(hidden=1, duration=50.0, dt=0.01, embedding="none")
    net = Cohort(config, 1, 2, [0], dtype=torch.float64, device=device)
    with torch.no_grad():
        net.w_in.fill_(7.5)
    data = SpikeDataset.from_events([([3.14], [0])], [0], 1, 2)
    # V(u) = g w (exp(-u/20) - exp(-u/5)) = 1 with g w = 2.5: with y = exp(-u/20), y - y^4 = 0.4.
    roots = np.roots([-1, 0, 0, 1, -0.4])
    first = max(y.real for y in roots if abs(y.imag) < 1e-12 and 0 < y.real < 1)
    expected = readout_by_quadrature(3.14 - 20 * np.log(first), config)
    assert net(data, [[0]]).counts.item() == 1
    assert net(data, [[0]]).features.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("gap", [5.0, 40.0, 300.0])
def test_a_sample_is_not_over_before_its_last_spike(device: str, gap: float) -> None:
    """A pause after which nothing is pending ends no sample: a later input, a long delay, a slow rise."""
    config = LearnerConfig(hidden=2, embedding="free", duration=800.0, tau_mem=200.0, tau_syn=100.0)
    net = Cohort(config, 1, 2, [0], dtype=torch.float64, device=device)
    with torch.no_grad():
        net.free_delays.fill_(gap)
        net.w_in.copy_(torch.tensor([[[4.5, 0.0]]]))
        net.w_rec.fill_(4.5)
    data = SpikeDataset.from_events([([3.0, 3.0 + gap], [0, 0])], [0], 1, 2)
    assert (assert_agrees_with_naive(net, data, [[0]]) > 0).all()


def test_spikes_outside_the_sample_are_left_out(make_net: MakeNet, random_data: MakeData) -> None:
    net, data = make_net(duration=20.0), random_data()
    spikes = [(data.times[i], data.channels[i]) for i in range(len(data))]
    kept = [(t[t < 20.0], c[t < 20.0]) for t, c in spikes]
    cut = SpikeDataset.from_events(kept, data.labels, 4, 3)
    assert sum(len(t) for t, _ in kept) < data.times.flat.size
    torch.testing.assert_close(net(data, SAMPLES).features, net(cut, SAMPLES).features, rtol=0, atol=0)


def test_far_neurons_have_no_effect_and_need_no_memory(make_net: MakeNet, random_data: MakeData) -> None:
    net, data = make_net(), random_data()
    with torch.no_grad():
        net.positions[:, 4] = 1e12
    far = net(data, SAMPLES).features
    with torch.no_grad():
        net.mask[:, 4] = net.mask[:, :, 4] = False
    torch.testing.assert_close(far, net(data, SAMPLES).features, rtol=0, atol=0)


def test_an_empty_batch_is_legal(make_net: MakeNet, random_data: MakeData) -> None:
    out = make_net()(random_data(), np.empty((2, 0), int))
    assert out.logits.shape == (2, 0, 3)
    out.logits.sum().backward()


@pytest.mark.parametrize("neuron", [{}, ADAPTIVE])
def test_float32_agrees_with_float64(device: str, random_data: MakeData, neuron: dict[str, Any]) -> None:
    config = LearnerConfig(hidden=5, duration=42.0, delay_scale=6.0, **neuron)
    found = []
    for dtype in (torch.float32, torch.float64):
        net = Cohort(config, 4, 3, [5], dtype=dtype, device=device)
        with torch.no_grad():
            net.w_in.mul_(6)
        found.append(net(random_data(), [[0, 1]]))
    low, high = found
    assert high.counts.sum() > 5
    torch.testing.assert_close(low.features.double(), high.features, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("dt", [0.5, 3.0])
@pytest.mark.parametrize("config", LEARNED)
def test_every_embedding_has_exact_gradients(
    make_net: MakeNet, random_data: MakeData, config: dict[str, Any], dt: float
) -> None:
    check_learned(make_net(dt=dt, drive=1.0, **config), random_data())


@pytest.mark.parametrize(
    ("dt", "dimensions", "drive"),
    [*product([0.5, 1.0, 3.0], [1, 2, 3, 4], [1.0]), *product([0.5, 1.0, 3.0], [2], [6.0])],
)
def test_gradients_are_those_of_finite_differences(
    make_net: MakeNet, random_data: MakeData, dt: float, dimensions: int, drive: float
) -> None:
    net, data = make_net(dt=dt, dimensions=dimensions, drive=drive), random_data()
    if drive == 6.0:  # neurons that are above threshold when a step begins, whose spikes have no derivative
        assert net(data, SAMPLES).counts.max() > 0.5 * net.config.steps
    check_learned(net, data)


@pytest.mark.parametrize("dt", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("config", [{}, ADAPTIVE])
def test_gradients_are_those_of_the_naive_scheme(
    make_net: MakeNet, random_data: MakeData, config: dict[str, Any], dt: float
) -> None:
    """Also the pseudo-derivative of counts, which finite differences cannot see."""
    net, data = make_net(dt=dt, **config), random_data()

    def gradients(one: Cohort, features: Tensor, counts: Tensor) -> tuple[Tensor, ...]:
        loss = (weights_like(features) * (features + 0.01 * counts)).sum()
        learned = [p for name, p in one.named_parameters() if p.requires_grad and "out" not in name]
        return torch.autograd.grad(loss, learned)

    reference, out = deepcopy(net).cpu(), net(data, SAMPLES)
    expected = gradients(reference, *reference_features(reference, data, SAMPLES))
    for one, other in zip(gradients(net, out.features, out.counts), expected, strict=True):
        torch.testing.assert_close(one.cpu(), other, rtol=1e-5, atol=1e-6 * other.abs().max().item())


@pytest.mark.parametrize("dt", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("drive", [0.5, 2.0, 8.0])
def test_adaptive_neurons_are_those_of_the_naive_scheme(
    make_adaptive: MakeNet, random_data: MakeData, dt: float, drive: float
) -> None:
    net, plain = make_adaptive(dt=dt, drive=drive), random_data()
    counts = assert_agrees_with_naive(net, plain, SAMPLES)
    with torch.no_grad():
        net.adaptation.zero_()
        fired = net(plain, SAMPLES).counts.sum()
    assert 10 < counts.sum() <= fired
    if drive < 8.0:  # else they fire in every step, whatever the threshold
        assert counts.sum() < fired


@pytest.mark.parametrize("dt", [0.5, 3.0])
@pytest.mark.parametrize("config", [{}, *LEARNED])
def test_adaptive_neurons_have_exact_gradients(
    make_adaptive: MakeNet, random_data: MakeData, config: dict[str, Any], dt: float
) -> None:
    net = make_adaptive(dt=dt, drive=1.0, **config)
    assert net.adaptation.requires_grad and net.log_tau_adaptation.requires_grad
    check_learned(net, random_data())


def test_adaptive_neurons_that_fire_in_every_step_have_exact_gradients(
    make_adaptive: MakeNet, random_data: MakeData
) -> None:
    check_learned(make_adaptive(drive=6.0, adaptation=0.05), random_data())


def test_neurons_of_no_adaptation_are_plain_ones(make_net: MakeNet, random_data: MakeData) -> None:
    """The same network to rounding, and yet each strength has a derivative."""
    plain, adaptive = make_net(), make_net(**(ADAPTIVE | {"adaptation": 0.0}))
    found = []
    for net in (plain, adaptive):
        out = net(random_data(), SAMPLES)
        loss = (weights_like(out.features) * out.features).sum()
        found.append([out.features, *torch.autograd.grad(loss, [net.w_in, net.positions], retain_graph=True)])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)
    loss.backward()
    assert adaptive.adaptation.grad is not None and (adaptive.adaptation.grad != 0).all()
    assert adaptive.log_tau_adaptation.grad is not None and (adaptive.log_tau_adaptation.grad == 0).all()


def test_a_synapse_of_weight_zero_learns_and_a_masked_one_does_not(
    make_net: MakeNet, random_data: MakeData
) -> None:
    net = make_net()
    loss_of(net, random_data()).backward()
    assert net.w_rec.grad is not None
    assert (net.w_rec[:, 0, 1] == 0).all() and (net.w_rec.grad[:, 0, 1] != 0).all()
    assert (net.w_rec.grad[~net.mask] == 0).all()


def test_a_replicate_equals_the_network_alone(make_net: MakeNet, random_data: MakeData) -> None:
    data = random_data()
    together, alone = make_net(seeds=(3, 8)), make_net(seeds=(8,))
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


@pytest.mark.parametrize("config", [{}, *DELAYS, ADAPTIVE])
def test_hidden_spikes_make_up_features_and_counts(
    make_net: MakeNet, random_data: MakeData, config: dict[str, Any]
) -> None:
    net, data = make_net(dt=2.0, **config), random_data()
    out, samples = net(data, SAMPLES), SAMPLES.size
    found = record(net.connections(), data, SAMPLES, net.config)
    assert found.begin.shape == (samples + 1,) and found.begin[0] == 0
    assert found.begin[-1] == len(found.times) == len(found.neurons) > 20
    by_pair = (value.detach().cpu().reshape(samples, -1) for value in (out.features, out.counts))
    for pair, (features, counts) in enumerate(zip(*by_pair, strict=True)):
        own = slice(found.begin[pair], found.begin[pair + 1])
        assert (np.diff(found.times[own] // net.config.dt) >= 0).all()
        expected = np.zeros(net.config.hidden)
        for time, neuron in zip(found.times[own], found.neurons[own], strict=True):
            expected[neuron] += readout_by_quadrature(time, net.config)
        np.testing.assert_allclose(expected, features, rtol=1e-7, atol=1e-12)
        np.testing.assert_array_equal(np.bincount(found.neurons[own], minlength=len(counts)), counts)


def test_devices_without_kernels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"`device`: got meta, expected cpu.*no kernels for another"):
        backend_for("meta")
    with pytest.raises(ValueError, match="`device`: got meta"):
        Cohort(LearnerConfig(duration=40.0), 4, 3, [0], device="meta")


def test_a_late_input_is_not_forgotten_for_a_spike_with_fast_synapses() -> None:
    """The input of the first neuron arrives at once, that of the second late, and synapses are fast."""
    config = LearnerConfig(
        hidden=2, dimensions=1, input_embedding="line", delay_scale=1.0, min_delay=1.0, duration=60.0
    )
    net = Cohort(config, 1, 2, [0], dtype=torch.float64)
    with torch.no_grad():
        net.w_in.fill_(9.0)
        net.w_rec.zero_()
        net.input_positions.zero_()
        net.positions[0, :, 0] = torch.tensor([0.1, 0.2])
        net.positions[0, 1] = 40.0
        net.mask[:] = False
    data = SpikeDataset.from_events([([0.0], [0])], [0], 1, 2)
    features, counts = reference_features(net, data, [[0]])
    out = net(data, [[0]])
    assert counts.min() >= 1
    assert torch.equal(out.counts, counts)
    torch.testing.assert_close(out.features, features)
