"""Training: what is learned, what is reported, and that it can be taken up again."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save

from model import LearnerConfig, SpikeDataset
from model.datasets import Splits
from model.kernels.cpu.events import gather
from model.kernels.scheme import steps_of
from model.network.checkpoint import CheckpointError, unpack
from model.training.trainer import Trainer, with_duration

CONFIG: dict[str, Any] = {
    "hidden": 12,
    "epochs": 4,
    "batch_size": 8,
    "duration": 30.0,
    "delay_scale": 5.0,
    "replicates": 2,
}


def two_classes(samples: int, seed: int) -> SpikeDataset:
    """Class 0 fires its channels early, class 1 late."""
    draw = np.random.default_rng(seed)
    labels = np.arange(samples) % 2
    events = [(np.sort(draw.uniform(0, 8, 12)) + 12 * label, draw.integers(0, 6, 12)) for label in labels]
    return SpikeDataset.from_events(events, labels, 6, 2, groups=labels + seed)


@pytest.fixture
def splits() -> Splits:
    return Splits(two_classes(40, 0), two_classes(20, 1), two_classes(20, 1))


def test_learns_when_the_spikes_come(splits: Splits) -> None:
    trainer = Trainer(LearnerConfig(**(CONFIG | {"epochs": 20})), splits, [0, 1])
    first = trainer.run_epoch()
    for _ in range(19):
        last = trainer.run_epoch()
    assert (last["accuracy"] > 0.75).all()
    assert (last["train_accuracy"] > 0.9).all()
    assert (last["train_loss"] < 0.7 * first["train_loss"]).all()
    assert (trainer.test()["test_accuracy"] == last["accuracy"]).all()


def test_metrics_are_those_of_the_networks(splits: Splits) -> None:
    trainer = Trainer(LearnerConfig(**CONFIG), splits, [0, 1])
    metrics = trainer.run_epoch()
    net, data = trainer.net, splits.validation
    with torch.no_grad():
        out = net(data, np.tile(np.arange(20), (2, 1)))
    labels = torch.from_numpy(data.labels)
    right = (out.logits.argmax(2) == labels).double().mean(1)
    np.testing.assert_allclose(metrics["accuracy"], right)
    for r in range(2):
        loss = torch.nn.functional.cross_entropy(out.logits[r], labels).item()
        assert metrics["loss"][r] == pytest.approx(loss, rel=1e-5)
        counts = out.counts[r].numpy()
        assert metrics["rate"][r] == pytest.approx(counts.mean())
        assert metrics["silent"][r] == (counts.sum(0) == 0).mean()
        weights, positions = net.w_rec[r].detach().numpy(), net.positions[r].detach().numpy()
        distances = np.linalg.norm(positions[:, None] - positions[None], axis=2)
        assert metrics["wiring_length"][r] == pytest.approx((np.abs(weights) * distances).sum(), rel=1e-5)


def test_groups_of_the_test_set_are_told_apart(splits: Splits) -> None:
    """Training has groups 0 and 1, the test set 1 and 2."""
    found = Trainer(LearnerConfig(**CONFIG), splits, [0, 1]).test()
    mean = (found["test_accuracy_seen"] + found["test_accuracy_unseen"]) / 2
    np.testing.assert_allclose(mean, found["test_accuracy"])


@pytest.mark.parametrize(
    "made_of",
    [
        *({"embedding": name} for name in ("space", "free", "axonal", "none")),
        {"neuron": "adaptive_lif", "tau_adaptation": 20.0},
        {"learn_time_constants": True, "tau_spread": 0.3},
    ],
)
def test_resumes_bit_for_bit(splits: Splits, made_of: dict[str, Any]) -> None:
    varied = {"augment_shift": 1.0, "augment_blend": 0.5, "augment_jitter": 0.5}
    config = LearnerConfig(**(CONFIG | varied | made_of | {"wiring_cost": 0.01}))
    whole = Trainer(config, splits, [0, 1])
    for _ in range(2):
        whole.run_epoch()
    taken_up = Trainer.resume(whole.checkpoint(), splits)
    assert taken_up.epoch == 2
    for _ in range(2):
        expected, found = whole.run_epoch(), taken_up.run_epoch()
    for name in set(expected) - {"seconds"}:
        np.testing.assert_array_equal(expected[name], found[name], err_msg=name)
    for name, value in whole.net.named_parameters():
        assert torch.equal(value, taken_up.net.get_parameter(name)), name
    for name, parameter in whole.net.named_parameters():
        state = whole.optimizer.state[parameter]
        other = taken_up.optimizer.state[taken_up.net.get_parameter(name)]
        assert all(torch.equal(state[key], other[key]) for key in state), name


def test_a_replicate_is_trained_as_if_alone(splits: Splits) -> None:
    varied = CONFIG | {"augment_shift": 1.0, "augment_drop": 0.1}
    together = Trainer(LearnerConfig(**varied), splits, [5, 9])
    alone = Trainer(LearnerConfig(**(varied | {"replicates": 1})), splits, [9])
    for _ in range(2):
        both, one = together.run_epoch(), alone.run_epoch()
    assert both["train_loss"][1] == pytest.approx(one["train_loss"][0], rel=1e-5)
    for name, value in alone.net.named_parameters():
        torch.testing.assert_close(together.net.get_parameter(name)[1:], value, rtol=1e-4, atol=1e-6)


def test_start_meets_the_wanted_rate(splits: Splits) -> None:
    trainer = Trainer(LearnerConfig(**(CONFIG | {"initial_rate": 2.0})), splits, [0, 1, 2])
    counts = trainer.net(splits.train, np.tile(np.arange(40), (3, 1))).counts.mean((1, 2))
    np.testing.assert_allclose(counts.detach().numpy(), 2.0, rtol=0.1)


def test_a_set_without_spikes_stays_silent(splits: Splits) -> None:
    silent = SpikeDataset.from_events([([], [])] * 20, splits.validation.labels, 6, 2)
    trainer = Trainer(LearnerConfig(**CONFIG), Splits(silent, silent, None), [0, 1])
    metrics = trainer.run_epoch()
    assert trainer.fault(metrics) is None
    assert (metrics["silent"] == 1).all()
    assert (trainer.observed.rates == 0).all()


def test_fault_names_what_is_not_finite(splits: Splits) -> None:
    trainer = Trainer(LearnerConfig(**CONFIG), splits, [0, 1])
    metrics = trainer.run_epoch()
    assert trainer.fault(metrics) is None
    with torch.no_grad():
        trainer.net.positions[1, 3, 0] = torch.inf
    assert trainer.fault(metrics) == "`positions` of replicate 1 is not finite at epoch 1"
    metrics["train_loss"][0] = np.nan
    assert trainer.fault(metrics) == "`train_loss` of replicate 0 is not finite at epoch 1"


def test_fixed_positions_stay(splits: Splits) -> None:
    trainer = Trainer(LearnerConfig(**(CONFIG | {"embedding": "fixed"})), splits, [0, 1])
    before = trainer.net.positions.detach().clone()
    trainer.run_epoch()
    assert torch.equal(before, trainer.net.positions)


@pytest.mark.parametrize(("power", "expected"), [(0, [0.7, 0.0]), (1, [0.4, 0.0]), (2, [-0.2, 0.0])])
def test_wiring_cost_is_a_soft_threshold(splits: Splits, power: int, expected: list[float]) -> None:
    """Distance 2, lr lambda = 0.3: |w| falls by 0.3 * 2^p, and small weights become zero."""
    from model.training.wiring_cost import shrink_weights

    one = {"hidden": 2, "wiring_cost": 30.0, "wiring_power": power, "dimensions": 1}
    config = LearnerConfig(**(CONFIG | one))
    net = Trainer(config, splits, [0]).net
    with torch.no_grad():
        net.positions.copy_(torch.tensor([[[0.0], [2.0]]]))
        net.w_rec.copy_(torch.tensor([[[0.0, 1.0], [-0.2, 0.0]]]))
    shrink_weights(net, learning_rate=0.01)
    assert net.w_rec[0, 0, 1].item() == pytest.approx(max(expected[0], 0.0), abs=1e-6)
    assert net.w_rec[0, 1, 0].item() == expected[1]


def test_duration_covers_the_latest_spike() -> None:
    data = SpikeDataset.from_events([([0.0, 6.0], [0, 0])], [0], 1, 1)
    assert with_duration(LearnerConfig(dt=2.0), data).duration == 8.0
    assert with_duration(LearnerConfig(dt=2.0, duration=4.0), data).duration == 4.0


@pytest.mark.parametrize(
    ("latest", "dt", "real", "duration"),
    [
        (37.9, 0.1, np.float64, 38.0),
        (0.7, 0.1, np.float32, 0.8),
        (7.7, 1.1, np.float64, 8.8),
        (1.4, 0.2, float, 1.6),
    ],
)
def test_a_spike_on_a_border_of_steps_begins_a_step(
    latest: float, dt: float, real: Any, duration: float
) -> None:
    data = SpikeDataset.from_events([(np.array([0.0, latest], real), [0, 1])], [0], 2, 1)
    assert with_duration(LearnerConfig(dt=dt), data).duration == pytest.approx(duration)


@settings(deadline=None, max_examples=300)
@given(
    dt=st.sampled_from([0.1, 0.2, 0.3, 0.7, 1.0, 1.1, 7.0]) | st.floats(1e-3, 20),
    places=st.lists(st.integers(0, 5000) | st.floats(0, 5000), min_size=1, max_size=6),
    dtype=st.sampled_from([np.float32, np.float64]),
    cut=st.integers(1, 5000),
)
def test_kernels_duration_and_count_of_dropped_spikes_go_by_one_rule(
    dt: float, places: list[float], dtype: Any, cut: int
) -> None:
    """Nothing is lost with the default duration; else what is counted is what the kernels leave out."""
    times = (np.array(places, np.float64) * dt).astype(dtype)
    data = SpikeDataset.from_events([(times, np.zeros(len(times), int))], [0], 1, 1)
    for real in (np.float32, np.float64):
        whole = with_duration(LearnerConfig(dt=dt), data)
        assert (steps_of(data.times.flat, dt) < whole.steps).all()
        found = gather(data, np.array([0]), whole, real)
        assert found.start.tolist() == [0, len(times)]
        assert found.step.tolist() == steps_of(data.times.flat, dt).tolist()
        assert ((found.phase >= 0) & (found.phase <= 1)).all()
        exact = data.times.flat.astype(np.float64) / dt
        eps = np.finfo(dtype).eps + np.finfo(real).eps
        np.testing.assert_allclose(found.step + found.phase.astype(np.float64), exact, rtol=4 * eps, atol=eps)
        late = (steps_of(data.times.flat, dt) >= cut).sum()
        kept = gather(data, np.array([0]), LearnerConfig(dt=dt, duration=cut * dt), real).step
        assert len(kept) == len(times) - late
        on_borders = np.array(places) == np.rint(places)
        assert (np.isin(np.array(places)[on_borders], steps_of(data.times.flat, dt))).all()


def test_dropped_spikes_are_those_that_the_kernels_leave_out() -> None:
    times = (np.arange(20) * 0.1).astype(np.float32)
    data = SpikeDataset.from_events([(times, np.zeros(20, int))], [0], 1, 1)
    trainer = Trainer(LearnerConfig(hidden=2, dt=0.1, duration=0.7), Splits(data, data, None), [0])
    assert (
        trainer.dropped_spikes == 13 == 20 - len(gather(data, np.array([0]), trainer.config, np.float32).step)
    )


@pytest.mark.parametrize("header", ["[]", "{}", '"text"', "3", "null", '{"__metadata__": []}', "[" * 9999])
def test_what_is_no_checkpoint_is_refused(header: str) -> None:
    with pytest.raises(CheckpointError):
        unpack(struct.pack("<Q", len(header)) + header.encode())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("config", "[]"),
        ("config", '{"hidden": 1000000000, "duration": 30.0}'),
        ("n_channels", "1000000000000"),
        ("n_channels", "x"),
        ("n_classes", "1000000000000"),
        ("seeds", "[-1, 0]"),
        ("seeds", '["3", 0]'),
        ("seeds", "3"),
        ("epoch", "-1"),
        ("best", "[]"),
        ("best", '{"loss": "low", "epoch": 0}'),
        ("best", '{"loss": 1.0, "epoch": "0"}'),
    ],
)
def test_headers_that_make_no_sense_are_refused(splits: Splits, name: str, value: str) -> None:
    """Without a checksum, as older versions wrote them; and before memory is taken for what they ask for."""
    tensors, header = parts(Trainer(LearnerConfig(**CONFIG), splits, [0, 1]).checkpoint())
    unpack(save(tensors, header))
    with pytest.raises(CheckpointError):
        unpack(save(tensors, header | {name: value}))


@pytest.mark.parametrize(
    "key", ["adam.exp_avg.w_none", "adam.exp_avg", "adam.exp_avg.w_in", "net.w_out", "net.mask"]
)
def test_tensors_that_do_not_belong_are_refused(splits: Splits, key: str) -> None:
    trainer = Trainer(LearnerConfig(**CONFIG), splits, [0, 1])
    trainer.run_epoch()
    tensors, header = parts(trainer.checkpoint())
    with pytest.raises(CheckpointError):
        Trainer.resume(save(tensors | {key: torch.zeros(3)}, header), splits)


def test_what_unpack_is_given_is_told_from_damage() -> None:
    with pytest.raises(TypeError, match="unpack: `data`: got 'text', expected bytes"):
        unpack("text")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unpack: `threads`: got 0") as raised:
        unpack(b"", threads=0)
    assert not isinstance(raised.value, CheckpointError)


def parts(checkpoint: bytes) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Tensors and header of a checkpoint, without its checksum."""
    length = int.from_bytes(checkpoint[:8], "little")
    header = json.loads(checkpoint[8 : 8 + length])["__metadata__"]
    return load(checkpoint), {name: value for name, value in header.items() if name != "checksum"}


@pytest.mark.parametrize("harm", ["truncated", "foreign", "version", "empty"])
def test_damaged_checkpoints_are_refused(splits: Splits, harm: str, tmp_path: Path) -> None:
    trainer = Trainer(LearnerConfig(**CONFIG), splits, [0, 1])
    good = trainer.checkpoint()
    bad = {
        "truncated": good[: len(good) // 2],
        "foreign": b"PK\x03\x04" + bytes(100),
        "version": good.replace(b'"format":"1"', b'"format":"9"'),
        "empty": b"",
    }[harm]
    with pytest.raises(CheckpointError):
        unpack(bad)


def test_networks_alone_are_smaller_and_the_same(splits: Splits) -> None:
    trainer = Trainer(LearnerConfig(**CONFIG), splits, [0, 1])
    trainer.run_epoch()
    net, epoch, moments, _ = unpack(trainer.networks())
    assert epoch == 1 and moments == {}
    assert len(trainer.networks()) < 0.5 * len(trainer.checkpoint())
    for name, value in trainer.net.state_dict().items():
        assert torch.equal(value, net.state_dict()[name])
