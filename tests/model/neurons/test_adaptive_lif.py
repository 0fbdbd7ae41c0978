"""Adaptive neurons as parts of a learner: their parameters, their bounds, their rates, and where they go."""

import json
import math
from pathlib import Path
from typing import Any, get_args

import h5py
import numpy as np
import pyarrow as pa
import pytest
import torch
from moved import SPLITS, trained

from model import Cohort, LearnerConfig
from model.config import NEURONS, NeuronModel
from model.exchange import PlainNetwork
from model.export import bundle_of, export
from model.kernels.simulate import simulate
from model.moves import MoveError, Step, apply_steps
from model.network.checkpoint import pack, unpack
from model.neurons.registry import MODELS, neuron_of
from model.training.optimizer import make_optimizer
from model.training.trainer import Trainer
from service.worker.tables import neuron_rows, trained_neurons

ADAPTIVE: dict[str, Any] = {"neuron": "adaptive_lif", "adaptation": 0.1, "tau_adaptation": 20.0}


def made(**config: Any) -> Cohort:
    return Cohort(LearnerConfig(hidden=4, duration=30.0, **(ADAPTIVE | config)), 6, 2, [0, 1])


def test_every_name_of_the_configuration_has_a_model() -> None:
    assert tuple(MODELS) == NEURONS == get_args(NeuronModel)


def test_plain_neurons_have_nothing_of_their_own() -> None:
    net = made(neuron="lif")
    assert net.own_constants() == {} == neuron_of(net.config).learning_rates()
    assert not hasattr(net, "adaptation") and not hasattr(net, "log_tau_adaptation")
    assert net.connections().adaptation is net.connections().tau_adaptation is None


def test_a_cohort_draws_the_same_weights_for_either_model() -> None:
    plain, adaptive = made(neuron="lif"), made()
    for name, value in plain.named_parameters():
        assert torch.equal(value, adaptive.get_parameter(name)), name
    assert torch.equal(adaptive.adaptation, torch.full((2, 4), 0.1))
    torch.testing.assert_close(adaptive.own_constants()["tau_adaptation"], torch.full((2, 4), 20.0))
    assert adaptive.learned_parameters == plain.learned_parameters + 2 * 4
    assert made(learn_adaptation=False).learned_parameters == plain.learned_parameters


def test_what_an_update_carries_too_far_comes_back() -> None:
    net = made(dt=2.0)
    with torch.no_grad():
        net.adaptation[0, 0], net.log_tau_adaptation[1, 2] = -0.3, -5.0
    net.project()
    assert net.adaptation[0, 0] == 0 and net.adaptation[0, 1] == np.float32(0.1)
    assert net.log_tau_adaptation[1, 2].item() == pytest.approx(math.log(2.0))
    assert net.log_tau_adaptation[1, 1].item() == pytest.approx(math.log(20.0))


def test_steps_are_in_thresholds_and_shares() -> None:
    net = made(threshold=3.0, neuron_learning_rate=0.02)
    rates = make_optimizer(net, SPLITS.train).rates
    assert rates[net.adaptation] == pytest.approx(0.06)
    assert rates[net.log_tau_adaptation] == 0.02
    fixed = made(learn_adaptation=False)
    held = make_optimizer(fixed, SPLITS.train).rates
    assert fixed.adaptation not in held and fixed.w_in in held


def test_training_makes_neurons_differ_and_keeps_those_that_do_not_learn() -> None:
    learned, kept = trained(**ADAPTIVE).net, trained(**ADAPTIVE, learn_adaptation=False).net
    for value in (learned.adaptation, learned.log_tau_adaptation):
        assert value.std(1).min() > 1e-3
    assert torch.equal(kept.adaptation, torch.full((2, 9), 0.1))


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"neuron": "alif"}, "`neuron`: got .alif., expected one of lif, adaptive_lif"),
        ({**ADAPTIVE, "adaptation": -0.1}, "`adaptation`: got -0.1, expected"),
        ({**ADAPTIVE, "tau_adaptation": 0.5}, "`tau_adaptation`: got 0.5, expected at least `dt` = 1"),
        ({"neuron_learning_rate": -1.0}, "`neuron_learning_rate`"),
    ],
)
def test_faults_are_told(fields: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        LearnerConfig(**fields)


def test_constants_that_do_not_fit_are_refused() -> None:
    net = made()
    whole = net.connections()
    for changed, fault in (
        ({"adaptation": None}, "go together"),
        ({"tau_adaptation": torch.ones(2, 3)}, r"`tau_adaptation`: got \[2, 3\].*expected \[2, 4\]"),
        ({"adaptation": torch.ones(2, 4).double()}, "`adaptation`: got .*float64"),
    ):
        with pytest.raises(ValueError, match=fault):
            simulate(whole._replace(**changed), SPLITS.train, [[0], [1]], net.config)


def test_a_checkpoint_without_its_adaptation_is_refused() -> None:
    trainer = trained(**ADAPTIVE)
    data = trainer.checkpoint()
    assert torch.equal(unpack(data)[0].adaptation, trainer.net.adaptation)
    plain = trained().net
    plain.config = trainer.net.config  # says what its tensors do not have
    with pytest.raises(ValueError, match="not a checkpoint, or a damaged one"):
        unpack(pack(plain, None, 1, trainer.best))


@pytest.mark.parametrize("name", ["neuron", "learn_adaptation", "adaptation", "tau_adaptation"])
def test_what_trained_neurons_are_is_not_set(name: str) -> None:
    value: Any = {"neuron": "lif", "learn_adaptation": False}.get(name, 1.0)
    with pytest.raises(MoveError, match=f"`{name}` can't be set: it"):
        apply_steps(trained(**ADAPTIVE).checkpoint(), [Step("set", {name: value})], 0)


def test_twins_adapt_as_the_neuron_did() -> None:
    parent = trained(**ADAPTIVE)
    moved = apply_steps(parent.checkpoint(), [Step("split", {"count": 1, "neurons": "[[4], [2]]"})], 0)
    child = unpack(moved.checkpoint)[0]
    for name in ("adaptation", "log_tau_adaptation"):
        old, new = parent.net.get_parameter(name), child.get_parameter(name)
        assert torch.equal(new[:, :9], old) and torch.equal(new[:, 9], old[[0, 1], [4, 2]])


def test_the_table_of_neurons_has_what_they_learned() -> None:
    trainer = trained(**ADAPTIVE)
    rows = neuron_rows(0, trained_neurons(trainer))
    assert rows["adaptation"].to_pylist() == trainer.net.adaptation.detach().flatten().tolist()
    expected = trainer.net.log_tau_adaptation.detach().exp().flatten().tolist()
    assert rows["tau_adaptation"].to_pylist() == pytest.approx(expected, rel=1e-6)
    plain = neuron_rows(0, trained_neurons(Trainer.resume(trained().checkpoint(), SPLITS)))
    assert plain["adaptation"].null_count == plain["tau_adaptation"].null_count == len(plain)
    assert plain.schema.field("adaptation").type == pa.float32()


def test_files_of_other_programs_hold_it(tmp_path: Path) -> None:
    net = trained(**ADAPTIVE).net
    network = PlainNetwork.of(net, 1)
    bundle = bundle_of(net, 1, SPLITS.train, 3)
    with torch.no_grad():
        answers = net(SPLITS.train, np.tile(np.arange(32), (2, 1))).logits[1].argmax(1)
    assert network.answers(SPLITS.train).tolist() == answers.tolist()
    for name in ("npz", "graphml", "brian2", "nest", "sonata"):
        export(bundle, name, tmp_path / name)
    assert network.adaptation is not None and network.tau_adaptation is not None
    with np.load(tmp_path / "nest/network.npz") as file:
        assert np.array_equal(file["adaptation"], network.adaptation)
        assert np.array_equal(file["tau_adaptation"], network.tau_adaptation)
    with h5py.File(tmp_path / "sonata/nodes.h5") as file:
        own = file["nodes/hidden/0/dynamics_params"]
        assert np.array_equal(own["alpha_2"][()], network.adaptation)
        assert np.array_equal(own["tau_2"][()], network.tau_adaptation)
    told = json.loads((tmp_path / "sonata/learner.json").read_text())
    assert told["neuron"] == "adaptive_lif"
