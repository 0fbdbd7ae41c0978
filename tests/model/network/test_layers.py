"""Cohorts of several layers: their start, what they learn, and how they are kept."""

from typing import Any

import numpy as np
import pytest
import torch
from moved import SPLITS, samples

from model import Cohort, LearnerConfig
from model.datasets import Splits
from model.exchange import ForeignError, PlainNetwork, Start, begin_with
from model.network.checkpoint import unpack
from model.network.initialization import layers_to_scale
from model.training.optimizer import make_optimizer
from model.training.rate_cost import revive
from model.training.trainer import Trainer

SMALL: dict[str, Any] = {"duration": 30.0, "delay_scale": 5.0, "epochs": 8, "batch_size": 8}


def config(**fields: Any) -> LearnerConfig:
    return LearnerConfig(**(SMALL | {"hidden": [12, 8]} | fields))


def test_a_list_of_one_layer_is_that_layer() -> None:
    one, other = (Cohort(config(hidden=hidden), 6, 2, [3]) for hidden in (9, [9]))
    assert one.config == other.config
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_every_layer_starts_at_the_wanted_rate_and_learns() -> None:
    trainer = Trainer(config(recurrent_gain=0.3), SPLITS, [3, 8])
    net = trainer.net
    rates = net(SPLITS.train, np.tile(np.arange(32), (2, 1))).counts.mean(1)
    for own in net.layers.members:
        assert (rates[:, own].mean(1) / net.config.initial_rate - 1).abs().max() < 0.35
    for _ in range(8):
        metrics = trainer.run_epoch()
    assert (metrics["accuracy"] > 0.9).all()
    assert (net.w_rec[~net.mask] == 0).all() and net.w_in.shape == (2, 6, 12) and net.w_out.shape == (2, 8, 2)


def test_training_taken_up_again_is_training_never_stopped() -> None:
    one = Trainer(config(wiring_cost=0.3, prune_zeros=True, revival=0.1), SPLITS, [3])
    one.run_epoch()
    other = Trainer.resume(one.checkpoint(), SPLITS)
    for _ in range(2):
        one.run_epoch(), other.run_epoch()
    assert one.checkpoint() == other.checkpoint()
    assert unpack(one.checkpoint())[0].config.hidden == (12, 8)
    assert not (one.net.mask[0].numpy() & ~one.net.layers.synapses).any()
    assert (one.net.w_rec[~one.net.mask] == 0).all()


def test_numbers_that_do_not_exist_do_not_count() -> None:
    net = Cohort(config(hidden=[5, 3], embedding="free", output_bias=False), 6, 2, [3])
    synapses = 5 * 4 + 3 * 2 + 5 * 3
    assert net.learned_parameters == 6 * 5 + synapses + synapses + 3 * 2
    assert net.sparsity().item() == 0
    with torch.no_grad():
        net.mask[0, :5, 5:] = False
    assert net.sparsity().item() == pytest.approx(15 / synapses)
    assert Cohort(config(hidden=4, recurrent=False), 6, 2, [3]).mask.sum() == 0


def test_shuffled_delays_are_those_of_the_synapses_of_a_fixed_network() -> None:
    fixed, shuffled = (Cohort(config(embedding=name), 6, 2, [3]) for name in ("fixed", "shuffled"))
    allowed = fixed.layers.synapses
    delays = [net.delays()[0].detach().numpy() for net in (fixed, shuffled)]
    np.testing.assert_allclose(np.sort(delays[0][allowed]), np.sort(delays[1][allowed]), rtol=1e-6)
    assert (delays[0] != delays[1])[allowed].mean() > 0.9


def test_steps_of_weights_go_by_how_many_neurons_are_heard() -> None:
    train = SPLITS.train
    rates = []
    for fields in ({"hidden": 20}, {"hidden": [12, 8]}, {"hidden": 20, "recurrent": False}):
        net = Cohort(config(**fields), 6, 2, [3])
        rates.append(make_optimizer(net, train).rates[net.w_rec])
    heard = (12 * 12 + 8 * (8 + 12)) / 20
    assert rates[1] / rates[0] == pytest.approx(20 / heard) and rates[2] / rates[0] == pytest.approx(20)


def test_a_silent_neuron_of_a_later_layer_hears_the_one_before_better() -> None:
    net = Cohort(config(revival=0.5), 6, 2, [3])
    with torch.no_grad():
        net.mask[0, 0, 15] = False
        net.w_rec[0, 0, 15] = 0
    before = net.w_rec.detach().clone()
    inputs = net.w_in.detach().clone()
    silent = torch.zeros(1, 20, dtype=torch.bool)
    silent[0, 15] = True
    revive(net, silent)
    size = before[:, :12, 12:].abs().mean()
    change = net.w_rec.detach() - before
    torch.testing.assert_close(change[0, 1:12, 15], (0.5 * size).expand(11))
    change[0, :12, 15] = 0
    assert not change.any() and net.w_rec[0, 0, 15] == 0 and torch.equal(net.w_in, inputs)


def test_what_is_given_is_not_scaled() -> None:
    raw = {"w_in_mean": 0.1, "w_in_sd": 0.1}
    everywhere = {"inputs_to": "all", "readout_from": "all"}
    for fields, given, expected in (
        ({}, False, [0, 1]),
        ({}, True, [0]),
        (raw, False, [1]),
        (raw, True, []),
        (raw | everywhere, False, []),
        (everywhere | {"feedforward": False}, True, [0, 1]),
    ):
        assert layers_to_scale(config(**fields), given) == expected


def test_a_start_keeps_to_the_layers() -> None:
    net = Cohort(config(hidden=[3, 2], embedding="free"), 6, 2, [3])
    delays, mask = np.full((5, 5), 4.0), net.layers.synapses.copy()
    mask[0, 3] = False
    begin_with(net, Start("a.npz", delays, mask))
    assert (net.mask[0].numpy() == mask).all() and (net.w_rec[~net.mask] == 0).all()
    mask[4, 0] = True
    with pytest.raises(ForeignError, match=r"has 1 synapses that the layers 3-2 of `hidden` do not"):
        begin_with(net, Start("a.npz", delays, mask))


def test_as_plain_arrays_it_answers_the_same() -> None:
    trainer = Trainer(config(input_embedding="line"), Splits(samples(16, 0), samples(8, 1), None), [3])
    plain = PlainNetwork.of(trainer.net, 0)
    assert plain.w_in.shape == (6, 20) and plain.w_out.shape == (20, 2) and not plain.w_out[:12].any()
    out = trainer.net(SPLITS.validation, [np.arange(16)])
    assert plain.answers(SPLITS.validation).tolist() == out.logits[0].argmax(1).tolist()
