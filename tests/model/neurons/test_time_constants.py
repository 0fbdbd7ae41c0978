"""Time constants of each neuron as parts of a learner: their start, bounds and rates, and where they go."""

import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from moved import SPLITS, trained

from model import Cohort, LearnerConfig
from model.exchange import PlainNetwork
from model.export import bundle_of, export
from model.moves import MoveError, Step, apply_steps
from model.network.checkpoint import pack, unpack
from model.neurons.lif import APART
from model.training.optimizer import make_optimizer
from service.worker.tables import neuron_rows, trained_neurons

OWN: dict[str, Any] = {"learn_time_constants": True, "tau_spread": 0.3}
ADAPTIVE: dict[str, Any] = {"neuron": "adaptive_lif", "tau_adaptation": 20.0}
NAMES = ("log_tau_mem", "log_tau_syn")


def made(**config: Any) -> Cohort:
    return Cohort(LearnerConfig(**({"hidden": 4, "duration": 30.0} | config)), 6, 2, [0, 1])


@pytest.mark.parametrize("neuron", [{}, ADAPTIVE])
def test_all_begin_with_the_configured_ones_and_learn_where_asked(neuron: dict[str, Any]) -> None:
    plain, learned, kept = (
        made(**neuron),
        made(learn_time_constants=True, **neuron),
        made(tau_spread=0.3, **neuron),
    )
    assert not hasattr(plain, "log_tau_mem") and plain.connections().tau_mem is None
    own = learned.own_constants()
    torch.testing.assert_close(own["tau_mem"], torch.full((2, 4), 20.0))
    torch.testing.assert_close(own["tau_syn"], torch.full((2, 4), 5.0))
    assert learned.learned_parameters == plain.learned_parameters + 2 * 4 == kept.learned_parameters + 2 * 4
    for net in (learned, kept):
        for name, value in plain.named_parameters():
            assert torch.equal(value, net.get_parameter(name)), name


def test_a_spread_is_log_normal_about_them_and_depends_on_the_seed_alone() -> None:
    net = made(hidden=2000, tau_spread=0.3, embedding="none", dt=0.1)
    for name, tau in zip(NAMES, (20.0, 5.0), strict=True):
        value = net.get_parameter(name)
        torch.testing.assert_close(value.mean(1), torch.full((2,), math.log(tau)), rtol=0, atol=0.03)
        torch.testing.assert_close(value.std(1), torch.full((2,), 0.3), rtol=0, atol=0.02)
        assert not torch.equal(value[0], value[1])
    alone = Cohort(net.config, 6, 2, [1])
    assert torch.equal(alone.log_tau_mem[0], net.log_tau_mem[1])


def test_what_an_update_carries_too_far_comes_back() -> None:
    net = made(dt=2.0, **OWN)
    least = math.log(2.0)
    start = torch.tensor([[3.0, 3.0, -5.0, 1.0], [3.001, 2.0, least, 3.0]])
    with torch.no_grad():
        net.log_tau_mem.copy_(start)
        net.log_tau_syn.copy_(torch.tensor([[3.0, 1.0, -7.0, 3.0], [3.0, 2.005, least + 0.01, 1.0]]))
    net.project()
    mem, syn = net.log_tau_mem.detach(), net.log_tau_syn.detach()
    assert min(mem.min(), syn.min()) >= least - 1e-6 and ((mem - syn).abs() > 0.99 * APART).all()
    half = APART / 2
    expected_mem = [[3 + half, 3.0, least + APART, 1.0], [3.0005 + half, 2.0025 - half, least, 3.0]]
    expected_syn = [[3 - half, 1.0, least, 3.0], [3.0005 - half, 2.0025 + half, least + APART, 1.0]]
    torch.testing.assert_close(mem, torch.tensor(expected_mem), rtol=0, atol=1e-5)
    torch.testing.assert_close(syn, torch.tensor(expected_syn), rtol=0, atol=1e-5)
    again = mem.clone(), syn.clone()
    net.project()
    torch.testing.assert_close((net.log_tau_mem.detach(), net.log_tau_syn.detach()), again, rtol=0, atol=1e-6)
    net(SPLITS.train, [[0], [1]])  # the kernels take what is on the border


def test_steps_are_shares() -> None:
    net = made(neuron_learning_rate=0.02, **OWN)
    rates = make_optimizer(net, SPLITS.train).rates
    assert [rates[net.get_parameter(name)] for name in NAMES] == [0.02, 0.02]
    kept = made(tau_spread=0.3)
    held = make_optimizer(kept, SPLITS.train).rates
    assert kept.log_tau_mem not in held and kept.w_in in held


def test_training_makes_neurons_differ_and_keeps_those_that_do_not_learn() -> None:
    learned, kept = trained(learn_time_constants=True).net, trained(tau_spread=0.3).net
    for name in NAMES:
        assert learned.get_parameter(name).std(1).min() > 1e-3
        drawn = Cohort(kept.config, 6, 2, [3, 8]).get_parameter(name)
        assert torch.equal(kept.get_parameter(name), drawn)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        (
            {"learn_time_constants": True, "dt": 6.0},
            "`learn_time_constants` needs .* at least `dt` = 6, got 20 and 5",
        ),
        ({"tau_spread": 0.1, "dt": 6.0}, "`tau_spread` needs"),
        ({"tau_spread": -0.1}, "`tau_spread`: got -0.1, expected"),
        ({"learn_time_constants": 1}, "`learn_time_constants`"),
    ],
)
def test_faults_are_told(fields: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        LearnerConfig(**fields)


def test_a_checkpoint_holds_them_and_without_them_is_refused() -> None:
    trainer = trained(**OWN)
    again = unpack(trainer.checkpoint())[0]
    for name in NAMES:
        assert torch.equal(again.get_parameter(name), trainer.net.get_parameter(name))
    plain = trained().net
    plain.config = trainer.net.config  # says what its tensors do not have
    with pytest.raises(ValueError, match="not a checkpoint, or a damaged one"):
        unpack(pack(plain, None, 1, trainer.best))


@pytest.mark.parametrize("name", ["learn_time_constants", "tau_spread"])
def test_what_trained_neurons_are_is_not_set(name: str) -> None:
    value: Any = {"learn_time_constants": False}.get(name, 0.1)
    with pytest.raises(MoveError, match=f"`{name}` can't be set: it"):
        apply_steps(trained(**OWN).checkpoint(), [Step("set", {name: value})], 0)


def test_twins_have_those_of_the_neuron() -> None:
    parent = trained(**OWN)
    moved = apply_steps(parent.checkpoint(), [Step("split", {"count": 1, "neurons": "[[4], [2]]"})], 0)
    child = unpack(moved.checkpoint)[0]
    for name in NAMES:
        old, new = parent.net.get_parameter(name), child.get_parameter(name)
        assert torch.equal(new[:, :9], old) and torch.equal(new[:, 9], old[[0, 1], [4, 2]])


def test_the_table_of_neurons_has_them() -> None:
    trainer = trained(**OWN)
    rows = neuron_rows(0, trained_neurons(trainer))
    for name in NAMES:
        expected = trainer.net.get_parameter(name).detach().exp().flatten().tolist()
        assert rows[name.removeprefix("log_")].to_pylist() == pytest.approx(expected, rel=1e-6)
    plain = neuron_rows(0, trained_neurons(trained()))
    assert plain["tau_mem"].null_count == plain["tau_syn"].null_count == len(plain)


def test_files_of_other_programs_hold_them(tmp_path: Path) -> None:
    net = trained(**OWN, embedding="none").net
    network, bundle = PlainNetwork.of(net, 1), bundle_of(net, 1, SPLITS.train, 3)
    with torch.no_grad():
        answers = net(SPLITS.train, np.tile(np.arange(32), (2, 1))).logits[1].argmax(1)
    assert network.answers(SPLITS.train).tolist() == answers.tolist()
    for name in ("npz", "graphml", "brian2", "nest", "sonata", "nir"):
        export(bundle, name, tmp_path / name)
    assert network.tau_mem is not None and network.tau_syn is not None
    with np.load(tmp_path / "nest/network.npz") as file:
        assert np.array_equal(file["tau_mem"], network.tau_mem)
    with h5py.File(tmp_path / "sonata/nodes.h5") as file:
        own = file["nodes/hidden/0/dynamics_params"]
        assert all(np.array_equal(own[name][()], network.tau_mem) for name in ("C_m", "tau_m", "tau_1"))
        assert all(np.array_equal(own[f"tau_syn_{kind}"][()], network.tau_syn) for kind in ("ex", "in"))
    with h5py.File(tmp_path / "nir/network.nir") as file:
        hidden = file["node/nodes/hidden"]
        np.testing.assert_allclose(hidden["tau_mem"][()], network.tau_mem / 1000, rtol=1e-6)
        np.testing.assert_allclose(hidden["w_in"][()], network.tau_syn / 1000, rtol=1e-6)
