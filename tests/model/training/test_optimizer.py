"""The optimiser's steps: in units that do not depend on how many inputs there are."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from model import Cohort, LearnerConfig, SpikeDataset
from model.datasets import Splits
from model.training.optimizer import clip_gradients, crowding, make_optimizer
from model.training.trainer import Trainer

MakeNet = Callable[..., Cohort]
MakeData = Callable[..., SpikeDataset]


def rates(net: Cohort, train: SpikeDataset) -> dict[str, float]:
    found = make_optimizer(net, train).rates
    return {name: found[value] for name, value in net.named_parameters() if value in found}


@pytest.mark.parametrize("window", [0.5, 3.0, 100.0])
def test_crowding_counts_the_spikes_before_each_spike(random_data: MakeData, window: float) -> None:
    data = random_data(samples=7)
    near = [
        sum(1 for earlier in data.times[s][: i + 1] if time - earlier < window)
        for s in range(7)
        for i, time in enumerate(data.times[s])
    ]
    assert crowding(data, window) == pytest.approx(np.mean(near))


def test_without_spikes_nothing_is_crowded() -> None:
    assert crowding(SpikeDataset.from_events([([], [])], [0], 1, 1), 5.0) == 1.0


def test_a_step_of_all_inputs_moves_a_potential_by_so_many_thresholds(random_data: MakeData) -> None:
    config = LearnerConfig(hidden=8, duration=40.0, learning_rate=0.2, threshold=3.0, initial_rate=5.0)
    data = random_data()
    found = rates(Cohort(config, 4, 3, [0]), data)
    assert found["w_in"] == pytest.approx(0.2 * 3.0 / crowding(data, config.tau_mem))
    assert found["w_rec"] == pytest.approx(found["w_in"] * 25 / (8 * 5))
    assert found["positions"] == config.position_learning_rate


def test_training_is_as_fast_with_every_channel_split_into_many() -> None:
    """Sixteen times as many inputs that say the same: sixteen times smaller steps, and the same learning."""
    metrics = []
    for copies in (1, 16):
        draw = np.random.default_rng(3)
        labels, events = np.arange(60) % 2, []
        for label in labels:
            times = np.sort(draw.uniform(0, 8, 12)) + 12 * label
            channels = draw.integers(0, 6, 12)
            spread = [channels * copies + copy for copy in range(copies)]
            events.append((np.repeat(times, copies), np.stack(spread, 1).reshape(-1)))
        data = SpikeDataset.from_events(events, labels, 6 * copies, 2)
        config = LearnerConfig(hidden=12, epochs=10, duration=30.0, delay_scale=5.0, batch_size=8)
        trainer = Trainer(config, Splits(data, data, None), [0])
        for _ in range(10):
            found = trainer.run_epoch()
        metrics.append(found)
    assert metrics[1]["silent"][0] < 0.2
    assert metrics[1]["train_loss"][0] < max(0.3, 1.5 * metrics[0]["train_loss"][0])


def test_what_is_not_learned_is_left_out(lively_net: MakeNet, random_data: MakeData) -> None:
    found: Any = rates(lively_net(embedding="fixed"), random_data())
    assert set(found) == {"w_in", "w_rec", "w_out", "b_out"}


def test_delays_move_as_far_as_positions_do(lively_net: MakeNet, random_data: MakeData) -> None:
    net = lively_net(embedding="free", delay_scale=6.0, position_learning_rate=0.02)
    assert rates(net, random_data())["free_delays"] == pytest.approx(0.12)


def test_the_schedule_multiplies_every_rate(random_data: MakeData, monkeypatch: pytest.MonkeyPatch) -> None:
    data = random_data(samples=12)
    trainer = Trainer(
        LearnerConfig(hidden=5, epochs=2, duration=40.0, batch_size=12), Splits(data, data, None), [0]
    )
    factors: list[float] = []
    monkeypatch.setattr(trainer.optimizer, "step", factors.append)
    trainer.run_epoch()
    trainer.run_epoch()
    assert factors == pytest.approx([1.0, 0.5])


def test_gradients_are_clipped_network_by_network(lively_net: MakeNet, random_data: MakeData) -> None:
    net = lively_net(gradient_clip=0.5)
    scale = torch.tensor([1e3, 1e-9], dtype=torch.float64)[:, None, None]
    (net(random_data(), [[0, 1, 2], [2, 0, 0]]).logits * scale).sum().backward()
    before = {name: value.grad.clone() for name, value in net.named_parameters() if value.grad is not None}
    clip_gradients(net)
    after = {name: value.grad for name, value in net.named_parameters() if value.grad is not None}
    norms = [sum(grad[r].square().sum() for grad in after.values()) ** 0.5 for r in range(2)]
    assert float(norms[0]) == pytest.approx(0.5)
    for name, grad in after.items():
        assert torch.equal(grad[1], before[name][1])  # below the limit
        factor = grad[0].norm() / before[name][0].norm()
        torch.testing.assert_close(grad[0], before[name][0] * factor)
