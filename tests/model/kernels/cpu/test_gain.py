"""Normalisation of the drive: against the sums it stands for, and as weights that it is worth."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from finite_differences import check_gradients

from model import Cohort, LearnerConfig, SpikeDataset
from model.kernels.cpu.gain import gains_of
from model.training.optimizer import make_optimizer

MakeNet = Callable[..., Cohort]
MakeData = Callable[..., SpikeDataset]
SAMPLES = np.array([[0, 1, 2], [2, 0, 0]])


def naive_gains(data: SpikeDataset, sample: int, config: LearnerConfig) -> list[float]:
    """Each from all earlier spikes of its sample, one by one."""
    times, inputs = data.times[sample], data.channels[sample] // config.pool_channels
    count = -(-data.n_channels // config.pool_channels)
    found = []
    for e, time in enumerate(times):
        faded = np.exp((times[:e] - time) / config.drive_norm_tau)
        together = config.drive_norm_over == "all"
        crowd = faded.sum() / count if together else faded[inputs[:e] == inputs[e]].sum()
        found.append((1 + crowd) ** -config.drive_norm)
    return found


@pytest.mark.parametrize("pool", [1, 3])
@pytest.mark.parametrize("over", ["all", "input"])
def test_gains_are_those_of_all_earlier_spikes(random_data: MakeData, over: Any, pool: int) -> None:
    config = LearnerConfig(drive_norm=0.7, drive_norm_over=over, drive_norm_tau=9.0, pool_channels=pool)
    data, count = random_data(), -(-4 // pool)
    found = gains_of(data.times.offsets, data.times.flat, data.channels.flat // pool, count, config)
    expected = np.concatenate([naive_gains(data, sample, config) for sample in range(len(data))])
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert found.max() == 1 and found.min() < 0.8


@pytest.mark.parametrize("config", [{}, {"tau_spread": 0.3}])
@pytest.mark.parametrize("inputs", [{}, {"input_embedding": "line"}])
def test_a_gain_is_as_good_as_a_weight(
    lively_net: MakeNet, random_data: MakeData, config: dict[str, Any], inputs: dict[str, Any]
) -> None:
    """Every spike of a sample gets a channel of its own, with the weights of its channel times its gain."""
    settings = config | inputs
    net, data = lively_net(seeds=(3,), drive_norm=1.0, **settings), random_data(samples=1)
    gains = torch.tensor(naive_gains(data, 0, net.config), dtype=torch.float64)
    events = data.times.flat.size
    apart = SpikeDataset.from_flat(
        data.times.flat, np.arange(events), np.array([events]), data.labels, events, data.n_classes
    )
    plain = lively_net(seeds=(3,), **settings)
    wide = Cohort(plain.config, events, 3, [3], dtype=torch.float64)
    channels = torch.from_numpy(data.channels.flat.astype(np.int64))
    with torch.no_grad():
        for name, value in net.named_parameters():
            if name == "w_in":
                wide.w_in.copy_(value[:, channels] * gains[:, None])
            else:
                own = value[:, channels] if name == "input_positions" else value
                wide.get_parameter(name).copy_(own)
        wide.mask.copy_(net.mask)
        out, expected = net(data, [[0]]), wide(apart, [[0]])
        assert not torch.allclose(plain(data, [[0]]).features, out.features)
    assert out.counts.sum() > 5
    torch.testing.assert_close(out.features, expected.features, rtol=1e-5, atol=1e-9)


def test_gradients_are_those_of_finite_differences(lively_net: MakeNet, random_data: MakeData) -> None:
    net, data = lively_net(drive_norm=0.5, drive=4.0), random_data()
    learned = {name: value for name, value in net.named_parameters() if value.requires_grad}
    check_gradients(lambda: net(data, SAMPLES).logits.square().sum(), learned)


def test_a_drive_that_is_normalised_grows_less_with_the_input() -> None:
    """Twenty times the spikes: without it twenty times the drive, with 1 far less than twice as much."""
    dense = SpikeDataset.from_events(
        [(np.linspace(0, 99, count), np.zeros(count, int)) for count in (100, 2000)], [0, 0], 1, 1
    )
    drives = []
    for power in (0.0, 1.0):
        config = LearnerConfig(drive_norm=power, drive_norm_tau=20.0)
        gains = gains_of(dense.times.offsets, dense.times.flat, dense.channels.flat, 1, config)
        few, many = (part.sum() for part in np.split(gains, [100]))
        drives.append(many / few)
    assert drives[0] == 20 and 1 < drives[1] < 2


def test_steps_of_input_weights_take_the_gains_into_account(random_data: MakeData) -> None:
    data = random_data()
    rates = []
    for power in (0.0, 1.0):
        config = LearnerConfig(hidden=5, duration=42.0, drive_norm=power, drive_norm_over="input")
        net = Cohort(config, 4, 3, [0])
        of = make_optimizer(net, data).rates
        rates.append([of[net.w_in], of[net.w_rec]])
        gains = gains_of(data.times.offsets, data.times.flat, data.channels.flat, 4, config)
    assert rates[1][0] == pytest.approx(rates[0][0] / gains.mean()) and rates[1][1] == rates[0][1]
